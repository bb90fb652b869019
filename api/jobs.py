"""The jobs by name, and the worker that does them. A job calls one function of the room that owns the work, as a route does.

Every job runs at least once: after a crash in the middle it runs again.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import procrastinate
from procrastinate.jobs import Job
from sqlalchemy import make_url

from api.identity import find_kind
from api.payments import LISTENER, get_gateway
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.jobs import QUEUE, SCHEMA
from market.kit.settings import get_settings
from market.payments.inbox import work_event
from market.payments.operations import send_refund
from market.payments.polling import poll_due
from market.payments.provider import has_provider

AT_ONCE = 4
LONGEST_WAIT_SECONDS = 300
HEARTBEAT_SECONDS = 2
STALLED_SECONDS = 10  # without a sign of life a worker is taken for dead, and its jobs are given to another


class Backoff(procrastinate.BaseRetryStrategy):
    """Again after 1, 2, 4 … seconds, at most five minutes, until it works: what is enqueued must happen."""

    def get_retry_decision(
        self,
        *,
        exception: BaseException,
        job: Job,
    ) -> procrastinate.RetryDecision | None:
        """When to try again."""
        wait = timedelta(seconds=min(1 << min(job.attempts, 20), LONGEST_WAIT_SECONDS))
        return procrastinate.RetryDecision(retry_at=now() + wait)


JOBS = procrastinate.App(connector=procrastinate.PsycopgConnector())


@JOBS.task(name="payments.work_event", queue=QUEUE, retry=Backoff())
def work_payment_event(*, event_id: str) -> None:
    """Work off what the payment provider told."""
    work_event(get_gateway(), event_id=event_id, listener=LISTENER, at=now())


@JOBS.task(name="payments.send_refund", queue=QUEUE, retry=Backoff())
def send_payment_refund(*, refund_id: str) -> None:
    """Tell the provider to send money back."""
    send_refund(get_gateway(), refund_id=UUID(refund_id), listener=LISTENER, at=now())


@JOBS.periodic(cron="* * * * *")
@JOBS.task(name="payments.poll", queue=QUEUE, queueing_lock="payments.poll", lock="payments.poll", pass_context=False)
def poll_payments(timestamp: int) -> None:
    """Ask for what no event told: every minute."""
    with transaction() as tx:
        is_demo = find_kind(tx) == "demo"
    if has_provider(get_settings(), is_demo=is_demo):
        poll_due(get_gateway(), listener=LISTENER, at=datetime.fromtimestamp(timestamp, tz=UTC))


@JOBS.periodic(cron="* * * * * */10")
@JOBS.task(name="jobs.rescue", queue=QUEUE, queueing_lock="jobs.rescue", lock="jobs.rescue", pass_context=True)
async def rescue_jobs(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001  given to every periodic job
    """Give the jobs of dead workers to the living."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        await manager.retry_job(job)


def run_worker(url: str, *, wait: bool = True) -> None:
    """Do jobs until a signal says stop, and finish those begun; without `wait`, only until none is left that is due.

    This process must be connected to the same database: jobs work in transactions of their own.
    """
    asyncio.run(_work(url, wait=wait))


async def _work(url: str, *, wait: bool) -> None:
    connector = procrastinate.PsycopgConnector(
        conninfo=make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
        kwargs={"options": f"-c search_path={SCHEMA} -c timezone=UTC"},
        min_size=1,
        max_size=4,
    )
    with JOBS.replace_connector(connector) as app:
        await app.open_async()
        try:
            await app.run_worker_async(
                queues=[QUEUE],
                wait=wait,
                concurrency=AT_ONCE,
                listen_notify=wait,
                delete_jobs="successful",
                shutdown_graceful_timeout=30,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
            )
        finally:
            await app.close_async()
