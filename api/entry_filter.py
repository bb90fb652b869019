"""Filters of entries as they stand in an address, the public one and the auditor's: read for pages and files, written back into links."""

import re
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BeforeValidator
from sqlalchemy.orm import Session

import merchants
from api.errors import PageUnknownError
from api.pages.public_record import Month, choose_month
from api.typed import MOST_AT_DESK, Field, read_yuan
from market.oversight.entry_search import AmountName, Cursor, State, Wanted
from market.oversight.queries import month_days

LEAST: Final = Field("金额从", "From amount", MOST_AT_DESK)
MOST: Final = Field("金额到", "To amount", MOST_AT_DESK)
CHOICES: Final = 20

# A form sends an empty field for "all".
_Day = Annotated[date | None, BeforeValidator(lambda given: given or None), Query()]
_Whole = Annotated[int | None, BeforeValidator(lambda given: given or None), Query(ge=1, lt=1 << 31)]
_Words = Annotated[str, Query(max_length=60)]
_Code = Annotated[str, Query(pattern="^[A-Za-z0-9_.:-]{0,64}$")]
Before = Annotated[str, Query(pattern="^([0-9]{1,18}|[0-9]{1,18}-[0-9a-f]{32}|)$")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What both ask for, as it was typed; amounts in yuan, of the amount `of`."""

    kind: Annotated[str, Query(alias="type", pattern="^[a-z_]{0,32}$")] = ""
    merchant: Annotated[str, Query(pattern="^[A-Za-z0-9_]{0,32}$")] = ""
    offer: _Code = ""
    version: _Whole = None
    of: AmountName = "list"
    least: Annotated[str, Query(max_length=40)] = ""
    most: Annotated[str, Query(max_length=40)] = ""
    post: Annotated[str, Query(pattern="^[a-z_]{0,32}$")] = ""

    def address(self) -> dict[str, str]:
        """Every field by its name in an address, as it was typed; empty where it narrows nothing."""
        said = {("type" if each.name == "kind" else each.name): getattr(self, each.name) for each in fields(self)}
        if not (self.least or self.most):
            said["of"] = ""
        return {name: "" if value is None else str(value) for name, value in said.items()}

    def _want(self, first: date | None, last: date | None, state: State | None = None) -> Wanted:
        return Wanted(
            kind=self.kind or None,
            merchant=self.merchant or None,
            offer=self.offer or None,
            version=self.version if self.offer else None,
            first=first,
            last=last,
            of=self.of,
            least_fen=read_yuan(self.least, field=LEAST) if self.least.strip() else None,
            most_fen=read_yuan(self.most, field=MOST) if self.most.strip() else None,
            state=state,
            post=self.post or None,
        )


@dataclass(frozen=True, slots=True)
class AuditAsked(Asked):
    """The auditor's filter; days are inclusive."""

    first: _Day = None
    last: _Day = None
    state: State | Literal[""] = ""

    @property
    def wanted(self) -> Wanted:
        """What to look for. Raises what `read_yuan` raises."""
        return self._want(self.first, self.last, self.state or None)


@dataclass(frozen=True, slots=True)
class AuditAskedInWords(AuditAsked):
    """The same as people type it: a merchant by his code, his name, or part of either."""

    merchant: _Words = ""


@dataclass(frozen=True, slots=True)
class PublicAsked(Asked):
    """The public filter; a day says more than its month."""

    month: Month = ""
    day: _Day = None

    @property
    def wanted(self) -> Wanted:
        """What to look for. Raises PageUnknownError for a month there never was and the calendar's last day, and what `read_yuan` raises."""
        if self.day == date.max:
            raise PageUnknownError
        if self.day is not None:
            return self._want(self.day, self.day)
        if not self.month:
            return self._want(None, None)
        first, beyond = month_days(choose_month(self.month, []))
        return self._want(first, beyond - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class PublicAskedInWords(PublicAsked):
    """The same as people type it: a merchant by his code, his name, or part of either."""

    merchant: _Words = ""


def find_meant(tx: Session, typed: str) -> dict[str, str]:
    """The names by code of whom somebody may mean: who has this code or name, else all whose code or name holds it; of nobody, a code alone."""
    if not typed.strip():
        return {}
    found = merchants.search_names(tx, query=typed, limit=CHOICES)
    exact = {code: name for code, name in found.items() if typed.strip() in (code, name)}
    if not found and re.fullmatch("[A-Za-z0-9_]{1,32}", typed):
        return {typed: typed}
    return exact or found


def read_cursor(before: str) -> Cursor | None:
    """Where a page goes on: a place in the log, or a row of those that waited."""
    if not before:
        return None
    place, _, row = before.partition("-")
    return (int(place), UUID(hex=row)) if row else int(place)


def write_cursor(cursor: Cursor | None) -> str | None:
    """The same as it stands in an address."""
    if cursor is None or isinstance(cursor, int):
        return None if cursor is None else str(cursor)
    return f"{cursor[0]}-{cursor[1].hex}"
