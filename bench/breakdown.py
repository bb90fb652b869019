"""Where the time of a redemption goes: the same sales in this process, under cProfile and counted by SQL statement."""

import cProfile
import os
import pstats
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, event

from api.till import AmountsKeyed, open_visit_at_till, quote_at_till, redeem_at_till
from bench.history import Plan, Till, build_databases, issue_codes
from bench.served import open_folder
from market.kit.clock import now
from market.kit.database import connect, disconnect, get_engine
from market.kit.postgres import start_cluster, stop_cluster

WARM_UP = 100

# Parts of a redemption by the file a function stands in; the first that fits. Waiting for the server is psycopg's.
PARTS = (
    ("PostgreSQL and the way to it (psycopg)", ("psycopg",)),
    ("SQLAlchemy", ("sqlalchemy",)),
    ("pricing engine and offer book", ("market/pricing", "market/offers")),
    ("sales, ledger and record", ("market/",)),
    ("cards and merchants", ("cards/", "merchants/", "cryptography")),
    ("JSON", ("json/", "_json")),
)


def break_down(plan: Plan, *, console: Console) -> None:
    """Redeem in this process on a database like the bench's: rates, statements per redemption, and self time by part."""
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="huigong-bench-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        cluster = start_cluster(open_folder(home))
        stack.callback(stop_cluster, cluster)
        tills = build_databases(cluster, plan, console=console)
        connect(cluster.url("many"), pool_size=2)
        stack.callback(disconnect)
        count = plan.sales_per_round
        redeem_all(tills, WARM_UP)
        begun = time.perf_counter()
        redeem = redeem_all(tills, count)
        seconds = time.perf_counter() - begun
        statements = count_statements(lambda: redeem_all(tills, 20))
        profile = cProfile.Profile()
        redeem_all(tills, count, around=profile)
        show(profile, count, console)
        console.print(
            f"without the profiler {count / redeem:.0f} redemptions/s in one thread ({count / seconds:.0f} with their visits)"
        )
        console.print(f"statements between BEGIN and COMMIT of a redemption: {statements / 20:.0f}")


def redeem_all(tills: Sequence[Till], count: int, *, around: cProfile.Profile | None = None) -> float:
    """Open visits and quote them, then redeem; answers the seconds of the redemptions alone, which `around` profiles."""
    rng = random.Random(count)
    opened: list[tuple[UUID, UUID, AmountsKeyed, int]] = []
    for number, code in enumerate(issue_codes(count)):
        staff_id = tills[number % len(tills)].staff_id
        visit = open_visit_at_till(staff_id=staff_id, scanned=code, at=now()).visit_id
        keyed = AmountsKeyed(rng.randrange(12_00, 90_00), 0)
        priced = quote_at_till(staff_id=staff_id, visit_id=visit, keyed=keyed, at=now())
        opened.append((staff_id, visit, keyed, priced.quote.payable))
    begun = time.perf_counter()
    if around:
        around.enable()
    for staff_id, visit_id, keyed, expected in opened:
        redeem_at_till(
            staff_id=staff_id,
            visit_id=visit_id,
            keyed=keyed,
            key=f"breakdown-{visit_id}",
            at=now(),
            expected_paid_fen=expected,
        )
    if around:
        around.disable()
    return time.perf_counter() - begun


def count_statements(work: Callable[[], object]) -> int:
    """The statements of the transactions that inserted a sale."""
    open_: Counter[int] = Counter()
    with_sale: set[int] = set()
    found = 0

    def count(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        open_[id(connection)] += 1
        if statement.startswith("INSERT INTO sale "):
            with_sale.add(id(connection))

    def close(connection: Connection) -> None:
        nonlocal found
        statements = open_.pop(id(connection), 0)
        if id(connection) in with_sale:
            with_sale.discard(id(connection))
            found += statements

    engine = get_engine()
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", close)
    event.listen(engine, "rollback", close)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", count)
        event.remove(engine, "commit", close)
        event.remove(engine, "rollback", close)
    return found


def show(profile: cProfile.Profile, count: int, console: Console) -> None:
    """Self time by part, and the dearest functions."""
    stats = pstats.Stats(profile)
    parts: Counter[str] = Counter()
    functions: list[tuple[float, str]] = []
    for (file, line, name), (_, calls, own, cumulative, _) in stats.stats.items():  # type: ignore[attr-defined]
        where = f"{file} {name}"
        parts[next((part for part, signs in PARTS if any(sign in where for sign in signs)), "Python and the rest")] += (
            own
        )
        if "/market/" in file or "/cards/" in file or "/merchants/" in file or "/api/" in file:
            functions.append((cumulative, f"{os.path.relpath(file)}:{line} {name} ({calls / count:.1f} calls)"))
    whole = sum(parts.values())
    table = Table("part", "self ms", "share", title="one redemption, under the profiler")
    for part, seconds in parts.most_common():
        table.add_row(part, f"{seconds / count * 1000:.2f}", f"{100 * seconds / whole:.0f} %")
    console.print(table)
    table = Table("function of ours", "cumulative ms")
    for cumulative, name in sorted(functions, reverse=True)[:18]:
        table.add_row(name, f"{cumulative / count * 1000:.2f}")
    console.print(table)
