"""Where the payment provider tells what happened. Its signature over the raw body is all that counts; no session, no form."""

from fastapi import Request
from pydantic import BaseModel

from api.access import Doors, Raw
from api.payments import get_gateway
from market.kit.clock import now
from market.payments.inbox import receive_event

doors = Doors(tags=["machine"])


class Received(BaseModel):
    """The event is kept; `is_new` is false for one that was here before."""

    is_new: bool


@doors.post("/webhooks/stripe", responses={400: {"description": "not signed by the provider, or too long ago"}})
def receive_stripe_event(request: Request, raw: Raw) -> Received:
    """Keep a signed event; a job works it off. 200 means kept, so the provider need not send it again."""
    signature = request.headers.get("stripe-signature", "")
    return Received(is_new=receive_event(get_gateway(), raw=raw, signature=signature, at=now()))
