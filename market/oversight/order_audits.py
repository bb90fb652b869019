"""The auditor's rules for orders and stock: nothing stays reserved without an order, nothing is sold that was not there."""

import json
from collections.abc import Iterator

from sqlalchemy import Connection, text

from market.oversight.finding import Audit, Finding
from market.sales.orders.pay import COPIED


def check_reserved(connection: Connection) -> Iterator[Finding]:
    """What purses have set aside for an order is its subsidy while it waits for its payment, and nothing before or after."""
    rows = connection.execute(
        text("""
        WITH held AS (
          SELECT account, sum(amount) AS amount FROM (
            SELECT credit AS account, amount_fen AS amount FROM transfer WHERE credit LIKE 'reserved:%'
            UNION ALL SELECT debit, -amount_fen FROM transfer WHERE debit LIKE 'reserved:%') AS sides GROUP BY account),
        due AS (SELECT 'reserved:' || number AS account, subsidy_fen AS amount FROM member_order WHERE state = 'placed')
        SELECT coalesce(held.account, due.account), coalesce(held.amount, 0), coalesce(due.amount, 0)
        FROM held FULL JOIN due USING (account) WHERE coalesce(held.amount, 0) <> coalesce(due.amount, 0)
        """)
    )
    for account, held, due in rows:
        yield Finding("reserved", account, f"transfers leave {held} fen, open orders want {due}")


def check_stock(connection: Connection) -> Iterator[Finding]:
    """Free, reserved and sold pieces of every item are what movements and orders say, and none is missing."""
    rows = connection.execute(
        text("""
        WITH moved AS (SELECT item_id, sum(pieces) AS pieces FROM stock_move GROUP BY item_id),
        ordered AS (
          SELECT l.item_id, coalesce(sum(l.qty) FILTER (WHERE o.state = 'placed'), 0) AS reserved,
                 coalesce(sum(l.qty - l.returned) FILTER (WHERE o.sale_id IS NOT NULL), 0) AS sold
          FROM order_line l JOIN member_order o ON o.id = l.order_id GROUP BY l.item_id),
        due AS (
          SELECT 'stock:' || item_id || ':' || part AS id, pieces FROM (
            SELECT coalesce(m.item_id, o.item_id) AS item_id, coalesce(m.pieces, 0) AS whole,
                   coalesce(o.reserved, 0) AS reserved, coalesce(o.sold, 0) AS sold
            FROM moved m FULL JOIN ordered o USING (item_id)) AS items
          CROSS JOIN LATERAL (VALUES ('free', whole - reserved - sold), ('reserved', reserved), ('sold', sold)) AS p (part, pieces)),
        held AS (SELECT id, sum(left_over) AS pieces FROM balance WHERE id LIKE 'stock:%' GROUP BY id)
        SELECT coalesce(due.id, held.id), coalesce(due.pieces, 0), coalesce(held.pieces, 0)
        FROM due FULL JOIN held USING (id) WHERE coalesce(due.pieces, 0) <> coalesce(held.pieces, 0)
        """)
    )
    for balance, due, held in rows:
        yield Finding("stock", balance, f"movements and orders leave {due} pieces, its balance holds {held}")


def check_limits(connection: Connection) -> Iterator[Finding]:
    """What a member may still buy within a sale is its limit less the pieces of his orders that stand."""
    rows = connection.execute(
        text("""
        SELECT l.limit_balance, split_part(l.limit_balance, ':', 3)::int
               - coalesce(sum(l.qty - l.returned) FILTER (WHERE o.state <> 'cancelled'), 0) AS due, b.left_over
        FROM order_line l JOIN member_order o ON o.id = l.order_id LEFT JOIN balance b ON b.id = l.limit_balance
        WHERE l.limit_balance IS NOT NULL GROUP BY l.limit_balance, b.left_over
        HAVING split_part(l.limit_balance, ':', 3)::int
               - coalesce(sum(l.qty - l.returned) FILTER (WHERE o.state <> 'cancelled'), 0) IS DISTINCT FROM b.left_over
        """)
    )
    for balance, due, held in rows:
        yield Finding("limits", balance, f"orders leave {due} pieces, its balance holds {held}")


def check_order_states(connection: Connection) -> Iterator[Finding]:
    """The changes of an order lead, one from the other, from nothing to the state it is in."""
    rows = connection.execute(
        text("""
        WITH chain AS (
          SELECT order_id, from_state, to_state, lag(to_state) OVER w AS before, lead(id) OVER w IS NULL AS is_last
          FROM order_change WINDOW w AS (PARTITION BY order_id ORDER BY id))
        SELECT o.number FROM member_order o
        WHERE NOT EXISTS (SELECT FROM chain c WHERE c.order_id = o.id AND c.is_last AND c.to_state = o.state)
           OR EXISTS (SELECT FROM chain c WHERE c.order_id = o.id AND c.from_state IS DISTINCT FROM c.before)
        """)
    )
    for (number,) in rows:
        yield Finding("order states", f"order {number}", "its changes do not lead to its state")


def check_order_sales(connection: Connection) -> Iterator[Finding]:
    """The sale of an order is what was frozen when it was placed: amounts, basket, facts, person, merchant."""
    differs = " OR ".join(f"s.{name} IS DISTINCT FROM o.{name}" for name in COPIED)
    rows = connection.execute(
        text(f"""
        SELECT o.number FROM member_order o FULL JOIN sale s ON s.order_id = o.id
        WHERE (o.sale_id IS NOT NULL OR s.order_id IS NOT NULL) AND (s.id IS DISTINCT FROM o.sale_id OR {differs})
        """)  # noqa: S608  fixed names only
    )
    for (number,) in rows:
        yield Finding("order sales", f"order {number}", "its sale is not what was ordered")


def check_order_lines(connection: Connection) -> Iterator[Finding]:
    """Lines are those of the frozen basket; what went back of them is what the returns say, what was handed out what hand-outs say."""
    rows = connection.execute(
        text("""
        SELECT o.number, o.basket,
               (SELECT jsonb_agg(jsonb_build_array(l.line, l.sku, l.qty) ORDER BY l.line::int) FROM order_line l WHERE l.order_id = o.id),
               (SELECT coalesce(jsonb_object_agg(l.line, l.returned) FILTER (WHERE l.returned > 0), '{}')
                FROM order_line l WHERE l.order_id = o.id)
               = (SELECT coalesce(jsonb_object_agg(line, pieces), '{}') FROM (
                    SELECT e ->> 'line' AS line, sum((e ->> 'units')::int) AS pieces
                    FROM reversal r, jsonb_array_elements(r.lines) e WHERE r.sale_id = o.sale_id GROUP BY 1) back),
               (SELECT coalesce(sum(l.handed), 0) FROM order_line l WHERE l.order_id = o.id)
               = (SELECT coalesce(sum(u.value::int), 0) FROM handout h, jsonb_each_text(h.units) u WHERE h.order_id = o.id
                  AND NOT EXISTS (SELECT FROM undone_handout x WHERE x.handout_id = h.id))
               - (SELECT coalesce(sum(u.value::int), 0) FROM reversal r, jsonb_each_text(r.request -> 'units') u
                  WHERE r.sale_id = o.sale_id AND r.request ->> 'whence' = 'member')
        FROM member_order o
        """).execution_options(yield_per=2_000)
    )
    for number, basket, lines, is_returned, is_handed in rows:
        if [[line["line"], line["sku"], line["qty"]] for line in json.loads(basket)] != lines:
            yield Finding("order lines", f"order {number}", "its lines are not those of its basket")
        if not is_returned or not is_handed:
            yield Finding(
                "order lines",
                f"order {number}",
                "pieces handed out or returned are not those of its hand-outs and returns",
            )


def check_return_requests(connection: Connection) -> Iterator[Finding]:
    """An accepted request is the return it names, of just what was asked; no other has one; what an open one asks back can come back."""
    rows = connection.execute(
        text("""
        SELECT q.id, o.number, CASE
          WHEN q.state = 'accepted' AND r.id IS NULL THEN 'it is accepted without its return'
          WHEN q.state = 'accepted' AND (r.sale_id IS DISTINCT FROM o.sale_id OR r.key <> 'request:' || q.id)
            THEN 'the return it names is not its own'
          WHEN q.state = 'accepted' AND (r.request ->> 'whence' IS DISTINCT FROM 'member' OR q.units IS DISTINCT FROM (
              SELECT jsonb_object_agg(e ->> 'line', (e ->> 'units')::int) FROM jsonb_array_elements(r.lines) e))
            THEN 'the return it names is not of what was asked'
          WHEN q.state <> 'accepted' AND (q.reversal_id IS NOT NULL OR EXISTS (
              SELECT FROM reversal x WHERE x.sale_id = o.sale_id AND x.key = 'request:' || q.id))
            THEN 'it is ' || q.state || ' and yet something went back for it'
          WHEN q.state = 'open' AND (o.sale_id IS NULL OR o.state = 'returned') THEN 'it is open, and its order cannot be returned'
          WHEN q.state = 'open' AND EXISTS (
              SELECT FROM jsonb_each_text(q.units) a(line, pieces)
              LEFT JOIN order_line l ON l.order_id = o.id AND l.line = a.line
              WHERE NOT coalesce(a.pieces::int BETWEEN 1 AND l.handed, FALSE))
            THEN 'it is open, and asks back what the member does not have'
          END AS problem
        FROM return_request q JOIN member_order o ON o.id = q.order_id LEFT JOIN reversal r ON r.id = q.reversal_id
        """).execution_options(yield_per=2_000)
    )
    for request, number, problem in rows:
        if problem is not None:
            yield Finding("return requests", f"request {request} of order {number}", problem)
    orphans = connection.execute(
        text("""
        SELECT r.public_id FROM reversal r
        WHERE r.shop_id IS NULL AND r.key LIKE 'request:%'
          AND NOT EXISTS (SELECT FROM return_request q WHERE q.reversal_id = r.id AND r.key = 'request:' || q.id)
        """)
    )
    for (public_id,) in orphans:
        yield Finding("return requests", f"reversal {public_id}", "it answers a request that does not name it")


def check_payments(connection: Connection) -> Iterator[Finding]:
    """Every payment that arrived is an order, less what went back of it, or goes back whole; every order that cost something was paid so."""
    rows = connection.execute(
        text("""
        SELECT 'payment ' || p.id, 'of ' || p.amount_fen || ' fen ' || p.asked_back_fen || ' go back, and that is not as its order says'
        FROM payment p LEFT JOIN member_order o ON o.id = p.purpose_id LEFT JOIN sale s ON s.id = o.sale_id
        WHERE p.paid_at IS NOT NULL
          AND p.asked_back_fen <> CASE WHEN o.payment_id = p.id THEN s.back_paid_fen ELSE p.amount_fen END
        UNION ALL
        SELECT 'payment ' || p.id, 'what goes back is not the sum of its refunds' FROM payment p LEFT JOIN (
          SELECT payment_id, sum(amount_fen) FILTER (WHERE state <> 'failed') AS asked,
                 sum(amount_fen) FILTER (WHERE state = 'done') AS done
          FROM payment_refund GROUP BY payment_id) r ON r.payment_id = p.id
        WHERE p.asked_back_fen <> coalesce(r.asked, 0) OR p.refunded_fen <> coalesce(r.done, 0)
        UNION ALL
        SELECT 'order ' || o.number, 'it was sold without its payment' FROM member_order o
        WHERE o.sale_id IS NOT NULL AND o.paid_fen > 0 AND NOT EXISTS (
          SELECT FROM payment p WHERE p.id = o.payment_id AND p.purpose_id = o.id AND p.paid_at IS NOT NULL
          AND p.amount_fen = o.paid_fen AND p.merchant = o.merchant)
        UNION ALL
        SELECT 'order ' || o.number, 'its public entry names another tender' FROM member_order o
        JOIN sale s ON s.id = o.sale_id JOIN entry e ON e.id = s.entry_id
        WHERE convert_from(e.body, 'UTF8')::jsonb ->> 'tender' <> CASE WHEN o.paid_fen > 0 THEN 'provider' ELSE 'declared' END
        """)
    )
    for subject, problem in rows:
        yield Finding("payments", subject, problem)


ORDER_AUDITS: tuple[Audit, ...] = (
    check_reserved,
    check_stock,
    check_limits,
    check_order_states,
    check_order_sales,
    check_order_lines,
    check_return_requests,
    check_payments,
)
