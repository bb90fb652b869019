"""What an audit is, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be: the rule, the row it concerns, and what was found."""

    rule: str
    subject: str
    problem: str


Audit = Callable[[Connection], Iterator[Finding]]
