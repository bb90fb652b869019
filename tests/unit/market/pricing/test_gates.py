import pytest

from tests.unit.market.pricing.cases import amounts, case, line, percent, price, reasons

NOODLES = [line("noodles", 1000)]


def outcome(offer, basket=None, **more):
    made = price(case(basket or NOODLES, [offer], **more))
    return reasons(made).get("A", "applied")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-30T23:59:59.999999+08:00", "NOT_STARTED"),
        ("2026-12-01T00:00:00+08:00", "applied"),
        ("2026-11-30T16:00:00Z", "applied"),  # the same instant
        ("2026-12-31T23:59:59+08:00", "applied"),
        ("2027-01-01T00:00:00+08:00", "EXPIRED"),
    ],
)
def test_a_window_is_half_open(now, expected):
    window = {"from": "2026-12-01T00:00:00+08:00", "to": "2027-01-01T00:00:00+08:00"}
    assert outcome(percent("A", 1000, window=window), now=now) == expected


# 30 November 2026 is a Monday.
@pytest.mark.parametrize(
    ("now", "weekdays", "hours", "expected"),
    [
        ("2026-12-01T10:59:59+08:00", None, [["11:00", "13:00"]], "OUTSIDE_HOURS"),
        ("2026-12-01T11:00:00+08:00", None, [["11:00", "13:00"]], "applied"),
        ("2026-12-01T12:59:59+08:00", None, [["11:00", "13:00"]], "applied"),
        ("2026-12-01T13:00:00+08:00", None, [["11:00", "13:00"]], "OUTSIDE_HOURS"),
        ("2026-12-01T17:30:00+08:00", None, [["11:00", "13:00"], ["17:00", "24:00"]], "applied"),
        ("2026-12-01T23:59:00+08:00", None, [["17:00", "24:00"]], "applied"),
        ("2026-12-01T12:00:00+08:00", [2], None, "applied"),
        ("2026-12-01T12:00:00+08:00", [1, 3, 4, 5, 6, 7], None, "OUTSIDE_HOURS"),
        # A pair that passes midnight belongs to the weekday on which it began.
        ("2026-12-01T01:59:00+08:00", [1], [["20:00", "02:00"]], "applied"),
        ("2026-12-01T02:00:00+08:00", [1], [["20:00", "02:00"]], "OUTSIDE_HOURS"),
        ("2026-12-01T01:59:00+08:00", [2], [["20:00", "02:00"]], "OUTSIDE_HOURS"),
        ("2026-12-01T20:00:00+08:00", [2], [["20:00", "02:00"]], "applied"),
        ("2026-11-30T01:00:00+08:00", [7], [["20:00", "02:00"]], "applied"),  # Monday after midnight is Sunday's
    ],
)
def test_weekdays_and_hours(now, weekdays, hours, expected):
    offer = percent("A", 1000) | ({"weekdays": weekdays} if weekdays else {}) | ({"hours": hours} if hours else {})
    assert outcome(offer, now=now) == expected


def test_hours_are_those_of_the_zone():
    offer = percent("A", 1000, hours=[["11:00", "13:00"]])
    assert outcome(offer, now="2026-12-01T04:00:00Z") == "applied"
    assert outcome(offer | {"zone": "UTC"}, now="2026-12-01T04:00:00Z") == "OUTSIDE_HOURS"


def test_channels():
    assert outcome(percent("A", 1000, channels=["online"])) == "WRONG_CHANNEL"
    assert outcome(percent("A", 1000, channels=["online"]), channel="online") == "applied"


@pytest.mark.parametrize(
    ("audience", "member", "expected"),
    [
        ({"branch": ["rolling", "steel"]}, {"branch": "steel"}, "applied"),
        ({"branch": ["rolling"]}, {"branch": "steel"}, "AUDIENCE"),
        ({"branch": ["rolling"]}, {}, "AUDIENCE"),
        ({"tags": ["model-worker"]}, {"tags": ["veteran", "model-worker"]}, "applied"),
        ({"tags": ["model-worker"]}, {"tags": []}, "AUDIENCE"),
        ({"branch": ["rolling"], "grade": ["a"]}, {"branch": "rolling", "grade": "b"}, "AUDIENCE"),
        ({"level": [1]}, {"level": 1}, "applied"),
        ({"level": [1]}, {"level": True}, "AUDIENCE"),  # true is not 1
        ({"retired": [True]}, {"retired": True}, "applied"),
    ],
)
def test_audience(audience, member, expected):
    assert outcome(percent("A", 1000, audience=audience), member=member) == expected


@pytest.mark.parametrize(
    ("match", "shop", "expected"),
    [
        ({"any": True}, None, "applied"),
        ({"skus": ["noodles"]}, None, "applied"),
        ({"skus": ["rice"]}, None, "NO_MATCHING_ITEM"),
        ({"skus": ["rice"], "categories": ["goods"]}, None, "applied"),  # any listed hit suffices
        ({"categories": ["goods"], "exclude_skus": ["noodles"]}, None, "ITEM_EXCLUDED"),
        ({"merchants": ["M1"]}, None, "applied"),  # only a scope given is any item
        ({"merchants": ["M2"]}, None, "WRONG_SHOP"),
        ({"skus": ["rice"], "merchants": ["M2"]}, None, "NO_MATCHING_ITEM"),
        ({"shops": ["S1"]}, "S1", "applied"),
        ({"shops": ["S1"]}, "S2", "WRONG_SHOP"),
        ({"shops": ["S1"]}, None, "WRONG_SHOP"),
        ({"shops": ["S1"], "merchants": ["M2"]}, "S1", "WRONG_SHOP"),
        ({"skus": ["rice"], "shops": ["S2"]}, "S1", "NO_MATCHING_ITEM"),
        ({"exclude_skus": ["rice"]}, None, "applied"),
    ],
)
def test_items_and_scope(match, shop, expected):
    assert outcome(percent("A", 1000, match=match), **({"shop": shop} if shop else {})) == expected


def test_merchants_are_a_scope_and_the_items_must_hit_as_well():
    basket = [
        line("a", 1600, categories=("noodles",)),
        line("b", 1600, categories=("noodles",), merchant="M2"),
        line("c", 800),
    ]
    made = price(case(basket, [percent("A", 1000, match={"categories": ["noodles"], "merchants": ["M1"]})]))
    assert [row.line_discount for row in made.lines] == [160, 0, 0]


def test_a_line_that_is_not_discountable_is_invisible_to_every_offer():
    hidden = [line("noodles", 1000, discountable=False)]
    assert outcome(percent("A", 1000), hidden) == "NO_MATCHING_ITEM"
    made = price(case([*hidden, line("egg", 200)], [percent("A", 1000, "subsidy")]))
    assert amounts(made) == {"A": 20}


def test_a_stored_outcome_replaces_all_gates():
    shut = percent("A", 1000, channels=["online"], audience={"branch": ["rolling"]}, hours=[["01:00", "02:00"]])
    assert outcome(shut | {"gate": None}) == "applied"
    assert outcome(percent("A", 1000, gate="CARD_INVALID")) == "CARD_INVALID"
    assert outcome(percent("A", 1000, gate="NOT_STARTED")) == "NOT_STARTED"


def test_consent():
    ask = percent("A", 1000, consent="ask")
    assert outcome(ask) == "NOT_ACCEPTED"
    assert outcome(ask, accepted=["A"]) == "applied"
    assert outcome(ask, accepted=["A"], declined=["A"]) == "DECLINED"
    assert outcome(percent("A", 1000), declined=["A"]) == "DECLINED"


def test_a_standing_of_nothing_shuts_out():
    assert outcome(percent("A", 1000, uses_remaining=0)) == "QUOTA_EXHAUSTED"
    assert outcome(percent("A", 1000, uses_remaining=1)) == "applied"
    assert outcome(percent("A", 1000, member_amount_remaining=0)) == "QUOTA_EXHAUSTED"
    assert outcome(percent("A", 1000, budget_remaining=0)) == "BUDGET_EXHAUSTED"


def test_of_several_reasons_the_first_in_order_of_precedence_is_given():
    everything = {
        "window": {"from": "2027-01-01T00:00:00+08:00"},
        "channels": ["online"],
        "match": {"skus": ["rice"]},
        "audience": {"branch": ["x"]},
        "consent": "ask",
        "uses_remaining": 0,
        "budget_remaining": 0,
    }
    offer = percent("A", 1000, **everything)
    for field, reason in [
        ("window", "NOT_STARTED"),
        ("channels", "WRONG_CHANNEL"),
        ("audience", "AUDIENCE"),
        ("consent", "NOT_ACCEPTED"),
        ("uses_remaining", "QUOTA_EXHAUSTED"),
        ("budget_remaining", "BUDGET_EXHAUSTED"),
        ("match", "NO_MATCHING_ITEM"),
    ]:
        assert outcome(offer) == reason
        del offer[field]
    assert outcome(offer) == "applied"


def test_a_wrong_shop_comes_before_the_audience_and_after_the_channel():
    offer = percent("A", 1000, match={"shops": ["S9"]}, audience={"branch": ["x"]})
    assert outcome(offer) == "WRONG_SHOP"
    assert outcome(offer | {"channels": ["online"]}) == "WRONG_CHANNEL"
    assert outcome(offer | {"gate": "AUDIENCE"}) == "WRONG_SHOP"
