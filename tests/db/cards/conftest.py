"""A small works: one union, a plant with two workshops, one member with a card, and two shops that are ids only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

import cards
from market.kit.database import connect, disconnect, transaction
from tests.national_ids import complete
from tests.stages import Begun, Stage

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)


def make_national_id(number: int) -> str:
    """A right national id; different for every number below 100,000."""
    return complete(f"210302{1960 + number // 10000:04d}{1 + number // 1000 % 10:02d}15{number % 1000:03d}")


@dataclass(frozen=True)
class Works:
    """Ids of the small works."""

    union: UUID
    plant: UUID
    rolling: UUID
    casting: UUID
    member: cards.AddedMember
    shop: UUID
    other_shop: UUID
    staff: UUID


@pytest.fixture
def national_id() -> Callable[[int], str]:
    """Right national ids by number; number 0 is the member of `works`."""
    return make_national_id


@pytest.fixture(scope="session")
def cards_stage(bare_stage: Stage) -> Stage:
    return bare_stage.further("works", _build)


@pytest.fixture
def works(database: Engine, begun: Begun, cards_stage: Stage) -> Works:
    """The small works, committed."""
    return begun.take("works", _build)


@pytest.fixture
def crowded_works(database_url: str, begun: Begun, cards_stage: Stage) -> Iterator[Works]:
    """The same with 34 connections, for 32 threads at once."""
    connect(database_url, pool_size=34)
    yield begun.take("works", _build)
    disconnect()


def _build() -> Works:
    with transaction() as tx:
        union = cards.add_unit(tx, code="xg", name="新钢")
        plant = cards.add_unit(tx, code="p1", name="一分厂", parent_id=union)
        rolling = cards.add_unit(tx, code="p1-rolling", name="轧钢车间", parent_id=plant)
        casting = cards.add_unit(tx, code="p1-casting", name="连铸车间", parent_id=plant)
        person = cards.NewMember(
            staff_number="00001",
            name="欧阳建国",
            phone="13800000000",
            national_id=make_national_id(0),
            unit_id=rolling,
            tags=("model-worker",),
        )
        member = cards.add_member(tx, member=person, at=NOON)
    return Works(union, plant, rolling, casting, member, uuid4(), uuid4(), uuid4())
