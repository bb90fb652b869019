"""A member buys on the smallest phone, whose browser runs no script."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.web.conftest import app_settings, works, works_stage  # noqa: F401  fixtures that the street stands on
from tests.web.plaza import Street


def sign_in(page: Page, street: Street) -> None:
    page.context.add_cookies([{"name": "hg", "value": street.plaza.token_of(), "url": street.base}])


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
