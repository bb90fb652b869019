"""The auditor: a list of small functions, each one invariant over the whole database, each finding naming its row.

They read what is stored and trust no running sum: every total is added up again from the rows beneath it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, insert, text

from market.kit.ids import new_id
from market.oversight.batch_audits import BATCH_AUDITS
from market.oversight.finding import Audit, Finding
from market.oversight.models import VerifyRun
from market.oversight.order_audits import ORDER_AUDITS
from market.oversight.record_audits import RECORD_AUDITS
from market.oversight.text_audits import TEXT_AUDITS
from market.record.entries import Amounts, PublicTransfer, sum_transfers

ENTRY_AMOUNTS = tuple(Amounts.__dataclass_fields__)


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
    """Every grant is one transfer from the union's fund, and nothing else leaves the fund; what was proposed is granted as approved."""
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
    rows = connection.execute(
        text("""
        SELECT coalesce(p.budget, g.budget), coalesce(p.id::text, g.key) FROM budget_proposal p
        FULL JOIN (SELECT * FROM budget_grant WHERE key LIKE 'proposal/%') g ON g.key = 'proposal/' || p.id
        WHERE (g.budget, g.amount_fen, g.proposed_by, g.approved_by, g.at)
          IS DISTINCT FROM (p.budget, p.amount_fen, p.proposed_by, p.decided_by, p.decided_at)
          AND (g.id IS NOT NULL OR p.state = 'approved')
        """)
    )
    for budget, proposal in rows:
        yield Finding("grants", budget, f"proposal {proposal} and its grant do not say the same")


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


def check_rebates(connection: Connection) -> Iterator[Finding]:
    """A sale's rebates are exactly what its transfers make its merchant owe the buyer and the union; a return takes them back so."""
    for table, kind, sale, debit, credit in (
        ("sale", "'sale'", "r.id", "debit", "credit"),
        ("reversal", "r.kind", "r.sale_id", "credit", "debit"),
    ):
        rows = connection.execute(
            text(f"""
            SELECT r.public_id, due.whose, due.amount, coalesce(sum(t.amount_fen), 0)
            FROM {table} r JOIN sale s ON s.id = {sale}
            CROSS JOIN LATERAL (VALUES ('the member', r.rebate_member_fen, 'rebates:member:' || s.subject),
                                       ('the union', r.rebate_union_fen, 'rebates:union')) AS due (whose, amount, account)
            LEFT JOIN transfer t ON t.event_id = r.id AND t.event = {kind}
                                AND t.{debit} = 'receivable:' || r.merchant AND t.{credit} = due.account
            GROUP BY 1, 2, 3 HAVING due.amount <> coalesce(sum(t.amount_fen), 0)
            """)  # noqa: S608  fixed names only
        )
        for public_id, whose, due, moved in rows:
            yield Finding("rebates", f"{table} {public_id}", f"rebate to {whose} {due} fen, transfers {moved}")


def check_rebate_balances(connection: Connection) -> Iterator[Finding]:
    """What merchants owe in rebates, and to whom, is the sum of all sales less all returns, account by account."""
    rows = connection.execute(
        text("""
        WITH due AS (
          SELECT merchant, subject, rebate_member_fen AS member, rebate_union_fen AS whole FROM sale
          UNION ALL SELECT r.merchant, s.subject, -r.rebate_member_fen, -r.rebate_union_fen
          FROM reversal r JOIN sale s ON s.id = r.sale_id),
        booked AS (
          SELECT 'rebates:union' AS account, sum(whole) AS amount FROM due
          UNION ALL SELECT 'rebates:member:' || subject, sum(member) FROM due GROUP BY subject
          UNION ALL SELECT 'receivable:' || merchant, -sum(member + whole) FROM due GROUP BY merchant),
        moved AS (
          SELECT account, sum(amount) AS amount FROM (
            SELECT credit AS account, amount_fen AS amount FROM transfer WHERE credit ~ '^(rebates|receivable):'
            UNION ALL SELECT debit, -amount_fen FROM transfer WHERE debit ~ '^(rebates|receivable):') AS sides GROUP BY 1)
        SELECT coalesce(booked.account, moved.account), coalesce(booked.amount, 0), coalesce(moved.amount, 0)
        FROM booked FULL JOIN moved USING (account)
        WHERE coalesce(booked.amount, 0) <> coalesce(moved.amount, 0)
        """)
    )
    for account, booked, moved in rows:
        yield Finding("rebate balances", account, f"sales less returns come to {booked} fen, transfers to {moved}")


def check_transfers_have_events(connection: Connection) -> Iterator[Finding]:
    """Every transfer belongs to an event that exists; those of a return, and no others, refer to the sale that they reverse."""
    rows = connection.execute(
        text("""
        SELECT t.id, t.event FROM transfer t
        WHERE NOT EXISTS (SELECT FROM sale s WHERE t.event = 'sale' AND s.id = t.event_id AND t.reverses_id IS NULL)
          AND NOT EXISTS (SELECT FROM reversal r WHERE t.event = r.kind AND r.id = t.event_id AND r.sale_id = t.reverses_id)
          AND NOT EXISTS (SELECT FROM budget_grant g WHERE t.event = 'grant' AND g.id = t.event_id)
          AND NOT EXISTS (SELECT FROM member_order o WHERE t.event = 'order' AND o.id = t.event_id AND t.reverses_id IS NULL)
          AND NOT EXISTS (SELECT FROM member_order o WHERE t.event = 'release' AND o.id = t.event_id AND o.id = t.reverses_id
                          AND o.state = 'cancelled')
        """)
    )
    for id_, event in rows:
        yield Finding("transfers", f"transfer {id_}", f"no {event} stands behind it")


def check_returns(connection: Connection) -> Iterator[Finding]:
    """What went back of a sale is the sum of its returns, for every payer and every rebate, and never more than the sale."""
    names = ("concession_fen", "subsidy_fen", "paid_fen", "rebate_member_fen", "rebate_union_fen")
    differs = " OR ".join(f"s.back_{name} <> coalesce(r.{name}, 0) OR s.back_{name} > s.{name}" for name in names)
    rows = connection.execute(
        text(f"""
        SELECT s.public_id FROM sale s LEFT JOIN (
          SELECT sale_id, {", ".join(f"sum({name}) AS {name}" for name in names)} FROM reversal GROUP BY sale_id
        ) r ON r.sale_id = s.id
        WHERE {differs}
        """)  # noqa: S608  fixed names only
    )
    for (public_id,) in rows:
        yield Finding(
            "returns", f"sale {public_id}", "what went back is not the sum of its returns, or more than the sale"
        )


def check_entries(connection: Connection) -> Iterator[Finding]:
    """The bytes on the public record say what the books say: id, kind, day, merchant, channel, all amounts, every transfer.

    Of an order the subsidy was set aside in between: its entry names the purses that did so.
    """
    columns = ", ".join(f"r.{name}_fen" for name in ENTRY_AMOUNTS)
    for table, kind, of, channel in (
        ("sale", "'sale'", "NULL", "r.channel"),
        ("reversal", "r.kind", "(SELECT s.public_id FROM sale s WHERE s.id = r.sale_id)", "NULL"),
    ):
        moved_by = f"""
            SELECT t.debit, t.credit, t.amount_fen FROM transfer t
            WHERE t.event_id = r.id AND t.debit NOT LIKE 'reserved:%'
            {
            "UNION ALL SELECT t.debit, 'payable:' || r.merchant, t.amount_fen FROM transfer t WHERE t.event_id = r.order_id"
            if table == "sale"
            else ""
        }"""  # noqa: S608  fixed names only
        rows = connection.execute(
            text(f"""
            SELECT r.public_id, {kind}, {of}, r.day, r.merchant, {channel}, {columns}, e.public_id, e.type, e.body,
                   (SELECT coalesce(jsonb_agg(jsonb_build_array(t.debit, t.credit, t.amount_fen)), '[]') FROM ({moved_by}) t)
            FROM {table} r JOIN entry e ON e.id = r.entry_id
            """).execution_options(yield_per=2_000)  # noqa: S608  fixed names only
        )
        for public_id, expected, sold, day, merchant, place, *amounts, entry_id, type_, body, moved in rows:
            booked = [expected, public_id, sold, day.isoformat(), merchant, place, *amounts, expected, public_id]
            transfers = sum_transfers(PublicTransfer(*transfer) for transfer in moved)
            try:
                said = json.loads(body)
                public = [said.get(name) for name in ("type", "id", "of", "day", "merchant", "channel", *ENTRY_AMOUNTS)]
                borne = sum(fen for _, _, fen in said.get("offers", ()))
                given = said["concession"] + said["rebate_member"] + said["rebate_union"]
                is_said = booked == [*public, type_, entry_id] and transfers == said["transfers"]
                is_said = is_said and (table != "sale" or borne == given)
            except (ValueError, LookupError, TypeError, AttributeError):  # its bytes are no entry any more
                is_said = False
            if not is_said:
                yield Finding("entries", f"{table} {public_id}", "its public entry says something else")


def check_events_have_entries(connection: Connection) -> Iterator[Finding]:
    """Every public entry of a sale or return belongs to one; every approved offer version has its entry, and one more if it was ended alone."""
    rows = connection.execute(
        text("""
        WITH ended AS (
          SELECT body->>'offer' AS offer, (body->>'version')::integer AS version
          FROM (SELECT convert_from(body, 'UTF8')::jsonb AS body FROM entry WHERE type = 'offer') AS e WHERE body->>'action' = 'ended')
        SELECT e.type, e.public_id FROM entry e WHERE e.type IN ('sale', 'void', 'refund')
          AND NOT EXISTS (SELECT FROM sale s WHERE s.entry_id = e.id)
          AND NOT EXISTS (SELECT FROM reversal r WHERE r.entry_id = e.id)
        UNION ALL
        SELECT 'offer', offer || ' version ' || version FROM offer_version
        WHERE approved_by IS NOT NULL AND entry_id IS NULL
        UNION ALL
        SELECT 'offer', offer || ' version ' || version || ', ended' FROM offer_version v
        WHERE state = 'ended' AND NOT EXISTS (SELECT FROM ended WHERE ended.offer = v.offer AND ended.version = v.version)
          AND NOT EXISTS (
            SELECT FROM offer_version n WHERE n.offer = v.offer AND n.version > v.version AND n.approved_by IS NOT NULL)
        """)
    )
    for kind, subject in rows:
        yield Finding("entries", f"{kind} {subject}", "entry and event do not belong together")


def check_offers(connection: Connection) -> Iterator[Finding]:
    """What was ever approved was signed by every merchant that bears a part, approved by somebody else, and published as it is.

    Entries that name no signatures were written before merchants signed.
    """
    rows = connection.execute(
        text("""
        SELECT v.offer || ' version ' || v.version, CASE
            WHEN convert_from(e.body, 'UTF8')::jsonb ? 'signed' AND EXISTS (SELECT FROM unnest(v.merchants) AS m (code) WHERE NOT EXISTS (
                SELECT FROM offer_signature s WHERE s.offer = v.offer AND s.version = v.version AND s.merchant = m.code
                AND s.is_signed AND s.terms_hash = v.terms_hash)) THEN 'approved without the signature of every merchant'
            WHEN v.approved_by = v.proposed_by OR EXISTS (
                SELECT FROM offer_signature s WHERE s.offer = v.offer AND s.version = v.version AND s.way = 'owner'
                AND s.by = v.approved_by) THEN 'approved by the person who proposed or signed it'
            WHEN convert_from(e.body, 'UTF8')::jsonb -> 'terms' IS DISTINCT FROM
                  CASE WHEN v.audience_salt IS NULL THEN v.terms ELSE v.terms - 'audience' END
                OR convert_from(e.body, 'UTF8')::jsonb -> 'limits' IS DISTINCT FROM v.limits
                THEN 'its terms or limits are not those that were published'
            END AS problem
        FROM offer_version v JOIN entry e ON e.id = v.entry_id
        WHERE v.approved_by IS NOT NULL ORDER BY v.offer, v.version
        """)
    )
    for subject, problem in rows:
        if problem:
            yield Finding("offers", f"offer {subject}", problem)


def check_visits(connection: Connection) -> Iterator[Finding]:
    """A sale at a till was made in a visit to its own shop with its own card, while the visit was open."""
    rows = connection.execute(
        text("""
        SELECT s.public_id FROM sale s LEFT JOIN visit v ON v.id = s.visit_id
        WHERE s.channel = 'shop' AND (v.id IS NULL OR v.shop_id <> s.shop_id OR v.card_id IS DISTINCT FROM s.card_id
                                      OR s.at < v.opened_at OR s.at > v.expires_at)
        """)
    )
    for (public_id,) in rows:
        yield Finding("visits", f"sale {public_id}", "not made in an open visit to this shop with this card")


AUDITS: tuple[Audit, ...] = (
    check_four_amounts,
    check_budgets,
    check_grants,
    check_subsidies,
    check_rebates,
    check_rebate_balances,
    check_transfers_have_events,
    check_returns,
    check_entries,
    check_events_have_entries,
    check_offers,
    check_visits,
    *ORDER_AUDITS,
    *RECORD_AUDITS,
    *BATCH_AUDITS,
    *TEXT_AUDITS,
)


def count_rows(connection: Connection) -> int:
    """How many rows the rules look at."""
    tables = (
        *("sale", "reversal", "transfer", "entry", "balance", "budget_grant", "visit", "offer_version"),
        *("member_order", "order_line", "order_change", "handout", "stock_move", "return_request"),
    )
    counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables)  # noqa: S608  fixed names only
    return int(connection.execute(text(f"SELECT {counts}")).scalar_one())


def store_run(connection: Connection, *, at: datetime, rules: int, rows: int, findings: Sequence[Finding]) -> None:
    """Keep what a run found, for the auditor's desk."""
    connection.execute(
        insert(VerifyRun).values(
            id=new_id(), at=at, rules=rules, rows_seen=rows, findings=[asdict(finding) for finding in findings]
        )
    )
