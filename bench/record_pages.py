"""Pages of a long record over HTTP at any depth, public ones and the auditor's, and exports of all of it with their memory."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from sqlalchemy import text

from api.identity import create_account, grant_role, init_installation, open_session
from bench.lean_client import drive, write_get
from bench.served import serve
from bench.tables import Row
from market.kit.clock import now
from market.kit.database import transaction
from market.oversight.counting import FIGURES

PAGES: Final = 60
PAGE_GOAL_MS: Final = 100
RSS_GOAL_MIB: Final = 300
FORMS: Final = ("jsonl", "xlsx")
PUBLIC: Final = (
    "",
    "type=sale",
    "type=refund",
    "merchant=m_0001",
    "type=refund&merchant=m_0001",
    "month=2026-12",
    "day=2026-12-02&type=refund",
    "merchant=m_0001&month=2026-12",
    "type=never",  # an empty page: what every page takes
)
AUDITOR: Final = (
    "",
    "type=sale&merchant=m_0001",
    "state=refunded",
    "offer=NOODLE10&version=1",
    "first=2026-12-02&last=2026-12-02&of=subsidy&least=2.90",
    "of=paid&least=89.99",
    "least=5000",
)
SUMS: Final = (
    "/",
    "/record",
    "/record/months",
    "/record/months.json",
    "/record/months/offers",
    "/record/merchants",
    "/record/rebates",
)
# The bench's log sells at one merchant on three days: the totals are filled up to 300 merchants and two years of days.
_FILL: Final = """
INSERT INTO day_total SELECT {figures}, of_day::date FROM day_total, generate_series(date '2025-01-01', date '2026-11-30', '1 day') AS of_day
WHERE day_total.day = (SELECT max(day) FROM day_total) ON CONFLICT DO NOTHING;
INSERT INTO month_total SELECT {figures}, of_month::date, 'm_' || lpad(n::text, 4, '0') FROM month_total,
generate_series(date '2025-01-01', date '2026-12-01', '1 month') AS of_month, generate_series(1, 300) AS n
WHERE month_total.merchant = 'm_0001' ON CONFLICT DO NOTHING;
ANALYZE day_total, month_total
"""
_CHILD: Final = r"""
import re, sys
from pathlib import Path
from api.record_exports import begin_export, write_export
from market.kit.database import connect
from market.oversight.entry_search import Wanted
connect(sys.argv[1], pool_size=2)
made = begin_export(sys.argv[2], Wanted())
write_export(made, Path(sys.argv[3]), progress=lambda _: None)
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(int(peak[1]) // 1024, made.entries)
"""


def measure_pages(size: int, url: str, home: Path) -> Iterator[Row]:
    """Pages of fifty entries below random places, one reader, `huigong serve` with two processes."""
    with transaction() as tx:
        init_installation(tx, kind="demo", at=now())
        auditor = create_account(tx, login="bench-auditor", name="Bench", at=now())
        grant_role(tx, account_id=auditor, role="auditor", at=now())
        token = open_session(tx, account_id=auditor, roles=["auditor"], agent="bench", at=now()).token
    chance = random.Random(7)
    with serve(url, home / "serve.log") as port:
        for title, where, filters in (("public", "/record/entries", PUBLIC), ("auditor", "/audit/entries", AUDITOR)):
            for asked in filters:
                paths = [f"{where}?{asked}&before={chance.randrange(1, size)}" for _ in range(PAGES)]
                drive(port, [[write_get(paths[0], token=token)]] * 4, expect={200})  # each process knows the statement
                answers = drive(port, [[write_get(path, token=token) for path in paths]], expect={200}).answers[0]
                took = [answer.seconds * 1_000 for answer in answers]
                p95 = quantiles(took, n=20)[-1]
                what = f"… {title} page at random depth: {asked or 'all'}"
                yield what, f"{median(took):,.1f} ms, p95 {p95:,.1f} ms", f"≤ {PAGE_GOAL_MS} ms", p95 <= PAGE_GOAL_MS


def measure_sums(url: str, home: Path) -> Iterator[Row]:
    """The public pages and files that add up, one reader, `huigong serve` with two processes."""
    with transaction() as tx:
        init_installation(tx, kind="demo", at=now())
        for statement in _FILL.format(figures=", ".join(FIGURES)).split(";"):
            tx.execute(text(statement))
    with serve(url, home / "serve.log") as port:
        for path in SUMS:
            drive(port, [[write_get(path)]] * 4, expect={200})
            answers = drive(port, [[write_get(path)] * PAGES], expect={200}).answers[0]
            took = [answer.seconds * 1_000 for answer in answers]
            p95 = quantiles(took, n=20)[-1]
            said = f"{median(took):,.1f} ms, p95 {p95:,.1f} ms"
            yield f"… public sums: {path}", said, f"≤ {PAGE_GOAL_MS} ms", p95 <= PAGE_GOAL_MS


def measure_exports(url: str, home: Path) -> Iterator[Row]:
    """The whole log in each form, in a process of its own; the most memory it had."""
    for form in FORMS:
        yield measure_export(form, url, home / form)


def measure_export(form: str, url: str, to: Path) -> Row:
    """The whole log in this form."""
    begun = time.perf_counter()
    command = [sys.executable, "-c", _CHILD, url, form, str(to)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    peak, entries = map(int, done.stdout.split())
    seconds = time.perf_counter() - begun
    said = f"{entries:,} entries in {seconds:,.1f} s, {to.stat().st_size / 1e6:,.0f} MB, peak memory {peak:,} MiB"
    return f"export {form}", said, f"≤ {RSS_GOAL_MIB} MiB", peak <= RSS_GOAL_MIB
