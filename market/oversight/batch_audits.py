"""Rules of `huigong verify` over batches: each purchase is published as its merchant is, in one batch or by itself, and batches hold."""

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import Connection, text

from market.oversight.finding import Audit, Finding
from market.record.batches import batch_entry
from market.record.policy import month_of, parse_policy


def check_batches(connection: Connection) -> Iterator[Finding]:
    """A batch is what its purchases make it, byte for byte: its sums, and its root over their hashes in their order."""
    rows = connection.execute(
        text("""
        SELECT b.public_id, b.day, b.merchant, b.body, e.batch_index, e.merchant AS seller, e.type, e.day AS sold_on, e.body AS one
        FROM entry b LEFT JOIN entry e ON e.batch_id = b.id WHERE b.type = 'batch' ORDER BY b.id, e.batch_index
        """).execution_options(yield_per=2_000)
    )
    for public_id, group in groupby(rows, key=lambda row: row.public_id):
        members = list(group)
        batch = members[0]
        is_sale = batch.type == "sale"
        first, _ = month_of(batch.day)
        if batch.batch_index is None or any(
            row.batch_index != index
            or row.seller != batch.merchant
            or (row.type == "sale") != is_sale
            or not first <= row.sold_on <= batch.day
            for index, row in enumerate(members)
        ):
            yield Finding(
                "batches",
                f"batch {public_id}",
                "it holds none, or a purchase that is not one of its merchant and month",
            )
            continue
        bodies = [row.one for row in members]
        try:
            made = batch_entry(
                public_id=public_id,
                day=batch.day,
                merchant=batch.merchant,
                of="sale" if is_sale else "return",
                bodies=bodies,
            )
        except (ValueError, LookupError, TypeError, AttributeError):  # one of them is no entry any more
            made = b""
        if made != batch.body:
            yield Finding("batches", f"batch {public_id}", "its sums or its root are not those of its purchases")


def check_members(connection: Connection) -> Iterator[Finding]:
    """What has a batch has one that is there and is a batch, and no place of its own; what goes back is published after its sale."""
    rows = connection.execute(
        text("""
        SELECT e.public_id, 'its batch is none, or it has a place of its own' FROM entry e LEFT JOIN entry b ON b.id = e.batch_id
        WHERE e.batch_id IS NOT NULL AND (b.type IS DISTINCT FROM 'batch' OR NOT e.is_batched OR e.leaf_index IS NOT NULL)
        UNION ALL
        SELECT r.public_id, 'it is in a batch, and its sale is not in one before' FROM reversal r JOIN sale s ON s.id = r.sale_id
        JOIN entry back ON back.id = r.entry_id JOIN entry sold ON sold.id = s.entry_id
        LEFT JOIN entry later ON later.id = back.batch_id LEFT JOIN entry earlier ON earlier.id = sold.batch_id
        WHERE later.leaf_index IS NOT NULL AND (earlier.leaf_index IS NULL OR earlier.leaf_index > later.leaf_index)
        """)
    )
    for public_id, problem in rows:
        yield Finding("batches", f"entry {public_id}", problem)


def check_publications(connection: Connection) -> Iterator[Finding]:
    """A sale is published as its merchant is on its day, a return as its sale is; what was said of merchants is public as it was said."""
    rows = connection.execute(
        text("""
        SELECT 'sale ' || e.public_id, 'it is not published as its merchant is on that day' FROM entry e
        WHERE e.type = 'sale' AND EXISTS (SELECT FROM sale s WHERE s.entry_id = e.id) AND e.is_batched IS DISTINCT FROM coalesce((
          SELECT p.publication = 'batched' FROM merchant_publication p
          WHERE p.merchant = e.merchant AND p.from_on <= e.day ORDER BY p.id DESC LIMIT 1), false)
        UNION ALL
        SELECT 'reversal ' || r.public_id, 'it is not published as its sale is' FROM reversal r JOIN sale s ON s.id = r.sale_id
        JOIN entry back ON back.id = r.entry_id JOIN entry sold ON sold.id = s.entry_id WHERE back.is_batched <> sold.is_batched
        UNION ALL
        SELECT 'merchant ' || coalesce(done.merchant, told.merchant), 'how it is published is not what is public'
        FROM (SELECT merchant, publication, from_on::text AS from_on, count(*) AS times FROM merchant_publication GROUP BY 1, 2, 3) done
        FULL JOIN (
          SELECT merchant, body->>'publication' AS publication, body->>'from' AS from_on, count(*) AS times
          FROM (SELECT merchant, convert_from(body, 'UTF8')::jsonb AS body FROM entry WHERE type = 'merchant') AS e
          WHERE body ? 'publication' GROUP BY 1, 2, 3) told USING (merchant, publication, from_on)
        WHERE done.times IS DISTINCT FROM told.times
        """)
    )
    for subject, problem in rows:
        yield Finding("publications", subject, problem)


def check_waiting(connection: Connection) -> Iterator[Finding]:
    """No purchase waits for its batch longer than was promised, as far as the log has been signed since."""
    policies = connection.execute(text("SELECT body, created_at FROM entry WHERE type = 'policy' ORDER BY id")).all()
    signed_at = connection.execute(text("SELECT max(signed_at) FROM log_checkpoint")).scalar_one()
    if not policies or signed_at is None:
        return
    policy = parse_policy(policies[-1].body)
    rows = connection.execute(
        text("SELECT public_id, day, created_at FROM entry WHERE is_batched AND batch_id IS NULL ORDER BY id")
    )
    for public_id, day, created_at in rows:
        by = policy.batch_promised_by(day, max(created_at, policies[0].created_at))
        if by < signed_at:
            yield Finding(
                "batches", f"entry {public_id}", f"it waits for its batch, which was promised by {by.isoformat()}"
            )


BATCH_AUDITS: tuple[Audit, ...] = (check_batches, check_members, check_publications, check_waiting)
