"""A demo database with one account."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine

from api.identity import create_account, grant_role, init_installation, set_password
from market.kit.database import transaction

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


@pytest.fixture
def account(database: Engine) -> UUID:
    """An auditor called `wang`, without a password."""
    with transaction() as tx:
        init_installation(tx, kind="demo", at=NOON)
        account_id = create_account(tx, login="wang", name="王经审", at=NOON)
        grant_role(tx, account_id=account_id, role="auditor", at=NOON)
    return account_id


@pytest.fixture
def password(account: UUID) -> str:
    """The password of `wang`."""
    with transaction() as tx:
        set_password(tx, login="wang", password=PASSWORD, at=NOON)
    return PASSWORD
