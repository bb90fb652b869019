"""The picture of a shop that has no photo: a small shop front in the tint of its category.

Drawn from the shop's name, so that a shop keeps its face and neighbours differ. 4:3 like the photos it stands in for.
"""

from functools import lru_cache
from zlib import crc32

from markupsafe import Markup

from api.pages.assets import icon
from api.pages.pictures import category

WIDTH, HEIGHT, AWNING = 160, 120, 30


@lru_cache(maxsize=1024)
def storefront(code: str, name: str) -> Markup:
    """The SVG of a shop front; `code` chooses tint and sign, `name` the awning, the windows and what hangs there."""
    seed = crc32(name.encode())
    shop = category(code)
    body = _wall(seed % 3) + _extras(seed // 3 % 4) + _awning(5 + seed // 12 % 3 * 2, scalloped=seed // 36 % 3 > 0)
    sign = f'<circle class="sf-sign" cx="80" cy="74" r="27"/><g class="sf-icon" transform="translate(62 56) scale(1.5)">{icon(shop.icon)}</g>'
    return Markup(  # noqa: S704
        f'<svg class="storefront tint-{shop.tint}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="xMidYMid slice" '
        f'aria-hidden="true" focusable="false"><rect class="sf-wall" width="{WIDTH}" height="{HEIGHT}"/>{body}{sign}</svg>'
    )


def _awning(stripes: int, *, scalloped: bool) -> str:
    """Stripes in two shades, with round or pointed ends that cast a soft shadow."""
    parts = [f'<rect class="sf-shadow" y="{AWNING}" width="{WIDTH}" height="9"/>']
    for stripe in range(stripes):
        left, right = WIDTH * stripe // stripes, WIDTH * (stripe + 1) // stripes
        half = (right - left) // 2
        end = (
            f"a{half} {half * 7 // 10} 0 0 1 -{right - left} 0"
            if scalloped
            else f"l-{half} 9l-{right - left - half} -9"
        )
        parts.append(f'<path class="sf-stripe-{stripe % 2}" d="M{left} 0H{right}V{AWNING}{end}z"/>')
    parts.append(f'<rect class="sf-rail" width="{WIDTH}" height="5"/>')
    return "".join(parts)


def _wall(kind: int) -> str:
    """Tiles, planks or plain plaster with a skirting."""
    lines = {
        0: "".join(f"M0 {y}H160" for y in range(52, 120, 14))
        + "".join(f"M{x + (y // 14 % 2) * 14} {y}v14" for y in range(52, 120, 14) for x in range(6, 160, 28)),
        1: "".join(f"M{x} 40V120" for x in range(10, 160, 20)),
        2: "M0 104H160M0 108H160",
    }[kind]
    return f'<path class="sf-line" d="{lines}"/>'


def _extras(kind: int) -> str:
    """What hangs or stands left and right of the sign: lanterns, plants, windows, or bunting."""
    return (_lanterns, _plants, _windows, _bunting)[kind]()


def _lanterns() -> str:
    return "".join(
        f'<path class="sf-line" d="M{x} 34v16"/><ellipse class="sf-deep" cx="{x}" cy="59" rx="9" ry="10"/>'
        f'<path class="sf-light" d="M{x - 4} 51h8M{x - 4} 67h8"/>'
        for x in (26, 134)
    )


def _plants() -> str:
    leaves = "c-2-12-11-13-11-22 7 1 11 7 11 15 0-10 2-18 9-21 2 9-7 16-9 28z"
    return "".join(
        f'<path class="sf-deep" d="M{x - 8} 104h16l-3 16h-10z"/><path class="sf-leaf" d="M{x} 104{leaves}"/>'
        for x in (24, 136)
    )


def _windows() -> str:
    return "".join(
        f'<rect class="sf-glass" x="{x}" y="54" width="30" height="44" rx="3"/>'
        f'<path class="sf-light" d="M{x + 5} 74l14-16M{x + 5} 86l20-23"/>'
        for x in (10, 120)
    )


def _bunting() -> str:
    flags = ((8, 48), (26, 50), (44, 52), (106, 52), (124, 50), (142, 48))
    return '<path class="sf-line" d="M0 46Q80 62 160 46"/>' + "".join(
        f'<path class="{"sf-deep" if n % 2 else "sf-leaf"}" d="M{x} {y}l11 1-6 11z"/>' for n, (x, y) in enumerate(flags)
    )
