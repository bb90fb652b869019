"""What every kind of test may ask for: a database server, a migrated template, and one's own copy of it.

The server belongs to one pytest process (with xdist: one per worker), keeps its data in a temporary folder, does
without fsync, and is made only when a test first asks for it: `unit` and most of `rules` never do.
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from market.kit.migrations import upgrade
from market.kit.postgres import Cluster, create_database, get_cluster, start_cluster, stop_cluster
from tests.stages import Begun, Stage, copied

# How long an example takes says more of a busy machine than of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

FIXTURES = [
    *("tests.world", "tests.mall", "tests.life"),
    *("tests.web.market", "tests.web.ledger", "tests.web.plaza", "tests.web.supplier", "tests.web.opening"),
]
TOGETHER = ("tests/browser/", "tests/db/demo/")  # each shares what takes long to build
TEMPLATE = "template_huigong"
IN_MEMORY = Path("/dev/shm")


pytest.register_assert_rewrite(*FIXTURES)  # a folder's conftest may import one before it is a plugin
# What is imported and collected stays until the end: the collector of cycles need not walk through it again and again.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    """Fixtures that whole folders share. The process that only hands tests to xdist's workers does without them."""
    if hasattr(config, "workerinput") or config.getoption("dist", "no") == "no":
        for name in FIXTURES:
            config.pluginmanager.import_plugin(name)


class _FoldersTogether(LoadScopeScheduling):
    """Tests one by one to whichever process is free, those of some folders all to one: the largest such lot first."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _FoldersTogether:
    return _FoldersTogether(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests begin first, so that at the end no process works alone; among themselves they keep their random order."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


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


@pytest.fixture(scope="session")
def bare_stage(cluster: Cluster, template: str) -> Stage:
    """The schema alone: what a test begins from that asks for no other stage."""
    return Stage(cluster, template, {})


@pytest.fixture
def begun(bare_stage: Stage, request: pytest.FixtureRequest) -> Iterator[Begun]:
    """A database of one test's own: a copy of the furthest stage that its fixtures ask for."""
    names = [name for name in request.fixturenames if name.endswith("_stage")]
    stages: list[Stage] = [request.getfixturevalue(name) for name in names]
    with copied(max(stages, key=lambda stage: len(stage.made), default=bare_stage)) as begun_:
        yield begun_


@pytest.fixture
def database_url(begun: Begun) -> str:
    """A migrated database for one test, dropped after it with whatever is still connected."""
    return begun.url


def _roomy_folder() -> Path | None:
    """Memory, where a database is copied in a hundredth of a second instead of a tenth; on a disk when there is little."""
    return IN_MEMORY if IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > 4 << 30 else None


def _discard(home: Path) -> None:
    stop_cluster(get_cluster(home))
    shutil.rmtree(home, ignore_errors=True)
