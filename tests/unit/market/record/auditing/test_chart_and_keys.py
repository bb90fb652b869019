"""The log's word about itself: the chart of accounts that its entries keep to, and the keys that its policies change."""

import json
import re
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.ledger.models import ACCOUNT_PATTERN
from market.ledger.postings import member_rebates_account, payable_account, receivable_account
from market.record.auditing.finding import Finding
from market.record.auditing.replay import check_entries
from market.record.chart import CHART, VERSION, Chart, chart_fields
from market.record.entries import public_account
from market.record.key_changes import list_key_changes
from market.record.log.checkpoints import Checkpoint, sign_checkpoint
from market.record.log.keys import Kind, SignerKey
from market.record.policy import Policy, Succession, parse_policy
from tests.record_log import (
    DAY,
    KEY,
    ORIGIN,
    OTHER,
    budget,
    change,
    close,
    id_of,
    leave_out,
    many_entries,
    offer,
    other,
    policy_entry,
    sale,
)

START = [policy_entry(0), budget(1, 10_000), offer(2)]
CHART_ENTRY = other(3, "account", **chart_fields())


def find(*bodies: bytes) -> list[tuple[str, int | None, str]]:
    return [(one.rule, one.leaf_index, one.field) for one in found(*bodies)]


def found(*bodies: bytes) -> list[Finding]:
    return [one for one in check_entries(bodies) if one.rule != "balances"]


# --- the chart ---------------------------------------------------------------------------------------------------------


def test_whoever_changes_the_chart_raises_its_version() -> None:
    """Logs hold the chart by its version: another one under the same number would never be published."""
    published = {
        1: "allowances purse credit members, bank bank credit union, budget:<budget> purse credit union, "
        "payable:<merchant> payable credit merchant, rebates:members payable credit members, rebates:union income credit union, "
        "receivable:<merchant> receivable debit merchant, union:fund fund debit union"
    }
    assert published[VERSION] == ", ".join(" ".join(kind) for kind in CHART)
    assert max(published) == VERSION


def test_every_account_that_the_ledger_knows_has_a_kind_in_public_but_for_what_orders_reserve() -> None:
    kinds = re.findall(r"[a-z]+(?::[a-z]+)?", ACCOUNT_PATTERN.replace("[A-Za-z0-9_:.-]{1,120}", ""))
    assert sorted(kinds) == sorted(
        ["union:fund", "rebates:union", "bank", "budget", "payable", "receivable", "allowance", "reserved", "rebates"]
    )
    chart = Chart(CHART)
    held = ["union:fund", "rebates:union", "bank", "budget:b_12", "allowance:g_1:0193", payable_account("m_0042")]
    held += [receivable_account("m_0042"), member_rebates_account(UUID(int=7))]
    assert [account for account in held if not chart.fits(public_account(account))] == []
    for wrong in (
        "reserved:A1B2",
        "rebates:other",
        "bank:x",
        "union:other",
        "budget:",
        "budget",
        "payable:a b",
        "",
        ":",
    ):
        assert not chart.fits(wrong), wrong


@given(st.text(max_size=20))
def test_a_chart_takes_an_account_as_the_ledger_does(code: str) -> None:
    chart = Chart(CHART)
    for account in (f"budget:{code}", f"payable:{code}"):
        is_known = re.fullmatch(ACCOUNT_PATTERN.strip("^$"), account) is not None
        assert chart.fits(account) == chart.fits(account) == is_known


def test_the_chart_fits_the_long_log_and_every_close() -> None:
    bodies = list(many_entries(400))
    assert find(bodies[0], CHART_ENTRY.replace(id_of(3).encode(), id_of(9_999).encode()), *bodies[1:]) == []
    assert find(*START, CHART_ENTRY, close(9, {"union:fund": -1, "allowances": 2, "receivable:m_0001": -3})) == []


MOVES = {
    "transfers": other(7, "settlement", transfers=[["payable:m_0001", "pocket:mine", 5]]),
    "balances": close(7, {"pocket:mine": 5}),
}


@pytest.mark.parametrize("field", MOVES)
def test_an_account_of_no_kind_is_found_at_its_entry_and_only_after_a_chart(field: str) -> None:
    assert find(*START, MOVES[field]) == [], "no chart yet"
    assert find(*START, MOVES[field], CHART_ENTRY) == [], "it comes after"
    [one] = found(*START, CHART_ENTRY, MOVES[field])
    assert (one.rule, one.leaf_index, one.public_id, one.field) == ("accounts", 4, id_of(7), field)
    assert one.problem == "pocket:mine is of no kind in version 1 of the chart of accounts."


def test_the_newest_chart_before_an_entry_counts() -> None:
    kinds = [["pocket:<person>", "purse", "credit", "members"], *map(list, CHART)]
    second = other(8, "account", version=VERSION + 1, accounts=sorted(kinds))
    mine = MOVES["transfers"]
    assert find(*START, CHART_ENTRY, second, mine) == []
    assert find(*START, CHART_ENTRY, mine, second) == [("accounts", 4, "transfers")]
    fewer = other(9, "account", version=VERSION + 2, accounts=[list(CHART[0])])
    assert find(*START, CHART_ENTRY, second, fewer, mine) == [("accounts", 6, "transfers")] * 2
    assert find(*START, second, CHART_ENTRY, mine) == [("accounts", 4, "version"), ("accounts", 5, "transfers")]
    assert find(*START, CHART_ENTRY, change(CHART_ENTRY, id=id_of(8))) == [("accounts", 4, "version")], "once"


ROWS = json.loads(CHART_ENTRY)["accounts"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 0),
        ("version", "1"),
        ("accounts", {}),
        ("accounts", [*ROWS, ROWS[0]]),
        ("accounts", [ROWS[0], [*ROWS[0][:1], "purse", "debit", "union"]]),
        ("accounts", [ROWS[0][:3]]),
        ("accounts", [["budget:<budget>:x", "purse", "credit", "union"]]),
        ("accounts", [["budget:<budget", "purse", "credit", "union"]]),
        ("accounts", [["bank", "bank", "left", "union"]]),
        ("accounts", [["bank", "what a bank is", "credit", "union"]]),
        ("accounts", [["bank", 7, "credit", "union"]]),
    ],
)
def test_a_chart_has_its_form(field: str, value: object) -> None:
    assert find(*START, change(CHART_ENTRY, **{field: value})) == [("form", 3, field)]


def test_a_chart_says_nothing_else() -> None:
    assert find(*START, change(CHART_ENTRY, note="words")) == [("form", 3, "note")]
    assert find(*START, leave_out(CHART_ENTRY, "version")) == [("form", 3, "version")]


def example(kind: str) -> bytes:
    """The entry of this type that docs/record.md shows."""
    page = (Path(__file__).parents[5] / "docs" / "record.md").read_text()
    [written] = re.findall(rf'```json\n(\{{.*"type":"{kind}".*\}})\n```', page)
    return str(written).encode()


def test_the_chart_that_the_document_shows_is_the_one_that_is_published() -> None:
    assert find(*START, example("account"), sale(6)) == []
    assert {name: json.loads(example("account"))[name] for name in chart_fields()} == chart_fields()


# --- keys --------------------------------------------------------------------------------------------------------------

PROMISE = SignerKey(f"{ORIGIN}/promise", Kind.NOTE, bytes(32)).verifier
HERE, THERE, THERE_2 = (
    SignerKey(name, Kind.COSIGNATURE, bytes([number] * 32)).verifier
    for name, number in (("w.example/here", 1), ("w.example/there", 2), ("w.example/there", 3))
)
FIRST = Policy(ORIGIN, KEY.verifier, PROMISE, window_seconds=5, delay_seconds=60, zone="Asia/Shanghai")
ROTATED = replace(FIRST, log=OTHER.verifier)


def key(number: int, action: str, use: str, vkey: str, replaces: str | None = None) -> bytes:
    own = {"action": action, "use": use, "vkey": vkey} | ({} if replaces is None else {"replaces": replaces})
    return other(number, "key", **own)


def policy(number: int, what: Policy) -> bytes:
    return what.entry(public_id=id_of(number), day=DAY)


ADDED = [key(50, "added", "log", FIRST.log.text), key(51, "added", "promise", FIRST.promise.text)]
OPENED = [*ADDED, policy(52, FIRST)]
RENEWED = key(53, "replaced", "log", OTHER.verifier.text, KEY.verifier.text)


def changes(before: Policy | None, after: Policy) -> list[tuple[str, str, str, str | None]]:
    return [(one.action, one.use, one.vkey, one.replaces) for one in list_key_changes(before, after)]


def test_what_a_policy_changes_about_keys() -> None:
    log, promise, here, there, newer = (one.text for one in (FIRST.log, FIRST.promise, HERE, THERE, THERE_2))
    assert changes(None, FIRST) == [("added", "log", log, None), ("added", "promise", promise, None)]
    assert changes(FIRST, FIRST) == changes(FIRST, replace(FIRST, window_seconds=7)) == []
    assert changes(FIRST, ROTATED) == [("replaced", "log", OTHER.verifier.text, log)]
    watched = replace(FIRST, witnesses=(HERE, THERE))
    assert changes(FIRST, watched) == [("added", "witness", here, None), ("added", "witness", there, None)]
    assert changes(watched, replace(FIRST, witnesses=(THERE_2, HERE))) == [("replaced", "witness", newer, there)]
    assert changes(watched, replace(FIRST, witnesses=(HERE,), own_witnesses=(THERE,))) == [
        ("replaced", "own_witness", there, there)
    ], "the same key counts for less"
    assert changes(watched, FIRST) == [("removed", "witness", here, None), ("removed", "witness", there, None)]
    assert changes(watched, replace(watched, witnesses=(THERE, HERE))) == [], "their order says nothing"


def test_each_change_of_a_key_follows_its_entry() -> None:
    assert find(*OPENED) == []
    assert find(*OPENED, RENEWED, policy(54, ROTATED)) == []
    watched = replace(ROTATED, witnesses=(HERE,))
    named = key(55, "added", "witness", HERE.text)
    assert find(*OPENED, RENEWED, policy(54, ROTATED), named, policy(56, watched)) == []


def test_the_key_entry_that_the_document_shows_announces_a_rotation() -> None:
    assert find(*OPENED, example("key"), policy(54, ROTATED)) == []


def test_a_key_that_changes_without_its_entry_is_found_at_the_policy() -> None:
    [one] = found(*OPENED, policy(54, ROTATED))
    assert (one.rule, one.leaf_index, one.public_id, one.field) == ("keys", 3, id_of(54), "log")
    assert OTHER.verifier.text in one.problem
    watched = replace(FIRST, witnesses=(HERE,), own_witnesses=(THERE,))
    assert find(*OPENED, policy(54, watched)) == [("keys", 3, "witnesses"), ("keys", 3, "own_witnesses")]
    assert find(*ADDED[:1], policy(52, FIRST)) == [("keys", 1, "promise")]
    assert find(*OPENED, RENEWED, policy(54, ROTATED), policy(55, FIRST)) == [("keys", 5, "log")], "back again"


@pytest.mark.parametrize(
    "said",
    [
        key(53, "replaced", "log", OTHER.verifier.text, PROMISE.text),
        key(53, "added", "log", OTHER.verifier.text),
        key(53, "replaced", "promise", OTHER.verifier.text, KEY.verifier.text),
        key(53, "replaced", "log", THERE.text, KEY.verifier.text),
        key(53, "removed", "log", KEY.verifier.text),
    ],
    ids=["another one replaced", "nothing replaced", "another use", "another key", "removed"],
)
def test_an_entry_that_says_another_change_is_found_with_the_policy(said: bytes) -> None:
    assert find(*OPENED, said, policy(54, ROTATED)) == [("keys", 4, "log"), ("keys", 3, "vkey")]


def test_a_change_that_no_policy_makes_is_found() -> None:
    assert find(*OPENED, RENEWED) == [("keys", 3, "vkey")]
    assert find(*OPENED, RENEWED, policy(54, FIRST)) == [("keys", 3, "vkey")]
    assert find(*OPENED, RENEWED, change(RENEWED, id=id_of(57)), policy(54, ROTATED)) == [("keys", 4, "vkey")]


def test_a_log_that_was_opened_without_key_entries_stays_valid() -> None:
    assert find(policy(52, FIRST), policy(54, ROTATED)) == []
    promised = replace(ROTATED, promise=SignerKey(f"{ORIGIN}/promise", Kind.NOTE, bytes([9] * 32)).verifier)
    first = key(55, "replaced", "promise", promised.promise.text, PROMISE.text)
    assert find(policy(52, FIRST), policy(54, ROTATED), first, policy(56, promised)) == []
    assert find(policy(52, FIRST), policy(54, ROTATED), first, policy(56, promised), policy(57, FIRST)) == [
        ("keys", 4, "log"),
        ("keys", 4, "promise"),
    ]


def test_a_policy_that_cannot_be_read_takes_no_change_away() -> None:
    broken = change(policy(54, ROTATED), log="nobody")
    assert find(*OPENED, RENEWED, broken, policy(55, ROTATED)) == [("policy", 4, "log")]


def test_a_zone_that_there_is_not_is_found() -> None:
    for zone in ("Mars/Olympus", "../etc/passwd", "x" * 180):
        assert ("policy", 0, "zone") in find(change(policy_entry(0), zone=zone)), zone


@pytest.mark.parametrize(("field", "value"), [("action", "lost"), ("use", "tls"), ("vkey", "a b"), ("replaces", 7)])
def test_a_key_entry_has_its_form(field: str, value: object) -> None:
    assert find(*OPENED, change(RENEWED, **{field: value}), policy(54, ROTATED))[0] == ("form", 3, field)


# --- a log that succeeds another ------------------------------------------------------------------------------------------

NEXT = SignerKey("test.example/log-2", Kind.NOTE, bytes([7] * 32)).verifier
LAST = sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), KEY).note.encode().decode()
SUCCEEDS = Succession(KEY.verifier, LAST, 1)
SUCCESSOR = replace(FIRST, origin=NEXT.name, log=NEXT, succeeds=SUCCEEDS)


def test_a_new_name_names_the_log_before_it_once() -> None:
    assert parse_policy(policy(54, SUCCESSOR)) == SUCCESSOR
    assert find(policy(52, FIRST), policy(54, SUCCESSOR)) == []
    assert find(policy(52, FIRST), policy(54, SUCCESSOR), policy(55, replace(SUCCESSOR, log=OTHER.verifier))) == []
    again = replace(SUCCESSOR, succeeds=None)
    assert find(policy(52, FIRST), policy(54, SUCCESSOR), policy(55, again)) == [("policy", 2, "succeeds")]
    assert find(policy(52, SUCCESSOR)) == [("policy", 0, "succeeds")], "there is none before it"
    back = replace(FIRST, succeeds=Succession(NEXT, LAST, 0))
    assert find(policy(52, FIRST), policy(54, SUCCESSOR), policy(55, back)) == [("policy", 2, "origin")]


@pytest.mark.parametrize(
    "said",
    [
        replace(SUCCEEDS, continued=2),
        replace(SUCCEEDS, checkpoint=LAST.replace("9", "8", 1)),
        replace(SUCCEEDS, checkpoint="nothing"),
        replace(SUCCEEDS, log=OTHER.verifier),
        replace(
            SUCCEEDS, checkpoint=sign_checkpoint(Checkpoint("x.example", 9, bytes(32)), KEY).note.encode().decode()
        ),
    ],
    ids=["more than stands before it", "another size", "no note", "another key", "another log"],
)
def test_a_succession_that_does_not_hold_is_found(said: Succession) -> None:
    assert find(policy(52, FIRST), policy(54, replace(SUCCESSOR, succeeds=said))) == [("policy", 1, "succeeds")]


@pytest.mark.parametrize(
    "said",
    [
        7,
        {},
        {"log": NEXT.text, "checkpoint": LAST, "continued": -1},
        {"log": NEXT.text, "checkpoint": 1, "continued": 1},
    ],
)
def test_a_succession_has_its_form(said: object) -> None:
    [(rule, *place)] = find(policy(52, FIRST), change(policy(54, SUCCESSOR), succeeds=said))
    assert (rule, place) == ("policy" if isinstance(said, dict) else "form", [1, "succeeds"])
