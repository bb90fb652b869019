"""Every rule broken once in a log made by hand; the finding names the entry, its public id and the field."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from market.kit.canonical import canonical_json
from market.record.auditing.finding import Entry, Finding
from market.record.auditing.forms import MAX_INTEGER, check_form, read_entry
from market.record.auditing.replay import check_entries
from tests.record_log import (
    DAY,
    OTHER,
    budget,
    change,
    close,
    give_back,
    id_of,
    leave_out,
    many_entries,
    offer,
    other,
    policy_entry,
    sale,
)

NEXT = DAY + timedelta(days=1)
TERMS = json.loads(offer(2))["terms"]
# After the sale at 5 with rebates, its refund in part, another sale and its void.
BALANCES = {"budget:lunch": 10_000 - 60, "payable:m_0001": 60, "rebates:members": 0, "union:fund": -10_000}
LOG = [
    policy_entry(0),
    budget(1, 10_000),
    offer(2),
    offer(3, "WEEKDAY1", 4),
    other(4, "merchant", action="admitted", merchant="m_0001", category="noodles"),
    sale(5, member=30, union=20),
    sale(6),
    give_back(7, 5, concession=60, subsidy=40, paid=500, member=30),
    give_back(8, 6, kind="void"),
    close(9, BALANCES),
]


def find(bodies: Sequence[bytes], policy: bytes | None = None) -> list[Finding]:
    return list(check_entries(bodies, policy=policy))


def replace(index: int, body: bytes) -> list[bytes]:
    return [*LOG[:index], body, *LOG[index + 1 :]]


def test_nothing_is_found_in_a_log_that_is_right() -> None:
    assert find(LOG, LOG[0]) == []


def test_nothing_is_found_in_the_long_log() -> None:
    bodies = list(many_entries(3_000))
    assert find(bodies, bodies[0]) == []


BROKEN: dict[str, tuple[int, bytes, str, str]] = {
    # name: (index, the entry instead, rule, field)
    "an unknown type": (4, other(4, "gift"), "form", "type"),
    "a field too few": (5, leave_out(LOG[5], "tender"), "form", "tender"),
    "a field too many": (5, change(LOG[5], till="3"), "form", "till"),
    "an id in capitals": (5, change(LOG[5], id="AB" * 16), "form", "id"),
    "a day there is not": (5, change(LOG[5], day="2026-02-30"), "form", "day"),
    "a version of tomorrow": (5, change(LOG[5], v=2), "form", "v"),
    "true instead of one": (5, change(LOG[5], v=True), "form", "v"),
    "an amount in words": (5, change(LOG[5], paid="1540"), "form", "paid"),
    "an amount no JSON reader holds": (5, change(LOG[5], paid=2**53), "form", "paid"),
    "another currency": (5, change(LOG[5], ccy="USD"), "form", "ccy"),
    "a commitment cut short": (5, change(LOG[5], facts="YWJj"), "form", "facts"),
    "offers out of order": (5, change(LOG[5], offers=[["Z", 1, 110], ["NOODLE10", 1, 100]]), "form", "offers"),
    "an offer of two columns": (5, change(LOG[5], offers=[["NOODLE10", 210]]), "form", "offers"),
    "a return without its sale": (7, leave_out(LOG[7], "of"), "form", "of"),
    "terms without a name": (3, change(LOG[3], terms={"version": 1}), "form", "terms"),
    "a period of a week": (9, change(LOG[9], period="week"), "form", "period"),
    "transfers of an open type without form": (4, other(4, "rebate", transfers=[["a", "b"]]), "form", "transfers"),
    "an id used twice": (4, other(2, "post", action="appointed", post="officer", unit="xg"), "ids", "id"),
    "amounts that do not add up": (5, change(LOG[5], paid=1541), "amounts", "list"),
    "a negative amount": (5, change(LOG[5], concession=-10, list=1630, offers=[["NOODLE10", 1, 40]]), "amounts", "concession"),
    "offers that do not add up": (5, change(LOG[5], offers=[["NOODLE10", 1, 209]]), "offers", "offers"),
    "an offer that bears nothing": (5, change(LOG[5], offers=[["NOODLE10", 1, 210], ["WEEKDAY1", 4, 0]]), "offers", "offers"),
    "a version never published": (5, change(LOG[5], offers=[["NOODLE10", 2, 210]]), "offers", "offers"),
    "a version published twice": (3, offer(3), "offers", "terms"),
    "a return of no sale": (7, give_back(7, 77, concession=60, subsidy=40, paid=500), "returns", "of"),
    "a return of a return": (8, give_back(8, 7, concession=0, subsidy=0, paid=1), "returns", "of"),
    "more back than was paid": (7, give_back(7, 5, concession=0, subsidy=0, paid=1541), "returns", "paid"),
    "a rebate back that was never due": (8, give_back(8, 6, member=1), "returns", "rebate_member"),
    "a transfer of nothing": (4, other(4, "rebate", transfers=[["a", "b", 0]]), "transfers", "transfers"),
    "an account that pays itself": (4, other(4, "rebate", transfers=[["a", "a", 5]]), "transfers", "transfers"),
    "a subsidy that is not booked": (6, change(LOG[6], transfers=[]), "transfers", "subsidy"),
    "a rebate to somebody else": (
        5,
        change(LOG[5], transfers=[["budget:lunch", "payable:m_0001", 100], ["receivable:m_0002", "rebates:members", 30]]),
        "transfers",
        "transfers",
    ),
    "a subsidy from nowhere": (6, change(LOG[6], transfers=[["x:y", "payable:m_0001", 100]]), "transfers", "transfers"),
    "a return that books a sale": (8, change(LOG[8], transfers=json.loads(LOG[6])["transfers"]), "transfers", "transfers"),
    "a merchant that is promoted": (4, change(LOG[4], action="promoted"), "form", "action"),
    "a post with a name": (4, other(4, "post", action="ended", post="officer", name="x"), "form", "name"),
    "a grant of nothing": (1, leave_out(LOG[1], "transfers"), "transfers", "transfers"),
    "a budget opened with money": (1, change(LOG[1], action="opened"), "transfers", "transfers"),
    "a grant to another budget": (1, change(LOG[1], budget="dinner"), "transfers", "transfers"),
    "a budget below zero": (1, budget(1, 10), "balances", "transfers"),
    "a balance that is another": (9, close(9, {**BALANCES, "payable:m_0001": 61}), "balances", "balances"),
    "an account that never moved": (9, close(9, {"payable:m_0002": 1}), "balances", "balances"),
    "a person named in the terms": (2, change(LOG[2], terms={**TERMS, "audience": {"who": ["王小明"]}}), "form", "terms"),
    "a sentence for a field": (2, change(LOG[2], terms={**TERMS, "audience": {"for whom": ["x"]}}), "form", "terms"),
    "a group of 65 signs": (2, change(LOG[2], terms={**TERMS, "group": "g" * 65}), "form", "terms"),
    "a text deep in the terms": (2, change(LOG[2], terms={**TERMS, "components": [{"match": {"skus": ["面"]}}]}), "form", "terms"),
    "a sentence in the limits": (2, change(LOG[2], limits={"period": "each new moon"}), "form", "limits"),
    "a signature with a name": (2, change(LOG[2], signed=["老周"]), "form", "signed"),
    "a category in words": (4, change(LOG[4], category="面馆"), "form", "category"),
    "a merchant called by its name": (5, change(LOG[5], merchant="老周面馆"), "form", "merchant"),
    "a reason in words": (4, change(LOG[4], reason="few sales"), "form", "reason"),
    "a budget called by its title": (1, change(LOG[1], budget="午餐"), "form", "budget"),
    "a sponsor in words": (1, change(LOG[1], sponsor="兴钢工会"), "form", "sponsor"),
    "a post of a unit by its name": (4, other(4, "post", action="ended", post="officer", unit="炼钢厂"), "form", "unit"),
    "a text where its hash belongs": (4, change(LOG[4], text="老周面馆"), "form", "text"),
    "an account of a person by name": (9, close(9, {**BALANCES, "rebates:mr wang": 0}), "form", "balances"),
    "a note in a type that is open": (4, other(4, "settlement", note="for Mr Wang"), "form", "note"),
    "a policy without its key": (0, change(LOG[0], log="nobody"), "policy", "log"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_broken_once_is_found_at_its_entry(name: str) -> None:
    index, body, rule, field = BROKEN[name]
    bodies = replace(index, body)
    found = find(bodies, LOG[0])
    at = index if rule != "balances" or field == "balances" else 5  # the sale that draws too much
    matching = [one for one in found if (one.rule, one.leaf_index, one.field) == (rule, at, field)]
    assert matching, found
    assert matching[0].public_id == json.loads(bodies[at])["id"]
    assert matching[0].problem.endswith(".")


def test_what_is_left_of_a_sale_is_known_however_large_it_is() -> None:
    large = MAX_INTEGER - 260
    log = [*LOG, sale(10), sale(11, paid=large), give_back(12, 11, paid=large), give_back(13, 10)]
    assert find(log) == []
    found = find([*log, give_back(14, 11, concession=0, subsidy=0, paid=1)])
    assert ("returns", "paid", 14) in {(one.rule, one.field, one.leaf_index) for one in found}


BYTES: dict[str, Callable[[bytes], bytes]] = {
    "a space": lambda body: body.replace(b",", b", ", 1),
    "fields in another order": lambda body: json.dumps(dict(reversed(json.loads(body).items())), separators=(",", ":")).encode(),
    "a fraction": lambda body: body.replace(b'"paid":1540', b'"paid":1540.0'),
    "an exponent": lambda body: body.replace(b'"paid":1540', b'"paid":154e1'),
    "minus nothing": lambda body: body.replace(b'"rebate_union":20', b'"rebate_union":-0'),
    "a field twice": lambda body: body.replace(b'"paid":1540', b'"paid":1,"paid":1540'),
    "an escape nobody needs": lambda body: body.replace(b"CNY", b"\\u0043NY"),
    "half a surrogate pair": lambda body: body.replace(b"CNY", b"\\ud800"),
    "no UTF-8": lambda body: body.replace(b"CNY", b"\xff\xfe\xfd"),
    "a newline behind": lambda body: body + b"\n",
    "cut short": lambda body: body[:-1],
    "a list": lambda body: b"[" + body + b"]",
    "not a number": lambda body: body.replace(b'"paid":1540', b'"paid":NaN'),
    "a number of many digits": lambda body: body.replace(b'"paid":1540', b'"paid":' + b"9" * 5_000),
    "deep": lambda body: b"[" * 30_000 + b"]" * 30_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BYTES)
def test_other_bytes_for_the_same_are_found(name: str) -> None:
    found = find(replace(5, BYTES[name](LOG[5])))
    assert (found[0].rule, found[0].leaf_index) == ("form", 5)


_TEXTS = st.text(max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | _TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=6), _VALUES, max_size=6))
def test_canonical_is_what_another_program_calls_canonical(document: dict[str, object]) -> None:
    assert isinstance(read_entry(0, rfc8785.dumps(document)), Entry)


@given(st.sampled_from([5, 7, 8]), st.integers(0, 470), st.integers(1, 255))
def test_the_quick_look_takes_no_purchase_that_the_slow_one_refuses(index: int, at: int, flip: int) -> None:
    body = bytearray(LOG[index])
    body[at % len(body)] ^= flip
    quick = read_entry(0, bytes(body))
    if isinstance(quick, Entry) and quick.is_plain:
        assert canonical_json(quick.document) == body
        slow = quick._replace(is_plain=False)
        assert list(check_form(quick)) == list(check_form(slow))


def test_the_quick_look_takes_the_purchases_we_write() -> None:
    for body in (LOG[5], LOG[7], LOG[8], change(LOG[5], transfers=[], offers=[])):
        read = read_entry(0, body)
        assert isinstance(read, Entry)
        assert read.is_plain


def test_a_name_that_the_quick_look_does_not_know_is_read_all_the_same() -> None:
    assert find(replace(5, change(LOG[5], offers=[["noodle/10", 1, 210]])))[0].rule == "offers"


def test_an_entry_may_hold_the_hash_of_a_text() -> None:
    hash_of_it = "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="
    for index in (1, 2, 4):
        assert find(replace(index, change(LOG[index], text=hash_of_it)), LOG[0]) == []
    assert find(replace(4, other(4, "settlement", paid_out=hash_of_it))) == []


@pytest.mark.parametrize("depth", [100, 700, 960, 5_000])
def test_nothing_is_nested_too_deep_to_be_looked_through(depth: int) -> None:
    deep = b'"limits":' + b'{"a":' * depth + '"老周"'.encode() + b"}" * depth
    found = find(replace(2, LOG[2].replace(b'"limits":{}', deep)))
    assert (found[0].rule, found[0].leaf_index) == ("form", 2)


@given(st.integers(0, len(LOG[5]) - 1), st.integers(1, 255))
def test_no_changed_byte_breaks_the_reader(at: int, flip: int) -> None:
    body = bytearray(LOG[5])
    body[at] ^= flip
    find(replace(5, bytes(body)))


def test_a_return_at_another_merchant_is_found() -> None:
    theirs = json.loads(LOG[8])["transfers"][0]
    there = change(LOG[8], merchant="m_0002", transfers=[["payable:m_0002", *theirs[1:]]])
    assert [(one.rule, one.field) for one in find(replace(8, there)[:9])] == [("returns", "merchant")]


def test_returns_of_one_sale_are_added_up() -> None:
    half = {"concession": 80, "subsidy": 50, "paid": 770}
    bodies = [*LOG[:7], *(give_back(10 + step, 6, **half) for step in range(2))]
    assert find(bodies) == []
    found = find([*bodies, give_back(12, 6, concession=0, subsidy=0, paid=1)])
    assert [(one.leaf_index, one.field, one.public_id) for one in found] == [
        (9, name, id_of(12)) for name in ("list", "paid")
    ]


def test_a_version_published_after_its_sale_is_found() -> None:
    found = find([LOG[0], LOG[1], LOG[6], LOG[2]])
    assert [(one.rule, one.leaf_index) for one in found] == [("offers", 2)]


def test_within_a_round_a_budget_may_be_short_until_what_went_back_comes() -> None:
    start = [LOG[0], budget(1, 100), LOG[2]]
    assert find([*start, sale(5), sale(6), give_back(7, 5, kind="void")]) == []
    found = find([*start, sale(5), sale(6), offer(8, version=2), give_back(7, 5, kind="void")])
    assert [(one.rule, one.leaf_index) for one in found] == [("balances", 4)], "the next round begins with the offer"
    assert "by 100" in found[0].problem


def test_without_budget_entries_no_budget_is_judged() -> None:
    assert find([LOG[0], LOG[2], sale(5), close(9, {"payable:m_0001": 100})]) == []


def test_a_budget_of_before_budget_entries_is_left_out_and_a_new_one_is_judged() -> None:
    old, dinner = sale(5), [["budget:dinner", "payable:m_0001", 100]]
    start = [LOG[0], LOG[2], old, budget(10, 50), budget(11, 50, code="dinner")]
    assert find([*start, sale(6), close(12, {"budget:lunch": 7, "union:fund": 8, "payable:m_0001": 200})]) == []
    found = find([*start, change(sale(6), transfers=dinner)])
    assert [(one.rule, one.leaf_index) for one in found] == [("balances", 5)]


def test_a_close_covers_its_day_wherever_it_stands() -> None:
    tomorrow = sale(20, day=NEXT)
    first = close(21, {"payable:m_0001": 60})
    second = close(22, {"payable:m_0001": 160}, day=NEXT)
    assert find([*LOG[:9], tomorrow, first, second]) == []
    wrong = close(22, {"payable:m_0001": 60}, day=NEXT)
    assert [one.leaf_index for one in find([*LOG[:9], tomorrow, first, wrong])] == [11]


def test_the_policy_served_is_the_last_one() -> None:
    new = policy_entry(30, key=OTHER)
    assert find([*LOG, new], new) == []
    assert [(one.rule, one.leaf_index) for one in find([*LOG, new], LOG[0])] == [("policy", 10)]
    assert [one.field for one in find(LOG[1:], LOG[0])] == ["policy"]
    renamed = policy_entry(30, origin="other.example/log")
    assert [one.field for one in find([*LOG, renamed], renamed)] == ["origin"]


def test_a_place_is_told_to_people() -> None:
    assert Finding("ids", "…", 3, "ab", "id").place == "entry 3 (ab), id"
    assert Finding("form", "…", 3).place == "entry 3"
    assert Finding("hashes", "…", field="tile/0/000, hash 4").place == "tile/0/000, hash 4"
