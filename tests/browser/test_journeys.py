"""The main job as people do it: a member shows his card, an assistant rings it up, both see the same figures.

Two browsers beside each other, on the demo works as an operator runs it.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from market.kit.postgres import Cluster
from tests.browser.looks import some_looks

Open = Callable[..., Page]
Look = Callable[..., None]
Enter = Callable[[Page, str], None]


def yuan_in(place: Locator) -> int:
    """The amount that stands there, in fen."""
    text = place.inner_text().replace(",", "").replace("\n", "")
    found = re.search(r"¥(\d+)\.(\d\d)", text)
    assert found, text
    return int(found[1]) * 100 + int(found[2])


def show_code(member: Page, site: str) -> str:
    """The member opens his card; the eight digits he reads out."""
    member.goto(f"{site}/card")
    return "".join(member.locator(".digits span").all_inner_texts())


def type_code(till: Page, site: str, code: str) -> None:
    """The assistant types the code on the page's own keys."""
    till.goto(f"{site}/till/code")
    for digit in code:
        till.locator(f"[data-pad-keys] [data-key='{digit}']").click()
    expect(till.locator("#code")).to_have_value(f"{code[:4]} {code[4:]}")
    till.locator("form.till-work button.btn-huge").click()
    till.wait_for_url("**/till/visits/*")


def ring_up(till: Page, **wanted: int) -> None:
    """Quantities by the name of the item, with the page's plus keys; then the price."""
    for name, qty in wanted.items():
        row = till.locator(".item", has_text=name)
        for _ in range(qty):
            row.locator("[data-step='1']").click()
    till.locator("#work button.btn-huge").click()
    expect(till.locator(".bill-paid")).to_be_visible()


def confirm(till: Page) -> None:
    """The price is agreed and paid."""
    tick = till.locator("input[name=confirm_unusual]")
    if tick.count():
        tick.check()
    till.locator("form[action$='/redeem'] button").click()
    till.wait_for_url("**/done")


def bill_of(till: Page) -> tuple[int, int, int]:
    """List, discount and paid on the till's screen, in fen."""
    rows = till.locator(".bill > div")
    return yuan_in(rows.nth(0)), yuan_in(rows.nth(1)), yuan_in(rows.nth(2))


@pytest.mark.parametrize(("screen", "scheme", "language"), some_looks())
def test_a_bowl_and_an_egg_from_card_to_receipt(
    open_page: Open, look_at: Look, enter: Enter, site: str, screen: str, scheme: str, language: str
) -> None:
    member = open_page(screen, scheme=scheme, language=language)
    till = open_page(screen, scheme=scheme, language=language)
    enter(member, "member")
    enter(till, "assistant")
    look_at(till, "till")
    code = show_code(member, site)
    look_at(member, "card")
    type_code(till, site, code)
    expect(till.locator("h1")).to_contain_text("赵")
    expect(till.locator("body")).not_to_contain_text("志强")
    look_at(till, "visit")
    ring_up(till, 红烧牛肉面=1, 卤蛋=1)
    list_fen, saved_fen, paid_fen = bill_of(till)
    assert (list_fen, list_fen - saved_fen) == (1800, paid_fen)
    look_at(till, "price")
    confirm(till)
    assert yuan_in(till.locator(".done-paid")) == paid_fen
    check = till.locator(".check-code strong").inner_text()
    look_at(till, "done")
    member.goto(f"{site}/receipts")
    look_at(member, "receipts")
    member.locator(".row-what a").first.click()
    expect(member.locator(".proof")).to_contain_text(check)
    assert yuan_in(member.locator(".step-paid")) == paid_fen
    given = [yuan_in(step) for step in member.locator(".paper-steps .step dd > span").all()]
    assert sum(given) == saved_fen
    look_at(member, "receipt")
    till.goto(f"{site}/till/today")
    expect(till.locator(".sale").first).to_contain_text(check)
    look_at(till, "today")


def test_the_price_on_the_phone_is_the_price_at_the_till(open_page: Open, enter: Enter, site: str) -> None:
    member, till = open_page("phone"), open_page("phone")
    enter(member, "member")
    enter(till, "assistant")
    type_code(till, site, show_code(member, site))
    shop = till.locator(".visit-head .muted").inner_text()
    ring_up(till, 排骨面=2, 豆浆=1)
    member.goto(f"{site}/offers?q={shop}")
    member.locator(".stall-name a").first.click()
    for name, qty in (("排骨面", "2"), ("豆浆", "1")):
        member.locator(".item", has_text=name).locator("input").fill(qty)
    member.locator(".shop-price button.btn-primary").click()
    expect(member.locator(".quote .step-paid")).to_be_visible()
    assert yuan_in(member.locator(".quote .step-paid")) == bill_of(till)[2]


@pytest.mark.parametrize(("screen", "scheme", "language"), some_looks(turn=2))
def test_looking_around_before_buying(
    open_page: Open, look_at: Look, enter: Enter, site: str, screen: str, scheme: str, language: str
) -> None:
    page = open_page(screen, scheme=scheme, language=language)
    enter(page, "member")
    page.goto(f"{site}/offers")
    look_at(page, "offers")
    page.locator("#query").fill("没有这样的店")
    expect(page.locator(".nothing")).to_be_visible()
    look_at(page, "offers none")
    page.goto(f"{site}/offers")
    page.locator(".stall-name a").last.click()
    look_at(page, "shop")
    field = page.locator(".shop-price input").last
    field.fill("1.234")
    page.locator(".shop-price button.btn-primary").click()
    expect(page.locator("#quote [role=alert]")).to_be_visible()
    field.fill("30")
    page.locator(".shop-price button.btn-primary").click()
    expect(page.locator(".quote .step-paid")).to_be_visible()
    look_at(page, "price")


def test_the_qr_on_the_card_is_read_from_a_photo(open_page: Open, enter: Enter, site: str, tmp_path: Path) -> None:
    member, till = open_page("phone"), open_page("phone")
    enter(member, "member")
    enter(till, "assistant")
    member.goto(f"{site}/card")
    photo = tmp_path / "photo.png"
    member.locator(".stub").screenshot(path=photo, caret="initial")
    till.goto(f"{site}/till/scan")
    till.locator("#photo").set_input_files(photo)  # choosing it sends it
    till.wait_for_url("**/till/visits/*")
    expect(till.locator("h1")).to_contain_text("赵")


def test_the_whole_job_without_javascript(open_page: Open, look_at: Look, enter: Enter, site: str) -> None:
    member = open_page("phone", java_script_enabled=False)
    till = open_page("phone", java_script_enabled=False)
    enter(member, "member")
    enter(till, "assistant")
    code = show_code(member, site)
    till.goto(f"{site}/till/code")
    till.locator("#code").fill(code)
    till.locator("form.till-work button.btn-huge").click()
    till.locator(".item", has_text="担担面").locator("input").fill("1")
    till.locator("#work button.btn-huge").click()
    paid_fen = bill_of(till)[2]
    confirm(till)
    assert yuan_in(till.locator(".done-paid")) == paid_fen
    member.goto(f"{site}/receipts")
    assert yuan_in(member.locator(".row-sum").first) == paid_fen


def test_a_void_is_seen_by_both(open_page: Open, look_at: Look, enter: Enter, site: str) -> None:
    member, till = open_page("phone", scheme="dark"), open_page("phone", scheme="dark")
    enter(member, "member")
    enter(till, "assistant")
    type_code(till, site, show_code(member, site))
    ring_up(till, 豆浆=3)
    confirm(till)
    till.on("dialog", lambda dialog: dialog.accept())
    till.locator("form[action$='/void'] button").click()
    expect(till.locator("h1")).to_have_text("已撤销")
    look_at(till, "void")
    member.goto(f"{site}/receipts")
    member.locator(".row-what a").first.click()
    expect(member.locator(".paper-head")).to_contain_text("已撤销")
    look_at(member, "receipt")


def test_an_egg_goes_back_with_the_buyer_s_code(open_page: Open, look_at: Look, enter: Enter, site: str) -> None:
    member, till = open_page("phone"), open_page("phone")
    enter(member, "member")
    enter(till, "assistant")
    type_code(till, site, show_code(member, site))
    ring_up(till, 卤蛋=2)
    confirm(till)
    till.goto(till.url.removesuffix("/done"))
    till.locator(".refund [data-step='1']").first.click()
    till.locator("form[action$='/preview'] button.btn-lg").click()
    back_fen = yuan_in(till.locator(".refund-go .bill-paid"))
    look_at(till, "refund")
    till.locator("#member-code").fill(show_code(member, site))
    till.locator(".refund-go button").click()
    expect(till.locator(".notice")).to_be_visible()
    look_at(till, "refunded")
    member.goto(f"{site}/receipts")
    member.locator(".row-what a").first.click()
    expect(member.locator(".paper-note").first).to_contain_text(f"{back_fen // 100}.{back_fen % 100:02}")


def test_the_code_is_fetched_anew_when_it_runs_out(open_page: Open, enter: Enter, site: str) -> None:
    page = open_page("phone")
    enter(page, "member")
    page.clock.install()
    page.goto(f"{site}/card")
    with page.expect_response("**/card/code") as fetched:
        page.clock.run_for(61_000)
    assert fetched.value.status == 200
    expect(page.locator(".digits")).to_be_visible()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_refusals_fit_the_smallest_phone(
    open_page: Open, look_at: Look, enter: Enter, site: str, language: str
) -> None:
    page = open_page("small phone", language=language)
    enter(page, "assistant")
    page.goto(f"{site}/till/code")
    page.locator("#code").fill("00000000")
    page.locator("form.till-work button.btn-huge").click()
    expect(page.locator("#problem")).to_be_visible()
    look_at(page, "wrong code")
    page.goto(f"{site}/till/visits/00000000-0000-0000-0000-000000000000")
    expect(page.locator(".refused")).to_be_visible()
    look_at(page, "unknown visit")
    page.goto(f"{site}/till/scan")
    look_at(page, "scan")


@pytest.fixture
def thaw(site: str, cluster: Cluster) -> Iterator[None]:
    """Afterwards the demo member's card is usable again, as if the union's desk had looked at him."""
    yield
    with psycopg.connect(cluster.url("site").replace("+psycopg", "")) as past_the_code:
        past_the_code.execute("UPDATE card SET state = 'active' WHERE state = 'frozen'")


def test_a_frozen_card_says_what_to_do(open_page: Open, look_at: Look, enter: Enter, site: str, thaw: None) -> None:
    page = open_page("phone")
    enter(page, "member")
    page.goto(f"{site}/card")
    page.locator("details.freeze summary").click()
    look_at(page, "before")
    page.locator("details.freeze button").click()
    expect(page.locator(".stub-off")).to_be_visible()
    expect(page.locator(".digits")).to_have_count(0)
    look_at(page, "frozen")
