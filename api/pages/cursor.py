"""Where the next page of a list goes on, as text in an address: the instant and the id of the last row shown. Pure."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from uuid import UUID

MOST = 10**12  # no rank and no price comes near


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


def write_place(rank: int, at: datetime, fen: int, row: UUID) -> str:
    """The place of a product in a search, in either of its orders, as an opaque text."""
    return urlsafe_b64encode(f"{rank} {at.isoformat()} {fen} {row.hex}".encode()).decode().rstrip("=")


def read_place(text: str) -> tuple[int, datetime, int, UUID] | None:
    """The place that a text names, or None for anything that no page of ours has written."""
    try:
        rank, at, fen, row = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(" ")
        place = (int(rank), datetime.fromisoformat(at), int(fen), UUID(row))
    except ValueError:
        return None
    return place if place[1].tzinfo is not None and max(place[0], place[2], -place[0], -place[2]) < MOST else None
