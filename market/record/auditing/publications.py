"""How each merchant is published, as its entries say: rows only of those published so, batches only of the others, and how large a batch is.

A merchant of whom nothing is said is published row by row: so all were before there were batches.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Final

from market.record.auditing.finding import AMOUNTS, Entry, Finding, is_return
from market.record.batches import LEAST

RULE: Final = "publication"


class Publications:
    """What was said of every merchant, and of its batches what has not gone back of each amount."""

    def __init__(self) -> None:
        self._said: dict[str, list[tuple[str, str]]] = {}  # by merchant: from which day on, in this order, and how
        self._left: dict[str, dict[str, int]] = {}

    def check_terms(self, entry: Entry) -> Iterator[Finding]:
        """What is said holds from a later day on; what an admission says, from its own."""
        said = entry.document
        if ("publication" in said) != ("from" in said):
            yield entry.finding(
                RULE, "publication", "How a merchant is published is said together with the day it holds from."
            )
        elif "publication" in said:
            first = said["day"]
            if said["from"] < first or (said["from"] == first and said["action"] != "admitted"):
                yield entry.finding(RULE, "from", f"It is said on {first} for {said['from']}, which is not later.")
            steps = self._said.setdefault(said["merchant"], [])
            # What was said for later days and is now said otherwise holds no more.
            steps[:] = [step for step in steps if step[0] < said["from"]]
            steps.append((said["from"], said["publication"]))

    def check_row(self, entry: Entry) -> Iterator[Finding]:
        """A sale stands by itself only where its merchant is published so on its day."""
        said = entry.document
        steps = self._said.get(said["merchant"])
        if steps and _on(steps, said["day"]) == "batched":
            yield entry.finding(RULE, "merchant", f"{said['merchant']} is published in batches on {said['day']}.")

    def check_batch(self, entry: Entry) -> Iterator[Finding]:
        """A batch is of a merchant published so at some time in its month, and large enough or the last of it."""
        said = entry.document
        merchant, day = said["merchant"], said["day"]
        first = f"{day[:7]}-01"
        steps = self._said.get(merchant, [])
        since = "" if is_return(entry) else first  # what goes back follows its sale, however long ago that was
        is_batched = _on(steps, first) == "batched" or any(
            how == "batched" and since <= begins <= day for begins, how in steps
        )
        if not is_batched:
            yield entry.finding(RULE, "merchant", f"{merchant} was not published in batches by {day}.")
        least = 1 if _closes_month(date.fromisoformat(day)) else LEAST
        if said["count"] < least:
            yield entry.finding(RULE, "count", f"A batch of {said['count']}, where {least} is the least.")
        if is_return(entry) != ("offers" not in said) or ("offers" in said) != ("other_offers" in said):
            yield entry.finding(RULE, "offers", "A batch of sales lists offers, one of returns does not.")

    def check_left(self, entry: Entry) -> Iterator[Finding]:
        """What went back of a merchant's batched sales stays within what batches sold so far, in each amount."""
        said = entry.document
        left = self._left.setdefault(said["merchant"], dict.fromkeys(AMOUNTS, 0))
        goes_back = is_return(entry)
        for name in AMOUNTS:
            if goes_back and said[name] > left[name]:
                yield entry.finding(
                    "returns", name, f"{said[name]} goes back where {left[name]} of all batches is left."
                )
            left[name] += -said[name] if goes_back else said[name]


def _closes_month(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]


def _on(steps: list[tuple[str, str]], day: str) -> str:
    """What holds on a day; nothing where nothing is said yet."""
    return next((how for begins, how in reversed(steps) if begins <= day), "")
