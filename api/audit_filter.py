"""The auditor's filter as it stands in an address: read for the page, for the exports, and written back into links."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BeforeValidator

from api.typed import Field, read_yuan
from market.oversight.entry_search import AmountName, Cursor, State, Wanted

LEAST: Final = Field("金额从", "From amount")
MOST: Final = Field("金额到", "To amount")

# A form sends an empty field for "all".
_Day = Annotated[date | None, BeforeValidator(lambda given: given or None), Query()]
_Whole = Annotated[int | None, BeforeValidator(lambda given: given or None), Query(ge=1, lt=1 << 31)]
_Code = Annotated[str, Query(pattern="^[A-Za-z0-9_.:-]{0,64}$")]
Before = Annotated[str, Query(pattern="^([0-9]{1,18}|[0-9]{1,18}-[0-9a-f]{32}|)$")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, as it was typed; amounts in yuan, of the amount `of`. Days are inclusive."""

    kind: Annotated[str, Query(alias="type", pattern="^[a-z_]{0,32}$")] = ""
    merchant: Annotated[str, Query(pattern="^[A-Za-z0-9_]{0,32}$")] = ""
    offer: _Code = ""
    version: _Whole = None
    first: _Day = None
    last: _Day = None
    of: AmountName = "list"
    least: Annotated[str, Query(max_length=40)] = ""
    most: Annotated[str, Query(max_length=40)] = ""
    state: State | Literal[""] = ""
    post: Annotated[str, Query(pattern="^[a-z_]{0,32}$")] = ""

    @property
    def wanted(self) -> Wanted:
        """What to look for. Raises what `read_yuan` raises."""
        return Wanted(
            kind=self.kind or None,
            merchant=self.merchant or None,
            offer=self.offer or None,
            version=self.version if self.offer else None,
            first=self.first,
            last=self.last,
            of=self.of,
            least_fen=read_yuan(self.least, field=LEAST) if self.least.strip() else None,
            most_fen=read_yuan(self.most, field=MOST) if self.most.strip() else None,
            state=self.state or None,
            post=self.post or None,
        )

    def address(self) -> dict[str, str]:
        """Every field by its name in an address, as it was typed; empty where it narrows nothing."""
        said = {("type" if each.name == "kind" else each.name): getattr(self, each.name) for each in fields(self)}
        if not (self.least or self.most):
            said["of"] = ""
        return {name: "" if value is None else str(value) for name, value in said.items()}


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
