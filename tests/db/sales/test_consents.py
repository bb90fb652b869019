"""An offer that asks is used for whom agreed, from the next quote on, at every version; and for nobody else."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select, text

from api.price_replay import replay_prices
from api.till import AmountsKeyed, quote_at_till
from market.kit.database import transaction
from market.offers import live
from market.offers.consents import NothingAskedError, give_consent, list_consents, withdraw_consent
from market.offers.live import get_book
from market.offers.operations import end_offer
from market.sales.models import Sale
from market.sales.redeem import PriceChangedError
from tests.world import NOODLES, NOON, WEEKDAY, World, findings, left

FESTIVAL = WEEKDAY | {"id": "FESTIVAL3", "amount": 300, "consent": "ask"}


@pytest.fixture
def asking(world: World) -> World:
    """The noodle shop with three yuan more from the union for whoever agrees, once a day; a second member stands by."""
    world.add_member(2)
    world.offer(FESTIVAL, {"uses": 1, "period": "day"})
    return world


def agree(world: World, offer: str = "FESTIVAL3", *, member: int = 0, at: object = NOON) -> None:
    with transaction() as tx:
        give_consent(tx, subject=world.members[member].subject, offer=offer, live=get_book(at=NOON), at=at)


def withdraw(world: World, *, member: int = 0) -> None:
    with transaction() as tx:
        withdraw_consent(tx, subject=world.members[member].subject, offer="FESTIVAL3", at=NOON)


def consents(world: World, *, member: int = 0) -> dict[str, object]:
    with transaction() as tx:
        return dict(list_consents(tx, subject=world.members[member].subject))


def accepted_in(public_id: str) -> tuple[list[str], list[str]]:
    """What a stored sale says was agreed to, and for want of what it left offers out."""
    with transaction() as tx:
        facts = json.loads(tx.scalars(select(Sale.facts).where(Sale.public_id == public_id)).one())
    return facts["accepted"], [row["offer"] for row in facts["quote"]["not_applied"] if row["reason"] == "NOT_ACCEPTED"]


def test_nothing_is_spent_that_a_member_has_not_agreed_to(asking: World) -> None:
    sale = asking.sell(1600, 200)
    assert (sale.paid_fen, sale.subsidy_fen) == (1540, 100)
    assert accepted_in(sale.public_id) == ([], ["FESTIVAL3"])
    assert left("budget:lunch") == 100_000 - 100


def test_what_he_agreed_to_is_used_and_stands_in_the_sale(asking: World) -> None:
    agree(asking)
    sale = asking.sell(1600, 200)
    assert (sale.paid_fen, sale.subsidy_fen) == (1240, 400)
    assert accepted_in(sale.public_id) == (["FESTIVAL3"], [])
    assert findings() == []


def test_consent_is_each_persons_own(asking: World) -> None:
    agree(asking)
    assert asking.sell(1600, member=asking.members[1]).subsidy_fen == 100


def test_only_consents_that_the_basket_asks_for_are_kept_with_a_sale(asking: World) -> None:
    asking.offer(
        NOODLES | {"id": "ELSEWHERE", "match": {"categories": ["rice"], "merchants": ["m_0001"]}, "consent": "ask"}
    )
    live._shelf.asked = 0.0
    agree(asking)
    agree(asking, "ELSEWHERE")
    assert accepted_in(asking.sell(1600).public_id)[0] == ["FESTIVAL3"]


def test_it_is_withdrawn_as_easily_and_holds_from_the_next_quote_on(asking: World) -> None:
    agree(asking)
    visit = asking.visit()
    quoted = quote_at_till(staff_id=asking.staff, visit_id=visit, keyed=AmountsKeyed(1600, 0), at=NOON).quote
    assert quoted.payable == 1040
    withdraw(asking)
    with pytest.raises(PriceChangedError):
        asking.sell(1600, visit=visit, expected=quoted.payable)
    assert asking.sell(1600).paid_fen == 1340
    agree(asking)
    assert asking.sell(1600).paid_fen == 1040


def test_it_is_for_the_offer_and_not_for_a_version(asking: World) -> None:
    agree(asking)
    asking.offer({**FESTIVAL, "amount": 200})
    live._shelf.asked = 0.0
    assert asking.sell(1600).subsidy_fen == 300


def test_saying_it_again_leaves_when_it_was_said_first(asking: World) -> None:
    agree(asking)
    agree(asking, at=NOON + timedelta(hours=1))
    assert consents(asking) == {"FESTIVAL3": NOON}
    withdraw(asking)
    withdraw(asking)
    assert consents(asking) == {}
    agree(asking, at=NOON + timedelta(hours=2))
    assert consents(asking) == {"FESTIVAL3": NOON + timedelta(hours=2)}


def test_nobody_agrees_to_what_does_not_ask(asking: World, database: Engine) -> None:
    for offer in ("WEEKDAY1", "NOODLE10", "NOWHERE"):
        with pytest.raises(NothingAskedError):
            agree(asking, offer)
    withdraw(asking)  # never agreed to: nothing to keep
    with database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM offer_consent")) == 0


def test_what_has_ended_is_taken_back_all_the_same(asking: World) -> None:
    agree(asking)
    with transaction() as tx:
        end_offer(tx, offer="FESTIVAL3", at=NOON)
    live._shelf.asked = 0.0
    withdraw(asking)
    assert consents(asking) == {}


def test_consents_cost_a_redemption_no_statement(asking: World, database: Engine) -> None:
    asking.sell(1600)
    agree(asking)
    statements: list[str] = []

    def sell_and_count() -> int:
        visit = asking.visit()
        statements.clear()
        asking.sell(1600, visit=visit)
        return len(statements)

    event.listen(database, "before_cursor_execute", lambda *call: statements.append(call[2]))
    with_consent = sell_and_count()
    with transaction() as tx:
        end_offer(tx, offer="FESTIVAL3", at=NOON)
    live._shelf.asked = 0.0
    get_book(at=NOON)
    assert sell_and_count() == with_consent <= 8


def test_every_sale_comes_out_at_the_same_bytes_whatever_he_says_later(asking: World) -> None:
    asking.sell(1600)
    agree(asking)
    asking.sell(1600)
    withdraw(asking)
    done = replay_prices(progress=lambda *_: None)
    assert (done.sales, done.findings) == (2, [])
