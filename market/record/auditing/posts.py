"""The posts: each that ends was begun at the same unit, so that the entries tell how many hold which post where. Nobody's name is in them."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from market.record.auditing.finding import Entry, Finding

RULE: Final = "posts"


class Posts:
    """How many hold each post, by unit; an auditor's has none."""

    def __init__(self) -> None:
        self._held: Counter[tuple[str, str]] = Counter()

    def check_post(self, entry: Entry) -> Iterator[Finding]:
        """Somebody was appointed before to what ends now, and has not ended yet."""
        said = entry.document
        held = said["post"], said.get("unit", "")
        if said["action"] == "appointed":
            self._held[held] += 1
        elif self._held[held]:
            self._held[held] -= 1
        else:
            yield entry.finding(RULE, "action", f"Nobody holds {' at '.join(filter(None, held))}, and it ends.")
