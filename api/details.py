"""The file of a details export, made after its approval: the sales lie with the market, the keys of persons with the cards; here they meet.

Whoever was erased has no key, so his sales stay closed; the file and the page say how many.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy.orm import Session

from api.price_replay import read_keys
from market.kit.database import transaction
from market.kit.errors import unreachable
from market.offers.queries import list_entries_of
from market.oversight.details import (
    ChosenSale,
    end_file,
    keep_part,
    list_batches,
    list_subjects,
    lock_approved,
    read_sales,
    request_document,
)
from market.oversight.models import DetailsRequest
from market.record.details.keys import parse_auditor_key
from market.record.details.lines import (
    FORMAT,
    WITHOUT_BATCHES,
    BatchedLine,
    BatchLine,
    Head,
    Line,
    OfferLine,
    Opened,
    SaleLine,
    encode_head,
    encode_line,
    open_documents,
)
from market.record.details.sealing import seal
from market.record.models import Entry
from market.record.publishing.batched import BatchTree, read_batch_tree
from market.record.publishing.served import find_policy
from market.sales.documents import read_candidates


def build_details(*, request_id: UUID, at: datetime) -> None:
    """Make the file of an approved request; one that is made already stays. All or nothing: a process that dies leaves no part."""
    with transaction() as tx:
        request = lock_approved(tx, request_id=request_id)
        if request is None:
            return
        subjects = list_subjects(tx, request=request)
        keys = read_keys(tx.connection(), list(subjects))
        erased = sum(count for subject, count in subjects.items() if subject not in keys)
        digest, length = hashlib.sha256(), 0
        lines = _lines(tx, request, keys, erased)
        for number, part in enumerate(seal(parse_auditor_key(request.key), lines)):
            keep_part(tx, request=request, number=number, body=part)
            digest.update(part)
            length += len(part)
        end_file(tx, request=request, bytes_count=length, sha256=digest.digest(), erased_count=erased, at=at)


def _lines(tx: Session, request: DetailsRequest, keys: dict[UUID, bytes], erased: int) -> Iterator[bytes]:
    """The lines in the order of the log, in which an offer comes before the sales that it was a candidate of, and before their batch."""
    policy, access = find_policy(tx), tx.get(Entry, request.entry_id)
    if policy is None or access is None:
        unreachable("what is published has a log, and what is approved an entry")
    yield encode_head(
        Head(
            origin=policy.origin,
            access=access.public_id,
            request=Opened(request.salt, request_document(request)),
            size=request.size,
            sales_count=request.sales_count,
            erased_count=erased,
            format=WITHOUT_BATCHES if request.batched_count is None else FORMAT,
        )
    )
    versions = {
        version
        for sale in read_sales(tx, request=request)
        if sale.subject in keys
        for version in read_candidates(sale.facts)
    }
    terms = list_entries_of(tx, versions=versions)
    offers = [OfferLine(index, body) for index, body in terms.items() if index < request.size]
    offers.reverse()
    batches = list_batches(tx, request=request)
    for batch_id, sales in groupby(read_sales(tx, request=request), key=lambda sale: sale.batch):
        tree = None if batch_id is None else read_batch_tree(tx, batch_id=batch_id)
        for number, sale in enumerate(sales):
            while offers and offers[-1].index < sale.leaf_index:
                yield encode_line(offers.pop())
            if batch_id is not None and number == 0:
                batch = batches[batch_id]
                yield encode_line(BatchLine(sale.leaf_index, batch.public_id, batch.sales_count))
            if sale.subject in keys:
                yield encode_line(_open(sale, tree, commit_key=keys[sale.subject]))
    yield from map(encode_line, reversed(offers))


def _open(sale: ChosenSale, tree: BatchTree | None, *, commit_key: bytes) -> Line:
    documents = open_documents(sale.public_id, {"basket": sale.basket, "facts": sale.facts}, commit_key=commit_key)
    if tree is None:
        return SaleLine(sale.leaf_index, sale.public_id, documents)
    return BatchedLine(sale.leaf_index, sale.batch_index, tree.prove(sale.batch_index), sale.entry, documents)
