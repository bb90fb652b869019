"""A small market of which an auditor opens details: sales of two members, an open log, two auditors and an officer, each with a token."""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api.details import build_details
from api.identity import create_account, grant_role, open_session
from api.public_log import open_log, run_round
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.settings import Settings, get_settings
from market.record.details.keys import AuditorSecret
from market.record.publishing.served import published_size, record_reader
from tests.record_log import copy_record
from tests.stages import Begun, Stage
from tests.web.conftest import Works
from tests.web.market import add_member, open_market
from tests.web.test_member_pages import sell

WINDOW_SECONDS = 5
SECRET = AuditorSecret(bytes(range(32)))
ASKED = {"merchant": "m_0001", "reason": "finding", "words": "七成小票在 50 元上下", "key": SECRET.key.text}


@dataclass
class Opening:
    """What the tests do: each person is a role's token; sales by their public ids in the order they were made."""

    client: TestClient
    tokens: dict[str, str]
    works: Works
    sales: list[str]
    other_member: UUID

    def go(self, who: str, method: str, path: str, **data: str) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return self.client.request(method, path, data=data or None, headers=headers)

    def ask(self, who: str = "auditor", **changes: str) -> Any:
        today = business_day(now()).isoformat()
        return self.go(who, "POST", "/audit/details", **({"first_day": today, "last_day": today} | ASKED | changes))

    def asked(self, who: str = "auditor", **changes: str) -> str:
        """The address of a request."""
        answer = self.ask(who, **changes)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"]).partition("?")[0]

    def approved(self) -> str:
        """The same with its file."""
        page = self.asked()
        answer = self.go("officer", "POST", f"{page}/approve")
        assert answer.status_code == 303, answer.text
        build_details(request_id=UUID(page.rpartition("/")[2]), at=now())
        return page

    def file(self) -> bytes:
        answer = self.go("auditor", "GET", f"{self.approved()}/file")
        assert answer.status_code == 200, answer.text
        return bytes(answer.content)


def publish() -> None:
    """A round of the sequencer, when the windows of everything until now are over."""
    run_round(get_settings(), at=now() + timedelta(seconds=WINDOW_SECONDS))


def mirror(folder: Path) -> Path:
    """The published record as files."""
    with transaction() as tx:
        return copy_record(record_reader(tx), folder, published_size(tx))


@dataclass(frozen=True)
class Sold:
    """What was sold before the tests begin, and where the keys of the log lie."""

    sales: list[str]
    other_member: UUID
    keys: Path


def build_sold(works: Works) -> Sold:
    """Three sales of two members, published."""
    keys = Path(tempfile.mkdtemp(prefix="huigong-keys-"))
    atexit.register(shutil.rmtree, keys, ignore_errors=True)
    settings = Settings(record_folder=keys)
    open_market()
    open_log(settings, origin="test.example/log", window_seconds=WINDOW_SECONDS, at=now())
    other = add_member(works)
    sales = [sell(works, 1600, 200, member_id=member) for member in (None, other, None)]
    run_round(settings, at=now() + timedelta(seconds=WINDOW_SECONDS))
    return Sold(sales, other, keys)


@pytest.fixture(scope="session")
def sold_stage(works_stage: Stage) -> Stage:
    return works_stage.further("sold", build_sold, on="works")


def add_auditor(login: str, *, person: UUID | None = None) -> str:
    """Another account of an auditor; its token."""
    with transaction() as tx:
        account = create_account(tx, login=login, name="另一位经审", person=person, at=now())
        grant_role(tx, account_id=account, role="auditor", at=now())
        return open_session(tx, account_id=account, roles=["auditor"], agent="test", at=now()).token


@pytest.fixture
def opening(
    works: Works,
    begun: Begun,
    sold_stage: Stage,
    client: TestClient,
    new_token: Callable[[str | None], str],
    app_settings: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Opening:
    sold = begun.take("sold", build_sold, works)
    shutil.copytree(sold.keys, tmp_path / "keys")  # what a test publishes is remembered there
    app_settings.setenv("HUIGONG_RECORD_FOLDER", str(tmp_path / "keys"))
    get_settings.cache_clear()
    tokens = {role: new_token(role) for role in ("member", "owner", "officer", "auditor")}
    tokens["auditor-2"] = add_auditor("auditor-2")
    return Opening(client, tokens, works, sold.sales, sold.other_member)
