"""What two versions of an offer have to do with each other, by their terms and limits as an entry has them. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def only_ends_earlier(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether nothing but an earlier end of its window sets a version apart from another; each is `terms` and `limits`.

    Such a version takes nothing away and asks nothing more. Of what has not the form of terms it is not so.
    """
    try:
        before, after = ({**version["terms"], "version": None} for version in (old, new))
        was, now = (terms.pop("window", None) or {} for terms in (before, after))
        until, ends = was.get("to"), datetime.fromisoformat(now["to"])
        return (
            before == after
            and old["limits"] == new["limits"]
            and was.get("from") == now.get("from")
            and (until is None or ends < datetime.fromisoformat(until))
        )
    except (TypeError, ValueError, AttributeError, LookupError):
        return False
