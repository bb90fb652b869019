"""Whether a card may be used: which refusal comes first, and what a till is told."""

from datetime import UTC, date, datetime

import pytest

from cards.standing import ensure_usable
from market.kit.errors import DomainError

NOON = datetime(2026, 12, 1, 4, tzinfo=UTC)
LATER, TODAY, PAST = date(2030, 12, 31), date(2026, 12, 1), date(2026, 11, 30)


@pytest.mark.parametrize(
    ("card", "valid_until", "member", "code"),
    [
        ("active", LATER, "active", None),
        ("active", TODAY, "retired", None),  # the last day counts
        ("active", PAST, "active", "CARD_EXPIRED"),
        ("active", LATER, "left", "MEMBER_LEFT"),
        ("active", PAST, "left", "CARD_EXPIRED"),
        ("frozen", PAST, "left", "CARD_FROZEN"),
        ("lost", LATER, "active", "CARD_LOST"),
        ("replaced", PAST, "left", "CARD_REPLACED"),
    ],
)
def test_the_first_refusal_that_holds(card, valid_until, member, code):
    def ask() -> None:
        ensure_usable(card_state=card, valid_until=valid_until, member_state=member, at=NOON)

    if code is None:
        ask()
        return
    with pytest.raises(DomainError) as refusal:
        ask()
    assert refusal.value.code == code
    assert refusal.value.facts == {}  # nothing of the person


def test_the_last_day_ends_at_midnight_in_the_business_zone():
    last = datetime(2026, 12, 1, 15, 59, tzinfo=UTC)
    ensure_usable(card_state="active", valid_until=TODAY, member_state="active", at=last)
    with pytest.raises(DomainError):
        ensure_usable(card_state="active", valid_until=TODAY, member_state="active", at=last.replace(hour=16, minute=0))
