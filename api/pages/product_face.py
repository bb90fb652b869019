"""The picture of a product that has no photo: its category's sign on a shelf, in the category's tint. 4:3 like the photos it stands in for.

Drawn from the product's code, so that a product keeps its face and neighbours differ: another light, another shelf, other things beside it.
"""

from functools import lru_cache
from zlib import crc32

from markupsafe import Markup

from api.pages.assets import icon
from api.pages.pictures import category

WIDTH, HEIGHT, SHELF = 160, 120, 96


@lru_cache(maxsize=2048)
def product_face(kind: str, code: str) -> Markup:
    """The SVG for a product of a category (`kind`); `code` chooses what stands around its sign."""
    seed = crc32(code.encode())
    drawn = category(kind)
    around = _backs(seed % 4) + _shelf(seed // 4 % 3) + _beside(seed // 12 % 4)
    sign = (
        '<ellipse class="pf-shadow" cx="80" cy="97" rx="34" ry="5"/><circle class="pf-disc" cx="80" cy="61" r="35"/>'
        f'<g class="pf-icon" transform="translate(56 37) scale(2)">{icon(drawn.icon)}</g>'
    )
    return Markup(  # noqa: S704  drawn here, and an icon of ours
        f'<svg class="product-face tint-{drawn.tint}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="xMidYMid slice" '
        f'aria-hidden="true" focusable="false"><rect class="pf-wall" width="{WIDTH}" height="{HEIGHT}"/>{around}{sign}</svg>'
    )


def _backs(kind: int) -> str:
    """What is behind: a large sun, an arch, a window, or rays."""
    return (
        '<circle class="pf-mid" cx="118" cy="30" r="46"/>',
        '<path class="pf-mid" d="M26 96V58a54 54 0 0 1 108 0v38z"/>',
        '<path class="pf-mid" d="M0 0h62L22 120H0zM96 0h24L80 120H56z"/>',
        '<circle class="pf-mid" cx="34" cy="26" r="52"/><circle class="pf-mid" cx="146" cy="88" r="22"/>',
    )[kind]


def _shelf(kind: int) -> str:
    """What it stands on: a board, a round table, a cloth."""
    return (
        f'<rect class="pf-deep" y="{SHELF}" width="{WIDTH}" height="4"/><rect class="pf-floor" y="{SHELF + 4}" width="{WIDTH}" height="20"/>',
        '<path class="pf-floor" d="M0 120V106q80-22 160 0v14z"/>',
        f'<rect class="pf-floor" y="{SHELF}" width="{WIDTH}" height="24"/><path class="pf-line" d="M0 {SHELF}H160M0 102H160M0 108H160"/>',
    )[kind]


def _beside(kind: int) -> str:
    """What stands beside it: a plant, boxes, fruit, nothing."""
    return (_plant, _boxes, _fruit, str)[kind]()


def _plant() -> str:
    leaves = "c-2-13-12-14-12-24 8 1 12 8 12 16 0-11 2-20 10-23 2 10-8 18-10 31z"
    return f'<path class="pf-deep" d="M18 82h18l-3 16H21z"/><path class="pf-leaf" d="M27 82{leaves}"/>'


def _boxes() -> str:
    return (
        '<rect class="pf-deep" x="124" y="72" width="24" height="25" rx="2"/><rect class="pf-light" x="134" y="72" width="4" height="25"/>'
        '<rect class="pf-floor" x="130" y="56" width="17" height="16" rx="2"/><rect class="pf-light" x="137" y="56" width="3" height="16"/>'
    )


def _fruit() -> str:
    return (
        '<circle class="pf-deep" cx="134" cy="88" r="9"/><circle class="pf-floor" cx="147" cy="91" r="7"/>'
        '<path class="pf-leaf" d="M134 80c0-6 4-9 9-9 0 6-4 9-9 9z"/>'
    )
