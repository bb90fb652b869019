"""A real installation plays no payments: without a live key nobody can be paid through, and the sandbox refuses to start."""

import pytest
from sqlalchemy import Engine

from api.commands.sandbox import sandbox
from api.identity import init_installation
from api.identity.installation import Kind, UnsafeSettingsError
from api.payments import NoProviderError, get_gateway
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.settings import get_settings


@pytest.mark.parametrize("kind", ["real", "demo"])
def test_only_a_demo_pays_through_the_sandbox(database: Engine, kind: Kind) -> None:
    with transaction() as tx:
        init_installation(tx, kind=kind, at=now())
    if kind == "demo":
        assert not get_gateway().livemode
    else:
        with pytest.raises(NoProviderError):
            get_gateway()


def test_the_sandbox_refuses_a_real_installation(
    database: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as tx:
        init_installation(tx, kind="real", at=now())
    monkeypatch.setenv("HUIGONG_DATABASE_URL", database_url)
    get_settings.cache_clear()
    try:
        with pytest.raises(UnsafeSettingsError, match="demo database only"):
            sandbox()
    finally:
        get_settings.cache_clear()
