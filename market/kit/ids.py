"""Identifiers: uuid7 inside (sorted by time, so that tables can be partitioned by it), random 128-bit strings in public."""

import secrets
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A uuid7 for a row; never shown in public, because it carries the instant."""
    return UUID(int=uuid_utils.uuid7().int)


def new_public_id() -> str:
    """128 random bits in hexadecimal, for a public entry."""
    return secrets.token_hex(16)
