"""The posting table: every event of the business and the transfers it makes. Pure: values in, values out.

Workers' own money never passes through these books; it stands on the sale only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from market.kit.ids import new_id

UNION_FUND = "union:fund"
UNION_REBATES = "rebates:union"


@dataclass(frozen=True, slots=True)
class Posting:
    """Money that moves from the debit account to the credit account: fen, always more than 0."""

    debit: str
    credit: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Rebates:
    """What a merchant comes to owe by a sale, out of what was paid: to the buyer and to the union, in fen."""

    member: int = 0
    union: int = 0


@dataclass(frozen=True, slots=True)
class Draw:
    """So much is taken from a bounded balance; negative gives back. `initial` is what a balance holds when it is first touched."""

    balance: str
    amount: int
    unit: str = "fen"
    initial: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, when, and what it undoes, for every transfer made by it."""

    kind: str
    id: UUID
    day: date
    at: datetime
    reverses_id: UUID | None = None

    def rows(self, postings: Iterable[Posting]) -> list[dict[str, object]]:
        """The transfer rows of this event, ready for the database."""
        return [
            {
                "id": str(new_id()),
                "event": self.kind,
                "event_id": str(self.id),
                "reverses_id": str(self.reverses_id) if self.reverses_id else None,
                "debit": posting.debit,
                "credit": posting.credit,
                "amount_fen": posting.amount_fen,
                "day": self.day.isoformat(),
                "created_at": self.at.isoformat(),
            }
            for posting in postings
        ]


def budget_account(code: str) -> str:
    """The account, and the balance, of a budget."""
    return f"budget:{code}"


def payable_account(merchant: str) -> str:
    """What the union owes a merchant."""
    return f"payable:{merchant}"


def receivable_account(merchant: str) -> str:
    """What a merchant owes, in rebates."""
    return f"receivable:{merchant}"


def reserved_account(order: str) -> str:
    """What purses have set aside for an order (by its number) that is not paid yet."""
    return f"reserved:{order}"


def member_rebates_account(subject: UUID) -> str:
    """What merchants owe one person; private, in public all of them stand as one."""
    return f"rebates:member:{subject}"


def post_grant(budget: str, amount_fen: int) -> list[Posting]:
    """A budget is granted: the union's fund sets the money aside."""
    return [Posting(UNION_FUND, budget_account(budget), amount_fen)]


def post_sale(
    *, merchant: str, subject: UUID, sponsor_parts: Mapping[str, int], rebates: Rebates = Rebates()
) -> list[Posting]:
    """A sale: each purse owes its part (fen) to the merchant, and the merchant owes the rebates. Parts of 0 make no transfer."""
    owed = {member_rebates_account(subject): rebates.member, UNION_REBATES: rebates.union}
    return [
        Posting(purse, payable_account(merchant), part) for purse, part in sorted(sponsor_parts.items()) if part
    ] + [Posting(receivable_account(merchant), whose, part) for whose, part in owed.items() if part]


def post_order(order: str, sponsor_parts: Mapping[str, int]) -> list[Posting]:
    """An order is placed: each purse sets its part (fen) aside for it."""
    return [Posting(purse, reserved_account(order), part) for purse, part in sorted(sponsor_parts.items()) if part]


def post_release(order: str, sponsor_parts: Mapping[str, int]) -> list[Posting]:
    """An order is cancelled or expires: what was set aside goes back to its purses."""
    return [Posting(posting.credit, posting.debit, posting.amount_fen) for posting in post_order(order, sponsor_parts)]


def post_order_sale(
    *, order: str, merchant: str, subject: UUID, subsidy_fen: int, rebates: Rebates = Rebates()
) -> list[Posting]:
    """An order is paid: what was set aside is owed to the merchant, and the merchant owes the rebates."""
    return post_sale(
        merchant=merchant, subject=subject, sponsor_parts={reserved_account(order): subsidy_fen}, rebates=rebates
    )


def merge_draws(draws: Iterable[Draw]) -> list[Draw]:
    """One draw for each balance: amounts on the same one are added up."""
    merged: dict[str, Draw] = {}
    for draw in draws:
        known = merged.get(draw.balance)
        merged[draw.balance] = draw if known is None else replace(known, amount=known.amount + draw.amount)
    return list(merged.values())


def post_return(
    *, merchant: str, subject: UUID, sponsor_parts: Mapping[str, int], rebates: Rebates = Rebates()
) -> list[Posting]:
    """A void or refund: the postings of a sale the other way round, with the shares that go back."""
    booked = post_sale(merchant=merchant, subject=subject, sponsor_parts=sponsor_parts, rebates=rebates)
    return [Posting(posting.credit, posting.debit, posting.amount_fen) for posting in booked]
