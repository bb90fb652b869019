"""The terms of an offer in words: a table of examples as people say them."""

from typing import Any

import pytest

from api.pages.terms import find_payer, say_gates, say_gives
from market.offers.limits import Limits
from market.pricing import Offer

UNION = {"sponsor": "xg", "sponsor_share_bp": 10000, "budgets": ["budget:b"]}


def offer(**terms: Any) -> Offer:
    return Offer.from_json({"id": "O", "stage": "line", "kind": "percent_off", **terms}, path="o")


@pytest.mark.parametrize(
    ("terms", "zh", "en"),
    [
        ({"rate_bp": 1000}, "9 折", "10% off"),
        ({"rate_bp": 1500}, "8.5 折", "15% off"),
        ({"rate_bp": 1250}, "8.75 折", "12.5% off"),
        ({"rate_bp": 25}, "9.975 折", "0.25% off"),
        ({"rate_bp": 9500}, "0.5 折", "95% off"),
        ({"rate_bp": 10000}, "免费", "free"),
        ({"kind": "amount_off_unit", "amount": 250}, "每件减 2.5 元", "¥2.5 off each"),
        ({"stage": "order", "kind": "amount_off", "amount": 2000}, "减 20 元", "¥20 off"),
        ({"stage": "order", "kind": "amount_off", "amount": 400, "min_spend": 3000}, "满 30 减 4", "¥4 off from ¥30"),
        (
            {"stage": "order", "kind": "spend_save", "tiers": [{"min": 10000, "off": 2000}]},
            "满 100 减 20",
            "¥20 off from ¥100",
        ),
        (
            {"stage": "order", "kind": "spend_save", "repeat": True, "tiers": [{"min": 5000, "off": 505}]},
            "每满 50 减 5.05",
            "¥5.05 off every ¥50",
        ),
        ({"stage": "subsidy", "kind": "amount_off", "amount": 100, **UNION}, "补 1 元", "union pays ¥1"),
        ({"stage": "subsidy", "rate_bp": 500, **UNION}, "补 5%", "union pays 5%"),
    ],
)
def test_what_an_offer_gives_is_said_in_a_phrase(terms: dict[str, Any], zh: str, en: str) -> None:
    assert (say_gives(offer(**terms), "zh-CN"), say_gives(offer(**terms), "en")) == (zh, en)


@pytest.mark.parametrize(
    ("terms", "zh", "en"),
    [
        ({}, (), ()),
        ({"min_spend": 1000}, ("满 10 元",), ("from ¥10",)),
        ({"min_qty": 3}, ("满 3 件",), ("from 3 pieces",)),
        (
            {"weekdays": [1, 2, 3, 4, 5], "hours": [["11:00", "14:00"]]},
            ("工作日 11:00–14:00",),
            ("workdays 11:00–14:00",),
        ),
        ({"weekdays": [6, 7]}, ("周六、周日",), ("weekends",)),
        ({"weekdays": [1, 2, 3, 4]}, ("周一至周四",), ("Mon–Thu",)),
        ({"weekdays": [2, 5]}, ("周二、周五",), ("Tue, Fri",)),
        ({"weekdays": [1, 2, 3, 4, 5, 6, 7]}, (), ()),
        (
            {"hours": [["22:00", "04:00"], ["12:00", "24:00"]]},
            ("22:00–04:00、12:00–24:00",),
            ("22:00–04:00, 12:00–24:00",),
        ),
        ({"window": {"to": "2027-01-01T00:00:00+08:00"}}, ("到 12月31日 为止",), ("until 31 Dec",)),
        ({"audience": {"state": ["retired"]}}, ("限退休会员",), ("for retired members",)),
        ({"audience": {"branch": ["xg01"], "grade": ["expert"]}}, ("限部分会员",), ("for some members",)),
        ({"max_discount": 2000, "max_units": 2}, ("最多减 20 元", "限 2 件"), ("¥20 at most", "2 pieces at most")),
        ({"alone": "all"}, ("不与其他优惠同享",), ("not with other offers",)),
        ({"match": {"any": True, "exclude_skus": ["wine"]}}, ("部分商品除外",), ("some items excluded",)),
    ],
)
def test_conditions_are_said_in_phrases(terms: dict[str, Any], zh: tuple[str, ...], en: tuple[str, ...]) -> None:
    made = offer(rate_bp=1000, **terms)
    assert (say_gates(made, None, "zh-CN"), say_gates(made, None, "en")) == (zh, en)


def test_further_tiers_are_among_the_conditions() -> None:
    made = offer(stage="order", kind="spend_save", tiers=[{"min": 8800, "off": 500}, {"min": 18800, "off": 2000}])
    assert say_gives(made, "zh-CN") == "满 88 减 5"
    assert say_gates(made, None, "zh-CN") == ("满 188 减 20",)


@pytest.mark.parametrize(
    ("limits", "zh", "en"),
    [
        (Limits(uses=1, period="day"), ("每天一次",), ("once a day",)),
        (Limits(uses=2, period="week"), ("每周 2 次",), ("2 times a week",)),
        (Limits(uses=1), ("一共一次",), ("once in all",)),
        (Limits(amount_fen=3000, period="month"), ("每月最多 30 元",), ("¥30 a month at most",)),
        (Limits(total_fen=100), (), ()),
    ],
)
def test_how_often_is_said_in_phrases(limits: Limits, zh: tuple[str, ...], en: tuple[str, ...]) -> None:
    made = offer(rate_bp=1000)
    assert (say_gates(made, limits, "zh-CN"), say_gates(made, limits, "en")) == (zh, en)


@pytest.mark.parametrize(
    ("terms", "payer"),
    [
        ({}, "merchant"),
        (UNION, "union"),
        ({**UNION, "sponsor_share_bp": 5000}, "both"),
        ({"stage": "rebate", "kind": "percent_back"}, "rebate"),
    ],
)
def test_whose_money_it_is(terms: dict[str, Any], payer: str) -> None:
    assert find_payer(offer(rate_bp=1000, **terms)) == payer
