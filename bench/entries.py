"""Writes `docs/entries.md`: `python -m bench.entries [FILE]`. A small works in which everything happens once, on a server of its own.

Every entry of its log stands on the page, byte for byte, so the page is a whole log that the audit accepts. Run it again after a change
of what an entry says; keys and ids are other ones each time.
"""

import json
import sys
from pathlib import Path
from typing import Final

from bench.logs import open_database
from market.kit.database import transaction
from market.kit.errors import invariant
from market.kit.settings import Settings
from market.record.publishing.served import find_checkpoint
from tests.one_of_each import PAGE, list_entries, write_one_of_each

HEAD: Final = """# Entries, one of each

Every type and action that is written to the public record, in the exact bytes of an entry: canonical JSON (RFC 8785), one line, no newline
at its end. What the fields mean is in [record.md](record.md). Place 0 is the log's first entry.

All of it is one small log, in which each thing happens once and some a second time. `python -m bench.entries` writes this page from a
real run; a test reads every block, holds it to the rules of `huigong audit`, and audits all of them together under the checkpoint at the end.
"""
KINDS: Final = {
    "policy": "the log was opened, or a key changed",
    "account": "the chart of accounts",
    "key added": "a key comes into use",
    "key replaced": "a key takes the place of another",
    "key removed": "a key goes out of use",
    "post appointed": "an officer or auditor was appointed",
    "post ended": "the appointment ended",
    "merchant admitted": "a merchant was admitted; how its purchases are published, from which day",
    "merchant changed": "its category changed, or its publication changes from a later day on",
    "merchant suspended": "nothing is sold there from now on",
    "merchant readmitted": "the suspension is over",
    "budget opened": "a budget of a sponsor was opened",
    "budget granted": "money was granted to it",
    "offer": "a version was approved",
    "offer, audience not named": "the same, for a class of fewer than 100 members: a commitment stands for the audience",
    "offer ended": "the version in force was ended",
    "sale": "a card was redeemed",
    "void": "a whole sale was undone at the till",
    "refund": "a sale, or part of it, was given back",
    "batch of sale": "purchases of a merchant that is published in batches",
    "batch of return": "voids and refunds of such purchases",
    "close": "what each public account held when the day was over",
    "access": "details were opened to an auditor",
    "erasure": "persons were deleted on their request",
}


def main() -> None:
    """Run everything once and write the page."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    with open_database() as (_, home):
        write_one_of_each(Settings(record_folder=home / "keys"))
        with transaction() as tx:
            checkpoint = find_checkpoint(tx)
        invariant(checkpoint is not None, "the log is signed")
        target.write_text(write_page(list_entries(), checkpoint or b""))


def write_page(bodies: list[bytes], checkpoint: bytes) -> str:
    """The page of a log with these entries under this checkpoint. A kind of entry that has no words here is a KeyError."""
    found: dict[str, list[tuple[int, str]]] = {kind: [] for kind in KINDS}
    for place, body in enumerate(bodies):
        found[kind_of(json.loads(body))].append((place, body.decode()))
    parts = [HEAD]
    for kind, entries in found.items():
        invariant(bool(entries), f"the run writes an entry: {kind}")
        parts.append(f"## {kind}\n\n{KINDS[kind][0].upper()}{KINDS[kind][1:]}.\n")
        parts += [f"Place {place}:\n\n```json\n{text}\n```\n" for place, text in entries]
    parts.append(f"## The checkpoint over all {len(bodies)}\n\n```\n{checkpoint.decode()}```\n")
    return "\n".join(parts)


def kind_of(entry: dict[str, object]) -> str:
    """The heading under which an entry stands."""
    kind = str(entry["type"])
    if kind == "batch":
        return f"batch of {entry['of']}"
    if "audience" in entry:
        return "offer, audience not named"
    return f"{kind} {entry['action']}" if "action" in entry else kind


if __name__ == "__main__":
    main()
