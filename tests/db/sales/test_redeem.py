"""A card is redeemed at a till: priced, booked and put on the public record, in one transaction of few statements."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select, text

import cards
import merchants
from api import till
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.offers.operations import end_offer
from market.record.models import Entry
from market.sales.basket import BasketError
from market.sales.models import Refusal, Sale
from market.sales.redeem import PriceChangedError
from market.sales.repeats import KeyReusedError
from tests.world import NOODLES, NOON, World, count, findings, left


def test_the_noodle_shop_at_noon(world: World) -> None:
    sale = world.sell(1600, 200)
    assert (sale.list_fen, sale.concession_fen, sale.subsidy_fen, sale.paid_fen) == (1800, 160, 100, 1540)
    assert left("budget:lunch") == 100_000 - 100
    assert findings() == []


def test_the_public_entry_names_no_person_and_commits_to_the_documents(world: World) -> None:
    sale = world.sell(1600, 200)
    with transaction() as tx:
        row = tx.scalars(select(Sale).where(Sale.public_id == sale.public_id)).one()
        body = tx.scalar(select(Entry.body).where(Entry.id == row.entry_id))
        visit = world.visit(at=NOON)
        shopper = cards.get_shopper(tx, visit_id=visit, shop_id=world.shop, at=NOON)
    entry = json.loads(body)
    assert {
        name: entry[name] for name in ("list", "concession", "subsidy", "paid", "rebate_member", "rebate_union")
    } == {
        "list": 1800,
        "concession": 160,
        "subsidy": 100,
        "paid": 1540,
        "rebate_member": 0,
        "rebate_union": 0,
    }
    assert entry["offers"] == [["NOODLE10", 1, 160]]
    assert entry["transfers"] == [["budget:lunch", "payable:m_0001", 100]]
    assert set(entry) == {
        *("v", "type", "id", "day", "channel", "merchant", "tender", "ccy", "list", "concession", "subsidy", "paid"),
        *("rebate_member", "rebate_union", "offers", "transfers", "subject", "basket", "facts"),
    }
    # The commitments by the words of the specification, computed here with the standard library alone.
    for name, document in (("basket", row.basket), ("facts", row.facts)):
        salt = hmac.new(shopper.commit_key, (name + sale.public_id).encode(), hashlib.sha256).digest()
        assert entry[name] == base64.b64encode(hashlib.sha256(salt + document).digest()).decode()
    written = body.decode() + row.facts.decode() + row.basket.decode()
    for secret in (
        str(world.members[0].subject),
        str(world.members[0].member_id),
        str(world.members[0].card_id),
        "李秀英",
        "S00001",
    ):
        assert secret not in written


def test_a_redemption_takes_at_most_eight_statements(world: World, database: Engine) -> None:
    """Counted between BEGIN and COMMIT as the server sees them, with every kind of standing in play."""
    world.offer(NOODLES | {"id": "DAILY"}, {"uses": 1, "period": "day", "total_fen": 10_000})
    world.sell(1600)  # the offer book is compiled and the codecs are set up
    visit, statements = world.visit(), []
    event.listen(database, "before_cursor_execute", lambda *call: statements.append(call[2]))
    world.sell(1600, 200, visit=visit)
    assert 5 <= len(statements) <= 8, statements


def test_items_are_priced_by_the_catalogue_within_eight_statements(world: World, database: Engine) -> None:
    with transaction() as tx:
        shop = merchants.add_shop(
            tx, merchant_id=world.merchant, code="s_0002", name="二店", address="二街", till="items"
        )
        staff = merchants.add_staff(tx, merchant_id=world.merchant, name="小刘", shop_id=shop)
        merchants.add_item(
            tx, merchant_id=world.merchant, sku="bowl", name="牛肉面", category="noodles", price_fen=1600
        )
    visit, statements = world.visit(staff=staff), []
    till.quote_at_till(staff_id=staff, visit_id=visit, keyed=till.ItemsKeyed([("bowl", 1)]), at=NOON)
    event.listen(database, "before_cursor_execute", lambda *call: statements.append(call[2]))
    sale = till.redeem_at_till(
        staff_id=staff, visit_id=visit, keyed=till.ItemsKeyed([("bowl", 2)], other_fen=200), key="items-0001", at=NOON
    )
    assert (sale.list_fen, sale.paid_fen) == (3400, 3200 - 320 - 100 + 200)
    assert len(statements) <= 8, statements
    with pytest.raises(BasketError):
        till.quote_at_till(
            staff_id=staff, visit_id=world.visit(staff=staff), keyed=till.ItemsKeyed([("soup", 1)]), at=NOON
        )


def test_a_repeat_gets_the_same_answer_whatever_has_happened_since(world: World) -> None:
    visit = world.visit()
    first = world.sell(1600, 200, key="one-intent", visit=visit)
    till.void_at_till(staff_id=world.staff, sale=first.public_id, key="void-0001", at=NOON + timedelta(minutes=1))
    again = world.sell(1600, 200, key="one-intent", visit=visit, at=NOON + timedelta(hours=5))
    assert again == first
    assert count("sale") == 1


def test_the_same_key_with_another_body_names_the_field(world: World) -> None:
    visit = world.visit()
    world.sell(1600, 200, key="one-intent", visit=visit)
    with pytest.raises(KeyReusedError) as refused:
        world.sell(1600, 300, key="one-intent", visit=visit)
    assert refused.value.facts == {"field": "basket"}
    assert count("sale") == 1
    assert count("refusal") == 0


def test_a_refused_key_stays_refused(world: World) -> None:
    visit = world.visit()
    with transaction() as tx:
        cards.freeze_card(tx, card_id=world.members[0].card_id, at=NOON)
    with pytest.raises(DomainError) as first:
        world.sell(1600, key="refused-key", visit=visit)
    assert first.value.code == "CARD_FROZEN"
    with transaction() as tx:
        cards.unfreeze_card(tx, card_id=world.members[0].card_id)
    with pytest.raises(DomainError) as second:
        world.sell(1600, key="refused-key", visit=visit)
    assert second.value.code == "CARD_FROZEN"
    assert world.sell(1600, key="another-key", visit=visit).paid_fen == 1340
    assert count("refusal") == 1


def test_a_visit_sells_once(world: World) -> None:
    visit = world.visit()
    world.sell(1600, visit=visit)
    with pytest.raises(DomainError) as refused:
        world.sell(1600, visit=visit)
    assert refused.value.code == "VISIT_USED"
    assert count("sale") == 1


def test_a_price_that_changed_since_it_was_shown_is_refused(world: World) -> None:
    visit = world.visit()
    with pytest.raises(PriceChangedError) as refused:
        world.sell(1600, 200, visit=visit, expected=1530)
    assert "15.40" in refused.value.sentence("zh")
    assert world.sell(1600, 200, visit=visit, expected=1540).paid_fen == 1540


@pytest.mark.parametrize(
    ("joining", "other"),
    [
        (0, 0),
        (-1, 0),
        (1600, -200),
        (100_000_001, 0),
        (60_000_000, 60_000_000),
        (15.4, 0),
        ("1600", 0),
        (True, 0),
        (None, 0),
    ],
)
def test_an_amount_that_cannot_be_keyed_has_no_effect_but_is_kept(world: World, joining: object, other: object) -> None:
    visit = world.visit()
    with pytest.raises(BasketError):
        till.redeem_at_till(
            staff_id=world.staff,
            visit_id=visit,
            keyed=till.AmountsKeyed(joining, other),  # type: ignore[arg-type]
            key="key-00001",
            at=NOON,
        )
    assert (count("sale"), count("entry WHERE type = 'sale'"), left("budget:lunch")) == (0, 0, 100_000)
    with transaction() as tx:
        assert tx.scalars(select(Refusal.code)).all() == ["BASKET_INVALID"]
    assert world.sell(1600, key="key-00001", visit=visit).paid_fen == 1340  # the same key, corrected


def test_ten_thousand_lines_are_refused(world: World) -> None:
    with transaction() as tx:
        shop = merchants.add_shop(
            tx, merchant_id=world.merchant, code="s_0003", name="三店", address="三街", till="register"
        )
        staff = merchants.add_staff(tx, merchant_id=world.merchant, name="小赵", shop_id=shop)
    lines = [till.basket.RegisterLine(sku=f"p{n}", category="food", price_fen=100, qty=1) for n in range(10_000)]
    with pytest.raises(BasketError):
        till.redeem_at_till(
            staff_id=staff,
            visit_id=world.visit(staff=staff),
            keyed=till.RegisterKeyed(lines),
            key="many-lines",
            at=NOON,
        )
    assert count("sale") == 0


def _suspend(world: World) -> None:
    with transaction() as tx:
        merchants.suspend_merchant(tx, merchant_id=world.merchant, at=NOON)


def _close(world: World) -> None:
    with transaction() as tx:
        merchants.close_shop(tx, shop_id=world.shop)


def _lose(world: World) -> None:
    with transaction() as tx:
        cards.report_lost(tx, card_id=world.members[0].card_id, at=NOON)


@pytest.mark.parametrize(
    ("happens", "code"), [(_suspend, "MERCHANT_SUSPENDED"), (_close, "SHOP_CLOSED"), (_lose, "CARD_LOST")]
)
def test_what_is_not_in_good_standing_sells_nothing(world: World, happens: Callable[[World], None], code: str) -> None:
    visit = world.visit()
    happens(world)
    with pytest.raises(DomainError) as refused:
        world.sell(1600, visit=visit)
    assert refused.value.code == code
    assert count("sale") == 0
    with transaction() as tx:
        assert tx.scalars(select(Refusal.code)).all() == [code]


def test_a_visit_ends_after_five_minutes_and_belongs_to_its_shop(world: World) -> None:
    visit = world.visit()
    with pytest.raises(DomainError) as late:
        world.sell(1600, visit=visit, at=NOON + timedelta(minutes=5, seconds=1))
    assert late.value.code == "VISIT_EXPIRED"
    with transaction() as tx:
        shop = merchants.add_shop(tx, merchant_id=world.merchant, code="s_0004", name="四店", address="四街")
        staff = merchants.add_staff(tx, merchant_id=world.merchant, name="小孙", shop_id=shop)
    with pytest.raises(DomainError) as elsewhere:
        till.redeem_at_till(
            staff_id=staff, visit_id=world.visit(), keyed=till.AmountsKeyed(1600, 0), key="elsewhere", at=NOON
        )
    assert elsewhere.value.code == "VISIT_UNKNOWN"


def test_an_offer_once_a_day_gives_once_a_day(world: World) -> None:
    world.offer({**NOODLES, "id": "HALF", "rate_bp": 5000}, {"uses": 1, "period": "day"})
    assert world.sell(1600).paid_fen == 800 - 100
    second = world.sell(1600, at=NOON + timedelta(hours=1))
    assert second.paid_fen == 1440 - 100
    assert {row["offer"]: row["reason"] for row in second.quote["not_applied"]} == {"HALF": "QUOTA_EXHAUSTED"}
    assert world.sell(1600, at=NOON + timedelta(days=1)).paid_fen == 800 - 100
    assert findings() == []


def test_an_empty_budget_gives_no_subsidy_and_says_so(world: World) -> None:
    with transaction() as tx:
        tx.execute(text("UPDATE balance SET left_over = 150 WHERE id = 'budget:lunch'"))
    assert world.sell(1600).subsidy_fen == 100
    dry = world.sell(1600)
    assert (dry.subsidy_fen, dry.paid_fen) == (0, 1440)
    assert [(row["offer"], row["reason"]) for row in dry.quote["not_applied"]] == [("WEEKDAY1", "BUDGET_EXHAUSTED")]


def test_an_ended_offer_is_gone_within_a_second(world: World) -> None:
    assert world.sell(1600).concession_fen == 160
    with transaction() as tx:
        end_offer(tx, offer="NOODLE10", at=NOON)
    time.sleep(1)
    assert world.sell(1600).concession_fen == 0
