"""The nightly audits as the worker runs them: in a process of their own, at a low priority, whose memory goes with it."""

import os
import signal
from collections.abc import Callable
from datetime import datetime
from multiprocessing import get_context, parent_process
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError

from api.logs import configure_logs
from market.kit.clock import now
from market.kit.database import connect, disconnect, get_engine, transaction
from market.kit.settings import get_settings
from market.oversight.nightly import NightStoppedError, begin_night, interrupt_night, work_on_night

NICENESS = 10  # the tills come first
LOOK_SECONDS = 1

log = structlog.get_logger("huigong.nightly")


def audit_night(*, at: datetime, is_stopped: Callable[[], bool] = lambda: False) -> None:
    """Run the audits of this night if they are due, and wait for their end; broken off when it `is_stopped`."""
    with transaction() as tx:
        id_ = begin_night(tx, at=at)
    if id_ is None:
        return
    url = get_engine().url.render_as_string(hide_password=False)
    process = get_context("spawn").Process(target=_work, args=(url, id_), name="nightly audits", daemon=True)
    process.start()
    try:
        while process.is_alive() and not is_stopped():
            process.join(LOOK_SECONDS)
    finally:
        process.terminate()
        process.join()
        with transaction() as tx:
            interrupt_night(tx, id_, at=now())


def _work(url: str, id_: UUID) -> None:
    """In a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(NICENESS)
    configure_logs(get_settings().log_format)
    connect(url, pool_size=2)
    parent = parent_process()
    try:
        kept = work_on_night(id_, clock=now, goes_on=lambda: parent is None or parent.is_alive())
        log.info("the audits of the night came to their end", run=str(id_), kept=kept)
    except NightStoppedError:
        log.warning("the audits of the night ended with their worker", run=str(id_))
    except OperationalError:
        log.warning("the audits of the night ended with their database", run=str(id_))
    finally:
        disconnect()
