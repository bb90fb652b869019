"""An offer is proposed by one person, approved by another, published before it is used, and never edited."""

import json
import time
from datetime import timedelta

import pytest
from sqlalchemy import select

import cards
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.ledger.operations import TwoPersonsError
from market.offers import live
from market.offers.models import OfferVersion
from market.offers.operations import approve_offer, end_offer, propose_offer, reject_offer
from market.offers.signatures import list_signatures
from market.record.models import Entry
from tests.world import FIRST, NOODLES, NOON, SECOND, WEEKDAY, World, sign_all

SAVE = {
    "id": "SAVE2",
    "stage": "order",
    "kind": "spend_save",
    "match": {"merchants": ["m_0001"]},
    "tiers": [{"min": 2000, "off": 200}],
}


def propose(terms: dict[str, object], **changes: object) -> int:
    given = {
        "limits": {},
        "title": "满减",
        "title_en": "Spend and save",
        "proposed_by": FIRST,
        "at": NOON,
    }
    with transaction() as tx:
        return propose_offer(tx, terms=terms, **{**given, **changes})


def approve(offer: str, version: int, by: object = SECOND) -> None:
    with transaction() as tx:
        if not list_signatures(tx, offer=offer, version=version):
            sign_all(tx, offer=offer, version=version, at=NOON)
        approve_offer(tx, offer=offer, version=version, approved_by=by, count_class=cards.count_class, at=NOON)


def test_a_proposed_offer_waits_for_a_second_person(world: World) -> None:
    version = propose(SAVE)
    assert world.sell(3000).concession_fen == 300
    with pytest.raises(TwoPersonsError):
        approve("SAVE2", version, by=FIRST)
    with pytest.raises(TwoPersonsError), transaction() as tx:
        reject_offer(tx, offer="SAVE2", version=version, rejected_by=FIRST, reason="太贵", at=NOON)
    approve("SAVE2", version)
    time.sleep(1)
    assert world.sell(3000).concession_fen == 300 + 200


def test_the_terms_are_on_the_public_record_when_the_offer_is_approved(world: World) -> None:
    approve("SAVE2", propose(SAVE))
    with transaction() as tx:
        row = tx.get(OfferVersion, ("SAVE2", 1))
        entry = json.loads(tx.scalar(select(Entry.body).where(Entry.id == row.entry_id)))
    assert entry["terms"] == row.terms
    assert entry["terms"]["tiers"] == [{"min": 2000, "off": 200}]


def test_a_new_version_replaces_the_old_one_and_both_remain(world: World) -> None:
    approve("SAVE2", propose(SAVE))
    approve("SAVE2", propose({**SAVE, "tiers": [{"min": 2000, "off": 300}]}))
    with transaction() as tx:
        rows = tx.execute(select(OfferVersion.version, OfferVersion.state).where(OfferVersion.offer == "SAVE2")).all()
    assert sorted(map(tuple, rows)) == [(1, "ended"), (2, "approved")]
    sale = world.sell(3000)
    assert {(row["offer"], row["version"]) for row in sale.quote["applied"]} >= {("SAVE2", 2)}


def test_a_window_opens_and_closes_by_the_clock_without_any_act(world: World) -> None:
    window = {"from": (NOON + timedelta(hours=1)).isoformat(), "to": (NOON + timedelta(hours=2)).isoformat()}
    approve("SAVE2", propose({**SAVE, "window": window}))
    found = [world.sell(3000, at=NOON + timedelta(minutes=minutes)).concession_fen for minutes in (59, 60, 119, 120)]
    assert found == [300, 500, 500, 300]


def test_the_book_of_an_instant_says_until_when_it_holds(world: World) -> None:
    window = {"from": (NOON + timedelta(hours=1)).isoformat(), "to": (NOON + timedelta(hours=2)).isoformat()}
    approve("SAVE2", propose({**SAVE, "window": window}))
    held = live.get_book(at=NOON)
    assert held.until == NOON + timedelta(hours=1)
    assert live.get_book(at=NOON + timedelta(minutes=30)) is held
    later = live.get_book(at=NOON + timedelta(minutes=90))
    assert (later.since, later.until) == (NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    assert set(later.titles) - set(held.titles) == {"SAVE2"}


def test_an_ended_offer_cannot_be_ended_again(world: World) -> None:
    with transaction() as tx:
        end_offer(tx, offer="NOODLE10", at=NOON)
    with pytest.raises(DomainError) as refused, transaction() as tx:
        end_offer(tx, offer="NOODLE10", at=NOON)
    assert refused.value.code == "NOT_FOUND"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({**SAVE, "match": {"any": True}}, "terms.match.merchants"),
        ({**WEEKDAY, "sponsor": None}, "terms.sponsor"),
        ({**WEEKDAY, "budgets": []}, "terms.budgets"),
        ({**WEEKDAY, "budgets": ["budget:nowhere"]}, "terms.budgets"),
        ({**NOODLES, "rate_bp": 10001}, "terms.rate_bp"),
        ({**NOODLES, "rate_bp": "1000"}, "terms.rate_bp"),
        ({**NOODLES, "colour": "red"}, "terms.colour"),
        ({**SAVE, "tiers": []}, "terms.tiers"),
        ({**SAVE, "window": {"from": NOON.isoformat(), "to": NOON.isoformat()}}, "terms.window"),
    ],
)
def test_a_contradiction_is_refused_when_written(world: World, terms: dict[str, object], field: str) -> None:
    written = (
        {name: value for name, value in terms.items() if value is not None and value != []}
        if field
        in (
            "terms.sponsor",
            "terms.budgets",
        )
        and "nowhere" not in str(terms)
        else terms
    )
    with pytest.raises(DomainError) as refused:
        propose(written)
    assert str(refused.value.facts["field"]).startswith(field)
    with transaction() as tx:
        assert len(tx.scalars(select(OfferVersion)).all()) == 2
