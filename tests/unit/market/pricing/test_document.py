import copy
import json

import pytest

from market.pricing import Offer, PricingDocumentError
from market.pricing.document import check_document, parse_document, price_document
from tests.unit.market.pricing.cases import case, line, off, percent, price, save, unit_off

WHOLE = case(
    [line("a", 1000, 2), line("b", 500, discountable=True)],
    [percent("P", 1000), save("S", (1000, 100)), off("U", 50, "subsidy", budgets=["b1"], sponsor_share_bp=10000)],
    purses={"b1": 100},
    member={"branch": "rolling", "tags": ["x"]},
    refunds=[{"policy": "pro_rata", "line": "a", "steps": [{"units": 1}]}],
)
OFFER = ("offers", 0)
LINE = ("basket", 0)


def changed(path, value):
    """The whole document with one value replaced, or removed when `value` is ..."""
    document = {"vectors": [copy.deepcopy(WHOLE)]}
    place = document["vectors"][0]
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


def test_the_whole_document_is_well_formed():
    (result,) = price_document({"vectors": [WHOLE], "format": "pricing-document/1"})["results"]
    assert result["id"] == "T"
    assert result["refunds"][0]["steps"][0]["units"] == 1


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (("id",), ..., ".id"),
        (("id",), 7, ".id"),
        (("id",), "half a sign: \ud83d", ".id"),
        (("now",), ..., ".now"),
        (("now",), "2026-12-01T12:05:00", ".now"),
        (("now",), "2026-12-01", ".now"),
        (("now",), "2026-02-30T12:05:00+08:00", ".now"),
        (("now",), "0001-01-01T00:00:00+08:00", ".now"),
        (("now",), 1764561900, ".now"),
        (("channel",), "phone", ".channel"),
        (("shop",), 7, ".shop"),
        (("price",), 1, ".price"),
        (("basket",), {}, ".basket"),
        (("offers",), ..., ".offers"),
        (("accepted",), "FEST", ".accepted"),
        (("declined",), [1], ".declined[0]"),
        (("purses",), {"b1": 1.5}, ".purses.b1"),
        (("purses",), {"b1": -1}, ".purses.b1"),
        (("purses",), {}, ".offers[2].budgets"),
        (("member",), {"age": 30.5}, ".member.age"),
        (("member",), {"card": {"id": 1}}, ".member.card"),
        (("expect",), [], ".expect"),
        (("v",), 2, ".v"),
        (("v",), True, ".v"),
        (("v",), "1", ".v"),
        ((*LINE, "qty"), 0, ".basket[0].qty"),
        ((*LINE, "qty"), 2.0, ".basket[0].qty"),
        ((*LINE, "qty"), True, ".basket[0].qty"),
        ((*LINE, "qty"), "2", ".basket[0].qty"),
        ((*LINE, "unit_price"), -1, ".basket[0].unit_price"),
        ((*LINE, "unit_price"), ..., ".basket[0].unit_price"),
        ((*LINE, "line"), "b", ".basket[1].line"),
        ((*LINE, "colour"), "red", ".basket[0].colour"),
        ((*LINE, "categories"), ["x", "x"], ".basket[0].categories"),
        ((*LINE, "discountable"), 1, ".basket[0].discountable"),
        ((*OFFER, "id"), "S", ".offers[1].id"),
        ((*OFFER, "id"), "", ".offers[0].id"),
        ((*OFFER, "stage"), "lines", ".offers[0].stage"),
        ((*OFFER, "kind"), "amount_off", ".offers[0].kind"),
        ((*OFFER, "rate_bp"), ..., ".offers[0].rate_bp"),
        ((*OFFER, "rate_bp"), 10001, ".offers[0].rate_bp"),
        ((*OFFER, "rate_bp"), -1, ".offers[0].rate_bp"),
        ((*OFFER, "amount"), 5, ".offers[0].amount"),
        ((*OFFER, "version"), 0, ".offers[0].version"),
        ((*OFFER, "match"), {}, ".offers[0].match"),
        ((*OFFER, "match"), {"any": False}, ".offers[0].match.any"),
        ((*OFFER, "match"), {"any": True, "skus": ["a"]}, ".offers[0].match.any"),
        ((*OFFER, "match"), {"skus": []}, ".offers[0].match.skus"),
        ((*OFFER, "match"), {"brands": ["a"]}, ".offers[0].match.brands"),
        ((*OFFER, "window"), {}, ".offers[0].window"),
        ((*OFFER, "window"), {"from": "2026-12-02T00:00:00Z", "to": "2026-12-01T00:00:00Z"}, ".offers[0].window"),
        ((*OFFER, "window"), {"from": "tomorrow"}, ".offers[0].window.from"),
        ((*OFFER, "weekdays"), [0], ".offers[0].weekdays[0]"),
        ((*OFFER, "weekdays"), [8], ".offers[0].weekdays[0]"),
        ((*OFFER, "hours"), [["11:00"]], ".offers[0].hours[0]"),
        ((*OFFER, "hours"), [["24:00", "01:00"]], ".offers[0].hours[0][0]"),
        ((*OFFER, "hours"), [["11:00", "25:00"]], ".offers[0].hours[0][1]"),
        ((*OFFER, "hours"), [["11:00", "11:00"]], ".offers[0].hours[0]"),
        ((*OFFER, "zone"), "Asia/Nowhere", ".offers[0].zone"),
        ((*OFFER, "zone"), "../etc/passwd", ".offers[0].zone"),
        ((*OFFER, "zone"), "localtime", ".offers[0].zone"),
        ((*OFFER, "zone"), "posixrules", ".offers[0].zone"),
        ((*OFFER, "zone"), "Factory", ".offers[0].zone"),
        ((*OFFER, "zone"), "posix/Asia/Shanghai", ".offers[0].zone"),
        ((*OFFER, "zone"), "right/Asia/Shanghai", ".offers[0].zone"),
        ((*OFFER, "zone"), "asia/shanghai", ".offers[0].zone"),
        ((*OFFER, "zone"), "Asia", ".offers[0].zone"),
        ((*OFFER, "zone"), "zone.tab", ".offers[0].zone"),
        ((*OFFER, "zone"), "Asia/Shanghai ", ".offers[0].zone"),
        ((*OFFER, "channels"), ["post"], ".offers[0].channels[0]"),
        ((*OFFER, "audience"), {"branch": []}, ".offers[0].audience.branch"),
        ((*OFFER, "audience"), {"age": [1.5]}, ".offers[0].audience.age[0]"),
        ((*OFFER, "gate"), "BEATEN_BY_BETTER", ".offers[0].gate"),
        ((*OFFER, "gate"), "", ".offers[0].gate"),
        ((*OFFER, "uses_remaining"), -1, ".offers[0].uses_remaining"),
        ((*OFFER, "on_shortage"), "maybe", ".offers[0].on_shortage"),
        ((*OFFER, "alone"), True, ".offers[0].alone"),
        ((*OFFER, "rebate_to"), "member", ".offers[0].rebate_to"),
        ((*OFFER, "allowance"), "b9", ".offers[0].allowance"),
        (("offers", 1, "tiers"), [], ".offers[1].tiers"),
        (("offers", 1, "tiers"), [{"min": 1}], ".offers[1].tiers[0].off"),
        (("offers", 1, "tiers"), [{"min": 1, "off": 1}, {"min": 1, "off": 2}], ".offers[1].tiers"),
        (("offers", 1, "max_units"), 3, ".offers[1].max_units"),
        (("offers", 2, "allowance"), "b1", ".offers[2].allowance"),
        (("refunds", 0, "line"), "z", ".refunds[0].line"),
        (("refunds", 0, "steps"), [{"units": 2}, {"units": 1}], ".refunds[0].steps[1].units"),
        (("refunds", 0, "policy"), "given_back", ".refunds[0].policy"),
    ],
)
def test_malformed_input_names_its_json_path(path, value, where):
    with pytest.raises(PricingDocumentError) as caught:
        price_document(changed(path, value))
    assert caught.value.path == "$.vectors[0]" + where
    assert caught.value.problem
    assert "\n" not in str(caught.value)


def test_a_case_may_name_the_rules_it_was_priced_by():
    assert price_document(changed(("v",), 1)) == price_document({"vectors": [WHOLE]})


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"vectors": {}}, {"vectors": [1]}, {"vectors": [], "format": "2"}, {"vectors": [], "x": 1}],
)
def test_a_document_is_an_object_with_vectors(document):
    with pytest.raises(PricingDocumentError):
        parse_document(document)


def test_a_tier_that_repeats_cannot_begin_at_nothing():
    document = {"vectors": [case([line("a", 1)], [save("S", (0, 1), repeat=True)])]}
    with pytest.raises(PricingDocumentError, match=r"tiers\[0\].min"):
        price_document(document)


@pytest.mark.parametrize(
    ("offer", "path"),
    [
        ({"stage": "order", "kind": "bundle"}, "kind"),
        ({"stage": "line", "kind": "fixed_unit_price"}, "price"),
        ({"stage": "line", "kind": "buy_x_get_y", "buy": 0, "get": 1, "get_rate_bp": 1}, "buy"),
        ({"stage": "line", "kind": "buy_x_get_y", "buy": 1, "get": 0, "get_rate_bp": 1}, "get"),
        ({"stage": "line", "kind": "buy_x_get_y", "buy": 1, "get": 1, "get_rate_bp": 10_001}, "get_rate_bp"),
        ({"stage": "line", "kind": "bundle", "price": 5, "components": []}, "components"),
        ({"stage": "line", "kind": "bundle", "price": 5, "components": [{"qty": 1}]}, "components[0].match"),
        (
            {"stage": "line", "kind": "bundle", "price": 5, "components": [{"match": {"any": True}, "qty": 0}]},
            "components[0].qty",
        ),
        ({"stage": "rebate", "kind": "percent_back", "rate_bp": 1, "rebate_to": "shop"}, "rebate_to"),
        ({"stage": "rebate", "kind": "amount_back", "amount": 1, "max_units": 1}, "max_units"),
        ({"stage": "order", "kind": "amount_off", "amount": 1, "rebate_to": "union"}, "rebate_to"),
    ],
)
def test_a_parameter_that_is_missing_or_wrong_is_named(offer, path):
    with pytest.raises(PricingDocumentError) as refused:
        price_document({"vectors": [case([line("a", 1)], [{"id": "K", **offer}])]})
    assert str(refused.value).startswith(f"$.vectors[0].offers[0].{path}:")


def test_cases_that_are_not_asked_for_may_be_of_any_form():
    document = {"vectors": [{"id": "other", "offers": "unknown"}, {**WHOLE, "expect": {"payable": 2050}}]}
    assert [result["id"] for result in price_document(document, only=["T"])["results"]] == ["T"]
    with pytest.raises(PricingDocumentError, match="has no case X"):
        price_document(document, only=["X"])


def test_a_check_pairs_rows_by_name_and_ignores_what_is_not_expected():
    expect = {"lines": [{"line": "b", "list": 500}, {"line": "a"}], "applied": [{"offer": name} for name in "USP"]}
    assert check_document({"vectors": [{**WHOLE, "expect": expect}]}) == []


def test_a_check_tells_every_kind_of_difference():
    expect = {
        "payable": 1,
        "points": 3,
        "lines": [{"line": "a", "pay": 1}, {"line": "z"}],
        "applied": [{"offer": "P", "amount": 250}],
        "refunds": [{"line": "a", "steps": []}],
    }
    found = check_document({"vectors": [{**WHOLE, "expect": expect}]})
    assert [row.split(":")[0] for row in found] == [
        "T quote.payable",
        "T quote.points",
        "T quote.lines[a].pay",
        "T quote.lines[z]",
        "T quote.applied[S]",
        "T quote.applied[U]",
        "T quote.refunds[0].steps",
    ]


FULL = {
    **save("FULL", (1000, 50), (2000, 150)),
    "version": 3,
    "repeat": True,
    "match": {"categories": ["x"], "exclude_skus": ["y"], "merchants": ["M1", "M2"], "shops": ["S1"]},
    "channels": ["shop"],
    "audience": {"branch": ["a"], "level": [1]},
    "weekdays": [1, 5],
    "hours": [["20:00", "02:00"], ["09:00", "24:00"]],
    "window": {"from": "2026-12-01T00:00:00+08:00", "to": "2027-01-01T00:00:00+08:00"},
    "zone": "UTC",
    "min_spend": 5,
    "min_qty": 2,
    "max_discount": 900,
    "budgets": ["b1", "b2"],
    "allowance": "al",
    "on_shortage": "partial",
    "consent": "ask",
    "group": "g",
    "alone": "stage",
    "priority": -2,
    "sponsor": "xg",
    "sponsor_share_bp": 10000,
}


@pytest.mark.parametrize(
    "terms",
    [
        FULL,
        {**percent("P", 100), "version": 1, "match": {"any": True}},
        unit_off("U", 5, max_units=2, line_stackable=True),
    ],
)
def test_terms_survive_the_way_out_and_back(terms):
    offer = Offer.from_json(terms, path="terms")
    written = offer.to_json()
    assert Offer.from_json(json.loads(json.dumps(written))) == offer
    assert Offer.from_json(written).to_json() == written
    assert written["id"] == terms["id"]


def test_written_terms_leave_defaults_out_and_lists_sorted():
    offer = Offer.from_json(
        {**percent("P", 100), "priority": 0, "match": {"skus": ["b", "a"]}, "window": {"from": "2026-11-30T16:00:00Z"}}
    )
    assert offer.to_json() == {
        "id": "P",
        "version": 1,
        "stage": "line",
        "kind": "percent_off",
        "rate_bp": 100,
        "match": {"skus": ["a", "b"]},
        "window": {"from": "2026-12-01T00:00:00+08:00"},
    }
    assert Offer.from_json(FULL).to_json() == {**FULL, "match": {**FULL["match"], "merchants": ["M1", "M2"]}}


def test_standing_is_no_part_of_terms():
    with pytest.raises(PricingDocumentError, match="uses_remaining"):
        Offer.from_json({**percent("P", 100), "uses_remaining": 1})


def test_a_case_goes_out_in_the_form_it_came_in():
    (vector,) = parse_document({"vectors": [WHOLE]})
    again = {
        **WHOLE,
        "basket": [row.to_json() for row in vector.case.basket],
        "offers": [one.to_json() for one in vector.case.candidates],
    }
    assert price(again).to_json() == price(WHOLE).to_json()


def test_amounts_have_no_upper_limit():
    made = price(case([line("a", 10**30, 10**6)], [percent("P", 3333)]))
    assert made.payable == 10**36 - (10**36 * 3333 + 5000) // 10000
