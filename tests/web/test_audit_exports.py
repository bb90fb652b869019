"""Exports opened by other programs: DuckDB, sha256sum, a reader of workbooks. What they hold is what the test's own SQL says."""

import hashlib
import io
import json
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text
from starlette.testclient import TestClient

from api import record_exports
from api.export_files import Form
from api.record_exports import begin_export, pack_export
from market.kit.clock import now
from market.kit.database import get_engine, transaction
from market.oversight.entry_search import Wanted
from market.record.log.checkpoints import open_checkpoint
from tests.web.ledger import Ledger, ask

Enter = Callable[[str], TestClient]
FORMS = {
    "jsonl": "entries.jsonl",
    "csv": "entries.csv",
    "accounting": "postings.csv",
    "parquet": "entries.parquet",
    "xlsx": "entries.xlsx",
}


def fetch(client: TestClient, form: str, query: str = "") -> zipfile.ZipFile:
    answer = client.get(f"/audit/exports/{form}.zip?{query}")
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


def unpack(client: TestClient, form: str, folder: Path, query: str = "") -> str:
    """The path of the data, unpacked beside all else."""
    fetch(client, form, query).extractall(folder)
    return str(folder / FORMS[form])


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it stands there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def spread(ledger: Ledger) -> None:
    """More entries than one read takes, most of them without money, published."""
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO entry (id, public_id, type, day, merchant, body, created_at) SELECT gen_random_uuid(), md5(n::text), 'sale',"
                " date '2026-11-01' + n % 30, 'm_0001', convert_to(json_build_object('type', 'sale', 'id', md5(n::text), 'list', n,"
                " 'concession', 1, 'subsidy', n % 7, 'paid', n - 1 - n % 7, 'rebate_member', 0, 'rebate_union', 0, 'offers', '[]'::json,"
                " 'transfers', CASE WHEN n % 7 = 0 THEN '[]'::json ELSE json_build_array(json_build_array('budget:lunch', 'payable:m_0001',"
                " n % 7)) END)::text, 'UTF8'), now() - interval '1 hour' FROM generate_series(10, 1309) AS n"
            )
        )
    ledger.publish()


# What the entries say, past the code: one row for each transfer, one for each purchase or return.
_SAID = "(SELECT leaf_index, type, day, convert_from(body, 'UTF8')::jsonb AS body FROM entry WHERE leaf_index IS NOT NULL) AS e"
SUMS = (
    "SELECT type, count(*)::int, coalesce(sum((body->>'list')::bigint), 0)::int, coalesce(sum((body->>'subsidy')::bigint), 0)::int"
    f" FROM {_SAID} GROUP BY type ORDER BY type"
)
POSTED = (
    "SELECT move->>0, move->>1, count(*)::int, sum((move->>2)::bigint)::int"
    f" FROM {_SAID}, jsonb_array_elements(body->'transfers') AS move GROUP BY 1, 2 ORDER BY 1, 2"
)


def test_duckdb_reads_the_sums_of_the_ledger(enter: Enter, sold: Ledger, tmp_path: Path) -> None:
    spread(sold)
    client = enter("auditor")
    for form in ("parquet", "csv", "jsonl"):
        check_sums(form, unpack(client, form, tmp_path / form))


def check_sums(form: str, path: str) -> None:
    reader = {"parquet": "read_parquet", "csv": "read_csv", "jsonl": "read_json"}[form]
    source = f"{reader}('{path}')"
    columns = '"type", count(*)::int, coalesce(sum(list), 0)::int, coalesce(sum(subsidy), 0)::int'
    with duckdb.connect() as duck:
        assert duck.sql(f'SELECT {columns} FROM {source} GROUP BY "type" ORDER BY "type"').fetchall() == ask(SUMS)
        if form == "parquet":
            moves = (
                "SELECT move.debit, move.credit, count(*)::int, sum(move.fen)::int"
                f" FROM (SELECT unnest(transfers) AS move FROM {source}) GROUP BY 1, 2 ORDER BY 1, 2"
            )
            assert duck.sql(moves).fetchall() == ask(POSTED)
            borne = f"SELECT sum(o.fen)::int FROM (SELECT unnest(offers) AS o FROM {source}) WHERE o.offer = 'NOODLE10'"
            assert duck.sql(borne).fetchall() == [(160 + 270 + 333,)]
            assert {str(kind) for kind in duck.sql(f"SELECT day, leaf_index, list FROM {source}").types} == {
                "DATE",
                "BIGINT",
            }
        if form != "jsonl":
            rows = duck.sql(f"SELECT leaf_index, entry FROM {source} ORDER BY leaf_index").fetchall()
            assert [(n, body.encode()) for n, body in rows] == [
                (n, bytes(body)) for n, body in ask("SELECT leaf_index, body FROM entry ORDER BY leaf_index")
            ]


def test_duckdb_reads_the_postings(enter: Enter, sold: Ledger, tmp_path: Path) -> None:
    spread(sold)
    path = unpack(enter("auditor"), "accounting", tmp_path)
    with duckdb.connect() as duck:
        sums = f"SELECT debit, credit, count(*)::int, sum(fen)::int FROM read_csv('{path}') GROUP BY 1, 2 ORDER BY 1, 2"
        assert duck.sql(sums).fetchall() == ask(POSTED)
        due = f"SELECT sum(fen)::int FROM read_csv('{path}') WHERE type = 'sale' AND credit = 'rebates:union'"
        (books,) = ask("SELECT sum(amount_fen)::int FROM transfer WHERE credit = 'rebates:union'")
        assert duck.sql(due).fetchall() == [books], "the entries say what the books hold"


def test_a_workbook_has_entries_and_postings(enter: Enter, sold: Ledger, tmp_path: Path) -> None:
    spread(sold)
    path = unpack(enter("auditor"), "xlsx", tmp_path)
    with CalamineWorkbook.from_path(path) as book:
        assert book.sheet_names == ["export", "entries", "postings"]
        about = {row[0]: row[1] for row in book.get_sheet_by_name("export").to_python()}
        head, *entries = book.get_sheet_by_name("entries").to_python()
        posting_head, *postings = book.get_sheet_by_name("postings").to_python()
    (size,) = ask("SELECT count(*)::int FROM entry")[0]
    assert about["origin"] == "test.example/log"
    assert about["size"] == str(size)
    assert len(entries) == size
    by_type: dict[Any, list[int]] = {}
    for row in entries:
        said = dict(zip(head, row, strict=True))
        sums = by_type.setdefault(said["type"], [0, 0, 0])
        for at, fen in enumerate((1, int(said["list"] or 0), int(said["subsidy"] or 0))):
            sums[at] += fen
    assert sorted((kind, *sums) for kind, sums in by_type.items()) == ask(SUMS)
    moved: dict[tuple[Any, Any], list[int]] = {}
    for row in postings:
        said = dict(zip(posting_head, row, strict=True))
        sums = moved.setdefault((said["debit"], said["credit"]), [0, 0])
        sums[0] += 1
        sums[1] += int(said["fen"])
    assert sorted((*pair, *sums) for pair, sums in moved.items()) == ask(POSTED)


def test_a_full_sheet_goes_on_in_another(
    enter: Enter, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread(ledger)
    monkeypatch.setattr("api.export_files.SHEET_ROWS", 500)
    path = unpack(enter("auditor"), "xlsx", tmp_path)
    with CalamineWorkbook.from_path(path) as book:
        names = ["entries", "postings", "entries 2", "postings 2", "entries 3", "postings 3"]
        assert book.sheet_names == ["export", *names]
        sheets = [book.get_sheet_by_name(name).to_python() for name in ("entries", "entries 2", "entries 3")]
    assert [sheet[0][0] for sheet in sheets] == ["leaf_index"] * 3
    places = [int(row[0]) for sheet in sheets for row in sheet[1:]]
    assert places == list(range(len(places)))


def test_the_lines_are_the_exact_entries_and_lead_to_the_root(enter: Enter, sold: Ledger) -> None:
    spread(sold)
    archive = fetch(enter("auditor"), "jsonl")
    lines = archive.read("entries.jsonl").splitlines()
    signed = open_checkpoint(archive.read("checkpoint"), key=sold.policy.log, origin="test.example/log")
    assert len(lines) == signed.checkpoint.size
    assert root_of([hashlib.sha256(b"\0" + line).digest() for line in lines]) == signed.checkpoint.root
    said = json.loads(archive.read("export.json"))
    assert said["origin"] == "test.example/log"
    assert said["size"] == said["entries"] == len(lines)


def test_sha256sum_finds_every_file_as_it_was_written(enter: Enter, sold: Ledger, tmp_path: Path) -> None:
    sold.publish()
    client = enter("auditor")
    for form in FORMS:
        path = Path(unpack(client, form, tmp_path / form))
        check = ["sha256sum", "--strict", "-c", "SHA256SUMS"]
        done = subprocess.run(check, cwd=path.parent, capture_output=True, text=True, check=True)
        assert set(done.stdout.splitlines()) == {f"{each}: OK" for each in ("checkpoint", "export.json", path.name)}
        flipped = bytearray(path.read_bytes())
        flipped[len(flipped) // 2] ^= 1
        path.write_bytes(flipped)
        assert subprocess.run(check, cwd=path.parent, capture_output=True, check=False).returncode == 1


def test_only_what_the_checkpoint_covers_and_the_filter_lets_through(enter: Enter, sold: Ledger) -> None:
    client = enter("auditor")
    assert client.get("/audit/exports/jsonl.zip").status_code == 409, "there is no checkpoint to name"
    sold.publish()
    late = sold.sell(4400, "sale-4400")
    archive = fetch(client, "jsonl", "type=sale&least=20&most=40")
    ids = [json.loads(line)["id"] for line in archive.read("entries.jsonl").splitlines()]
    wanted = ask(
        "SELECT e.public_id FROM entry e JOIN sale s ON s.entry_id = e.id"
        " WHERE s.list_fen BETWEEN 2000 AND 4000 AND e.leaf_index IS NOT NULL ORDER BY e.leaf_index"
    )
    assert [(each,) for each in ids] == wanted
    assert len(ids) == 2
    assert json.loads(archive.read("export.json"))["filter"] == {
        "type": "sale",
        "least_fen": 2000,
        "most_fen": 4000,
        "amount": "list",
    }
    assert late not in fetch(client, "csv").read("entries.csv").decode()
    with transaction() as tx:  # it has a place by now, and is not signed for
        tx.execute(
            text("UPDATE entry SET leaf_index = (SELECT max(leaf_index) + 1 FROM entry) WHERE public_id = :id"),
            {"id": late},
        )
    assert late not in fetch(client, "csv").read("entries.csv").decode()
    assert fetch(client, "jsonl", "state=waiting").read("entries.jsonl") == b""


def test_what_is_published_meanwhile_does_not_come_in_and_changes_no_state(sold: Ledger, client: TestClient) -> None:
    spread(sold)
    (first,) = ask("SELECT public_id FROM sale ORDER BY id OFFSET 1 LIMIT 1")[0]
    asked = begin_export("csv", Wanted())
    parts = pack_export(asked)
    whole = next(parts)
    sold.refund(first, "back-0002")
    sold.publish()
    assert ask("SELECT count(*) FROM entry_index WHERE back_leaf IS NOT NULL") == [(2,)]
    whole += b"".join(parts)
    again = b"".join(pack_export(asked))
    assert whole == again, "the same checkpoint, the same bytes, whatever came since"
    table = zipfile.ZipFile(io.BytesIO(whole)).read("entries.csv").decode("utf-8-sig")
    (row,) = [line for line in table.splitlines() if f",{first},sale," in line]
    assert ",done," in row
    now_said = b"".join(pack_export(begin_export("csv", Wanted())))
    (row,) = [
        line
        for line in zipfile.ZipFile(io.BytesIO(now_said)).read("entries.csv").decode("utf-8-sig").splitlines()
        if f",{first},sale," in line
    ]
    assert ",done," not in row


def test_a_reader_who_takes_his_time_holds_no_transaction(
    sold: Ledger, client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spread(sold)
    for form in cast("tuple[Form, ...]", tuple(FORMS)):
        parts = pack_export(begin_export(form, Wanted()))
        for _ in range(3):
            next(parts)
            busy = ask(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend' AND state <> 'idle'"
            )
            assert busy == [(0,)]
        parts.close()
        assert get_engine().pool.checkedout() == 0  # type: ignore[attr-defined]
    assert list(tmp_path.glob("huigong-export-*")) == []


def test_no_cell_is_a_formula(enter: Enter, ledger: Ledger, tmp_path: Path) -> None:
    risky = ("=1+1", "+1", "-1", "@x", "\tx", "\rx")
    for word in risky:
        ledger.write("sale", on=date(2026, 11, 1), merchant="m_0001", channel=word, tender=word, of=word)
    ledger.publish()
    client = enter("auditor")
    table = fetch(client, "csv").read("entries.csv")
    assert table.startswith(b"\xef\xbb\xbf")
    with duckdb.connect() as duck:
        path = unpack(client, "csv", tmp_path)
        rows = duck.sql(
            f"SELECT channel, tender FROM read_csv('{path}', all_varchar = true) WHERE \"type\" = 'sale'"
        ).fetchall()
    assert sorted(rows) == sorted((f"'{word}", f"'{word}") for word in risky)
    sheet = zipfile.ZipFile(io.BytesIO(fetch(client, "xlsx").read("entries.xlsx")))
    for name in sheet.namelist():
        assert b"<f>" not in sheet.read(name), name


def test_an_export_breaks_off_as_no_zip_when_the_database_fails(
    sold: Ledger, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold.publish()
    parts = pack_export(begin_export("jsonl", Wanted()))
    sent = next(parts)
    with get_engine().begin() as connection:
        connection.execute(text("ALTER TABLE entry_index RENAME TO gone"))
    with pytest.raises(Exception, match="entry_index"):
        list(parts)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(sent))


def test_the_command_writes_the_same_file(enter: Enter, sold: Ledger, tmp_path: Path) -> None:
    sold.publish(now())
    asked = begin_export("csv", Wanted(kind="sale"))
    to = tmp_path / "sales.zip"
    record_exports.write_export(asked, to, progress=lambda _: None)
    answer = enter("auditor").get("/audit/exports/csv.zip?type=sale")
    assert to.read_bytes() == answer.content
    assert [each.name for each in tmp_path.glob("sales*")] == ["sales.zip"]
