"""A flash sale: `python -m bench.flash [--quick]`. Sixty-four clients, more members than pieces, every button hit three times.

Clients call the door that the routes call, in two processes as `huigong serve` runs them: as many calls are on their way as a process
has connections, the other clients wait in line. PostgreSQL is one of the bench's own, with fsync on.
Exactly the pieces that are there are sold, one to a member; then the same number of orders for one product and for five hundred take
turns, and medians are compared.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

from rich.console import Console
from rich.table import Table
from sqlalchemy import select, text

import cards
import merchants
from api import handing_out
from api.demo.people import make_national_id
from api.shopping import BasketKeyed, HandoverKeyed, place_basket
from bench.served import open_folder
from cards.models import Member
from market.kit.clock import now
from market.kit.database import connect, disconnect, get_engine, transaction
from market.kit.errors import DomainError
from market.kit.migrations import upgrade
from market.kit.postgres import create_database, start_cluster, stop_cluster
from market.oversight.audits import AUDITS
from merchants import ProductTerms, VariantTerms

PROCESSES, CLIENTS = 2, 64
CONNECTIONS = 12  # of each process, as the settings have it
HITS = 3
PRODUCTS = 500
PLENTY = 100_000
MERCHANT = "flash"
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
class Attempt:
    """A member who hits the button for one thing."""

    member_id: UUID
    item_id: UUID
    key: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of attempts: answers counted, and when (seconds from the start) each order was placed."""

    answers: Counter[str]
    placed_at: Sequence[float]
    seconds: float


@dataclass(frozen=True, slots=True)
class Flash:
    """The flash sale, and orders per second on one product and on five hundred, a number for each round."""

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
        members = _add_members(plan.members)
        hot, plenty, *others = _add_products(plan)
        with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        pool = stack.enter_context(get_context("spawn").Pool(PROCESSES, initializer=_begin, initargs=(url,)))
        rng = random.Random(20)
        _run(
            pool,
            [Attempt(rng.choice(members), rng.choice(others), str(uuid4())) for _ in range(CLIENTS * 2)],
        )
        attempts = [Attempt(member, hot, str(uuid4())) for member in members for _ in range(HITS)]
        rng.shuffle(attempts)
        sale = _run(pool, attempts)
        sold, buyers, most = _count_sold(hot)
        rates: dict[str, list[float]] = {"hot": [], "spread": []}
        for _ in range(plan.rounds):
            for name, measured in rates.items():
                buying = rng.sample(members, min(plan.orders_per_round, len(members)))
                wanted = [Attempt(m, plenty if name == "hot" else rng.choice(others), str(uuid4())) for m in buying]
                done = _run(pool, wanted)
                measured.append(done.answers[PLACED] / done.seconds)
        with get_engine().connect() as connection:
            findings = [f"{found.rule}: {found.subject}" for audit in AUDITS for found in audit(connection)]
        return Flash(sale, sold, buyers, most, findings, rates["hot"], rates["spread"])


def describe_flash(flash: Flash, plan: Plan) -> Iterator[tuple[str, str, str, bool]]:
    """Rows of the table: what, measured, goal, reached."""
    answers = flash.sale.answers
    errors = {code: number for code, number in answers.items() if code not in {PLACED, "SOLD_OUT", "MEMBER_LIMIT"}}
    exact = (flash.sold, flash.buyers, flash.most_per_member) == (plan.pieces, plan.pieces, 1)
    yield (
        f"flash sale, {sum(answers.values()):,} attempts at {plan.pieces:,} pieces",
        f"{flash.sold:,} sold to {flash.buyers:,} members",
        f"{plan.pieces:,}, one each",
        exact,
    )
    yield "… other answers than sold out or one per member", f"{errors or 'none'}", "none", not errors
    yield "… sold out after", f"{flash.sell_out_seconds:.1f} s", "", True
    yield "… attempts answered", f"{sum(answers.values()) / flash.sale.seconds:,.0f} /s", "", True
    yield "… findings of verify", f"{flash.findings or 'none'}", "none", not flash.findings
    yield "orders for 500 products", f"{median(flash.spread):,.0f} /s", "", True
    yield "orders for one product", f"{median(flash.hot):,.0f} /s", "", True
    yield "one product : 500 products", f"{flash.flatness:.2f}", "≥ 0.80", flash.flatness >= 0.8


# --- the world --------------------------------------------------------------------------------------------------------


def _add_members(number: int) -> list[UUID]:
    with transaction() as tx:
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
        return list(tx.scalars(select(Member.id)))


def _add_products(plan: Plan) -> list[UUID]:
    """The product of the sale, one that never runs out, and five hundred others."""
    at = now()
    with transaction() as tx:
        merchant_id = merchants.admit_merchant(
            tx, code=MERCHANT, name="Flash", credit_code="91310000132206289R", category="goods", at=at
        )
        owner = merchants.add_staff(tx, merchant_id=merchant_id, name="Flash")
        merchants.set_payment_account(tx, merchant_id=merchant_id, account="acct_flash")
        merchants.add_point(tx, code="gate", name="Gate", address="")
    items = []
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
            items.append(merchants.get_own_product(tx, merchant_id=merchant_id, code=code).variants[0].item_id)
        pieces = plan.pieces if number == 0 else PLENTY
        handing_out.receive_stock(staff_id=owner, item_id=items[-1], pieces=pieces, key="bench", at=at)
    return items


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


def _run(pool: Pool, attempts: Sequence[Attempt]) -> Outcome:
    """All attempts, dealt to the processes and in each to its threads; they start together."""
    start = time.time() + 0.5
    parts = [(start, attempts[number::PROCESSES]) for number in range(PROCESSES)]
    done = pool.map(_work, parts, chunksize=1)
    answers = sum((counted for counted, _, _ in done), Counter[str]())
    placed_at = [when for _, times, _ in done for when in times]
    return Outcome(answers, placed_at, max(end for *_, end in done))


def _begin(url: str) -> None:
    """In a process of its own."""
    connect(url, pool_size=CONNECTIONS)


def _work(part: tuple[float, Sequence[Attempt]]) -> tuple[Counter[str], list[float], float]:
    start, attempts = part
    time.sleep(max(0, start - time.time()))
    with ThreadPoolExecutor(CONNECTIONS) as server, ThreadPoolExecutor(CLIENTS // PROCESSES) as clients:
        answers = list(clients.map(lambda attempt: server.submit(_buy, attempt).result(), attempts))
    counted = Counter(answer for answer, _ in answers)
    return counted, [when - start for answer, when in answers if answer == PLACED], time.time() - start


def _buy(attempt: Attempt) -> tuple[str, float]:
    """One hit of the button: the answer, and when it came. Anything but a refusal is an error of the server."""
    keyed = BasketKeyed({attempt.item_id: 1}, {MERCHANT: HandoverKeyed("pickup", "gate")})
    try:
        place_basket(member_id=attempt.member_id, keyed=keyed, key=attempt.key, at=now())
    except DomainError as refused:
        return refused.code, time.time()
    except Exception as error:  # noqa: BLE001  counted and shown
        return type(error).__name__, time.time()
    return PLACED, time.time()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; status 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.flash", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few members, one short round")
    plan = QUICK if parser.parse_args(arguments).quick else FULL
    console = Console(width=140)
    rows = list(describe_flash(measure_flash(plan, console=console), plan))
    table = Table("figure", "measured", "goal", "reached")
    for what, measured, goal, is_reached in rows:
        table.add_row(what, measured, goal, ("yes" if is_reached else "[red]no") if goal else "")
    console.print(table)
    sys.exit(0 if all(is_reached for *_, is_reached in rows) else 1)


if __name__ == "__main__":
    main()
