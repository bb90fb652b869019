"""Events: signed or refused, stored once, in any order and number to the same end; what disagrees with our row changes nothing."""

import itertools
import json
import time
from typing import Any

import pytest
from sqlalchemy import text

from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import NotFoundError
from market.payments.gateway import ForgedEventError
from market.payments.inbox import list_events, receive_event, replay_event, work_event
from market.payments.operations import refund_payment
from market.payments.sandbox.clock import sign
from tests.db.payments.conftest import SECRET, Shop


def sent(shop: Shop, *types: str) -> list[bytes]:
    """What the sandbox wrote, of these kinds, in its order."""
    with shop.engine.connect() as tx:
        asked = text("SELECT body FROM sandbox.event WHERE type = ANY(:types) ORDER BY number")
        return [body.encode() for (body,) in tx.execute(asked, {"types": list(types)})]


def post(shop: Shop, raw: bytes, *, secret: str = SECRET, seconds: int | None = None) -> bool:
    signature = sign(raw, secret, seconds=int(time.time()) if seconds is None else seconds)
    return receive_event(shop.gateway, raw=raw, signature=signature, at=now())


def changed(raw: bytes, *, id_: str = "evt_other", about: dict[str, Any] | None = None, **event: Any) -> bytes:
    """The same event with something else in it, as if it had been signed so."""
    body = json.loads(raw)
    body |= {"id": id_, **event}
    body["data"]["object"] |= about or {}
    return json.dumps(body).encode()


@pytest.fixture
def paid_unheard(shop: Shop) -> Any:
    """Paid at the provider, and every event kept back."""
    shop.turn(lose_percent=100)
    payment_id = shop.begin()
    shop.visit(payment_id)
    return payment_id


def test_an_event_is_stored_once_and_enqueued_with_it(shop: Shop, paid_unheard: Any) -> None:
    (raw,) = sent(shop, "checkout.session.completed")
    assert [post(shop, raw), post(shop, raw)] == [True, False]
    with transaction() as tx:
        (event,) = list_events(tx)
        assert bytes(event.payload) == raw
        asked = text("SELECT args FROM jobs.procrastinate_jobs WHERE task_name = 'payments.work_event'")
        assert tx.execute(asked).scalars().all() == [{"event_id": event.event_id}]
    shop.work()
    assert shop.payment(paid_unheard).state == "paid"


@pytest.mark.parametrize("seconds", [-301, -86_400])
def test_an_old_signature_is_refused(shop: Shop, paid_unheard: Any, seconds: int) -> None:
    (raw,) = sent(shop, "checkout.session.completed")
    with pytest.raises(ForgedEventError):
        post(shop, raw, seconds=int(time.time()) + seconds)
    with transaction() as tx:
        assert list_events(tx) == []


@pytest.mark.parametrize(
    "signature", ["", "t=1", "v1=abc", "t=now,v1=abc", "t=1,v1=", "nonsense", "t=" + "9" * 30 + ",v1=00"]
)
def test_nonsense_for_a_signature_is_refused(shop: Shop, signature: str) -> None:
    with pytest.raises(ForgedEventError):
        receive_event(shop.gateway, raw=b"{}", signature=signature, at=now())


def test_a_body_that_was_touched_is_refused(shop: Shop, paid_unheard: Any) -> None:
    (raw,) = sent(shop, "checkout.session.completed")
    signature = sign(raw, SECRET, seconds=int(time.time()))
    for touched in (raw.replace(b"23900", b"23901"), raw + b" ", raw.decode().upper().encode()):
        with pytest.raises(ForgedEventError):
            receive_event(shop.gateway, raw=touched, signature=signature, at=now())
    with pytest.raises(ForgedEventError):
        post(shop, raw, secret="whsec_of_somebody_else")


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{}", b"\xff\xfe", b'{"id":1,"livemode":false,"type":"x"}'])
def test_a_signed_body_that_is_no_event_is_refused(shop: Shop, raw: bytes) -> None:
    mac = sign(raw, SECRET, seconds=int(time.time()))
    with pytest.raises(ForgedEventError):
        receive_event(shop.gateway, raw=raw, signature=mac, at=now())


@pytest.mark.parametrize(
    ("problem", "about", "event"),
    [
        ("amount", {"amount_total": 1}, {}),
        ("currency", {"currency": "usd"}, {}),
        ("account", {}, {"account": "acct_of_somebody_else"}),
        ("account", {}, {"account": None}),
        ("livemode", {"livemode": True}, {"livemode": True}),
        ("checkout", {"id": "cs_test_other"}, {}),
        ("reference", {"client_reference_id": None}, {}),
        ("intent", {"payment_intent": None}, {}),
    ],
)
def test_what_disagrees_with_our_row_is_kept_and_changes_nothing(
    shop: Shop, paid_unheard: Any, problem: str, about: dict[str, Any], event: dict[str, Any]
) -> None:
    (raw,) = sent(shop, "checkout.session.completed")
    post(shop, changed(raw, about=about, **event))
    shop.work()
    assert shop.payment(paid_unheard).state == "open"
    assert shop.told == []
    with transaction() as tx:
        (kept,) = list_events(tx, outcome="mismatch")
        assert (kept.problem, kept.payment_id) == (problem, paid_unheard)
    post(shop, raw)  # the right one still counts
    shop.work()
    assert shop.payment(paid_unheard).state == "paid"


def test_another_intent_than_the_known_one_is_a_mismatch(shop: Shop) -> None:
    payment_id = shop.paid()
    (raw,) = sent(shop, "checkout.session.completed")
    post(shop, changed(raw, about={"payment_intent": "pi_other"}))
    shop.work()
    assert shop.outcomes("checkout.session.completed") == ["applied", "mismatch"]
    assert shop.told == [("paid", payment_id)]


def test_events_of_others_and_of_other_kinds_are_kept_and_move_nothing(shop: Shop, paid_unheard: Any) -> None:
    (raw,) = sent(shop, "checkout.session.completed")
    other = {"client_reference_id": "not ours", "id": "cs_test_other"}
    post(shop, changed(raw, id_="evt_1", about=other))
    post(shop, changed(raw, id_="evt_2", type="customer.created"))
    shop.work()
    with transaction() as tx:
        assert {event.event_id: event.outcome for event in list_events(tx)} == {"evt_1": "foreign", "evt_2": "ignored"}
    assert shop.payment(paid_unheard).state == "open"


def test_the_live_mode_of_an_event_and_of_what_it_is_about_must_agree(shop: Shop, paid_unheard: Any) -> None:
    (raw,) = sent(shop, "checkout.session.completed")
    with pytest.raises(ForgedEventError):
        post(shop, changed(raw, livemode=True))


def test_any_order_and_number_leads_to_the_same_end(shop: Shop) -> None:
    """Paid and refunded in two parts at the provider, with all events held back, then told in every order, each twice."""
    shop.turn(lose_percent=100)
    payment_id = shop.begin()
    shop.visit(payment_id, "card")
    with transaction() as tx:  # two checkouts' worth of orders: our side stands where it stood before anything was told
        assert list_events(tx) == []
    (completed,) = sent(shop, "checkout.session.completed")
    expired = changed(
        completed,
        id_="evt_late",
        type="checkout.session.expired",
        about={"status": "expired", "payment_status": "unpaid", "payment_intent": None},
    )
    post(shop, completed)
    shop.work()
    for number, fen in enumerate((3_900, 5_000)):
        refund_payment(
            shop.gateway, payment_id=payment_id, amount_fen=fen, key=f"r{number}", listener=shop.listener, at=now()
        )
    told = [*sent(shop, "refund.created", "refund.updated"), expired]
    assert len(told) == 3
    for turn, order in enumerate(itertools.permutations([*told, told[0]])):
        for place, raw in enumerate(order):
            post(shop, changed(raw, id_=f"evt_{turn}_{place}"))
        shop.work()
    payment = shop.payment(payment_id)
    assert (payment.state, payment.refunded_fen, payment.asked_back_fen) == ("refunded_part", 8_900, 8_900)
    assert [word for word, _ in shop.told] == ["paid", "refunded", "refunded"]


def test_a_payment_that_failed_first_and_was_paid_after_all_is_paid(shop: Shop, paid_unheard: Any) -> None:
    (completed,) = sent(shop, "checkout.session.completed")
    post(
        shop,
        changed(
            completed, id_="evt_0", type="checkout.session.async_payment_failed", about={"payment_status": "unpaid"}
        ),
    )
    shop.work()
    assert shop.payment(paid_unheard).state == "failed"
    post(shop, completed)
    shop.work()
    assert [word for word, _ in shop.told] == ["closed", "paid"]


def test_duplicated_delayed_and_reordered_events_arrive_and_count_once(shop: Shop) -> None:
    shop.turn(duplicate_percent=100, delay_ms=300, reorder=1)
    payments = [shop.begin(1_000 + number) for number in range(6)]
    for payment_id in payments:
        shop.visit(payment_id, "alipay")
    shop.settle()
    for payment_id in payments:
        refund_payment(
            shop.gateway, payment_id=payment_id, amount_fen=500, key=str(payment_id), listener=shop.listener, at=now()
        )
    shop.settle()
    assert {shop.payment(payment_id).state for payment_id in payments} == {"refunded_part"}
    assert sorted(word for word, _ in shop.told) == ["paid"] * 6 + ["refunded"] * 6


def test_a_receiver_that_was_down_is_told_again(shop: Shop, webhook: Any) -> None:
    gateway = webhook[1].pop()  # its handler now breaks off
    webhook[1].append(shop.gateway.__class__(client=gateway.client, secret="wrong", livemode=False))
    payment_id = shop.begin()
    shop.visit(payment_id)
    time.sleep(0.5)
    with transaction() as tx:
        assert list_events(tx) == []
    webhook[1][0] = gateway
    shop.settle()
    assert shop.payment(payment_id).state == "paid"


def test_an_event_for_a_checkout_we_did_not_store_finds_its_payment(shop: Shop, paid_unheard: Any) -> None:
    """We died between the provider's answer and our row: the event comes first."""
    with transaction() as tx:
        tx.execute(text("ALTER TABLE payment DISABLE TRIGGER ALL"))
        tx.execute(text("UPDATE payment SET state = 'created', checkout_id = NULL, checkout_url = NULL"))
        tx.execute(text("ALTER TABLE payment ENABLE TRIGGER ALL"))
    post(shop, sent(shop, "checkout.session.completed")[0])
    shop.work()
    assert shop.payment(paid_unheard).state == "paid"


def test_a_replay_changes_nothing_and_an_unworked_event_can_be_worked_by_hand(shop: Shop, paid_unheard: Any) -> None:
    (raw,) = sent(shop, "checkout.session.completed")
    post(shop, raw)
    event_id = json.loads(raw)["id"]

    def again(how: Any) -> str:
        return str(how(shop.gateway, event_id=event_id, listener=shop.listener, at=now()))

    assert [again(replay_event), again(work_event), again(replay_event)] == ["applied", "applied", "unchanged"]
    with transaction() as tx:
        (event,) = list_events(tx, outcome="applied")
        assert event.works == 2
    assert shop.told == [("paid", paid_unheard)]
    with pytest.raises(NotFoundError):
        work_event(shop.gateway, event_id="evt_none", listener=shop.listener, at=now())


def test_a_listener_that_fails_leaves_payment_and_event_as_they_were(shop: Shop, paid_unheard: Any) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    post(shop, sent(shop, "checkout.session.completed")[0])
    shop.on_paid = fail
    with pytest.raises(RuntimeError):
        shop.work()
    assert shop.payment(paid_unheard).state == "open"
    shop.on_paid = None
    shop.work()
    assert shop.payment(paid_unheard).state == "paid"
