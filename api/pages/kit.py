"""Rendering: one Jinja2 environment per language, one template source for a page and its htmx fragment.

`render(request, "member/card.html", view, block="code")` is all a route needs. The template gets exactly the fields of
its view plus `page` (`PageChrome`); `StrictUndefined` turns a missing one into an error instead of an empty place.
"""

import dataclasses
from collections.abc import Mapping
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.pages import charts, i18n
from api.pages.assets import asset, icon
from api.pages.chrome import PageChrome, resolve_theme
from api.pages.i18n import LANGUAGES, Language, resolve_language, translate
from api.pages.pictures import category
from api.pages.views import TEMPLATES

__all__ = [
    "LANGUAGES",
    "PageChrome",
    "asset",
    "environment",
    "render",
    "render_text",
    "resolve_language",
    "resolve_theme",
    "translate",
]

TEMPLATE_FOLDER = Path(__file__).parents[2] / "templates"


def render(
    request: Request, template: str, view: object, *, block: str | None = None, status: int = 200
) -> HTMLResponse:
    """Render a page, or only its `block` when htmx asks for a part of one.

    `request.state.chrome` must hold the `PageChrome`. Raises TypeError when the view is not the one `TEMPLATES`
    declares for this template.
    """
    chrome: PageChrome = request.state.chrome
    partial_wanted = block is not None and request.headers.get("HX-Request-Type") == "partial"
    html = render_text(template, view, chrome, block=block if partial_wanted else None)
    headers = {"Content-Language": chrome.language, "Vary": "HX-Request-Type, Cookie, Accept-Language"}
    return HTMLResponse(html, status_code=status, headers=headers)


def render_text(template: str, view: object, chrome: PageChrome, *, block: str | None = None) -> str:
    """The HTML of a template, or of one block of it, without a request."""
    if TEMPLATES.get(template) is not type(view):
        message = f"{template} is not rendered from {type(view).__name__}; see api.pages.views.TEMPLATES"
        raise TypeError(message)
    context = {field.name: getattr(view, field.name) for field in dataclasses.fields(view)}  # type: ignore[arg-type]
    env = environment(chrome.language)
    if block is None:
        return env.get_template(template).render(page=chrome, **context)
    return render_block(env, template, block, page=chrome, **context)


@lru_cache
def environment(language: Language) -> Environment:
    """The environment of one language, with its translations and formats bound."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_translations(i18n.translations(language), newstyle=True)  # type: ignore[attr-defined]
    env.filters |= {name: partial(function, language=language) for name, function in i18n.FORMATS.items()}
    env.filters |= {
        "yuan": i18n.yuan,
        "yuan_parts": i18n.yuan_parts,
        "clock": i18n.clock,
        "iso": _iso,
        "year_month": _year_month,
        "group4": _group4,
        "query": _query,
        "without": _without,
    }
    env.globals |= {"asset": asset, "icon": icon, "category_of": category, "language": language, "qr": charts.qr}
    env.globals |= charts.pictures(language)
    for name, parts in (
        ("ui", "ui"),
        ("priced", "priced"),
        ("parts", "offers"),
        ("boxes", "offer_form"),
        ("goods", "goods"),
        ("basket", "basket"),
        ("wares", "wares"),
        ("asking", "asked"),
        ("record", "record"),
        ("details", "details"),
    ):
        env.globals[name] = env.get_template(f"kit/{parts}.html").module
    return env


def _iso(at: date) -> str:
    return at.isoformat()


def _year_month(on: date) -> str:
    """A month as it stands in an address: 2026-11."""
    return on.isoformat()[:7]


def _query(values: Mapping[str, object]) -> str:
    """`?merchant=m_1&day=2026-11-22` from what is set; nothing at all when nothing is."""
    kept = {name: value for name, value in values.items() if value not in (None, "")}
    return f"?{urlencode(kept)}" if kept else ""


def _without(values: Mapping[str, object], name: str) -> dict[str, object]:
    """The values but the one of this name."""
    return {each: value for each, value in values.items() if each != name}


def _group4(digits: str) -> str:
    """`12345678` → `1234 5678`, as the code is read out."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
