"""Work for later, written in the caller's transaction: it is there exactly if the transaction is committed.

A job is named, never imported: its function is registered by name at the door (`api/jobs.py`), and a test holds both together.
It runs at least once, so it must be harmless a second time. The tables are procrastinate's, in the schema `jobs`.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

SCHEMA = "jobs"
QUEUE = "default"
_DEFER = text(
    "SELECT jobs.procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, :name, 0, NULL, :queueing_lock, CAST(:args AS jsonb),"
    " CAST(:at AS timestamptz))]::jobs.procrastinate_job_to_defer_v1[])"
)


def enqueue(
    tx: Session,
    name: str,
    args: Mapping[str, str | int],
    at: datetime | None = None,
    queueing_lock: str | None = None,
) -> bool:
    """Have the job `name` done with `args`, not before `at`. With a `queueing_lock`, one such job waits at a time: False if it does."""
    values = {"queue": QUEUE, "name": name, "args": json.dumps(args), "at": at, "queueing_lock": queueing_lock}
    if queueing_lock is None:
        tx.execute(_DEFER, values)
        return True
    try:
        with tx.begin_nested():
            tx.execute(_DEFER, values)
    except IntegrityError:
        return False
    return True
