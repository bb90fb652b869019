"""Every door is declared, and what is declared exists; the table for people is the table of the code."""

from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Mount

from api.access import ACCESS, PUBLIC, DoorRoute, Doors
from api.app import create_app
from market.kit.errors import InvariantError
from market.kit.settings import get_settings

ROLES_PAGE = Path(__file__).parents[2] / "docs" / "roles.md"
ROLES = ("member", "assistant", "owner", "officer", "auditor")


@pytest.fixture
def routes() -> list[APIRoute]:
    get_settings.cache_clear()
    mounts = [route for route in create_app().routes if isinstance(route, Mount)]
    assert [mount.path for mount in mounts] == ["/static"]
    return [route for route in create_app().routes if isinstance(route, APIRoute)]


def test_every_route_passes_the_door(routes: list[APIRoute]) -> None:
    assert routes
    assert [route.path for route in routes if not isinstance(route, DoorRoute)] == []


def test_what_is_declared_exists_and_nothing_else(routes: list[APIRoute]) -> None:
    made = [(method, route.path) for route in routes for method in route.methods]
    assert len(made) == len(set(made)), "an address answered by two handlers"
    assert set(made) == set(ACCESS)


def test_a_route_without_a_declaration_cannot_be_made() -> None:
    with pytest.raises(InvariantError, match="/nowhere is not declared"):
        Doors().get("/nowhere")(lambda: None)
    with pytest.raises(InvariantError, match="POST /healthz is not declared"):
        Doors().post("/healthz")(lambda: None)


def test_a_handler_runs_in_a_thread() -> None:
    async def handler() -> None: ...

    with pytest.raises(InvariantError, match="plain functions"):
        Doors().get("/healthz")(handler)


def test_the_common_router_would_not_pass_unseen() -> None:
    plain = APIRouter()
    plain.get("/nowhere")(lambda: None)
    assert [type(route) for route in plain.routes] == [APIRoute]


def test_the_table_for_people_is_the_table_of_the_code() -> None:
    page = ROLES_PAGE.read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == write_rows(), "docs/roles.md: replace its rows by\n" + "\n".join(write_rows())


def write_rows() -> list[str]:
    rows = []
    for (method, path), admitted in ACCESS.items():
        marks = ["everybody" if admitted is PUBLIC else "", *("yes" if role in admitted else "" for role in ROLES)]
        rows.append(f"| `{method} {path}` | " + " | ".join(marks) + " |")
    return rows
