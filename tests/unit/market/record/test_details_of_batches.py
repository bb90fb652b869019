"""Details of sales in batches against a log made by hand: paths by RFC 6962's own recursion, every forgery found where it is."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest
import rfc8785

from market.kit.canonical import canonical_json
from market.record.auditing.finding import Finding
from market.record.auditing.replay import check_entries
from market.record.batches import batch_entry
from market.record.details.checks import DetailsCheck
from market.record.details.lines import (
    BatchedLine,
    BatchLine,
    Head,
    OfferLine,
    Opened,
    SaleLine,
    encode_head,
    encode_line,
    open_documents,
)
from market.record.entries import commit, offer_entry
from tests.record_log import budget, change, id_of, other, policy_entry
from tests.unit.market.record.noodles import TERMS
from tests.unit.market.record.test_details import DAY, KEYS, REQUEST, SALT, Lines, encode, sell

KEY = KEYS[4]
SECOND, LAST = date(2026, 12, 2), date(2026, 12, 31)


def sell_one(number: int, units: int = 1, **more: Any) -> tuple[bytes, dict[str, bytes]]:
    """A sale of the person with the same key."""
    entry, documents = sell(4, units, **more)
    opened = open_documents(id_of(number), documents, commit_key=KEY)
    said = {name: commit(one.salt, one.body) for name, one in opened.items()}
    return change(entry, id=id_of(number), **said), documents


# A sale by itself, from before its merchant was published in batches, a batch of that first day, and what was left of the month.
ROW = sell_one(10)
FIRST = [sell_one(20 + n, n % 3 + 1) for n in range(5)]
REST = [sell_one(30 + n, day=day) for n, day in enumerate((DAY, SECOND, DAY))]


def leaf(body: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + body).digest()


def merkle(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + merkle(leaves[:k]) + merkle(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """PATH of RFC 6962, 2.1.1, word for word."""
    if len(leaves) == 1:
        return ()
    k = split(len(leaves))
    if m < k:
        return (*path(m, leaves[:k]), merkle(leaves[k:]))
    return (*path(m - k, leaves[k:]), merkle(leaves[:k]))


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def batch(number: int, sold: Sequence[tuple[bytes, object]], day: date = DAY) -> bytes:
    return batch_entry(public_id=id_of(number), day=day, merchant="m_0042", of="sale", bodies=[one for one, _ in sold])


def terms(number: int) -> bytes:
    own = {"action": "changed", "merchant": "m_0042", "publication": "batched", "from": "2026-12-01"}
    return other(number, "merchant", day=date(2026, 11, 30), **own)


def access(count: int, last_day: str = "2026-12-01") -> bytes:
    request = canonical_json(REQUEST.to_json() | {"last_day": last_day})
    own = {"entries": count, "reason": "finding", "request": commit(SALT, request)}
    return change(other(9, "access", first_day="2026-12-01", last_day=last_day, **own), kind="details")


OFFERS = [offer_entry(public_id=id_of(n), day=DAY, terms=each, limits={}) for n, each in enumerate(TERMS, 2)]
BEFORE = [policy_entry(0), budget(1, 10_000), *OFFERS, ROW[0], terms(5), batch(6, FIRST), batch(7, REST, LAST)]
ROW_AT, FIRST_AT, REST_AT = 4, 6, 7
LOG = [*BEFORE, access(8)]


def lines_of(index: int, sold: Sequence[tuple[bytes, dict[str, bytes]]], among: Sequence[int]) -> Lines:
    """A batch with those of its sales that are opened."""
    leaves = [leaf(one) for one, _ in sold]
    lines: list[Any] = [BatchLine(index, id_of(index), len(among))]
    for n in among:
        entry, documents = sold[n]
        opened = open_documents(json.loads(entry)["id"], documents, commit_key=KEY)
        lines.append(BatchedLine(index, n, path(n, leaves), entry, opened))
    return [json.loads(encode_line(line)) for line in lines]


def head(count: int, last_day: str = "2026-12-01") -> Lines:
    request = canonical_json(REQUEST.to_json() | {"last_day": last_day})
    begun = Head("test.example/log", id_of(9), Opened(SALT, request), len(BEFORE), count, 0)
    row = SaleLine(ROW_AT, id_of(10), open_documents(id_of(10), ROW[1], commit_key=KEY))
    offers = [OfferLine(at, BEFORE[at]) for at in (2, 3)]
    return [json.loads(one) for one in (encode_head(begun), *map(encode_line, (*offers, row)))]


def export() -> Lines:
    """Of the first day: the sale by itself, the whole first batch, and two of the three of the second."""
    return [*head(8), *lines_of(FIRST_AT, FIRST, range(5)), *lines_of(REST_AT, REST, [0, 2])]


def check(lines: Lines, log: Sequence[bytes] = LOG) -> tuple[DetailsCheck, list[Finding]]:
    details = DetailsCheck(encode(lines))
    found = [finding for index, body in enumerate(log) for finding in details.look(index, body)]
    return details, [*found, *details.end()]


def places(found: Sequence[Finding]) -> list[tuple[int | None, str, str]]:
    return [(one.leaf_index, one.public_id.lstrip("0"), one.field) for one in found]


def test_what_is_right_opens_and_it_is_said_how_much_of_each_batch() -> None:
    details, found = check(export())
    assert found == []
    assert (details.opened, details.priced, details.unknown) == (8, 8, 0)
    said = [(one.leaf_index, one.opened, one.covered, one.count, one.adds_up) for one in details.batches]
    assert said == [(FIRST_AT, 5, 5, 5, True), (REST_AT, 2, 2, 3, False)]
    assert [one for one in check_entries(LOG) if one.rule not in {"close", "balances"}] == []


def test_the_lines_are_canonical_json() -> None:
    for line in export():
        assert canonical_json(line) == rfc8785.dumps(line)


def test_a_month_holds_all_of_its_batches() -> None:
    lines = [*head(9, "2026-12-31"), *lines_of(FIRST_AT, FIRST, range(5)), *lines_of(REST_AT, REST, range(3))]
    log = [*BEFORE, access(9, "2026-12-31")]
    details, found = check(lines, log)
    assert found == []
    assert [one.adds_up for one in details.batches] == [True, True]
    lines = [*head(8, "2026-12-31"), *lines_of(FIRST_AT, FIRST, range(5)), *lines_of(REST_AT, REST, [0, 2])]
    _, found = check(lines, [*BEFORE, access(8, "2026-12-31")])
    assert (REST_AT, "7", "count") in places(found), "whose days hold the whole batch leaves none of it out"
    _, found = check([*head(1, "2026-12-31")], [*BEFORE, access(1, "2026-12-31")])
    assert {(FIRST_AT, "6", "count"), (REST_AT, "7", "count")} <= {*places(found)}, "nor a batch"


def test_who_was_erased_is_left_out_and_counted() -> None:
    lines = export()
    del lines[6]
    assert places(check(lines)[1]) == [(FIRST_AT, "6", "count")]
    lines[0]["erased"] = 1
    details, found = check(lines)
    assert (found, details.opened) == ([], 7)
    assert not details.batches[0].adds_up


def flip(text: str, at: int) -> str:
    data = bytearray(base64.b64decode(text))
    data[at] ^= 1
    return base64.b64encode(data).decode()


def test_every_flipped_byte_of_a_path_is_found() -> None:
    for at in range(32):
        for step in range(3):
            lines = export()
            lines[7]["path"][step] = flip(lines[7]["path"][step], at)
            assert places(check(lines)[1])[0] == (FIRST_AT, "16", "path"), (step, at)  # 22 in hexadecimal


def test_every_flipped_byte_of_an_entry_is_found() -> None:
    text = export()[7]["entry"]
    for at in range(0, len(text), 3):
        lines = export()
        lines[7]["entry"] = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
        index, _, field = places(check(lines)[1])[0]
        assert (index, field) in {(FIRST_AT, "path"), (FIRST_AT, "entry of sale 2 in the batch")}, at


def swap(lines: Lines, name: str) -> None:
    lines[6][name], lines[7][name] = lines[7][name], lines[6][name]


def at_another_place(lines: Lines) -> None:
    lines[9]["batch_index"] = 7


def drop_step(lines: Lines) -> None:
    lines[7]["path"].pop()


def one_step_more(lines: Lines) -> None:
    lines[7]["path"].append(lines[7]["path"][0])


def into_the_other_batch(lines: Lines) -> None:
    lines[11] = lines[7] | {"index": REST_AT}


def name_another_batch(lines: Lines) -> None:
    lines[4]["batch"] = id_of(7)


def drop_one(lines: Lines) -> None:
    del lines[7]


def drop_one_and_say_so(lines: Lines) -> None:
    del lines[7]
    lines[4]["sales"], lines[0]["sales"] = 4, 7


def drop_of_a_part(lines: Lines) -> None:
    del lines[12]
    lines[10]["sales"], lines[0]["sales"] = 1, 7


def drop_batch_line(lines: Lines) -> None:
    del lines[10]


def open_a_day_not_asked_for(lines: Lines) -> None:
    lines[10:] = lines_of(REST_AT, REST, range(3))


def batch_where_is_none(lines: Lines) -> None:
    lines[4:4] = [lines[4] | {"index": 5}, lines[5] | {"index": 5}]


def change_document(lines: Lines) -> None:
    lines[7]["basket"]["text"] = lines[7]["basket"]["text"].replace("1600", "1500")


FORGED: dict[str, tuple[Callable[[Lines], None], list[tuple[int | None, str, str]]]] = {
    "paths swapped": (lambda lines: swap(lines, "path"), [(6, "15", "path"), (6, "16", "path")]),
    "entries swapped": (lambda lines: swap(lines, "entry"), [(6, "16", "path"), (6, "15", "path")]),
    "baskets swapped": (lambda lines: swap(lines, "basket"), [(6, "15", "basket"), (6, "16", "basket")]),
    "facts swapped": (lambda lines: swap(lines, "facts"), [(6, "15", "facts"), (6, "16", "facts")]),
    "a wrong index": (at_another_place, [(6, "18", "path"), (6, "6", "count")]),
    "a step dropped": (drop_step, [(6, "16", "path")]),
    "a step too many": (one_step_more, [(6, "16", "path")]),
    "into the other batch": (into_the_other_batch, [(7, "16", "path")]),
    "another batch's id": (name_another_batch, [(6, "6", "id")]),
    "a sale dropped": (drop_one, [(6, "6", "count")]),
    "a sale dropped, and said so": (
        drop_one_and_say_so,
        [(6, "6", "count"), (8, "9", "entries"), (None, "", "the export, sales"), (6, "6", "count")],
    ),
    "one of a part dropped": (drop_of_a_part, [(8, "9", "entries")]),
    "the batch's line dropped": (drop_batch_line, [(7, "7", "count")]),
    "a day that was not asked for": (open_a_day_not_asked_for, [(7, "1f", "id")]),
    "a batch where there is none": (batch_where_is_none, [(5, "5", "id")]),
    "a basket changed": (change_document, [(6, "16", "basket")]),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_was_forged_is_found_where_it_is(name: str) -> None:
    forge, expected = FORGED[name]
    lines = export()
    forge(lines)
    found = check(lines)[1]
    assert places(found)[: len(expected)] == expected, found


def log_with(index: int, body: bytes) -> list[bytes]:
    return [*LOG[:index], body, *LOG[index + 1 :]]


def test_a_sale_in_two_batches_is_found() -> None:
    """Both paths hold: who put it into both sold once and counted twice."""
    twice = [FIRST[2], *REST[1:]]
    lines = [*export()[:10], *lines_of(REST_AT, twice, [0, 2])]
    _, found = check(lines, log_with(REST_AT, batch(7, twice, LAST)))
    assert places(found) == [(REST_AT, "16", "id")]


def test_a_sale_in_a_batch_and_by_itself_is_found() -> None:
    twice = [ROW, *FIRST[1:]]
    lines = [*head(8), *lines_of(FIRST_AT, twice, range(5)), *export()[10:]]
    _, found = check(lines, log_with(FIRST_AT, batch(6, twice)))
    assert places(found) == [(FIRST_AT, "a", "id")]
    _, found = check(export(), [*BEFORE, FIRST[0][0], access(8)])
    assert (8, "14", "id") in places(found), "by itself after its batch"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"paid": 1}, ["paid"]),
        ({"offers": [], "other_offers": 1}, ["offers", "other_offers"]),
        ({"transfers": []}, ["transfers"]),
        ({"merchant": "m_0001"}, []),
        ({"rebate_union": 5}, ["rebate_union"]),
    ],
    ids=str,
)
def test_a_batch_that_says_other_sums_is_found_where_all_of_it_is_opened(
    changes: dict[str, Any], fields: list[str]
) -> None:
    details, found = check(export(), log_with(FIRST_AT, change(LOG[FIRST_AT], **changes)))
    wrong = [(FIRST_AT, "6", field) for field in fields]
    assert [place for place in places(found) if place in wrong] == wrong
    assert found, "at another merchant nothing of this export belongs to it"
    assert not details.batches[0].adds_up


@pytest.mark.parametrize(
    "changes",
    [
        {name: value}
        for name in ("id", "merchant", "day", "count", "root", "of", "paid")
        for value in ([], {"a": 1}, None)
    ],
    ids=str,
)
@pytest.mark.parametrize("index", [ROW_AT, FIRST_AT])
def test_a_log_with_anything_in_a_field_stops_no_audit(changes: dict[str, Any], index: int) -> None:
    details, _ = check(export(), log_with(index, change(LOG[index], **changes)))
    assert details.batches[-1].leaf_index == REST_AT


def test_some_of_a_batch_never_come_to_more_than_all() -> None:
    _, found = check(export(), log_with(REST_AT, change(LOG[REST_AT], subsidy=1)))
    assert places(found) == [(REST_AT, "7", "subsidy")]


@pytest.mark.parametrize(
    ("changes", "day", "field"),
    [
        ({"paid": 1}, DAY, "list"),
        ({"offers": []}, DAY, "offers"),
        ({"transfers": []}, DAY, "subsidy"),
        ({"merchant": "m_0001"}, DAY, "merchant"),
        ({"channel": "sky"}, DAY, "channel"),
        ({"day": "2026-11-30"}, DAY, "day"),
        ({"person": "x"}, DAY, "person"),
    ],
    ids=str,
)
def test_what_a_single_entry_says_is_held_to_its_rules(changes: dict[str, Any], day: date, field: str) -> None:
    """The root was made over it, so nobody outside could see it before."""
    entry = change(FIRST[1][0], **changes)
    sold = [FIRST[0], (entry, FIRST[1][1]), *FIRST[2:]]
    body = change(LOG[FIRST_AT], root=base64.b64encode(merkle([leaf(one) for one, _ in sold])).decode())
    lines = [*export()[:4], *lines_of(FIRST_AT, sold, range(5)), *export()[10:]]
    assert (FIRST_AT, "15", field) in places(check(lines, log_with(FIRST_AT, body))[1])


def test_a_price_that_the_offers_do_not_lead_to_is_found() -> None:
    sold = [FIRST[0], sell_one(21, 2, lie=50), *FIRST[2:]]
    lines = [*export()[:4], *lines_of(FIRST_AT, sold, range(5)), *export()[10:]]
    _, found = check(lines, log_with(FIRST_AT, batch(6, sold)))
    assert places(found) == [(FIRST_AT, "15", "paid")]


def test_a_file_of_the_earlier_form_is_still_audited_and_opens_no_batch() -> None:
    early: Lines = head(1)
    early[0]["format"] = "huigong-details/1"
    log = [*BEFORE, access(1)]
    details, found = check(early, log)
    assert (found, details.opened, details.batches) == ([], 1, [])
    assert not details.head.has_batches
    _, found = check([*early, *lines_of(FIRST_AT, FIRST, range(5))], log)
    assert [one.field for one in found][:1] == ["the export, line 5"], "it has no such lines"
    early[0]["sales"] = 8
    assert places(check(early)[1])[0] == (None, "", "the export, sales"), "what was approved with batches holds them"


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda lines: lines[4].update(sales=-1), 5),
        (lambda lines: lines[4].update(batch="x"), 5),
        (lambda lines: lines[5].update(path="x"), 6),
        (lambda lines: lines[5].update(path=["x"]), 6),
        (lambda lines: lines[5].update(path=lines[5]["path"] * 22), 6),
        (lambda lines: lines[5].update(batch_index=True), 6),
        (lambda lines: lines[5].update(entry=1), 6),
        (lambda lines: lines[6].update(batch_index=0), 7),
        (lambda lines: lines[6].update(subject={"salt": "", "text": ""}), 7),
    ],
)
def test_a_line_that_is_none_is_named_and_nothing_after_it_is_read(spoil: Callable[[Lines], None], line: int) -> None:
    lines = export()
    spoil(lines)
    details, found = check(lines)
    assert f"the export, line {line}" in [one.field for one in found]
    assert details.opened == line - 4 - (line > 5)
