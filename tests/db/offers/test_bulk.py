"""A catalogue loaded at once is what the same offers proposed and approved one by one would be."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import text

import cards
from market.kit.database import transaction
from market.kit.errors import DomainError, InvalidError
from market.ledger.operations import TwoPersonsError
from market.offers.bulk import NewOffer, OfferExistsError, load_offers
from market.offers.live import ASK_AGAIN_SECONDS, load_book
from market.offers.operations import approve_offer, propose_offer
from tests.world import FIRST, NOON, SECOND, World, sign_all

SAVE = NewOffer(
    {
        "id": "SAVE2",
        "stage": "order",
        "kind": "spend_save",
        "match": {"merchants": ["m_0001"]},
        "tiers": [{"min": 2000, "off": 200}],
        "window": {"from": "2026-01-01T00:00:00+08:00"},
    },
    "满减",
    "Spend and save",
    ("m_0001",),
    {"total_fen": 500},
)


def load(*offers: NewOffer, by: object = SECOND) -> None:
    with transaction() as tx:
        load_offers(tx, offers=offers, proposed_by=FIRST, approved_by=by, count_class=cards.count_class, at=NOON)


def written(offer: str) -> list[object]:
    """The version, its entry's bytes and its balance, without what is random."""
    query = text(
        """SELECT v.version, v.title, v.title_en, v.terms - 'id', v.limits, v.merchants, v.live_from, v.live_until, v.state, v.proposed_by,
                  v.proposed_at, v.approved_by, v.approved_at, e.type, e.merchant, e.day, e.created_at,
                  convert_from(e.body, 'UTF8')::jsonb - 'id' - 'text' #- '{terms,id}', b.slot, b.unit, b.left_over
           FROM offer_version v JOIN entry e ON e.id = v.entry_id LEFT JOIN balance b ON b.id = 'total:' || v.offer
           WHERE v.offer = :offer"""
    )
    with transaction() as tx:
        return [tuple(row) for row in tx.execute(query, {"offer": offer})]


def test_a_loaded_offer_is_what_it_would_be_proposed_and_approved(world: World) -> None:
    load(SAVE)
    one = {**SAVE.terms, "id": "ONE"}
    with transaction() as tx:
        given = {"title": SAVE.title, "title_en": SAVE.title_en, "limits": SAVE.limits}
        propose_offer(tx, terms=one, **given, proposed_by=FIRST, at=NOON)
        sign_all(tx, offer="ONE", version=1, at=NOON)
        approve_offer(tx, offer="ONE", version=1, approved_by=SECOND, count_class=cards.count_class, at=NOON)
    assert written("SAVE2") == written("ONE") != []


def test_tills_follow_a_loaded_catalogue(world: World) -> None:
    before = world.sell(3000).concession_fen
    load(SAVE)
    time.sleep(ASK_AGAIN_SECONDS)
    assert world.sell(3000).concession_fen == before + 200


def test_a_whole_catalogue_is_live_together(world: World) -> None:
    live = len(load_book(at=NOON).book.offers)
    load(*(replace(SAVE, terms={**SAVE.terms, "id": f"S{number}"}) for number in range(2_500)))
    assert len(load_book(at=NOON).book.offers) == live + 2_500


@pytest.mark.parametrize(
    ("offers", "error"),
    [
        ((SAVE, SAVE), OfferExistsError),
        ((SAVE, replace(SAVE, merchants=())), OfferExistsError),
        ((replace(SAVE, merchants=("m_0002",)),), InvalidError),
        ((replace(SAVE, terms={**SAVE.terms, "kind": "gift"}),), InvalidError),
        ((replace(SAVE, limits={"uses": 0}),), InvalidError),
    ],
)
def test_one_wrong_offer_stops_all_of_them(
    world: World, offers: tuple[NewOffer, ...], error: type[DomainError]
) -> None:
    with pytest.raises(error):
        load(replace(SAVE, terms={**SAVE.terms, "id": "FINE"}), *offers)
    assert written("FINE") == written("SAVE2") == []


def test_the_same_person_cannot_load_alone(world: World) -> None:
    with pytest.raises(TwoPersonsError):
        load(SAVE, by=FIRST)


def test_an_offer_that_exists_is_not_loaded_again(world: World) -> None:
    load(SAVE)
    with pytest.raises(OfferExistsError, match="SAVE2"):
        load(SAVE)
