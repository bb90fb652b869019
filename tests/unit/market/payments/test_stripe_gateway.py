"""The adapter against servers that misbehave: it retries, gives up in time, and says which kind of failure it was."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest

from market.payments import stripe_gateway
from market.payments.gateway import CheckoutFacts, PaymentGateway, ProviderDownError, ProviderRefusedError, RefundFacts
from market.payments.stripe_gateway import make_gateway

SESSION = {
    "id": "cs_1",
    "object": "checkout.session",
    "client_reference_id": "ref",
    "livemode": False,
    "amount_total": 5,
    "currency": "cny",
    "payment_intent": None,
    "url": None,
    "status": "open",
    "payment_status": "unpaid",
}


class Server:
    """Answers in turn what it was told to; the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[dict[str, str]] = []
        self.waits = 0.0

    def gateway(self) -> PaymentGateway:
        return make_gateway(key="sk_test_1", base=self.base, secret="whsec_1")

    base = ""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.asked.append({name.lower(): value for name, value in self.headers.items()})
            time.sleep(made.waits)
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body = made.answers[min(len(made.asked), len(made.answers)) - 1]
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    made.base = f"http://127.0.0.1:{http.server_port}"
    yield made
    http.shutdown()
    thread.join()
    http.server_close()


def error(code: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": code}}


def test_a_call_is_tried_three_times_with_the_same_key(server: Server) -> None:
    server.answers = [(503, {}), (500, {}), (200, SESSION)]
    found = server.gateway().fetch("cs_1", account="acct_1")
    assert (found.status, found.url, found.intent_id) == ("open", None, None)
    assert [asked["stripe-account"] for asked in server.asked] == ["acct_1"] * 3


def test_a_refund_carries_our_key_on_every_try(server: Server) -> None:
    server.answers = [(503, {})]
    with pytest.raises(ProviderDownError):
        server.gateway().refund("pi_1", account="acct_1", amount_fen=5, reference=UUID(int=1), key="refund:1")
    assert [asked["idempotency-key"] for asked in server.asked] == ["refund:1"] * 3


@pytest.mark.parametrize(
    ("status", "body", "raised"),
    [
        (400, error("amount_too_large"), ProviderRefusedError),
        (402, error("card_declined", "card_error"), ProviderRefusedError),
        (403, error("no"), ProviderRefusedError),
        (404, error("resource_missing"), ProviderRefusedError),
        (400, error("other", "idempotency_error"), ProviderRefusedError),
        (401, error("key"), ProviderDownError),
        (409, error("idempotency_key_in_use", "idempotency_error"), ProviderDownError),
        (409, error("lock_timeout"), ProviderDownError),
        (429, error("rate_limit"), ProviderDownError),
        (500, error("api", "api_error"), ProviderDownError),
        (502, b"<html>bad gateway</html>", ProviderDownError),
    ],
)
def test_an_error_is_for_good_or_to_be_tried_again(
    server: Server, status: int, body: Any, raised: type[Exception]
) -> None:
    server.answers = [(status, body)]
    with pytest.raises(raised):
        server.gateway().cancel("cs_1", account="acct_1")


def test_a_server_that_says_nothing_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_gateway, "TIMEOUT_SECONDS", (1, 0.2))
    monkeypatch.setattr(stripe_gateway, "RETRIES", 0)
    server.answers, server.waits = [(200, SESSION)], 3.0
    begun = time.monotonic()
    with pytest.raises(ProviderDownError):
        server.gateway().fetch("cs_1", account="acct_1")
    assert time.monotonic() - begun < 2.5


@pytest.mark.parametrize(
    ("session", "status"),
    [
        ({}, "open"),
        ({"status": "complete", "payment_status": "paid", "payment_intent": "pi_1"}, "paid"),
        ({"status": "expired"}, "closed"),
        ({"status": "complete", "payment_intent": {"id": "pi_1", "status": "processing"}}, "open"),
        ({"status": "complete", "payment_intent": {"id": "pi_1", "status": "canceled"}}, "closed"),
        ({"status": "complete", "payment_intent": {"id": "pi_1", "status": "requires_payment_method"}}, "closed"),
    ],
)
def test_a_session_is_open_paid_or_closed(server: Server, session: dict[str, Any], status: str) -> None:
    server.answers = [(200, SESSION | session)]
    assert server.gateway().fetch("cs_1", account="acct_1").status == status


def read(make: Callable[[], PaymentGateway], type_: str, about: dict[str, Any]) -> CheckoutFacts | RefundFacts | None:
    event = {"id": "evt_1", "type": type_, "livemode": False, "account": "acct_1", "data": {"object": about}}
    return make().read_event(json.dumps(event).encode()).about


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("succeeded", "done"),
        ("pending", "pending"),
        ("requires_action", "pending"),
        ("failed", "failed"),
        ("canceled", "failed"),
        (None, "pending"),
        ("something new", "pending"),
    ],
)
def test_a_refund_is_pending_done_or_failed(server: Server, said: str | None, status: str) -> None:
    refund = {
        "id": "re_1",
        "object": "refund",
        "amount": 5,
        "currency": "cny",
        "payment_intent": "pi_1",
        "status": said,
    }
    found = read(server.gateway, "refund.updated", refund)
    assert isinstance(found, RefundFacts)
    assert (found.status, found.reference) == (status, "")


def test_other_kinds_of_events_are_about_nothing(server: Server) -> None:
    assert read(server.gateway, "charge.refunded", {"id": "ch_1"}) is None
