"""A small works for tests: one noodle shop with its offers, a union budget, members with cards. Everything real, nothing patched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import cards
import merchants
from api import till
from market.kit.database import get_engine, transaction
from market.kit.ids import new_id
from market.offers.operations import approve_offer, propose_offer
from market.offers.queries import get_version
from market.offers.signatures import sign_offer
from market.oversight.audits import AUDITS
from market.record.budgets import grant_budget, open_budget
from market.sales.redeem import SaleAnswer
from tests.national_ids import complete
from tests.stages import Begun, Stage

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)  # Tuesday 12:05 in Shanghai
FIRST, SECOND, OWNER = new_id(), new_id(), new_id()  # two officers and the owner of the merchants

NOODLES = {
    "id": "NOODLE10",
    "stage": "line",
    "kind": "percent_off",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 1000,
}
WEEKDAY = {
    "id": "WEEKDAY1",
    "stage": "subsidy",
    "kind": "amount_off",
    "match": {"any": True},
    "amount": 100,
    "sponsor": "xg",
    "sponsor_share_bp": 10000,
    "budgets": ["budget:lunch"],
}


@dataclass
class World:
    """Ids of what was made, and the short way to do what a till does."""

    unit: UUID
    merchant: UUID
    shop: UUID
    staff: UUID
    members: list[cards.AddedMember] = field(default_factory=list)

    def add_member(self, number: int, **facts: Any) -> cards.AddedMember:
        member = cards.NewMember(
            staff_number=f"S{number:05d}",
            name="李秀英",
            phone="13800000000",
            national_id=complete(f"11010519490101{number:03d}"),
            **{"unit_id": self.unit, **facts},
        )
        with transaction() as tx:
            added = cards.add_member(tx, member=member, at=NOON)
        self.members.append(added)
        return added

    def offer(
        self,
        terms: Mapping[str, Any],
        limits: Mapping[str, Any] | None = None,
        *,
        at: datetime = NOON,
    ) -> None:
        """Proposed by one, signed by the owners of the merchants that bear a part, approved by another."""
        with transaction() as tx:
            version = propose_offer(
                tx,
                terms=terms,
                limits=limits or {},
                title=terms["id"],
                title_en=terms["id"],
                proposed_by=FIRST,
                at=at,
            )
            sign_all(tx, offer=terms["id"], version=version, at=at)
            approve_offer(
                tx, offer=terms["id"], version=version, approved_by=SECOND, count_class=cards.count_class, at=at
            )

    def budget(self, code: str, fen: int, *, slots: int = 1) -> None:
        with transaction() as tx:
            open_budget(tx, code=code, title=code, sponsor="xg", slots=slots, at=NOON)
            grant_budget(
                tx, budget=code, amount_fen=fen, key=f"{code}:1", proposed_by=FIRST, approved_by=SECOND, at=NOON
            )

    def visit(self, member: cards.AddedMember | None = None, *, at: datetime = NOON, staff: UUID | None = None) -> UUID:
        with transaction() as tx:
            issued = cards.issue_code(tx, card_id=(member or self.members[0]).card_id, at=at)
        return till.open_visit_at_till(staff_id=staff or self.staff, scanned=issued.code, at=at).visit_id

    def sell(
        self,
        joining_fen: int,
        other_fen: int = 0,
        *,
        key: str | None = None,
        visit: UUID | None = None,
        member: cards.AddedMember | None = None,
        at: datetime = NOON,
        expected: int | None = None,
    ) -> SaleAnswer:
        return till.redeem_at_till(
            staff_id=self.staff,
            visit_id=visit or self.visit(member, at=at),
            keyed=till.AmountsKeyed(joining_fen, other_fen),
            key=key or str(new_id()),
            at=at,
            expected_paid_fen=expected,
        )


def sign_all(tx: Session, *, offer: str, version: int, at: datetime) -> None:
    """The owners of all merchants that the version asks sign it."""
    row = get_version(tx, offer=offer, version=version)
    for merchant in row.merchants:
        sign_offer(tx, offer=offer, version=version, merchant=merchant, terms_hash=row.terms_hash, by=OWNER, at=at)


@pytest.fixture(scope="session")
def world_stage(bare_stage: Stage) -> Stage:
    return bare_stage.further("world", build_world)


@pytest.fixture
def world(database: Engine, begun: Begun, world_stage: Stage) -> World:
    """The works with one noodle shop, its 10 % off, the union's one yuan from the lunch budget, and one member."""
    return begun.take("world", build_world)


def build_world() -> World:
    """The same in the database this process is connected to."""
    with transaction() as tx:
        unit = cards.add_unit(tx, code="xg", name="兴钢工会")
        merchant = merchants.admit_merchant(
            tx,
            code="m_0001",
            name="老周面馆",
            credit_code="91110108551385082Q",
            category="noodles",
            publication="row",
            at=NOON,
        )
        shop = merchants.add_shop(
            tx, merchant_id=merchant, code="s_0001", name="老周面馆（炼钢路店）", address="炼钢路 8 号", till="amounts"
        )
        staff = merchants.add_staff(tx, merchant_id=merchant, name="小王", shop_id=shop)
    made = World(unit=unit, merchant=merchant, shop=shop, staff=staff)
    made.budget("lunch", 100_000)
    made.offer(NOODLES)
    made.offer(WEEKDAY)
    made.add_member(1)
    return made


def count(table: str) -> int:
    """How many rows a table has, asked past the code."""
    with get_engine().connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def left(balance: str) -> int:
    """What a balance holds over all its slots."""
    with get_engine().connect() as connection:
        return int(
            connection.execute(text("SELECT sum(left_over) FROM balance WHERE id = :id"), {"id": balance}).scalar_one()
        )


def findings() -> list[str]:
    """What `huigong verify` finds in the whole database."""
    with get_engine().connect() as connection:
        return [f"{found.rule}: {found.subject}: {found.problem}" for audit in AUDITS for found in audit(connection)]
