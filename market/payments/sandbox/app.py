"""The sandbox as a web application: the calls, the page where one pays, the knobs. It listens on loopback only."""

import json
from base64 import b64decode
from binascii import Error as NotBase64Error
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from secrets import compare_digest

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from market.payments.sandbox.calls import Call, answer
from market.payments.sandbox.clock import Sender, ticking
from market.payments.sandbox.dialect import RefusalError, read_params
from market.payments.sandbox.pay_page import PayPage, pay, show
from market.payments.sandbox.store import get_knobs, prepare, read_knobs, set_knobs

STATIC_FOLDER = Path(__file__).parents[3] / "static"
LARGEST_BODY = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """What a sandbox runs on: its books, where it is reached, who may call, where events go, and who draws its page."""

    engine: Engine
    base: str
    key: str
    sender: Sender
    render: Callable[[Request, PayPage], str]

    @property
    def clock(self) -> Callable[[], datetime]:
        """The one clock of the sandbox."""
        return self.sender.clock


def create_sandbox(sandbox: Sandbox) -> Starlette:
    """The application. Makes its tables when it starts, and keeps its clock going while it runs."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        prepare(sandbox.engine)
        with ticking(sandbox.engine, sandbox.sender):
            yield
        sandbox.engine.dispose()

    async def calls(request: Request) -> Response:
        body = (await request.body())[:LARGEST_BODY]
        return await run_in_threadpool(_answer, sandbox, request, body)

    async def knobs(request: Request) -> Response:
        body = (await request.body())[:LARGEST_BODY]
        return await run_in_threadpool(_turn, sandbox, request, body)

    async def page(request: Request) -> Response:
        form = await request.form() if request.method == "POST" else None
        fields = {name: value for name, value in form.items() if isinstance(value, str)} if form else None
        return await run_in_threadpool(_page, sandbox, request, fields)

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/v1/{path:path}", calls, methods=["GET", "POST", "DELETE"]),
            Route("/sandbox/knobs", knobs, methods=["GET", "POST"]),
            Route("/pay/{session}", page, methods=["GET", "POST"]),
            Mount("/static", StaticFiles(directory=STATIC_FOLDER)),
        ],
    )


def _answer(sandbox: Sandbox, request: Request, body: bytes) -> Response:
    key = request.headers.get("idempotency-key")
    try:
        _check_key(sandbox, request)
        text = body.decode() if request.method == "POST" else request.url.query
        call = Call(
            method=request.method,
            path=request.url.path,
            account=request.headers.get("stripe-account", ""),
            key=key,
            params=read_params(text),
            pay_page=sandbox.base,
            at=sandbox.clock(),
        )
        with sandbox.engine.begin() as tx:
            status, found = answer(tx, call)
    except RefusalError as refusal:
        return JSONResponse(refusal.body, refusal.status)
    except UnicodeDecodeError:
        return JSONResponse(RefusalError("Invalid body").body, 400)
    headers = {"Idempotency-Key": key} if key else {}
    return JSONResponse(found, status, headers=headers)


def _turn(sandbox: Sandbox, request: Request, body: bytes) -> Response:
    """The knobs as they are, after they were turned if asked."""
    try:
        _check_key(sandbox, request)
        with sandbox.engine.begin() as tx:
            if request.method == "POST":
                set_knobs(tx, read_knobs(asdict(get_knobs(tx)) | json.loads(body)))
            return JSONResponse(asdict(get_knobs(tx)))
    except RefusalError as refusal:
        return JSONResponse(refusal.body, refusal.status)
    except (ValueError, TypeError) as error:
        return JSONResponse(RefusalError(str(error)).body, 400)


def _page(sandbox: Sandbox, request: Request, fields: dict[str, str] | None) -> Response:
    id_, at = request.path_params["session"], sandbox.clock()
    with sandbox.engine.begin() as tx:
        shown = show(tx, id_, at=at) if fields is None else pay(tx, id_, fields, at=at)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    if isinstance(shown, str):
        return Response(status_code=303, headers=headers | {"Location": shown})
    if shown is None:
        return Response("There is no such payment.", 404, headers=headers, media_type="text/plain")
    # a browser applies form-action to where a form's answer leads as well
    headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {shown.origin}"
    )
    return Response(
        sandbox.render(request, shown),
        402 if shown.problem else 200,
        headers=headers,
        media_type="text/html",
    )


def _check_key(sandbox: Sandbox, request: Request) -> None:
    """Basic or Bearer, as Stripe takes it. Raises RefusalError (401)."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = b64decode(given).decode().partition(":")[0]
        except (NotBase64Error, ValueError):
            given = ""
    if not compare_digest(given.encode(), sandbox.key.encode()):
        raise RefusalError("Invalid API Key provided", status=401)
