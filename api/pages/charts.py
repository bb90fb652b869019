"""Pictures drawn on the server as SVG: bars, stacks, meters, the QR code, a shop front for shops without a photo.

They carry no inline style (the Content-Security-Policy forbids it): colours come from classes in static/css/app.css,
widths are percentages, so text keeps its size while the picture follows the page. Each picture has a title and a
description for screen readers, and a page that shows one also shows its numbers in words or in a table.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from zlib import crc32

import segno
from markupsafe import Markup

from api.pages import i18n
from api.pages.flow import flow
from api.pages.i18n import Language
from api.pages.product_face import product_face
from api.pages.stock_bar import stock_bar
from api.pages.storefront import storefront
from api.pages.swings import swings
from api.pages.views.member import MonthFen
from api.pages.views.shared import DayAmounts, MonthAmounts
from api.pages.views.till import HourCount

HEIGHT = 192
FLOOR = 164  # the y of the zero line; labels stand below it
CEILING = 22  # figures stand above a bar of full height


def pictures(language: Language) -> Mapping[str, Callable[..., Markup]]:
    """The pictures a template may draw, bound to its language."""
    return {
        "months_bars": partial(months_bars, language),
        "due_bars": partial(due_bars, language),
        "hours_bars": partial(hours_bars, language),
        "stacks": partial(stacks, language),
        "swings": partial(swings, language),
        "meter": meter,
        "share": share,
        "storefront": storefront,
        "stock_bar": stock_bar,
        "product_face": product_face,
        "ring": ring,
        "flow": flow,
    }


def qr(text: str) -> Markup:
    """A QR code (ISO 18004, level M) that scales with its box; dark on white in every theme so that cameras read it."""
    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(border=2, omitsize=True, light="#fff", dark="#0b1220", svgclass="qr", lineclass=None)
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704


def months_bars(language: Language, title: str, months: Sequence[MonthFen]) -> Markup:
    """One green bar per month; the last one is the present."""
    items = [(i18n.month_short(item.month_on, language), item.fen) for item in months]
    return bars(language, title, items, tone="green")


def due_bars(language: Language, title: str, months: Sequence[MonthAmounts]) -> Markup:
    """What merchants have to give back, one amber bar per month."""
    items = [(i18n.month_short(item.month_on, language), item.amounts.rebate_fen) for item in months]
    return bars(language, title, items, tone="amber")


def hours_bars(language: Language, title: str, hours: Sequence[HourCount]) -> Markup:
    """One bar per hour from the first to the last with a sale; an hour without any is a gap."""
    counts = {item.hour: item.sales_count for item in hours}
    span = range(min(counts), max(counts) + 1) if counts else range(0)
    return bars(language, title, [(f"{hour:02d}", counts.get(hour, 0)) for hour in span], money=False, tone="amber")


def bars(
    language: Language, title: str, items: Sequence[tuple[str, int]], *, money: bool = True, tone: str = "brand"
) -> Markup:
    """One bar per (label, value); the last one stands out as the present. Values are fen, or counts when not `money`."""
    top = max((value for _, value in items), default=0)
    step = 10_000 // max(1, len(items))
    width = min(step * 62 // 100, 900)
    every = 1 if len(items) <= 12 else 3 if len(items) <= 24 else 5
    parts = [f'<line class="chart-floor" x1="0" x2="100%" y1="{FLOOR}" y2="{FLOOR}"/>']
    told = []
    for position, (label, value) in enumerate(items):
        middle = step * position + step // 2
        height = _height(value, top)
        here = " is-now" if position == len(items) - 1 else ""
        shown = i18n.yuan_short(value, language) if money else f"{value:,}"
        parts.append(_bar(f"chart-bar tone-{tone}{here}", middle, width, FLOOR - height, height, rounded=True))
        if len(items) <= 12 and value:
            parts.append(_text(shown, middle, FLOOR - height - 7, "chart-figure" + here))
        if (len(items) - 1 - position) % every == 0:
            parts.append(_text(label, middle, FLOOR + 19, "chart-label" + here))
        told.append(f"{label} {i18n.yuan(value) if money else value}")
    return _frame(title, told, parts)


def stacks(language: Language, title: str, items: Sequence[MonthAmounts | DayAmounts], names: Sequence[str]) -> Markup:
    """List price as paid + subsidy + concession, one stack for each month or day.

    `names` are the words for concession, subsidy and paid, in this order. Parts below zero (more given back than sold
    on that day) are drawn as nothing; the table beside the picture has the figures.
    """
    top = max((item.amounts.list_fen for item in items), default=0)
    step = 10_000 // max(1, len(items))
    width = min(step * 62 // 100, 700)
    every = 1 if len(items) <= 12 else 3 if len(items) <= 24 else 5
    parts, told = _scale(top, language), []
    for position, item in enumerate(items):
        middle = step * position + step // 2
        label = i18n.month_short(item.month_on, language) if isinstance(item, MonthAmounts) else str(item.on.day)
        y, sum_fen = FLOOR, 0
        amounts = (
            ("paid", item.amounts.paid_fen),
            ("subsidy", item.amounts.subsidy_fen),
            ("concession", item.amounts.concession_fen),
        )
        for name, fen in amounts:
            sum_fen += max(0, fen)
            height = y - (
                FLOOR - _height(sum_fen, top)
            )  # cut from the running sum, so that the stack ends where it must
            y -= height
            parts.append(_bar(f"chart-bar part-{name}", middle, width, y, height, rounded=name == "concession"))
        if (len(items) - 1 - position) % every == 0:
            parts.append(_text(label, middle, FLOOR + 19, "chart-label"))
        words = zip(names, reversed(amounts), strict=True)
        told.append(f"{label}: " + ", ".join(f"{word} {i18n.yuan(fen)}" for word, (_, fen) in words))
    return _frame(title, told, parts)


def meter(part: int, whole: int, tone: str = "brand") -> Markup:
    """A flat bar filled to part / whole; the numbers stand in words beside it."""
    filled = 0 if whole <= 0 else max(0, min(10_000, part * 10_000 // whole))
    return Markup(  # noqa: S704
        '<svg class="meter" aria-hidden="true" focusable="false" width="100%" height="10">'
        '<rect class="meter-track" width="100%" height="10" rx="5"/>'
        f'<rect class="meter-fill tone-{escape(tone)}" width="{_percent(filled)}" height="10" rx="5"/></svg>'
    )


def share(concession_fen: int, subsidy_fen: int, paid_fen: int) -> Markup:
    """One flat bar of the list price, cut by who bears it."""
    whole = concession_fen + subsidy_fen + paid_fen
    parts, x = [], 0
    for name, fen in (("paid", paid_fen), ("subsidy", subsidy_fen), ("concession", concession_fen)):
        width = 0 if whole <= 0 else max(0, fen) * 10_000 // whole
        parts.append(f'<rect class="part-{name}" x="{_percent(x)}" width="{_percent(width)}" height="12"/>')
        x += width
    return Markup(  # noqa: S704
        f'<svg class="meter share" aria-hidden="true" focusable="false" width="100%" height="12">{"".join(parts)}</svg>'
    )


def ring() -> Markup:
    """The ring of a countdown, full; static/js/countdown.js lets it run out."""
    return Markup(
        '<svg class="ring" viewBox="0 0 36 36" aria-hidden="true" focusable="false">'
        '<circle class="ring-track" cx="18" cy="18" r="16" pathLength="100"/>'
        '<circle class="ring-left" cx="18" cy="18" r="16" pathLength="100" stroke-dasharray="100" transform="rotate(-90 18 18)"/></svg>'
    )


def _scale(top: int, language: Language) -> list[str]:
    """Three quiet lines with their amounts: zero, half, full."""
    parts = []
    for part in (0, 1, 2):
        y = FLOOR - _height(top * part // 2, top)
        parts.append(f'<line class="chart-floor" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        if part == 2 and top:  # the half line has no figure: it would stand on the bars
            parts.append(
                f'<text class="chart-scale" x="0" y="{y - 4}">¥{escape(i18n.yuan_short(top, language))}</text>'
            )
    return parts


def _height(value: int, top: int) -> int:
    """The height of a bar in pixels; anything above zero stays visible."""
    if value <= 0 or top <= 0:
        return 0
    return max(2, (FLOOR - CEILING) * value // top)


def _bar(css: str, middle: int, width: int, y: int, height: int, *, rounded: bool) -> str:
    corner = ' rx="3"' if rounded and height > 6 else ""
    return f'<rect class="{css}" x="{_percent(middle - width // 2)}" y="{y}" width="{_percent(width)}" height="{height}"{corner}/>'


def _text(text: str, middle: int, y: int, css: str) -> str:
    return f'<text class="{css}" x="{_percent(middle)}" y="{y}" text-anchor="middle">{escape(text)}</text>'


def _percent(ten_thousandths: int) -> str:
    return f"{ten_thousandths // 100}.{ten_thousandths % 100:02d}%"


def _frame(title: str, told: Sequence[str], parts: Sequence[str]) -> Markup:
    """The SVG around the parts, readable aloud: its id follows from its words, so a page may hold several."""
    name = f"chart-{crc32((title + ''.join(told)).encode()):08x}"
    return Markup(  # noqa: S704
        f'<svg class="graph" role="img" aria-labelledby="{name}-t {name}-d" width="100%" height="{HEIGHT}">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape("; ".join(told))}</desc>{"".join(parts)}</svg>'
    )
