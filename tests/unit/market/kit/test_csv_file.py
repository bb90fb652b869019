"""CSV files that people send: what is read, and the one clear error for what is no table."""

import io

import pytest

from market.kit.csv_file import (
    PROBLEMS,
    Column,
    FileBrokenError,
    FileColumnsError,
    FileEmptyError,
    FileNotTextError,
    RowError,
    plain,
    read_csv,
)

COLUMNS = (Column("code", ("代码",)), Column("name", ("名称", "单位名称")), Column("note", ("备注",), required=False))


def read(text, encoding="utf-8"):
    data = text if isinstance(text, bytes) else text.encode(encoding)
    return read_csv(io.BytesIO(data), columns=COLUMNS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_encoding_is_found(encoding, end):
    table = read(end.join(["代码,单位名称", "a,轧钢车间", "b,连铸车间"]), encoding)
    assert [row.cells for row in table.rows()] == [{"code": "a", "name": "轧钢车间"}, {"code": "b", "name": "连铸车间"}]
    assert (table.rows_count, table.has("note")) == (2, False)


def test_headers_are_forgiven_width_case_spaces_and_stars():
    table = read(" ＣＯＤＥ ,名称*,性别\na,b,男\n")
    assert (dict(table.places), table.ignored) == ({"code": 0, "name": 1}, ("性别",))


def test_rows_keep_the_numbers_of_the_spreadsheet():
    table = read('code,name\n\n"a\nb",x\n,\nc,y,z\nd\n')
    rows = list(table.rows())
    assert [(row.number, row.cells["code"], row.surplus) for row in rows] == [
        (3, "a\nb", False),
        (5, "c", True),
        (6, "d", False),
    ]
    assert rows[2].cells["name"] == ""
    assert table.rows_count == 3


def test_rows_can_be_read_again_and_the_file_stays_open():
    table = read("code,name\na,b\n")
    assert list(table.rows()) == list(table.rows())
    assert not table.file.closed
    assert len(table.sha256) == 32


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FileEmptyError),
        (b"\xef\xbb\xbf", FileEmptyError),
        (b"\n\n,\n", FileEmptyError),
        (b"code,name\n", FileEmptyError),
        (b"code,name\n\n , \n", FileEmptyError),
        (b"PK\x03\x04workbook", FileNotTextError),
        (b"code,name\na,\x00b\n", FileNotTextError),
        ("code,name\na,b\n".encode("utf-16"), FileNotTextError),
        (b"code,name\na,\xff\xff\n", FileNotTextError),
        (b"\x89PNG\r\n\x1a\n", FileNotTextError),
        (b"code\na\n", FileColumnsError),
        (b"code,name,code\na,b,c\n", FileColumnsError),
        ("代码,code,name\na,b,c\n".encode(), FileColumnsError),
        (b"code;name\na;b\n", FileColumnsError),
        (b'code,name\na,b\nc,"d\n', FileBrokenError),
        (b'code,name\na,"b"c\n', FileBrokenError),
        (b"code,name\na," + b"x" * 200_000 + b"\n", FileBrokenError),
    ],
)
def test_what_is_no_table_is_one_clear_error(data, error):
    with pytest.raises(error) as raised:
        read(data)
    assert raised.value.sentence("zh-CN").endswith("。")
    assert raised.value.sentence("en").endswith(".")


def test_a_missing_column_is_named_in_both_languages():
    with pytest.raises(FileColumnsError) as raised:
        read("code\na\n")
    assert raised.value.facts["columns"] == "代码 (name)".replace("代码", "名称")


def test_a_broken_table_names_the_row():
    with pytest.raises(FileBrokenError) as raised:
        read('code,name\na,b\nc,"d"e\nf,g\n')
    assert raised.value.facts["row"] == 3


def test_cells_are_made_plain():
    assert plain(" Ａ１２\u3000张  三\n") == "A12 张 三"


def test_a_row_error_reads_as_a_sentence_and_survives_storage():
    error = RowError(17, "national_id", "check_digit")
    assert error.sentence("en") == "row 17, national_id: check digit wrong"
    assert error.sentence("zh-CN") == "第 17 行 national_id：校验位不对"
    clash = RowError(18, "staff_number", "repeated", 5)
    assert clash.sentence("en") == "row 18, staff_number: repeats row 5"
    assert [RowError.from_json(each.to_json()) for each in (error, clash)] == [error, clash]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_problem_has_a_sentence_in_both_languages(problem):
    for language in ("zh-CN", "en"):
        sentence = RowError(2, "name", problem, 1).sentence(language)
        assert "{" not in sentence
        assert sentence not in {"", problem}
