"""For operations on a real database: the process connected to a database of the test's own."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from market.kit.database import connect, disconnect, transaction


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """`transaction()` works, in any thread, until the test ends. What is committed is really committed."""
    yield connect(database_url)
    disconnect()


@pytest.fixture
def tx(database: Engine) -> Iterator[Session]:
    """One open transaction, committed at the end of the test so that deferred constraints speak up."""
    with transaction() as session:
        yield session
