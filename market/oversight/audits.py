"""The auditor: a list of small functions, each one invariant over the whole database, each finding naming its row.

They read what is stored and trust no running sum: every total is added up again from the rows beneath it.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, text

from market.kit.ids import new_id
from market.oversight.models import VerifyRun
from market.record.entries import Amounts


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be: the rule, the row it concerns, and what was found."""

    rule: str
    subject: str
    problem: str


Audit = Callable[[Connection], Iterator[Finding]]

ENTRY_AMOUNTS = tuple(name for name in Amounts.__dataclass_fields__ if not name.startswith("rebate"))


def check_four_amounts(connection: Connection) -> Iterator[Finding]:
    """List = concession + subsidy + paid on every sale and every return, and none is below zero."""
    for table in ("sale", "reversal"):
        rows = connection.execute(
            text(
                f"SELECT public_id FROM {table} WHERE list_fen <> concession_fen + subsidy_fen + paid_fen"  # noqa: S608
                " OR least(list_fen, concession_fen, subsidy_fen, paid_fen) < 0"
            )
        )
        for (public_id,) in rows:
            yield Finding("four amounts", f"{table} {public_id}", "list is not concession + subsidy + paid")


def check_budgets(connection: Connection) -> Iterator[Finding]:
    """What is left in the slots of a budget is what its account received less what it paid."""
    rows = connection.execute(
        text("""
        WITH moved AS (
          SELECT account, sum(amount) AS amount FROM (
            SELECT credit AS account, amount_fen AS amount FROM transfer WHERE credit LIKE 'budget:%'
            UNION ALL SELECT debit, -amount_fen FROM transfer WHERE debit LIKE 'budget:%') AS sides GROUP BY account),
        held AS (SELECT id AS account, sum(left_over) AS amount FROM balance WHERE id LIKE 'budget:%' GROUP BY id)
        SELECT coalesce(moved.account, held.account), coalesce(moved.amount, 0), coalesce(held.amount, 0)
        FROM moved FULL JOIN held USING (account)
        WHERE coalesce(moved.amount, 0) <> coalesce(held.amount, 0)
        """)
    )
    for account, moved, held in rows:
        yield Finding("budgets", account, f"transfers leave {moved} fen, its balance holds {held}")


def check_grants(connection: Connection) -> Iterator[Finding]:
    """Every grant is one transfer from the union's fund, and nothing else leaves the fund."""
    rows = connection.execute(
        text("""
        SELECT coalesce(g.budget, t.credit), coalesce(g.amount_fen, 0), coalesce(t.amount_fen, 0)
        FROM budget_grant g FULL JOIN (SELECT * FROM transfer WHERE debit = 'union:fund') t
          ON t.event_id = g.id AND t.event = 'grant' AND t.credit = 'budget:' || g.budget
        WHERE g.amount_fen IS DISTINCT FROM t.amount_fen
        """)
    )
    for budget, granted, moved in rows:
        yield Finding("grants", budget, f"granted {granted} fen, transferred {moved}")


def check_subsidies(connection: Connection) -> Iterator[Finding]:
    """A sale's subsidy is exactly what its transfers owe its merchant; so is what a return takes back."""
    for table, event, side in (("sale", "sale", "credit"), ("reversal", None, "debit")):
        kind = f"'{event}'" if event else "r.kind"
        rows = connection.execute(
            text(f"""
            SELECT r.public_id, r.subsidy_fen, coalesce(t.amount, 0) FROM {table} r
            LEFT JOIN (SELECT event_id, event, {side} AS account, sum(amount_fen) AS amount FROM transfer
                       WHERE {side} LIKE 'payable:%' GROUP BY 1, 2, 3) t
              ON t.event_id = r.id AND t.event = {kind} AND t.account = 'payable:' || r.merchant
            WHERE r.subsidy_fen <> coalesce(t.amount, 0)
            """)  # noqa: S608  fixed names only
        )
        for public_id, subsidy, moved in rows:
            yield Finding("subsidies", f"{table} {public_id}", f"subsidy {subsidy} fen, transfers {moved}")


def check_transfers_have_events(connection: Connection) -> Iterator[Finding]:
    """Every transfer belongs to an event that exists."""
    rows = connection.execute(
        text("""
        SELECT t.id, t.event FROM transfer t
        WHERE NOT EXISTS (SELECT FROM sale s WHERE t.event = 'sale' AND s.id = t.event_id)
          AND NOT EXISTS (SELECT FROM reversal r WHERE t.event = r.kind AND r.id = t.event_id)
          AND NOT EXISTS (SELECT FROM budget_grant g WHERE t.event = 'grant' AND g.id = t.event_id)
        """)
    )
    for id_, event in rows:
        yield Finding("transfers", f"transfer {id_}", f"no {event} stands behind it")


def check_returns(connection: Connection) -> Iterator[Finding]:
    """What went back of a sale is the sum of its returns, for every payer, and never more than the sale."""
    rows = connection.execute(
        text("""
        SELECT s.public_id FROM sale s LEFT JOIN (
          SELECT sale_id, sum(concession_fen) AS c, sum(subsidy_fen) AS u, sum(paid_fen) AS p FROM reversal GROUP BY sale_id
        ) r ON r.sale_id = s.id
        WHERE (s.back_concession_fen, s.back_subsidy_fen, s.back_paid_fen)
              IS DISTINCT FROM (coalesce(r.c, 0)::bigint, coalesce(r.u, 0)::bigint, coalesce(r.p, 0)::bigint)
           OR s.back_concession_fen > s.concession_fen OR s.back_subsidy_fen > s.subsidy_fen OR s.back_paid_fen > s.paid_fen
        """)
    )
    for (public_id,) in rows:
        yield Finding(
            "returns", f"sale {public_id}", "what went back is not the sum of its returns, or more than the sale"
        )


def check_entries(connection: Connection) -> Iterator[Finding]:
    """The bytes on the public record say what the books say: id, kind, day, merchant, the four amounts, the transfers."""
    for table, kind in (("sale", "'sale'"), ("reversal", "r.kind")):
        rows = connection.execute(
            text(f"""
            SELECT r.public_id, {kind}, r.day, r.merchant, r.list_fen, r.concession_fen, r.subsidy_fen, r.paid_fen,
                   e.public_id, e.type, e.body
            FROM {table} r JOIN entry e ON e.id = r.entry_id
            """).execution_options(yield_per=2_000)  # noqa: S608  fixed names only
        )
        for public_id, expected, day, merchant, *amounts, entry_id, type_, body in rows:
            said = json.loads(body)
            booked = [expected, public_id, day.isoformat(), merchant, *amounts, expected, public_id]
            public = [said.get(name) for name in ("type", "id", "day", "merchant", *ENTRY_AMOUNTS)] + [type_, entry_id]
            moved = sum(amount for *_, amount in said["transfers"])
            if booked != public or moved != said["subsidy"]:
                yield Finding("entries", f"{table} {public_id}", "its public entry says something else")


def check_events_have_entries(connection: Connection) -> Iterator[Finding]:
    """Every public entry of a sale or return belongs to one, and every approved offer version has its entry."""
    rows = connection.execute(
        text("""
        SELECT e.type, e.public_id FROM entry e WHERE e.type IN ('sale', 'void', 'refund')
          AND NOT EXISTS (SELECT FROM sale s WHERE s.entry_id = e.id)
          AND NOT EXISTS (SELECT FROM reversal r WHERE r.entry_id = e.id)
        UNION ALL
        SELECT 'offer', offer || ' version ' || version FROM offer_version
        WHERE approved_by IS NOT NULL AND entry_id IS NULL
        """)
    )
    for kind, subject in rows:
        yield Finding("entries", f"{kind} {subject}", "entry and event do not belong together")


def check_visits(connection: Connection) -> Iterator[Finding]:
    """A sale was made in a visit to its own shop with its own card, while the visit was open."""
    rows = connection.execute(
        text("""
        SELECT s.public_id FROM sale s LEFT JOIN visit v ON v.id = s.visit_id
        WHERE v.id IS NULL OR v.shop_id <> s.shop_id OR v.card_id <> s.card_id OR s.at < v.opened_at OR s.at > v.expires_at
        """)
    )
    for (public_id,) in rows:
        yield Finding("visits", f"sale {public_id}", "not made in an open visit to this shop with this card")


AUDITS: tuple[Audit, ...] = (
    check_four_amounts,
    check_budgets,
    check_grants,
    check_subsidies,
    check_transfers_have_events,
    check_returns,
    check_entries,
    check_events_have_entries,
    check_visits,
)


def count_rows(connection: Connection) -> int:
    """How many rows the rules look at."""
    tables = ("sale", "reversal", "transfer", "entry", "balance", "budget_grant", "visit", "offer_version")
    counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables)  # noqa: S608  fixed names only
    return int(connection.execute(text(f"SELECT {counts}")).scalar_one())


def store_run(connection: Connection, *, at: datetime, rows: int, findings: Sequence[Finding]) -> None:
    """Keep what a run found, for the auditor's desk."""
    connection.execute(
        insert(VerifyRun).values(
            id=new_id(), at=at, rules=len(AUDITS), rows_seen=rows, findings=[asdict(finding) for finding in findings]
        )
    )
