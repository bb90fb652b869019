"""A dry run says what the sales would have been with the draft in force: the same sales are then really made with it, and agree."""

import json
import random
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from api.till import void_at_till
from cards.models import Member
from market.kit.database import get_engine, transaction
from market.kit.errors import DomainError
from market.offers import live
from market.oversight.dry_run import FEWEST_PERSONS, PAYERS, Draft
from market.oversight.dry_runs import simulate
from market.record.budgets import grant_budget
from tests.world import FIRST, NOON, SECOND, World, left

DAY = (date(2026, 12, 1), date(2026, 12, 2))
WEEK = timedelta(days=7)
LUNCH = {"sponsor": "xg", "sponsor_share_bp": 10000, "budgets": ["budget:lunch"]}
SAVE = {
    "id": "SAVE2",
    "stage": "order",
    "kind": "spend_save",
    "match": {"merchants": ["m_0001"]},
    "tiers": [{"min": 2000, "off": 200}],
}
DOUBLE = {"id": "DOUBLE", "stage": "subsidy", "kind": "amount_off", "match": {"any": True}, "amount": 200, **LUNCH}
Sold = list[tuple[int, int]]
"""The number of a member and what he buys, in fen."""


@pytest.fixture
def shop(world: World) -> World:
    """The noodle shop with eight members."""
    for number in range(2, 9):
        world.add_member(number)
    return world


def sell(world: World, sold: Sold, *, weeks: int = 0) -> list[Mapping[str, Any]]:
    """One sale a minute, with the book as it is now; the quotes."""
    live._shelf.asked = 0.0
    return [
        world.sell(fen, member=world.members[member], at=NOON + weeks * WEEK + timedelta(minutes=minute)).quote
        for minute, (member, fen) in enumerate(sold)
    ]


def try_out(terms: Mapping[str, Any], limits: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    with get_engine().connect() as reader:
        draft = Draft.from_json({"terms": terms, "limits": limits or {}}, **more)
        found = simulate(reader, draft=draft, days=DAY, progress=lambda _: True)
    assert found is not None
    return found


def add_up(quotes: list[Mapping[str, Any]]) -> dict[str, int]:
    return {who: sum(quote[name] for quote in quotes) for who, name in PAYERS.items()}


def refill(purse_before: int) -> None:
    with transaction() as tx:
        missing = purse_before - left("budget:lunch")
        grant_budget(
            tx, budget="lunch", amount_fen=missing, key="again", proposed_by=FIRST, approved_by=SECOND, at=NOON
        )


DRAFTS = {
    "an order offer": (SAVE, {}),
    "an order offer once a day": (SAVE, {"uses": 1, "period": "day"}),
    "with a limit for all": (SAVE, {"total_fen": 2_000}),
    "a subsidy from the budget of another": (DOUBLE, {}),
    "so much for each": (DOUBLE, {"amount_fen": 300, "period": "week"}),
    "instead of another": ({**DOUBLE, "group": "meal", "priority": 5}, {}),
    "a better version": (
        {"id": "NOODLE10", "stage": "line", "kind": "percent_off", "match": {"merchants": ["m_0001"]}, "rate_bp": 3000},
        {},
    ),
    "a worse version": (
        {"id": "NOODLE10", "stage": "line", "kind": "percent_off", "match": {"merchants": ["m_0001"]}, "rate_bp": 500},
        {"uses": 1, "period": "day"},
    ),
    "a version of a limited offer": ({**DOUBLE, "id": "MEAL", "amount": 50, "group": "meal"}, {}),
    "a rebate": (
        {"id": "BACK", "stage": "rebate", "kind": "percent_back", "match": {"merchants": ["m_0001"]}, "rate_bp": 500},
        {"uses": 2, "period": "ever"},
    ),
}


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize("purse", [2_600, 100_000])
def test_the_same_sales_really_made_with_the_draft_come_to_the_same(shop: World, draft: str, purse: int) -> None:
    """Limits and groups of other offers, and a budget that runs dry in between, move with it."""
    terms, limits = DRAFTS[draft]
    rng = random.Random(f"{draft}{purse}")
    shop.offer(
        {**DOUBLE, "id": "MEAL", "amount": 120, "min_spend": 1000, "group": "meal"}, {"uses": 2, "period": "day"}
    )
    sold = [(rng.randrange(8), rng.choice([900, 1600, 2200, 3000, 5000])) for _ in range(30)]
    drain(100_000 - purse)
    begun = left("budget:lunch")
    before = sell(shop, sold)
    found = try_out(terms, limits)
    refill(begun)
    shop.offer(terms, limits)
    after = sell(shop, sold, weeks=1)
    changes = [new["payable"] - old["payable"] for new, old in zip(after, before, strict=True)]
    assert found["before"] == add_up(before)
    assert found["after"] == add_up(after)
    assert (found["sales"], found["cheaper"], found["dearer"]) == (
        30,
        sum(change < 0 for change in changes),
        sum(change > 0 for change in changes),
    )
    applied = [row for quote in after for row in quote["applied"] if row["offer"] == terms["id"]]
    assert found["draft"] == {
        "sales": len(applied),
        "amount": sum(row["amount"] for row in applied),
        "sponsor_pays": sum(row["sponsor_pays"] for row in applied),
    }
    refused = Counter(row["reason"] for quote in after for row in quote["not_applied"] if row["offer"] == terms["id"])
    assert found["reasons"] == dict(refused)
    largest = {name: row["change"] for name, row in found["largest"].items()}
    assert largest == {
        **({"cheaper": min(changes)} if min(changes) < 0 else {}),
        **({"dearer": max(changes)} if max(changes) > 0 else {}),
    }


def drain(fen: int) -> None:
    """Leave less in the lunch budget, past the books: a sale to nobody."""
    with get_engine().begin() as connection:
        connection.execute(
            text("UPDATE balance SET left_over = left_over - :fen WHERE id = 'budget:lunch'"), {"fen": fen}
        )


def test_a_budget_that_the_draft_empties_makes_later_purchases_dearer(shop: World) -> None:
    drain(100_000 - 1_000)
    sell(shop, [(number % 8, 1600) for number in range(10)])
    found = try_out(DOUBLE)
    # 3 × (1.00 + 2.00) yuan, then 1.00 is left; without the draft all ten got their yuan.
    assert (found["cheaper"], found["dearer"]) == (3, 6)
    assert found["after"]["subsidy"] == found["before"]["subsidy"] == 1_000
    assert found["largest"]["dearer"]["change"] == 100


def test_a_budget_that_is_given_is_never_overdrawn(shop: World) -> None:
    sell(shop, [(number % 8, 1600) for number in range(10)])
    own = {**DOUBLE, "budgets": ["budget:new"]}
    assert try_out(own)["draft"]["sponsor_pays"] == 2_000
    given = try_out(own, budget_fen=1_500)
    assert (given["draft"]["sponsor_pays"], given["reasons"]) == (1_400, {"BUDGET_EXHAUSTED": 3})
    shared = try_out(DOUBLE, budget_fen=1_600)
    assert shared["after"]["subsidy"] == 1_600


def test_its_dates_do_not_count_and_everybody_agrees(shop: World) -> None:
    sell(shop, [(number, 3000) for number in range(8)])
    window = {"from": "2027-01-01T00:00:00+08:00", "to": "2027-02-01T00:00:00+08:00"}
    assert try_out({**SAVE, "window": window})["draft"]["sales"] == 8
    assert try_out({**SAVE, "consent": "ask"})["draft"]["sales"] == 8
    assert try_out({**SAVE, "hours": [["20:00", "21:00"]]})["reasons"] == {"OUTSIDE_HOURS": 8}
    assert try_out({**SAVE, "audience": {"state": ["retired"]}})["reasons"] == {"AUDIENCE": 8}


def test_sales_that_cannot_change_are_not_priced_again(shop: World) -> None:
    sell(shop, [(number, 3000) for number in range(8)])
    found = try_out({**SAVE, "match": {"merchants": ["m_0002"]}})
    assert (found["sales"], found["repriced"], found["draft"]["sales"]) == (8, 0, 0)
    assert found["before"] == found["after"]


def test_voided_sales_and_other_days_are_left_out(shop: World) -> None:
    sell(shop, [(number, 3000) for number in range(7)])
    sell(shop, [(number, 3000) for number in range(8)], weeks=1)
    sale = shop.sell(3000, member=shop.members[7])
    void_at_till(staff_id=shop.staff, sale=sale.public_id, key="void", at=NOON + timedelta(minutes=1))
    found = try_out(SAVE)
    assert (found["sales"], found["cheaper"]) == (7, 7)
    assert [week["week"] for week in found["weeks"]] == ["2026-11-30"]


def test_what_would_tell_what_few_people_bought_is_withheld(shop: World) -> None:
    sell(shop, [(number, 3000) for number in range(FEWEST_PERSONS - 1)] + [(0, 5000)])
    assert try_out(SAVE) == {"withheld": True, "sales": FEWEST_PERSONS}
    shop.sell(3000, member=shop.members[7])
    assert try_out(SAVE)["withheld"] is False


def test_an_audience_of_few_tells_nothing_even_when_it_changes_no_price(shop: World) -> None:
    """The reasons would say how often the one expert came: as often as the draft did not fail for its audience, or failed for it."""
    with transaction() as tx:
        tx.execute(update(Member).where(Member.id == shop.members[0].member_id).values(grade="expert"))
    sell(shop, [(0, 3000), (0, 3500), *[(number, 3000) for number in range(1, 8)]])
    unreachable = {**SAVE, "tiers": [{"min": 10**9, "off": 1}]}
    for grade in ("expert", "standard"):
        assert try_out({**unreachable, "audience": {"grade": [grade]}}) == {"withheld": True, "sales": 9}
    assert try_out({**unreachable, "audience": {"grade": ["expert", "standard"]}})["reasons"] == {
        "MIN_SPEND_NOT_MET": 9
    }


def test_a_result_names_nobody(shop: World) -> None:
    sell(shop, [(number, 3000 + number) for number in range(8)])
    written = json.dumps(try_out(SAVE))
    with get_engine().connect() as connection:
        secret = [
            str(value)
            for row in connection.execute(
                text("SELECT id, public_id, subject, card_id, visit_id, shop_id, staff_id FROM sale")
            )
            for value in row
        ]
    assert [value for value in [*secret, "s_0001", "T12:", "T04:", "李秀英"] if value in written] == []


def test_weeks_add_up_to_the_month(shop: World) -> None:
    sell(shop, [(number, 3000) for number in range(8)])
    sell(shop, [(number, 3000) for number in range(8)], weeks=1)
    with get_engine().connect() as reader:
        days = (date(2026, 12, 1), date(2027, 1, 1))
        found = simulate(reader, draft=Draft.from_json(SAVE), days=days, progress=lambda _: True)
    assert found is not None
    assert [week["week"] for week in found["weeks"]] == ["2026-11-30", "2026-12-07"]
    for name in ("before", "after"):
        for who in PAYERS:
            assert found[name][who] == sum(week[name][who] for week in found["weeks"])
    assert sum(week["cheaper"] for week in found["weeks"]) == found["cheaper"] == 16


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"terms": {**SAVE, "tiers": []}}, "terms.tiers"),
        ({**SAVE, "colour": "red"}, "terms.colour"),
        ({"terms": SAVE, "limits": {"uses": 0}}, "limits.uses"),
        ({"terms": SAVE, "limits": 3}, "limits"),
        ({"terms": SAVE, "title": "?"}, "$.title"),
        ({"terms": 7}, "terms"),
    ],
)
def test_a_document_that_is_none_names_the_field(document: dict[str, Any], field: str) -> None:
    with pytest.raises(DomainError) as refused:
        Draft.from_json(document)
    assert refused.value.facts["field"] == field


def test_told_to_stop_it_stops(shop: World) -> None:
    sell(shop, [(number, 3000) for number in range(8)])
    with get_engine().connect() as reader:
        assert simulate(reader, draft=Draft.from_json(SAVE), days=DAY, progress=lambda _: False) is None
