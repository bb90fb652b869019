"""For journeys through the whole application: the real app on a real database, real accounts, real sessions, nothing patched."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.identity import create_account, grant_role, init_installation, open_session, set_password
from cards import operations as cards
from market.kit.clock import now
from market.kit.database import connect, transaction
from market.kit.settings import get_settings
from merchants import operations as merchants
from tests.stages import Begun, Stage

ORIGIN = "http://testserver"
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Works:
    """One small works: an account of each role, the ids behind them."""

    unit_id: UUID
    member_id: UUID
    merchant_id: UUID
    shop_id: UUID
    staff_id: UUID
    accounts: dict[str, UUID]


@pytest.fixture
def app_settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment of an operator; set more of it before asking for `client`."""
    monkeypatch.setenv("HUIGONG_DATABASE_URL", database_url)
    monkeypatch.setenv("HUIGONG_LOG_FORMAT", "json")
    get_settings.cache_clear()
    yield monkeypatch
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def works_stage(bare_stage: Stage) -> Stage:
    return bare_stage.further("works", build_works)


@pytest.fixture
def works(database_url: str, begun: Begun, works_stage: Stage, app_settings: pytest.MonkeyPatch) -> Works:
    """A demo database with one person per role; each signs in with PASSWORD as `demo-<role>`."""
    connect(database_url)
    return begun.take("works", build_works)


def build_works() -> Works:
    """The same in the database this process is connected to."""
    at = now()
    with transaction() as tx:
        init_installation(tx, kind="demo", at=at)
        unit = cards.add_unit(tx, code="xg", name="星钢")
        member = cards.add_member(
            tx,
            member=cards.NewMember(
                unit_id=unit,
                staff_number="10001",
                name="王小明",
                phone="13800138000",
                national_id="11010519491231002X",
                grade="standard",
                tags=(),
                state="active",
                joined_on=at.date(),
            ),
            at=at,
        ).member_id
        merchant = merchants.admit_merchant(
            tx,
            code="m_0001",
            name="老王面馆",
            credit_code="91350211MA0001000Y",
            category="food",
            publication="row",
            at=at,
        )
        shop = merchants.add_shop(
            tx, merchant_id=merchant, code="s_0001", name="老王面馆一店", address="东门", till="amounts"
        )
        staff = merchants.add_staff(tx, merchant_id=merchant, name="李店员", shop_id=shop)
        owner = merchants.add_staff(tx, merchant_id=merchant, name="王老板")
        accounts = {}
        places = {"member": member, "assistant": staff, "owner": owner, "officer": unit, "auditor": None}
        for role, place in places.items():
            accounts[role] = create_account(tx, login=f"demo-{role}", name=f"{role} 某", at=at)
            grant_role(tx, account_id=accounts[role], role=role, at=at, scope_id=place)
    return Works(unit, member, merchant, shop, staff, accounts)


@pytest.fixture
def client(works: Works) -> Iterator[TestClient]:
    """A browser in which nobody is signed in; it sends no Origin unless a test does."""
    with TestClient(create_app(), base_url=ORIGIN, follow_redirects=False) as browser:
        yield browser


def csrf_in(html: str) -> str:
    """The form token of a page, as a browser would send it back."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, html[:2000]
    return found[1]


def browse(html: str) -> str:
    """A page without what differs each time: the form token."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", html)


@pytest.fixture
def new_token(works: Works) -> Callable[[str | None], str]:
    """A fresh session of the person with this role, or of one without any, for a program."""

    def begin(role: str | None) -> str:
        with transaction() as tx:
            account_id = works.accounts[role] if role else create_account(tx, login="norole", name="某", at=now())
            return open_session(tx, account_id=account_id, roles=[role] if role else [], agent="test", at=now()).token

    return begin


@pytest.fixture
def enter(client: TestClient) -> Callable[[str], TestClient]:
    """Sign in through the demo door as a role."""

    def by_door(role: str) -> TestClient:
        token = csrf_in(client.get("/sign-in").text)
        answer = client.post("/demo-sign-in", data={"role": role, "csrf_token": token})
        assert answer.status_code == 303, answer.text
        return client

    return by_door


@pytest.fixture
def password_of(works: Works) -> Callable[[str], str]:
    """Give the person of a role PASSWORD."""

    def give(role: str) -> str:
        with transaction() as tx:
            set_password(tx, login=f"demo-{role}", password=PASSWORD, at=now())
        return PASSWORD

    return give
