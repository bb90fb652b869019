"""What a new policy changes about the keys of the record. Each change is a `key` entry before that policy, which alone binds. Pure."""

from dataclasses import dataclass
from itertools import chain

from market.record.policy import Policy


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key comes into `use` (`log`, `promise`, `witness`, `own_witness`), alone or in place of another one, or goes out of it.

    `action` is `added`, `replaced` or `removed`; `vkey` is the key that comes, or that is removed, `replaces` the one it takes the place of.
    """

    action: str
    use: str
    vkey: str
    replaces: str | None = None

    def fields(self) -> dict[str, object]:
        """The fields of its entry. Formats: docs/record.md."""
        fields: dict[str, object] = {"action": self.action, "use": self.use, "vkey": self.vkey}
        return fields if self.replaces is None else {**fields, "replaces": self.replaces}


def list_key_changes(before: Policy | None, after: Policy) -> list[KeyChange]:
    """The changes from one policy to the next; from None every key of the first is added. A witness's key replaces that of its name."""
    was, now = ({} if before is None else _uses(before)), _uses(after)
    gone = {pair: place for pair, place in was.items() if pair not in now}
    changes = []
    for (use, vkey), place in now.items():
        if (use, vkey) in was:
            continue
        old = next((pair for pair, held in gone.items() if held == place), None)
        if old is None:
            changes.append(KeyChange("added", use, vkey))
        else:
            del gone[old]
            changes.append(KeyChange("replaced", use, vkey, old[1]))
    return changes + [KeyChange("removed", use, vkey) for use, vkey in gone]


def _uses(policy: Policy) -> dict[tuple[str, str], str]:
    """Every key with its use, and the place that it holds: there is one key of the log, one of promises, one of each witness."""
    witnesses = chain(
        (("witness", key) for key in policy.witnesses), (("own_witness", key) for key in policy.own_witnesses)
    )
    return {("log", policy.log.text): "log", ("promise", policy.promise.text): "promise"} | {
        (use, key.text): f"witness {key.name}" for use, key in witnesses
    }
