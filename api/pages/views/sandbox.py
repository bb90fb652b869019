"""The view of the sandbox's pay page, which is another site: it has a frame of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TestCard:
    """A card number to play with, and what happens with it."""

    __test__ = False

    number: str
    is_good: bool


@dataclass(frozen=True, kw_only=True)
class SandboxPay:
    """GET and POST /pay/{session} at the sandbox. Fields `method` (wechat_pay, alipay, card) and `card`.

    `problem` is one finished sentence about the last try; `back_href` leads to the shop without paying.
    """

    title: str
    account: str
    amount_fen: int
    state: Literal["open", "complete", "expired"]
    expires_at: datetime
    method: str
    card: str
    problem: str | None
    pay_href: str
    back_href: str
    cards: tuple[TestCard, ...]
