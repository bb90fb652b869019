"""`huigong sandbox` serves the payment sandbox on loopback; `huigong run` brings it in a demo."""

import uvicorn

from api.identity import find_kind
from api.identity.installation import UnsafeSettingsError
from api.logs import configure_logs
from api.pages.sandbox import render_pay_page
from market.kit.clock import now
from market.kit.database import connect, disconnect, make_engine, transaction
from market.kit.settings import get_settings
from market.payments.sandbox.app import Sandbox, create_sandbox
from market.payments.sandbox.clock import Sender
from market.payments.sandbox.store import parse_knobs, prepare, set_knobs

HOST = "127.0.0.1"
POOL_SIZE = 6


def sandbox() -> None:
    """Play the payment provider: checkouts, refunds, signed events. No money moves, and a real installation refuses it."""
    settings = get_settings()
    if settings.database_url is None:
        raise UnsafeSettingsError(
            "`huigong sandbox` needs HUIGONG_DATABASE_URL; `huigong run` brings its own database."
        )
    configure_logs(settings.log_format)
    _refuse_real(settings.database_url)
    engine = make_engine(settings.database_url, pool_size=POOL_SIZE)
    if settings.sandbox_knobs is not None:
        prepare(engine)
        with engine.begin() as tx:
            set_knobs(tx, parse_knobs(settings.sandbox_knobs))
    app = create_sandbox(
        Sandbox(
            engine=engine,
            base=f"http://{HOST}:{settings.sandbox_port}",
            key=settings.stripe_key.get_secret_value(),
            sender=Sender(
                webhook=f"http://{settings.host}:{settings.port}/webhooks/stripe",
                secret=settings.stripe_webhook_secret.get_secret_value(),
                clock=now,
            ),
            render=render_pay_page,
        )
    )
    uvicorn.run(
        app,
        host=HOST,
        port=settings.sandbox_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def _refuse_real(url: str) -> None:
    connect(url, pool_size=2)
    try:
        with transaction() as tx:
            kind = find_kind(tx)
    finally:
        disconnect()
    if kind != "demo":
        raise UnsafeSettingsError("The sandbox plays with payments, so it serves a demo database only.")
