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
