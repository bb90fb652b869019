"""What can be done at the sandbox, one function each: it locks, refuses as Stripe would, changes, and writes the events."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from secrets import randbelow, token_hex
from typing import Any

from sqlalchemy import Connection

from market.payments.sandbox.dialect import (
    Params,
    RefusalError,
    get_table,
    get_text,
    get_whole,
    new_name,
)
from market.payments.sandbox.store import add_event, add_object, change_object, get_knobs, get_object

Found = dict[str, Any]
DECLINES = {
    "4000000000000002": ("generic_decline", "Your card was declined."),
    "4000000000009995": ("insufficient_funds", "Your card has insufficient funds."),
}
GOOD_CARDS = ("4242424242424242", "6200000000000005")
METHODS = ("wechat_pay", "alipay", "card")
PM_CARDS = {
    "pm_card_visa": GOOD_CARDS[0],
    "pm_card_unionpay": GOOD_CARDS[1],
    "pm_card_chargeDeclined": "4000000000000002",
}
SHORTEST, LONGEST = timedelta(minutes=30), timedelta(hours=24)


def add_account(tx: Connection, params: Params, *, at: datetime) -> Found:
    """A merchant's account at the sandbox. Any other `acct_…` that is named is there too, as if it had been connected."""
    return add_object(tx, "", make_account(new_name("acct"), params, at=at))


def make_account(id_: str, params: Params, *, at: datetime) -> Found:
    """What an account looks like."""
    return {
        "id": id_,
        "object": "account",
        "type": params.get("type", "standard"),
        "country": params.get("country", "CN"),
        "default_currency": "cny",
        "email": params.get("email"),
        "charges_enabled": True,
        "payouts_enabled": True,
        "details_submitted": True,
        "metadata": get_table(params, "metadata"),
        "created": _seconds(at),
    }


# --- checkout ---------------------------------------------------------------------------------------------------------


def add_session(tx: Connection, account: str, params: Params, *, pay_page: str, at: datetime) -> Found:
    """A checkout. Its intent comes with the first try to pay."""
    if get_text(params, "mode") != "payment":
        raise RefusalError("The sandbox knows mode=payment only.", param="mode")
    success = get_text(params, "success_url")
    lines = [_line(line) for line in get_table(params, "line_items").values()]
    if not lines:
        raise RefusalError("Missing required param: line_items.", code="parameter_missing", param="line_items")
    until = datetime.fromtimestamp(get_whole(params, "expires_at", otherwise=_seconds(at + LONGEST)), tz=at.tzinfo)
    if not SHORTEST <= until - at.replace(microsecond=0) <= LONGEST:
        raise RefusalError(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", param="expires_at"
        )
    id_ = f"cs_test_{token_hex(24)}"
    session = {
        "id": id_,
        "object": "checkout.session",
        "mode": "payment",
        "status": "open",
        "payment_status": "unpaid",
        "amount_subtotal": sum(line["amount_total"] for line in lines),
        "amount_total": sum(line["amount_total"] for line in lines),
        "currency": lines[0]["currency"],
        "client_reference_id": params.get("client_reference_id"),
        "metadata": get_table(params, "metadata"),
        "payment_intent": None,
        "payment_method_types": list(METHODS),
        "success_url": success,
        "cancel_url": params.get("cancel_url") or success,
        "url": f"{pay_page}/pay/{id_}",
        "livemode": False,
        "created": _seconds(at),
        "expires_at": _seconds(until),
        # kept beside, not answered
        "_lines": lines,
        "_intent_metadata": get_table(get_table(params, "payment_intent_data"), "metadata"),
        "_form_token": token_hex(16),
    }
    return add_object(tx, account, session, due=until)


def expire_session(tx: Connection, account: str, id_: str, *, at: datetime) -> Found:
    """Close it. Only an open one can be."""
    session = get_object(tx, account, "checkout.session", id_)
    if session["status"] != "open":
        raise RefusalError(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {session["status"]}.',
            code="checkout_session_not_open",
        )
    return close_session(tx, account, session, at=at)


def close_session(tx: Connection, account: str, session: Found, *, at: datetime) -> Found:
    """An open session expires, by hand or by the clock."""
    session |= {"status": "expired", "url": None}
    change_object(tx, session)
    if session["payment_intent"]:
        intent = get_object(tx, account, "payment_intent", session["payment_intent"])
        _cancel(tx, account, intent, at=at)
    add_event(tx, account, "checkout.session.expired", shown(session), at=at)
    return session


def pay_session(tx: Connection, account: str, session: Found, *, method: str, card: str, at: datetime) -> Found:
    """Try to pay a locked open session; the intent, whose `last_payment_error` tells of a card that was declined."""
    if session["payment_intent"] is None:
        intent = _make_intent(session["amount_total"], session["currency"], session["_intent_metadata"], at=at)
        add_object(tx, account, intent)
        session["payment_intent"] = intent["id"]
        change_object(tx, session, due=datetime.fromtimestamp(session["expires_at"], tz=at.tzinfo))
    intent = get_object(tx, account, "payment_intent", session["payment_intent"])
    _charge(tx, account, intent, method=method, card=card, at=at)
    if intent["status"] == "succeeded":
        session |= {"status": "complete", "payment_status": "paid", "url": None}
        change_object(tx, session)
        add_event(tx, account, "checkout.session.completed", shown(session), at=at)
    return intent


# --- intents ----------------------------------------------------------------------------------------------------------


def add_intent(tx: Connection, account: str, params: Params, *, at: datetime) -> Found:
    """An intent by itself, confirmed at once if asked."""
    manual = params.get("capture_method") == "manual"
    intent = _make_intent(
        get_whole(params, "amount"), get_text(params, "currency"), get_table(params, "metadata"), at=at, manual=manual
    )
    add_object(tx, account, intent)
    add_event(tx, account, "payment_intent.created", intent, at=at)
    if params.get("confirm") == "true":
        return confirm_intent(tx, account, intent["id"], params, at=at)
    return intent


def confirm_intent(tx: Connection, account: str, id_: str, params: Params, *, at: datetime) -> Found:
    """Pay it with one of the named test cards."""
    intent = get_object(tx, account, "payment_intent", id_)
    _want(intent, "requires_payment_method", "requires_confirmation", doing="confirm")
    name = get_text(params, "payment_method")
    if name not in PM_CARDS:
        raise RefusalError(f"No such PaymentMethod: '{name}'", code="resource_missing", param="payment_method")
    return _charge(tx, account, intent, method="card", card=PM_CARDS[name], at=at)


def capture_intent(tx: Connection, account: str, id_: str, params: Params, *, at: datetime) -> Found:
    """Take what was authorised, or less."""
    intent = get_object(tx, account, "payment_intent", id_)
    _want(intent, "requires_capture", doing="capture")
    amount = get_whole(params, "amount_to_capture", otherwise=intent["amount"])
    if amount > intent["amount_capturable"]:
        raise RefusalError("The amount to capture is larger than the authorized amount.", code="amount_too_large")
    charge = get_object(tx, account, "charge", intent["latest_charge"])
    change_object(tx, charge | {"captured": True, "amount_captured": amount})
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    add_event(tx, account, "payment_intent.succeeded", intent, at=at)
    return change_object(tx, intent)


def cancel_intent(tx: Connection, account: str, id_: str, *, at: datetime) -> Found:
    """Give it up; what was paid is refunded instead."""
    intent = get_object(tx, account, "payment_intent", id_)
    _want(intent, "requires_payment_method", "requires_confirmation", "requires_capture", doing="cancel")
    return _cancel(tx, account, intent, at=at)


# --- money back, money on -----------------------------------------------------------------------------------------------


def add_refund(tx: Connection, account: str, params: Params, *, at: datetime) -> Found:
    """Send back what is left or less. A card's is done at once, a wallet's a moment later."""
    intent = get_object(tx, account, "payment_intent", get_text(params, "payment_intent"))
    if intent["status"] != "succeeded":
        raise RefusalError("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    charge = get_object(tx, account, "charge", intent["latest_charge"])
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise RefusalError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = get_whole(params, "amount", otherwise=left)
    if amount > left:
        raise RefusalError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    wallet = charge["payment_method_details"]["type"] != "card"
    refund = {
        "id": new_name("re"),
        "object": "refund",
        "amount": amount,
        "currency": charge["currency"],
        "charge": charge["id"],
        "payment_intent": intent["id"],
        "status": "pending" if wallet else "succeeded",
        "reason": params.get("reason"),
        "metadata": get_table(params, "metadata"),
        "created": _seconds(at),
    }
    settles = timedelta(milliseconds=get_knobs(tx).settle_refund_ms)
    add_object(tx, account, refund, due=at + settles if wallet else None)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    change_object(tx, charge)
    add_event(tx, account, "refund.created", refund, at=at)
    add_event(tx, account, "charge.refunded", charge, at=at)
    return refund


def settle_refund(tx: Connection, account: str, refund: Found, *, at: datetime) -> None:
    """A pending refund ends, well or, by the knob, not."""
    failed = randbelow(100) < get_knobs(tx).fail_refund_percent
    change_object(tx, refund | {"status": "failed" if failed else "succeeded"})
    if failed:
        charge = get_object(tx, account, "charge", refund["charge"])
        change_object(tx, charge | {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False})
    shown_now = refund | {"status": "failed" if failed else "succeeded"}
    add_event(tx, account, "refund.failed" if failed else "refund.updated", shown_now, at=at)


def add_transfer(tx: Connection, params: Params, *, at: datetime) -> Found:
    """From the platform's balance, of which the sandbox always has enough, to an account."""
    transfer = {
        "id": new_name("tr"),
        "object": "transfer",
        "amount": get_whole(params, "amount"),
        "amount_reversed": 0,
        "currency": get_text(params, "currency"),
        "destination": get_text(params, "destination"),
        "transfer_group": params.get("transfer_group"),
        "source_transaction": params.get("source_transaction"),
        "reversed": False,
        "livemode": False,
        "metadata": get_table(params, "metadata"),
        "created": _seconds(at),
    }
    add_event(tx, "", "transfer.created", transfer, at=at)
    return add_object(tx, "", transfer)


def add_reversal(tx: Connection, id_: str, params: Params, *, at: datetime) -> Found:
    """Take a transfer back, never more than it was."""
    transfer = get_object(tx, "", "transfer", id_)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = get_whole(params, "amount", otherwise=max(left, 1))
    if amount > left:
        raise RefusalError(f"Reversal amount ({amount}) is greater than unreversed amount ({left})", param="amount")
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    change_object(tx, transfer)
    add_event(tx, "", "transfer.reversed", transfer, at=at)
    reversal = {
        "id": new_name("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "currency": transfer["currency"],
        "transfer": id_,
        "metadata": get_table(params, "metadata"),
        "created": _seconds(at),
    }
    return add_object(tx, "", reversal)


def shown(found: Found) -> Found:
    """An object as it is answered: without what is kept beside it."""
    return {name: value for name, value in found.items() if not name.startswith("_")}


# --- parts --------------------------------------------------------------------------------------------------------------


def _line(line: Mapping[str, Any]) -> Found:
    price = get_table(line, "price_data")
    quantity = get_whole(line, "quantity", otherwise=1)
    return {
        "id": new_name("li"),
        "object": "item",
        "description": get_text(get_table(price, "product_data"), "name"),
        "quantity": quantity,
        "currency": get_text(price, "currency"),
        "amount_total": quantity * get_whole(price, "unit_amount"),
    }


def _make_intent(amount: int, currency: str, metadata: Found, *, at: datetime, manual: bool = False) -> Found:
    id_ = new_name("pi")
    return {
        "id": id_,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "currency": currency,
        "status": "requires_payment_method",
        "capture_method": "manual" if manual else "automatic",
        "client_secret": f"{id_}_secret_{token_hex(12)}",
        "latest_charge": None,
        "last_payment_error": None,
        "payment_method_types": list(METHODS),
        "metadata": metadata,
        "livemode": False,
        "created": _seconds(at),
    }


def _charge(tx: Connection, account: str, intent: Found, *, method: str, card: str, at: datetime) -> Found:
    """Try to take the money of a locked intent; a decline is kept and told as an event too."""
    number = "".join(letter for letter in card if letter.isdigit())
    decline = DECLINES.get(number) if method == "card" else None
    if method == "card" and decline is None and number not in GOOD_CARDS:
        decline = ("incorrect_number", "Your card number is incorrect.")
    manual = intent["capture_method"] == "manual"
    charge = {
        "id": new_name("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0 if decline or manual else intent["amount"],
        "amount_refunded": 0,
        "captured": not (decline or manual),
        "currency": intent["currency"],
        "payment_intent": intent["id"],
        "payment_method_details": {"type": method} | ({"card": {"last4": number[-4:]}} if method == "card" else {}),
        "paid": decline is None,
        "refunded": False,
        "status": "failed" if decline else "succeeded",
        "metadata": intent["metadata"],
        "livemode": False,
        "created": _seconds(at),
    }
    add_object(tx, account, charge)
    intent["latest_charge"] = charge["id"]
    if decline:
        intent["last_payment_error"] = {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": decline[0],
            "message": decline[1],
        }
        change_object(tx, intent)
        add_event(tx, account, "charge.failed", charge, at=at)
        add_event(tx, account, "payment_intent.payment_failed", intent, at=at)
        return intent
    intent |= {"last_payment_error": None, "status": "requires_capture" if manual else "succeeded"}
    intent |= {"amount_capturable" if manual else "amount_received": intent["amount"]}
    change_object(tx, intent)
    add_event(tx, account, "charge.succeeded", charge, at=at)
    add_event(
        tx, account, "payment_intent.amount_capturable_updated" if manual else "payment_intent.succeeded", intent, at=at
    )
    return intent


def _cancel(tx: Connection, account: str, intent: Found, *, at: datetime) -> Found:
    intent |= {"status": "canceled", "amount_capturable": 0, "canceled_at": _seconds(at)}
    add_event(tx, account, "payment_intent.canceled", intent, at=at)
    return change_object(tx, intent)


def _want(intent: Found, *states: str, doing: str) -> None:
    if intent["status"] not in states:
        raise RefusalError(
            f"You cannot {doing} this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
