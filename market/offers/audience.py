"""Whether the public record names whom an offer is for: a class of at least a hundred members is named, for a smaller one a commitment stands.

Who used an offer that names its class is known to be of that class; of a few, everybody knows who they are.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy.orm import Session

from market.kit.canonical import canonical_json
from market.offers.models import OfferVersion
from market.record.entries import commit

LEAST_NAMED: Final = 100
"""Members of the smallest class that is named."""

Audience: TypeAlias = Mapping[str, Sequence[object]]
ClassSize: TypeAlias = Callable[[Session, Audience, int], int]
"""How many members an audience fits now, counted no further than the last argument. The register knows; this room does not."""


def is_small(tx: Session, audience: Audience | None, *, count_class: ClassSize) -> bool:
    """Whether there is an audience, and too few fit it for the record to name it."""
    return audience is not None and bool(audience) and count_class(tx, audience, LEAST_NAMED) < LEAST_NAMED


def choose_salt(tx: Session, audience: Audience | None, *, count_class: ClassSize) -> bytes | None:
    """The salt of the commitment that stands for this audience, or None where it may be named, or there is none."""
    return secrets.token_bytes(32) if is_small(tx, audience, count_class=count_class) else None


def get_commitment(row: OfferVersion) -> str | None:
    """What stands in the record for an audience that it does not name, in base64."""
    return None if row.audience_salt is None else commit(row.audience_salt, canonical_json(row.terms["audience"]))


def list_public_terms(row: OfferVersion) -> dict[str, Any]:
    """The terms as the record has them: without an audience that it does not name."""
    return {name: value for name, value in row.terms.items() if name != "audience" or row.audience_salt is None}
