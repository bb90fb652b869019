"""Pictures: true to their numbers, readable aloud, the same each time."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages import charts
from api.pages.pictures import CATEGORIES, category
from api.pages.storefront import storefront
from api.pages.views import Amounts, HourCount, MonthAmounts, MonthFen

NAMES = ("让利", "补贴", "实付")


def month(number: int, list_fen: int, concession_fen: int, subsidy_fen: int) -> MonthAmounts:
    paid = list_fen - concession_fen - subsidy_fen
    amounts = Amounts(list_fen=list_fen, concession_fen=concession_fen, subsidy_fen=subsidy_fen, paid_fen=paid)
    return MonthAmounts(month_on=date(2026, number, 1), amounts=amounts, sales_count=1)


def heights(svg: str, css: str) -> list[int]:
    return [int(height) for height in re.findall(rf'<rect class="chart-bar {css}[^"]*"[^>]* height="(\d+)"', svg)]


def test_bars_are_as_tall_as_their_values() -> None:
    svg = charts.bars("zh-CN", "省下", [("6月", 5_000), ("7月", 10_000), ("8月", 0)])
    small, large, none = heights(svg, "tone-brand")
    assert (small * 2, none) == (large, 0)


def test_a_stack_is_cut_by_who_bears_it() -> None:
    svg = charts.stacks("zh-CN", "标价", [month(6, 100_000, 25_000, 25_000)], NAMES)
    paid, subsidy, concession = (heights(svg, f"part-{name}")[0] for name in ("paid", "subsidy", "concession"))
    assert paid + subsidy + concession == charts.FLOOR - charts.CEILING
    assert abs(paid - 2 * subsidy) <= 1 >= abs(paid - 2 * concession)


def test_a_month_with_more_given_back_than_sold_is_drawn_as_nothing() -> None:
    svg = charts.stacks("zh-CN", "标价", [month(6, -100, -10, -10), month(7, 1000, 100, 100)], NAMES)
    assert heights(svg, "part-paid")[0] == 0


def test_an_hour_without_a_sale_is_a_gap() -> None:
    svg = charts.hours_bars("zh-CN", "忙", [HourCount(hour=13, sales_count=2), HourCount(hour=11, sales_count=4)])
    assert heights(svg, "tone-amber")[1] == 0
    assert re.findall(r"<desc[^>]*>([^<]*)<", svg) == ["11 4; 12 0; 13 2"]


@pytest.mark.parametrize(
    "empty",
    [
        charts.hours_bars("en", "x", []),
        charts.months_bars("en", "x", []),
        charts.stacks("en", "x", [], NAMES),
        charts.meter(0, 0),
        charts.share(0, 0, 0),
    ],
)
def test_nothing_can_be_drawn(empty: str) -> None:
    assert empty.startswith("<svg")


def test_a_picture_tells_its_numbers_aloud_and_escapes_them() -> None:
    svg = charts.bars("en", "a < b", [("<x>", 1540)])
    assert "<title" in svg
    assert "&lt;x&gt; ¥15.40" in svg
    assert "<x>" not in svg


def test_months_are_named_in_the_readers_language() -> None:
    item = MonthFen(month_on=date(2026, 6, 1), fen=100)
    assert ">6月<" in charts.months_bars("zh-CN", "t", [item])
    assert ">Jun<" in charts.months_bars("en", "t", [item])


@given(st.integers(-100, 10**9), st.integers(0, 10**9))
def test_a_meter_never_leaves_its_track(part: int, whole: int) -> None:
    filled = re.search(r'meter-fill[^>]* width="(\d+)\.(\d\d)%"', charts.meter(part, whole))
    assert filled is not None
    assert 0 <= int(filled[1]) * 100 + int(filled[2]) <= 10_000


def test_a_qr_code_holds_its_text() -> None:
    """Drawn back to pixels and read by an independent reader."""
    import zxingcpp  # noqa: PLC0415
    from PIL import Image, ImageDraw  # noqa: PLC0415

    text = "HG1:c_7h2k9q:58720391:Qm9vZ2ll"
    svg = charts.qr(text)
    size = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1])  # type: ignore[index]
    image = Image.new("L", (size * 8, size * 8), 255)
    pen = ImageDraw.Draw(image)
    x, y = 0, 0
    for command, numbers in re.findall(r"([Mmh])([\d.\s-]+)", re.search(r'stroke="#0b1220"[^>]* d="([^"]+)"', svg)[1]):  # type: ignore[index]
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if command == "h":
            pen.rectangle((x * 8, int(y) * 8, (x + values[0]) * 8 - 1, int(y) * 8 + 7), fill=0)
            x += values[0]  # type: ignore[assignment]
        else:
            x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])  # type: ignore[assignment]
    assert [found.text for found in zxingcpp.read_barcodes(image)] == [text]


def test_a_shop_keeps_its_face_and_neighbours_differ() -> None:
    assert storefront("food", "老周面馆") == storefront("food", "老周面馆")
    faces = {storefront("food", f"面馆 {number}") for number in range(40)}
    assert len(faces) > 10


@pytest.mark.parametrize("code", [*CATEGORIES, "nobody-drew-this"])
def test_every_category_has_a_face(code: str) -> None:
    assert f"tint-{category(code).tint}" in storefront(code, "店")
