"""A payment provider that keeps its promises, in memory: what a gateway answers, what people pay, events as signed bytes.

An honest fake of the port: ids are made of our references, so that a process that was killed and its successor see the same provider.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from market.payments.gateway import (
    CheckoutFacts,
    CheckoutRequest,
    ForgedEventError,
    Notice,
    ProviderDownError,
    ProviderRefusedError,
    RefundFacts,
    TransferFacts,
)

SIGNATURE = "signed by the provider"


@dataclass
class Provider:
    """`is_down` makes every call fail before it has an effect. Money is counted by intent, in fen."""

    is_down: bool = False
    checkouts: dict[str, CheckoutFacts] = field(default_factory=dict)
    refunds: dict[str, RefundFacts] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    livemode: bool = False

    def __deepcopy__(self, memo: object) -> "Provider":
        return replace(self, checkouts=dict(self.checkouts), refunds=dict(self.refunds), lock=threading.Lock())

    # --- the port -----------------------------------------------------------------------------------------------------

    def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutFacts:
        with self._call():
            made = CheckoutFacts(
                checkout_id=f"cs_{request.payment_id}",
                reference=str(request.payment_id),
                account=request.account,
                livemode=False,
                status="open",
                amount_fen=request.amount_fen,
                currency=request.currency,
                intent_id=None,
                url=f"https://pay.example/{request.payment_id}",
            )
            return self.checkouts.setdefault(made.checkout_id, made)

    def fetch(self, checkout_id: str, *, account: str) -> CheckoutFacts:
        with self._call():
            return self.checkouts[checkout_id]

    def cancel(self, checkout_id: str, *, account: str) -> None:
        with self._call():
            if self.checkouts[checkout_id].status != "open":
                raise ProviderRefusedError(reason="not_open")
            self.checkouts[checkout_id] = replace(self.checkouts[checkout_id], status="closed")

    def capture(self, intent_id: str, *, account: str, amount_fen: int, key: str) -> None:
        raise ProviderRefusedError(reason="captured")

    def refund(self, intent_id: str, *, account: str, amount_fen: int, reference: UUID, key: str) -> RefundFacts:
        with self._call():
            paid = next(facts for facts in self.checkouts.values() if facts.intent_id == intent_id)
            made = RefundFacts(
                provider_id=f"re_{reference}",
                reference=str(reference),
                account=account,
                livemode=False,
                status="pending",
                amount_fen=amount_fen,
                currency="cny",
                intent_id=intent_id,
            )
            if made.provider_id not in self.refunds and amount_fen > paid.amount_fen - self._back(intent_id):
                raise ProviderRefusedError(reason="charge_already_refunded")
            return self.refunds.setdefault(made.provider_id, made)

    def fetch_refund(self, provider_id: str, *, account: str) -> RefundFacts:
        with self._call():
            return self.refunds[provider_id]

    def transfer(self, *, account: str, amount_fen: int, currency: str, group: str, key: str) -> TransferFacts:
        raise ProviderRefusedError(reason="no_transfers_here")

    def reverse(self, transfer_id: str, *, amount_fen: int, key: str) -> TransferFacts:
        raise ProviderRefusedError(reason="no_transfers_here")

    def parse_event(self, raw: bytes, signature: str) -> Notice:
        if signature != SIGNATURE:
            raise ForgedEventError
        return self.read_event(raw)

    def read_event(self, raw: bytes) -> Notice:
        said = json.loads(raw)
        kind: Any = RefundFacts if said["type"] == "refund" else CheckoutFacts
        about = kind(**said["about"])
        return Notice(event_id=said["id"], type=said["type"], account=about.account, livemode=False, about=about)

    # --- what people do there -----------------------------------------------------------------------------------------

    def pay(self, payment_id: UUID) -> bytes | None:
        """Somebody pays at the checkout: the event that tells of it; None where it is not open (any more)."""
        with self.lock:
            checkout_id = f"cs_{payment_id}"
            facts = self.checkouts.get(checkout_id)
            if facts is None or facts.status == "closed":
                return None
            paid = replace(facts, status="paid", intent_id=f"pi_{payment_id}")
            self.checkouts[checkout_id] = paid
            return write_event("checkout", paid)

    def remember(self, payment_id: UUID, *, account: str, amount_fen: int) -> CheckoutFacts:
        """A payment that was made here, now or in an earlier life of this process."""
        with self.lock:
            paid = CheckoutFacts(
                checkout_id=f"cs_{payment_id}",
                reference=str(payment_id),
                account=account,
                livemode=False,
                status="paid",
                amount_fen=amount_fen,
                currency="cny",
                intent_id=f"pi_{payment_id}",
                url=None,
            )
            self.checkouts[paid.checkout_id] = paid
            return paid

    def settle_refunds(self) -> list[bytes]:
        """Every refund is carried out: the events that tell of it."""
        with self.lock:
            self.refunds = {id_: replace(facts, status="done") for id_, facts in self.refunds.items()}
            return [write_event("refund", facts) for facts in self.refunds.values()]

    def back_fen(self, payment_id: UUID) -> int:
        """What went back of a payment."""
        with self.lock:
            return self._back(f"pi_{payment_id}")

    def _back(self, intent_id: str) -> int:
        return sum(facts.amount_fen for facts in self.refunds.values() if facts.intent_id == intent_id)

    def _call(self) -> threading.Lock:
        if self.is_down:
            raise ProviderDownError
        return self.lock


def write_event(kind: str, about: CheckoutFacts | RefundFacts, **changes: object) -> bytes:
    """An event as the provider sends it; `changes` are what a forger writes."""
    said: Mapping[str, object] = {"id": f"evt_{uuid4()}", "type": kind, "about": {**_dict(about), **changes}}
    return json.dumps(said).encode()


def _dict(facts: CheckoutFacts | RefundFacts) -> dict[str, object]:
    return {name: getattr(facts, name) for name in facts.__dataclass_fields__}
