"""Which settings a demo and a real installation refuse."""

import pytest

from api.identity.installation import UnsafeSettingsError, check_settings, is_loopback
from market.kit.settings import Settings

LOCAL = "postgresql+psycopg://huigong@/huigong?host=/var/run/x"
OWN_KEY = {"master_key": "k" * 40}


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[arg-type,call-arg]


@pytest.mark.parametrize(
    ("kind", "values", "url"),
    [
        ("demo", {}, LOCAL),
        ("demo", {"public_url": "http://localhost:8000"}, LOCAL),
        ("demo", {"host": "::1"}, "postgresql+psycopg://u@127.0.0.1/x"),
        ("real", OWN_KEY, LOCAL),
        (
            "real",
            OWN_KEY | {"host": "0.0.0.0", "public_url": "https://card.example"},
            "postgresql+psycopg://u@db.internal/x",
        ),
        (None, {}, LOCAL),
    ],
)
def test_safe_settings_pass(kind: str, values: dict[str, object], url: str) -> None:
    check_settings(settings(**values), kind=kind, database_url=url)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "values", "url", "named"),
    [
        ("real", {}, LOCAL, "HUIGONG_MASTER_KEY"),
        ("real", OWN_KEY | {"public_url": "http://card.example"}, LOCAL, "HUIGONG_PUBLIC_URL"),
        ("real", OWN_KEY | {"host": "0.0.0.0"}, LOCAL, "HUIGONG_PUBLIC_URL"),
        ("demo", {"host": "0.0.0.0"}, LOCAL, "HUIGONG_HOST"),
        ("demo", {"public_url": "https://card.example"}, LOCAL, "HUIGONG_PUBLIC_URL"),
        ("demo", {}, "postgresql+psycopg://u@db.internal/x", "HUIGONG_DATABASE_URL"),
        ("demo", {}, "postgresql+psycopg:///x?host=db.internal", "HUIGONG_DATABASE_URL"),
    ],
)
def test_unsafe_settings_are_refused_with_what_to_change(
    kind: str, values: dict[str, object], url: str, named: str
) -> None:
    with pytest.raises(UnsafeSettingsError, match=named):
        check_settings(settings(**values), kind=kind, database_url=url)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "yes"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, *, yes: bool) -> None:
    assert is_loopback(host) is yes
