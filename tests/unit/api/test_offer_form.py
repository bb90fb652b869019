"""The form writes every field of the pricing document, and reads it back the same."""

from typing import Any

import pytest

from api.offer_form import KINDS, fill_form, find_box, keep_form, read_form
from api.pages.offer_words import LABELS, say_difference
from market.offers.differences import find_differences
from market.pricing import Offer
from market.pricing.offer_fields import OFFER_FIELDS

EVERY: dict[str, Any] = {
    "match": {
        "skus": ["egg"],
        "categories": ["noodles"],
        "exclude_skus": ["tea"],
        "merchants": ["m_0001", "m_0002"],
        "shops": ["s_0001"],
    },
    "channels": ["shop", "online"],
    "audience": {"state": ["active"], "tags": ["night-shift", "model-worker"]},
    "window": {"from": "2026-12-01T00:00:00+08:00", "to": "2027-06-01T12:30:00+08:00"},
    "weekdays": [1, 3, 5],
    "hours": [["11:00", "14:00"], ["22:00", "04:00"]],
    "zone": "Asia/Urumqi",
    "min_spend": 1050,
    "min_qty": 2,
    "max_discount": 9999,
    "consent": "ask",
    "group": "meal",
    "alone": "stage",
    "priority": -3,
}
SPONSORED: dict[str, Any] = {
    "sponsor": "xg",
    "sponsor_share_bp": 3333,
    "budgets": ["budget:a", "budget:b"],
    "on_shortage": "partial",
}
OF_A_KIND: dict[str, dict[str, Any]] = {
    "line.percent_off": {"rate_bp": 1250, "max_units": 3, "line_stackable": True, **SPONSORED},
    "line.amount_off_unit": {"amount": 205, "line_stackable": True},
    "line.fixed_unit_price": {"price": 990},
    "line.buy_x_get_y": {"buy": 2, "get": 1, "get_rate_bp": 5000},
    "line.bundle": {
        "price": 1800,
        "components": [
            {"match": {"skus": ["beef", "plain"]}, "qty": 1},
            {"match": {"categories": ["drinks"]}, "qty": 2},
        ],
    },
    "order.percent_off": {"rate_bp": 500},
    "order.amount_off": {"amount": 500},
    "order.spend_save": {"tiers": [{"min": 3000, "off": 300}, {"min": 6000, "off": 801}], "repeat": True},
    "subsidy.percent_off": {"rate_bp": 10_000, **SPONSORED, "allowance": "allowance:rice"},
    "subsidy.amount_off": {"amount": 1, **SPONSORED},
    "rebate.percent_back": {"rate_bp": 1, "rebate_to": "union"},
    "rebate.amount_back": {"amount": 200},
}
LIMITS = {"uses": 3, "amount_fen": 5000, "total_fen": 123_456, "period": "month"}


def document(kind: str) -> dict[str, Any]:
    stage, _, name = kind.partition(".")
    return Offer.from_json(
        {"id": "X", "version": 1, "stage": stage, "kind": name, **EVERY, **OF_A_KIND[kind]}
    ).to_json()


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_form_makes_fills_the_same_form(kind: str) -> None:
    terms = document(kind)
    form = fill_form(terms, LIMITS, title="一", title_en="One", note="为什么")
    written = read_form(form, codes={})
    assert written.problems == ()
    assert Offer.from_json({**written.terms, "version": 1}).to_json() == terms
    assert written.limits == LIMITS
    assert (written.title, written.title_en, written.note) == ("一", "One", "为什么")


def test_every_field_of_the_document_can_be_written() -> None:
    written = {name for kind in KINDS for name in document(kind)}
    assert written == OFFER_FIELDS


def test_every_field_has_words_for_its_differences() -> None:
    for kind in KINDS:
        new = {"title": "一", "title_en": "One", "terms": document(kind), "limits": LIMITS}
        old = {"title": "二", "title_en": "Two", "terms": {"stage": "x"}, "limits": {}}
        for found in find_differences(old, new):
            if found.field in {"stage", "kind"}:
                continue
            assert found.field in LABELS, found.field
            for language in ("zh-CN", "en"):
                label, before, after = say_difference(found, language, {"m_0001": "面馆"})  # type: ignore[arg-type]
                assert label
                assert before
                assert after
                assert not (set("{}[]") & set(after)), after


def test_merchants_may_be_typed_by_name() -> None:
    form = {"kind": ["line.percent_off"], "id": ["X"], "merchant": ["老王面馆", "m_0002", "老王面馆"]}
    written = read_form(form, codes={"老王面馆": "m_0001"})
    assert written.terms["match"] == {"any": True, "merchants": ["m_0001", "m_0002"]}


@pytest.mark.parametrize(
    ("typed", "rate_bp"),
    [
        ("10", 1000),
        ("12.5", 1250),
        ("0.01", 1),
        ("100%", 10_000),
        ("150", 15_000),
        ("1.234", None),
        ("-1", None),
        ("１０", None),
    ],
)
def test_percentages_become_basis_points_digit_by_digit(typed: str, rate_bp: int | None) -> None:
    written = read_form({"kind": ["line.percent_off"], "id": ["X"], "rate": [typed]}, codes={})
    assert written.terms.get("rate_bp") == rate_bp
    assert ("rate" in {one.field for one in written.problems}) == (rate_bp is None)


@pytest.mark.parametrize(
    ("field", "box"),
    [
        ("rate_bp", "rate"),
        ("tiers.0.off", "tiers"),
        ("match.merchants", "merchant"),
        ("match", "sku"),
        ("window.to", "to"),
        ("hours.0.1", "hours"),
        ("audience.state.0", "audience"),
        ("limits.uses", "uses"),
        ("group", "group"),
    ],
)
def test_every_field_stands_in_a_box(field: str, box: str) -> None:
    assert find_box(field) == box


def test_a_sent_form_is_kept_within_bounds() -> None:
    sent = [
        ("rate", "x" * 5000),
        ("csrf_token", "secret"),
        ("n" * 41, "x"),
        *[("sku", str(number)) for number in range(500)],
    ]
    form = keep_form(iter([*sent, ("file", object()), ("empty", ""), ("shop", "a"), ("shop", ""), ("shop", "")]))
    assert len(form["rate"][0]) == 600
    assert len(form["sku"]) == 60
    assert form["shop"] == ["a"]
    assert set(form) == {"rate", "sku", "shop"}
