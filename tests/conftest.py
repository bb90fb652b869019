"""What every kind of test may ask for: a database server, a migrated template, and one's own copy of it.

The server belongs to one pytest process (with xdist: one per worker), keeps its data in a temporary folder, does
without fsync, and is made only when a test first asks for it: `unit` and most of `rules` never do.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from market.kit.migrations import upgrade
from market.kit.postgres import ROLE, Cluster, create_database, get_cluster, start_cluster, stop_cluster
from market.kit.postgres_folders import PORT

# How long an example takes says more of a busy machine than of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

pytest_plugins = ["tests.world", "tests.mall", "tests.web.plaza", "tests.web.supplier", "tests.web.ledger"]
TEMPLATE = "template_huigong"
IN_MEMORY = Path("/dev/shm")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A real PostgreSQL for this process, stopped and deleted at the end."""
    for left in (*IN_MEMORY.glob("huigong-tests-*"), *Path(tempfile.gettempdir()).glob("huigong-tests-*")):
        if not Path("/proc", left.name.split("-")[2]).exists():  # of a run that was killed
            _discard(left)
    home = Path(tempfile.mkdtemp(prefix=f"huigong-tests-{os.getpid()}-", dir=_roomy_folder()))
    try:
        yield start_cluster(home, durable=False)
    finally:
        _discard(home)


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """The name of a database with every migration applied and no rows of its own; nobody connects to it."""
    create_database(cluster, TEMPLATE)
    upgrade(cluster.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(cluster: Cluster, template: str) -> Iterator[str]:
    """A fresh migrated database for one test, dropped after it with whatever is still connected."""
    name = f"test_{next(_numbers)}"
    create_database(cluster, name, template=template)
    yield cluster.url(name)
    drop_database(cluster, name)


def drop_database(cluster: Cluster, name: str) -> None:
    with psycopg.connect(host=str(cluster.sockets), port=PORT, user=ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _roomy_folder() -> Path | None:
    """Memory, where a database is copied in a hundredth of a second instead of a tenth; on a disk when there is little."""
    return IN_MEMORY if IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > 4 << 30 else None


def _discard(home: Path) -> None:
    stop_cluster(get_cluster(home))
    shutil.rmtree(home, ignore_errors=True)
