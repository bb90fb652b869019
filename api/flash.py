"""The entry of a flash sale: a token for a member, a product and a slot of time, so that the door of orders meets those who came in.

Nothing is stored: a token is a MAC, the same one however often it is asked for within its slot.
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime
from typing import Final
from uuid import UUID

from market.kit.errors import ConflictError
from market.kit.settings import get_settings

SLOT_SECONDS: Final = 600  # a token is good in its slot and in the next
LABEL: Final = b"huigong/v1/flash-entry"
MAC_BYTES: Final = 16


class EntryTokenError(ConflictError):
    """An order of a flash sale without a token of its entry, or with one that is somebody else's, another product's or too old."""

    code = "ENTRY_TOKEN"
    zh = "“{name}”要从抢购入口进来才能下单。请回到抢购页重新进入。"
    en = "“{name}” is ordered through the entry of its sale only. Go back to its waiting page and come in again."


def make_token(*, subject: UUID, product_id: UUID, at: datetime) -> str:
    """The token of this member for this product now."""
    return _token(subject, product_id, _slot(at))


def fits_token(token: str, *, subject: UUID, product_id: UUID, at: datetime) -> bool:
    """Whether the token was made for this member and product in this slot or the one before."""
    slot = _slot(at)
    good = [_token(subject, product_id, each) for each in (slot, slot - 1)]
    return sum(hmac.compare_digest(token.encode(), each.encode()) for each in good) > 0


def _slot(at: datetime) -> int:
    return int(at.timestamp()) // SLOT_SECONDS


def _token(subject: UUID, product_id: UUID, slot: int) -> str:
    key = hmac.digest(get_settings().master_key.get_secret_value().encode(), LABEL, "sha256")
    mac = hmac.digest(key, subject.bytes + product_id.bytes + slot.to_bytes(8), "sha256")
    return urlsafe_b64encode(mac[:MAC_BYTES]).decode().rstrip("=")
