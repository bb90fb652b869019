"""Which offers and merchants are in force on which days, as whoever reads the entries alone can tell."""

import json
from datetime import date, timedelta

import pytest

from market.record.auditing.finding import Finding
from market.record.auditing.replay import check_entries
from tests.record_log import DAY, budget, change, give_back, offer, other, policy_entry, sale

ON = [DAY + timedelta(days=number) for number in range(6)]
HEAD = [policy_entry(0), budget(1, 10**6), offer(2)]
NEXT = offer(10, version=2)


def on(body: bytes, day: date) -> bytes:
    return change(body, day=day.isoformat())


def online(number: int, day: date) -> bytes:
    return change(sale(number, day=day), channel="online")


def end(number: int, day: date, *, version: int = 1, name: str = "NOODLE10") -> bytes:
    return other(number, "offer", day=day, action="ended", offer=name, version=version)


def standing(number: int, action: str, day: date) -> bytes:
    return other(number, "merchant", day=day, action=action, merchant="m_0001")


def of_window(**window: object) -> bytes:
    terms = {"id": "NOODLE10", "version": 1, "stage": "line", "kind": "percent_off", "rate_bp": 1000, "window": window}
    return change(offer(2), terms=terms)


def batch(number: int, day: date, **fields: object) -> bytes:
    """Five of the noodle shop's sales in a batch."""
    said = {"of": "sale", "count": 5, "ccy": "CNY", "merchant": "m_0001", "root": "A" * 43 + "=", "other_offers": 0}
    sums = {"list": 9000, "concession": 800, "subsidy": 500, "paid": 7700, "rebate_member": 0, "rebate_union": 0}
    moved = [["budget:lunch", "payable:m_0001", 500]]
    return other(number, "batch", day=day, **said, **sums, offers=[["NOODLE10", 1, 800]], transfers=moved, **fields)


BATCHED = other(9, "merchant", action="admitted", merchant="m_0001", publication="batched", **{"from": "2026-12-01"})


def find(*bodies: bytes) -> list[Finding]:
    return [one for one in check_entries([*HEAD, *bodies]) if one.rule not in {"publication", "balances"}]


def places(*bodies: bytes) -> list[tuple[str, int | None, str]]:
    return [(one.rule, one.leaf_index, one.field) for one in find(*bodies)]


def cheaper(body: bytes, **window: object) -> bytes:
    """A version that says something else, or another window alone."""
    terms = {**json.loads(body)["terms"], **({"window": window} if window else {"rate_bp": 2000})}
    return change(body, terms=terms)


def test_a_version_may_be_sold_a_day_longer_because_the_next_waits_for_its_checkpoint() -> None:
    replaced = on(cheaper(NEXT), ON[2])
    assert places(sale(20, day=ON[2]), replaced, sale(21, day=ON[3]), sale(22, day=ON[1])) == []
    late = find(replaced, sale(20, day=ON[4]))
    assert [(one.rule, one.leaf_index, one.field) for one in late] == [("offers", 4, "offers")]
    assert late[0].problem == "NOODLE10 version 1 ended on 2026-12-04, by entry 3."
    assert places(replaced, change(sale(20, day=ON[3]), offers=[["NOODLE10", 2, 160]])) == []


def test_what_only_ends_earlier_waits_for_nothing() -> None:
    sooner = on(cheaper(NEXT, to="2026-12-31T00:00:00+08:00"), ON[2])
    assert places(sooner, sale(21, day=ON[2])) == []
    assert places(sooner, sale(21, day=ON[3])) == [("offers", 4, "offers")]
    later = on(cheaper(NEXT, **{"from": "2026-12-01T00:00:00+08:00", "to": "2026-12-31T00:00:00+08:00"}), ON[2])
    assert places(later, sale(21, day=ON[3])) == []


def test_a_version_that_is_ended_alone_is_used_no_more() -> None:
    ended = end(10, ON[1])
    assert places(ended, sale(20, day=ON[1])) == []
    assert places(ended, sale(20, day=ON[2])) == [("offers", 4, "offers")]
    assert places(ended, sale(20, day=ON[2]), give_back(21, 20, day=ON[3])) == [("offers", 4, "offers")], (
        "what goes back uses nothing"
    )


@pytest.mark.parametrize(
    "bodies",
    [
        [end(10, ON[1], version=2)],
        [end(10, ON[1], name="FRESH")],
        [end(10, ON[1]), end(11, ON[2])],
        [NEXT, end(11, ON[2])],
    ],
    ids=["a version never published", "an offer never published", "twice", "one that was replaced"],
)
def test_only_what_is_in_force_is_ended(bodies: list[bytes]) -> None:
    assert places(*bodies) == [("offers", len(HEAD) + len(bodies) - 1, "version")]


def test_an_end_has_its_own_form_and_no_terms() -> None:
    assert places(change(end(10, ON[1]), terms={"id": "NOODLE10", "version": 1})) == [("form", 3, "terms")]
    assert places(change(end(10, ON[1]), action="paused")) == [("form", 3, "action")]


def test_the_last_day_of_a_version_stays_what_its_terms_say_if_that_is_earlier() -> None:
    ends = of_window(to="2026-12-03T00:00:00+08:00")
    log = [policy_entry(0), budget(1, 10**6), ends, on(NEXT, ON[4])]
    found = list(check_entries([*log, sale(20, day=ON[1]), sale(21, day=ON[2])]))
    assert [(one.leaf_index, one.problem) for one in found] == [
        (5, "NOODLE10 version 1 ended on 2026-12-02, by its terms.")
    ]


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        ({"from": "2026-12-02T00:00:00+08:00"}, ON[1], None),
        ({"from": "2026-12-01T17:00:00+00:00"}, ON[1], None),  # an hour after midnight in Shanghai
        ({"to": "2026-12-03T00:00:00.000001+08:00"}, None, ON[2]),
        ({"from": "2026-12-02T23:59:59+08:00", "to": "2026-12-03T23:59:59+08:00"}, ON[1], ON[2]),
    ],
)
def test_days_outside_the_window_of_the_terms_are_found(
    window: dict[str, str], first: date | None, last: date | None
) -> None:
    log = [policy_entry(0), budget(1, 10**6), of_window(**window)]
    for number, day in enumerate(ON):
        found = list(check_entries([*log, sale(20 + number, day=day)]))
        is_in = (first is None or first <= day) and (last is None or day <= last)
        assert [(one.rule, one.field) for one in found] == ([] if is_in else [("offers", "offers")]), day


@pytest.mark.parametrize("window", [{"from": "soon"}, {"to": "2026-12-03T00:00:00"}, {"to": 7}, {"to": "9" * 40}])
def test_a_window_that_nobody_can_read_is_found_at_its_terms(window: dict[str, object]) -> None:
    found = list(check_entries([policy_entry(0), of_window(**window)]))
    assert [(one.rule, one.leaf_index, one.field) for one in found] == [("offers", 1, "terms")]


def test_what_was_not_in_force_ends_nothing() -> None:
    assert places(end(10, ON[1], version=2), sale(20, day=ON[2])) == [("offers", 3, "version")]
    assert places(end(11, ON[1], version=2), on(NEXT, ON[2]), sale(20, day=ON[4])) == [
        ("offers", 3, "version"),
        ("offers", 5, "offers"),
    ]


@pytest.mark.parametrize("day", [date(1, 1, 2), date(9999, 12, 31)])
def test_the_first_and_the_last_days_there_are_break_no_rule(day: date) -> None:
    begin = [end(10, date(1, 1, 1)), standing(11, "suspended", date(1, 1, 1))]
    assert {one.rule for one in find(BATCHED, *begin, batch(20, day), online(21, day))} <= {"offers", "merchants"}


def test_an_order_of_before_may_be_paid_on_the_day_after() -> None:
    ended = end(10, ON[1])
    assert places(ended, online(20, ON[2])) == []
    assert places(ended, online(20, ON[3])) == [("offers", 4, "offers")]


def test_a_batch_may_hold_what_was_sold_earlier_in_its_month() -> None:
    assert places(BATCHED, end(10, ON[1]), batch(20, date(2026, 12, 31))) == []
    assert places(BATCHED, end(10, ON[1]), batch(20, date(2027, 1, 31))) == [("offers", 5, "offers")]


def test_nothing_is_sold_while_a_merchant_is_suspended() -> None:
    out = standing(10, "suspended", ON[1])
    assert places(out, sale(20, day=ON[1])) == [], "until that hour he sold"
    [found] = find(out, sale(20, day=ON[2]))
    assert (found.rule, found.leaf_index, found.field) == ("merchants", 4, "merchant")
    assert found.problem == "m_0001 is suspended since 2026-12-02."
    assert places(out, online(20, ON[2])) == []
    assert places(out, online(20, ON[3])) == [("merchants", 4, "merchant")]
    other_shop = change(sale(20, day=ON[3]), merchant="m_0002", transfers=[["budget:lunch", "payable:m_0002", 100]])
    assert places(out, other_shop) == []


def test_what_was_sold_before_may_go_back_to_a_suspended_merchant() -> None:
    assert places(sale(20), standing(10, "suspended", ON[1]), give_back(21, 20, day=ON[4])) == []


def test_after_a_readmission_the_same_versions_are_in_force_again() -> None:
    spell = [standing(10, "suspended", ON[1]), standing(11, "readmitted", ON[4])]
    assert places(*spell, sale(20, day=ON[4]), sale(21, day=ON[5])) == []
    assert places(*spell, sale(20, day=ON[3])) == [("merchants", 5, "merchant")], "published late, and still then"
    again = [standing(12, "suspended", ON[4]), standing(13, "suspended", ON[5])]
    assert places(*spell, *again, sale(20, day=ON[5])) == [("merchants", 7, "merchant")], "said twice, it began once"


def test_a_batch_of_a_month_in_which_the_merchant_never_sold_is_found() -> None:
    out = standing(10, "suspended", ON[1])
    assert places(BATCHED, out, batch(20, date(2026, 12, 31))) == []
    assert places(BATCHED, out, batch(20, date(2027, 1, 31))) == [("merchants", 5, "merchant")]
