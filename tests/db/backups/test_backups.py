"""What is backed up comes back whole and proved, or is not called restored; who was erased stays erased."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
from click.testing import Result
from sqlalchemy import text
from typer.testing import CliRunner

from api.cli import app
from api.erased_list import list_path
from api.public_log import log_folder, need_policy, run_round
from api.publishing import publish
from api.receipts import get_receipt
from api.removed_texts import count_unlisted
from api.removed_texts import list_path as removed_path
from api.witness import Watched
from market.kit.database import connect, get_engine, transaction
from market.kit.postgres import Cluster, create_database
from market.kit.postgres_folders import find_programs
from market.kit.settings import Settings, get_settings
from market.oversight.audits import AUDITS
from market.record.log.tiles import list_bundles, list_tiles
from market.record.publishing.served import published_size, record_reader
from market.record.receipts import Keys, parse_receipt, verify_receipt
from tests.life import LATER, NAME, Life, find_everywhere
from tests.stages import drop_database
from tests.world import findings

PLACE = "restored_here"


@pytest.fixture
def run(
    life: Life, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Result]]:
    """The command line, on the database of this test unless another is named."""
    monkeypatch.setenv("HUIGONG_RECORD_FOLDER", str(tmp_path / "record"))

    def call(*words: str, url: str = database_url) -> Result:
        monkeypatch.setenv("HUIGONG_DATABASE_URL", url)
        get_settings.cache_clear()
        return CliRunner().invoke(app, [*words], catch_exceptions=True)

    yield call
    get_settings.cache_clear()
    connect(database_url)


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[str]:
    """The address of a new database."""
    create_database(cluster, PLACE)
    yield cluster.url(PLACE)
    drop_database(cluster, PLACE)


@pytest.fixture
def kit(run: Callable[..., Result], life: Life, tmp_path: Path) -> Mapping[str, str]:
    """A key pair, the log published, and a first backup."""
    run_round(life.settings, at=LATER)
    public = run("key", "backup", str(tmp_path / "key")).stdout.strip()
    files = {"public": public, "key": str(tmp_path / "key")}
    files |= {"file": str(tmp_path / "main.age"), "keys": str(tmp_path / "keys.age")}
    back_up(run, files)
    return files


def back_up(run: Callable[..., Result], kit: Mapping[str, str]) -> Result:
    done = run("backup", "--to", kit["file"], "--keys-to", kit["keys"], "--recipient", kit["public"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "/record: the log's key, what was signed last, the promise key, the erasure list\n" in done.stdout
    return done


def bring_back(run: Callable[..., Result], kit: Mapping[str, str], url: str) -> Result:
    return run("restore", kit["file"], "--keys", kit["keys"], "--identity", kit["key"], url=url)


def everything() -> dict[str, list[str]]:
    """Every row of every table but the runs of verify."""
    with get_engine().connect() as connection:
        tables = connection.execute(
            text("""SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
                 WHERE schemaname NOT IN ('pg_catalog', 'information_schema')""")
        ).scalars()
        return {
            table: sorted(connection.execute(text(f"SELECT to_jsonb(t)::text FROM {table} t")).scalars())
            for table in tables.all()
        }


def tables_in(url: str) -> int:
    with connect(url).connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).scalar_one())


def test_everything_comes_back_and_is_proved(
    run: Callable[..., Result], kit: Mapping[str, str], empty: str, life: Life, database_url: str
) -> None:
    connect(database_url)
    before = everything()
    done = bring_back(run, kit, empty)
    assert done.exit_code == 0, (done.output, done.exception)
    assert done.stdout.splitlines()[-1].startswith("Restored, and proved.")
    assert f"{len(AUDITS)} rules checked." in done.stdout
    assert f"Read beside it, as you brought it back: {life.settings.record_folder}: " in done.stdout
    connect(empty)
    assert everything() == before
    assert len(before["vault.person_key"]) == 2
    connect(empty)
    assert run_round(life.settings, at=LATER + timedelta(hours=1)) is None, "the log goes on where it stood"
    life.mall.world.sell(1600, member=life.person, at=LATER)
    assert findings() == []


def test_the_files_are_sealed_and_the_database_s_holds_no_key(
    run: Callable[..., Result], kit: Mapping[str, str], tmp_path: Path
) -> None:
    raw = Path(kit["file"]).read_bytes()
    assert raw.startswith(b"age-encryption.org/v1\n")
    assert Path(kit["file"]).stat().st_mode & 0o077 == 0
    secret = pyrage.x25519.Identity.from_str(Path(kit["key"]).read_text().splitlines()[-1])
    opened = pyrage.decrypt(raw, [secret])
    head, _, dump = opened.partition(b"\n")
    assert b'"part": "database"' in head
    (tmp_path / "dump").write_bytes(dump)
    listed = subprocess.run(
        [str(find_programs(user=None) / "pg_restore"), "--data-only", "--file=-", str(tmp_path / "dump")],
        capture_output=True,
        check=True,
    ).stdout
    assert b"COPY public.sale" in listed
    assert b"COPY vault" not in listed
    assert NAME.encode() in listed
    assert NAME.encode() not in raw


def test_an_older_backup_does_not_bring_the_erased_back(
    run: Callable[..., Result], kit: Mapping[str, str], empty: str, life: Life, database_url: str, tmp_path: Path
) -> None:
    old_keys = Path(kit["keys"]).read_bytes()
    connect(database_url)
    needles = life.needles()
    life.erase()
    Path(kit["keys"]).write_bytes(old_keys)  # the worst: somebody kept the old keys as well
    done = bring_back(run, kit, empty)
    assert done.exit_code == 0, done.output
    assert "1 persons of the erasure list were erased again." in done.stdout
    connect(empty)
    assert find_everywhere(needles) == {}
    assert len(everything()["vault.person_key"]) == 1
    assert findings() == []


def test_an_older_backup_does_not_bring_a_removed_text_back(
    run: Callable[..., Result], kit: Mapping[str, str], empty: str, life: Life, database_url: str
) -> None:
    connect(database_url)
    with get_engine().connect() as connection:
        public_id, said = connection.execute(
            text(
                "SELECT e.public_id, t.document FROM entry_text t JOIN entry e ON e.id = t.entry_id WHERE e.type = 'budget' LIMIT 1"
            )
        ).one()
    assert run("remove-text", public_id, "--yes").exit_code == 0
    connect(database_url)
    there = removed_path(life.settings)
    listed = there.read_text()
    assert (listed, count_unlisted(life.settings)) == (f"{public_id}\n", 0)
    there.write_text(listed[:-2])
    assert count_unlisted(life.settings) == 1  # a lost list is missed
    there.write_text(listed)
    done = bring_back(run, kit, empty)
    assert done.exit_code == 0, done.output
    assert "1 texts beside entries were removed again." in done.stdout
    connect(empty)
    assert not [row for row in everything()["public.entry_text"] if json.loads(row)["document"] == said]
    assert findings() == []


def test_without_the_list_the_newest_keys_still_hold_no_key_of_the_erased(
    run: Callable[..., Result], kit: Mapping[str, str], empty: str, life: Life, database_url: str
) -> None:
    old = Path(kit["file"]).read_bytes()
    connect(database_url)
    life.erase()
    back_up(run, kit)
    Path(kit["file"]).write_bytes(old)
    list_path(life.settings).unlink()
    done = bring_back(run, kit, empty)
    assert done.exit_code == 1
    assert "keys: 1 members have no key in the vault" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("NOT restored")


def test_a_lost_list_is_missed(
    run: Callable[..., Result], kit: Mapping[str, str], empty: str, life: Life, database_url: str
) -> None:
    connect(database_url)
    life.erase()
    back_up(run, kit)
    list_path(life.settings).unlink()
    done = bring_back(run, kit, empty)
    assert done.exit_code == 1
    assert "erasure list: the backup knew of 1 erasures" in done.stdout


def test_a_backup_older_than_the_log_is_not_called_restored_and_has_a_way_on(
    run: Callable[..., Result], kit: Mapping[str, str], empty: str, life: Life, database_url: str, tmp_path: Path
) -> None:
    """The steps of docs/backup.md: refused, a new name, signed again, and what is served audits clean; nobody's receipt is worth less."""
    connect(database_url)
    at = LATER + timedelta(hours=1)
    lost = life.mall.world.sell(1600, member=life.person, at=LATER).public_id
    run_round(life.settings, at=LATER + timedelta(minutes=5))
    keys = trusted(life.settings)
    kept = get_receipt(life.settings, subject=life.person.subject, public_id=lost)
    done = bring_back(run, kit, empty)
    assert done.exit_code == 1
    assert "Most likely an older backup was restored" in done.stdout
    assert "--after-loss" in done.stdout
    assert "Restored, and proved" not in done.stdout

    connect(empty)
    assert not publish(life.settings, Watched([]))
    since = life.mall.world.sell(2500, member=life.person, at=LATER + timedelta(minutes=6)).public_id
    opened = run("key", "new", "--origin", "test.example/log-2", "--after-loss", url=empty)
    assert opened.exit_code == 0, (opened.output, opened.exception)
    connect(empty)
    early = get_receipt(life.settings, subject=life.person.subject, public_id=since)
    assert verify_receipt(parse_receipt(early.encode()), keys=trusted(life.settings), at=LATER).outcome == "promised"
    assert run_round(life.settings, at=at) is not None
    audited = run("audit", str(write_served(tmp_path / "served")), url=empty)
    assert (audited.exit_code, audited.stdout.splitlines()[-1]) == (0, "0 findings"), audited.output
    assert "it succeeds test.example/log, which lost entries: the first" in audited.stdout
    assert run("key", "new", "--origin", "test.example/log-3", "--after-loss", url=empty).exit_code == 1, (
        "nothing is lost now"
    )

    connect(empty)
    new = trusted(life.settings)
    for public_id in (since, first_sale_of(life)):
        receipt = get_receipt(life.settings, subject=life.person.subject, public_id=public_id)
        assert verify_receipt(parse_receipt(receipt.encode()), keys=new, at=at).outcome == "proved"
    assert verify_receipt(parse_receipt(kept.encode()), keys=keys, at=at).outcome == "proved", (
        "the old log's word holds"
    )
    assert findings() == []


def trusted(settings: Settings) -> Keys:
    """The keys of the log as it is named now."""
    with transaction() as tx:
        policy = need_policy(tx)
    return Keys((policy.log,), (policy.promise,))


def first_sale_of(life: Life) -> str:
    """Published before the backup."""
    with get_engine().connect() as connection:
        return str(
            connection.execute(
                text(
                    "SELECT e.public_id FROM entry e JOIN sale s ON s.public_id = e.public_id WHERE s.subject = :subject ORDER BY e.leaf_index"
                ),
                {"subject": life.person.subject},
            )
            .scalars()
            .first()
        )


def write_served(folder: Path) -> Path:
    """Everything that is served of the record, as files."""
    with transaction() as tx:
        read, size = record_reader(tx), published_size(tx)
        for path in ("checkpoint", "policy", *(tile.path for tile in (*list_tiles(0, size), *list_bundles(0, size)))):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(read(path) or b"")
    return folder


def test_a_lost_shelf_and_another_master_key_are_named(
    run: Callable[..., Result], kit: Mapping[str, str], empty: str, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    (log_folder(life.settings, "test.example/log") / "checkpoint").unlink()
    monkeypatch.setenv("HUIGONG_MASTER_KEY", "another master key that nobody wrapped anything with")
    done = bring_back(run, kit, empty)
    assert done.exit_code == 1
    assert "the last signed checkpoint is not in" in done.stdout
    assert "keys: 2 keys do not open; HUIGONG_MASTER_KEY" in done.stdout


def flip(raw: bytes) -> bytes:
    return raw[: len(raw) // 2] + bytes([raw[len(raw) // 2] ^ 1]) + raw[len(raw) // 2 + 1 :]


def swap(raw: bytes) -> bytes:
    """Two whole chunks of 64 KiB and a tag change places."""
    begin, size = raw.index(b"\n--- ") + 49 + 16, 65_536 + 16
    return raw[:begin] + raw[begin + size : begin + 2 * size] + raw[begin : begin + size] + raw[begin + 2 * size :]


@pytest.mark.parametrize(
    "forge", [flip, swap, lambda raw: raw[:-1], lambda raw: raw[:80_000], lambda raw: raw + b"x", lambda _: b""]
)
def test_a_changed_file_is_refused_before_anything_is_written(
    run: Callable[..., Result], kit: Mapping[str, str], empty: str, forge: Callable[[bytes], bytes]
) -> None:
    raw = Path(kit["file"]).read_bytes()
    assert len(raw) > 3 * 65_552, "there is something to swap"
    Path(kit["file"]).write_bytes(forge(raw))
    done = bring_back(run, kit, empty)
    assert done.exit_code == 1
    assert "does not open" in str(done.exception)
    assert tables_in(empty) == 0


def test_what_was_sealed_well_and_is_no_dump_leaves_the_database_empty(
    run: Callable[..., Result], kit: Mapping[str, str], empty: str
) -> None:
    secret = pyrage.x25519.Identity.from_str(Path(kit["key"]).read_text().splitlines()[-1])
    head, _, dump = pyrage.decrypt(Path(kit["file"]).read_bytes(), [secret]).partition(b"\n")
    for content in (b"no dump at all", dump[: len(dump) // 2]):
        Path(kit["file"]).write_bytes(pyrage.encrypt(head + b"\n" + content, [secret.to_public()]))
        assert "pg_restore did not come to its end" in str(bring_back(run, kit, empty).exception)
        assert tables_in(empty) == 0


def test_another_key_and_the_wrong_file_open_nothing(
    run: Callable[..., Result], kit: Mapping[str, str], empty: str, tmp_path: Path
) -> None:
    run("key", "backup", str(tmp_path / "other"))
    assert "does not open" in str(bring_back(run, {**kit, "key": str(tmp_path / "other")}, empty).exception)
    turned = bring_back(run, {**kit, "file": kit["keys"], "keys": kit["file"]}, empty)
    assert "'database' belongs here" in str(turned.exception)
    Path(kit["key"]).chmod(0o644)
    assert "chmod 600" in str(bring_back(run, kit, empty).exception)
    assert tables_in(empty) == 0


def test_keys_older_than_the_backup_are_refused(run: Callable[..., Result], kit: Mapping[str, str], empty: str) -> None:
    old = Path(kit["keys"]).read_bytes()
    back_up(run, kit)
    Path(kit["keys"]).write_bytes(old)
    assert "take the newest ones" in str(bring_back(run, kit, empty).exception)


def test_only_an_empty_database_takes_a_backup(
    run: Callable[..., Result], kit: Mapping[str, str], database_url: str
) -> None:
    connect(database_url)
    before = everything()
    assert "an empty one only" in str(bring_back(run, kit, database_url).exception)
    connect(database_url)
    assert everything() == before


def test_a_place_that_cannot_be_written_and_a_wrong_recipient_are_said(
    run: Callable[..., Result], kit: Mapping[str, str], tmp_path: Path
) -> None:
    nowhere = {**kit, "file": str(tmp_path / "none" / "x.age")}
    done = run("backup", "--to", nowhere["file"], "--keys-to", kit["keys"], "--recipient", kit["public"])
    assert "cannot be written" in str(done.exception)
    done = run("backup", "--to", kit["file"], "--keys-to", kit["keys"], "--recipient", "age1nobody")
    assert "no public key for backups" in str(done.exception)


def test_killed_in_the_middle_it_leaves_no_file_of_that_name(
    run: Callable[..., Result], kit: Mapping[str, str], life: Life, database_url: str, tmp_path: Path
) -> None:
    connect(database_url)
    target, before = tmp_path / "killed.age", Path(kit["keys"]).read_bytes()
    with get_engine().begin() as connection:  # so much that a backup takes a while
        connection.execute(
            text(
                "INSERT INTO throttle SELECT md5(i::text) || md5(random()::text), now(), 1 FROM generate_series(1, 300000) i"
            )
        )
    command = [sys.executable, "-c", "from api.cli import main; main()", "backup", "--to", str(target)]
    command += ["--keys-to", kit["keys"], "--recipient", kit["public"]]
    environment = {
        **os.environ,
        "HUIGONG_DATABASE_URL": database_url,
        "HUIGONG_RECORD_FOLDER": str(tmp_path / "record"),
    }
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begun = target.with_name("killed.age.part")
    until = time.monotonic() + 60
    while not (begun.exists() and begun.stat().st_size > 1 << 20) and time.monotonic() < until:
        assert process.poll() is None, "it was over before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert begun.exists()
    assert not target.exists()
    assert Path(kit["keys"]).read_bytes() == before
    back_up(run, {**kit, "file": str(target)})
    assert target.exists()
    assert not begun.exists()
