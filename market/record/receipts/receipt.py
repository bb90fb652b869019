"""The receipt as a file: strictly canonical JSON (RFC 8785), so that one receipt is one sequence of bytes. Reading verifies nothing."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from market.kit.canonical import canonical_json
from market.kit.errors import InvalidError
from market.record.entries import entry_hash, get_salt
from market.record.log.errors import MalformedError
from market.record.log.keys import Kind, VerifierKey, parse_vkey
from market.record.log.proof_files import ProofFile, parse_proof_file
from market.record.log.texts import decode_hash, decode_number, encode_base64

FORMAT: Final = "huigong-receipt/1"
IN_BATCH: Final = "huigong-receipt/2"
"""The form of a receipt whose entry is published in a batch: it has one field more."""

MOST_BYTES: Final = 900_000
DOCUMENTS: Final = ("subject", "basket", "facts")
"""The private documents that an entry commits to."""

_ID: Final = re.compile(rb'"id":"([0-9a-f]{32})"')
_PART: Final = "receipt"
_MOST_OFFERS: Final = 1_000
_MOST_PATH: Final = 63
_FIELDS: Final = frozenset(
    {"format", "origin", "log", "promise_key", "entry", "leaf", "promise", "documents", "offers", "proof"}
)


class ReceiptMalformedError(InvalidError):
    """This is no receipt file: `field` names the part that is not as the format has it, `problem` says why."""

    code = "RECEIPT_MALFORMED"
    zh = "这不是一份原样的小票文件：“{field}”这一项格式不对（{problem}）。请重新下载，不要改动。"
    en = "This is no receipt file as it was given out: {field}: {problem}. Download it again and leave it unchanged."


@dataclass(frozen=True, slots=True)
class Document:
    """A private document, as the bytes that the entry commits to, and the salt that opens the commitment."""

    salt: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class OfferInside:
    """The public entry of an offer version that was a candidate, verbatim, and the proof that it is in the log."""

    entry: bytes
    proof: ProofFile


@dataclass(frozen=True, slots=True)
class BatchInside:
    """The public entry of the batch that a purchase is published in, verbatim; where below its root the purchase stands, and the path there."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt file says. `entry` is the entry verbatim, `leaf` its hash in the log or below a batch's root.

    `promise` is the signed note that came with the sale, None where none could be given; `proof` is there once the entry is published:
    of an entry that is published in a `batch` it is that of the batch.
    A document that was left out cannot be checked, and nothing else depends on it but the price.
    """

    origin: str
    log: VerifierKey
    promise_key: VerifierKey
    entry: bytes
    leaf: bytes
    promise: bytes | None
    documents: Mapping[str, Document] = field(default_factory=dict)
    offers: tuple[OfferInside, ...] = ()
    proof: ProofFile | None = None
    batch: BatchInside | None = None

    @property
    def public_id(self) -> str | None:
        """The public id that the entry says; None where it says none of ours."""
        found = _ID.search(self.entry)
        return found[1].decode() if found else None

    def encode(self) -> bytes:
        """The bytes of the file."""
        return canonical_json(
            {
                "format": IN_BATCH if self.batch else FORMAT,
                "origin": self.origin,
                "log": self.log.text,
                "promise_key": self.promise_key.text,
                "entry": self.entry.decode(),
                "leaf": encode_base64(self.leaf),
                "promise": None if self.promise is None else self.promise.decode(),
                "documents": {
                    name: {"salt": encode_base64(document.salt), "text": document.body.decode()}
                    for name, document in self.documents.items()
                },
                "offers": [{"entry": one.entry.decode(), "proof": one.proof.encode().decode()} for one in self.offers],
                "proof": None if self.proof is None else self.proof.encode().decode(),
                **({"batch": _write_batch(self.batch)} if self.batch else {}),
            }
        )


def make_receipt(
    *,
    log: VerifierKey,
    promise_key: VerifierKey,
    public_id: str,
    entry: bytes,
    promise: bytes | None,
    documents: Mapping[str, bytes],
    commit_key: bytes | None,
    offers: Sequence[OfferInside] = (),
    proof: ProofFile | None = None,
    batch: BatchInside | None = None,
) -> Receipt:
    """The receipt of an entry. `log` is the key that signed the checkpoint of its proofs, `promise_key` that of its promise.

    `documents` are those that are to be inside; without the person's key (erased) none can be opened.
    """
    salted = {} if commit_key is None else documents
    return Receipt(
        origin=log.name,
        log=log,
        promise_key=promise_key,
        entry=entry,
        leaf=entry_hash(entry),
        promise=promise,
        documents={name: Document(get_salt(commit_key or b"", name, public_id), body) for name, body in salted.items()},
        offers=tuple(offers) if "facts" in salted else (),
        proof=proof,
        batch=batch,
    )


def parse_receipt(data: bytes) -> Receipt:
    """Read a receipt file; no signature, hash or proof is verified by that. Raises ReceiptMalformedError naming the field."""
    if len(data) > MOST_BYTES:
        raise _malformed(_PART, f"a file of more than {MOST_BYTES} bytes is not read")
    whole = _load(data)
    in_batch = isinstance(whole, dict) and whole.get("format") == IN_BATCH
    found = _read_object(whole, _PART, _FIELDS | {"batch"} if in_batch else _FIELDS)
    texts = {
        name: _read_text(found[name], name) for name in ("format", "origin", "log", "promise_key", "entry", "leaf")
    }
    if texts["format"] not in {FORMAT, IN_BATCH}:
        raise _malformed("format", f"only {FORMAT} and {IN_BATCH} are known here")
    documents = {
        name: _read_document(value, f"documents.{name}")
        for name, value in _read_object(found["documents"], "documents", frozenset(DOCUMENTS), partly=True).items()
    }
    receipt = Receipt(
        origin=texts["origin"],
        log=_read_key(texts["log"], "log", name=texts["origin"]),
        promise_key=_read_key(texts["promise_key"], "promise_key", name=f"{texts['origin']}/promise"),
        entry=texts["entry"].encode(),
        leaf=_read_hash(texts["leaf"], "leaf"),
        promise=None if found["promise"] is None else _read_text(found["promise"], "promise").encode(),
        documents=documents,
        offers=_read_offers(found["offers"], with_facts="facts" in documents),
        proof=None if found["proof"] is None and not in_batch else _read_proof(found["proof"], "proof"),
        batch=_read_batch(found["batch"]) if in_batch else None,
    )
    _check_spelling(data, found)
    return receipt


def _load(data: bytes) -> object:
    """The value of JSON whose numbers are none: there are only texts in a receipt."""

    def refuse(text: str) -> None:
        raise _malformed(_PART, f"there is no number in a receipt, such as {text[:20]}")

    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _malformed(_PART, f"this is not UTF-8 from byte {error.start} on") from None
    try:
        return json.loads(text, parse_int=refuse, parse_float=refuse, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise _malformed(_PART, f"this is not JSON from byte {len(text[: error.pos].encode())} on") from None
    except RecursionError:
        raise _malformed(_PART, "this is nested too deep") from None


def _check_spelling(data: bytes, found: Mapping[str, Any]) -> None:
    """Refuse what is spelled in another way than RFC 8785 has it, naming the first field where it is."""
    before = "{"
    for name in sorted(found):
        before += f"{canonical_json(name).decode()}:{canonical_json(found[name]).decode()}"
        if not data.startswith(before.encode()):
            raise _malformed(name, "this is not canonical JSON (RFC 8785)")
        before += ","
    if data != canonical_json(found):
        raise _malformed(_PART, "this is not canonical JSON (RFC 8785)")


def _read_object(value: object, where: str, names: frozenset[str], *, partly: bool = False) -> Mapping[str, Any]:
    """An object with these fields and no others; all of them, unless it may have a part."""
    if not isinstance(value, dict):
        raise _malformed(where, "an object stands here")
    for name in value:
        if name not in names:
            raise _malformed(ascii(name)[1:-1][:40], "there is no such field")
    if not partly and (missing := sorted(names - value.keys())):
        raise _malformed(missing[0], "this field is missing")
    return value


def _read_text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise _malformed(where, "a text stands here")
    if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise _malformed(where, "half a surrogate pair is no text")
    return value


def _read_document(value: object, where: str) -> Document:
    found = _read_object(value, where, frozenset({"salt", "text"}))
    salt = _read_hash(_read_text(found["salt"], f"{where}.salt"), f"{where}.salt")
    return Document(salt, _read_text(found["text"], f"{where}.text").encode())


def _read_offers(value: object, *, with_facts: bool) -> tuple[OfferInside, ...]:
    if not isinstance(value, list) or len(value) > (_MOST_OFFERS if with_facts else 0):
        raise _malformed("offers", "a list stands here, empty where the facts were left out")
    offers = []
    for number, one in enumerate(value):
        where = f"offers[{number}]"
        found = _read_object(one, where, frozenset({"entry", "proof"}))
        entry = _read_text(found["entry"], f"{where}.entry").encode()
        offers.append(OfferInside(entry, _read_proof(found["proof"], f"{where}.proof")))
    return tuple(offers)


def _read_proof(value: object, where: str) -> ProofFile:
    text = _read_text(value, where)
    try:
        proof = parse_proof_file(text.encode())
    except MalformedError as error:
        raise _malformed(where, str(error)) from None
    if proof.extra:
        raise _malformed(where, "extra data is proved by nothing, and not read here")
    return proof


def _write_batch(batch: BatchInside) -> dict[str, object]:
    path = [encode_base64(one) for one in batch.path]
    return {"entry": batch.entry.decode(), "index": str(batch.index), "path": path}


def _read_batch(value: object) -> BatchInside:
    found = _read_object(value, "batch", frozenset({"entry", "index", "path"}))
    entry, index = (_read_text(found[name], f"batch.{name}") for name in ("entry", "index"))
    path = found["path"]
    if not isinstance(path, list) or len(path) > _MOST_PATH:
        raise _malformed("batch.path", f"a list of at most {_MOST_PATH} hashes stands here")
    hashes = [
        _read_hash(_read_text(one, f"batch.path[{number}]"), f"batch.path[{number}]") for number, one in enumerate(path)
    ]
    try:
        return BatchInside(entry.encode(), decode_number(index, _PART, "batch.index"), tuple(hashes))
    except MalformedError as error:
        raise _malformed("batch.index", error.problem) from None


def _read_key(text: str, where: str, *, name: str) -> VerifierKey:
    try:
        key = parse_vkey(text)
    except MalformedError as error:
        raise _malformed(where, str(error)) from None
    if key.kind != Kind.NOTE:
        raise _malformed(where, f"a key of type {int(Kind.NOTE)} stands here")
    if key.name != name:
        raise _malformed(where, "the key's name is not that of the origin")
    return key


def _read_hash(text: str, where: str) -> bytes:
    try:
        return decode_hash(text, _PART, where)
    except MalformedError as error:
        raise _malformed(where, error.problem) from None


def _malformed(where: str, problem: str) -> ReceiptMalformedError:
    return ReceiptMalformedError(field=where, problem=problem)
