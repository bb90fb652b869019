"""Receipts that prove themselves: a file with everything that checks one entry of the public record, and the check. Pure.

The form is that of docs/record.md. Nothing here asks a database, a clock or the operator.
"""

from market.record.receipts.checks import Keys, State, Step, Verdict, verify_receipt
from market.record.receipts.receipt import (
    DOCUMENTS,
    MOST_BYTES,
    BatchInside,
    Document,
    OfferInside,
    Receipt,
    ReceiptMalformedError,
    make_receipt,
    parse_receipt,
)

__all__ = [
    "DOCUMENTS",
    "MOST_BYTES",
    "BatchInside",
    "Document",
    "Keys",
    "OfferInside",
    "Receipt",
    "ReceiptMalformedError",
    "State",
    "Step",
    "Verdict",
    "make_receipt",
    "parse_receipt",
    "verify_receipt",
]
