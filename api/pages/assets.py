"""Static files as templates name them: icons inlined, everything else by an address that carries its content's hash."""

import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from markupsafe import Markup

STATIC_FOLDER = Path(__file__).parents[2] / "static"
ICON_FOLDER = STATIC_FOLDER / "vendor" / "tabler-icons-3.51.0"


@lru_cache(maxsize=256)
def icon(name: str, css: str = "") -> Markup:
    """A Tabler icon, inlined and hidden from screen readers: its meaning must stand in words beside it.

    Raises FileNotFoundError for an icon that was not vendored.
    """
    drawing = (ICON_FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    strokes = re.sub(r"\s*\n\s*", "", re.sub(r"<svg[^>]*>|</svg>", "", drawing))
    classes = f"icon {css}".strip()
    return Markup(  # noqa: S704  (our own committed file)
        f'<svg class="{classes}" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">{strokes}</svg>'
    )


@lru_cache(maxsize=256)
def asset(path: str) -> str:
    """The URL of a static file with the hash of its content, so that it may be cached for ever.

    Raises FileNotFoundError for a file that is not there: a page never links into the void.
    """
    digest = sha256((STATIC_FOLDER / path).read_bytes()).hexdigest()
    return f"/static/{path}?v={digest[:12]}"
