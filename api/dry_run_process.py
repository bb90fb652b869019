"""The process that works on a dry run: beside the web, at a low priority, gone with it."""

import os
import signal
from multiprocessing import get_context, parent_process
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError

from api.logs import configure_logs
from market.kit.clock import now
from market.kit.database import connect, disconnect, get_engine
from market.kit.settings import get_settings
from market.oversight.dry_runs import fail_dry_run, work_on

NICENESS = 10  # the tills come first

log = structlog.get_logger("huigong.dry_run")


def start_dry_run(id_: UUID) -> None:
    """Begin to work on a run that was asked for and committed; it goes on when this returns, and ends with this process."""
    url = get_engine().url.render_as_string(hide_password=False)
    get_context("spawn").Process(target=_work, args=(url, id_), name=f"dry run {id_}", daemon=True).start()


def _work(url: str, id_: UUID) -> None:
    """In a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(NICENESS)
    configure_logs(get_settings().log_format)
    engine = connect(url, pool_size=2)
    parent = parent_process()
    try:
        with (
            engine.connect().execution_options(isolation_level="AUTOCOMMIT") as keeper,
            engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as reader,
        ):
            try:
                work_on(keeper, reader, id_=id_, clock=now, goes_on=lambda: parent is None or parent.is_alive())
            except OperationalError:
                raise
            except Exception:
                log.exception("a dry run broke down", run=str(id_))
                fail_dry_run(keeper, id_=id_, at=now())
    except OperationalError:
        log.warning("a dry run ended with its database", run=str(id_))
    finally:
        disconnect()
