"""The web application: middleware, routes, answers to errors, and what must hold before the first request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api import errors
from api.door import VERSION
from api.errors import Faults
from api.housekeeping import housekeeping
from api.identity import PasswordProvider, check_settings, find_kind
from api.logs import RequestLog, configure_logs
from api.pages.assets import STATIC_FOLDER
from api.routes import DOORS
from api.security import BodyLimit, HeadAsGet, SameOrigin, SecurityHeaders
from market.kit.database import connect, disconnect, transaction
from market.kit.errors import invariant
from market.kit.settings import get_settings
from market.payments.provider import get_pay_origin

SPARE_THREADS = 12  # for those who wait for a password hash or a template while the others hold the connections


def create_app() -> FastAPI:
    """The application of this process. Connects to the database when it starts, and refuses to start on unsafe settings."""
    settings = get_settings()
    configure_logs(settings.log_format)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        invariant(
            settings.database_url, "set HUIGONG_DATABASE_URL, or start with `huigong run`, which brings a database"
        )
        connect(str(settings.database_url), pool_size=settings.pool_size)
        with transaction() as tx:
            app.state.kind = find_kind(tx)
        check_settings(settings, kind=app.state.kind, database_url=str(settings.database_url))
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.pool_size + SPARE_THREADS
        with housekeeping():
            yield
        disconnect()

    app = FastAPI(
        title="Huigong 惠工",
        version=VERSION,
        summary="A works union's service card, its merchants' offers, and a public record of every transaction and rebate.",
        lifespan=lifespan,
        openapi_url=None,  # served by a route of ours, through the same door as every other
        middleware=[
            Middleware(HeadAsGet),
            Middleware(RequestLog),
            Middleware(SecurityHeaders, pay_origin=get_pay_origin(settings)),
            Middleware(GZipMiddleware, minimum_size=600, compresslevel=5),
            Middleware(Faults),
            Middleware(SameOrigin),
            Middleware(BodyLimit),
        ],
        redirect_slashes=False,
    )
    app.state.login_provider = PasswordProvider()
    errors.install(app)
    for doors in DOORS:
        app.router.routes.extend(doors.routes)  # flat: an included router is matched twice per request
    app.mount("/static", Static(directory=STATIC_FOLDER))
    return app


class Static(StaticFiles):
    """Our own files. Their addresses carry a hash of the content, so they may be kept for ever; without one they are asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file with its caching rule."""
        response = await super().get_response(path, scope)
        hashed = scope["query_string"].startswith(b"v=")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response
