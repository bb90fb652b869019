"""Pages of the public accounts and their movements. No sign-in."""

from dataclasses import dataclass
from datetime import date

from api.pages.views.record import Checkpointed
from api.pages.views.shared import Pages


@dataclass(frozen=True, kw_only=True)
class AccountRow:
    """A public account by its code, what people call it, and what it holds (credits less debits, fen); `last_on` it moved last."""

    account: str
    name: str | None
    fen: int
    last_on: date


@dataclass(frozen=True, kw_only=True)
class RecordAccounts:
    """`record/accounts.html` at /record/accounts?kind=budget&q=&page=; exports at .csv and .json, whole.

    `kinds` are those that some account has.
    """

    kinds: tuple[str, ...]
    kind: str | None
    query: str
    accounts: tuple[AccountRow, ...]
    pages: Pages
    published: Checkpointed


@dataclass(frozen=True, kw_only=True)
class MovementShown:
    """What an entry credited an account (debited: negative) against `other`, and what it held then, in fen."""

    leaf_index: int
    entry_id: str
    kind: str
    day_on: date
    other: str
    fen: int
    balance_fen: int


@dataclass(frozen=True, kw_only=True)
class RecordAccount:
    """`record/account.html` at /record/accounts/{account}?before=; all movements at .csv and .json.

    Movements by place, the highest first. `opening_fen` is the balance before the lowest of the page, `closing_fen` that after its
    highest, `held_fen` the one now.
    """

    account: str
    name: str | None
    kind: str
    held_fen: int
    opening_fen: int
    closing_fen: int
    movements: tuple[MovementShown, ...]
    before: str | None
    older: str | None
    published: Checkpointed


ACCOUNT_TEMPLATES: dict[str, type] = {
    "record/accounts.html": RecordAccounts,
    "record/account.html": RecordAccount,
}
