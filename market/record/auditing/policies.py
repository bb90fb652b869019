"""The policies in the log: well-formed, of one origin, and the newest one is what is served. Which key signs at a size.

A log keeps its name. Where the name changes, the policy says which log lost entries and was given up, by its last signed checkpoint.
From the first `key` entry on, each key that a policy changes was announced by one, and each that was announced is changed.
"""

from collections.abc import Iterator
from datetime import tzinfo
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from market.record.auditing.finding import Entry, Finding
from market.record.key_changes import KeyChange, list_key_changes
from market.record.log.checkpoints import open_checkpoint
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import VerifierKey
from market.record.policy import Policy, parse_policy

RULE: Final = "policy"
KEYS: Final = "keys"
_FIELDS: Final = {"log": "log", "promise": "promise", "witness": "witnesses", "own_witness": "own_witnesses"}


class Policies:
    """The policies so far, the newest last; and the changes of keys that wait for their policy."""

    def __init__(self) -> None:
        self._policies: list[tuple[int, Policy]] = []
        self._newest: Entry | None = None
        self._announced: dict[KeyChange, Entry] = {}
        self._has_keys = False
        self.zone: tzinfo | None = None
        """In which days are counted, as the newest policy says; None before one says it."""

    def check_key(self, entry: Entry) -> Iterator[Finding]:
        """A change of a key waits for its policy. Each is announced once."""
        said = entry.document
        change = KeyChange(said["action"], said["use"], said["vkey"], said.get("replaces"))
        self._has_keys = True
        if change in self._announced:
            yield entry.finding(KEYS, "vkey", f"Entry {self._announced[change].leaf_index} says the same.")
        self._announced[change] = entry

    def check_policy(self, entry: Entry) -> Iterator[Finding]:
        """A policy can be read, does not rename the log, and changes the keys that `key` entries before it say."""
        self._newest = entry
        try:
            policy = parse_policy(entry.body)
        except MalformedError as error:
            yield entry.finding(RULE, error.where, f"It cannot be read: {error.problem}.")
            return
        try:
            self.zone = ZoneInfo(policy.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield entry.finding(RULE, "zone", "There is no such time zone.")
        yield from self._check_name(entry, policy)
        if self._has_keys:
            before = self._policies[-1][1] if self._policies else None
            for change in list_key_changes(before, policy):
                if self._announced.pop(change, None) is None:
                    problem = f"No key entry says that {change.vkey} is {change.action}."
                    yield entry.finding(KEYS, _FIELDS[change.use], problem)
            yield from self.check_announced()
        self._policies.append((entry.leaf_index, policy))

    def _check_name(self, entry: Entry, policy: Policy) -> Iterator[Finding]:
        """The name is that of the policy before, or a new one that says which log it succeeds."""
        before = self._policies[-1][1] if self._policies else None
        said = policy.succeeds
        if before is None or before.origin == policy.origin:
            if said != (None if before is None else before.succeeds):
                yield entry.finding(RULE, "succeeds", "It is said once, by the first policy under a new name.")
        elif said is None or policy.origin in {one.origin for _, one in self._policies}:
            problem = (
                "A log keeps its name for ever; a new one succeeds it under a name never used before, and says so."
            )
            yield entry.finding(RULE, "origin", problem)
        else:
            try:
                last = open_checkpoint(said.checkpoint.encode(), key=said.log, origin=before.origin).checkpoint
            except (MalformedError, NotProvedError) as error:
                yield entry.finding(RULE, "succeeds", f"The last checkpoint of {before.origin} does not hold: {error}.")
                return
            if said.continued > min(last.size, entry.leaf_index):
                yield entry.finding(
                    RULE, "succeeds", "No more can go on than were signed, and stand before this entry."
                )

    def check_announced(self) -> Iterator[Finding]:
        """Every change of a key that was announced has been made."""
        for announced in self._announced.values():
            yield announced.finding(KEYS, "vkey", "No policy after it makes this change.")
        self._announced.clear()

    def check_served(self, body: bytes) -> Iterator[Finding]:
        """What is served as the newest policy is the last policy entry of the log."""
        if self._newest is None:
            yield Finding(RULE, "The log holds no policy entry.", field="policy")
        elif self._newest.body != body:
            problem = (
                "What is served as the newest policy is another one; if it was changed just now, read again later."
            )
            yield self._newest.finding(RULE, "", problem)

    def find_successor(self, origin: str) -> Policy | None:
        """The first policy of the log that succeeds the one of this name; None where none does."""
        pairs = pairwise(policy for _, policy in self._policies)
        return next((after for before, after in pairs if before.origin == origin != after.origin), None)

    def key_at(self, size: int) -> VerifierKey | None:
        """Who signs the checkpoint of this size: the log key of the newest policy that it covers."""
        keys = [policy.log for index, policy in self._policies if index < size]
        return keys[-1] if keys else None
