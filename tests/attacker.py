"""Somebody who reads everything that is published and knows more than that, and looks for members whom he can single out.

He shares no code with what publishes. Beside the tables he is given the worst an insider may know: for any two groups, whether they have
anybody in common at all. He says what he proves: a set of members that is not empty, and an upper bound below k for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

Row = Mapping[str, Any]
Meet = Callable[[Row, Row], bool]
ROUNDING_FEN = 1_500  # three parts, each to the nearest ten yuan


@dataclass(frozen=True)
class Proof:
    """A set of members that is not empty and has at most `at_most`, fewer than `k`."""

    how: str
    what: str
    at_most: int
    k: int


def attack(rows: Sequence[Row], meet: Meet, *, entries: Sequence[int] | None = None) -> list[Proof]:
    """All proofs from one month's rows; `entries` are the list prices of the month's published purchases, in fen."""
    tables: dict[str, list[Row]] = {}
    for row in rows:
        tables.setdefault(row["attribute"], []).append(row)
    found = [*_too_small(rows), *_inside(tables)]
    for one, other in combinations(tables.values(), 2):
        found += _totals(one, other)
        found += _crossings(one, other, meet)
        if entries is not None:
            found += _linked(one, other, entries)
    return found


def _name(row: Row) -> str:
    return f"{row['attribute']}:{'+'.join(row['group'])}"


def _too_small(rows: Sequence[Row]) -> Iterator[Proof]:
    for row in rows:
        if 0 < row["members"] < row["k"]:
            yield Proof("as it stands", _name(row), row["members"], row["k"])


def _inside(tables: Mapping[str, Sequence[Row]]) -> Iterator[Proof]:
    """A sum less the sums that lie inside it."""
    for rows in tables.values():
        for whole in rows:
            parts = [row for row in rows if set(row["group"]) < set(whole["group"])]
            for count in range(1, min(4, len(parts)) + 1):
                for some in combinations(parts, count):
                    if sum(len(row["group"]) for row in some) != len({code for row in some for code in row["group"]}):
                        continue
                    left = whole["members"] - sum(row["members"] for row in some)
                    if 0 < left < whole["k"]:
                        yield Proof(
                            "sum less parts", f"{_name(whole)} - {[_name(row) for row in some]}", left, whole["k"]
                        )


def _totals(one: Sequence[Row], other: Sequence[Row]) -> Iterator[Proof]:
    """Somebody stands in one table and not in the other."""
    left = abs(sum(row["members"] for row in one) - sum(row["members"] for row in other))
    if one and other and 0 < left < (k := max(one[0]["k"], other[0]["k"])):
        yield Proof("total less total", f"{one[0]['attribute']} - {other[0]['attribute']}", left, k)


def _crossings(one: Sequence[Row], other: Sequence[Row], meet: Meet) -> Iterator[Proof]:
    """The most that can stand in the common part of two groups: over all tables of counts with these sums and these empty cells."""
    may = [[meet(row, column) for column in other] for row in one]
    rows, columns = [row["members"] for row in one], [column["members"] for column in other]
    if sum(rows) != sum(columns):
        return  # not of the same people: `_totals` looks at those
    for a, row in enumerate(one):
        for b, column in enumerate(other):
            k, highest = max(row["k"], column["k"]), min(rows[a], columns[b])
            k = min(k, highest)  # the smaller of the two as it stands is no finding of this kind
            if not may[a][b] or any(_fits(rows, columns, may, (a, b), count) for count in range(k, highest + 1)):
                continue
            most = max((count for count in range(k) if _fits(rows, columns, may, (a, b), count)), default=0)
            yield Proof("common part", f"{_name(row)} & {_name(column)}", most, k)


def _fits(
    rows: Sequence[int], columns: Sequence[int], may: list[list[bool]], cell: tuple[int, int], count: int
) -> bool:
    """Whether some table has these sums, nobody where nobody may be, and `count` in this cell: by augmenting paths (Ford, Fulkerson)."""
    a, b = cell
    if count > min(rows[a], columns[b]):
        return False
    want = [members - count * (row == a) for row, members in enumerate(rows)]
    have = [members - count * (column == b) for column, members in enumerate(columns)]
    open_cells = [
        [allowed and (row, column) != cell for column, allowed in enumerate(line)] for row, line in enumerate(may)
    ]
    flow = [[0] * len(columns) for _ in rows]
    for start in range(len(rows)):
        while want[start]:
            path = _find_path(flow, open_cells, have, start)
            if path is None:
                return False
            down = [(path[at + 1][0], path[at][1]) for at in range(len(path) - 1)]
            step = min([want[start], have[path[-1][1]], *(flow[row][column] for row, column in down)])
            for row, column in path:
                flow[row][column] += step
            for row, column in down:
                flow[row][column] -= step
            want[start] -= step
            have[path[-1][1]] -= step
    return not any(have)


def _find_path(
    flow: Sequence[Sequence[int]], open_cells: Sequence[Sequence[bool]], have: Sequence[int], start: int
) -> list[tuple[int, int]] | None:
    """Cells that get more, each after the first in a row from which the column before it takes back; ends where there is room."""
    seen_rows, seen_columns = {start}, set()
    waiting: list[tuple[int, list[tuple[int, int]]]] = [(start, [])]
    while waiting:
        row, path = waiting.pop(0)
        for column, allowed in enumerate(open_cells[row]):
            if not allowed or column in seen_columns:
                continue
            seen_columns.add(column)
            longer = [*path, (row, column)]
            if have[column]:
                return longer
            for other in range(len(flow)):
                if flow[other][column] and other not in seen_rows:
                    seen_rows.add(other)
                    waiting.append((other, longer))
    return None


def _linked(one: Sequence[Row], other: Sequence[Row], entries: Sequence[int]) -> Iterator[Proof]:
    """A public entry without which neither of two groups' sums comes out was bought by somebody in both.

    Whoever knows the works knows who is in both, so one such entry is one too many.
    """
    if any(row.get("list_fen") is None for row in (*one, *other)):
        return
    forced = [[(row, _forced(row, entries)) for row in rows] for rows in (one, other)]
    for row, own in forced[0]:
        for column, their in forced[1]:
            if both := own & their:
                yield Proof("linked entries", f"{_name(row)} & {_name(column)}: entries {sorted(both)}", 0, row["k"])


def _forced(row: Row, entries: Sequence[int]) -> set[int]:
    """The places of the entries that are in every choice of `purchases` entries with this sum."""
    wanted = row["list_fen"]
    window = (1 << (2 * ROUNDING_FEN + 1)) - 1 if wanted % 1000 == 0 else 1

    def comes_out(without: int) -> bool:
        reach = [1] + [0] * row["purchases"]  # bit s of reach[n]: n entries can sum to s
        for place, fen in enumerate(entries):
            if place != without:
                for count in range(row["purchases"], 0, -1):
                    reach[count] |= reach[count - 1] << fen
        lowest = max(0, wanted - ROUNDING_FEN) if window > 1 else wanted
        return bool(reach[-1] >> lowest & window)

    return {place for place in range(len(entries)) if not comes_out(place)}
