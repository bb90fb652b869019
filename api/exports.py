"""Tables as files: CSV that a spreadsheet opens as it is, and nothing in it that a spreadsheet would run."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from starlette.responses import JSONResponse, StreamingResponse

BOM = "\ufeff"  # without it Excel reads Chinese as noise
PART_BYTES = 1 << 16  # what is sent at once: a file of any length is written in little memory
PUBLIC_CACHE = "public, max-age=60"
RISKY = ("=", "+", "-", "@", "\t", "\r")


def csv_response(
    file_name: str, header: Sequence[str], rows: Iterable[Sequence[object]], *, public: bool
) -> StreamingResponse:
    """A CSV file, written while it is sent; amounts are integers of fen, dates ISO."""
    lines = _lines(header, rows)
    return _attachment(lines, file_name, "text/csv; charset=utf-8", public=public)


def public_json(rows: Sequence[dict[str, Any]], **more: object) -> JSONResponse:
    """A table of the public record as JSON: `rows` as the CSV has them, amounts in fen, and what holds for all of them."""
    document = {"currency": "CNY", "unit": "fen", **more, "rows": rows}
    return JSONResponse(document, headers={"Cache-Control": PUBLIC_CACHE})


def json_rows_response(file_name: str, rows: Iterable[bytes], **more: object) -> StreamingResponse:
    """The same written while it is sent: each row is JSON already and goes out byte for byte."""
    return _attachment(_json_parts(rows, more), file_name, "application/json", public=True)


def _json_parts(rows: Iterable[bytes], more: dict[str, object]) -> Iterator[bytes]:
    head = json.dumps({"currency": "CNY", "unit": "fen", **more}, ensure_ascii=False)
    part, comma = bytearray(f'{head[:-1]}, "rows": ['.encode()), b"\n"
    for row in rows:
        part += comma + row
        comma = b",\n"
        if len(part) > PART_BYTES:
            yield bytes(part)
            part.clear()
    yield bytes(part) + b"\n]}\n"


def _lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    writer.writerow(header)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        if buffer.tell() > PART_BYTES:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def harmless(cell: object) -> object:
    """Text that a spreadsheet would take for a formula gets a leading apostrophe; numbers of ours may be negative."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RISKY) else cell


def _attachment(
    parts: Iterator[str] | Iterator[bytes], file_name: str, media_type: str, *, public: bool
) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    if public:
        headers["Cache-Control"] = PUBLIC_CACHE
    return StreamingResponse(parts, media_type=media_type, headers=headers)
