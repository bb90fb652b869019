"""The picture of who gave what: a band from each giver, as high as its amount, into the one bar of the list price.

Words stand beside their bar and keep their size; only the bands stretch with the page.
"""

from collections.abc import Sequence
from html import escape
from zlib import crc32

from markupsafe import Markup

from api.pages.i18n import yuan

BAR = 168  # the height of the whole in pixels
ROW = 46  # what two lines of words need
GAP = 10
LEAST = 3  # an amount above zero stays visible
LEFT, RIGHT = 34, 65  # percent of the width between which the bands run


def flow(title: str, given: Sequence[tuple[str, str, int]], whole: tuple[str, int]) -> Markup:
    """`given` are (word, class of its colour, fen) from the top, `whole` the word and amount that they make together (fen)."""
    heights = [_height(fen, whole[1]) for _, _, fen in given]
    slots = [max(height, ROW) for height in heights]
    total = sum(slots) + GAP * (len(slots) - 1)
    y, right = 0, (total - sum(heights)) // 2
    bands, words = [], []
    for (word, css, fen), height, slot in zip(given, heights, slots, strict=True):
        left = y + (slot - height) // 2
        bands.append(_band(css, left, right, height))
        words.append(f'<rect class="{css}" x="{LEFT}%" y="{left}" width="6" height="{height}"/>')
        words.append(_words(word, fen, y + slot // 2, x=LEFT, dx=-10, anchor="end"))
        y, right = y + slot + GAP, right + height
    told = "; ".join(f"{word} {yuan(fen)}" for word, fen in (*((w, f) for w, _, f in given), whole))
    name = f"chart-{crc32((title + told).encode()):08x}"
    return Markup(  # noqa: S704
        f'<svg class="graph flow" role="img" aria-labelledby="{name}-t {name}-d" width="100%" height="{total}">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(told)}</desc>'
        f'<svg x="{LEFT}%" width="{RIGHT - LEFT}%" height="{total}" viewBox="0 0 100 {total}" '
        f'preserveAspectRatio="none">{"".join(bands)}</svg>'
        f'<rect class="flow-whole" x="{RIGHT}%" y="{(total - sum(heights)) // 2}" width="6" height="{sum(heights)}"/>'
        f"{''.join(words)}{_words(*whole, total // 2, x=RIGHT, dx=16, anchor='start')}</svg>"
    )


def _height(fen: int, whole: int) -> int:
    return max(LEAST, BAR * fen // whole) if fen > 0 and whole > 0 else 0


def _band(css: str, left: int, right: int, height: int) -> str:
    return (
        f'<path class="flow-band {css}" d="M0 {left}C50 {left} 50 {right} 100 {right}V{right + height}'
        f'C50 {right + height} 50 {left + height} 0 {left + height}z"/>'
    )


def _words(word: str, fen: int, middle: int, *, x: int, dx: int, anchor: str) -> str:
    place = f'x="{x}%" dx="{dx}" text-anchor="{anchor}"'
    return (
        f'<text class="flow-word" {place} y="{middle - 5}">{escape(word)}</text>'
        f'<text class="chart-figure" {place} y="{middle + 14}">{yuan(fen)}</text>'
    )
