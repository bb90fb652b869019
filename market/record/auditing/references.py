"""What entries say of earlier ones: ids are used once, returns stay within their sale."""

from array import array
from collections.abc import Iterator
from operator import itemgetter
from typing import Final

from market.record.auditing.finding import AMOUNTS, Entry, Finding

_NO_SALE: Final = -1
_amounts_of: Final = itemgetter(*AMOUNTS)


class References:
    """Remembers every public id, and of each sale its merchant and what has not gone back of each amount: about 170 bytes per entry.

    Of these an id takes 64, its place in the table of all about 45, the number of its row 32, and the row 28: four bytes for each amount, as
    long as none needs more.
    """

    def __init__(self) -> None:
        self._sales: dict[bytes, int] = {}  # id → where the sale's row begins in `_left`
        self._left = array("I")
        self._merchants: dict[str, int] = {}

    def check_id(self, entry: Entry) -> Iterator[Finding]:
        """No earlier entry has this public id. Of sales what may go back is noted."""
        id_ = bytes.fromhex(entry.public_id)
        if id_ in self._sales:
            yield entry.finding("ids", "id", "An earlier entry has this public id.")
        elif entry.type == "sale":
            self._sales[id_] = len(self._left)
            said = entry.document
            self._append([self._merchants.setdefault(said["merchant"], len(self._merchants)), *_amounts_of(said)])
        else:
            self._sales[id_] = _NO_SALE

    def check_return(self, entry: Entry) -> Iterator[Finding]:
        """A void or refund is of an earlier sale of the same merchant, and all returns of a sale together stay within each of its amounts."""
        said = entry.document
        row = self._sales.get(bytes.fromhex(said["of"]), _NO_SALE)
        if row == _NO_SALE:
            yield entry.finding("returns", "of", "No earlier sale has this public id.")
            return
        if self._merchants.get(said["merchant"]) != self._left[row]:
            yield entry.finding("returns", "merchant", "The sale was at another merchant.")
        for at, name in enumerate(AMOUNTS, start=row + 1):
            if said[name] > self._left[at]:
                yield entry.finding(
                    "returns", name, f"{said[name]} goes back where {self._left[at]} of the sale is left."
                )
            self._take(at, said[name])

    def _append(self, row: list[int]) -> None:
        try:
            self._left.fromlist(row)
        except OverflowError:  # nothing of the row is there then
            self._widen()
            self._left.fromlist(row)

    def _take(self, at: int, fen: int) -> None:
        try:
            self._left[at] -= fen
        except OverflowError:
            self._widen()
            self._left[at] -= fen

    def _widen(self) -> None:
        """Some amount is negative, or above 42 million yuan."""
        self._left = array("q", self._left)
