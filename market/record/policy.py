"""The policy of the record: by which keys it is signed, when an entry is published, who watches. Itself an entry; the newest holds. Pure."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from market.kit.canonical import canonical_json
from market.record.log.errors import MalformedError
from market.record.log.keys import Kind, VerifierKey, parse_vkey

# What waits for its window, so that neither order nor time of publication tells whose purchase it was. All else has no window.
WINDOWED: Final = ("sale", "void", "refund")
# What others refer to comes before what refers to it; purchases of a window are shuffled within their rank.
RANKS: Final = {
    "account": 0,
    "key": 0,
    "policy": 0,
    "sale": 2,
    "void": 3,
    "refund": 3,
    "rebate": 3,
    "batch": 4,
    "settlement": 4,
    "close": 5,
}
OTHERS: Final = 1
# The same in SQL, out of which the index of what waits is made: another rank is a migration. In lines, as PostgreSQL shows it, so that
# `alembic check` sees a difference.
_BRANCHES: Final = "\n".join(f"WHEN '{kind}' THEN {rank}" for kind, rank in RANKS.items())
RANK_OF_TYPE: Final = f"\nCASE type\n{_BRANCHES}\nELSE {OTHERS}\nEND"
_TYPES: Final = {
    "origin": str,
    "log": str,
    "promise": str,
    "window_seconds": int,
    "delay_seconds": int,
    "zone": str,
    "witnesses": list,
    "own_witnesses": list,
}


@dataclass(frozen=True, slots=True)
class Succession:
    """A log whose newest entries were lost, named by the one after it.

    `checkpoint` is the one it signed last, a signed note verbatim; `log` is the key that signed it. Its first `continued` entries are the
    first ones here.
    """

    log: VerifierKey
    checkpoint: str
    continued: int

    def fields(self) -> dict[str, object]:
        """As it stands in the policy."""
        return {"log": self.log.text, "checkpoint": self.checkpoint, "continued": self.continued}


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator binds himself to.

    `origin` names the log in its checkpoints; `log` and `promise` are the vkeys that checkpoints and promises are signed with. An entry of
    a windowed type waits for the end of its window of `window_seconds` (windows follow each other from 1970-01-01T00:00Z on), and is in a
    signed checkpoint `delay_seconds` later at the latest. Days are counted in `zone`. `witnesses` are the keys of others who are asked
    to cosign; `own_witnesses` those of witnesses that the operator runs himself, which count for nothing. `succeeds` is the log before
    this one, where the entries began under another name.
    """

    origin: str
    log: VerifierKey
    promise: VerifierKey
    window_seconds: int
    delay_seconds: int
    zone: str
    witnesses: tuple[VerifierKey, ...] = ()
    own_witnesses: tuple[VerifierKey, ...] = ()
    succeeds: Succession | None = None

    def closes(self, at: datetime) -> datetime:
        """When the window of this instant ends."""
        window = timedelta(seconds=self.window_seconds)
        begin = datetime(1970, 1, 1, tzinfo=UTC)
        return begin + ((at - begin) // window + 1) * window

    def closed_before(self, at: datetime) -> datetime:
        """The instant before which every window has ended."""
        return self.closes(at) - timedelta(seconds=self.window_seconds)

    def promised_by(self, kind: str, at: datetime) -> datetime:
        """When an entry of this type, written at this instant, is in a signed checkpoint at the latest."""
        closes = self.closes(at) if kind in WINDOWED else at
        return (closes + timedelta(seconds=self.delay_seconds)).replace(microsecond=0)

    def batch_promised_by(self, day: date, at: datetime) -> datetime:
        """When a purchase of this day, known to the log from this instant on, is in a batch below a signed checkpoint at the latest.

        What waits is published when its month is over, whatever its count.
        """
        _, beyond = month_of(day)
        over = datetime.combine(beyond, time(), ZoneInfo(self.zone))
        closes = self.closes(max(over, at).astimezone(UTC))
        return (closes + timedelta(seconds=self.delay_seconds)).replace(microsecond=0)

    def entry(self, *, public_id: str, day: date) -> bytes:
        """The public entry that makes this the policy."""
        return canonical_json(
            {
                "v": 1,
                "type": "policy",
                "id": public_id,
                "day": day.isoformat(),
                "origin": self.origin,
                "log": self.log.text,
                "promise": self.promise.text,
                "window_seconds": self.window_seconds,
                "delay_seconds": self.delay_seconds,
                "zone": self.zone,
                "witnesses": [key.text for key in self.witnesses],
                "own_witnesses": [key.text for key in self.own_witnesses],
                **({} if self.succeeds is None else {"succeeds": self.succeeds.fields()}),
            }
        )


def month_of(day: date) -> tuple[date, date]:
    """The first day of a day's month, and the first of the next."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def parse_policy(body: bytes) -> Policy:
    """The policy that an entry makes. Raises MalformedError naming the field."""
    try:
        document: Any = json.loads(body)
    except ValueError:
        raise MalformedError("policy", "", "this is not JSON") from None
    if not isinstance(document, dict) or document.get("type") != "policy":
        raise MalformedError("policy", "type", "this is no policy entry")
    for name, kind in _TYPES.items():
        if type(document.get(name)) is not kind:
            raise MalformedError("policy", name, f"a value of type {kind.__name__} stands here")
    if document["window_seconds"] < 1 or document["delay_seconds"] < 1:
        raise MalformedError("policy", "window_seconds", "a window and a delay have at least a second")
    return Policy(
        origin=document["origin"],
        log=_key(document["log"], "log", Kind.NOTE),
        promise=_key(document["promise"], "promise", Kind.NOTE),
        window_seconds=document["window_seconds"],
        delay_seconds=document["delay_seconds"],
        zone=document["zone"],
        witnesses=tuple(_key(text, "witnesses", Kind.COSIGNATURE) for text in document["witnesses"]),
        own_witnesses=tuple(_key(text, "own_witnesses", Kind.COSIGNATURE) for text in document["own_witnesses"]),
        succeeds=_succession(document["succeeds"]) if "succeeds" in document else None,
    )


def _succession(value: object) -> Succession:
    if not isinstance(value, dict) or value.keys() != {"log", "checkpoint", "continued"}:
        raise MalformedError("policy", "succeeds", "a log, its last checkpoint and how much of it goes on stand here")
    if type(value["checkpoint"]) is not str or type(value["continued"]) is not int or value["continued"] < 0:
        raise MalformedError("policy", "succeeds", "a checkpoint is a text, what goes on a count")
    return Succession(_key(value["log"], "succeeds", Kind.NOTE), value["checkpoint"], value["continued"])


def _key(text: object, field: str, kind: Kind) -> VerifierKey:
    if type(text) is not str:
        raise MalformedError("policy", field, "a vkey is a text")
    try:
        key = parse_vkey(text)
    except MalformedError as error:
        raise MalformedError("policy", field, error.problem) from None
    if key.kind != kind:
        raise MalformedError("policy", field, f"a key of type {int(kind)} stands here")
    return key
