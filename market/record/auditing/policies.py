"""The policies in the log: well-formed, of one origin, and the newest one is what is served. Which key signs at a size."""

from collections.abc import Iterator
from typing import Final

from market.record.auditing.finding import Entry, Finding
from market.record.log.errors import MalformedError
from market.record.log.keys import VerifierKey
from market.record.policy import Policy, parse_policy

RULE: Final = "policy"


class Policies:
    """The policies so far, the newest last."""

    def __init__(self) -> None:
        self._policies: list[tuple[int, Policy]] = []
        self._newest: Entry | None = None

    def check_policy(self, entry: Entry) -> Iterator[Finding]:
        """A policy can be read, and does not rename the log."""
        self._newest = entry
        try:
            policy = parse_policy(entry.body)
        except MalformedError as error:
            yield entry.finding(RULE, error.where, f"It cannot be read: {error.problem}.")
            return
        if self._policies and policy.origin != self._policies[0][1].origin:
            yield entry.finding(RULE, "origin", "A log keeps its name for ever.")
        self._policies.append((entry.leaf_index, policy))

    def check_served(self, body: bytes) -> Iterator[Finding]:
        """What is served as the newest policy is the last policy entry of the log."""
        if self._newest is None:
            yield Finding(RULE, "The log holds no policy entry.", field="policy")
        elif self._newest.body != body:
            problem = (
                "What is served as the newest policy is another one; if it was changed just now, read again later."
            )
            yield self._newest.finding(RULE, "", problem)

    def key_at(self, size: int) -> VerifierKey | None:
        """Who signs the checkpoint of this size: the log key of the newest policy that it covers."""
        keys = [policy.log for index, policy in self._policies if index < size]
        return keys[-1] if keys else None
