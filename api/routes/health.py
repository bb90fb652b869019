"""What machines ask: is the process alive, is the installation ready, what can the API do."""

from typing import Any

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import text

from api.access import Doors
from api.identity import find_kind
from api.publishing import find_stopped, name_stopped
from market.kit.database import get_engine, transaction
from market.kit.migrations import get_config

doors = Doors(tags=["machine"])


class Ready(BaseModel):
    """What must hold before anybody is let in, each by itself."""

    database: bool
    migrations: bool
    installation: bool
    publication: str | None
    """`ok`, or why the public record stands still (the code of the refusal); sales go on meanwhile, so nothing else depends on it."""


@doors.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@doors.get("/readyz", response_model=Ready, responses={503: {"model": Ready}})
def readyz(request: Request) -> JSONResponse:
    """The database answers, stands at this release's migration, and knows whether it is demo or real; else 503.

    A public record that stands still is only said.
    """
    ready = _look(request)
    is_ready = ready.database and ready.migrations and ready.installation
    return JSONResponse(ready.model_dump(), 200 if is_ready else 503)


@doors.get("/api/openapi.json", include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """The description of this API."""
    document: dict[str, Any] = request.app.openapi()
    return document


def _look(request: Request) -> Ready:
    try:
        with get_engine().connect() as connection:
            connection.execute(text("SELECT 1"))
            found = set(MigrationContext.configure(connection).get_current_heads())
    except Exception:  # noqa: BLE001  whatever it was, the answer is "not ready", not a fault
        return Ready(database=False, migrations=False, installation=False, publication=None)
    state = request.app.state
    if not hasattr(state, "heads"):
        state.heads = set(ScriptDirectory.from_config(get_config("")).get_heads())
    newest = found == state.heads
    with transaction() as tx:
        return Ready(
            database=True,
            migrations=newest,
            installation=newest and find_kind(tx) is not None,
            publication=name_stopped(find_stopped(tx)) if newest else None,
        )
