"""Internal purchase in figures: what was ordered and paid, by day, merchant and product. Returns are taken off; nobody's name stands here."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Text, bindparam, func, select, text
from sqlalchemy.orm import Session

from market.oversight.queries import AMOUNTS, Totals, month_days
from market.sales.models import Sale


@dataclass(frozen=True, slots=True)
class ProductTotals:
    """Pieces and amounts (fen) of one product's orders of a month, as they stand now: what went back is taken off."""

    product_id: UUID
    merchant: str
    name: str
    pieces: int
    returned: int
    orders: int
    list_fen: int
    concession_fen: int
    subsidy_fen: int
    paid_fen: int


def total_online(
    tx: Session, *, month: str, by: Literal["day", "merchant"], merchant: str | None = None
) -> list[Totals]:
    """The month's orders (YYYY-MM) by day or by merchant, of one merchant (by code) or all; a return counts where its order does."""
    first, beyond = month_days(month)
    rows = tx.execute(_ONLINE[by], {"first": first, "beyond": beyond, "merchant": merchant})
    return [Totals(row[0], *(int(amount) for amount in row[1:])) for row in rows]


def total_products(tx: Session, *, month: str, merchant: str | None = None, limit: int = 1000) -> list[ProductTotals]:
    """The month's orders (YYYY-MM) by product, most bought first; of one merchant (by code) or all.

    A line's amounts stand in the quote stored with its sale, what went back of them with its returns.
    """
    first, beyond = month_days(month)
    asked: dict[str, Any] = {"first": first, "beyond": beyond, "merchant": merchant, "limit": limit}
    return [ProductTotals(*row) for row in tx.execute(_PRODUCTS, asked)]


_LABELS = {"day": func.to_char(Sale.day, "YYYY-MM-DD"), "merchant": Sale.merchant}
_ONLINE = {
    by: select(
        label,
        func.count().filter(Sale.back_list_fen < Sale.list_fen),
        *(func.sum(getattr(Sale, name) - getattr(Sale, f"back_{name}")) for name in AMOUNTS),
    )
    .where(
        Sale.channel == "online",
        Sale.day >= bindparam("first"),
        Sale.day < bindparam("beyond"),
        Sale.merchant == func.coalesce(bindparam("merchant", type_=Text), Sale.merchant),
    )
    .group_by(label)
    .order_by(label)
    for by, label in _LABELS.items()
}

_PRODUCTS = text("""
WITH sold AS (
  SELECT id, order_id, merchant, facts FROM sale
  WHERE channel = 'online' AND day >= :first AND day < :beyond AND (CAST(:merchant AS text) IS NULL OR merchant = :merchant)
), line AS (
  SELECT sold.id, sold.order_id, sold.merchant, each->>'line' AS line, CAST(each->>'list' AS bigint) AS list,
         CAST(each->>'concession' AS bigint) AS concession, CAST(each->>'sponsor_pays' AS bigint) AS subsidy,
         CAST(each->>'pay' AS bigint) AS pay
  FROM sold, jsonb_array_elements(CAST(convert_from(sold.facts, 'UTF8') AS jsonb)->'quote'->'lines') AS each
), back AS (
  SELECT reversal.sale_id, each->>'line' AS line, sum(CAST(each->>'concession_back' AS bigint)) AS concession,
         sum(CAST(each->>'subsidy_back' AS bigint)) AS subsidy, sum(CAST(each->>'to_member' AS bigint)) AS pay
  FROM reversal JOIN sold ON sold.id = reversal.sale_id, jsonb_array_elements(reversal.lines) AS each
  GROUP BY 1, 2
)
SELECT kept.product_id, line.merchant, min(kept.name), sum(kept.qty)::bigint, sum(kept.returned)::bigint,
       count(DISTINCT line.order_id),
       sum(line.list - coalesce(back.concession + back.subsidy + back.pay, 0))::bigint,
       sum(line.concession - coalesce(back.concession, 0))::bigint,
       sum(line.subsidy - coalesce(back.subsidy, 0))::bigint,
       sum(line.pay - coalesce(back.pay, 0))::bigint
FROM line
JOIN order_line AS kept ON kept.order_id = line.order_id AND kept.line = line.line
LEFT JOIN back ON back.sale_id = line.id AND back.line = line.line
GROUP BY kept.product_id, line.merchant
ORDER BY 4 DESC, 3, 1
LIMIT :limit
""")
