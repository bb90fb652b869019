"""What an audit is, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DataError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be: the rule, the row it concerns, and what was found."""

    rule: str
    subject: str
    problem: str


Audit = Callable[[Connection], Iterator[Finding]]


def run_audit(audit: Audit, connection: Connection) -> list[Finding]:
    """All that an audit finds. That it cannot read what is stored is a finding too, and the next one can go on."""
    findings: list[Finding] = []
    savepoint = connection.begin_nested()
    try:
        findings.extend(audit(connection))
    except (DataError, ValueError, LookupError, TypeError) as error:
        savepoint.rollback()
        rule = audit.__name__.removeprefix("check_").replace("_", " ")
        reason = " ".join(str(getattr(error, "orig", error)).split())[:120]
        findings.append(Finding("verify", rule, f"it could not go on, because what is stored cannot be read: {reason}"))
    else:
        savepoint.commit()
    return findings
