"""A receipt whose entry is published in a batch: it comes back byte for byte, its two steps hold, and other forms are refused."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import rfc8785

from market.kit.canonical import canonical_json
from market.record.batches import batch_entry
from market.record.entries import entry_hash
from market.record.log.checkpoints import Checkpoint, sign_checkpoint
from market.record.log.proofs import prove_inclusion
from market.record.log.tree import hash_ranges_of, root_of
from market.record.receipts import BatchInside, Receipt, ReceiptMalformedError, parse_receipt, verify_receipt
from tests.unit.market.record import noodles

OWN = noodles.make(published=False)
COUNT = 6


def in_batch(place: int) -> Receipt:
    """The noodle shop's sale at this place of a batch of six, which is the second entry of its log."""
    others = [canonical_json({**json.loads(OWN.entry), "id": f"{n:032x}"}) for n in range(COUNT - 1)]
    bodies = [*others[:place], OWN.entry, *others[place:]]
    body = batch_entry(public_id="b" * 32, day=date(2026, 12, 2), merchant="m_0042", of="sale", bodies=bodies)
    path = prove_inclusion(place, COUNT, hash_ranges_of([entry_hash(one) for one in bodies]))
    leaves = [entry_hash(b'{"type":"policy"}'), entry_hash(body)]
    checkpoint = sign_checkpoint(Checkpoint(noodles.ORIGIN, 2, root_of(leaves)), noodles.LOG).note.encode()
    return replace(OWN, offers=(), batch=BatchInside(body, place, path), proof=noodles.prove(1, leaves, checkpoint))


WHOLE = in_batch(3)


@pytest.mark.parametrize("place", range(COUNT))
def test_it_holds_in_two_steps_wherever_it_stands(place: int) -> None:
    receipt = in_batch(place)
    verdict = verify_receipt(parse_receipt(receipt.encode()), keys=noodles.KEYS, at=noodles.AT)
    assert verdict.outcome == "proved"
    assert "one of the 6 purchases of the batch that is entry 2" in verdict.en
    assert "第 2 条那一批" in verdict.zh
    assert {"batch.path", "proof"} <= {step.field for step in verdict.steps if step.state == "holds"}


def test_the_file_is_canonical_and_has_one_field_more() -> None:
    file = WHOLE.encode()
    assert rfc8785.dumps(json.loads(file)) == file
    assert parse_receipt(file).encode() == file
    assert set(json.loads(file)) == {*noodles.FILE_FIELDS, "batch"}
    assert json.loads(OWN.encode())["format"] == "huigong-receipt/1", "until it is published it looks like any other"


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"batch": None}, "batch"),
    ({"batch": {"entry": "x", "index": "0"}}, "path"),
    ({"batch": {"entry": "x", "index": "0", "path": [], "more": "y"}}, "more"),
    ({"batch": {"entry": "", "index": "0", "path": []}}, "batch.entry"),
    ({"batch": {"entry": "x", "index": "01", "path": []}}, "batch.index"),
    ({"batch": {"entry": "x", "index": "-1", "path": []}}, "batch.index"),
    ({"batch": {"entry": "x", "index": "0", "path": "AA"}}, "batch.path"),
    ({"batch": {"entry": "x", "index": "0", "path": ["AA=="]}}, "batch.path[0]"),
    ({"batch": {"entry": "x", "index": "0", "path": [None]}}, "batch.path[0]"),
    ({"batch": {"entry": "x", "index": "0", "path": ["A" * 43 + "="] * 64}}, "batch.path"),
    ({"proof": None}, "proof"),
    ({"format": "huigong-receipt/1"}, "batch"),
]


@pytest.mark.parametrize(("changes", "field"), MALFORMED)
def test_what_has_another_form_is_refused_by_the_fields_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ReceiptMalformedError) as refusal:
        parse_receipt(canonical_json({**json.loads(WHOLE.encode()), **changes}))
    assert refusal.value.facts["field"] == field


@pytest.mark.parametrize(
    "entry",
    [b"{}", b"[]", b"not json", b'{"type":"batch","of":"sale"}', b'{"type":"batch","of":"sale","root":7,"count":true}'],
)
def test_a_batch_that_is_none_is_said_and_breaks_nothing(entry: bytes) -> None:
    assert WHOLE.batch is not None
    receipt = replace(WHOLE, batch=replace(WHOLE.batch, entry=entry))
    assert verify_receipt(receipt, keys=noodles.KEYS, at=noodles.AT).outcome == "differs"
