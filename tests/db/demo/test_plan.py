"""The plan of the demo's sales, before any of them is made."""

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from api.demo.bargains import make_bargains
from api.demo.days import SCAN, STEP_SECONDS, DemoSale, list_places, plan_sales
from api.demo.offers import make_rebates, make_subsidies, make_waiting
from api.demo.places import make_merchants
from api.demo.sizes import SIZES
from api.demo.units import make_units
from market.pricing import Offer
from merchants.operations import read_credit_code

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@cache
def plan(size: str, seed: int = 7, until: datetime = NOON) -> list[DemoSale]:
    places = list_places(make_merchants(SIZES[size], seed=seed))
    return plan_sales(SIZES[size], places, seed=seed, until=until, zone=ZONE)


def minute(sale: DemoSale) -> int:
    here = sale.at.astimezone(ZONE)
    return here.hour * 60 + here.minute


@pytest.mark.parametrize(("size", "units"), [("works", [1, 26, 180, 1_150])])
def test_the_works_has_its_four_levels(size: str, units: list[int]) -> None:
    levels = Counter(len(unit.code) for unit in make_units(SIZES[size]).units)
    assert [count for _, count in sorted(levels.items())] == units


@pytest.mark.parametrize("size", list(SIZES))
def test_merchants_and_shops_are_as_many_as_promised_with_right_codes(size: str) -> None:
    merchants = make_merchants(SIZES[size], seed=7)
    shops = [shop for merchant in merchants for shop in merchant.shops]
    assert (len(merchants), len(shops)) == (SIZES[size].merchants, SIZES[size].shops)
    assert len({merchant.name for merchant in merchants}) == len(merchants)
    assert len({read_credit_code(merchant.credit_code) for merchant in merchants}) == len(merchants)


def test_the_plan_is_as_large_as_promised_up_to_its_last_instant() -> None:
    sales = plan("plant")
    assert 22_800 <= len(sales) <= 23_000
    assert [sale.number for sale in sales] == list(range(1, len(sales) + 1))
    assert sales == sorted(sales, key=lambda sale: sale.at)
    assert max(max(sale.at, sale.undone.at) if sale.undone else sale.at for sale in sales) <= NOON


def test_almost_half_of_it_happens_at_lunch() -> None:
    sales = plan("plant")
    at_lunch = sum(11 * 60 + 30 <= minute(sale) < 13 * 60 for sale in sales)
    assert 0.43 <= at_lunch / len(sales) <= 0.47


def test_the_mean_ticket_is_about_46_yuan() -> None:
    merchants = make_merchants(SIZES["plant"], seed=7)
    prices = {item.sku: item.price_fen for merchant in merchants for item in merchant.trade.items}
    tickets = [
        sale.joining_fen + sale.other_fen + sum(prices[sku] * qty for sku, qty in sale.items) for sale in plan("plant")
    ]
    assert 44_00 <= sum(tickets) / len(tickets) <= 48_00


def test_some_sales_are_undone() -> None:
    kinds = Counter(sale.undone.kind for sale in plan("plant") if sale.undone)
    assert 0.008 <= kinds["void"] / len(plan("plant")) <= 0.012
    assert 0.003 <= kinds["refund"] / len(plan("plant")) <= 0.007


@pytest.mark.parametrize("seed", range(5))
def test_a_card_opens_one_visit_in_each_step(seed: int) -> None:
    shown = Counter(
        (sale.member, int((at - SCAN).timestamp()) // STEP_SECONDS)
        for sale in plan("plant", seed)
        for at in (sale.at, *([sale.undone.at] if sale.undone and sale.undone.kind == "refund" else []))
    )
    assert shown.most_common(1)[0][1] == 1


def test_another_seed_is_another_works() -> None:
    assert plan("tiny") != plan("tiny", 8)


def test_every_offer_of_the_works_can_be_written() -> None:
    merchants = make_merchants(SIZES["works"], seed=7)
    offers = [
        *make_subsidies(merchants),
        *make_rebates(merchants),
        *make_bargains(merchants, seed=7),
        *make_waiting(),
    ]
    read = [Offer.from_json(offer.terms) for offer in offers]
    assert len({offer.id for offer in read}) == len(read) > 300
    assert {(offer.stage, offer.kind) for offer in read} == {
        ("line", "percent_off"),
        ("line", "amount_off_unit"),
        ("order", "amount_off"),
        ("order", "spend_save"),
        ("subsidy", "amount_off"),
        ("subsidy", "percent_off"),
        ("rebate", "percent_back"),
    }
