"""A member buys on a phone: from the basket of two merchants through the sandbox's own page to paid, and fetches it with the slip."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from api import handing_out
from market.kit.clock import now
from tests.web.conftest import app_settings, works  # noqa: F401  fixtures that the street stands on
from tests.web.plaza import Street


def sign_in(page: Page, street: Street) -> None:
    page.context.add_cookies([{"name": "hg", "value": street.plaza.token_of(), "url": street.base}])


def pay(page: Page, street: Street, merchant: str, method: str) -> None:
    """By the button of this merchant's order to the page of the provider, and back."""
    page.locator(".order-card", has_text=merchant).get_by_role("button", name="付款").click()
    page.locator(f"input[name=method][value={method}]").check(force=True)
    page.locator("form button").last.click()
    page.wait_for_url(f"{street.base}/orders/**")
    street.settle()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_merchants_are_paid_by_wechat_pay_and_alipay_and_fetched(
    street: Street, open_page: Callable[..., Page], look_at: Callable[..., None], scheme: str
) -> None:
    page = open_page("phone", scheme=scheme)
    sign_in(page, street)
    page.goto(f"{street.base}/shop?q=dianfanbao")
    page.get_by_role("link", name="电饭煲").click()
    look_at(page, "product")
    page.get_by_role("button", name="放进购物篮").click()
    expect(page.get_by_text("已放进购物篮")).to_be_visible()
    page.goto(f"{street.base}/shop/m_0003/oil")
    page.get_by_role("button", name="马上买").click()
    oil = page.locator(".ware", has_text="花生油")
    with page.expect_response("**/shop/basket"):
        oil.get_by_role("button", name="加一件花生油").click()
    expect(oil.get_by_role("spinbutton")).to_have_value("2")
    with page.expect_response("**/shop/basket"):
        oil.get_by_role("button", name="移出花生油").click()
    with page.expect_response("**/shop/basket"):
        page.get_by_role("button", name="放回去").click()
    for block in page.locator(".basket-block").all():
        block.locator(".way", has_text="一号门自提点").click()
    look_at(page, "basket")
    page.get_by_role("button", name="下单").click()
    expect(page.get_by_role("heading", name="还要付")).to_be_visible()
    look_at(page, "orders to pay")

    pay(page, street, "红双喜电器", "wechat_pay")
    page.goto(f"{street.base}/orders")
    pay(page, street, "惠民超市", "alipay")
    page.goto(f"{street.base}/orders")
    expect(page.get_by_text("备货中")).to_have_count(2)

    number = page.locator(".order-card", has_text="红双喜电器").locator("h2 a").get_attribute("href")
    assert number is not None
    handing_out.mark_ready(staff_id=street.plaza.owners["m_0002"], numbers=[number.removeprefix("/orders/")], at=now())
    page.locator(".order-card", has_text="红双喜电器").get_by_role("link").first.click()
    expect(page.locator(".slip.is-ready .digits")).to_be_visible()
    look_at(page, "ready")
    page.get_by_role("link", name="电子小票").click()
    expect(page.get_by_text("工会补贴")).to_be_visible()


def test_everything_works_without_a_script_and_at_320_px(
    street: Street, open_page: Callable[..., Page], look_at: Callable[..., None]
) -> None:
    page = open_page("small phone", java_script_enabled=False)
    sign_in(page, street)
    street.put_in("oil")
    page.goto(f"{street.base}/shop/basket")
    page.get_by_role("button", name="加一件花生油").click()
    expect(page.get_by_role("spinbutton")).to_have_value("2")
    page.locator(".way", has_text="二炼钢食堂").click()
    page.get_by_role("button", name="下单").click()
    expect(page.get_by_role("heading", name="还要付")).to_be_visible()
    page.get_by_role("button", name="付款").click()
    page.locator("input[name=method][value=alipay]").check(force=True)
    page.locator("form button").last.click()
    page.wait_for_url(f"{street.base}/orders/**")
