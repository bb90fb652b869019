"""A details export against a log made by hand: what opens, what was forged, what was left out, and prices that do not come out again."""

import io
import json
import re
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import rfc8785

from market.kit.canonical import canonical_json
from market.pricing import Candidate, Case, Line, Offer, quote
from market.record.auditing.finding import Entry, Finding
from market.record.auditing.forms import check_form, read_entry
from market.record.auditing.replay import check_entries
from market.record.details.checks import DetailsCheck, Request
from market.record.details.keys import AuditorSecret
from market.record.details.lines import (
    DetailsMalformedError,
    Head,
    OfferLine,
    Opened,
    SaleLine,
    encode_head,
    encode_line,
    open_documents,
    split_lines,
)
from market.record.details.sealing import seal, unseal
from market.record.entries import Amounts, PublicTransfer, commit, commit_documents, offer_entry, sale_entry
from market.sales.documents import basket_document, facts_document
from market.sales.redeem import list_documents
from tests.record_log import budget, change, id_of, other, policy_entry
from tests.unit.market.record.noodles import TERMS

AT = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
DAY = date(2026, 12, 1)
SECRET = AuditorSecret(bytes(range(32)))
KEYS = [bytes([number]) * 32 for number in range(9)]
SALT = b"\x09" * 32
REQUEST = Request(SECRET.key.text, "m_0042", "2026-12-01", "2026-12-01", "finding", "七成小票在 50 元上下")
Lines = list[dict[str, Any]]


def sell(number: int, units: int = 1, *, lie: int = 0, day: date = DAY) -> tuple[bytes, dict[str, bytes]]:
    """A sale with its documents; where the shop lied, so much more of it is said to be paid than the offers lead to."""
    case = Case(
        now=AT,
        channel="shop",
        shop="s_0001",
        member={"units": ["xg"], "grade": "standard"},
        basket=(Line("1", "面", "m_0042", ("food",), 1600, units),),
        candidates=tuple(Candidate(Offer.from_json(terms), gate=None) for terms in TERMS),
        purses={"budget:lunch": 5000},
    )
    made = quote(case)
    facts = json.loads(facts_document(case, made, book=1))
    facts["quote"]["payable"] += lie
    facts["quote"]["concession"] -= lie
    documents = list_documents(
        subject=UUID(int=1), card_id=UUID(int=2), basket=basket_document(case), facts=canonical_json(facts)
    )
    entry = sale_entry(
        public_id=id_of(number),
        day=day,
        channel="shop",
        merchant="m_0042",
        tender="declared",
        amounts=Amounts(made.list_total, made.concession - lie, made.sponsor_pays, made.payable + lie),
        offers=[("NOODLE10", 3, made.concession - lie)],
        transfers=[PublicTransfer("budget:lunch", "payable:m_0042", made.sponsor_pays)],
        commitments=commit_documents(documents, commit_key=KEYS[number], public_id=id_of(number)),
    )
    return entry, documents


def open_sale(number: int, documents: dict[str, bytes]) -> SaleLine:
    return SaleLine(number, id_of(number), open_documents(id_of(number), documents, commit_key=KEYS[number]))


SALES = {number: sell(number, number - 3) for number in (4, 5, 6)}
BEFORE = [
    policy_entry(0),
    budget(1, 10_000),
    *(offer_entry(public_id=id_of(n), day=DAY, terms=terms, limits={}) for n, terms in enumerate(TERMS, 2)),
    *(entry for entry, _ in SALES.values()),
]


def access(entries: int = 3) -> bytes:
    body = other(
        7,
        "access",
        entries=entries,
        reason="finding",
        request=commit(SALT, canonical_json(REQUEST.to_json())),
        first_day=REQUEST.first_day,
        last_day=REQUEST.last_day,
    )
    return change(body, kind="details")


LOG = [*BEFORE, access()]


def export(erased: Sequence[int] = ()) -> Lines:
    head = Head(
        "test.example/log", id_of(7), Opened(SALT, canonical_json(REQUEST.to_json())), len(BEFORE), 3, len(erased)
    )
    lines = [encode_head(head), *(encode_line(OfferLine(at, BEFORE[at])) for at in (2, 3))]
    for number, (_, documents) in SALES.items():
        if number not in erased:
            lines.append(encode_line(open_sale(number, documents)))
    return [json.loads(line) for line in lines]


def encode(lines: Lines) -> Iterator[bytes]:
    """Sealed and opened again, on its way."""
    plain = [canonical_json(line) + b"\n" for line in lines]
    return split_lines(unseal(SECRET, io.BytesIO(b"".join(seal(SECRET.key, plain)))))


def check(lines: Lines, log: Sequence[bytes] = LOG) -> tuple[DetailsCheck, list[Finding]]:
    details = DetailsCheck(encode(lines))
    found = [finding for index, body in enumerate(log) for finding in details.look(index, body)]
    return details, [*found, *details.end()]


def test_what_is_right_opens_and_every_price_comes_out_again() -> None:
    details, found = check(export())
    assert found == []
    assert (details.opened, details.priced, details.unknown) == (3, 3, 0)
    assert [each for each in check_entries(LOG) if each.rule == "form"] == []


def test_the_lines_are_canonical_json() -> None:
    for line in export():
        assert canonical_json(line) == rfc8785.dumps(line)


def test_who_was_erased_is_left_out_and_counted() -> None:
    details, found = check(export(erased=[5]))
    assert (found, details.opened) == ([], 2)


def flip(text: str, at: int = 40) -> str:
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


def change_text(lines: Lines, name: str) -> None:
    lines[4][name]["text"] = flip(lines[4][name]["text"])


def swap_documents(lines: Lines) -> None:
    lines[3]["basket"], lines[4]["basket"] = lines[4]["basket"], lines[3]["basket"]


def swap_sales(lines: Lines) -> None:
    lines[3]["sale"], lines[4]["sale"] = lines[4]["sale"], lines[3]["sale"]


def give_salt(lines: Lines) -> None:
    lines[4]["facts"]["salt"] = lines[4]["basket"]["salt"]


def drop_document(lines: Lines) -> None:
    del lines[4]["facts"]


def drop_sale(lines: Lines) -> None:
    del lines[4]


def call_erased(lines: Lines) -> None:
    del lines[4]
    lines[0]["erased"], lines[0]["sales"] = 0, 2


def change_offer(lines: Lines) -> None:
    lines[1]["offer"] = lines[1]["offer"].replace('"rate_bp":1000', '"rate_bp":2000')


def drop_offer(lines: Lines) -> None:
    del lines[2]


def change_request(lines: Lines) -> None:
    lines[0]["request"]["text"] = lines[0]["request"]["text"].replace("50", "60")


def other_access(lines: Lines) -> None:
    lines[0]["access"] = "0" * 32


def far_away(lines: Lines) -> None:
    lines[-1]["index"] = 99


@pytest.mark.parametrize(
    ("forge", "places"),
    [
        (lambda lines: change_text(lines, "basket"), [(5, "basket")]),
        (lambda lines: change_text(lines, "facts"), [(5, "facts")]),
        (swap_documents, [(4, "basket"), (5, "basket")]),
        (swap_sales, [(4, "id"), (5, "id"), (4, "basket")]),
        (give_salt, [(5, "facts")]),
        (drop_document, [(5, "facts")]),
        (drop_sale, [(5, "basket")]),
        (call_erased, [(7, "entries"), (None, "the export, sales"), (5, "basket")]),
        (change_offer, [(2, "terms")]),
        (drop_offer, [(4, "paid"), (5, "paid"), (6, "paid")]),
        (change_request, [(7, "request")]),
        (other_access, [(None, "the export, access")]),
        (far_away, [(99, "the export")]),
    ],
    ids=[
        "basket", "facts", "swapped", "sales swapped", "salt", "document dropped", "sale dropped", "said to be fewer", "offer",
        "offer dropped", "request", "access", "far away",
    ],
)  # fmt: skip
def test_what_was_forged_is_found_where_it_is(
    forge: Callable[[Lines], None], places: list[tuple[int | None, str]]
) -> None:
    lines = export()
    forge(lines)
    _, found = check(lines)
    found_at = [(finding.leaf_index, finding.field) for finding in found]
    assert found_at[: len(places)] == places
    assert {finding.rule for finding in found} == {"details"}
    assert all(finding.public_id for finding in found if finding.leaf_index not in {None, 99})


def test_a_price_that_the_offers_do_not_lead_to_is_found() -> None:
    """Everything opens and adds up: only pricing it again shows that the member paid 50 fen more."""
    entry, documents = sell(5, 2, lie=50)
    log = [*LOG[:5], entry, *LOG[6:]]
    lines = export()
    lines[4] = json.loads(encode_line(open_sale(5, documents)))
    details, [finding] = check(lines, log)
    assert (finding.leaf_index, finding.public_id, finding.field) == (5, id_of(5), "paid")
    assert "priced again" in finding.problem.lower()
    assert details.priced == 2


def test_sales_of_other_days_are_none_of_its_business() -> None:
    entry, documents = sell(8, day=date(2026, 12, 2))
    assert check(export(), [*LOG, entry])[1] == []
    lines = [*export(), json.loads(encode_line(open_sale(8, documents)))]
    _, found = check(lines, [*LOG, entry])
    assert [(finding.leaf_index, finding.field) for finding in found] == [(8, "id")]


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda lines: lines[3].update(subject={"salt": "", "text": ""}), 4),
        (lambda lines: lines[3].update(index=1), 4),
        (lambda lines: lines[3].update(index=-1), 4),
        (lambda lines: lines[3].update(index=True), 4),
        (lambda lines: lines[3].update(sale="x"), 4),
        (lambda lines: lines[3].update(basket="x"), 4),
        (lambda lines: lines[3]["basket"].update(salt="AA=="), 4),
    ],
)
def test_a_line_that_is_none_is_named_and_nothing_after_it_is_read(spoil: Callable[[Lines], None], line: int) -> None:
    lines = export()
    spoil(lines)
    details, found = check(lines)
    assert [finding.field for finding in found] == [f"the export, line {line}"]
    assert details.opened == line - 4


def test_what_breaks_off_is_no_end() -> None:
    whole = b"".join(canonical_json(line) + b"\n" for line in export())
    details = DetailsCheck(split_lines(iter([whole[:-2]])))
    found = [finding for index, body in enumerate(LOG) for finding in details.look(index, body)]
    assert [finding.field for finding in [*found, *details.end()]] == ["the export, line 6"]


@pytest.mark.parametrize("first", [b"", b"x\n", b"{}\n", b"[]\n", b'{"format":"huigong-details/3"}\n'])
def test_what_has_no_head_is_refused_at_once(first: bytes) -> None:
    with pytest.raises(DetailsMalformedError, match="line 1"):
        DetailsCheck(split_lines(iter([first])))


def test_a_broken_chunk_ends_the_reading_and_is_named() -> None:
    padded = [canonical_json(line) + b"\n" for line in export()]
    filler = b" " * 70_000  # JSON may have spaces, so that the lines take two chunks
    data = bytearray(b"".join(seal(SECRET.key, [*padded[:4], filler, *padded[4:]])))
    data[-1] ^= 1
    details = DetailsCheck(split_lines(unseal(SECRET, io.BytesIO(bytes(data)))))
    found = [finding for index, body in enumerate(LOG) for finding in details.look(index, body)]
    assert [finding.field for finding in [*found, *details.end()]] == ["the export, chunk 2"]


def test_the_entry_in_the_documentation_is_one() -> None:
    page = (Path(__file__).parents[4] / "docs" / "record.md").read_text(encoding="utf-8")
    [written] = re.findall(r'```json\n(\{.*"type":"access".*\})\n```', page)
    entry = read_entry(0, written.encode())
    assert isinstance(entry, Entry)
    assert list(check_form(entry)) == []
    said = json.loads(written)
    request = Request(
        SECRET.key.text, None, said["first_day"], said["last_day"], said["reason"], "七成小票在 50 元上下"
    )
    assert said["request"] == commit(SALT, canonical_json(request.to_json()))


@pytest.mark.parametrize(
    "change_",
    [{"entries": 0}, {"entries": True}, {"kind": "x"}, {"reason": "curiosity"}, {"request": "x"}, {"person": "x"}],
    ids=str,
)
def test_an_access_entry_has_its_form(change_: dict[str, object]) -> None:
    entry = read_entry(7, change(access(), **change_))
    assert isinstance(entry, Entry)
    assert [finding.field for finding in check_form(entry)] == list(change_)


@pytest.mark.prove
def test_an_export_of_any_length_is_checked_in_little_memory() -> None:
    """1,000 sales, 2 MB of lines: what is kept while they are read does not grow with them."""
    count = 1_000
    _, documents = sell(4)

    def make_log() -> Iterator[bytes]:
        yield from BEFORE[:4]
        for number in range(4, 4 + count):
            commitments = commit_documents(documents, commit_key=KEYS[4], public_id=id_of(number))
            yield change(SALES[4][0], id=id_of(number), **commitments)
        yield change(access(count), id=id_of(4 + count))

    def make_lines() -> Iterator[bytes]:
        request = Opened(SALT, canonical_json(REQUEST.to_json()))
        yield encode_head(Head("test.example/log", id_of(4 + count), request, 4 + count, count, 0))
        yield from (encode_line(OfferLine(at, BEFORE[at])) for at in (2, 3))
        for number in range(4, 4 + count):
            yield encode_line(
                SaleLine(number, id_of(number), open_documents(id_of(number), documents, commit_key=KEYS[4]))
            )

    sealed = io.BytesIO(b"".join(seal(SECRET.key, make_lines())))
    whole = sealed.getbuffer().nbytes
    assert whole > 1_800_000
    held: list[int] = []
    tracemalloc.start()
    try:
        details = DetailsCheck(split_lines(unseal(SECRET, sealed)))
        for index, body in enumerate(make_log()):
            assert details.look(index, body) == []
            if index in {200, count}:
                held.append(tracemalloc.get_traced_memory()[0])
        assert list(details.end()) == []
    finally:
        tracemalloc.stop()
    assert details.priced == count
    assert held[1] - held[0] < whole // 4, "a chunk and a line, more or less"
