"""A tiny demo works, built once and only looked at; tests that change anything take a database of their own."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection

from api.demo.build import DemoSummary, build_demo
from market.kit.database import connect, disconnect
from market.kit.postgres import Cluster, create_database

UNTIL = date(2026, 11, 20)  # a Friday


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def works(cluster: Cluster, template: str) -> tuple[str, DemoSummary]:
    """The address of a database with a tiny works, and what its build said."""
    create_database(cluster, "works", template=template)
    url = cluster.url("works")
    connect(url)
    summary = build_demo(size="tiny", until=UNTIL)
    disconnect()
    return url, summary


@pytest.fixture
def books(works: tuple[str, DemoSummary]) -> Iterator[Connection]:
    """A connection to that database, and this process connected to it."""
    engine = connect(works[0])
    with engine.connect() as connection:
        yield connection
    disconnect()
