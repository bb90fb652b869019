"""Runs migrations on the database given by the caller (`market.kit.migrations`) or by HUIGONG_DATABASE_URL."""

from typing import Any

from sqlalchemy import create_engine, text

import api.identity.models
import cards.models
import market.ledger.models
import market.offers.models
import market.oversight.models
import market.payments.models
import market.record.models
import market.record.publishing.models
import market.sales.models
import market.sales.orders.models
import merchants.models
from alembic import context
from market.kit.database import Base
from market.kit.errors import invariant
from market.kit.settings import get_settings

SCHEMAS = {None, "public", "vault"}


def include_name(name: str | None, kind: str, _parents: dict[str, Any]) -> bool:
    """Compare only our own schemas: `jobs` holds the tables of a library, `sandbox` those of a toy that makes them itself."""
    return kind != "schema" or name in SCHEMAS


def run() -> None:
    """Migrate in one transaction; give up after 10 seconds of waiting for a lock rather than block the tills."""
    url = context.config.attributes.get("url") or get_settings().database_url
    invariant(url, "a migration needs a database: set HUIGONG_DATABASE_URL or use `huigong migrate`")
    engine = create_engine(str(url))
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_schemas=True,
            include_name=include_name,
            compare_server_default=True,
        )
        with context.begin_transaction():
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            connection.execute(text("SET LOCAL statement_timeout = '15min'"))
            context.run_migrations()
    engine.dispose()


run()
