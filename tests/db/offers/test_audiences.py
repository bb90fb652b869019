"""Whom an offer is for stands in the public record only when that is a class of a hundred members at least."""

import base64
import hashlib
import json
import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

import cards
from cards.models import Member, Unit
from cards.people import list_facts
from market.kit.database import get_engine, transaction
from market.offers.audience import LEAST_NAMED
from market.offers.bulk import NewOffer, load_offers
from market.offers.operations import approve_offer, end_early
from market.offers.queries import get_version
from market.pricing.gates import _is_among
from tests.world import FIRST, NOON, SECOND, World, findings

TAGGED = {
    "id": "TAGGED",
    "stage": "line",
    "kind": "percent_off",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 2000,
    "audience": {"state": ["active"], "tags": ["welder"]},
}


def enter(world: World, count: int, *, first: int = 100, **facts: Any) -> None:
    for number in range(first, first + count):
        world.add_member(number, **facts)


def entry_of(offer: str, version: int = 1) -> tuple[str, dict[str, Any]]:
    """The entry of a version as text, and read."""
    with transaction() as tx:
        body = tx.execute(
            text(
                "SELECT e.body FROM entry e JOIN offer_version v ON v.entry_id = e.id WHERE (v.offer, v.version) = (:o, :v)"
            ),
            {"o": offer, "v": version},
        ).scalar_one()
    return body.decode(), json.loads(body)


def salt_of(offer: str, version: int = 1) -> bytes:
    with transaction() as tx:
        salt = get_version(tx, offer=offer, version=version).audience_salt
    assert salt is not None
    return salt


@pytest.mark.parametrize(("welders", "is_named"), [(LEAST_NAMED - 1, False), (LEAST_NAMED, True)])
def test_a_class_is_named_from_a_hundred_members_on(world: World, *, welders: int, is_named: bool) -> None:
    enter(world, welders, tags=("welder",))
    enter(world, 3, first=900, tags=("welder",), state="left")
    world.offer(TAGGED)
    words, entry = entry_of("TAGGED")
    assert ("welder" in words) == is_named
    if is_named:
        assert entry["terms"]["audience"] == TAGGED["audience"]
        assert "audience" not in entry
    else:
        assert "audience" not in entry["terms"]
        opened = b'{"state":["active"],"tags":["welder"]}'
        assert entry["audience"] == base64.b64encode(hashlib.sha256(salt_of("TAGGED") + opened).digest()).decode()
    assert findings() == []


def test_an_offer_of_few_is_sold_and_priced_as_any_other(world: World) -> None:
    welder = world.add_member(2, tags=("welder",))
    world.offer(TAGGED)
    assert world.sell(3000, member=welder).concession_fen == 600
    assert world.sell(3000).concession_fen == 300
    assert findings() == []


def test_two_commitments_to_one_audience_differ(world: World) -> None:
    world.offer(TAGGED)
    with transaction() as tx:
        ends = NOON + timedelta(days=1)
        assert end_early(tx, offer="TAGGED", ends_at=ends, reason="不办了", proposed_by=FIRST, at=NOON) == 2
        approve_offer(
            tx,
            offer="TAGGED",
            version=2,
            approved_by=SECOND,
            count_class=cards.count_class,
            at=NOON + timedelta(hours=1),
        )
    assert entry_of("TAGGED", 1)[1]["audience"] != entry_of("TAGGED", 2)[1]["audience"]
    assert findings() == []


def test_a_load_of_offers_names_no_few_either(world: World) -> None:
    new = [
        NewOffer({**TAGGED, "id": f"LOAD{number}", **more}, "电焊工", "Welders", merchants=("m_0001",))
        for number, more in enumerate(({}, {"audience": {}}))
    ]
    with transaction() as tx:
        load_offers(tx, offers=new, proposed_by=FIRST, approved_by=SECOND, count_class=cards.count_class, at=NOON)
    assert "welder" not in entry_of("LOAD0")[0]
    assert entry_of("LOAD1")[1].keys() == {"v", "type", "id", "day", "terms", "limits", "signed", "text"}
    assert findings() == []


def test_another_salt_opens_nothing_and_is_found(world: World) -> None:
    world.offer(TAGGED)
    with get_engine().begin() as connection:
        connection.execute(text("UPDATE offer_version SET audience_salt = sha256('x') WHERE offer = 'TAGGED'"))
    assert findings() == ["audiences: offer TAGGED version 1: its audience does not open what was published"]
    with get_engine().begin() as connection:
        connection.execute(text("UPDATE offer_version SET audience_salt = NULL WHERE offer = 'TAGGED'"))
    assert len(findings()) == 2  # the terms are not those that were published, and nothing opens the commitment


def test_a_class_is_counted_as_the_engine_reads_an_audience(world: World) -> None:
    """Members and audiences at random: the register counts whom the gate of the engine lets through."""
    chance = random.Random(11)
    levels, tags = ("union", "branch", "workshop", "group"), ("welder", "night-shift", "model-worker")
    with transaction() as tx:
        units, codes = [], []
        for number in range(12):
            parent = chance.choice([None, *units]) if units else None
            codes.append(f"u{number}")
            units.append(cards.add_unit(tx, code=codes[-1], name=codes[-1], parent_id=parent))
    for number in range(60):
        world.add_member(
            100 + number,
            unit_id=chance.choice(units),
            grade=chance.choice(("standard", "senior")),
            tags=tuple(tag for tag in tags if chance.random() < 0.4),
            state=chance.choice(("active", "retired", "left")),
        )
    with transaction() as tx:
        rows = tx.query(Member, Unit.path).join(Unit, Unit.id == Member.unit_id).all()
        people = [
            list_facts(path=path, grade=row.grade, state=row.state, tags=row.tags)
            for row, path in rows
            if row.state != "left"
        ]
        seen = set()
        for _ in range(300):
            audience: dict[str, list[object]] = {}
            for name in chance.sample([*levels, "grade", "state", "tags", "shoe_size"], chance.randint(1, 3)):
                values: list[object] = [*codes, "standard", "senior", "active", "retired", "left", *tags, 1, True]
                audience[name] = chance.sample(values, chance.randint(1, 9))
            fits = sum(all(_is_among(facts.get(name), values) for name, values in audience.items()) for facts in people)
            seen.add(fits)
            assert cards.count_class(tx, audience, 1_000) == fits
            assert cards.count_class(tx, audience, 3) == min(fits, 3)
    assert len(seen) > 10
