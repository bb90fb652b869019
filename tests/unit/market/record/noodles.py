"""A receipt as the noodle shop gives one, with its log of four entries in memory; everything is made by the code that makes the real ones."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from market.pricing import Candidate, Case, Line, Offer, quote
from market.record.entries import Amounts, PublicTransfer, commit_documents, entry_hash, offer_entry, sale_entry
from market.record.log.checkpoints import Checkpoint, sign_checkpoint
from market.record.log.keys import Kind, SignerKey, VerifierKey
from market.record.log.proof_files import ProofFile
from market.record.log.proofs import prove_inclusion
from market.record.log.tree import root_of
from market.record.promises import Promise, sign_promise
from market.record.receipts import Keys, OfferInside, Receipt, make_receipt
from market.sales.documents import basket_document, facts_document
from market.sales.redeem import list_documents

ORIGIN = "test.example/log"
LOG = SignerKey(ORIGIN, Kind.NOTE, bytes(32))
PROMISE = SignerKey(f"{ORIGIN}/promise", Kind.NOTE, bytes(range(32)))
OTHER = SignerKey(ORIGIN, Kind.NOTE, b"\x07" * 32)
COSIGNER = VerifierKey(ORIGIN, Kind.COSIGNATURE, LOG.verifier.public)
KEYS = Keys((LOG.verifier,), (PROMISE.verifier,))
COMMIT_KEY = bytes(range(1, 33))
SALE_ID = "8f1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f"
AT = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
FILE_FIELDS = ("documents", "entry", "format", "leaf", "log", "offers", "origin", "promise", "promise_key", "proof")
BY = AT + timedelta(minutes=2)
TERMS = (
    {
        "id": "NOODLE10",
        "version": 3,
        "stage": "line",
        "kind": "percent_off",
        "match": {"merchants": ["m_0042"]},
        "rate_bp": 1000,
    },
    {
        "id": "UNION1",
        "version": 1,
        "stage": "subsidy",
        "kind": "amount_off",
        "match": {"any": True},
        "amount": 100,
        "sponsor": "xg",
        "sponsor_share_bp": 10000,
        "budgets": ["budget:lunch"],
    },
)


def prove(index: int, leaves: Sequence[bytes], checkpoint: bytes) -> ProofFile:
    path = prove_inclusion(index, len(leaves), lambda start, end: root_of(leaves[start:end]))
    return ProofFile(index, path, checkpoint)


def make(
    *, published: bool = True, with_promise: bool = True, leave_out: tuple[str, ...] = (), by: datetime = BY
) -> Receipt:
    case = Case(
        now=AT,
        channel="shop",
        shop="s_0001",
        member={"units": ["xg"], "grade": "standard"},
        basket=(Line("1", "面", "m_0042", ("food",), 1600, 1), Line("2", "蛋", "m_0042", ("food",), 100, 2)),
        candidates=tuple(Candidate(Offer.from_json(terms), gate=None) for terms in TERMS),
        purses={"budget:lunch": 5000},
    )
    made = quote(case)
    documents = list_documents(
        subject=UUID(int=1), card_id=UUID(int=2), basket=basket_document(case), facts=facts_document(case, made, book=1)
    )
    entry = sale_entry(
        public_id=SALE_ID,
        day=date(2026, 12, 1),
        channel="shop",
        merchant="m_0042",
        tender="declared",
        amounts=Amounts(made.list_total, made.concession, made.sponsor_pays, made.payable),
        offers=[("NOODLE10", 3, made.concession)],
        transfers=[PublicTransfer("budget:lunch", "payable:m_0042", made.sponsor_pays)],
        commitments=commit_documents(documents, commit_key=COMMIT_KEY, public_id=SALE_ID),
    )
    offers = [
        offer_entry(public_id=f"{n:032x}", day=date(2026, 11, 1), terms=terms, limits={})
        for n, terms in enumerate(TERMS)
    ]
    entries = [b'{"type":"policy"}', *offers, entry]
    leaves = [entry_hash(body) for body in entries]
    checkpoint = sign_checkpoint(Checkpoint(ORIGIN, len(leaves), root_of(leaves)), LOG).note.encode()
    proofs = [prove(index, leaves, checkpoint) for index in range(len(leaves))]
    return make_receipt(
        log=LOG.verifier,
        promise_key=PROMISE.verifier,
        public_id=SALE_ID,
        entry=entry,
        promise=sign_promise(Promise(ORIGIN, leaves[-1], by), PROMISE) if with_promise else None,
        documents={name: body for name, body in documents.items() if name not in leave_out},
        commit_key=COMMIT_KEY,
        offers=[OfferInside(body, proof) for body, proof in zip(offers, proofs[1:3], strict=True)],
        proof=proofs[-1] if published else None,
    )
