"""A flash sale over HTTP: `python -m bench.flash [--quick]`. Sixty-four clients, more members than pieces, every button hit three times.

`huigong serve` runs with two processes; every member has a session of his own, comes in through the entry and orders as a program of
his would. PostgreSQL is one of the bench's own, with fsync on. Exactly the pieces that are there are sold, one to a member; then the
same number of orders for one product and for five hundred take turns, and medians are compared.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

from rich.console import Console
from sqlalchemy import select, text

import cards
import merchants
from api import handing_out
from api.demo.people import make_national_id
from api.flash import SLOT_SECONDS
from api.identity import create_account, grant_role, init_installation, open_session
from bench.lean_client import Answer, Drive, drive, write_request
from bench.served import open_folder, serve
from bench.tables import print_figures
from cards.models import Member
from market.kit.clock import now
from market.kit.database import connect, disconnect, get_engine, transaction
from market.kit.migrations import upgrade
from market.kit.postgres import create_database, start_cluster, stop_cluster
from market.oversight.audits import AUDITS
from merchants import ProductTerms, VariantTerms

CLIENTS = 64
HITS = 3
PRODUCTS = 500
PLENTY = 100_000
MERCHANT, FLASH = "flash", "p0"
PLACED = "PLACED"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    members: int
    pieces: int
    rounds: int
    orders_per_round: int


FULL = Plan(10_000, 2_000, 5, 1_500)
QUICK = Plan(1_000, 200, 3, 300)


@dataclass(frozen=True, slots=True)
class Buyer:
    """A member's session, and his token for the flash sale, once he has come in."""

    session: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Goods:
    """A product of the bench, and the one item there is of it."""

    product_id: UUID
    item_id: UUID


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of attempts: answers counted, when (seconds from the start) each order was placed, and all answers."""

    answers: Counter[str]
    placed_at: Sequence[float]
    drive: Drive


@dataclass(frozen=True, slots=True)
class Flash:
    """The flash sale, and orders per second on one product and on five hundred, a number for each round."""

    entries: Drive
    sale: Outcome
    sold: int
    buyers: int
    most_per_member: int
    findings: Sequence[str]
    hot: Sequence[float]
    spread: Sequence[float]

    @property
    def sell_out_seconds(self) -> float:
        """From the opening to the last piece."""
        return max(self.sale.placed_at)

    @property
    def flatness(self) -> float:
        """Orders per second on the hot product against those on five hundred."""
        return median(self.hot) / median(self.spread)


def measure_flash(plan: Plan, *, console: Console) -> Flash:
    """Build, sell, measure, check the books; everything is stopped and removed afterwards."""
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="huigong-bench-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        cluster = start_cluster(open_folder(home))
        stack.callback(stop_cluster, cluster)
        create_database(cluster, "flash")
        url = cluster.url("flash")
        upgrade(url)
        connect(url)
        stack.callback(disconnect)
        console.print(f"{plan.members:,} members, {plan.pieces:,} pieces, {PRODUCTS} other products")
        sessions = _add_members(plan.members)
        hot, plenty, *others = _add_products(plan)
        with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        port = stack.enter_context(serve(url, home / "serve.log"))
        rng = random.Random(20)
        _order(port, [(Buyer(rng.choice(sessions)), rng.choice(others)) for _ in range(CLIENTS * 2)])
        entries, buyers = _enter(port, sessions)
        attempts = [(buyer, hot) for buyer in buyers for _ in range(HITS)]
        rng.shuffle(attempts)
        sale = _order(port, attempts)
        sold, bought, most = _count_sold(hot.item_id)
        rates: dict[str, list[float]] = {"hot": [], "spread": []}
        for _ in range(plan.rounds):
            for name, measured in rates.items():
                buying = rng.sample(buyers, min(plan.orders_per_round, len(buyers)))
                wanted = [(buyer, plenty if name == "hot" else rng.choice(others)) for buyer in buying]
                done = _order(port, wanted)
                measured.append(done.answers[PLACED] / done.drive.seconds)
        with get_engine().connect() as connection:
            findings = [f"{found.rule}: {found.subject}" for audit in AUDITS for found in audit(connection)]
        return Flash(entries, sale, sold, bought, most, findings, rates["hot"], rates["spread"])


def describe_flash(flash: Flash, plan: Plan) -> Iterator[tuple[str, str, str, bool]]:
    """Rows of the table: what, measured, goal, reached."""
    answers = flash.sale.answers
    right = {PLACED, "SOLD_OUT", "MEMBER_LIMIT"}
    if flash.entries.seconds + flash.sale.drive.seconds > SLOT_SECONDS:
        right.add("ENTRY_TOKEN")  # on a slow machine the last to order came in too long ago
    errors = {code: number for code, number in answers.items() if code not in right}
    exact = (flash.sold, flash.buyers, flash.most_per_member) == (plan.pieces, plan.pieces, 1)
    yield (
        f"flash sale, {sum(answers.values()):,} attempts at {plan.pieces:,} pieces",
        f"{flash.sold:,} sold to {flash.buyers:,} members",
        f"{plan.pieces:,}, one each",
        exact,
    )
    yield "… other answers than sold out or one per member", f"{errors or 'none'}", "none", not errors
    yield "… sold out after", f"{flash.sell_out_seconds:.1f} s", "", True
    yield "… attempts answered", f"{flash.sale.drive.rate:,.0f} /s", "", True
    yield "… p95 of an answer", f"{flash.sale.drive.percentile_ms(95):,.0f} ms", "", True
    yield "… members who came in before", f"{flash.entries.rate:,.0f} /s", "", True
    yield "… findings of verify", f"{flash.findings or 'none'}", "none", not flash.findings
    yield "orders for 500 products", f"{median(flash.spread):,.0f} /s", "", True
    yield "orders for one product", f"{median(flash.hot):,.0f} /s", "", True
    yield "one product : 500 products", f"{flash.flatness:.2f}", "≥ 0.80", flash.flatness >= 0.8


# --- the world --------------------------------------------------------------------------------------------------------


def _add_members(number: int) -> list[str]:
    """Members with a session each."""
    with transaction() as tx:
        init_installation(tx, kind="demo", at=now())
        unit_id = cards.add_unit(tx, code="flash", name="Flash")
        people = [
            cards.NewMember(
                staff_number=f"F{each}",
                name="测试",
                phone=f"000{each:08}",
                national_id=make_national_id(each, sex="F", born=date(1950, 1, 1) + timedelta(days=each)),
                unit_id=unit_id,
            )
            for each in range(number)
        ]
        cards.add_members(tx, members=people, at=now())
        sessions = []
        for each, member_id in enumerate(tx.scalars(select(Member.id)).all()):
            account_id = create_account(tx, login=f"flash-{each}", name="Flash", at=now())
            grant_role(tx, account_id=account_id, role="member", at=now(), scope_id=member_id)
            opened = open_session(tx, account_id=account_id, roles=["member"], agent="bench", at=now())
            sessions.append(opened.token)
    return sessions


def _add_products(plan: Plan) -> list[Goods]:
    """The product of the sale, one that never runs out, and five hundred others."""
    at = now()
    with transaction() as tx:
        merchant_id = merchants.admit_merchant(
            tx, code=MERCHANT, name="Flash", credit_code="91310000132206289R", category="goods", at=at
        )
        owner = merchants.add_staff(tx, merchant_id=merchant_id, name="Flash")
        merchants.set_payment_account(tx, merchant_id=merchant_id, account="acct_flash")
        merchants.add_point(tx, code="gate", name="Gate", address="", by=owner, at=at)
    goods = []
    for number in range(PRODUCTS + 2):
        code = f"p{number}"
        terms = ProductTerms(
            name=code,
            category="goods",
            variants=[VariantTerms(sku=code, variant="", price_fen=199_00)],
            limit_per_member=1 if number == 0 else 9_999,
            sale_from=at if number == 0 else None,
            is_flash=number == 0,
            points=("gate",),
        )
        with transaction() as tx:
            merchants.add_product(tx, merchant_id=merchant_id, code=code, terms=terms, at=at)
            merchants.list_product(tx, merchant_id=merchant_id, code=code)
            product = merchants.get_own_product(tx, merchant_id=merchant_id, code=code)
            goods.append(Goods(product.product_id, product.variants[0].item_id))
        pieces = plan.pieces if number == 0 else PLENTY
        handing_out.receive_stock(staff_id=owner, item_id=goods[-1].item_id, pieces=pieces, key="bench", at=at)
    return goods


def _count_sold(item_id: UUID) -> tuple[int, int, int]:
    """Pieces in orders, members who have one, and the most that one has."""
    counted = text("""
        SELECT coalesce(sum(pieces), 0), count(*), coalesce(max(pieces), 0) FROM (
          SELECT sum(l.qty) AS pieces FROM order_line l JOIN member_order o ON o.id = l.order_id
          WHERE l.item_id = :item AND o.state <> 'cancelled' GROUP BY o.subject) AS bought
    """)
    with get_engine().connect() as connection:
        sold, buyers, most = connection.execute(counted, {"item": item_id}).one()
    return int(sold), int(buyers), int(most)


# --- clients ----------------------------------------------------------------------------------------------------------


def _enter(port: int, sessions: Sequence[str]) -> tuple[Drive, list[Buyer]]:
    """Everybody comes into the sale, and has his token then."""
    path = f"/api/shop/products/{MERCHANT}/{FLASH}/entry"
    queues = [
        [write_request(path, b"", token=session) for session in sessions[client::CLIENTS]] for client in range(CLIENTS)
    ]
    entered = drive(port, queues, expect={200})
    buyers = [
        Buyer(session, json.loads(answer.body)["token"])
        for client, answers in enumerate(entered.answers)
        for session, answer in zip(sessions[client::CLIENTS], answers, strict=True)
    ]
    return entered, buyers


def _order(port: int, wanted: Sequence[tuple[Buyer, Goods]]) -> Outcome:
    """One hit of the button for each: an order or a refusal; a fault of the server ends the bench."""
    requests = [
        write_request(
            "/api/orders",
            json.dumps(
                {
                    "items": {str(goods.item_id): 1},
                    "handovers": {MERCHANT: {"handover": "pickup", "point": "gate"}},
                    "tokens": {str(goods.product_id): buyer.token} if buyer.token else {},
                }
            ).encode(),
            token=buyer.session,
            key=str(uuid4()),
        )
        for buyer, goods in wanted
    ]
    done = drive(port, [requests[client::CLIENTS] for client in range(CLIENTS)], expect={201, 409})
    answers = [answer for mine in done.answers for answer in mine]
    placed_at = [answer.since_begin for answer in answers if answer.status == 201]
    return Outcome(Counter(map(_name, answers)), placed_at, done)


def _name(answer: Answer) -> str:
    """What an answer says, in a word."""
    return PLACED if answer.status == 201 else str(json.loads(answer.body)["code"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; status 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.flash", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few members, one short round")
    plan = QUICK if parser.parse_args(arguments).quick else FULL
    console = Console(width=140)
    rows = list(describe_flash(measure_flash(plan, console=console), plan))
    sys.exit(0 if print_figures(rows, console=console) else 1)


if __name__ == "__main__":
    main()
