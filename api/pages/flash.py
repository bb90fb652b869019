"""The waiting page of a flash sale, kept ready: one rendering serves everybody for half a minute, whoever asks and however often."""

from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from starlette.responses import HTMLResponse, Response

import merchants
from api.door import VERSION
from api.errors import PageUnknownError
from api.pages.chrome import PageChrome
from api.pages.i18n import Language, resolve_language
from api.pages.kit import render_text
from api.pages.member_orders import show_thing
from api.pages.views import FlashWait
from market.kit.database import transaction
from merchants import ProductDetail, window_at

KEPT_SECONDS: Final = 30
MOST_KEPT: Final = 500  # pages; the eldest go first

_kept: dict[tuple[str, str, Language], tuple[datetime, str | None]] = {}
_making = Lock()


def get_waiting_page(*, merchant: str, code: str, asked: str | None, at: datetime) -> Response:
    """The page, made anew when the one that is kept is older than half a minute. Raises PageUnknownError."""
    key = (merchant, code, resolve_language(asked=asked, cookie=None, accept=None))
    kept = _kept.get(key)
    if kept is None or kept[0] <= at:
        with _making:  # thirty thousand wait for one
            kept = _kept.get(key)
            if kept is None or kept[0] <= at:
                kept = _make(key, at)
                _kept.pop(key, None)
                _kept[key] = kept
                while len(_kept) > MOST_KEPT:
                    del _kept[next(iter(_kept))]
    until, html = kept
    if html is None:
        raise PageUnknownError
    seconds = max(1, int((until - at).total_seconds()))
    return HTMLResponse(html, headers={"Cache-Control": f"public, max-age={seconds}", "Content-Language": key[2]})


def forget_waiting_pages() -> None:
    """Keep none: for tests, whose databases change under the process."""
    _kept.clear()


def _make(key: tuple[str, str, Language], at: datetime) -> tuple[datetime, str | None]:
    merchant, code, language = key
    with transaction() as tx:
        product = merchants.find_product(tx, merchant=merchant, code=code)
    until = at + timedelta(seconds=KEPT_SECONDS)
    if product is None or not product.is_offered or not product.is_flash or product.price_fen is None:
        return until, None
    if product.sale_from is not None and at < product.sale_from:
        until = min(until, product.sale_from)
    return until, render_text("shop/wait.html", _view(product, language, at), _chrome(language, at))


def _view(product: ProductDetail, language: Language, at: datetime) -> FlashWait:
    return FlashWait(
        thing=show_thing(product, name=product.name, variant=""),
        merchant_name=product.merchant_name,
        price_fen=product.price_fen or 0,
        limit_per_member=product.limit_per_member,
        sale_from=product.sale_from or product.created_at,
        sale_to=product.sale_to,
        enter=f"/shop/{product.merchant}/{product.code}/enter",
        other_language=f"/shop/{product.merchant}/{product.code}/wait" + ("" if language == "en" else "?lang=en"),
        is_open=window_at(product.sale_from, product.sale_to, at=at) == "open",
    )


def _chrome(language: Language, at: datetime) -> PageChrome:
    """A frame around nobody: the page has no form and knows no name."""
    return PageChrome(
        language=language,
        theme="auto",
        path="",
        csrf_token="",
        name=None,
        role=None,
        demo=False,
        installation="",
        now=at,
        version=VERSION,
    )
