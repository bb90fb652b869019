"""Invariants of payments hold in the database too, for whoever goes past the code."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.kit.clock import now
from market.kit.database import transaction
from market.kit.ids import new_id
from market.payments.models import Payment, PaymentEvent, PaymentRefund


@pytest.fixture
def payment_id(database: object) -> UUID:
    """Paid, nothing back."""
    id_, at = new_id(), now()
    with transaction() as tx:
        tx.add(
            Payment(
                id=id_,
                purpose_id=new_id(),
                merchant="m_0001",
                account="acct_1",
                title="x",
                amount_fen=1_000,
                livemode=False,
                state="paid",
                return_url="http://127.0.0.1/",
                checkout_id="cs_1",
                intent_id="pi_1",
                created_at=at,
                paid_at=at,
                expires_at=at + timedelta(minutes=15),
            )
        )
        tx.flush()
        tx.add(PaymentRefund(id=new_id(), payment_id=id_, key="r1", amount_fen=1, state="asked", asked_at=at))
        tx.add(PaymentEvent(event_id="evt_1", type="x", livemode=False, payload=b"{}", received_at=at))
    return id_


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("UPDATE payment SET asked_back_fen = 1001", "never_more_back_than_paid"),
        ("UPDATE payment SET refunded_fen = 1", "never_more_back_than_paid"),
        ("UPDATE payment SET asked_back_fen = 1, refunded_fen = 1", "state_tells_what_went_back"),
        ("UPDATE payment SET state = 'refunded'", "state_tells_what_went_back"),
        ("UPDATE payment SET state = 'lost'", "ck_payment"),
        ("UPDATE payment SET state = 'open'", "paid_when_paid"),
        ("UPDATE payment SET paid_at = NULL, state = 'open'", "is settled in that"),
        ("UPDATE payment SET paid_at = paid_at + interval '1 s'", "is settled in that"),
        ("UPDATE payment SET intent_id = 'pi_2'", "is settled in that"),
        ("UPDATE payment SET checkout_id = 'cs_2'", "is settled in that"),
        ("UPDATE payment SET amount_fen = 2000", "may change"),
        ("UPDATE payment SET account = 'acct_2'", "may change"),
        ("DELETE FROM payment", "is refused"),
        ("TRUNCATE payment CASCADE", "is refused"),
        ("UPDATE payment_refund SET amount_fen = 2", "may change"),
        ("UPDATE payment_refund SET state = 'done', ended_at = now()", "known_to_the_provider"),
        ("DELETE FROM payment_refund", "is refused"),
        ("UPDATE payment_event SET payload = ''", "may change"),
        ("UPDATE payment_event SET outcome = 'applied'", "outcome_when_worked"),
        ("UPDATE payment_event SET outcome = 'mismatch', worked_at = now()", "mismatch_says_why"),
        ("DELETE FROM payment_event", "is refused"),
    ],
)
def test_the_database_refuses(payment_id: UUID, statement: str, guard: str) -> None:
    with pytest.raises(DBAPIError, match=guard), transaction() as tx:
        tx.execute(text(statement))


def test_two_payments_of_a_purpose_do_not_wait_together(payment_id: UUID) -> None:
    copy = (
        "INSERT INTO payment (id, purpose_id, merchant, account, title, amount_fen, livemode, state, return_url,"
        " created_at, expires_at) SELECT gen_random_uuid(), purpose_id, merchant, account, title, amount_fen, livemode,"
        " 'created', return_url, created_at, expires_at FROM payment LIMIT 1"
    )
    with transaction() as tx:
        tx.execute(text(copy))
    with pytest.raises(DBAPIError, match="uq_payment_one_waiting"), transaction() as tx:
        tx.execute(text(copy))
