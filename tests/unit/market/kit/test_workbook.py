"""Workbooks that people send: read as a table, or refused with one clear error."""

import io
import zipfile
from datetime import datetime
from decimal import Decimal

import pytest
import xlsxwriter

from market.kit.csv_file import Column, FileColumnsError, FileEmptyError
from market.kit.errors import DomainError
from market.kit.workbook import FORMULA, WorkbookBrokenError, WorkbookTooLargeError, read_table, write_workbook

COLUMNS = (Column("code", ("代码",)), Column("name", ("名称",)), Column("note", ("备注",), required=False))
HEADER = ["代码", "名称"]


def read(content):
    return read_table(io.BytesIO(content), columns=COLUMNS)


def cells(content):
    return [(row.number, dict(row.cells)) for row in read(content).rows()]


def make(fill):
    body = io.BytesIO()
    with xlsxwriter.Workbook(body, {"in_memory": True}) as book:
        fill(book.add_worksheet(), book)
    return body.getvalue()


def repack(content, change):
    """The workbook with parts changed: `change` gets and gives a dictionary of parts."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        whole = {name: parts.read(name) for name in parts.namelist()}
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, part in change(whole).items():
            parts.writestr(name, part)
    return body.getvalue()


def test_a_workbook_is_read_as_a_csv_file_is():
    book = write_workbook("商品", HEADER, [["0571-00012", "电饭煲"], ["", ""], ["b", "锅"]])
    assert cells(book) == [(2, {"code": "0571-00012", "name": "电饭煲"}), (4, {"code": "b", "name": "锅"})]
    assert cells("代码,名称\na,b\n".encode()) == [(2, {"code": "a", "name": "b"})]
    table = read(book)
    assert (table.rows_count, table.has("name"), table.has("note"), len(table.sha256)) == (2, True, False, 32)


def test_numbers_dates_and_ticks_are_read_as_they_would_be_typed():
    def fill(sheet, book):
        sheet.write_row(0, 0, [*HEADER, "备注"])
        sheet.write_row(1, 0, [12, 19.9, True])
        sheet.write_datetime(
            2, 0, datetime.fromisoformat("2026-12-01T20:00"), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        )
        sheet.write_row(2, 1, [-5, Decimal("0.10")])

    assert cells(make(fill)) == [
        (2, {"code": "12", "name": "19.9", "note": "1"}),
        (3, {"code": "2026-12-01 20:00", "name": "-5", "note": "0.1"}),
    ]


def test_only_the_first_sheet_counts_whatever_its_part_is_called():
    def fill(sheet, book):
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["a", "b"])
        book.add_worksheet().write_formula(0, 0, "=1+1")

    assert cells(make(fill)) == [(2, {"code": "a", "name": "b"})]


def test_a_formula_is_handed_on_as_one_and_text_that_looks_so_stays_text():
    def fill(sheet, _book):
        sheet.write_row(0, 0, HEADER)
        sheet.write_formula(1, 1, '=HYPERLINK("http://x","y")', value="y")
        sheet.write_array_formula("A3:A3", "{=SUM(B1:B2)}", value=3)

    assert cells(make(fill)) == [(2, {"code": "", "name": FORMULA}), (3, {"code": FORMULA, "name": ""})]
    ours = write_workbook("x", HEADER, [["=1+1", "http://x"]])
    assert cells(ours) == [(2, {"code": "=1+1", "name": "http://x"})]
    with zipfile.ZipFile(io.BytesIO(ours)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml")
    assert b"<f" not in sheet.replace(b"<fonts", b"")
    assert b"hyperlink" not in sheet


def test_a_surplus_cell_and_a_missing_column_are_noticed():
    assert [row.surplus for row in read(write_workbook("x", HEADER, [["a", "b", "c"], ["a", "b"]])).rows()] == [
        True,
        False,
    ]
    with pytest.raises(FileColumnsError, match="名称"):
        read(write_workbook("x", ["代码"], [["a"]]))
    for rows in ([], [["", " "]]):
        with pytest.raises(FileEmptyError):
            read(write_workbook("x", HEADER, rows))
    with pytest.raises(FileEmptyError):
        read(write_workbook("x", ["", ""], [HEADER, ["a", "b"]]))


GOOD = write_workbook("x", HEADER, [["a", "b"]])


@pytest.mark.parametrize(
    "kept", [slice(4), slice(100), slice(len(GOOD) // 2), slice(-1)], ids=["4", "100", "half", "all_but_one"]
)
def test_a_workbook_that_breaks_off_is_refused(kept):
    with pytest.raises(WorkbookBrokenError):
        read(GOOD[kept])


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
def test_a_workbook_without_one_of_its_parts_is_refused(name):
    for change in (lambda parts: parts.pop(name) and parts, lambda parts: parts | {name: b"<no"}):
        with pytest.raises(DomainError):
            read(repack(GOOD, change))


def test_what_unpacks_into_too_much_is_refused_before_it_is_read():
    bomb = repack(GOOD, lambda parts: parts | {"xl/media/bomb": bytes(50_000_000)})
    assert len(bomb) < 200_000
    with pytest.raises(WorkbookTooLargeError):
        read(bomb)
    with pytest.raises(WorkbookTooLargeError):
        read(repack(GOOD, lambda parts: parts | {f"x/{number}": b"" for number in range(600)}))


def test_too_many_rows_or_columns_are_refused():
    with pytest.raises(WorkbookTooLargeError):
        read(write_workbook("x", HEADER, [["a", "b"]] * 20_001))
    with pytest.raises(WorkbookTooLargeError):
        read(write_workbook("x", [*HEADER, *(f"c{n}" for n in range(60))], [["a"]]))

    def far(sheet, _book):
        sheet.write_row(0, 0, HEADER)
        sheet.write(1_000_000, 0, "a")

    with pytest.raises(WorkbookTooLargeError):
        read(make(far))


def test_entities_are_never_followed():
    evil = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'

    def change(parts):
        sheet = parts["xl/sharedStrings.xml"].replace(b"<t>a</t>", b"<t>&e;</t>")
        return parts | {"xl/sharedStrings.xml": evil + sheet[sheet.index(b"<sst") :]}

    try:
        said = str(cells(repack(GOOD, change)))
    except DomainError:
        said = ""
    assert "root:" not in said


def test_a_formula_that_cannot_be_placed_refuses_the_file():
    def change(parts):
        sheet = parts["xl/worksheets/sheet1.xml"]
        return parts | {
            "xl/worksheets/sheet1.xml": sheet.replace(b"</sheetData>", b"<row><c><f>1+1</f></c></row></sheetData>")
        }

    with pytest.raises(WorkbookBrokenError):
        read(repack(GOOD, change))
