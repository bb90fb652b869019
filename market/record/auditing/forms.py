"""Whether an entry's bytes are the canonical JSON (RFC 8785) of a known type, with that type's fields and nothing else. docs/record.md."""

import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from pydantic_core import from_json

from market.record.auditing.finding import AMOUNTS, PURCHASES, RETURNS, Entry, Finding
from market.record.chart import is_account_pattern
from market.record.codes import is_code, list_free_texts

RULE: Final = "form"
MAX_INTEGER: Final = 2**53 - 1  # what every JSON reader holds exactly (RFC 8785, 3.2.2.3)
REASONS: Final = ("complaint", "finding", "sample", "authority", "other")
"""Why an auditor asked to open details."""
ACTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "merchant": ("admitted", "changed", "suspended", "readmitted"),
        "budget": ("opened", "granted"),
        "post": ("appointed", "ended"),
        "key": ("added", "replaced", "removed"),
    }
)
"""What an entry of a type may say that happened, where that is a field of its own."""

Fits = Callable[[Any], bool]


class _Form(NamedTuple):
    """The fields of an entry type. One that is not closed, because nothing writes it yet, may have others."""

    required: Mapping[str, Fits]
    optional: Mapping[str, Fits] = MappingProxyType({})
    is_closed: bool = True


def read_entry(leaf_index: int, body: bytes) -> Entry | Finding:
    """What an entry says, read once for all rules; a finding where the bytes are not canonical JSON of integers and texts."""
    try:
        is_plain = _PURCHASE(body) is not None
        # Any parser reads those alike, so the quickest does.
        document = from_json(body) if is_plain else _DECODER.decode(body.decode())
        # Keys beyond ASCII have another order in RFC 8785, which counts UTF-16 units; no entry has any.
        is_canonical = is_plain or _ENCODER.encode(document).encode() == body
    except (ValueError, RecursionError) as error:
        problem = f"These bytes are no JSON of integers and texts: {' '.join(str(error).split())[:120]}."
        return Finding(RULE, problem, leaf_index)
    if type(document) is not dict:
        return Finding(RULE, "An entry is one JSON object.", leaf_index)
    kind, public_id = document.get("type"), document.get("id")
    entry = Entry(
        leaf_index,
        body,
        document,
        kind if type(kind) is str else "",
        public_id if type(public_id) is str else "",
        is_plain,
    )
    if not is_canonical:
        return entry.finding(RULE, "", "These bytes are not the canonical spelling of what they say (RFC 8785).")
    return entry


def check_form(entry: Entry) -> Iterator[Finding]:
    """The type is known, and every field it has stands there in its form."""
    document = entry.document
    if entry.is_plain and _is_day(document["day"]) and all(map(_is_sorted, map(document.get, _ROWS))):
        return
    form = _OFFER_END if entry.type == "offer" and "action" in document else _FORMS.get(entry.type)
    if form is None:
        yield entry.finding(RULE, "type", f"There is no entry type {str(document.get('type'))[:40]!r}.")
        return
    for name in sorted(form.required.keys() - document.keys()):
        yield entry.finding(RULE, name, f"An entry of type {entry.type} has this field.")
    for name, value in document.items():
        fits = form.required.get(name) or form.optional.get(name)
        if fits is not None and not fits(value):
            yield entry.finding(RULE, name, "The value has not the form of this field.")
        elif fits is None and form.is_closed:
            yield entry.finding(RULE, name[:64], f"An entry of type {entry.type} has no such field.")
        elif fits is None and not _is_commitment(value) and next(list_free_texts({name: value}), None):
            yield entry.finding(RULE, name[:64], "An entry holds codes, integers and hashes, and no other text.")


def _no_fraction(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no integer")


_DECODER: Final = json.JSONDecoder(parse_float=_no_fraction, parse_constant=_no_fraction)
_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
)
_ID: Final = re.compile(r"[0-9a-f]{32}").fullmatch
_WORD: Final = re.compile(r"[a-z_]{1,32}").fullmatch
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_:.-]{1,140}", re.ASCII).fullmatch
_KEY: Final = re.compile(r"[^\s\x00-\x1f]{1,200}").fullmatch


def _is_id(value: object) -> bool:
    return type(value) is str and _ID(value) is not None


def _is_account(value: object) -> bool:
    return type(value) is str and _ACCOUNT(value) is not None


def _is_key(value: object) -> bool:
    """A verifier key, or the name of a log in it."""
    return type(value) is str and _KEY(value) is not None


def _is_object(value: object) -> bool:
    return type(value) is dict


def _is_word(value: object) -> bool:
    return type(value) is str and _WORD(value) is not None


def _is_pattern(value: object) -> bool:
    return type(value) is str and is_account_pattern(value)


def _is_day(value: object) -> bool:
    return type(value) is str and _is_date(value)


@lru_cache(maxsize=4096)
def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_integer(value: object) -> bool:
    return type(value) is int and -MAX_INTEGER <= value <= MAX_INTEGER


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value <= MAX_INTEGER


def _is_commitment(value: object) -> bool:
    if type(value) is not str or len(value) != 44:
        return False
    try:
        return len(binascii.a2b_base64(value, strict_mode=True)) == 32
    except (binascii.Error, ValueError):
        return False


def _is_one_of(*values: object) -> Fits:
    return lambda value: value in values and type(value) in {str, int}


def _is_rows(*columns: Fits) -> Fits:
    """A list of rows of these columns, sorted, no row for the same thing twice."""
    width = len(columns)

    def fits(value: Any) -> bool:  # noqa: ANN401  whatever JSON holds
        if type(value) is not list:
            return False
        for row in value:
            if type(row) is not list or len(row) != width or not all(map(_apply, columns, row)):
                return False
        return _is_sorted(value)

    return fits


def _is_sorted(rows: list[list[Any]] | None) -> bool:
    """Whether each row is for another thing than the one before it, and in order; the last column is an amount."""
    return rows is None or len(rows) < 2 or all(before[:-1] < after[:-1] for before, after in pairwise(rows))


def _apply(fits: Fits, value: object) -> bool:
    return fits(value)


def _is_terms(value: object) -> bool:
    return _is_coded(value) and type(value) is dict and is_code(value.get("id")) and _is_integer(value.get("version"))


def _is_coded(value: object) -> bool:
    """An object of codes, integers and further such objects: no free text anywhere in it."""
    return type(value) is dict and next(list_free_texts(value), None) is None


def _is_codes(value: object) -> bool:
    return type(value) is list and all(map(is_code, value))


def _is_balances(value: object) -> bool:
    return type(value) is dict and all(map(_is_account, value)) and all(map(_is_integer, value.values()))


def _is_chart(value: Any) -> bool:  # noqa: ANN401  whatever JSON holds
    """Rows of account, nature, side and party: sorted, and each account once."""
    return _is_kinds(value) and all(before[0] < after[0] for before, after in pairwise(value))


def _is_list(value: object) -> bool:
    return type(value) is list


_HEAD: Final[dict[str, Fits]] = {"v": _is_one_of(1), "type": is_code, "id": _is_id, "day": _is_day}
_is_kinds: Final = _is_rows(_is_pattern, _is_word, _is_one_of("debit", "credit"), _is_word)
_is_transfers: Final = _is_rows(_is_account, _is_account, _is_integer)
_MONEY: Final[dict[str, Fits]] = {
    **_HEAD,
    "merchant": is_code,
    "ccy": _is_one_of("CNY"),
    **dict.fromkeys(AMOUNTS, _is_integer),
    "transfers": _is_transfers,
}
_FORMS: Final[Mapping[str, _Form]] = {
    "sale": _Form(
        {
            **_MONEY,
            "channel": _is_one_of("shop", "online"),
            "tender": _is_one_of("declared", "provider"),
            "offers": _is_rows(is_code, _is_integer, _is_integer),
            **dict.fromkeys(("subject", "basket", "facts"), _is_commitment),
        }
    ),
    **dict.fromkeys(RETURNS, _Form({**_MONEY, "of": _is_id})),
    "batch": _Form(
        {**_MONEY, "of": _is_one_of("sale", "return"), "count": _is_integer, "root": _is_commitment},
        {"offers": _is_rows(is_code, _is_integer, _is_integer), "other_offers": _is_integer},
    ),
    "offer": _Form(
        {**_HEAD, "terms": _is_terms, "limits": _is_coded},
        {"signed": _is_codes, "audience": _is_commitment, "text": _is_commitment},
    ),
    "merchant": _Form(
        {**_HEAD, "action": _is_one_of(*ACTIONS["merchant"]), "merchant": is_code},
        {
            "category": is_code,
            "publication": _is_one_of("row", "batched"),
            "from": _is_day,
            "reason": is_code,
            "text": _is_commitment,
        },
    ),
    "budget": _Form(
        {**_HEAD, "action": _is_one_of(*ACTIONS["budget"]), "budget": is_code},
        {"sponsor": is_code, "ccy": _is_one_of("CNY"), "transfers": _is_transfers, "text": _is_commitment},
    ),
    "account": _Form({**_HEAD, "version": _is_count, "accounts": _is_chart}),
    "close": _Form({**_HEAD, "period": _is_one_of("day", "month"), "ccy": _is_one_of("CNY"), "balances": _is_balances}),
    "post": _Form(
        {**_HEAD, "action": _is_one_of(*ACTIONS["post"]), "post": is_code},
        {"unit": is_code, "text": _is_commitment},
    ),
    "policy": _Form(
        {
            **_HEAD,
            **dict.fromkeys(("origin", "log", "promise", "zone"), _is_key),
            **dict.fromkeys(("window_seconds", "delay_seconds"), _is_integer),
            **dict.fromkeys(("witnesses", "own_witnesses"), _is_list),
        },
        {"succeeds": _is_object},
    ),
    "key": _Form(
        {
            **_HEAD,
            "action": _is_one_of(*ACTIONS["key"]),
            "use": _is_one_of("log", "promise", "witness", "own_witness"),
            "vkey": _is_key,
        },
        {"replaces": _is_key},
    ),
    "access": _Form(
        {
            **_HEAD,
            "kind": _is_one_of("details"),
            "reason": _is_one_of(*REASONS),
            "request": _is_commitment,
            "entries": _is_count,
            **dict.fromkeys(("first_day", "last_day"), _is_day),
        }
    ),
    "erasure": _Form({**_HEAD, "persons": _is_count, "since": _is_day}),
    **dict.fromkeys(
        ("allowance", "rebate", "settlement"),
        _Form(_HEAD, {"transfers": _is_transfers}, is_closed=False),
    ),
}

_OFFER_END: Final = _Form({**_HEAD, "action": _is_one_of("ended"), "offer": is_code, "version": _is_integer})
"""That a version is no longer in force, without another one in its place."""


def list_kinds() -> set[tuple[str, str]]:
    """Every type that something writes, with each of its actions; the action is empty where an entry has none."""
    written = (kind for kind, form in _FORMS.items() if form.is_closed)
    return {(kind, action) for kind in written for action in ACTIONS.get(kind, ("",))} | {("offer", "ended")}


# The bytes of a purchase as nearly all are: whatever fits is canonical and has all its fields in their form but for what
# `check_form` then asks. What does not fit may be right all the same; it is read field by field.
_INTEGER: Final = r"(?:0|-?[1-9][0-9]{0,14})"
_NAME: Final = r'"[A-Za-z0-9:_.+-]{1,64}"'
_SIDE: Final = r'"[A-Za-z0-9:_.-]{1,140}"'
_COMMITMENT: Final = r'"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="'
_PATTERNS: Final[dict[str, str]] = {
    "v": "1",
    "id": '"[0-9a-f]{32}"',
    "of": '"[0-9a-f]{32}"',
    "day": '"[0-9-]{10}"',
    "merchant": _NAME,
    "ccy": '"CNY"',
    "channel": '"(?:shop|online)"',
    "tender": '"(?:declared|provider)"',
    "transfers": rf"\[(?:\[{_SIDE},{_SIDE},{_INTEGER}\](?:,(?!\])|(?=\])))*\]",
    "offers": rf"\[(?:\[{_NAME},{_INTEGER},{_INTEGER}\](?:,(?!\])|(?=\])))*\]",
    **dict.fromkeys(AMOUNTS, _INTEGER),
    **dict.fromkeys(("subject", "basket", "facts"), _COMMITMENT),
}
_ROWS: Final = ("transfers", "offers")


def _pattern(kind: str) -> str:
    fields = sorted(_FORMS[kind].required)
    return ",".join(f'"{name}":' + (f'"{kind}"' if name == "type" else _PATTERNS[name]) for name in fields)


_PURCHASE: Final = re.compile("|".join(rf"\{{{_pattern(kind)}\}}" for kind in sorted(PURCHASES)).encode()).fullmatch
