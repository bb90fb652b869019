"""Rows of member and unit files: each cell by itself, and where a unit stands."""

import io

import pytest

from cards import member_file, unit_file
from cards.unit_file import PlacedUnit
from market.kit.csv_file import read_csv

RIGHT = {
    "工号": "00012",
    "姓名": "王建国",
    "手机": "13800138000",
    "身份证号": "11010519491231002X",
    "单位代码": "p1",
    "等级": "standard",
    "标签": "model-worker;先进",
    "状态": "在职",
}


def read_members(*rows):
    text = "\n".join([",".join(RIGHT), *(",".join((RIGHT | row).values()) for row in rows)])
    errors = []
    table = read_csv(io.BytesIO(text.encode()), columns=member_file.COLUMNS)
    return list(member_file.read_people(table, errors)), [error.sentence("en") for error in errors]


def test_a_right_row_is_read():
    (person,), errors = read_members({})
    assert errors == []
    assert (person.row, person.staff_number, person.name) == (2, "00012", "王建国")
    assert (person.phone, person.unit_code, person.grade, person.state) == ("13800138000", "p1", "standard", "active")
    assert person.tags == ("model-worker", "先进")
    assert "11010519491231002X" not in repr(person)


@pytest.mark.parametrize(
    ("column", "cell", "attribute", "value"),
    [
        ("工号", "０００１２", "staff_number", "00012"),
        ("姓名", "买买提·吐尔逊", "name", "买买提·吐尔逊"),
        ("姓名", " John  Smith ", "name", "John Smith"),
        ("手机", "+86 138-0013-8000", "phone", "13800138000"),
        ("手机", "0412-6723456", "phone", "04126723456"),
        ("手机", "", "phone", ""),
        ("身份证号", "11010519491231002x", "national_id", "11010519491231002X"),
        ("等级", "", "grade", None),
        ("标签", "", "tags", ()),
        ("标签", "b、a｜a b", "tags", ("a", "b")),
        ("状态", "", "state", None),
        ("状态", "退休", "state", "retired"),
        ("状态", "left", "state", "left"),
    ],
)
def test_cells_are_read_as_they_were_meant(column, cell, attribute, value):
    (person,), errors = read_members({column: cell})
    assert errors == []
    assert getattr(person, attribute) == value


@pytest.mark.parametrize(
    ("column", "cell", "error"),
    [
        ("工号", "", "staff_number: is empty"),
        ("工号", "1 2", "staff_number: is not of the expected form"),
        ("工号", "x" * 33, "staff_number: is not of the expected form"),
        ("姓名", "", "name: is empty"),
        ("姓名", "=SUM(A1)", "name: is not of the expected form"),
        ("姓名", "<b>王</b>", "name: is not of the expected form"),
        ("姓名", "12345", "name: is not of the expected form"),
        ("姓名", "王" * 61, "name: is not of the expected form"),
        ("手机", "12800138000", "phone: is not of the expected form"),
        ("手机", "1380013800", "phone: is not of the expected form"),
        ("身份证号", "", "national_id: is empty"),
        ("身份证号", "110105194912310021", "national_id: check digit wrong"),
        ("身份证号", "1101051949123100", "national_id: length wrong"),
        ("身份证号", "1.10105E+17", "national_id: length wrong"),
        ("单位代码", "", "unit_code: is empty"),
        ("等级", "a b", "grade: is not of the expected form"),
        ("标签", "a<b", "tags: is not of the expected form"),
        ("状态", "在岗", "state: not one of the values allowed"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column_without_its_value(column, cell, error):
    people, errors = read_members({column: cell}, {"工号": "2", "身份证号": "210302196001150015"})
    assert people[0] is None
    assert people[1] is not None
    assert errors == [f"row 2, {error}"]
    assert not cell or cell not in errors[0]


def test_everything_wrong_with_a_row_is_said_at_once():
    people, errors = read_members({"姓名": "", "手机": "x", "状态": "?"})
    assert people == [None]
    assert len(errors) == 3


def test_a_second_row_of_the_same_person_is_refused_and_names_the_first():
    people, errors = read_members(
        {},
        {"身份证号": "210302196001150015"},
        {"工号": "3"},
        {"工号": "4", "身份证号": "x"},
        {"工号": "4", "身份证号": "210302196001150015"},
    )
    assert [person is not None for person in people] == [True, False, False, False, False]
    assert errors == [
        "row 3, staff_number: repeats row 2",
        "row 4, national_id: repeats row 2",
        "row 5, national_id: length wrong",
        "row 6, staff_number: repeats row 5",
        "row 6, national_id: repeats row 3",
    ]


def test_columns_a_file_does_not_have_say_nothing():
    text = "staff_number,name,phone,national_id,unit_code\n1,王五,,11010519491231002X,p1\n"
    table = read_csv(io.BytesIO(text.encode()), columns=member_file.COLUMNS)
    (person,) = member_file.read_people(table, [])
    assert (person.grade, person.tags, person.state) == (None, None, None)


# --- units ------------------------------------------------------------------------------------------------------------

BEFORE = {
    "xg": PlacedUnit("新钢", ("xg",)),
    "p1": PlacedUnit("一分厂", ("xg", "p1")),
    "w1": PlacedUnit("轧钢", ("xg", "p1", "w1")),
}


def place(*rows):
    text = "\n".join(["code,name,parent_code", *rows])
    errors = []
    wanted = unit_file.read_units(read_csv(io.BytesIO(text.encode()), columns=unit_file.COLUMNS), errors)
    after = unit_file.place_units(BEFORE, wanted, errors)
    return {code: "/".join(unit.path) for code, unit in after.items()}, [error.sentence("en") for error in errors]


def test_units_may_stand_in_any_order():
    after, errors = place("w9,九车间,p9", "p9,九分厂,xg")
    assert errors == []
    assert after == {"xg": "xg", "p1": "xg/p1", "w1": "xg/p1/w1", "p9": "xg/p9", "w9": "xg/p9/w9"}


def test_a_moved_unit_takes_those_below_along():
    after, errors = place("p1,一分厂,", "w2,新车间,w1")
    assert errors == []
    assert (after["p1"], after["w1"], after["w2"]) == ("p1", "p1/w1", "p1/w1/w2")


def test_a_row_without_a_place_takes_those_below_with_it_and_no_others():
    after, errors = place("a,甲,nowhere", "b,乙,a", "c,丙,xg")
    assert after == {"xg": "xg", "p1": "xg/p1", "w1": "xg/p1/w1", "c": "xg/c"}
    assert errors == ["row 2, parent_code: no such code", "row 3, parent_code: no such code"]


@pytest.mark.parametrize("rows", [("a,甲,a",), ("a,甲,b", "b,乙,a"), ("p1,一分厂,w1",), ("xg,新钢,w1",)])
def test_a_unit_below_itself_is_refused_and_what_was_there_stays(rows):
    after, errors = place(*rows)
    assert after == {"xg": "xg", "p1": "xg/p1", "w1": "xg/p1/w1"}
    assert len(errors) == len(rows)
    assert all(error.endswith("parent_code: is below itself") for error in errors)


def test_wrong_unit_rows_are_named():
    _, errors = place(",无,xg", "a b,甲,xg", "c,,xg", "d,丁,xg", "d,丁,p1", "e,戊,xg,,more")
    assert errors == [
        "row 2, code: is empty",
        "row 3, code: is not of the expected form",
        "row 4, name: is empty",
        "row 6, code: repeats row 5",
        "row 7, row: more cells than the header has",
    ]
