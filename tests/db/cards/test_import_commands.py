"""`huigong import …` as it is typed: what it prints, what it writes, and its exit code."""

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

import merchants
from api.cli import app
from cards.models import ImportRun, Member, Unit
from market.kit.database import connect, disconnect, transaction
from market.kit.errors import DomainError
from market.kit.settings import get_settings
from market.kit.workbook import write_workbook
from merchants.models import Shop


@pytest.fixture
def huigong(database_url, monkeypatch, tmp_path):
    """Type a command on a file of these contents: `huigong("units", bytes)`."""
    monkeypatch.setenv("HUIGONG_DATABASE_URL", database_url)
    get_settings.cache_clear()

    def run(kind, data, *more):
        path = tmp_path / "file.csv"
        path.write_bytes(data)
        return CliRunner().invoke(app, ["import", kind, str(path), *more])

    yield run
    disconnect()
    get_settings.cache_clear()


UNITS = "单位代码,单位名称,上级代码\nxg,新钢,\np1,一分厂,xg\n".encode("gb18030")
MEMBERS = "工号,姓名,手机,身份证号,单位代码,备注\n1,王建国,,11010519491231002X,p1,x\n2,李四,,110105194912310021,p1,x\n".encode()
MERCHANTS = "商户代码,商户名称,统一社会信用代码,类别,门店代码,门店名称,地址\nm_1,面馆,91110000600037341L,food,s_1,面馆,一街\n".encode()


def test_the_three_files_go_in(huigong, database_url):
    units, members, firms = huigong("units", UNITS), huigong("members", MEMBERS), huigong("merchants", MERCHANTS)
    assert "2 rows: 2 added, 0 changed, 0 the same, 0 refused." in units.output
    assert units.exit_code == firms.exit_code == 0
    assert members.stdout.splitlines() == ["row 3, national_id: check digit wrong"]
    assert "Columns nobody asked for: 备注" in members.output
    assert "2 rows: 1 added, 0 changed, 0 the same, 1 refused." in members.output
    assert members.exit_code == 1
    assert "110105194912310021" not in members.output
    again = huigong("units", UNITS)
    assert "2 rows: 0 added, 0 changed, 2 the same, 0 refused." in again.output
    connect(database_url)
    with transaction() as tx:
        counted = [tx.scalar(select(func.count()).select_from(table)) for table in (Unit, Member, Shop, ImportRun)]
        assert counted == [2, 1, 1, 3]
        assert all(by.endswith(" (command line)") for by in tx.scalars(select(ImportRun.by)))


@pytest.mark.parametrize("kind", ["units", "members", "merchants"])
def test_a_broken_file_is_a_refusal_that_the_command_line_prints_in_a_sentence(huigong, kind):
    result = huigong(kind, b"PK\x03\x04")
    assert isinstance(result.exception, DomainError)
    assert result.exception.code == "FILE_NOT_TEXT"


def test_a_file_that_is_not_there_is_said_so(huigong):
    result = CliRunner().invoke(app, ["import", "members", "nowhere.csv"])
    assert result.exit_code == 2
    assert "does not exist" in result.output


GOODS = "商品编码,名称,类别,货号,标价,交付方式,状态\np1,电饭煲,appliance,p1-w,199,送货,上架\np2,炒锅,appliance,p2-w,x,送货,上架\n"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_merchants_products_go_in_by_the_code_of_the_owners_page(huigong, database_url, kind):
    huigong("merchants", MERCHANTS)
    rows = [line.split(",") for line in GOODS.splitlines()]
    content = GOODS.encode("gb18030") if kind == "csv" else write_workbook("goods", rows[0], rows[1:])
    done = huigong("catalogue", content, "--merchant", "m_1")
    assert done.stdout.splitlines() == ["row 3, price: is not of the expected form"]
    assert "2 rows: 1 added, 0 changed, 0 the same, 1 refused." in done.output
    assert done.exit_code == 1
    right = "\n".join(GOODS.splitlines()[:2]).encode()
    again = huigong("catalogue", right, "--merchant", "m_1")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "1 rows: 0 added, 0 changed, 1 the same, 0 refused." in again.output
    connect(database_url)
    with transaction() as tx:
        found = merchants.find_product(tx, merchant="m_1", code="p1")
        assert (found.state, found.price_fen, found.handover) == ("listed", 199_00, "delivery")
        assert merchants.find_product(tx, merchant="m_1", code="p2") is None


def test_products_of_nobody_and_files_of_nothing_are_refused_in_a_sentence(huigong):
    huigong("merchants", MERCHANTS)
    unknown = huigong("catalogue", GOODS.encode(), "--merchant", "m_2")
    assert isinstance(unknown.exception, DomainError)
    assert unknown.exception.code == "MERCHANT_UNKNOWN"
    empty = huigong("catalogue", b"", "--merchant", "m_1")
    assert isinstance(empty.exception, DomainError)
    assert huigong("catalogue", GOODS.encode()).exit_code == 2, "whose products are they?"
