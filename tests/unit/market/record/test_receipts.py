"""A receipt proves itself: what is whole holds, what was changed anywhere is found and named, and no bytes break the reader."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from market.kit.canonical import canonical_json
from market.record.entries import commit_documents, entry_hash
from market.record.promises import Promise, sign_promise
from market.record.receipts import (
    MOST_BYTES,
    Document,
    Keys,
    Receipt,
    ReceiptMalformedError,
    State,
    Verdict,
    parse_receipt,
    verify_receipt,
)
from tests.unit.market.record import noodles

WHOLE = noodles.make()
FILE = WHOLE.encode()


def check(receipt: Receipt, keys: Keys | None = noodles.KEYS, at: datetime = noodles.AT) -> Verdict:
    return verify_receipt(parse_receipt(receipt.encode()), keys=keys, at=at)


def state_of(verdict: Verdict, field: str) -> list[State]:
    return [step.state for step in verdict.steps if step.field == field]


def test_a_whole_receipt_holds_in_every_step() -> None:
    verdict = check(WHOLE)
    assert (verdict.outcome, verdict.holds) == ("proved", True)
    assert {step.state for step in verdict.steps} == {State.HOLDS}
    assert "第 4 条" in verdict.zh
    assert "entry 4" in verdict.en


def test_the_file_is_canonical_json_and_comes_back_byte_for_byte() -> None:
    assert rfc8785.dumps(json.loads(FILE)) == FILE
    assert parse_receipt(FILE).encode() == FILE
    assert tuple(json.loads(FILE)) == noodles.FILE_FIELDS


def test_before_publication_the_promise_is_what_holds() -> None:
    young = noodles.make(published=False)
    zone = timezone(timedelta(hours=8))
    verdict = check(young, at=noodles.AT.astimezone(zone))
    assert (verdict.outcome, verdict.holds) == ("promised", True)
    assert "2026-12-01 12:07:00+08:00" in verdict.zh
    assert state_of(verdict, "proof") == [State.OPEN]


def test_an_overdue_promise_is_said_clearly() -> None:
    verdict = check(noodles.make(published=False), at=noodles.BY + timedelta(seconds=1))
    assert (verdict.outcome, verdict.holds) == ("overdue", False)
    assert "承诺已过期" in verdict.zh
    assert "漏记的证据" in verdict.zh
    assert "proves the omission" in verdict.en
    assert check(WHOLE, at=noodles.BY + timedelta(days=999)).outcome == "proved"


def test_without_any_signature_nothing_is_proved() -> None:
    verdict = check(noodles.make(published=False, with_promise=False))
    assert (verdict.outcome, verdict.holds) == ("unsigned", False)
    assert state_of(verdict, "documents.facts.quote") == [State.OPEN]


def test_what_was_left_out_is_said_and_the_rest_holds() -> None:
    shown = noodles.make(leave_out=("facts", "subject"))
    assert shown.offers == ()
    verdict = check(shown)
    assert verdict.outcome == "proved"
    for field in ("documents.facts", "documents.subject", "documents.facts.quote"):
        assert state_of(verdict, field) == [State.OPEN]
    assert state_of(verdict, "documents.basket") == [State.HOLDS, State.HOLDS]


def test_without_the_terms_of_an_offer_the_price_is_not_made_again() -> None:
    verdict = check(replace(WHOLE, offers=WHOLE.offers[:1]))
    assert verdict.outcome == "proved"
    [step] = [step for step in verdict.steps if step.field == "documents.facts.quote"]
    assert step.state == State.OPEN
    assert "UNION1 v1" in step.en


def test_a_key_that_is_not_trusted_is_found_and_the_files_own_keys_are_taken_without_any() -> None:
    verdict = check(WHOLE, Keys((noodles.OTHER.verifier,), noodles.KEYS.promise))
    assert verdict.outcome == "differs"
    assert verdict.en.startswith("log differs")
    assert check(WHOLE, None).outcome == "proved"


def test_the_logs_key_alone_is_enough_for_what_is_published() -> None:
    verdict = check(WHOLE, Keys(noodles.KEYS.log, ()))
    assert verdict.outcome == "proved"
    assert state_of(verdict, "promise") == [State.OPEN]
    assert check(noodles.make(published=False), Keys(noodles.KEYS.log, ())).outcome == "unsigned"


# --- each field tampered once -----------------------------------------------------------------------------------------


def with_entry(**changes: object) -> Receipt:
    """Another entry, with the leaf hash that fits it: so does whoever forges one."""
    body = canonical_json({**json.loads(WHOLE.entry), **changes})
    return replace(WHOLE, entry=body, leaf=entry_hash(body))


def with_document(name: str, change: Callable[[Any], Any], *, salted: bool = False) -> Receipt:
    """Another document; `salted` means that only its salt is another."""
    old = WHOLE.documents[name]
    new = Document(bytes(32), old.body) if salted else Document(old.salt, canonical_json(change(json.loads(old.body))))
    return replace(WHOLE, documents={**WHOLE.documents, name: new})


def forged(documents: dict[str, Any], **entry: object) -> Receipt:
    """Documents and an entry that commits to them, under a promise by a key that is trusted: what only the operator could do."""
    bodies = {
        name: canonical_json(documents[name]) if name in documents else document.body
        for name, document in WHOLE.documents.items()
    }
    commitments = commit_documents(bodies, commit_key=noodles.COMMIT_KEY, public_id=noodles.SALE_ID)
    body = canonical_json({**json.loads(WHOLE.entry), **commitments, **entry})
    note = sign_promise(Promise(noodles.ORIGIN, entry_hash(body), noodles.BY), noodles.PROMISE)
    return replace(
        WHOLE,
        entry=body,
        leaf=entry_hash(body),
        promise=note,
        proof=None,
        documents={name: replace(document, body=bodies[name]) for name, document in WHOLE.documents.items()},
    )


def facts_with(**changes: object) -> dict[str, Any]:
    facts = json.loads(WHOLE.documents["facts"].body)
    return {**facts, "quote": {**facts["quote"], **changes}}


def basket_with(price: int) -> list[dict[str, Any]]:
    lines = json.loads(WHOLE.documents["basket"].body)
    return [{**lines[0], "unit_price": price}, *lines[1:]]


TAMPERED = {
    "leaf": replace(WHOLE, leaf=bytes(32)),
    "promise": with_entry(paid=1),
    "promise by another": replace(
        WHOLE, promise=sign_promise(Promise(noodles.ORIGIN, WHOLE.leaf, noodles.BY), replace(noodles.OTHER, name="x"))
    ),
    "promise of another": replace(
        WHOLE, promise=sign_promise(Promise(noodles.ORIGIN, bytes(32), noodles.BY), noodles.PROMISE)
    ),
    "promise of another log": replace(
        WHOLE, promise=sign_promise(Promise("elsewhere", WHOLE.leaf, noodles.BY), noodles.PROMISE)
    ),
    "promise that is none": replace(WHOLE, promise=b"promised!"),
    "proof": replace(WHOLE, proof=replace(WHOLE.proof, index=2)),
    "proof of another": replace(WHOLE, proof=WHOLE.offers[0].proof),
    "proof under no checkpoint": replace(WHOLE, proof=replace(WHOLE.proof, checkpoint=b"none")),
    "log": replace(WHOLE, log=noodles.OTHER.verifier),
    "promise_key": replace(WHOLE, promise_key=replace(noodles.PROMISE, seed=b"\x08" * 32).verifier),
    "offers[0]": replace(WHOLE, offers=(replace(WHOLE.offers[0], entry=WHOLE.offers[1].entry), WHOLE.offers[1])),
    "documents.basket": with_document("basket", lambda lines: lines[:1]),
    "documents.facts": with_document("facts", lambda facts: {**facts, "shop": "s_0002"}),
    "documents.subject": with_document("subject", lambda pair: pair[::-1]),
    "documents.basket salt": with_document("basket", list, salted=True),
    "documents.basket sums": forged({"basket": basket_with(1700)}),
    "documents.basket unreadable": forged({"basket": [{"line": 1}]}),
    "documents.facts amounts": forged({"facts": facts_with(payable=1)}),
    "documents.facts unreadable": forged({"facts": [1]}),
    "documents.facts.quote": forged({"facts": facts_with(applied=[])}),
    "entry": forged({}, list=1, concession=0, subsidy=0, paid=2),
    "entry of another type": forged({}, type="void"),
    "entry with a text": forged({}, list="1800"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_was_changed_is_named(case: str) -> None:
    verdict = check(TAMPERED[case])
    field = case.split(" ", maxsplit=1)[0]
    assert verdict.outcome == "differs"
    assert field in {step.field.split(".quote.")[0] for step in verdict.steps if step.state == State.DIFFERS}
    assert "不符" in verdict.zh
    assert " differs: " in verdict.en


def test_a_dearer_price_than_the_published_terms_make_is_found() -> None:
    """Somebody was charged 16.00 for what the terms price at 15.20, and every document agrees with every other."""
    verdict = check(
        forged(
            {"facts": facts_with(payable=1600, concession=100, sponsor_pays=100)},
            paid=1600,
            concession=100,
            subsidy=100,
        )
    )
    assert (
        verdict.en
        == "documents.facts.quote.concession differs: priced again from the published terms, ¥15.20 is to be paid."
    )


@pytest.mark.parametrize(
    ("proof", "gap", "payable", "state"),
    [
        ("bounded", 100, 1600, State.OPEN),
        ("bounded", 20, 1600, State.DIFFERS),
        ("bounded", 100, 1500, State.DIFFERS),
    ],
)
def test_a_price_that_was_not_proved_may_be_too_high_by_its_gap(
    proof: str, gap: int, payable: int, state: State
) -> None:
    amounts = {"concession": 1700 - payable, "paid": payable, "subsidy": 100}
    facts = facts_with(payable=payable, concession=amounts["concession"], sponsor_pays=100, proof=proof, gap=gap)
    assert state_of(check(forged({"facts": facts}, **amounts)), "documents.facts.quote") == [state]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"v": 99}, "rules 99"),
        ({"offers": 1}, "facts.offers"),
        ({"now": "noon"}, "$.vectors[0].now"),
        ({"purses": {}}, "$.vectors[0].offers[1].budgets"),
    ],
)
def test_facts_that_cannot_be_priced_are_said_to_be_so(facts: dict[str, Any], said: str) -> None:
    verdict = check(forged({"facts": {**json.loads(WHOLE.documents["facts"].body), **facts}}))
    [step] = [step for step in verdict.steps if step.field == "documents.facts.quote"]
    assert step.state == State.OPEN
    assert said in step.en


# --- what is no receipt file ------------------------------------------------------------------------------------------


def rewritten(change: Callable[[dict[str, Any]], object]) -> bytes:
    value = json.loads(FILE)
    change(value)
    return canonical_json(value)


def put(name: str, value: object) -> bytes:
    return rewritten(lambda file: file.__setitem__(name, value))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", "receipt"),
        (b"\xff", "receipt"),
        (b"[]", "receipt"),
        (b"[" * 100_000, "receipt"),
        (b'{"v":1}', "receipt"),
        (b'{"v":NaN}', "receipt"),
        (b"1" * 10_000, "receipt"),
        (b" " * (MOST_BYTES + 1), "receipt"),
        (FILE + b"\n", "receipt"),
        (b" " + FILE, "documents"),
        (FILE.replace(b',"leaf"', b', "leaf"'), "leaf"),
        (FILE.replace(b'"format":"huigong', b'"format":"\\u0068uigong'), "format"),
        (FILE.replace(b'{"documents"', b'{"origin":"a","documents"'), "documents"),
        (json.dumps(json.loads(FILE), ensure_ascii=False, indent=1).encode(), "documents"),
        (rewritten(lambda file: file.pop("proof")), "proof"),
        (rewritten(lambda file: file.__setitem__("more", "x")), "more"),
        (rewritten(lambda file: file["documents"].__setitem__("name", "x")), "name"),
        (rewritten(lambda file: file["documents"]["facts"].pop("salt")), "salt"),
        (rewritten(lambda file: file["documents"].pop("facts")), "offers"),
        (put("format", "huigong-receipt/3"), "format"),
        (put("format", "huigong-receipt/2"), "batch"),
        (put("origin", "elsewhere"), "log"),
        (put("log", "elsewhere+1+AA"), "log"),
        (put("log", noodles.COSIGNER.text), "log"),
        (put("promise_key", noodles.LOG.verifier.text), "promise_key"),
        (put("leaf", "AA=="), "leaf"),
        (put("leaf", None), "leaf"),
        (put("entry", ""), "entry"),
        (FILE.replace(b'"entry":"', b'"entry":"\\ud800'), "entry"),
        (put("promise", {}), "promise"),
        (put("proof", "c2sp.org/tlog-proof@v1\n"), "proof"),
        (put("proof", replace(WHOLE.proof, extra=b"x").encode().decode()), "proof"),
        (put("offers", {}), "offers"),
        (put("offers", [{"entry": "x", "proof": "y"}]), "offers[0].proof"),
        (put("documents", []), "documents"),
        (rewritten(lambda file: file["documents"]["facts"].__setitem__("text", [])), "documents.facts.text"),
        (rewritten(lambda file: file["documents"]["facts"].__setitem__("salt", "?")), "documents.facts.salt"),
    ],
)
def test_what_is_no_receipt_file_is_refused_by_the_fields_name(data: bytes, field: str) -> None:
    with pytest.raises(ReceiptMalformedError) as refusal:
        parse_receipt(data)
    assert refusal.value.facts["field"] == field
    assert field in refusal.value.sentence("zh")
    assert field in refusal.value.sentence("en")


# --- any byte ---------------------------------------------------------------------------------------------------------


def holds(data: bytes) -> bool:
    try:
        receipt = parse_receipt(data)
    except ReceiptMalformedError:
        return False
    return verify_receipt(receipt, keys=None, at=noodles.AT).holds


@settings(max_examples=200)
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_no_changed_byte_is_accepted(place: int, mask: int) -> None:
    changed = bytearray(FILE)
    changed[place] ^= mask
    assert not holds(bytes(changed))


@given(st.integers(0, len(FILE)), st.binary(max_size=6), st.integers(0, 40))
def test_nothing_is_accepted_with_something_put_in_or_cut_out(place: int, put_in: bytes, cut: int) -> None:
    changed = FILE[:place] + put_in + FILE[place + cut :]
    assert holds(changed) == (changed == FILE)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    assert not holds(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("line", "quote", "offers", "id")), inner)
    ),
    max_leaves=12,
)


@given(_JSON, _JSON, _JSON)
def test_no_forged_documents_break_the_check(basket: Any, facts: Any, paid: Any) -> None:
    """Whoever holds the keys may sign anything; the check still answers."""
    named = json.loads(WHOLE.documents["facts"].body)
    documents = {"basket": basket, "facts": {**named, **facts} if isinstance(facts, dict) else facts}
    assert not check(forged(documents, paid=paid), None).holds or documents["facts"] == named


def test_base64_of_a_salt_has_one_spelling() -> None:
    """The last character of a hash in base64 carries two bits that decoders ignore."""
    text = json.loads(FILE)["leaf"]
    twin = text[:-2] + chr(ord(text[-2]) + 1) + "="
    if base64.b64decode(twin) == base64.b64decode(text):
        assert not holds(FILE.replace(text.encode(), twin.encode()))
