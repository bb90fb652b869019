"""Public entries as bytes, and the salted commitments that stand in them for persons, baskets and facts. Pure.

An entry holds codes and integers only: no name, number, exact time, till or free text. Formats: docs/record.md.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from market.kit.canonical import canonical_json
from market.record.log.tree import hash_leaf


@dataclass(frozen=True, slots=True)
class Amounts:
    """The four amounts of an event in fen (list = concession + subsidy + paid), and the rebates that fall due, or no longer do."""

    list: int
    concession: int
    subsidy: int
    paid: int
    rebate_member: int = 0
    rebate_union: int = 0


AMOUNTS: Final = tuple(Amounts.__dataclass_fields__)
"""Their names as an entry has them, in this order."""


@dataclass(frozen=True, slots=True)
class PublicTransfer:
    """A transfer as the books hold it; in the entry accounts of one person stand summed, as `allowances` and `rebates:members`."""

    debit: str
    credit: str
    amount_fen: int


def entry_hash(body: bytes) -> bytes:
    """The hash under which an entry stands in the log: that of a leaf, SHA-256 over 0x00 and the bytes (RFC 6962, 2.1)."""
    return hash_leaf(body)


def get_salt(commit_key: bytes, name: str, public_id: str) -> bytes:
    """The 32-byte salt of one commitment of one entry: HMAC-SHA256 of the person's key over its name and the public id."""
    return hmac.digest(commit_key, (name + public_id).encode(), "sha256")


def commit(salt: bytes, document: bytes) -> str:
    """The commitment to a document: SHA-256 over salt and bytes, in base64."""
    return base64.b64encode(hashlib.sha256(salt + document).digest()).decode()


def commit_documents(documents: Mapping[str, bytes], *, commit_key: bytes, public_id: str) -> dict[str, str]:
    """The commitments to the private documents of one entry by their names, each with a salt of its own."""
    return {name: commit(get_salt(commit_key, name, public_id), document) for name, document in documents.items()}


def sale_entry(
    *,
    public_id: str,
    day: date,
    channel: str,
    merchant: str,
    tender: str,
    amounts: Amounts,
    offers: Iterable[tuple[str, int, int]],
    transfers: Iterable[PublicTransfer],
    commitments: Mapping[str, str],
) -> bytes:
    """The entry of a sale.

    `offers` are the merchant-borne amounts by offer and version, concessions and rebates; `commitments` are those to `subject`,
    `basket`, `facts` (`commit_documents`). `tender` is `provider` where a provider confirmed the payment, else `declared`.
    """
    return canonical_json(
        {
            **_head("sale", public_id, day, merchant, amounts=amounts, transfers=transfers),
            "channel": channel,
            "tender": tender,
            "offers": [[offer, version, borne] for offer, version, borne in sorted(offers) if borne],
            **commitments,
        }
    )


def return_entry(
    *,
    kind: str,
    public_id: str,
    of: str,
    day: date,
    merchant: str,
    amounts: Amounts,
    transfers: Iterable[PublicTransfer],
) -> bytes:
    """The entry of a `void` or `refund`; `of` is the public id of the sale, `amounts` what went back to each payer."""
    return canonical_json({**_head(kind, public_id, day, merchant, amounts=amounts, transfers=transfers), "of": of})


def offer_entry(
    *,
    public_id: str,
    day: date,
    terms: Mapping[str, object],
    limits: Mapping[str, object],
    signed: Sequence[str] = (),
    audience_salt: bytes | None = None,
    text: str | None = None,
) -> bytes:
    """The entry of an approved offer version: all terms, so that anyone can compute the discount again, and the merchants that signed.

    With a salt, what the terms say of the audience is left out, and a commitment to it stands beside them. `text` is the hash of what it
    is called (`market.record.texts`).
    """
    shown = dict(terms)
    hidden = {} if text is None else {"text": text}
    if audience_salt is not None:
        hidden["audience"] = commit(audience_salt, canonical_json(shown.pop("audience")))
    return canonical_json(
        {
            "v": 1,
            "type": "offer",
            "id": public_id,
            "day": day.isoformat(),
            "terms": shown,
            "limits": dict(limits),
            "signed": sorted(signed),
            **hidden,
        }
    )


def _head(
    kind: str, public_id: str, day: date, merchant: str, *, amounts: Amounts, transfers: Iterable[PublicTransfer]
) -> dict[str, object]:
    return {
        "v": 1,
        "type": kind,
        "id": public_id,
        "day": day.isoformat(),
        "merchant": merchant,
        "ccy": "CNY",
        "list": amounts.list,
        "concession": amounts.concession,
        "subsidy": amounts.subsidy,
        "paid": amounts.paid,
        "rebate_member": amounts.rebate_member,
        "rebate_union": amounts.rebate_union,
        "transfers": sum_transfers(transfers),
    }


def sum_transfers(transfers: Iterable[PublicTransfer]) -> list[list[object]]:
    """Transfers as an entry shows them, [debit, credit, fen]: those between the same two public accounts stand as one, sorted."""
    sums: dict[tuple[str, str], int] = {}
    for transfer in transfers:
        pair = (public_account(transfer.debit), public_account(transfer.credit))
        sums[pair] = sums.get(pair, 0) + transfer.amount_fen
    return [[debit, credit, amount] for (debit, credit), amount in sorted(sums.items())]


def public_account(account: str) -> str:
    """The public name of an account: those of single persons stand as one."""
    if account.startswith("allowance:"):
        return "allowances"
    if account.startswith("rebates:member:"):
        return "rebates:members"
    return account
