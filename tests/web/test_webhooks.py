"""The webhook's door: signed is kept, anything else is refused and nothing of it stays."""

import json
import time

import pytest
from starlette.testclient import TestClient

from market.kit.database import transaction
from market.kit.settings import DEMO_STRIPE_SECRET
from market.payments.inbox import list_events
from market.payments.sandbox.clock import sign

RAW = b'{"id":"evt_1","type":"x","livemode":false,"data":{"object":{}}}'


def post(client: TestClient, raw: bytes = RAW, secret: str = DEMO_STRIPE_SECRET, **headers: str):
    signature = sign(raw, secret, seconds=int(time.time()))
    return client.post(
        "/webhooks/stripe",
        content=raw,
        headers={"stripe-signature": signature, "content-type": "application/json", **headers},
    )


def kept() -> list[str]:
    with transaction() as tx:
        return [event.event_id for event in list_events(tx)]


def test_a_signed_event_is_kept_once_without_session_or_form_token(client: TestClient) -> None:
    first, second = post(client), post(client)
    assert (first.status_code, first.json()) == (200, {"is_new": True})
    assert (second.status_code, second.json()) == (200, {"is_new": False})
    assert kept() == ["evt_1"]


def test_a_forged_event_is_refused_with_the_reason(client: TestClient) -> None:
    answer = post(client, secret="whsec_other")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] == "FORGED_EVENT"
    assert client.post("/webhooks/stripe", content=RAW).status_code == 400
    assert client.post("/webhooks/stripe", data={"a": "b"}).status_code == 400
    assert kept() == []


def test_the_body_is_taken_byte_by_byte_whatever_it_calls_itself(client: TestClient) -> None:
    raw = json.dumps(json.loads(RAW), indent=2).encode()
    assert post(client, raw, **{"content-type": "application/x-www-form-urlencoded"}).status_code == 200


def test_too_large_a_body_is_refused(client: TestClient) -> None:
    assert post(client, RAW + b" " * 1_000_001).status_code == 413


@pytest.mark.parametrize("origin", ["https://evil.example"])
def test_a_browser_of_another_site_is_turned_away(client: TestClient, origin: str) -> None:
    assert post(client, origin=origin).status_code == 403


def test_it_cannot_be_read(client: TestClient) -> None:
    assert client.get("/webhooks/stripe").status_code == 405
