"""A member with a whole life in the works: sales, orders, a proxy, a return request, an account; and a look into every column there is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

import cards
from api import erasing, handing_out, shopping
from api.identity import create_account, grant_role, open_session
from api.public_log import open_log
from api.shopping import HandoverKeyed
from cards.erasing import list_erasures
from market.kit.database import get_engine, transaction
from market.kit.ids import new_id
from market.kit.settings import Settings
from market.offers.consents import give_consent
from market.offers.live import get_book
from market.sales.orders.models import Order
from market.sales.orders.requests import Asked
from tests.mall import Mall
from tests.stages import Begun, Stage
from tests.world import NOON, World

LATER = NOON + timedelta(hours=3)
CLERK, CHIEF = new_id(), new_id()  # two officers

NAME, PHONE, STAFF, NATIONAL_ID = "司马青禾", "13911112222", "S77777", "110105194912310994"
ADDRESS, PROXY, LOGIN, AGENT = "炼钢新村 77 栋", "欧阳代领", "qinghe.sima", "Qinghe's phone"
WORDS, ANSWER, REASON, EMAIL = "锅底不平，青禾", "青禾师傅已经用过了", "青禾电话说不要了", "qinghe@example.org"
MINE = (NAME, PHONE, STAFF, NATIONAL_ID, ADDRESS, PROXY, LOGIN, AGENT, WORDS, ANSWER, REASON, EMAIL)

GROUP_ONLY = {
    "id": "GROUP5",
    "stage": "line",
    "kind": "percent_off",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 1500,
    "audience": {"tags": ["welder"]},
}
STRANGERS = GROUP_ONLY | {"id": "RETIRED", "rate_bp": 3000, "audience": {"state": ["retired"]}}
AGREED = {
    "id": "AGREED",
    "stage": "subsidy",
    "kind": "amount_off",
    "match": {"any": True},
    "amount": 50,
    "sponsor": "xg",
    "sponsor_share_bp": 10000,
    "budgets": ["budget:lunch"],
    "consent": "ask",
}


@dataclass
class Life:
    """The member who will be deleted, what he did, and the settings under which it happens."""

    mall: Mall
    person: cards.AddedMember
    account: UUID
    human: UUID
    orders: list[Order] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)

    def erase(self, *, at: datetime = LATER) -> None:
        """He asks, an officer carries it out."""
        erasing.ask_for_oneself(member_id=self.person.member_id, person=self.human, at=at)
        erasing.approve_request(
            self.settings, erasure_id=self.waiting(), unit_id=self.mall.world.unit, person=CHIEF, at=at
        )

    def waiting(self) -> UUID:
        with transaction() as tx:
            [row] = list_erasures(tx, unit_id=self.mall.world.unit)
        return row.asked.id

    def needles(self) -> list[str]:
        """Everything by which he could be known: what he is called, his card, his row in the register."""
        with get_engine().connect() as connection:
            ids = connection.execute(
                text("SELECT id::text, number, reference FROM card WHERE member_id = :id"),
                {"id": self.person.member_id},
            ).one()
        return [*MINE, *ids, str(self.person.member_id), str(self.account), str(self.human)]


@pytest.fixture(scope="session")
def life_stage(mall_stage: Stage) -> Stage:
    return mall_stage.further("life", build_life, on="mall")


@pytest.fixture
def life(mall: Mall, begun: Begun, life_stage: Stage, tmp_path: Path) -> Life:
    """A member who bought, ordered, sent somebody, asked for a return, and has nothing open; the log is open."""
    made = begun.take("life", build_life, mall)
    made.settings = Settings(record_folder=tmp_path / "record")
    open_log(made.settings, origin="test.example/log", window_seconds=5, at=NOON)
    return made


def build_life(mall: Mall) -> Life:
    """The same in the database this process is connected to."""
    world = mall.world
    world.offer(GROUP_ONLY)
    world.offer(STRANGERS)
    world.offer(AGREED)
    made = enter(world, mall)
    with transaction() as tx:
        give_consent(tx, subject=made.person.subject, offer="AGREED", live=get_book(at=NOON), at=NOON)
    world.sell(1600, 200, member=made.person)
    world.sell(2500, member=made.person, at=NOON + timedelta(minutes=1))
    world.sell(1600, 200, at=NOON + timedelta(minutes=2))  # somebody else's
    mall.place({"bowl": 1}, member=world.members[0])
    made.orders = [fetched(mall, made), delivered(mall, made), called_off(mall, made)]
    with transaction() as tx:
        tx.execute(
            text("INSERT INTO basket_line (subject, item_id, qty, added_at) VALUES (:s, :i, 2, :at)"),
            {"s": made.person.subject, "i": mall.items["bowl"], "at": NOON},
        )
    return made


def enter(world: World, mall: Mall) -> Life:
    """In the register, with a sign-in."""
    member = cards.NewMember(
        staff_number=STAFF, name=NAME, phone=PHONE, national_id=NATIONAL_ID, unit_id=world.unit, tags=("welder",)
    )
    with transaction() as tx:
        person = cards.add_member(tx, member=member, at=NOON)
        account = create_account(tx, login=LOGIN, name=NAME, at=NOON)
        grant_role(tx, account_id=account, role="member", at=NOON, scope_id=person.member_id)
        open_session(tx, account_id=account, roles=["member"], agent=AGENT, at=NOON)
        human = tx.scalar(text("SELECT person FROM account WHERE id = :id"), {"id": account})
    world.members.append(person)
    return Life(mall, person, account, human)


def fetched(mall: Mall, life: Life) -> Order:
    """Two pots, fetched by somebody he sent; one asked back and declined."""
    [placed] = mall.place({"pot": 2}, member=life.person)
    mall.pay(placed.order)
    number = placed.order.number
    handing_out.hand_out_by_slip(
        staff_id=mall.owner, number=number, digits=placed.order.slip, units=None, key="all", at=NOON, proxy_name=PROXY
    )
    asked = Asked({"1": 1}, "other", WORDS)
    shopping.ask_return(member_id=life.person.member_id, number=number, asked=asked, key="ask", at=NOON)
    handing_out.decline_return(staff_id=mall.owner, number=number, answer=ANSWER, at=NOON)
    return placed.order


def delivered(mall: Mall, life: Life) -> Order:
    """Bowls brought to his door; the provider's event says who paid."""
    [placed] = mall.place({"bowl": 3}, member=life.person, how=HandoverKeyed("delivery", deliver_to=ADDRESS))
    payment = mall.begin(placed.order)
    raw = mall.provider.pay(payment)
    assert raw is not None
    event = json.loads(raw) | {"customer_details": {"name": NAME, "email": EMAIL}}
    mall.hear(json.dumps(event, ensure_ascii=False).encode())
    handing_out.deliver(staff_id=mall.owner, number=placed.order.number, units=None, key="all", at=NOON)
    return placed.order


def called_off(mall: Mall, life: Life) -> Order:
    """A cooker that the supplier did not send after all, with a reason in his words; the money is back."""
    [placed] = mall.place({"cooker": 1}, member=life.person)
    mall.pay(placed.order)
    handing_out.cancel_for_member(
        mall.provider, staff_id=mall.owner, number=placed.order.number, reason=REASON, key="off", at=NOON
    )
    mall.send_refunds(placed.order)
    return placed.order


def find_everywhere(needles: list[str]) -> Mapping[str, set[str]]:
    """In which tables, of whatever schema, some column of some row holds each of these texts, as text, JSON or bytes."""
    found: dict[str, set[str]] = {}
    with get_engine().connect() as connection:
        tables = connection.execute(
            text("""
            SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables
            WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
            """)
        ).scalars()
        for table in tables.all():
            rows = connection.execute(text(f"SELECT to_jsonb(t)::text FROM {table} t")).scalars().all()
            whole = "\n".join(rows)
            for needle in needles:
                spelled = (needle, json.dumps(needle)[1:-1].replace("\\", "\\\\"), needle.encode().hex())
                if any(one in whole for one in spelled):
                    found.setdefault(needle, set()).add(table.removeprefix("public."))
    return found
