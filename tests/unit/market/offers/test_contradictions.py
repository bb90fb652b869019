"""What an offer may not say is found when it is written, with its field and a sentence in both languages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from market.offers.contradictions import Facts, bearers_of, check_terms
from market.offers.wares import Place, Ware, can_match
from market.pricing import Match, Offer

NOW = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
NOODLES = {
    sku: Ware(sku, sku, category, price)
    for sku, category, price in (("beef", "noodles", 1600), ("plain", "noodles", 900), ("egg", "sides", 200))
}
PLACES = (
    Place("s1", "面馆", "m1", "面馆", "food", "items", NOODLES),
    Place("s2", "饭店", "m2", "饭店", "food", "amounts"),
    Place("s3", "超市", "m3", "超市", "market", "register"),
)
FACTS = Facts(at=NOW, purses=frozenset({"budget:lunch"}), places=PLACES)
HERE: dict[str, Any] = {"any": True, "merchants": ["m1"]}
UNION = {"sponsor": "xg", "sponsor_share_bp": 10_000, "budgets": ["budget:lunch"]}
PERCENT: dict[str, Any] = {"stage": "line", "kind": "percent_off", "rate_bp": 1000, "match": HERE}
BUNDLE: dict[str, Any] = {
    "stage": "line",
    "kind": "bundle",
    "price": 1000,
    "components": [{"match": {"skus": ["plain"]}, "qty": 1}, {"match": {"categories": ["sides"]}, "qty": 1}],
    "match": HERE,
}
BUY: dict[str, Any] = {"stage": "line", "kind": "buy_x_get_y", "buy": 2, "get": 1, "get_rate_bp": 10_000, "match": HERE}
SAVE: dict[str, Any] = {"stage": "order", "kind": "spend_save", "tiers": [{"min": 3000, "off": 300}], "match": HERE}
SUBSIDY: dict[str, Any] = {"stage": "subsidy", "kind": "amount_off", "amount": 100, **UNION}
BACK: dict[str, Any] = {"stage": "rebate", "kind": "amount_back", "amount": 100, "match": HERE}


def codes(terms: dict[str, Any], facts: Facts = FACTS) -> set[tuple[str, str]]:
    _, found = check_terms({"id": "X", "version": 1, **terms}, facts=facts)
    for one in found:
        assert one.zh
        assert one.en
        assert "{" not in one.zh + one.en
    return {(one.field, one.code) for one in found}


@pytest.mark.parametrize(
    "terms", [PERCENT, BUNDLE, BUY, SAVE, SUBSIDY, BACK, {**SAVE, "repeat": True}, {**PERCENT, **UNION}]
)
def test_an_offer_that_makes_sense_is_left_alone(terms: dict[str, Any]) -> None:
    assert codes(terms) == set()


def test_every_code_there_is_may_be_published() -> None:
    one = {
        "stage": "order",
        "kind": "percent_off",
        "rate_bp": 500,
        "match": {"skus": ["6901234567892", "A-1.b_2"], "merchants": ["m_0042"], "shops": ["s_0001"]},
        "window": {"from": "2026-12-01T00:00:00+08:00", "to": "2026-12-31T00:00:00.5Z"},
        "hours": [["11:00", "24:00"]],
        "weekdays": [1, 5],
        "zone": "America/Argentina/Buenos_Aires",
        "audience": {"state": ["active"], "grade": [3, True], "plant": ["p-07"]},
        "channels": ["shop"],
        "group": "x" * 64,
        **UNION,
        "allowance": "allowance:2026/12",
    }
    facts = Facts(at=NOW, purses=frozenset({"budget:lunch", "allowance:2026/12"}))
    assert codes(one, facts) == set()


def test_a_text_that_is_no_code_is_quoted_in_both_languages_and_shortened() -> None:
    _, found = check_terms({"id": "X", "version": 1, **PERCENT, "group": "好" * 70}, facts=FACTS)
    (one,) = found
    assert "好" * 40 + "…" in one.zh
    assert "好" * 40 + "…" in one.en
    assert "好" * 41 not in one.zh


@pytest.mark.parametrize(
    ("terms", "field", "code"),
    [
        ({**PERCENT, "id": "a b"}, "id", "ID_MALFORMED"),
        ({**PERCENT, "id": ".."}, "id", "ID_MALFORMED"),  # a browser would look for the page elsewhere
        ({**PERCENT, "window": {"from": "1970-01-01T00:00:00+23:59"}}, "window.from", "MALFORMED"),
        ({**PERCENT, "window": {"to": "9998-12-31T23:59:59-23:59"}}, "window.to", "MALFORMED"),
        ({**PERCENT, "audience": {"工种": ["welder"]}}, "audience", "AUDIENCE_MALFORMED"),
        ({**PERCENT, "audience": {"who": ["王小明"]}}, "audience.who", "FREE_TEXT"),
        ({**PERCENT, "audience": {"tags": ["welder", "night shift"]}}, "audience.tags", "FREE_TEXT"),
        ({**PERCENT, "group": "g" * 65}, "group", "FREE_TEXT"),
        ({**PERCENT, **UNION, "sponsor": "兴钢工会"}, "sponsor", "FREE_TEXT"),
        ({**PERCENT, "match": {"skus": ["牛肉面"], "merchants": ["m1"]}}, "match.skus", "FREE_TEXT"),
        ({**PERCENT, "match": {"exclude_skus": ["a\nb"], "merchants": ["m1"]}}, "match.exclude_skus", "FREE_TEXT"),
        ({**PERCENT, "match": {"categories": ["面 食"], "merchants": ["m1"]}}, "match.categories", "FREE_TEXT"),
        ({**PERCENT, "match": {"merchants": ["老周面馆"]}}, "match.merchants", "FREE_TEXT"),
        ({**PERCENT, "match": {"shops": ["s1?"]}}, "match.shops", "FREE_TEXT"),
        ({**SUBSIDY, "budgets": ["budget:午餐"]}, "budgets", "FREE_TEXT"),
        (
            {**BUNDLE, "components": [{"match": {"skus": ["素面"]}, "qty": 1}]},
            "components.0.match.skus",
            "FREE_TEXT",
        ),
        ({**PERCENT, "match": {"skus": [f"sku-{n}" for n in range(4_000)]}}, "match", "TOO_LONG"),
        ({**PERCENT, "rate_bp": 10_001}, "rate_bp", "RATE_ABOVE_WHOLE"),
        ({**PERCENT, "rate_bp": 0}, "rate_bp", "NO_EFFECT"),
        ({**PERCENT, "rate_bp": "10"}, "rate_bp", "MALFORMED"),
        ({**PERCENT, **UNION, "sponsor_share_bp": 10_001}, "sponsor_share_bp", "RATE_ABOVE_WHOLE"),
        (
            {**PERCENT, "window": {"from": "2027-01-02T00:00:00Z", "to": "2027-01-02T00:00:00Z"}},
            "window.to",
            "END_BEFORE_START",
        ),
        (
            {**PERCENT, "window": {"from": "2027-01-02T00:00:00Z", "to": "2027-01-01T00:00:00+08:00"}},
            "window.to",
            "END_BEFORE_START",
        ),
        ({**PERCENT, "window": {"from": "2027-01-02", "to": "soon"}}, "window.from", "MALFORMED"),
        ({**PERCENT, "window": {"to": "2026-12-01T12:05:00+08:00"}}, "window.to", "WINDOW_PAST"),
        ({**SAVE, "tiers": [{"min": 3000, "off": 3001}]}, "tiers.0.off", "ABOVE_ITS_MINIMUM"),
        ({**SAVE, "tiers": [{"min": 3000, "off": 0}]}, "tiers.0.off", "NO_EFFECT"),
        (
            {"stage": "order", "kind": "amount_off", "amount": 2000, "min_spend": 1000, "match": HERE},
            "amount",
            "ABOVE_ITS_MINIMUM",
        ),
        ({**SUBSIDY, "amount": 0}, "amount", "NO_EFFECT"),
        ({**PERCENT, "match": {"any": True}}, "match.merchants", "MERCHANTS_NEEDED"),
        (
            {**PERCENT, **UNION, "sponsor_share_bp": 9_999, "match": {"any": True}},
            "match.merchants",
            "MERCHANTS_NEEDED",
        ),
        ({**BACK, "match": {"any": True}}, "match.merchants", "MERCHANTS_NEEDED"),
        ({**BACK, **UNION}, "sponsor_share_bp", "REBATE_BORNE_BY_MERCHANT"),
        ({**SUBSIDY, "sponsor": None}, "sponsor", "SPONSOR_NEEDED"),
        ({**SUBSIDY, "sponsor_share_bp": None}, "sponsor_share_bp", "SHARE_NEEDED"),
        ({**SUBSIDY, "budgets": None}, "budgets", "BUDGET_NEEDED"),
        ({**SUBSIDY, "budgets": ["budget:gone"]}, "budgets", "BUDGET_UNKNOWN"),
        ({**SUBSIDY, "allowance": "allowance:rice"}, "allowance", "ALLOWANCE_UNKNOWN"),
        ({**PERCENT, "sponsor": "xg"}, "sponsor_share_bp", "SHARE_NEEDED"),
        ({**PERCENT, "sponsor": "xg", "sponsor_share_bp": 5000}, "budgets", "BUDGET_NEEDED"),
        ({**PERCENT, "budgets": ["budget:lunch"]}, "budgets", "BUDGET_UNUSED"),
        ({**BUY, "buy": 0}, "buy", "NEEDS_ONE"),
        ({**BUY, "get": 0}, "get", "NEEDS_ONE"),
        ({**BUY, "get_rate_bp": 0}, "get_rate_bp", "NO_EFFECT"),
        ({**BUY, "max_units": 2}, "max_units", "QTY_ABOVE_CAP"),
        ({**BUNDLE, "max_units": 1}, "max_units", "QTY_ABOVE_CAP"),
        ({**BUY, "line_stackable": True}, "line_stackable", "STACKABLE_WITHOUT_EFFECT"),
        ({**PERCENT, "max_units": 0}, "max_units", "CAP_ZERO"),
        ({**PERCENT, "max_discount": 0}, "max_discount", "CAP_ZERO"),
        ({**PERCENT, "match": {**HERE, "merchants": ["m9"]}}, "match.merchants", "MERCHANT_UNKNOWN"),
        ({**PERCENT, "match": {**HERE, "shops": ["s9"]}}, "match.shops", "SHOP_UNKNOWN"),
        ({**PERCENT, "match": {**HERE, "shops": ["s2"]}}, "match.shops", "SHOP_ELSEWHERE"),
        ({**PERCENT, "match": {"skus": ["tea"], "merchants": ["m1"]}}, "match", "EMPTY_MATCH"),
        (
            {**PERCENT, "match": {"skus": ["beef"], "exclude_skus": ["beef"], "merchants": ["m1"]}},
            "match",
            "EMPTY_MATCH",
        ),
        ({**PERCENT, "match": {"categories": ["noodles"], "merchants": ["m2"]}}, "match", "EMPTY_MATCH"),
        (
            {**BUNDLE, "components": [{"match": {"skus": ["tea"]}, "qty": 1}, {"match": {"skus": ["beef"]}, "qty": 1}]},
            "components.0.match",
            "EMPTY_MATCH",
        ),
        ({**BUNDLE, "price": 1100}, "price", "BUNDLE_WITHOUT_SAVING"),
        (
            {"stage": "line", "kind": "fixed_unit_price", "price": 1600, "match": HERE},
            "price",
            "PRICE_WITHOUT_SAVING",
        ),
        ({**PERCENT, "colour": "red"}, "colour", "MALFORMED"),
        ({**SUBSIDY, "line_stackable": True}, "line_stackable", "MALFORMED"),
    ],
)
def test_what_contradicts_is_named(terms: dict[str, Any], field: str, code: str) -> None:
    given = {name: value for name, value in terms.items() if value is not None}
    assert (field, code) in codes(given)


def test_one_field_is_named_once() -> None:
    assert codes({**PERCENT, "rate_bp": 10_001}) == {("rate_bp", "RATE_ABOVE_WHOLE")}


def test_prices_that_save_a_fen_are_no_warning() -> None:
    assert codes({**BUNDLE, "price": 1099}) == set()
    assert codes({"stage": "line", "kind": "fixed_unit_price", "price": 1599, "match": HERE}) == set()


def test_a_warning_does_not_refuse() -> None:
    offer, found = check_terms({"id": "X", "version": 1, **BUNDLE, "price": 5000}, facts=FACTS)
    assert offer is not None
    assert [one.is_warning for one in found] == [True]


def test_what_the_caller_cannot_know_is_not_asked() -> None:
    elsewhere = {**PERCENT, "match": {"skus": ["tea"], "merchants": ["m9"]}}
    assert codes(elsewhere, Facts(at=NOW, purses=frozenset())) == set()


@pytest.mark.parametrize(
    ("match", "shops"),
    [
        (Match(), {"s1", "s2", "s3"}),
        (Match(categories=frozenset({"noodles"})), {"s1", "s3"}),
        (Match(categories=frozenset({"food"})), {"s2", "s3"}),
        (Match(skus=frozenset({"egg"})), {"s1", "s3"}),
        (Match(skus=frozenset({"egg"}), exclude_skus=frozenset({"egg"})), {"s3"}),
        (Match(skus=frozenset({"tea"})), {"s3"}),
    ],
)
def test_a_shop_can_sell_what_its_till_can_ring(match: Match, shops: set[str]) -> None:
    assert {place.shop for place in PLACES if can_match(match, place)} == shops


def test_who_bears_a_part_signs() -> None:
    def bearers(**terms: Any) -> list[str]:
        return bearers_of(Offer.from_json({"id": "X", "version": 1, **terms}))

    two = {"any": True, "merchants": ["m2", "m1"]}
    assert bearers(**{**PERCENT, "match": two}) == ["m1", "m2"]
    assert bearers(**{**PERCENT, **UNION, "match": two}) == []
    assert bearers(**{**PERCENT, **UNION, "sponsor_share_bp": 9_999, "match": two}) == ["m1", "m2"]
    assert bearers(**{**BACK, "match": two}) == ["m1", "m2"]
