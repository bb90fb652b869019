"""The owner's products as files: out as CSV or a workbook, in by a preview of what every row would do."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile

import merchants
from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.exports import csv_response
from api.pages.kit import render
from api.pages.products import category_words
from api.pages.views import FileChange, FileEffect, FileShown, OwnerImport
from api.routes.merchant import own_merchant
from market.kit.clock import business_day, now
from market.kit.csv_file import FileEmptyError
from market.kit.database import transaction
from market.kit.errors import DomainError, InvalidError
from market.kit.workbook import write_workbook
from merchants import FileResult
from merchants.product_rows import COLUMNS

doors = Doors(prefix="/merchant/products", include_in_schema=False)

FileId = Annotated[UUID, Path()]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
ERRORS_SHOWN = 200
EFFECTS_SHOWN = 500


@doors.get("/export.csv")
def export_csv(request: Request, who: Who) -> Response:
    """All his products, one row per variant, as CSV."""
    with transaction() as tx:
        rows = list(merchants.export_rows(tx, merchant_id=own_merchant(tx, who).merchant_id))
    return csv_response(_file_name("csv"), _header(request), rows, public=False)


@doors.get("/export.xlsx")
def export_workbook(request: Request, who: Who) -> Response:
    """The same as a workbook."""
    with transaction() as tx:
        rows = list(merchants.export_rows(tx, merchant_id=own_merchant(tx, who).merchant_id))
    content = write_workbook("products", _header(request), rows)
    headers = {"Content-Disposition": f'attachment; filename="{_file_name("xlsx")}"'}
    return Response(
        content, media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", headers=headers
    )


@doors.get("/import")
def import_page(request: Request, who: Who) -> Response:
    """Choose a file; which columns it may have."""
    with transaction() as tx:
        own_merchant(tx, who)
    return _show(request)


@doors.post("/import")
def look(request: Request, who: Who, fields: Fields) -> Response:
    """Keep the file and show what it would do; nothing is entered."""
    sent = fields.get("file")
    at = now()
    try:
        if not isinstance(sent, UploadFile) or not sent.size:
            raise FileEmptyError
        content = sent.file.read()
        with transaction() as tx:
            own = own_merchant(tx, who).merchant_id
            result = merchants.preview_products(
                tx, merchant_id=own, content=content, categories=category_words(), at=at
            )
            name = "".join(sign for sign in sent.filename or "" if sign.isprintable())
            file_id = merchants.keep_file(tx, merchant_id=own, name=name, content=content, by=who.person, at=at)
    except InvalidError as refusal:
        return _show(request, refusal=refusal)
    return _show(request, shown=_show_file(request, file_id, name, result))


class Seen(BaseModel):
    """How many rows the preview said would do what."""

    model_config = ConfigDict(frozen=True)

    added: Count
    changed: Count
    same: Count
    refused: Count


@doors.post("/import/{file}")
def enter(request: Request, who: Who, file: FileId, seen: Annotated[Seen, Form()]) -> Response:
    """Enter a file that was looked at, as it was shown; refused when it would do something else by now."""
    with transaction() as tx:
        own = own_merchant(tx, who).merchant_id
        merchants.enter_file(
            tx, merchant_id=own, file_id=file, categories=category_words(), seen=seen.model_dump(), at=now()
        )
    return see_other(request, "/merchant/products", notice="file_entered")


def _show(request: Request, *, shown: FileShown | None = None, refusal: DomainError | None = None) -> Response:
    columns = tuple((column.headers[0], column.name, column.required) for column in COLUMNS)
    error = refusal.sentence(language_of(request)) if refusal else None
    view = OwnerImport(columns=columns, shown=shown, error=error)
    return render(request, "merchant/import.html", view, status=refusal.status if refusal else 200)


def _show_file(request: Request, file_id: UUID, name: str, result: FileResult) -> FileShown:
    language = language_of(request)
    return FileShown(
        file_id=str(file_id),
        name=name,
        counts=result.counts(),
        effects=tuple(
            FileEffect(
                row=each.row,
                code=each.code,
                sku=each.sku,
                name=each.name,
                kind=each.kind,
                changes=tuple(FileChange(column=c.column, before=c.before, after=c.after) for c in each.changes),
            )
            for each in result.effects[:EFFECTS_SHOWN]
        ),
        errors=tuple(error.sentence(language) for error in result.errors[:ERRORS_SHOWN]),
        ignored=result.ignored,
    )


def _header(request: Request) -> list[str]:
    """The names of the columns in the language of the request; an import knows both."""
    if language_of(request) == "en":
        return [column.name for column in COLUMNS]
    return [column.headers[0] for column in COLUMNS]


def _file_name(kind: str) -> str:
    return f"products-{business_day(now()).isoformat()}.{kind}"
