"""A table as a file that no spreadsheet runs."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from api.exports import csv_response


def read(response: object) -> bytes:
    async def collect() -> bytes:
        return b"".join([part if isinstance(part, bytes) else part.encode() async for part in response.body_iterator])  # type: ignore[attr-defined]

    # In a thread of its own: a browser test before this one leaves its event loop in the main thread.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(anyio.run, collect).result()


@pytest.mark.parametrize("cell", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_cell_that_would_be_a_formula_stays_text(cell: str) -> None:
    body = read(csv_response("x.csv", ["name", "n"], [[cell, -5]], public=False)).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(body, newline="")))
    assert rows == [["name", "n"], ["'" + cell, "-5"]]


def test_a_long_table_is_written_in_parts_and_whole() -> None:
    rows = [[f'商户{n}, "一"', n] for n in range(20_000)]
    body = read(csv_response("x.csv", ["name", "n"], rows, public=True)).decode("utf-8-sig")
    assert [[name, int(n)] for name, n in list(csv.reader(io.StringIO(body)))[1:]] == rows
