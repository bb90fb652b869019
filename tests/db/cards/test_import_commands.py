"""`huigong import …` as it is typed: what it prints, what it writes, and its exit code."""

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from api.cli import app
from cards.models import ImportRun, Member, Unit
from market.kit.database import connect, disconnect, transaction
from market.kit.errors import DomainError
from market.kit.settings import get_settings
from merchants.models import Shop


@pytest.fixture
def huigong(database_url, monkeypatch, tmp_path):
    """Type a command on a file of these contents: `huigong("units", bytes)`."""
    monkeypatch.setenv("HUIGONG_DATABASE_URL", database_url)
    get_settings.cache_clear()

    def run(kind, data):
        path = tmp_path / "file.csv"
        path.write_bytes(data)
        return CliRunner().invoke(app, ["import", kind, str(path)])

    yield run
    disconnect()
    get_settings.cache_clear()


UNITS = "单位代码,单位名称,上级代码\nxg,新钢,\np1,一分厂,xg\n".encode("gb18030")
MEMBERS = "工号,姓名,手机,身份证号,单位代码,备注\n1,王建国,,11010519491231002X,p1,x\n2,李四,,110105194912310021,p1,x\n".encode()
MERCHANTS = "商户代码,商户名称,统一社会信用代码,类别,门店代码,门店名称,地址\nm_1,面馆,91110000600037341L,food,s_1,面馆,一街\n".encode()


def test_the_three_files_go_in(huigong, database_url):
    units, members, merchants = huigong("units", UNITS), huigong("members", MEMBERS), huigong("merchants", MERCHANTS)
    assert "2 rows: 2 added, 0 changed, 0 the same, 0 refused." in units.output
    assert units.exit_code == merchants.exit_code == 0
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
