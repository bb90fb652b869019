"""Where the next page of a list goes on, as text in an address: the instant and the id of the last row shown. Pure."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID


def write_cursor(place: tuple[datetime, UUID]) -> str:
    """The place as an opaque text."""
    at, row = place
    return urlsafe_b64encode(f"{at.isoformat()} {row.hex}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, UUID] | None:
    """The place that a text names, or None for anything that no page of ours has written."""
    try:
        at, _, row = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().rpartition(" ")
        place = (datetime.fromisoformat(at), UUID(row))
    except ValueError:
        return None
    return place if place[0].tzinfo is not None else None


def write_instant(at: datetime) -> str:
    """An instant alone as an opaque text, for lists in which no two rows share one."""
    return urlsafe_b64encode(at.isoformat().encode()).decode().rstrip("=")


def read_instant(text: str) -> datetime | None:
    """The instant that a text names, or None."""
    try:
        at = datetime.fromisoformat(urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
