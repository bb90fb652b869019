"""The databases of the redemption bench: a demo works as history, signed-in tills, ten live offers or a thousand, and codes of cards."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import select, text

import cards
from api.demo.build import build_demo
from api.demo.people import make_national_id
from api.demo.sizes import SizeName
from api.demo.stage import OFFICER, OFFICER_2
from api.demo.units import COMPANY
from api.identity import create_account, grant_role, open_session
from cards.models import Card
from market.kit.clock import now
from market.kit.database import connect, disconnect, get_engine, transaction
from market.kit.errors import invariant
from market.kit.migrations import upgrade
from market.kit.postgres import Cluster, create_database
from market.offers.bulk import NewOffer, load_offers
from market.offers.models import OfferVersion
from market.offers.operations import end_offer
from market.record.budgets import grant_budget, open_budget
from merchants.models import Merchant, Shop, Staff

CLIENTS = 16
FEW, MANY = 10, 1_000
CODES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    size: SizeName
    rounds: int
    sales_per_round: int
    pgbench_seconds: int


FULL = Plan("plant", 5, 1_200, 6)
QUICK = Plan("tiny", 1, 240, 3)


@dataclass(frozen=True, slots=True)
class Till:
    """A client's till: whose sign-in, and the merchant whose offers meet its sales."""

    token: str
    staff_id: UUID
    shop_id: UUID
    merchant: str


def build_databases(cluster: Cluster, plan: Plan, *, console: Console) -> list[Till]:
    """`few` and `many`: one history, ten live offers or a thousand, sixteen signed-in tills."""
    create_database(cluster, "few")
    upgrade(cluster.url("few"))
    connect(cluster.url("few"))
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("history")
        build_demo(size=plan.size, progress=lambda _step, done, whole: bar.update(task, completed=done, total=whole))
    add_holders(plan.sales_per_round)
    tills = sign_in_tills()
    replace_offers(tills)
    disconnect()
    create_database(cluster, "many", template="few")
    connect(cluster.url("many"))
    add_far_offers(MANY - FEW)
    for name in ("few", "many"):
        connect(cluster.url(name))
        with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    disconnect()
    return tills


def add_holders(count: int) -> None:
    """So many more members, because each sale of a round wants a card of its own."""
    with transaction() as tx:
        unit_id = cards.add_unit(tx, code="bench", name="Bench")
        people = [
            cards.NewMember(
                staff_number=f"B{number}",
                name="测试",
                phone=f"000{number:08}",
                national_id=make_national_id(number, sex="F", born=date(1950, 1, 1) + timedelta(days=number)),
                unit_id=unit_id,
            )
            for number in range(count)
        ]
        cards.add_members(tx, members=people, at=now())


def sign_in_tills() -> list[Till]:
    """Sixteen assistants with a session each; where the works has fewer shops, several stand in one."""
    with transaction() as tx:
        places = tx.execute(
            select(Staff.id, Shop.id, Merchant.code)
            .join(Shop, Shop.id == Staff.shop_id)
            .join(Merchant, Merchant.id == Shop.merchant_id)
            .where(Shop.till == "amounts")
            .order_by(Shop.code)
        ).all()
        tills = []
        for number in range(CLIENTS):
            staff_id, shop_id, merchant = places[number % len(places)]
            account = create_account(tx, login=f"bench-{number}", name="Bench", at=now())
            grant_role(tx, account_id=account, role="assistant", at=now(), scope_id=staff_id)
            token = open_session(tx, account_id=account, roles=["assistant"], agent="bench", at=now()).token
            tills.append(Till(token, staff_id, shop_id, merchant))
    return tills


def replace_offers(tills: Sequence[Till]) -> None:
    """End what the works had live and load ten: a subsidy with quota and budget on every sale, and nine discounts of these merchants."""
    at = now()
    with transaction() as tx:
        for offer in tx.scalars(select(OfferVersion.offer).where(OfferVersion.state == "approved")).all():
            end_offer(tx, offer=offer, at=at)
        open_budget(tx, code="bench", title="Bench", sponsor=COMPANY, slots=32, at=at)
        grant_budget(
            tx, budget="bench", amount_fen=10**9, key="bench", proposed_by=OFFICER, approved_by=OFFICER_2, at=at
        )
    merchants = sorted({till.merchant for till in tills})
    subsidy = {
        "id": "bench_subsidy",
        "stage": "subsidy",
        "kind": "amount_off",
        "amount": 100,
        "min_spend": 10_00,
        "sponsor": COMPANY,
        "sponsor_share_bp": 10_000,
        "budgets": ["budget:bench"],
    }
    offers = [NewOffer(subsidy, "补贴", "Subsidy", limits={"uses": 100, "period": "day"})]
    for number in range(FEW - 1):
        merchant = merchants[number % len(merchants)]
        terms = {"id": f"bench_{number}", "stage": "line", "kind": "percent_off", "rate_bp": 500 + 10 * number}
        offers.append(
            NewOffer({**terms, "match": {"any": True, "merchants": [merchant]}}, "折扣", "Discount", (merchant,))
        )
    with transaction() as tx:
        load_offers(tx, offers=offers, proposed_by=OFFICER, approved_by=OFFICER_2, count_class=cards.count_class, at=at)


def add_far_offers(count: int) -> None:
    """Live offers of merchants elsewhere, by merchant, by category and by item, which no basket here meets."""
    offers = []
    for number in range(count):
        merchant = f"far{number % 250}"
        match: dict[str, object] = {"merchants": [merchant]}
        match |= ({"any": True}, {"categories": [f"goods{number % 40}"]}, {"skus": [f"sku{number}"]})[number % 3]
        terms = {"id": f"far_{number}", "stage": "line", "kind": "percent_off", "rate_bp": 500, "match": match}
        offers.append(NewOffer(terms, "远处", "Far", (merchant,)))
    with transaction() as tx:
        load_offers(
            tx, offers=offers, proposed_by=OFFICER, approved_by=OFFICER_2, count_class=cards.count_class, at=now()
        )


def issue_codes(count: int) -> list[str]:
    """The live codes of so many different cards, as their holders' phones show them."""
    with transaction() as tx:
        cards_ = tx.scalars(select(Card.id).where(Card.state == "active").order_by(Card.id)).all()
    chosen = random.sample(cards_, min(count, len(cards_)))
    invariant(len(chosen) == count, f"a round of {count} sales needs as many cards, and there are {len(cards_)}")
    codes = []
    for first in range(0, count, CODES_AT_ONCE):
        with transaction() as tx:
            codes += [
                cards.issue_code(tx, card_id=card, at=now()).code for card in chosen[first : first + CODES_AT_ONCE]
            ]
    return codes
