"""A price in words: made by the engine, shown to whom it concerns."""

from typing import Any

from api.pages.explain import show_quote
from api.pages.views import QuoteShown
from market.offers.live import Title
from tests.unit.market.pricing.cases import case, line, off, percent, price, save, unit_off

BACK = {"id": "BACK", "stage": "rebate", "kind": "percent_back", "rate_bp": 500}


def show(basket: list[dict[str, Any]], offers: list[dict[str, Any]], **more: Any) -> QuoteShown:
    quote = price(case(basket, offers), **more).to_json()
    titles = {offer["id"]: Title(zh=f"优惠{offer['id']}", en=f"Offer {offer['id']}") for offer in offers}
    return show_quote(
        quote,
        titles=titles,
        language="zh-CN",
        line_names={row["line"]: f"商品{row['line']}" for row in basket},
        rebates={offer["id"] for offer in offers if offer["stage"] == "rebate"},
    )


def test_what_limited_a_step_stands_apart_from_how_it_came_about() -> None:
    (step,) = show([line("a", 1600)], [percent("P", 5000, max_discount=300)]).steps
    assert (step.how, step.limit) == ("1 件共 ¥16.00，减 50%，即 ¥8.00", "最多减 ¥3.00")
    assert step.sentence == f"{step.how}，{step.limit}，由商户让利。"


def test_each_line_shows_every_share_of_every_payer_and_they_close() -> None:
    shared = off("O", 101, "order", sponsor_share_bp=5000)
    shown = show([line("a", 1000), line("b", 500, discountable=False), line("c", 333)], [shared, BACK])
    assert [row.name for row in shown.lines] == ["商品a", "商品b", "商品c"]
    for row in shown.lines:
        assert row.list_fen - row.paid_fen == sum(part.fen for part in row.parts if part.payer != "rebate")
    assert shown.lines[1].parts == ()
    by_payer = {
        payer: sum(part.fen for row in shown.lines for part in row.parts if part.payer == payer)
        for payer in ("merchant", "union", "rebate")
    }
    amounts = shown.amounts
    assert by_payer == {
        "merchant": amounts.concession_fen,
        "union": amounts.subsidy_fen,
        "rebate": amounts.rebate_member_fen,
    }


def test_a_single_line_and_a_price_without_offers_need_no_shares() -> None:
    assert show([line("a", 1000)], [percent("P", 1000)]).lines == ()
    assert show([line("a", 1000), line("b", 1000)], []).lines == ()


def test_hints_say_what_more_brings_and_none_tempts_to_double_the_purchase() -> None:
    basket = [line("a", 900)]
    assert [hint.sentence for hint in show(basket, [save("S", (500, 50), (1000, 120))]).hints] == [
        "再买 ¥1.00，升档减 ¥1.20"
    ]
    assert show(basket, [BACK | {"min_spend": 1000}]).hints[0].sentence == "再买 ¥1.00，可返 ¥0.50"
    assert show(basket, [save("S", (1800, 400))]).hints[0].sentence == "再买 ¥9.00，可减 ¥4.00"
    far = show(basket, [save("S", (1801, 400))])
    assert far.hints == ()
    assert "再买 ¥9.01" in far.not_used[0].sentence


def test_a_price_that_is_not_proved_says_by_how_much() -> None:
    basket = [line(f"s{row}", 997 + 13 * row, 3) for row in range(12)]
    offers = [unit_off(f"u{row}", 31 + 7 * row, match={"skus": [f"s{row}"]}) for row in range(12)]
    offers += [save("O", (35_555, 3_000)), save("R", (35_111, 900), match={"exclude_skus": ["s3"]})]
    shown = show(basket, offers, node_limit=5)
    assert not shown.is_proven
    assert "没能全部比完" in shown.proof
    assert show([line("a", 100)], []).is_proven


def test_a_quote_of_a_sale_from_before_hints_is_shown_too() -> None:
    quote = price(case([line("a", 900)], [percent("P", 1000)])).to_json()
    del quote["hints"]
    shown = show_quote(quote, titles={"P": Title(zh="九折", en="10% off")}, language="en", rebates=())
    assert (shown.hints, shown.steps[0].title) == ((), "10% off")
