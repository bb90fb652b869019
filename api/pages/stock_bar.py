"""The small picture of a stock: what is free, what waits for a payment, what is paid and waits to be fetched. Its numbers stand beside it."""

from markupsafe import Markup


def stock_bar(free: int, reserved: int, waiting: int, most: int) -> Markup:
    """One flat bar on the scale of `most`, the largest stock on the page; whatever is there keeps a visible width."""
    parts, x = [], 0
    for name, pieces in (("free", free), ("reserved", reserved), ("waiting", waiting)):
        width = 0 if pieces <= 0 or most <= 0 else max(80, pieces * 10_000 // most)
        width = min(width, 10_000 - x)
        parts.append(f'<rect class="stock-{name}" x="{_percent(x)}" width="{_percent(width)}" height="10"/>')
        x += width
    return Markup(  # noqa: S704  whole numbers and names of ours
        '<svg class="meter stock-bar" aria-hidden="true" focusable="false" width="100%" height="10">'
        f'<rect class="meter-track" width="100%" height="10"/>{"".join(parts)}</svg>'
    )


def _percent(ten_thousandths: int) -> str:
    return f"{ten_thousandths // 100}.{ten_thousandths % 100:02d}%"
