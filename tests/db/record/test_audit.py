"""The audit of a real log: sales, voids and refunds of the noodle shop, sequenced, signed and served as anybody reads them."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
import typer
from sqlalchemy import text
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from api import handing_out, till
from api.app import create_app
from api.commands.audit import audit
from api.public_log import renew_key
from market.kit.database import get_engine, transaction
from market.kit.settings import get_settings
from market.record.auditing.audit import Audited, audit_log
from market.record.log.bundles import decode_bundle
from market.record.log.tiles import Tile, parse_path
from market.record.publishing.closing import close_days
from market.record.publishing.served import record_reader
from tests.db.record.conftest import LATER, OPENED, Log
from tests.mall import Mall
from tests.record_log import copy_record
from tests.world import NOON, World

SIZE = OPENED + 17  # a merchant, a budget opened and granted, three offers, nine sales, two voids
SOON = NOON + timedelta(seconds=2)
REBATE = {"id": "BACK5", "stage": "rebate", "kind": "percent_back", "match": {"merchants": ["m_0001"]}, "rate_bp": 500}


@pytest.fixture
def sold(world: World, log: Log) -> World:
    """Nine sales, two of them voided, published."""
    world.offer(REBATE)
    sales = [world.sell(1_600 + 130 * number, 200) for number in range(9)]
    for sale in sales[:2]:
        till.void_at_till(staff_id=world.staff, sale=sale.public_id, key=f"void-{sale.public_id}", at=SOON)
    log.run()
    return world


def audit_database(**more: bytes) -> Audited:
    """As a nightly job would: inside, without the network."""
    with transaction() as tx:
        return audit_log(record_reader(tx), **more)


def copy_database(folder: Path, size: int) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    with transaction() as tx:
        return copy_record(record_reader(tx), folder, size)


@pytest.fixture
def run() -> Callable[..., Result]:
    cli = typer.Typer()
    cli.command("audit")(audit)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


def test_nothing_is_found_in_what_the_till_wrote(sold: World, log: Log) -> None:
    audited = audit_database()
    assert audited.findings == []
    assert audited.counts == {
        "key": 2,
        "policy": 1,
        "account": 1,
        "merchant": 1,
        "budget": 2,
        "offer": 3,
        "sale": 9,
        "void": 2,
    }
    assert audited.signed == log.published


def test_the_close_of_each_day_is_what_the_entries_lead_to(sold: World, log: Log) -> None:
    tomorrow = NOON + timedelta(days=1)
    sold.sell(2_500, at=tomorrow)
    with transaction() as tx:
        closed = close_days(tx, policy=log.policy, at=tomorrow + timedelta(days=1))
    log.run(tomorrow + timedelta(days=1))
    audited = audit_database()
    assert audited.findings == []
    assert audited.counts["close"] == len(closed) == 2


def test_nothing_is_found_in_orders_that_were_paid_and_taken_back(mall: Mall, log: Log) -> None:
    placed = [detail.order for detail in mall.place({"pot": 3, "bowl": 2, "noodlebox": 1})]
    for order in placed:
        mall.pay(order)
    theirs = next(order for order in placed if order.merchant == "m_0002")
    handing_out.cancel_for_member(mall.provider, staff_id=mall.owner, number=theirs.number, key="broken", at=SOON)
    log.run()
    audited = audit_database()
    assert audited.findings == []
    assert (audited.counts["sale"], audited.counts["refund"]) == (2, 1)


def test_the_app_serves_what_the_audit_reads(sold: World, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUIGONG_DATABASE_URL", database_url)
    get_settings.cache_clear()
    with TestClient(create_app(), follow_redirects=False) as client:

        def read(path: str) -> bytes | None:
            answer = client.get(f"/record/{path}")
            assert answer.status_code in {200, 404}
            return answer.content if answer.status_code == 200 else None

        audited = audit_log(read)
    get_settings.cache_clear()
    assert audited.findings == []
    assert audited.replayed == SIZE


def test_an_auditor_comes_back_with_what_he_kept(
    sold: World, log: Log, tmp_path: Path, run: Callable[..., Result]
) -> None:
    kept = tmp_path / "seen"
    first = run(copy_database(tmp_path / "copy", SIZE), "--keep", kept, "--vkey", log.policy.log.text, "--texts")
    assert (first.exit_code, first.stdout.splitlines()[-1]) == (0, "0 findings")
    assert f"{SIZE} entries signed by test.example/log+" in first.stdout
    assert "0 texts beside entries are those that were hashed, 5 are not served" in first.stdout
    sold.sell(1_000, at=LATER)
    renew_key(log.settings, which="log", at=LATER)
    log.run(LATER + timedelta(minutes=1))
    second = run(copy_database(tmp_path / "copy", SIZE + 3), "--since", kept, "--keep", kept)
    assert (second.exit_code, second.stdout.splitlines()[-1]) == (0, "0 findings")
    assert kept.read_bytes() == (tmp_path / "copy" / "checkpoint").read_bytes()
    with_old_key = run(tmp_path / "copy", "--vkey", log.policy.log.text)
    assert with_old_key.exit_code == 1


def test_a_new_key_holds_from_the_checkpoint_that_covers_its_policy(sold: World, log: Log) -> None:
    for _ in range(8):  # all in one round: by chance another one would come last
        policy = renew_key(log.settings, which="log", at=LATER)
    assert audit_database().findings == [], "the policy that is served is the published one"
    log.run(LATER + timedelta(minutes=1))
    audited = audit_database()
    assert (audited.findings, audited.key) == ([], policy.log)


def test_a_history_written_anew_is_found_by_whoever_kept_a_checkpoint(
    sold: World, log: Log, tmp_path: Path, run: Callable[..., Result]
) -> None:
    (tmp_path / "seen").write_bytes(log.published.note.encode())
    with get_engine().begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM log_checkpoint"))
        connection.execute(text("DELETE FROM log_tile"))
        connection.execute(text("UPDATE entry SET leaf_index = NULL"))
        connection.execute(text("UPDATE log_state SET size = 0"))
    (log.shelf.folder / "checkpoint").unlink()
    log.run()
    copy = copy_database(tmp_path / "copy", SIZE)
    assert run(copy).exit_code == 0, "the new history is right in itself"
    found = run(copy, "--since", tmp_path / "seen", "--keep", tmp_path / "new")
    assert found.exit_code == 1
    assert found.stdout.startswith("consistency: the kept checkpoint: ")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE entry SET body = set_byte(body, 59, get_byte(body, 59) # 1) WHERE leaf_index = 9", 9),
        ("UPDATE log_tile SET hashes = set_byte(hashes, 70, get_byte(hashes, 70) # 1) WHERE level = 0", "hash 2"),
    ],
)
def test_what_was_changed_in_the_database_is_named(sold: World, statement: str, place: int | str) -> None:
    with get_engine().begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement))
    (finding,) = audit_database().findings
    assert finding.rule == "hashes"
    assert finding.leaf_index == place or finding.field == f"tile/0/000.p/{SIZE}, {place}"


def test_a_sale_that_the_books_do_not_bear_out_is_named(sold: World, log: Log) -> None:
    """The operator rewrites an entry before it is published, and publishes it: the log is sound, and the rules speak."""
    with get_engine().begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        sale = sold.sell(2_000, at=LATER)
        connection.execute(
            text(
                "UPDATE entry SET body = convert_to(replace(convert_from(body, 'UTF8'), :old, :new), 'UTF8') WHERE public_id = :id"
            ),
            {"old": f'"paid":{sale.paid_fen}', "new": f'"paid":{sale.paid_fen + 1}', "id": sale.public_id},
        )
    log.run(LATER + timedelta(minutes=1))
    (finding,) = audit_database().findings
    assert (finding.rule, finding.public_id, finding.field) == ("amounts", sale.public_id, "list")


@pytest.mark.parametrize(
    "count", [pytest.param(40, id="some"), pytest.param(1_000, id="many", marks=pytest.mark.prove)]
)
def test_every_flipped_byte_of_a_copy_is_found_where_it_is(sold: World, tmp_path: Path, count: int) -> None:
    copy, rng = copy_database(tmp_path / "copy", SIZE), Random(count)
    files = {str(path.relative_to(copy)): path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    bundle = next(path for path in files if "entries" in path)
    ends, end = [], 0
    for entry in decode_bundle(parse_path(bundle), files[bundle]):
        end += 2 + len(entry)
        ends.append(end)
    for _ in range(count):
        path = rng.choice(sorted(files))
        at = rng.randrange(len(files[path]))
        changed = bytearray(files[path])
        changed[at] ^= rng.randrange(1, 256)
        (finding, *more) = audit_log({**files, path: bytes(changed)}.get).findings
        if path == bundle:
            assert (finding.leaf_index, finding.field, more) == (sum(end <= at for end in ends), path, [])
        elif path.startswith("tile/"):
            assert (finding.field, more) == (f"{path}, hash {at // 32}", [])
        elif path == "checkpoint":
            assert (finding.field, more) == (path, [])


def test_nothing_served_names_what_is_not_published(sold: World) -> None:
    sold.sell(1_000, at=LATER)
    with transaction() as tx:
        assert record_reader(tx)(Tile(None, 0, SIZE + 1).path) is None
    assert audit_database().findings == []
