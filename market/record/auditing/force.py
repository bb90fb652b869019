"""What is in force on which days: versions of offers, and merchants. Entries say days, so a day on which something ends still counts.

The next version of an offer starts when a checkpoint covers its entry; until then the one before it is sold, so it has one day more.
A version that only ends earlier starts at once.

A purchase at a till is made on its day. An order is priced when it is placed and published when it is paid, the day after at the latest;
a batch says up to which day of its month its purchases were made.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from market.record.auditing.finding import Entry, Finding, is_return
from market.record.terms import only_ends_earlier

OFFERS: Final = "offers"
MERCHANTS: Final = "merchants"
_EVER: Final = "9999-12-31"
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(slots=True)
class _Version:
    """A version of an offer: where it was published, its first and last day, and why that is the last."""

    leaf_index: int
    first: str = ""
    last: str = _EVER
    ended_by: str = "by its terms"


class Versions:
    """Every version that was published. One of each offer is in force: until the next one, until it is ended, or as long as its terms say."""

    def __init__(self, zone: Callable[[], tzinfo | None]) -> None:
        """`zone` answers in which zone days are counted at this place in the log."""
        self._zone = zone
        self._versions: dict[tuple[str, int], _Version] = {}
        self._current: dict[str, int] = {}
        self._said: dict[str, Mapping[str, Any]] = {}  # the terms and limits of the current version

    def check_offer(self, entry: Entry) -> Iterator[Finding]:
        """A version is published once, and takes the place of the one before it. One that is ended was in force."""
        said = entry.document
        if "action" in said:
            offer, number = said["offer"], said["version"]
            if self._current.get(offer) == number:
                self._end(offer, number, entry)
            else:
                yield entry.finding(OFFERS, "version", f"{offer} version {number} was not in force.")
            return
        offer, number = said["terms"]["id"], said["terms"]["version"]
        version = _Version(entry.leaf_index)
        known = self._versions.setdefault((offer, number), version)
        if known is not version:
            yield entry.finding(OFFERS, "terms", f"Entry {known.leaf_index} has published this version already.")
            return
        try:
            version.first, version.last = self._days(said["terms"].get("window"))
        except (TypeError, ValueError, AttributeError, OverflowError):
            yield entry.finding(OFFERS, "terms", "The window is not of two instants.")
        new = {"terms": said["terms"], "limits": said.get("limits")}
        if offer in self._current:
            self._end(offer, self._current[offer], entry, one_more=not only_ends_earlier(new, self._said[offer]))
        self._current[offer], self._said[offer] = number, new

    def check_used(self, entry: Entry) -> Iterator[Finding]:
        """Every version that a sale or a batch names was published before it, and was in force on its day."""
        said = entry.document
        for offer, number, _ in said.get("offers", ()):
            version = self._versions.get((offer, number))
            name = f"{offer} version {number}"
            if version is None:
                yield entry.finding(OFFERS, "offers", f"{name} was not published before.")
            elif said["day"] < version.first:
                yield entry.finding(OFFERS, "offers", f"{name} is in force from {version.first} on.")
            elif said["day"] > version.last and _first_day(said) > version.last:
                yield entry.finding(OFFERS, "offers", f"{name} ended on {version.last}, {version.ended_by}.")

    def _end(self, offer: str, number: int, entry: Entry, *, one_more: bool = False) -> None:
        version = self._versions[offer, number]
        del self._current[offer]
        day = date.fromisoformat(entry.document["day"])
        last = (day + timedelta(days=1) if one_more and day < date.max else day).isoformat()
        if last < version.last:
            version.last, version.ended_by = last, f"by entry {entry.leaf_index}"

    def _days(self, window: Any) -> tuple[str, str]:  # noqa: ANN401  whatever JSON holds
        """The first and the last day of a window of instants, the second of which is no longer in it."""
        first, last = "", _EVER
        if window is not None:
            if (begins := window.get("from")) is not None:
                first = self._day(begins, timedelta())
            if (ends := window.get("to")) is not None:
                last = self._day(ends, _INSTANT)
        return first, last

    def _day(self, written: str, before: timedelta) -> str:
        instant = datetime.fromisoformat(written)
        if instant.tzinfo is None:
            raise ValueError(written)
        return (instant - before).astimezone(self._zone() or instant.tzinfo).date().isoformat()


class Standing:
    """Which merchants are suspended, and since when."""

    def __init__(self) -> None:
        self._suspended: dict[str, list[tuple[str, str]]] = {}  # by merchant: from which day until which other

    def check_merchant(self, entry: Entry) -> Iterator[Finding]:
        """A suspension begins, or ends. Finds nothing by itself."""
        said = entry.document
        spans = self._suspended.setdefault(said["merchant"], [])
        is_suspended = bool(spans) and spans[-1][1] == _EVER
        if said["action"] == "suspended" and not is_suspended:
            spans.append((said["day"], _EVER))
        elif said["action"] == "readmitted" and is_suspended:
            spans[-1] = (spans[-1][0], said["day"])
        return iter(())

    def check_open(self, entry: Entry) -> Iterator[Finding]:
        """Nothing is sold at a merchant that is suspended on the whole of that day."""
        if not self._suspended or is_return(entry):
            return
        said = entry.document
        for since, until in self._suspended.get(said["merchant"], ()):
            if since < said["day"] < until and since < _first_day(said):
                yield entry.finding(MERCHANTS, "merchant", f"{said['merchant']} is suspended since {since}.")


def _first_day(said: dict[str, Any]) -> str:
    """The earliest day on which this sale, or one in this batch, may have been priced."""
    day: str = said["day"]
    if said["type"] == "sale" and said["channel"] == "shop":
        return day
    first = date.fromisoformat(day) if said["type"] == "sale" else date.fromisoformat(day).replace(day=1)
    return date.fromordinal(max(1, first.toordinal() - 1)).isoformat()
