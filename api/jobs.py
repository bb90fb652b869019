"""The jobs by name, and the worker that does them. A job calls one function of the room that owns the work, as a route does.

Every job runs at least once: after a crash in the middle it runs again.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import procrastinate
import structlog
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from sqlalchemy import make_url

from api.breakdowns import publish_due_breakdowns
from api.details import build_details
from api.nightly import audit_night
from api.order_jobs import expire_orders, sweep_orders
from api.payments import find_gateway, get_gateway
from api.publication_desk import review_publications
from cards.erasing import publish_erasures
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.jobs import QUEUE, SCHEMA
from market.payments.inbox import work_event
from market.payments.operations import send_refund
from market.payments.polling import poll_due
from market.record.publishing.closing import close_days
from market.record.publishing.served import find_policy
from market.sales.orders.money import LISTENER

AT_ONCE = 4
LONGEST_WAIT_SECONDS = 300
HEARTBEAT_SECONDS = 2
RESCUE_SECONDS = 3
STALLED_SECONDS = 10  # without a sign of life a worker is taken for dead, and its jobs are given to another

log = structlog.get_logger("huigong.jobs")


class Backoff(procrastinate.BaseRetryStrategy):
    """Again after 1, 2, 4 … seconds, at most five minutes, until it works: what is enqueued must happen."""

    def get_retry_decision(
        self,
        *,
        exception: BaseException,  # noqa: ARG002  whatever it was
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
def poll_payments(timestamp: int) -> None:  # noqa: ARG001  every periodic job is given it
    """Ask for what no event told: every minute."""
    gateway = find_gateway()
    if gateway is not None:
        poll_due(gateway, listener=LISTENER, at=now())


@JOBS.periodic(cron="* * * * *")
@JOBS.task(name="orders.expire", queue=QUEUE, queueing_lock="orders.expire", lock="orders.expire", pass_context=False)
def expire_unpaid_orders(timestamp: int) -> None:  # noqa: ARG001  every periodic job is given it
    """Release what was not paid in time: every minute."""
    expire_orders(find_gateway(), at=now())


@JOBS.periodic(cron="15 20 * * *")
@JOBS.task(name="orders.sweep", queue=QUEUE, queueing_lock="orders.sweep", lock="orders.sweep", pass_context=False)
def sweep_old_orders(timestamp: int) -> None:  # noqa: ARG001  every periodic job is given it
    """Note and refund what nobody fetched, close what is done: every night (20:15 UTC is 04:15 in Shanghai).

    The log says how many, and how many stay open because a return request waits for its answer.
    """
    log.info("orders_swept", **sweep_orders(at=now()))


@JOBS.periodic(cron="*/10 * * * *")
@JOBS.task(name="record.close", queue=QUEUE, queueing_lock="record.close", lock="record.close", pass_context=False)
def close_public_days(timestamp: int) -> None:  # noqa: ARG001  every periodic job is given it
    """Publish the balances of the days that are over: looked for every ten minutes, done once for each day."""
    with transaction() as tx:
        policy = find_policy(tx)
        if policy is not None:
            close_days(tx, policy=policy, at=now())


@JOBS.periodic(cron="25 * * * *")
@JOBS.task(
    name="breakdowns.publish",
    queue=QUEUE,
    queueing_lock="breakdowns.publish",
    lock="breakdowns.publish",
    pass_context=False,
)
def publish_breakdowns(timestamp: int) -> None:  # noqa: ARG001  every periodic job is given it
    """Make the breakdowns of the months that are over and settled: looked for every hour, made once for each month."""
    publish_due_breakdowns(at=now())


@JOBS.periodic(cron="*/10 * * * *")
@JOBS.task(name="audits.nightly", queue=QUEUE, queueing_lock="audits.nightly", lock="audits.nightly", pass_context=True)
def run_nightly_audits(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001  every periodic job is given it
    """Audit books and log: looked for every ten minutes, done once a night in quiet hours of the business zone."""
    audit_night(at=now(), is_stopped=context.should_abort)


@JOBS.task(name="details.build", queue=QUEUE, retry=Backoff())
def build_details_file(*, request_id: str) -> None:
    """Make the file of an approved details export."""
    build_details(request_id=UUID(request_id), at=now())


@JOBS.periodic(cron="40 20 * * *")
@JOBS.task(
    name="erasures.count", queue=QUEUE, queueing_lock="erasures.count", lock="erasures.count", pass_context=False
)
def count_erasures(timestamp: int) -> None:  # noqa: ARG001  every periodic job is given it
    """Count in public the erasures of the months that are over: looked for every night, done at a month's end."""
    with transaction() as tx:
        publish_erasures(tx, at=now())


@JOBS.periodic(cron="40 * * * *")
@JOBS.task(
    name="record.publications",
    queue=QUEUE,
    queueing_lock="record.publications",
    lock="record.publications",
    pass_context=False,
)
def review_how_merchants_are_published(timestamp: int) -> None:  # noqa: ARG001  every periodic job is given it
    """Say how merchants are published from tomorrow or next month on: looked for every hour, said once."""
    with transaction() as tx:
        changed = review_publications(tx, at=now())
    if changed:
        log.info("publications_said", merchants=len(changed))


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
        rescuer = asyncio.create_task(_keep_rescuing(app))
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
            rescuer.cancel()
            await asyncio.gather(rescuer, return_exceptions=True)
            await app.close_async()


async def _keep_rescuing(app: procrastinate.App) -> None:
    """Give the jobs of dead workers to the living. Not a job itself: one that died with its worker would block the next."""
    while True:
        await asyncio.sleep(RESCUE_SECONDS)
        try:
            await rescue_jobs(app)
        except ConnectorException:
            log.warning("the jobs of dead workers could not be looked for; tried again")


async def rescue_jobs(app: procrastinate.App) -> None:
    """Put back what dead workers had begun; a job that waits again already under the same lock is not needed twice."""
    for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=STALLED_SECONDS):
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
