"""A year of a grocer through `redeem_at_till`: `python -m bench.journey --weeks 2 --mode rung`.

*As rung*: each line's loyalty discount is a line `amount_off_unit`, its coupon a subsidy `amount_off`, both on a code of its own;
every line must equal the register to the fen. *As offered*: for each product and week one `percent_off` at the largest rate seen,
coupons alike, all of a week live at once; no basket may be dearer than at the register. In both, sales, transfers, public entries and
the totals of the public page must agree to the fen.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from uuid import UUID, uuid5

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy import text

from api.price_replay import replay_prices
from api.till import RegisterKeyed, redeem_at_till
from bench.grocer import (
    BUDGET,
    CATEGORY,
    GRANTED_FEN,
    MERCHANT,
    NAMESPACE,
    Market,
    Mode,
    open_market,
    publish_week,
    rung_codes,
)
from bench.register import ALL_WEEKS, Basket, Line, Register, read_register
from cards.code import step_at
from cards.replay import PastVisit, record_visits
from market.kit.database import connect, disconnect, transaction
from market.kit.errors import invariant
from market.kit.migrations import upgrade
from market.kit.money import yuan
from market.kit.postgres import create_database, start_cluster, stop_cluster
from market.oversight.queries import total_by_month
from market.sales.basket import RegisterLine
from market.sales.redeem import SaleAnswer

BATCH = 500
YEAR_TOTALS = (539_223_287, 79_619_329, 2_635_990, 456_967_968)  # list, concession, subsidy, paid of all lines rung


class DifferenceError(AssertionError):
    """The replay differs from the register, or the books differ among themselves."""


@dataclass(slots=True)
class Outcome:
    """What a replay found. Amounts in fen; `saved_more_fen` is what the offers gave beyond the register."""

    baskets: int = 0
    lines: int = 0
    offers: int = 0
    seconds: float = 0.0
    seconds_again: float = 0.0
    saved_more_fen: int = 0
    list_fen: int = 0
    concession_fen: int = 0
    subsidy_fen: int = 0
    paid_fen: int = 0
    proofs: Counter[str] = field(default_factory=Counter)

    def amounts(self) -> tuple[int, int, int, int]:
        """List, concession, subsidy, paid."""
        return self.list_fen, self.concession_fen, self.subsidy_fen, self.paid_fen


def replay(register: Register, mode: Mode, *, progress: Callable[[int], None] = lambda _: None) -> Outcome:
    """Set up the market in the connected, empty database, make every basket a sale, and compare each with the register.

    Raises DifferenceError at the first line (as rung) or basket (as offered) that is not as it must be, or if the books disagree.
    """
    place = open_market(register.baskets)
    outcome = Outcome()
    for week, baskets in groupby(register.baskets, key=lambda basket: basket.week):
        outcome.offers += publish_week(mode, week, mine := list(baskets))
        begun = time.perf_counter()
        for basket, keyed in _with_visits(mine, mode, place):
            _, staff_id = place.tills[basket.store]
            answer = redeem_at_till(
                staff_id=staff_id, visit_id=visit_of(basket), keyed=keyed, key=f"journey:{basket.number}", at=basket.at
            )
            compare(mode, basket, answer)
            _count(outcome, basket, answer)
            progress(outcome.baskets)
        outcome.seconds += time.perf_counter() - begun
    check_books(outcome)
    return outcome


# --- redeeming --------------------------------------------------------------------------------------------------------


def visit_of(basket: Basket) -> UUID:
    """The visit in which a basket is bought."""
    return uuid5(NAMESPACE, str(basket.number))


def key_lines(mode: Mode, basket: Basket) -> RegisterKeyed:
    """The basket as its register rings it: every line one unit at its list price."""
    codes = rung_codes(basket) if mode == "rung" else [str(line.product) for line in basket.lines]
    return RegisterKeyed(
        [RegisterLine(code, CATEGORY, line.list_fen, 1) for code, line in zip(codes, basket.lines, strict=True)]
    )


def _with_visits(baskets: Sequence[Basket], mode: Mode, place: Market) -> Iterator[tuple[Basket, RegisterKeyed]]:
    """The baskets, their visits recorded some hundreds at a time."""
    taken: set[tuple[int, int]] = set()
    for first in range(0, len(baskets), BATCH):
        batch = baskets[first : first + BATCH]
        visits = []
        for basket in batch:
            opened_at = basket.at
            # A household that bought twice in half a minute showed the earlier of two codes.
            while (step := (basket.household, step_at(opened_at))) in taken:
                opened_at -= timedelta(seconds=30)
            taken.add(step)
            shop_id, staff_id = place.tills[basket.store]
            visits.append(PastVisit(visit_of(basket), place.cards[basket.household], shop_id, staff_id, opened_at))
        with transaction() as tx:
            record_visits(tx, visits)
        for basket in batch:
            yield basket, key_lines(mode, basket)


def compare(mode: Mode, basket: Basket, answer: SaleAnswer) -> None:
    """As rung, every line equals the register; as offered, the basket is not dearer."""
    if mode == "offered":
        register_paid = sum(line.paid_fen for line in basket.lines)
        if answer.paid_fen > register_paid:
            raise DifferenceError(f"basket {basket.number}: {answer.paid_fen} fen, at the register {register_paid}")
        return
    for priced, line in zip(answer.quote["lines"], basket.lines, strict=True):
        booked = Line(line.product, priced["list"], priced["concession"], priced["sponsor_pays"])
        if booked != line or priced["pay"] != line.paid_fen:
            raise DifferenceError(f"basket {basket.number}, line {priced['line']}: {priced}, at the register {line}")


def _count(outcome: Outcome, basket: Basket, answer: SaleAnswer) -> None:
    outcome.baskets += 1
    outcome.lines += len(basket.lines)
    outcome.list_fen += answer.list_fen
    outcome.concession_fen += answer.concession_fen
    outcome.subsidy_fen += answer.subsidy_fen
    outcome.paid_fen += answer.paid_fen
    outcome.saved_more_fen += sum(line.paid_fen for line in basket.lines) - answer.paid_fen
    outcome.proofs[answer.quote["proof"]] += 1


def check_books(outcome: Outcome) -> None:
    """Answers, sales, transfers, public entries and the page's totals: one set of figures. Raises DifferenceError."""
    with transaction() as tx:
        pages = total_by_month(tx)
        entries = text(
            """SELECT sum((b->>'list')::bigint), sum((b->>'concession')::bigint), sum((b->>'subsidy')::bigint), sum((b->>'paid')::bigint)
               FROM (SELECT convert_from(body, 'UTF8')::jsonb AS b FROM entry WHERE type = 'sale') AS said"""
        )
        sales = text("SELECT sum(list_fen), sum(concession_fen), sum(subsidy_fen), sum(paid_fen) FROM sale")
        moved = text("SELECT coalesce(sum(amount_fen), 0) FROM transfer WHERE event = 'sale' AND credit = :owed")
        left = text("SELECT sum(left_over) FROM balance WHERE id = :id")
        found = {
            "sales": tuple(int(amount) for amount in tx.execute(sales).one()),
            "public entries": tuple(int(amount) for amount in tx.execute(entries).one()),
            "page totals": tuple(
                sum(getattr(page, name) for page in pages)
                for name in ("list_fen", "concession_fen", "subsidy_fen", "paid_fen")
            ),
        }
        subsidies = {
            "transfers": int(tx.execute(moved, {"owed": f"payable:{MERCHANT}"}).scalar_one()),
            "budget": GRANTED_FEN - int(tx.execute(left, {"id": f"budget:{BUDGET}"}).scalar_one()),
        }
    differing = {name: amounts for name, amounts in found.items() if amounts != outcome.amounts()}
    differing |= {name: (amount,) for name, amount in subsidies.items() if amount != outcome.subsidy_fen}
    if differing:
        raise DifferenceError(f"answers say {outcome.amounts()}, but {differing}")


def price_again(outcome: Outcome, *, progress: Callable[[int], None] = lambda _: None) -> None:
    """Price every sale again from what is stored of it, as `huigong verify --prices` does. Raises DifferenceError at a finding."""
    begun = time.perf_counter()
    done = replay_prices(progress=lambda sales, _: progress(sales))
    outcome.seconds_again = time.perf_counter() - begun
    if done.findings or done.sales != outcome.baskets:
        raise DifferenceError(f"{done.sales} of {outcome.baskets} sales priced again: {done.findings[:1]}")


# --- command line -----------------------------------------------------------------------------------------------------


def parse_weeks(words: str) -> list[int]:
    """`2`, `2-5` or `all`."""
    if words == "all":
        return list(ALL_WEEKS)
    first, _, last = words.partition("-")
    weeks = list(range(int(first), int(last or first) + 1))
    invariant(weeks and set(weeks) <= set(ALL_WEEKS), "weeks are numbered 1 to 53")
    return weeks


def describe(register: Register) -> Iterator[str]:
    """What was read, what cannot be sold and why, in a few lines."""
    yield f"{register.baskets_read:,} baskets, {register.rung.lines:,} lines rung: {_words(register.rung.amounts())}"
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in register.impossible.most_common())
    yield f"kept apart: {register.impossible_lines:,} impossible lines ({reasons})"
    apart = tuple(a - b for a, b in zip(register.rung.amounts(), register.sold.amounts(), strict=True))
    yield f"            with {_words(apart)}"
    nothing_left = register.baskets_read - len(register.baskets)
    yield f"to replay:  {len(register.baskets):,} baskets, {register.sold.lines:,} lines ({nothing_left} had impossible lines only)"


def _words(amounts: tuple[int, ...]) -> str:
    names = ("list", "concession", "subsidy", "paid")
    return ", ".join(f"{name} {yuan(fen)}" for name, fen in zip(names, amounts, strict=True))


def run(weeks: Sequence[int], mode: Mode, *, console: Console) -> Outcome:
    """Replay weeks in an embedded server of their own, with progress and an estimate."""
    register = read_register(weeks)
    for line in describe(register):
        console.print(line, highlight=False)
    if list(weeks) == list(ALL_WEEKS) and register.rung.amounts() != YEAR_TOTALS:
        raise DifferenceError(f"the package's year sums to {register.rung.amounts()}, not {YEAR_TOTALS}")
    home = Path(tempfile.mkdtemp(prefix="huigong-journey-"))
    cluster = start_cluster(home)
    try:
        create_database(cluster, "journey")
        upgrade(cluster.url("journey"))
        connect(cluster.url("journey"))
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(f"as {mode}", total=len(register.baskets))
            outcome = replay(register, mode, progress=lambda done: bar.update(task, completed=done))
            task = bar.add_task("priced again", total=outcome.baskets)
            price_again(outcome, progress=lambda done: bar.update(task, completed=done))
    finally:
        disconnect()
        stop_cluster(cluster)
        shutil.rmtree(home, ignore_errors=True)
    if mode == "rung" and outcome.amounts() != register.sold.amounts():
        raise DifferenceError(f"booked {outcome.amounts()}, at the register {register.sold.amounts()}")
    return outcome


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line; a difference ends it with status 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.journey", description=__doc__)
    parser.add_argument("--weeks", default="2", help="a week (2), some (2-5) or all")
    parser.add_argument("--mode", choices=("rung", "offered"), default="rung")
    chosen = parser.parse_args(arguments)
    console = Console(width=140)
    try:
        outcome = run(parse_weeks(chosen.weeks), chosen.mode, console=console)
    except DifferenceError as difference:
        console.print(f"[red]{difference}")
        sys.exit(1)
    words = (
        f"{outcome.baskets:,} baskets, {outcome.lines:,} lines, {outcome.offers:,} offers: {_words(outcome.amounts())}"
    )
    console.print(words, highlight=False)
    if chosen.mode == "offered":
        console.print(
            f"the offers gave {yuan(outcome.saved_more_fen)} more than the register; no basket is dearer",
            highlight=False,
        )
    else:
        console.print("every line equals the register to the fen", highlight=False)
    console.print(
        f"sales, transfers, public entries and page totals agree; {outcome.baskets / outcome.seconds:.0f} baskets/s;"
        f" proofs {dict(outcome.proofs)}",
        highlight=False,
    )
    again = f"{outcome.baskets / outcome.seconds_again:.0f} sales/s"
    console.print(f"every sale priced again from what is stored of it gives the same bytes; {again}", highlight=False)


if __name__ == "__main__":
    main()
