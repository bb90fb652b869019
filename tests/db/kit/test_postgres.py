import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from market.kit.postgres import (
    Cluster,
    create_database,
    get_cluster,
    is_running,
    start_cluster,
    stop_cluster,
)
from market.kit.postgres_folders import PORT, ClusterError, default_home


@pytest.fixture
def home(cluster: Cluster) -> Iterator[Path]:
    """An empty folder the server's user can reach: pytest's own temporary folders are closed to root's."""
    beside = cluster.data.parent.parent
    folder = Path(tempfile.mkdtemp(prefix=f"huigong-tests-{os.getpid()}-", dir=beside))
    yield folder
    stop_cluster(get_cluster(folder))
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def stopped(cluster: Cluster) -> Iterator[Path]:
    """The home of a server that was made and stopped, for copies: making one takes a second."""
    folder = Path(tempfile.mkdtemp(prefix=f"huigong-tests-{os.getpid()}-", dir=cluster.data.parent.parent))
    stop_cluster(start_cluster(folder, durable=False))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def made(home: Path, stopped: Path) -> Path:
    subprocess.run(["cp", "-a", f"{stopped}/.", home], check=True)
    return home


def _engine(cluster: Cluster, database: str = "postgres") -> Engine:
    return create_engine(cluster.url(database), poolclass=NullPool)


def _ask(cluster: Cluster, question: str, database: str = "postgres") -> object:
    with _engine(cluster, database).connect() as connection:
        return connection.execute(text(question)).scalar_one()


def _server(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def test_the_server_sorts_by_code_point_knows_unicode_and_has_no_network(cluster: Cluster) -> None:
    assert _ask(cluster, "SHOW server_version").split(".")[0] == "18"
    assert (
        _ask(cluster, "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'postgres'")
        == "bC.UTF-8"
    )
    assert _ask(cluster, "SHOW server_encoding") == "UTF8"
    assert _ask(cluster, "SELECT upper('é') || lower('Ж')") == "Éж"
    assert _ask(cluster, "SHOW listen_addresses") == ""
    assert _ask(cluster, "SHOW timezone") == "UTC"
    assert cluster.sockets.stat().st_mode & 0o777 == 0o700
    assert cluster.data.stat().st_mode & 0o777 == 0o700


def test_the_server_never_runs_as_root(cluster: Cluster) -> None:
    owner = Path(f"/proc/{_server(cluster)}").stat().st_uid
    assert owner != 0
    assert (cluster.user is None) == (os.geteuid() != 0)


def test_starting_twice_is_starting_once(cluster: Cluster) -> None:
    before = _server(cluster)
    assert start_cluster(cluster.data.parent, durable=False) == cluster
    assert _server(cluster) == before


def test_a_database_is_created_once_and_from_its_template(cluster: Cluster, template: str) -> None:
    create_database(cluster, 'odd "name"', template=template)
    create_database(cluster, 'odd "name"', template=template)
    assert _ask(cluster, "SELECT count(*) FROM alembic_version", 'odd "name"') == 1


def test_what_is_committed_survives_kill_9_and_nothing_else_does(made: Path) -> None:
    cluster = start_cluster(made)
    assert _ask(cluster, "SHOW fsync") == "on"
    with _engine(cluster).connect() as connection:
        connection.execute(text("CREATE TABLE kept (n int)"))
        connection.execute(text("INSERT INTO kept SELECT generate_series(1, 1000)"))
        connection.commit()
        connection.execute(text("INSERT INTO kept VALUES (-1)"))
        os.kill(_server(cluster), signal.SIGKILL)
        _wait_until(lambda: not is_running(cluster))
        connection.invalidate()
    assert start_cluster(made) == cluster
    assert _ask(cluster, "SELECT count(*) || '/' || min(n) FROM kept") == "1000/1"


def test_a_left_over_pid_now_belonging_to_another_process_does_not_stop_the_start(made: Path) -> None:
    cluster = start_cluster(made, durable=False)
    lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    os.kill(_server(cluster), signal.SIGKILL)
    _wait_until(lambda: not is_running(cluster))
    # A process of the server's own user, as after a restart of a container: PostgreSQL itself would refuse here.
    other = subprocess.Popen(["sleep", "60"], user=cluster.user, cwd="/")
    try:
        for left in (cluster.data / "postmaster.pid", cluster.sockets / f".s.PGSQL.{PORT}.lock"):
            left.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert not is_running(cluster)
        start_cluster(made, durable=False)
        assert _ask(cluster, "SELECT 1") == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_the_start_waits_for_the_sessions_of_a_killed_server(made: Path) -> None:
    cluster = start_cluster(made, durable=False)
    failures: list[Exception] = []

    def count_on() -> None:  # a backend busy with counting does not notice at once that its server died
        try:
            _ask(cluster, "SELECT count(*) FROM generate_series(1, 4000000)")
        except Exception as error:  # noqa: BLE001 - looked at below
            failures.append(error)

    counting = threading.Thread(target=count_on)
    counting.start()
    _wait_until(
        lambda: _ask(cluster, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series(1, 4%'") == 2
    )
    os.kill(_server(cluster), signal.SIGKILL)
    start_cluster(made, durable=False)
    assert _ask(cluster, "SELECT 1") == 1
    counting.join()
    assert len(failures) <= 1


def test_many_starts_at_once_make_one_server(home: Path) -> None:
    shutil.rmtree(home)
    found: list[Cluster] = []
    starts = [threading.Thread(target=lambda: found.append(start_cluster(home, durable=False))) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert _ask(found[0], "SELECT 1") == 1


def test_an_interrupted_initdb_is_not_taken_for_a_database(home: Path) -> None:
    cluster = get_cluster(home)
    draft = cluster.data.with_name("data.new")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    start_cluster(home, durable=False)
    assert not draft.exists()
    assert _ask(cluster, "SELECT 1") == 1


def test_data_of_another_major_version_is_refused_with_the_next_step(home: Path) -> None:
    cluster = get_cluster(home)
    cluster.data.mkdir()
    (cluster.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(ClusterError, match=r"PostgreSQL 17.*Restore a backup"):
        start_cluster(home)
    assert not is_running(cluster)


def test_a_broken_server_says_the_end_of_its_log(made: Path) -> None:
    cluster = start_cluster(made, durable=False)
    stop_cluster(cluster)
    with (cluster.data / "postgresql.conf").open("a") as configuration:
        configuration.write("shared_buffers = 'plenty'\n")
    with pytest.raises(ClusterError, match="invalid value for parameter"):
        start_cluster(made, durable=False)


def test_a_stopped_server_is_stopped_and_stopping_again_is_harmless(made: Path) -> None:
    cluster = start_cluster(made, durable=False)
    stop_cluster(cluster)
    assert not is_running(cluster)
    stop_cluster(cluster)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(cluster.url("postgres").replace("+psycopg", ""))


def test_a_long_path_still_gets_a_socket(home: Path) -> None:
    deep = home.with_name(home.name + "-long" * 20)
    cluster = start_cluster(deep, durable=False)
    try:
        assert not cluster.sockets.is_relative_to(deep)
        assert cluster.sockets.stat().st_mode & 0o777 == 0o700
        assert _ask(cluster, "SELECT 1") == 1
    finally:
        stop_cluster(cluster)
        shutil.rmtree(cluster.sockets)
        shutil.rmtree(deep)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_with_somebody_elses_files_is_not_taken_over(home: Path) -> None:
    (home / "letter").write_text("mine")
    with pytest.raises(ClusterError, match="Set HUIGONG_DATA_DIR"):
        start_cluster(home)
    assert home.stat().st_uid == 0
    (home / "letter").unlink()


def test_a_folder_in_use_for_other_things_keeps_its_permissions(home: Path) -> None:
    (home / "letter").write_text("mine")
    home.chmod(0o755)
    with pytest.raises(ClusterError, match="Set HUIGONG_DATA_DIR"):
        start_cluster(home)
    assert home.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in home.iterdir()] == ["letter"]
    (home / "letter").unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="a plain user's server runs as the same user")
def test_a_folder_the_servers_user_cannot_reach_is_refused_and_nobodys_permissions_change(home: Path) -> None:
    home.chmod(0o700)
    with pytest.raises(ClusterError, match="cannot reach"):
        start_cluster(home / "inside")
    assert home.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(home / "inside")


def test_two_checkouts_have_two_homes() -> None:
    homes = [default_home(Path(project)) for project in ("/srv/huigong", "/home/lin/huigong", "/home/lin/惠工")]
    assert len(set(homes)) == 3
    assert all(str(home).isascii() or os.geteuid() != 0 for home in homes)


def _wait_until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
