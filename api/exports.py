"""Tables as files: CSV that a spreadsheet opens as it is, and nothing in it that a spreadsheet would run."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from starlette.responses import StreamingResponse

BOM = "\ufeff"  # without it Excel reads Chinese as noise
RISKY = ("=", "+", "-", "@", "\t", "\r")


def csv_response(
    file_name: str, header: Sequence[str], rows: Iterable[Sequence[object]], *, public: bool
) -> StreamingResponse:
    """A CSV file, written while it is sent; amounts are integers of fen, dates ISO."""
    lines = _lines(header, rows)
    return _attachment(lines, file_name, "text/csv; charset=utf-8", public=public)


def jsonl_response(file_name: str, documents: Iterable[bytes], *, public: bool) -> StreamingResponse:
    """One JSON document per line, byte for byte as it is stored."""
    return _attachment((document + b"\n" for document in documents), file_name, "application/x-ndjson", public=public)


def _lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _harmless(cell: object) -> object:
    """Text that a spreadsheet would take for a formula gets a leading apostrophe; numbers of ours may be negative."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RISKY) else cell


def _attachment(
    parts: Iterator[str] | Iterator[bytes], file_name: str, media_type: str, *, public: bool
) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    if public:
        headers["Cache-Control"] = "public, max-age=60"
    return StreamingResponse(parts, media_type=media_type, headers=headers)
