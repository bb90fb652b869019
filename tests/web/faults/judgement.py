"""What must be true once all has settled, asked of our tables and of the provider's books by themselves; no code of the sales is used."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from tests.web.faults.buyers import Known

UNREST = {
    "events on their way": "SELECT count(*) FROM sandbox.event WHERE due IS NOT NULL",
    "refunds that end soon": "SELECT count(*) FROM sandbox.object WHERE kind = 'refund' AND due IS NOT NULL",
    "events not worked": "SELECT count(*) FROM payment_event WHERE worked_at IS NULL",
    "refunds not done": "SELECT count(*) FROM payment_refund WHERE state IN ('asked', 'pending')",
    "payments that wait": "SELECT count(*) FROM payment WHERE state IN ('created', 'open')",
    "orders that wait": "SELECT count(*) FROM member_order WHERE state = 'placed'",
    "jobs": "SELECT count(*) FROM jobs.procrastinate_jobs WHERE status IN ('todo', 'doing')"
    " AND task_name IN ('payments.work_event', 'payments.send_refund')",
}


def list_unrest(tx: Connection) -> dict[str, int]:
    """What still moves, by name."""
    return {name: found for name, asked in UNREST.items() if (found := int(tx.execute(text(asked)).scalar_one()))}


def judge(tx: Connection, knows: Mapping[str, Known]) -> list[str]:
    """Everything that is not as it must be, each in a sentence."""
    orders = {row["id"]: row for row in _rows(tx, ORDERS)}
    payments = {str(row["id"]): row for row in _rows(tx, "SELECT * FROM payment")}
    charges = _told(tx, "charge")
    refunds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for refund in _told(tx, "refund"):
        refunds[refund["charge"]].append(refund)
    taken: dict[Any, list[dict[str, Any]]] = defaultdict(list)  # captured charges by order
    wrongs: list[str] = []
    for charge in charges:
        payment = payments.get(charge["metadata"].get("payment_id", ""))
        if payment is None or payment["purpose_id"] not in orders:
            wrongs.append(f"charge {charge['id']} belongs to no order")
            continue
        order = orders[payment["purpose_id"]]
        taken[order["id"]].append(charge)
        wrongs += _judge_charge(charge, payment, order, refunds[charge["id"]], _returned_fen(tx, order))
    for order in orders.values():
        wrongs += _judge_order(order, taken[order["id"]], knows.get(order["number"]))
    wrongs += _judge_refunds(tx, [refund for told in refunds.values() for refund in told])
    open_pages = [told["id"] for told in _told(tx, "checkout.session") if told["status"] == "open"]
    wrongs += [f"{page} is open: somebody may pay for nothing" for page in open_pages]
    wrongs += [f"event {row['event_id']}: {row['problem'] or row['outcome']}" for row in _rows(tx, STRANGE_EVENTS)]
    return wrongs


ORDERS = "SELECT o.*, (SELECT sum(qty) FROM order_line l WHERE l.order_id = o.id) AS pieces FROM member_order o ORDER BY o.id"
STRANGE_EVENTS = "SELECT event_id, outcome, problem FROM payment_event WHERE outcome IN ('mismatch', 'foreign')"


def _judge_charge(
    charge: Mapping[str, Any],
    payment: Mapping[str, Any],
    order: Mapping[str, Any],
    refunds: Sequence[Mapping[str, Any]],
    returned_fen: int,
) -> Iterator[str]:
    """Money that was taken is one sold order, less what was returned of it, or went back whole at once."""
    name = f"charge {charge['id']} for order {order['number']}"
    back_fen = sum(refund["amount"] for refund in refunds if refund["status"] == "succeeded")
    if not (charge["amount_captured"] == charge["amount"] == payment["amount_fen"] == order["paid_fen"]):
        yield f"{name}: {charge['amount_captured']} fen taken, {order['paid_fen']} due"
    if back_fen != charge["amount_refunded"] or any(refund["status"] != "succeeded" for refund in refunds):
        yield f"{name}: {[(refund['amount'], refund['status']) for refund in refunds]} went back"
    if order["sale_id"] is not None and order["payment_id"] == payment["id"]:
        if back_fen != returned_fen:
            yield f"{name}: {back_fen} fen went back, {returned_fen} fen were returned"
    elif back_fen != charge["amount_captured"] or len(refunds) != 1:
        yield f"{name}, which it did not pay: {back_fen} of {charge['amount_captured']} fen back in {len(refunds)} parts"


def _judge_order(order: Mapping[str, Any], charges: Sequence[Mapping[str, Any]], known: Known | None) -> Iterator[str]:
    """A sold order has its one payment, and the order ends as whoever bought it was told."""
    number, state = order["number"], order["state"]
    is_sold = order["sale_id"] is not None
    allowed = {"paid", "partly_returned", "returned"} if is_sold else {"cancelled"}
    if state not in allowed:
        yield f"order {number} is {state}, {'sold' if is_sold else 'not sold'}"
    if is_sold and order["paid_fen"] and not charges:
        yield f"order {number} is sold and nobody paid"
    if known is None or known.is_called_off is None:  # nobody waited for the answer
        return
    if known.is_called_off:
        right = {"cancelled", "returned"}
    elif known.returned is None:
        right = {"paid", "partly_returned", "returned"}
    elif known.returned:
        right = {"paid", "partly_returned"} if order["pieces"] > known.returned else {"returned"}
    elif known.is_paid is None or (known.is_paid and known.is_late):
        right = {"paid", "cancelled"}
    elif known.is_paid or not order["paid_fen"]:
        right = {"paid"}
    else:
        right = {"cancelled"}
    if state not in right:
        yield f"order {number} is {state}, its buyer knows {known}"


def _judge_refunds(tx: Connection, refunds: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Our refunds and the provider's are the same, one for one."""
    ours = Counter(
        (str(row["id"]), row["amount_fen"], row["state"]) for row in _rows(tx, "SELECT * FROM payment_refund")
    )
    theirs = Counter((told["metadata"].get("refund_id"), told["amount"], "done") for told in refunds)
    for id_, amount_fen, state in (ours - theirs).keys() | (theirs - ours).keys():
        yield f"refund {id_} of {amount_fen} fen, {state}: ours and the provider's differ"
    for id_, times in Counter(told["metadata"].get("refund_id") for told in refunds).items():
        if times > 1:
            yield f"refund {id_} was made {times} times"


def _returned_fen(tx: Connection, order: Mapping[str, Any]) -> int:
    """What the returns of a sale gave back to whoever paid."""
    asked = text("SELECT coalesce(sum(paid_fen), 0) FROM reversal WHERE sale_id = :sale")
    return int(tx.execute(asked, {"sale": order["sale_id"]}).scalar_one())


def _rows(tx: Connection, asked: str) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.execute(text(asked)).mappings()]


def _told(tx: Connection, kind: str) -> list[dict[str, Any]]:
    """The provider's own books: every object of a kind; of charges those that took money."""
    rows = tx.execute(text("SELECT body FROM sandbox.object WHERE kind = :kind ORDER BY id"), {"kind": kind})
    return [dict(row.body) for row in rows if kind != "charge" or row.body["paid"]]
