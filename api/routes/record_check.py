"""Anybody checks a receipt, or looks an entry up by its id. No sign-in, no script; what is uploaded is neither kept nor logged."""

import json
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Query, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile

import merchants
from api.access import Doors, Fields
from api.door import language_of
from api.pages.entries import read_count
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.views import Amounts, ReceiptCheck
from api.pages.views.public import CheckedEntry, CheckedReceipt, CheckStep
from market.kit.clock import get_zone, now
from market.kit.database import transaction
from market.oversight.published import find_published
from market.oversight.queries import find_entry
from market.record.entries import AMOUNTS, entry_hash
from market.record.publishing.batched import find_batch, prove_in_batch
from market.record.publishing.served import find_policy, list_log_keys, list_promise_keys, prove_entry
from market.record.receipts import (
    MOST_BYTES,
    Keys,
    Receipt,
    ReceiptMalformedError,
    Verdict,
    parse_receipt,
    verify_receipt,
)

doors = Doors(include_in_schema=False)

EntryId = Annotated[str, Query(pattern="^([0-9a-f]{32})?$")]


@doors.get("/record/check")
def check_page(request: Request, entry: EntryId = "") -> Response:
    """The form, and what stands in the record under `entry`. The link of a receipt's QR ends in the hash, which the browser compares."""
    with transaction() as tx:
        found = _find_published(tx, entry) if entry else None
        view = ReceiptCheck(asked=entry, entry=found, receipt=None, error=None, vkeys=_list_vkeys(tx))
    return render(request, "record_check.html", view)


@doors.post("/record/check")
def check_receipt(request: Request, fields: Fields) -> Response:
    """Check a receipt file that was uploaded or pasted. Where it has no proof yet and its entry is published, that proof is taken."""
    language = language_of(request)
    try:
        receipt = parse_receipt(_read_upload(fields))
    except ReceiptMalformedError as refusal:
        return _answer(request, error=refusal)
    with transaction() as tx:
        receipt = _complete(tx, receipt)
        keys = Keys(tuple(list_log_keys(tx)), tuple(list_promise_keys(tx)))
    verdict = verify_receipt(receipt, keys=keys, at=now().astimezone(get_zone()))
    return _answer(request, receipt=_show(receipt, verdict, language))


def _answer(
    request: Request, *, receipt: CheckedReceipt | None = None, error: ReceiptMalformedError | None = None
) -> Response:
    """The page with what became of an upload."""
    with transaction() as tx:
        vkeys = _list_vkeys(tx)
    said = error.sentence(language_of(request)) if error else None
    view = ReceiptCheck(asked="", entry=None, receipt=receipt, error=said, vkeys=vkeys)
    return render(request, "record_check.html", view, status=error.status if error else 200)


def _read_upload(fields: FormData) -> bytes:
    """The bytes of the file, else of what was pasted, without the white space that came with it."""
    file, text = fields.get("file"), fields.get("text")
    if isinstance(file, UploadFile) and file.size:
        return file.file.read(MOST_BYTES + 1)
    return text.strip().encode(errors="replace") if isinstance(text, str) else b""


def _complete(tx: Session, receipt: Receipt) -> Receipt:
    """The receipt with the proof of its entry, where it was given out before that was published; only of the very entry inside."""
    entry = find_entry(tx, public_id=receipt.public_id) if receipt.proof is None and receipt.public_id else None
    if entry is None or entry.body != receipt.entry:
        return receipt
    if (batch := find_batch(tx, entry=entry)) is not None:
        return replace(receipt, proof=prove_entry(tx, leaf_index=batch.leaf_index), batch=prove_in_batch(tx, batch))
    return receipt if entry.leaf_index is None else replace(receipt, proof=prove_entry(tx, leaf_index=entry.leaf_index))


def _find_published(tx: Session, public_id: str) -> CheckedEntry | None:
    """What is published under an id, or the batch that holds it. What still waits is as unknown as what does not exist.

    The id of a purchase in a batch stands nowhere in public: who has it has the receipt, or made the sale.
    """
    entry = find_entry(tx, public_id=public_id)
    batch = None if entry is None else find_batch(tx, entry=entry)
    found = find_published(tx, public_id=public_id if batch is None else batch.entry.public_id)
    if entry is None or found is None:
        return None
    said: dict[str, Any] = json.loads(found.body)
    names = merchants.find_merchants(tx, codes=[found.merchant]) if found.merchant else {}
    amounts = Amounts(**{f"{name}_fen": said[name] for name in AMOUNTS}) if "paid" in said else None
    return CheckedEntry(
        public_id=found.public_id,
        entry_hash=entry_hash(entry.body).hex(),
        number=found.leaf_index + 1,
        kind=found.kind,
        on=found.day,
        merchant=names[found.merchant].name if found.merchant in names else found.merchant,
        amounts=amounts,
        count=read_count(said, found.kind),
        is_inside=batch is not None,
    )


def _list_vkeys(tx: Session) -> tuple[str, ...]:
    policy = find_policy(tx)
    return (policy.log.text, policy.promise.text) if policy else ()


def _show(receipt: Receipt, verdict: Verdict, language: Language) -> CheckedReceipt:
    is_english = language == "en"
    return CheckedReceipt(
        outcome=verdict.outcome,
        sentence=verdict.en if is_english else verdict.zh,
        steps=tuple(
            CheckStep(field=step.field, state=step.state.value, sentence=step.en if is_english else step.zh)
            for step in verdict.steps
        ),
        public_id=receipt.public_id,
    )
