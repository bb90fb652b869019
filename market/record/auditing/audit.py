"""The audit of a public record: its signature, every hash, that it continues what was seen before, and every rule over every entry."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from market.record.auditing.finding import Finding
from market.record.auditing.hashes import ProvedLog
from market.record.auditing.replay import Replay
from market.record.log.checkpoints import Checkpoint, SignedCheckpoint, open_checkpoint, parse_checkpoint
from market.record.log.cosignatures import Cosignature, verify_cosignatures
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import VerifierKey
from market.record.log.notes import Note, parse_note, verify_note
from market.record.log.tiles import ReadFile
from market.record.policy import Policy, Succession, parse_policy

MOST_FINDINGS: Final = 1_000
Look = Callable[[int, bytes], list[Finding]]
Progress = Callable[[int, int], None]
"""Called with how many entries are done, and how many there are."""


class Companion(Protocol):
    """What is held against the log on the same way through it: it sees every proved entry once, in the order of the log."""

    def look(self, leaf_index: int, body: bytes) -> list[Finding]:
        """What it finds at this entry."""

    def end(self) -> Iterable[Finding]:
        """What it can say only after the last one."""


class NoRecordError(LookupError):
    """There is no public record where one was expected: its checkpoint or its policy is missing."""


class KeptCheckpointError(ValueError):
    """What was given as the checkpoint of an earlier audit is none."""


@dataclass(slots=True)
class Audited:
    """What an audit read and found. `findings` holds the first thousand, `more` counts the rest.

    `cosignatures` are those of the `witnesses` that the newest policy names, the operator's own not counted; `succeeds` is the
    log that it says was given up for this one. `replayed` entries were looked at by the rules: all, unless one before was not proved.
    """

    signed: SignedCheckpoint | None = None
    key: VerifierKey | None = None
    cosignatures: tuple[Cosignature, ...] = ()
    witnesses: int = 0
    succeeds: Succession | None = None
    replayed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    more: int = 0

    def add(self, *findings: Finding) -> None:
        """Keep what was found, as long as there is room."""
        room = MOST_FINDINGS - len(self.findings)
        self.findings.extend(findings[:room])
        self.more += len(findings[room:])


@dataclass(frozen=True, slots=True)
class _Kept:
    """The checkpoint of an earlier audit."""

    note: Note
    checkpoint: Checkpoint


def audit_log(
    read: ReadFile,
    *,
    vkey: VerifierKey | None = None,
    since: bytes | None = None,
    companions: Sequence[Companion] = (),
    progress: Progress = lambda _done, _whole: None,
) -> Audited:
    """Audit the record whose files `read` answers by their paths: `checkpoint`, `policy`, tiles and bundles.

    The checkpoint must be signed by `vkey`, or, without one, by the log key of the policy that is served. `since` is the checkpoint that an
    earlier audit kept. `companions` come along as far as the entries are proved.

    Raises NoRecordError, KeptCheckpointError, and whatever `read` raises.
    """
    kept = None if since is None else _read_kept(since)
    note, served = read("checkpoint"), read("policy")
    for name, data in (("checkpoint", note), ("policy", served)):
        if data is None:
            raise NoRecordError(f"There is no {name}")
    audited = Audited()
    policy, signed = _open(audited, note or b"", served or b"", vkey)
    if policy is None or signed is None:
        return audited
    size = signed.checkpoint.size
    log = ProvedLog(
        read, size=size, root=signed.checkpoint.root, kept_size=None if kept is None else kept.checkpoint.size
    )
    replay = Replay()
    looks = [replay.look, *(companion.look for companion in companions)]
    is_whole = _walk(audited, log, looks, progress)
    audited.counts = replay.counts
    if is_whole:
        audited.add(*replay.end(served))
        for companion in companions:
            audited.add(*companion.end())
    if kept is not None:
        seen = kept.checkpoint.size <= audited.replayed
        key = replay.policies.key_at(kept.checkpoint.size) if seen else None
        successor = replay.policies.find_successor(kept.checkpoint.origin)
        audited.add(*_check_kept(kept, signed.checkpoint, log.kept_root, key, successor))
    return audited


def _walk(audited: Audited, log: ProvedLog, looks: Sequence[Look], progress: Progress) -> bool:
    """Show every entry to each of `looks`, up to the first that is not proved; whether there was none."""
    is_whole = True
    progress(0, log.size)
    for batch in log.walk():
        if is_whole:
            for index, body in enumerate(batch.entries, start=batch.first):
                for look in looks:
                    if found := look(index, body):
                        audited.add(*found)
            audited.replayed = batch.first + len(batch.entries)
        is_whole = is_whole and batch.is_whole
        audited.add(*log.found)
        log.found.clear()
        progress(min(batch.first + 256, log.size), log.size)
    audited.add(*log.found)
    return is_whole


def _open(
    audited: Audited, note: bytes, served: bytes, vkey: VerifierKey | None
) -> tuple[Policy | None, SignedCheckpoint | None]:
    """The policy and the checkpoint, each None with a finding where it does not hold."""
    try:
        policy = parse_policy(served)
    except MalformedError as error:
        audited.add(Finding("policy", f"It cannot be read: {error}.", field="policy"))
        return None, None
    audited.key, audited.witnesses, audited.succeeds = vkey or policy.log, len(policy.witnesses), policy.succeeds
    if policy.log != audited.key:
        problem = f"The newest policy names another log key than the one given: {policy.log.text}."
        audited.add(Finding("policy", problem, field="policy"))
    try:
        signed = open_checkpoint(note, key=audited.key, origin=policy.origin)
        audited.cosignatures = verify_cosignatures(signed, policy.witnesses)
        verify_cosignatures(signed, policy.own_witnesses)  # they count for nothing, and must hold all the same
    except (MalformedError, NotProvedError) as error:
        audited.add(Finding("signature", f"It does not hold: {error}.", field="checkpoint"))
        return policy, None
    audited.signed = signed
    return policy, signed


def _read_kept(since: bytes) -> _Kept:
    try:
        note = parse_note(since)
        return _Kept(note, parse_checkpoint(note.text))
    except MalformedError as error:
        raise KeptCheckpointError(str(error)) from None


def _check_kept(
    kept: _Kept, now: Checkpoint, root: bytes | None, key: VerifierKey | None, successor: Policy | None
) -> Iterator[Finding]:
    """The log continues the kept checkpoint, and it was one of this log's, or of one that it succeeds."""
    before = kept.checkpoint
    where = "the kept checkpoint"
    said = None if successor is None else successor.succeeds
    if said is not None and (before.size > now.size or root != before.root):
        problem = (
            f"{before.origin} lost entries and was given up: of its {before.size} only the first {said.continued} go on here, "
            f"as {now.origin}. The policy names the last checkpoint it signed."
        )
        yield Finding("consistency", problem, field=where)
        return
    if before.origin != now.origin and said is None:
        yield Finding("consistency", f"It is one of {before.origin}, and this log is {now.origin}.", field=where)
        return
    if key is not None:
        try:
            verify_note(kept.note, [key])
        except NotProvedError as error:
            yield Finding("consistency", f"It is not signed by the log key of its time: {error}.", field=where)
    if before.size > now.size:
        problem = f"The log had {before.size} entries and now has {now.size}: entries were taken back."
        yield Finding("consistency", problem, field=where)
    elif root != before.root:
        problem = f"The first {before.size} entries are not those that were signed then: history was rewritten."
        yield Finding("consistency", problem, field=where)
