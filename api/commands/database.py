"""The database behind a command: the operator's, or the embedded one, brought up for as long as the command runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from market.kit.database import connect, disconnect
from market.kit.postgres import create_database, get_cluster, is_running, start_cluster, stop_cluster
from market.kit.settings import get_settings

DATABASE = "huigong"


@contextmanager
def serve_database() -> Iterator[str]:
    """The address of the database, which is up meanwhile; an embedded server that was not running is stopped at the end.

    HUIGONG_DATABASE_URL is set to it, so that web processes started from here find it. Raises ClusterError.
    """
    settings = get_settings()
    if settings.database_url is not None:
        yield settings.database_url
        return
    was_running = is_running(get_cluster(settings.data_dir))
    cluster = start_cluster(settings.data_dir)
    try:
        create_database(cluster, DATABASE)
        url = cluster.url(DATABASE)
        os.environ["HUIGONG_DATABASE_URL"] = url
        get_settings.cache_clear()
        yield url
    finally:
        os.environ.pop("HUIGONG_DATABASE_URL", None)
        get_settings.cache_clear()
        if not was_running:
            stop_cluster(cluster)


@contextmanager
def open_database() -> Iterator[str]:
    """The same, with this process connected: `transaction()` works inside."""
    with serve_database() as url:
        connect(url)
        try:
            yield url
        finally:
            disconnect()
