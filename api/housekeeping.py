"""What is kept for a while only is deleted when its time is over: codes, visits, sign-ins, counters, pictures, looks, details exports.

Runs beside the web in every process; a lock of the database lets one of them do it at a time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Thread

import structlog
from sqlalchemy import func, select

from api.erasing import sync_list
from api.identity import prune_looks, prune_sessions, prune_throttle
from cards import prune_codes
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.settings import get_settings
from market.oversight.details import expire_details
from merchants import prune_pictures

EVERY_SECONDS = 600
LOCK = 0x68676B70  # "hgkp", any number that nobody else locks

log = structlog.get_logger("huigong.housekeeping")


def tidy(*, at: datetime) -> dict[str, int]:
    """Delete what is over; how many rows of each. Does nothing while another process is at it."""
    with transaction() as tx:
        if not tx.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
            return {}
        return {
            "codes": prune_codes(tx, at=at),
            "sessions": prune_sessions(tx, at=at),
            "pictures": prune_pictures(tx, at=at),
            "throttle": prune_throttle(tx, at=at),
            "looks": prune_looks(tx, at=at),
            "details": expire_details(tx, at=at),
        }


@contextmanager
def housekeeping() -> Iterator[None]:
    """Tidy every ten minutes until the block is left."""
    over = Event()

    def keep_tidy() -> None:
        while not over.wait(EVERY_SECONDS):
            try:
                log.info("tidied", **tidy(at=now()), erasure_list=sync_list(get_settings()))
            except Exception:
                log.exception("housekeeping failed and is tried again later")

    keeper = Thread(target=keep_tidy, name="housekeeping", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join(timeout=30)
