"""An offer from the form to the public page: an officer writes it, the owner signs, a second officer approves, everybody reads it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import LOOKS, some_looks

Open = Callable[..., Page]
Look = Callable[..., None]
Enter = Callable[[Page, str], None]


@pytest.mark.parametrize(("screen", "scheme", "language"), some_looks(turn=3))
def test_an_offer_is_written_with_its_price_beside_it(
    open_page: Open, look_at: Look, enter: Enter, site: str, screen: str, scheme: str, language: str
) -> None:
    page = open_page(screen, scheme=scheme, language=language)
    enter(page, "officer")
    page.goto(f"{site}/desk/offers")
    look_at(page, "list")
    page.goto(f"{site}/desk/offers/new")
    look_at(page, "kinds")
    page.locator("button[value='line.percent_off']").click()
    page.wait_for_url("**/desk/drafts/*")
    expect(page.locator(".example")).to_have_count(0)
    with page.expect_response("**/desk/drafts/*") as answered:
        page.locator("#in-rate").fill("20")
    assert answered.value.status == 200
    page.locator("[name=merchant]").first.fill("m001")
    expect(page.locator(".example").first).to_be_visible()
    expect(page.locator(".todo a[href='#box-merchant']")).to_have_count(0)
    expect(page.locator(".outlook")).to_contain_text("20%")
    # Typing goes on in the box where it was.
    expect(page.locator("[name=merchant]").first).to_be_focused()
    look_at(page, "form")
    page.locator("button[formaction$='/submit']").click()
    expect(page.locator("#wrong-title")).to_be_visible()
    look_at(page, "refused")
    page.locator("#in-title").fill("面馆八折")
    page.locator("#in-title_en").fill("Noodles 20% off")
    page.locator("button[formaction$='/submit']").click()
    page.wait_for_url(re.compile(r"/desk/offers/o_\w+/1$"))
    expect(page.locator(".signatures .pill-amber")).to_be_visible()
    look_at(page, "submitted")


def test_the_form_works_without_javascript(open_page: Open, enter: Enter, site: str) -> None:
    page = open_page("phone", java_script_enabled=False)
    enter(page, "officer")
    page.goto(f"{site}/desk/offers/new")
    page.locator("button[value='order.spend_save']").click()
    page.locator("[name='tier.min']").first.fill("30")
    page.locator("[name='tier.off']").first.fill("3")
    page.locator("[name=merchant]").first.fill("m001")
    page.locator(".writing-do button").first.click()
    expect(page.locator(".example").first).to_be_visible()
    expect(page.locator("[name='tier.min']").first).to_have_value("30")
    draft = page.url
    page.locator("form[action='/desk/dry-runs'] button").click()
    page.wait_for_url(re.compile(r"/desk/dry-runs/[0-9a-f-]{36}$"))
    page.goto(draft)
    page.locator("form[action$='/discard'] button").click()
    expect(page.locator(".notice")).to_be_visible()
    page.locator("form[action$='/restore'] button").first.click()
    expect(page.locator("[name='tier.off']").first).to_have_value("3")


def test_signed_by_the_owner_and_approved_by_another_it_is_public(
    open_page: Open, look_at: Look, enter: Enter, site: str
) -> None:
    officer = open_page("desk")
    enter(officer, "officer")
    address = f"{site}/desk/offers/m001_evening/1"
    officer.goto(address)
    expect(officer.locator("form[action$='/approve']")).to_have_count(0)
    # The owner sees what he is to sign, with examples; once signed it waits no more, so both looks come first.
    for screen, scheme, language in (LOOKS[3], LOOKS[0]):
        owner = open_page(screen, scheme=scheme, language=language)
        enter(owner, "owner")
        owner.goto(f"{site}/merchant/offers")
        expect(owner.locator(".example").first).to_be_visible()
        look_at(owner, f"to sign {screen}")
    owner.locator("form[action='/merchant/offers/m001_evening/1/sign'] button").click()
    expect(owner.locator(".notice")).to_be_visible()
    look_at(owner, "signed")
    officer.goto(address)
    officer.locator("form[action$='/approve'] button").click()
    expect(officer.locator(".notice")).to_be_visible()
    look_at(officer, "approved")
    officer.locator("#end-reason").fill("试验结束")
    officer.locator("form[action$='/end'] button").click()
    officer.wait_for_url("**/m001_evening/2")
    look_at(officer, "end proposed")
    anybody = open_page("phone", scheme="dark", language="en")
    anybody.goto(f"{site}/record/offers/m001_evening")
    expect(anybody.locator(".history > li")).to_have_count(1)
    look_at(anybody, "public")
    anybody.goto(f"{site}/record/offers/u_welcome")
    expect(anybody.locator(".changes li").first).to_be_visible()
    look_at(anybody, "history")
    anybody.goto(f"{site}/record/offers")
    look_at(anybody, "public list")
