"""The page where one pays, as values: what it shows, and what its form does. How it looks is the renderer's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import compare_digest
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from sqlalchemy import Connection, text

from market.payments.sandbox.books import GOOD_CARDS, METHODS, close_session, pay_session

Trouble: TypeAlias = Literal["generic_decline", "insufficient_funds", "incorrect_number", "choose"]


@dataclass(frozen=True, kw_only=True)
class PayPage:
    """One checkout: what is bought for how many fen, and how it stands. `problem` is why the last try did not go through."""

    session_id: str
    title: str
    account: str
    amount_fen: int
    state: Literal["open", "complete", "expired"]
    expires_at: datetime
    method: str
    card: str
    problem: Trouble | None
    form_token: str
    back_url: str

    @property
    def origin(self) -> str:
        """Scheme, host and port of the shop, to which the form leads in the end."""
        url = urlsplit(self.back_url)
        return f"{url.scheme}://{url.netloc}"


def show(tx: Connection, id_: str, *, at: datetime) -> PayPage | None:
    """The page of a checkout; None if there is none."""
    found = _lock(tx, id_, at=at)
    return None if found is None else _page(*found)


def pay(tx: Connection, id_: str, fields: Mapping[str, str], *, at: datetime) -> PayPage | str | None:
    """Try to pay; where to go on once it is paid, else the page with what was wrong.

    A form without the page's own token changes nothing, and neither does one for a checkout that is paid or over.
    """
    found = _lock(tx, id_, at=at)
    if found is None:
        return None
    account, session = found
    method, card = fields.get("method", ""), fields.get("card", "")
    is_ours = compare_digest(fields.get("csrf_token", "").encode(), session["_form_token"].encode())
    if session["status"] != "open" or not is_ours:
        return _page(account, session)
    if method not in METHODS:
        return _page(account, session, problem="choose")
    intent = pay_session(tx, account, session, method=method, card=card, at=at)
    if intent["status"] == "succeeded":
        return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", id_)
    return _page(account, session, method=method, card=card, problem=intent["last_payment_error"]["decline_code"])


def _lock(tx: Connection, id_: str, *, at: datetime) -> tuple[str, dict[str, Any]] | None:
    """The checkout, expired if its time is over."""
    asked = "SELECT account, body FROM sandbox.object WHERE id = :id AND kind = 'checkout.session' FOR UPDATE"
    found = tx.execute(text(asked), {"id": id_}).one_or_none()
    if found is None:
        return None
    account, session = found.account, dict(found.body)
    if session["status"] == "open" and session["expires_at"] <= at.timestamp():
        close_session(tx, account, session, at=at)
    return account, session


def _page(
    account: str,
    session: Mapping[str, Any],
    *,
    method: str = METHODS[0],
    card: str = GOOD_CARDS[0],
    problem: Trouble | None = None,
) -> PayPage:
    lines = session["_lines"]
    return PayPage(
        session_id=session["id"],
        title=lines[0]["description"],
        account=account,
        amount_fen=session["amount_total"],
        state=session["status"],
        expires_at=datetime.fromtimestamp(session["expires_at"], tz=UTC),
        method=method,
        card=card,
        problem=problem,
        form_token=session["_form_token"],
        back_url=session["cancel_url"] if session["status"] != "complete" else session["success_url"],
    )
