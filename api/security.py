"""What holds for every answer: security headers, one origin for every write, a limit on bodies, HEAD for every page.

Pure ASGI, a few microseconds each; nothing here reads the database.
"""

import re

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.door import SAFE_METHODS, bearer_token, is_secure, own_origin, session_cookie
from api.errors import answer_refusal
from market.kit.errors import DomainError, ForbiddenError

POLICY = (
    "default-src 'self'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self' {pay}"  # a browser asks it of a form's redirect too
)
WASM_PAGES = frozenset({"/till/scan"})  # the fallback scanner is WebAssembly; nowhere else may it run

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}

MEGABYTE = 1_000_000
BODY_LIMIT = MEGABYTE
PHOTO_PATHS = re.compile(r"/till/scan|/merchant/products/[A-Za-z0-9_-]{1,32}/pictures")
PHOTO_LIMIT = 12 * MEGABYTE  # a phone's photo


class CrossSiteError(ForbiddenError):
    """Another site sent this."""

    code = "CROSS_SITE"
    zh = "这个请求来自别的网站，没有执行；请从本站页面重新操作。"
    en = "This request came from another site and was not carried out; start again from a page of this site."


class BodyTooLargeError(DomainError):
    """More was sent than this address takes."""

    status = 413
    code = "BODY_TOO_LARGE"
    zh = "提交的内容超过 {limit_mb} MB，请缩小后再试。"
    en = "What was sent is larger than {limit_mb} MB; make it smaller and try again."


class SecurityHeaders:
    """Adds the headers to every answer, errors included; personal answers are never stored by a cache.

    `pay_origin` is the one place outside to which a form may lead: where one pays.
    """

    def __init__(self, app: ASGIApp, pay_origin: str) -> None:
        """Wrap the next application."""
        self.app = app
        self.strict = POLICY.format(wasm="", pay=pay_origin)
        self.with_wasm = POLICY.format(wasm=" 'wasm-unsafe-eval'", pay=pay_origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["Content-Security-Policy"] = self.with_wasm if scope["path"] in WASM_PAGES else self.strict
                headers.setdefault("Cache-Control", "no-store")
                if is_secure(Request(scope)):
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                for cookie in scope.get("huigong.cookies", ()):
                    headers.append("Set-Cookie", cookie.decode("latin-1"))
            await send(message)

        await self.app(scope, receive, dressed)


class HeadAsGet:
    """Answers HEAD as GET without the body: uptime checks ask so."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the next application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                if message.get("more_body", False):
                    return
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, without_body)


class SameOrigin:
    """Refuses writes that a browser sends on behalf of another site, before anything of them is read.

    Every browser says where a form came from, by Sec-Fetch-Site, Origin or Referer; a program with a bearer token need not.
    A client that says nothing carries no cookie of ours by accident either: the form token decides there.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the next application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            request = Request(scope)
            if bearer_token(request) is None and not _comes_from_here(request):
                await answer_refusal(scope, receive, send, CrossSiteError())
                return
        await self.app(scope, receive, send)


class BodyLimit:
    """Refuses a body above the limit: by its announced length, or on the way when it lied or announced none."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the next application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        limit = PHOTO_LIMIT if _may_be_photo(request) else BODY_LIMIT
        refusal = BodyTooLargeError(limit_mb=limit // MEGABYTE)
        announced = request.headers.get("content-length", "0")
        if re.fullmatch("[0-9]{1,15}", announced) is None or int(announced) > limit:
            await answer_refusal(scope, receive, send, refusal)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise refusal
            return message

        await self.app(scope, counted, send)


def _may_be_photo(request: Request) -> bool:
    """Whether this may be the till's photo form, or a product's, from somebody signed in; the door looks closer once the body is read."""
    return (
        request.method == "POST"
        and PHOTO_PATHS.fullmatch(request.url.path) is not None
        and request.headers.get("content-type", "").startswith("multipart/form-data")
        and (session_cookie(request) or bearer_token(request)) is not None
    )


def _comes_from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is not None:
        return origin == own_origin(request)
    referer = request.headers.get("referer")
    return referer is None or referer.startswith(own_origin(request) + "/")
