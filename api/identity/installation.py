"""What kind of database this is: `demo` or `real`, written once when it is created and never changed."""

from datetime import datetime
from ipaddress import ip_address
from typing import Literal, cast
from urllib.parse import urlsplit

from sqlalchemy import make_url, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from api.identity.models import Installation
from market.kit.errors import ConflictError, ForbiddenError
from market.kit.settings import DEMO_MASTER_KEY, Settings
from market.payments.provider import find_provider_faults

Kind = Literal["demo", "real"]


class InstallationExistsError(ConflictError):
    """The kind of a database is written once."""

    code = "INSTALLATION_EXISTS"
    zh = "这个数据库已经初始化为 {kind}，不能再改；请换一个新的数据库。"
    en = "This database was made as {kind} and stays so; use a new database."


class NotADemoError(ForbiddenError):
    """Demo sign-in exists in a demo database only."""

    code = "NOT_A_DEMO"
    zh = "这不是演示库，没有演示登录；请用自己的账号登录。"
    en = "This is not a demo database, so there is no demo sign-in; sign in with your own account."


class UnsafeSettingsError(RuntimeError):
    """The settings do not fit the kind of this database; each sentence says what to change."""


def init_installation(tx: Session, *, kind: Kind, at: datetime) -> None:
    """Write the one row. Writing the same kind again changes nothing; another raises InstallationExistsError."""
    tx.execute(insert(Installation).values(id=1, kind=kind, created_at=at).on_conflict_do_nothing())
    written = find_kind(tx)
    if written != kind:
        raise InstallationExistsError(kind=str(written))


def find_kind(tx: Session) -> Kind | None:
    """`demo`, `real`, or None while the database is new."""
    return cast("Kind | None", tx.execute(select(Installation.kind)).scalar())


def check_settings(settings: Settings, *, kind: Kind | None, database_url: str) -> None:
    """Refuse to serve when the settings do not fit the kind: raises UnsafeSettingsError with every fault.

    A real one takes no default secret and no plain http that others could read; a demo, whose doors are open, stays on
    this machine. Neither sends a key of the payment provider where it does not belong.
    """
    faults = {"real": _faults_of_real, "demo": _faults_of_demo}[kind](settings, database_url) if kind else []
    faults += find_provider_faults(settings, is_real=kind == "real") if kind else []
    if faults:
        raise UnsafeSettingsError(" ".join(faults))


def _faults_of_real(settings: Settings, _database_url: str) -> list[str]:
    faults = []
    if settings.master_key.get_secret_value() == DEMO_MASTER_KEY:
        faults.append("A real installation needs its own secret: set HUIGONG_MASTER_KEY.")
    if settings.public_url is None:
        if not is_loopback(settings.host):
            faults.append(
                "Set HUIGONG_PUBLIC_URL to the https address people type; HUIGONG_HOST is reachable by others."
            )
        return faults
    url = urlsplit(settings.public_url)
    if url.scheme != "https" and not is_loopback(url.hostname or ""):
        faults.append("HUIGONG_PUBLIC_URL must be https: over plain http others could read sign-ins.")
    return faults


def _faults_of_demo(settings: Settings, database_url: str) -> list[str]:
    faults = []
    if not is_loopback(settings.host):
        faults.append("A demo has open doors and stays on this machine: set HUIGONG_HOST to 127.0.0.1.")
    if settings.public_url is not None and not is_loopback(urlsplit(settings.public_url).hostname or ""):
        faults.append("A demo has no public address: unset HUIGONG_PUBLIC_URL.")
    url = make_url(database_url)
    host = url.host or str(url.query.get("host", ""))
    if host and not host.startswith("/") and not is_loopback(host):
        faults.append("A demo keeps its database on this machine: unset HUIGONG_DATABASE_URL.")
    return faults


def is_loopback(host: str) -> bool:
    """Whether a host name or address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
