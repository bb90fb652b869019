"""Importing units and members: right rows go in, wrong ones are named, and the same file twice changes nothing."""

import io
import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

import cards
from cards.importing import import_members, import_units
from cards.keys import open_national_id
from cards.models import Card, ImportRun, Member, PersonKey, Unit
from market.kit.csv_file import RowError
from market.kit.database import transaction
from market.kit.errors import DomainError

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
HEADER = "工号,姓名,手机,身份证号,单位代码,等级,标签,状态"


@pytest.fixture
def rows(national_id):
    """Rows of right members by number."""

    def rows(count, start=1, unit="p1-rolling"):
        return [
            f"{number:05d}X,王建国,138{number:08d},{national_id(number)},{unit},standard,,在职"
            for number in range(start, start + count)
        ]

    return rows


def read(lines, *, encoding="utf-8", progress=None, header=HEADER):
    data = "\n".join([header, *lines]).encode(encoding)
    return import_members(io.BytesIO(data), file_name="members.csv", by="officer", at=NOON, progress=progress)


def counts(result):
    return result.rows_read, result.added, result.changed, result.same, result.refused


def snapshot():
    with transaction() as tx:
        return {
            table: tx.execute(text(f"SELECT xmin, * FROM {table} ORDER BY 2")).all()
            for table in ("member", "card", "vault.person_key", "unit")
        }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_every_new_member_gets_a_card_and_a_key(works, rows, national_id, encoding):
    result = read(rows(3), encoding=encoding)
    assert counts(result) == (3, 3, 0, 0, 0)
    with transaction() as tx:
        member = tx.execute(select(Member).where(Member.staff_number == "00002X")).scalar_one()
        assert (member.name, member.phone, member.unit_id) == ("王建国", "13800000002", works.rolling)
        assert (member.grade, member.tags, member.state) == ("standard", [], "active")
        assert member.joined_on == NOON.date()
        assert open_national_id(member.national_id_cipher, member_id=member.id) == national_id(2)
        assert tx.scalar(select(func.count()).select_from(Card).where(Card.member_id == member.id)) == 1
        assert tx.scalar(select(func.count()).select_from(PersonKey).where(PersonKey.subject == member.subject)) == 1
        assert len(set(tx.scalars(select(Card.number)))) == 4


def test_the_same_file_twice_changes_no_row_at_all(works, rows):
    lines = [*rows(1205), "1205,,,,p1,,,", rows(1)[0]]
    first = read(lines)
    before = snapshot()
    again = read(lines)
    assert counts(first) == (1207, 1205, 0, 0, 2)
    assert counts(again) == (1207, 0, 0, 1205, 2)
    assert again.errors == first.errors
    assert snapshot() == before  # xmin included: not even rewritten


def test_a_changed_row_changes_only_what_differs(works, rows):
    read(rows(3))
    before = snapshot()
    changed = rows(3)
    changed[1] = changed[1].replace("王建国", "王健国").replace("p1-rolling", "p1-casting")
    assert counts(read(changed)) == (3, 0, 1, 2, 0)
    after = snapshot()
    (old,) = [row for row in before["member"] if row.staff_number == "00002X"]
    (new,) = [row for row in after["member"] if row.staff_number == "00002X"]
    differing = {name for name in old._mapping if getattr(old, name) != getattr(new, name)}
    assert differing == {"xmin", "name", "unit_id"}
    assert after["card"] == before["card"]
    assert [row for row in after["member"] if row != new] == [row for row in before["member"] if row != old]


def test_columns_the_file_does_not_have_leave_the_register_alone(works, rows):
    read(rows(2))
    with transaction() as tx:
        tx.execute(update(Member).values(grade="gold", tags=["hero"], state="retired"))
    before = snapshot()
    short = [",".join(line.split(",")[:5]) for line in rows(2)]
    assert counts(read(short, header="工号,姓名,手机,身份证号,单位代码")) == (2, 0, 0, 2, 0)
    assert snapshot() == before


def test_wrong_rows_are_named_and_stop_no_right_row(works, rows, national_id):
    lines = rows(10)
    lines[3] = lines[3].replace(national_id(4), national_id(4)[:-1] + ("1" if national_id(4)[-1] != "1" else "2"))
    lines[5] = lines[5].replace("p1-rolling", "nowhere")
    lines[7] = lines[0]
    lines[8] = lines[8].replace(national_id(9), national_id(0))  # the member of the works has it
    result = read(lines)
    assert counts(result) == (10, 6, 0, 0, 4)
    assert [error.sentence("en") for error in result.errors] == [
        "row 5, national_id: check digit wrong",
        "row 7, unit_code: no such code",
        "row 9, staff_number: repeats row 2",
        "row 9, national_id: repeats row 2",
        "row 10, national_id: is registered under another number",
    ]
    with transaction() as tx:
        (run,) = cards.list_imports(tx)
        assert (run.kind, run.by, run.file_name, run.at) == ("members", "officer", "members.csv", NOON)
        assert (run.rows_read, run.rows_added, run.rows_refused) == (10, 6, 4)
        assert tuple(RowError.from_json(error) for error in run.errors) == result.errors
        stored = tx.scalar(text("SELECT import_run::text FROM import_run"))
    assert national_id(0) not in stored
    assert "王建国" not in stored


def test_a_corrected_national_id_is_sealed_anew(works, rows, national_id):
    read(rows(1))
    assert counts(read([rows(1)[0].replace(national_id(1), national_id(77))])) == (1, 0, 1, 0, 0)
    with transaction() as tx:
        member = tx.execute(select(Member).where(Member.staff_number == "00001X")).scalar_one()
        assert open_national_id(member.national_id_cipher, member_id=member.id) == national_id(77)
    assert counts(read([rows(1)[0].replace(national_id(1), national_id(77))])) == (1, 0, 0, 1, 0)


def test_two_persons_never_swap_national_ids_by_a_file(works, rows, national_id):
    read(rows(2))
    before = snapshot()
    one, two = rows(2)
    swapped = [one.replace(national_id(1), national_id(2)), two.replace(national_id(2), national_id(1))]
    assert counts(read(swapped)) == (2, 0, 0, 0, 2)
    assert snapshot() == before


def test_one_file_read_twice_at_once_enters_everybody_once(works, rows):
    lines = rows(1500)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(read, [lines, lines]))
    assert sum(result.added for result in results) == 1500
    assert sum(result.same for result in results) == 1500


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"a,b\n1,2\n", (HEADER + "\n").encode(), (HEADER + '\n1,"x\n').encode()]
)
def test_a_broken_file_is_one_error_and_no_effect(works, data):
    before = snapshot()
    with pytest.raises(DomainError):
        import_members(io.BytesIO(data), file_name="x", by="officer", at=NOON)
    assert snapshot() == before
    with transaction() as tx:
        assert cards.list_imports(tx) == []


def test_a_table_that_breaks_off_late_has_no_effect_either(works, rows):
    before = snapshot()
    with pytest.raises(DomainError) as raised:
        read([*rows(1500), '"never closed'])
    assert raised.value.code == "FILE_BROKEN"
    assert snapshot() == before


def test_progress_counts_rows_to_the_end(works, rows):
    seen = []
    read(["bad", *rows(2001)], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1000, 2002), (2000, 2002), (2002, 2002)]


def test_the_errors_kept_are_bounded_and_the_count_is_whole(works):
    result = read(["x"] * 1500)
    assert (result.refused, len(result.errors)) == (1500, 1000)


def test_the_database_refuses_an_import_that_does_not_add_up(works, rows):
    read(rows(1))
    for change in ({"rows_added": 5}, {"kind": "merchants"}):
        with pytest.raises(IntegrityError, match="ck_import_run"), transaction() as tx:
            tx.execute(update(ImportRun).values(change))


def test_units_are_entered_moved_and_renamed_and_twice_changes_nothing(works):
    def read_units(*lines):
        data = "\n".join(["单位代码,单位名称,上级代码", *lines]).encode("gb18030")
        with transaction() as tx:
            return import_units(tx, file=io.BytesIO(data), file_name="units.csv", by="officer", at=NOON)

    lines = ("g1,甲班,w9", "w9,新车间,p2", "p2,二分厂,xg", "p1,第一分厂,xg", "zz,无上级,nowhere")
    assert counts(read_units(*lines)) == (5, 3, 1, 0, 1)
    before = snapshot()
    assert counts(read_units(*lines)) == (5, 0, 0, 4, 1)
    assert snapshot() == before
    assert counts(read_units("p1,第一分厂,p2")) == (1, 0, 1, 0, 0)
    with transaction() as tx:
        paths = {row.code: row.path for row in tx.execute(select(Unit.code, Unit.path))}
        assert paths["g1"] == ["xg", "p2", "w9", "g1"]
        assert paths["p1-rolling"] == ["xg", "p2", "p1", "p1-rolling"]
        shopper = cards.find_shopper_for_member(tx, member_id=works.member.member_id, at=NOON)
        assert shopper.facts["branch"] == "p2"
        assert [run.kind for run in cards.list_imports(tx)] == ["units"] * 3


@pytest.mark.parametrize(
    ("count", "seconds"), [(3_000, 30), pytest.param(30_000, 60, marks=pytest.mark.prove)], ids=["some", "all"]
)
def test_rows_are_entered_by_the_hundreds_in_a_second(works, rows, count, seconds):
    """30,000 rows within a minute where nothing else runs; few of them on a machine that is busy with other tests."""
    lines = rows(count)
    random.Random(7).shuffle(lines)
    started = time.perf_counter()
    assert read(lines).added == count
    assert time.perf_counter() - started <= seconds
    assert read(lines).same == count
