"""The pages by themselves, with sample data under the strict policy: axe, the till's keys, the clock, the camera."""

import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import segno
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, Route, expect

from bench.gallery import serving
from tests.browser.conftest import FLAGS
from tests.gallery.frame import Sample, chrome
from tests.gallery.samples import SAMPLES

SCREENS_AND_THEMES = list(itertools.product(("phone", "desk"), ("light", "dark")))
FIRST_OF_EACH = {sample.template: sample.name for sample in reversed(SAMPLES)}.values()
VIEWS = [
    pytest.param(sample, *look, id=f"{sample.name}-{'-'.join(look)}", marks=() if usual else pytest.mark.prove)
    for number, sample in enumerate(SAMPLES)
    for turn, look in enumerate(SCREENS_AND_THEMES)
    for usual in [sample.name in FIRST_OF_EACH and number % 4 == turn]
]


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    with serving() as base:
        yield base


@pytest.mark.parametrize(("sample", "screen", "theme"), VIEWS)
def test_a_page_is_whole_and_open_to_everybody(
    gallery: str, open_page: Callable[..., Page], look_at: Callable[..., None], sample: Sample, screen: str, theme: str
) -> None:
    """Each template once, screens and themes in turn; `make prove` looks at every sample in all four."""
    page = open_page(screen)
    page.goto(f"{gallery}/{sample.name}?theme={theme}")
    look_at(page, sample.name)


@pytest.mark.parametrize("with_scripts", [True, False])
def test_the_link_of_a_receipt_finds_its_own_fingerprint_and_no_other(
    gallery: str, open_page: Callable[..., Page], *, with_scripts: bool
) -> None:
    """The part after # never reaches the server: the browser itself marks what it names."""
    page = open_page("phone", java_script_enabled=with_scripts)
    page.goto(f"{gallery}/check-entry")
    leaf = page.locator(".leaf").get_attribute("id")
    for fragment, is_same in ((leaf, True), ("0" * 64, False), ("", False)):
        page.goto("about:blank")
        page.goto(f"{gallery}/check-entry#{fragment}")
        expect(page.locator(".leaf-same")).to_be_visible(visible=is_same)
        expect(page.locator(".leaf-look")).to_be_visible(visible=not is_same)


@pytest.mark.parametrize(
    "name", ["card", "till", "visit", "visit-quote", "till-code", "record", "receipt", "check-proved"]
)
def test_the_smallest_phone_has_room_in_english_too(
    gallery: str, open_page: Callable[..., Page], look_at: Callable[..., None], name: str
) -> None:
    page = open_page("small phone")
    page.goto(f"{gallery}/{name}?lang=en")
    look_at(page, name)


def test_without_a_choice_the_page_follows_the_device(gallery: str, open_page: Callable[..., Page]) -> None:
    def paper(scheme: str) -> str:
        page = open_page("phone", scheme=scheme)
        page.goto(f"{gallery}/card?theme=auto")
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert (paper("light"), paper("dark")) == ("rgb(251, 248, 244)", "rgb(20, 17, 16)")


def test_the_tills_keys_type_into_the_field_one_touched(gallery: str, open_page: Callable[..., Page]) -> None:
    page = open_page("phone")
    page.goto(f"{gallery}/visit")
    press = page.locator("[data-pad-keys]")
    for key in "0", "1", "6", ".", "5", "0", "9":  # a third place after the point is not taken
        press.locator(f"[data-key='{key}']").tap()
    expect(page.locator("[name=discountable]")).to_have_value("16.50")
    page.locator("[name=other]").tap()
    press.locator("[data-key='2']").tap()
    press.locator("[data-key='.']").tap()
    press.locator("[data-key=back]").tap()
    expect(page.locator("[name=other]")).to_have_value("2")
    assert page.locator("[name=other]").evaluate("field => field.inputMode") == "none"


def test_a_typed_code_is_grouped_as_it_is_read_out(gallery: str, open_page: Callable[..., Page]) -> None:
    page = open_page("phone")
    page.goto(f"{gallery}/till-code")
    page.locator("#code").press_sequentially("48206173")
    expect(page.locator("#code")).to_have_value("4820 6173")
    page.locator("[data-key=back]").tap()
    expect(page.locator("#code")).to_have_value("4820 617")


def test_steppers_keep_to_their_limits(gallery: str, open_page: Callable[..., Page]) -> None:
    page = open_page("phone")
    page.goto(f"{gallery}/sale")
    more = page.locator("[data-for=units-1][data-step='1']")
    for _ in range(4):
        more.tap()
    expect(page.locator("#units-1")).to_have_value("2")


def test_the_price_comes_in_place_and_takes_the_keyboard_with_it(gallery: str, open_page: Callable[..., Page]) -> None:
    page = open_page("phone")
    page.route("**/quote", lambda route: _answer(route, gallery, page, "visit-quote", "quote"))
    page.goto(f"{gallery}/visit")
    page.locator("[name=discountable]").fill("16.00")
    page.get_by_role("button", name="算价钱").tap()
    expect(page.locator(".bill-paid")).to_contain_text("¥15.40")
    expect(page.locator("#work")).to_be_focused()
    expect(page.locator("[name=expected_paid_fen]")).to_have_value("1540")


def test_a_refused_price_is_said_in_place(gallery: str, open_page: Callable[..., Page]) -> None:
    page = open_page("phone")
    page.route("**/quote", lambda route: _answer(route, gallery, page, "visit-error", "quote"))
    page.goto(f"{gallery}/visit")
    page.get_by_role("button", name="算价钱").tap()
    expect(page.get_by_role("alert")).to_contain_text("两个金额都是 0")
    expect(page.locator("[data-pad-keys]")).to_be_visible()


def test_a_lost_network_is_said_in_words(gallery: str, browser: Browser) -> None:
    """Its own page: here Chromium rightly complains in the console."""
    page = browser.new_page()
    page.goto(f"{gallery}/visit")
    expect(page.locator("#trouble")).to_be_hidden()
    page.context.set_offline(True)
    page.get_by_role("button", name="算价钱").click()
    expect(page.locator("#trouble")).to_contain_text("网络不通")
    expect(page.locator("[name=discountable]")).to_be_visible()
    page.close()


def test_a_form_marked_once_is_sent_once(gallery: str, open_page: Callable[..., Page]) -> None:
    page = open_page("phone")
    sent = []
    page.route("**/redeem", lambda route: sent.append(route.request.post_data))  # never answers
    page.goto(f"{gallery}/visit-quote")
    page.get_by_role("button", name="已收").evaluate("button => { button.click(); button.click(); button.click(); }")
    page.wait_for_timeout(300)
    assert len(sent) == 1


def test_the_code_renews_itself_when_it_has_run_out(gallery: str, open_page: Callable[..., Page]) -> None:
    page = open_page("phone")
    page.clock.install()
    asked = []

    def renew(route: Route) -> None:
        asked.append(route.request.headers["hx-request-type"])
        _answer(route, gallery, page, "card", "code")

    page.route("**/card/code", renew)
    page.goto(f"{gallery}/card")
    expect(page.locator("[data-left]")).to_have_text("42")
    page.clock.run_for(30_000)
    assert int(page.locator("[data-left]").inner_text()) in range(11, 14)
    assert asked == []
    page.clock.run_for(13_000)
    expect(page.locator("[data-left]")).to_have_text("42")
    assert asked == ["partial"]


def test_a_visit_that_ran_out_says_what_to_do(gallery: str, open_page: Callable[..., Page]) -> None:
    page = open_page("phone")
    page.clock.install()
    page.goto(f"{gallery}/visit")
    page.clock.run_for(281_000)
    expect(page.locator(".visit-left")).to_have_text("到店超时了，请顾客换一个码再扫。")


def test_the_camera_reads_a_members_code(gallery: str, playwright: Playwright, tmp_path: Path) -> None:
    """A fake camera shows a tilted QR; the vendored reader and its wasm come from our origin, under the policy."""
    text = "HG1:c_7h2k9q:58720391:Qm9vZ2ll"
    film = tmp_path / "camera.y4m"
    film.write_bytes(_film(text))
    flags = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*FLAGS, *flags])
    page = chromium.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.append(request.url) if gallery not in request.url else None)
    page.route("**/till/visits", lambda route: route.fulfill(status=200, body="opened"))
    with page.expect_request("**/till/visits", timeout=20_000) as opened:
        page.goto(f"{gallery}/till-scan")
    assert f"code={text.replace(':', '%3A')}" in (opened.value.post_data or "")
    chromium.close()
    assert said == []


def test_without_javascript_every_form_of_the_till_is_still_there(gallery: str, open_page: Callable[..., Page]) -> None:
    page = open_page("phone", java_script_enabled=False)
    page.goto(f"{gallery}/visit")
    expect(page.locator("[name=discountable]")).to_be_visible()
    expect(page.locator("[data-pad-keys]")).to_be_hidden()
    page.goto(f"{gallery}/till-scan")
    expect(page.locator("[data-scan]")).to_be_hidden()
    expect(page.get_by_role("button", name="上传照片")).to_be_visible()


def _answer(route: Route, gallery: str, page: Page, name: str, block: str) -> None:
    """What the server would answer htmx: one block of a sample."""
    sample = next(each for each in SAMPLES if each.name == name)
    assert chrome(sample)
    headers = {"HX-Request-Type": route.request.headers["hx-request-type"]}
    answer = page.request.get(f"{gallery}/{name}?block={block}", headers=headers)
    route.fulfill(status=answer.status, body=answer.text(), headers={"content-type": "text/html; charset=utf-8"})


def _film(text: str) -> bytes:
    """A few frames of a QR held at an angle, as uncompressed video (YUV4MPEG2)."""
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(drawn, kind="png", scale=7, border=4)
    code = Image.open(drawn).convert("RGB").rotate(9, fillcolor="white", expand=True)
    picture = Image.new("RGB", (640, 480), "#ccc")
    picture.paste(code, ((640 - code.width) // 2, (480 - code.height) // 2))
    light, blue, red = picture.convert("YCbCr").split()
    frame = b"FRAME\n" + light.tobytes() + b"".join(plane.resize((320, 240)).tobytes() for plane in (blue, red))
    return b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420mpeg2\n" + frame * 10
