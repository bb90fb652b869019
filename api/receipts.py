"""Promises and receipts of sales: made on demand from what is stored, the same bytes every time, after the sale has been committed.

The commitment keys of persons lie with the cards, the entries with the market: here they meet.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from api.price_replay import read_keys
from api.public_log import keep_promise_key
from market.kit.database import transaction
from market.kit.errors import ConflictError, unreachable
from market.kit.settings import Settings
from market.offers.queries import list_entries_of
from market.oversight.queries import find_entry
from market.record.entries import entry_hash
from market.record.models import Entry
from market.record.policy import Policy
from market.record.promises import Promise, sign_promise
from market.record.publishing.batched import find_batch, prove_in_batch
from market.record.publishing.keyring import KeyFileError
from market.record.publishing.served import find_policy_at, get_signer, prove_entries
from market.record.receipts import OfferInside, Receipt, make_receipt
from market.sales.documents import read_candidates
from market.sales.queries import get_person_documents

log = structlog.get_logger("huigong.receipts")


class ReceiptFileEarlyError(ConflictError):
    """There is no log that a receipt could be proved against."""

    code = "RECEIPT_FILE_EARLY"
    zh = "公开台账还没有开启，现在没有能核对的小票文件。请等工会开启以后再下载。"
    en = "The public record is not open yet, so there is no receipt file to check. Download it once the union has opened it."


class ReceiptDamagedError(ConflictError):
    """What is stored of a receipt cannot be read any more."""

    code = "RECEIPT_DAMAGED"
    zh = "这张小票存着的“{field}”坏了，现在做不出能核对的文件。请告诉工会；以前下载的文件照样有效。"
    en = "What is stored of this receipt is damaged ({field}): no file can be made of it. Tell the union; one downloaded before still holds."


@dataclass(frozen=True, slots=True)
class Due:
    """What an entry is promised, still unsigned, and the policy that promises it."""

    policy: Policy
    promise: Promise


@dataclass(frozen=True, slots=True)
class Promised:
    """A signed promise as it is handed out, and the instant by which it is to be kept."""

    note: str
    by: datetime


def find_due(tx: Session, *, entry: Entry) -> Due | None:
    """What the policy in force when an entry was written promises for it; None while no log is open."""
    found = find_policy_at(tx, at=entry.created_at)
    if found is None:
        return None
    policy, since = found
    # What was written before there was a log is promised from its opening on.
    known_at = max(entry.created_at, since)
    by = policy.batch_promised_by(entry.day, known_at) if entry.is_batched else policy.promised_by(entry.type, known_at)
    return Due(policy, Promise(policy.origin, entry_hash(entry.body), by))


def sign_due(settings: Settings, due: Due | None) -> Promised | None:
    """The signed promise; None where no log is open or the key cannot be read, which is logged. Hold no lock meanwhile."""
    if due is None:
        return None
    try:
        key = keep_promise_key(settings, due.policy)
    except KeyFileError as error:
        log.warning("no promise can be signed", problem=str(error))
        return None
    return Promised(sign_promise(due.promise, key).decode(), due.promise.by)


def find_promise(settings: Settings, *, public_id: str) -> Promised | None:
    """The signed promise of a sale that is committed; None as `sign_due` has it."""
    with transaction() as tx:
        due = find_due(tx, entry=get_sale_entry(tx, public_id=public_id))
    return sign_due(settings, due)


def get_receipt(settings: Settings, *, subject: UUID, public_id: str, leave_out: Collection[str] = ()) -> Receipt:
    """The receipt of a sale that this person made. Raises NotFoundError, also for another's, ReceiptFileEarlyError, ReceiptDamagedError.

    Documents named in `leave_out` stay out; with the facts go the terms of the offers, which would tell what they were.
    """
    with transaction() as tx:
        documents = get_person_documents(tx, subject=subject, public_id=public_id)
        entry = get_sale_entry(tx, public_id=public_id)
        _check_readable({**documents, "entry": entry.body})
        due = find_due(tx, entry=entry)
        if due is None:
            raise ReceiptFileEarlyError
        terms = {} if "facts" in leave_out else list_entries_of(tx, versions=_read_versions(documents["facts"]))
        batch = find_batch(tx, entry=entry)
        place = entry.leaf_index if batch is None else batch.leaf_index
        proofs = prove_entries(tx, leaf_indexes=[*([] if place is None else [place]), *terms])
        inside = None if batch is None else prove_in_batch(tx, batch)
        checkpoint = next((proof.checkpoint for proof in proofs.values()), None)
        signer = get_signer(tx, checkpoint)
        if signer.name != due.policy.origin:  # a log that succeeds another one, before it has signed for the first time
            signer, proofs = due.policy.log, {}
        key = read_keys(tx.connection(), [subject]).get(subject)
    promised = sign_due(settings, due)
    return make_receipt(
        log=signer,
        promise_key=due.policy.promise,
        public_id=public_id,
        entry=entry.body,
        promise=None if promised is None else promised.note.encode(),
        documents={name: body for name, body in documents.items() if name not in leave_out},
        commit_key=key,
        offers=[OfferInside(terms[index], proof) for index, proof in proofs.items() if index in terms],
        proof=None if place is None else proofs.get(place),
        batch=inside,
    )


def _check_readable(stored: Mapping[str, bytes]) -> None:
    """Refuse (ReceiptDamagedError) the first of these documents that is no JSON in UTF-8."""
    for field, body in stored.items():
        try:
            json.loads(body.decode())
        except ValueError:
            raise ReceiptDamagedError(field=field) from None


def _read_versions(facts: bytes) -> list[tuple[str, int]]:
    try:
        return read_candidates(facts)
    except (LookupError, TypeError):
        raise ReceiptDamagedError(field="facts") from None


def get_sale_entry(tx: Session, *, public_id: str) -> Entry:
    """The public entry of a sale that is there."""
    entry = find_entry(tx, public_id=public_id)
    return entry or unreachable("a sale and its public entry are written together")
