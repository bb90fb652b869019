"""The calls of the dialect: which address does what, with which parameters, once for each idempotency key."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from market.payments.sandbox import books
from market.payments.sandbox.books import Found, shown
from market.payments.sandbox.dialect import Params, RefusalError, check_names, missing
from market.payments.sandbox.store import get_object

COMMON = {"metadata", "expand", "description"}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, read: `account` is '' for the platform itself."""

    method: str
    path: str
    account: str
    key: str | None
    params: Params
    pay_page: str
    at: datetime


Doing = Callable[[Connection, Call, Mapping[str, str]], Found]


@dataclass(frozen=True)
class Route:
    """An address and what it does; `names` are the parameters it knows."""

    method: str
    path: re.Pattern[str]
    names: frozenset[str]
    do: Doing


def answer(tx: Connection, call: Call) -> tuple[int, Found]:
    """Status and JSON. The same key again gets the first answer; with other parameters it is refused. Errors are not kept."""
    for route in ROUTES:
        found = route.path.fullmatch(call.path)
        if found and route.method == call.method:
            check_names(call.params, route.names | COMMON)
            repeated = _begin(tx, call)
            if repeated is not None:
                return repeated
            done = route.do(tx, call, found.groupdict())
            status, body = _status(done)
            _keep(tx, call, status, body)
            return status, body
    raise RefusalError(f"Unrecognized request URL ({call.method}: {call.path}).", status=404)


def _status(done: Found) -> tuple[int, Found]:
    """A try to pay by card that was declined is kept, and answered as an error with the intent in it."""
    error = done.get("last_payment_error") if done.get("object") == "payment_intent" else None
    if error and done["status"] == "requires_payment_method" and done.get("_tried"):
        return 402, {"error": error | {"payment_intent": shown(done)}}
    return 200, shown(done)


def _begin(tx: Connection, call: Call) -> tuple[int, Found] | None:
    """Claim the key; whoever comes second waits here until the first is done."""
    if call.method != "POST" or call.key is None:
        return None
    asked = json.dumps([call.path, call.params], sort_keys=True)
    names = {"account": call.account, "key": call.key, "asked": asked}
    claim = "INSERT INTO sandbox.call (account, key, asked) VALUES (:account, :key, :asked) ON CONFLICT DO NOTHING"
    if tx.execute(text(claim), names).rowcount:
        return None
    first = tx.execute(
        text("SELECT asked, answer FROM sandbox.call WHERE account = :account AND key = :key"), names
    ).one()
    if first.asked != asked:
        raise RefusalError(
            "Keys for idempotent requests can only be used with the same parameters they were first used with.",
            kind="idempotency_error",
        )
    return first.answer["status"], first.answer["body"]


def _keep(tx: Connection, call: Call, status: int, body: Found) -> None:
    if call.method == "POST" and call.key is not None:
        tx.execute(
            text("UPDATE sandbox.call SET answer = :answer WHERE account = :account AND key = :key"),
            {"answer": json.dumps({"status": status, "body": body}), "account": call.account, "key": call.key},
        )


def _get(kind: str) -> Doing:
    def get(tx: Connection, call: Call, at: Mapping[str, str]) -> Found:
        return _expanded(tx, call, get_object(tx, call.account, kind, at["id"]))

    return get


def _expanded(tx: Connection, call: Call, found: Found) -> Found:
    """The objects that were asked for in place of their ids, one level deep."""
    wanted = call.params.get("expand") or {}
    for name in wanted.values() if isinstance(wanted, Mapping) else ():
        if name == "payment_intent" and found.get(name):
            found[name] = get_object(tx, call.account, "payment_intent", found[name])
        elif name == "latest_charge" and found.get(name):
            found[name] = get_object(tx, call.account, "charge", found[name])
    return found


def _get_account(tx: Connection, call: Call, at: Mapping[str, str]) -> Found:
    if not at["id"].startswith("acct_"):
        raise missing("account", at["id"])
    try:
        return get_object(tx, "", "account", at["id"])
    except RefusalError:
        return books.make_account(at["id"], {}, at=call.at)


def _line_items(tx: Connection, call: Call, at: Mapping[str, str]) -> Found:
    session = get_object(tx, call.account, "checkout.session", at["id"])
    return {"object": "list", "data": session["_lines"], "has_more": False, "url": call.path}


def _get_event(tx: Connection, call: Call, at: Mapping[str, str]) -> Found:
    found = tx.scalar(
        text("SELECT body FROM sandbox.event WHERE id = :id AND account = :account"),
        {"id": at["id"], "account": call.account},
    )
    if found is None:
        raise missing("event", at["id"])
    return dict(json.loads(found))


def _list_events(tx: Connection, call: Call, _at: Mapping[str, str]) -> Found:
    found = tx.execute(
        text("SELECT body FROM sandbox.event WHERE account = :account ORDER BY number DESC LIMIT 100"),
        {"account": call.account},
    )
    return {"object": "list", "data": [json.loads(body) for (body,) in found], "has_more": False, "url": call.path}


def _balance(_tx: Connection, _call: Call, _at: Mapping[str, str]) -> Found:
    return {"object": "balance", "available": [{"amount": 0, "currency": "cny"}], "pending": [], "livemode": False}


def _confirm(tx: Connection, call: Call, at: Mapping[str, str]) -> Found:
    return books.confirm_intent(tx, call.account, at["id"], call.params, at=call.at) | {"_tried": True}


def _intent(tx: Connection, call: Call, _at: Mapping[str, str]) -> Found:
    tried = call.params.get("confirm") == "true"
    return books.add_intent(tx, call.account, call.params, at=call.at) | ({"_tried": True} if tried else {})


def _route(method: str, path: str, names: str, do: Doing) -> Route:
    return Route(method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[A-Za-z0-9_]+)", path)), frozenset(names.split()), do)


ROUTES = (
    _route(
        "POST",
        "/v1/checkout/sessions",
        "mode client_reference_id line_items payment_method_options payment_intent_data expires_at success_url cancel_url"
        " payment_method_types currency locale",
        lambda tx, call, _: books.add_session(tx, call.account, call.params, pay_page=call.pay_page, at=call.at),
    ),
    _route("GET", "/v1/checkout/sessions/{id}", "", _get("checkout.session")),
    _route("GET", "/v1/checkout/sessions/{id}/line_items", "limit", _line_items),
    _route(
        "POST",
        "/v1/checkout/sessions/{id}/expire",
        "",
        lambda tx, call, at: books.expire_session(tx, call.account, at["id"], at=call.at),
    ),
    _route(
        "POST",
        "/v1/payment_intents",
        "amount currency capture_method confirm payment_method payment_method_types transfer_group return_url",
        _intent,
    ),
    _route("GET", "/v1/payment_intents/{id}", "", _get("payment_intent")),
    _route("POST", "/v1/payment_intents/{id}/confirm", "payment_method return_url", _confirm),
    _route(
        "POST",
        "/v1/payment_intents/{id}/capture",
        "amount_to_capture",
        lambda tx, call, at: books.capture_intent(tx, call.account, at["id"], call.params, at=call.at),
    ),
    _route(
        "POST",
        "/v1/payment_intents/{id}/cancel",
        "cancellation_reason",
        lambda tx, call, at: books.cancel_intent(tx, call.account, at["id"], at=call.at),
    ),
    _route(
        "POST",
        "/v1/refunds",
        "payment_intent amount reason",
        lambda tx, call, _: books.add_refund(tx, call.account, call.params, at=call.at),
    ),
    _route("GET", "/v1/refunds/{id}", "", _get("refund")),
    _route("GET", "/v1/charges/{id}", "", _get("charge")),
    _route(
        "POST",
        "/v1/transfers",
        "amount currency destination transfer_group source_transaction",
        lambda tx, call, _: books.add_transfer(tx, call.params, at=call.at),
    ),
    _route("GET", "/v1/transfers/{id}", "", _get("transfer")),
    _route(
        "POST",
        "/v1/transfers/{id}/reversals",
        "amount",
        lambda tx, call, at: books.add_reversal(tx, at["id"], call.params, at=call.at),
    ),
    _route(
        "POST", "/v1/accounts", "type country email", lambda tx, call, _: books.add_account(tx, call.params, at=call.at)
    ),
    _route("GET", "/v1/accounts/{id}", "", _get_account),
    _route("GET", "/v1/balance", "", _balance),
    _route("GET", "/v1/events", "limit", _list_events),
    _route("GET", "/v1/events/{id}", "", _get_event),
)
