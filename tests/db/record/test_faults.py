"""One byte is flipped where it is stored: in the database, on the shelf, in a receipt. The project's own commands find it and say where."""

import io
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest
import typer
from rich.console import Console
from sqlalchemy import text
from typer.testing import CliRunner

from api.commands.audit import audit
from api.commands.verify import run_audits
from api.commands.verify_receipt import verify_receipt_file
from api.public_log import log_folder, run_round
from api.receipts import ReceiptDamagedError, get_receipt
from market.kit.canonical import canonical_json
from market.kit.database import get_engine, transaction
from market.kit.errors import DomainError
from market.record.log.errors import MalformedError
from market.record.log.tiles import Tile
from market.record.operations import publish_event
from market.record.publishing.keyring import KeyFileError
from market.record.publishing.served import record_reader
from tests.db.record.chemist import MONTH_OVER, Chemist, ask
from tests.record_log import copy_record
from tests.world import NOON

AGAIN = MONTH_OVER + timedelta(minutes=5)
_CLI = {"audit": audit, "receipt": verify_receipt_file}


@dataclass(frozen=True)
class Cell:
    """Bytes that lie in a column of a row."""

    table: str
    column: str
    where: str

    def read(self) -> bytes:
        [(data,)] = ask(f"SELECT {self.column} FROM {self.table} WHERE {self.where}")
        return bytes(data)

    def write(self, data: bytes) -> None:
        """Past the triggers, as whoever holds the disk would."""
        with get_engine().begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            done = connection.execute(
                text(f"UPDATE {self.table} SET {self.column} = :data WHERE {self.where}"),
                {"data": data},
            )
        assert done.rowcount == 1


@dataclass(frozen=True)
class OnDisk:
    """A file of its own."""

    path: Path

    def read(self) -> bytes:
        return self.path.read_bytes()

    def write(self, data: bytes) -> None:
        self.path.write_bytes(data)


Stored = Cell | OnDisk


@pytest.fixture
def sold(shop: Chemist) -> Chemist:
    """Three rounds of publication: a first full tile, a second level, a month's batch, returns, several checkpoints."""
    for number in range(6):
        shop.sell(1_000 + 130 * number, at=NOON + timedelta(minutes=number), noodles=True)
    shop.publish(NOON + timedelta(minutes=20))
    with transaction() as tx:
        for n in range(280):
            action = ("appointed", "ended")[n % 2]
            publish_event(tx, kind="post", fields={"action": action, "post": "officer", "unit": "xg"}, at=NOON)
    shop.sell_many(6, at=NOON + timedelta(minutes=30))
    shop.publish(NOON + timedelta(hours=1))
    shop.publish(MONTH_OVER)
    return shop


class Desk:
    """What the operator, an auditor and a member have at hand."""

    def __init__(self, shop: Chemist, folder: Path) -> None:
        self.shop, self.folder, self.runner = shop, folder, CliRunner()
        self.vkeys = ("--vkey", shop.policy.log.text, "--vkey", shop.policy.promise.text)
        self.size = len(ask("SELECT 1 FROM entry WHERE leaf_index IS NOT NULL"))

    def run(self, name: str, *words: object) -> tuple[int, str]:
        cli = typer.Typer()
        cli.command()(_CLI[name])
        done = self.runner.invoke(cli, [str(word) for word in words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    def audit(self) -> tuple[int, str]:
        """`huigong audit` over a copy made now."""
        with transaction() as tx:
            copy = copy_record(record_reader(tx), self.folder / "copy", self.size)
        return self.run("audit", copy, *self.vkeys[:2])

    def sequence(self) -> str:
        """What the sequencer says in its next round; nothing where it goes on."""
        try:
            run_round(self.shop.settings, at=AGAIN)
        except (DomainError, KeyFileError, MalformedError) as error:  # what `huigong sequencer` says in a sentence
            return f"{type(error).__name__}: {error}"
        return ""

    def verify(self) -> list[str]:
        """`huigong verify`."""
        found, _ = run_audits(Console(file=io.StringIO()))
        return [f"{one.rule}: {one.subject}: {one.problem}" for one in found]

    def fields_of(self, data: bytes) -> Callable[[int], str]:
        """Of each byte of a receipt what has to be said of it: its field, or how far the file can be read."""
        spans, begin = [], 1
        for name, value in json.loads(data).items():
            end = begin + len(canonical_json({name: value})) - 1
            spans.append((end, name))
            begin = end

        def told(at: int) -> str:
            name = next((name for end, name in spans if at < end), spans[-1][1])
            if name == "entry":
                name = "(entry|leaf)"  # which of the two was changed cannot be told
            return rf"^{name}\b.*differs|: {name}\b|there is no such field|from byte"

        return told

    def check_receipt(self, data: bytes) -> tuple[int, str]:
        file = self.folder / "receipt.json"
        file.write_bytes(data)
        return self.run("receipt", file, *self.vkeys)

    def receipt(self, sale: str) -> bytes:
        """The receipt as it is made now from what is stored."""
        subject = self.shop.world.members[0].subject
        return get_receipt(self.shop.settings, subject=subject, public_id=sale).encode()

    def receipt_says(self, sale: str) -> str:
        """`huigong verify receipt` of it, or why there is none."""
        try:
            return self.check_receipt(self.receipt(sale))[1]
        except ReceiptDamagedError as error:
            return str(error)


@pytest.fixture
def desk(sold: Chemist, tmp_path: Path) -> Desk:
    return Desk(sold, tmp_path)


@dataclass(frozen=True)
class Fault:
    """Something that may be damaged; `found` answers what the commands said, and where that has to be told."""

    kind: str
    stored: Stored
    says: Callable[[], str]
    told: Callable[[int], str]


def flip(stored: Stored, rng: Random) -> tuple[int, bytes]:
    """Change some bits of one byte; which one, and what stood there before."""
    before = stored.read()
    at = rng.randrange(len(before))
    changed = bytearray(before)
    changed[at] ^= rng.randrange(1, 256)
    stored.write(bytes(changed))
    return at, before


class Faults:
    """Everything of the record that is kept somewhere, each with the command that has to name it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.all: list[Fault] = []
        for add in (self.add_entries, self.add_batched, self.add_tiles, self.add_checkpoints, self.add_receipts):
            add()
        self.kinds = sorted({fault.kind for fault in self.all})

    def choose(self, rng: Random, number: int) -> Fault:
        """All kinds in turn."""
        kind = self.kinds[number % len(self.kinds)]
        return rng.choice([each for each in self.all if each.kind == kind])

    def audited(self) -> str:
        return self.desk.audit()[1]

    def verified(self) -> str:
        return "\n".join(self.desk.verify())

    def add(self, kind: str, stored: Stored, says: Callable[[], str], told: str | Callable[[int], str]) -> None:
        self.all.append(Fault(kind, stored, says, told if callable(told) else lambda _: told))

    def add_entries(self) -> None:
        for leaf, kind, id_ in ask("SELECT leaf_index, type, id FROM entry WHERE leaf_index IS NOT NULL"):
            # The newest policy is also served by itself, and read first.
            place = "^policy: policy: |entry 2, " if kind == "policy" else f"^hashes: entry {leaf}, tile/entries/"
            self.add("entry", Cell("entry", "body", f"id = '{id_}'"), self.audited, place)

    def add_batched(self) -> None:
        for id_, sale, batch in ask(
            "SELECT e.id, e.public_id, b.public_id FROM entry e JOIN entry b ON b.id = e.batch_id WHERE e.type = 'sale'"
        ):
            stored = Cell("entry", "body", f"id = '{id_}'")
            self.add("entry in a batch", stored, self.verified, f"^batches: batch {batch}: its sums or its root")
            receipt = partial(self.desk.receipt_says, sale)
            self.add("entry in a batch", stored, receipt, r"^(entry|batch\.path) differs|\(entry\)")

    def add_tiles(self) -> None:
        for level, index, width in ask("SELECT level, index, octet_length(hashes) / 32 FROM log_tile"):
            stored = Cell("log_tile", "hashes", f"level = {level} AND index = {index}")
            path = Tile(level, index, width).path
            self.add("tile", stored, self.audited, lambda at, path=path: f"^hashes: {path}, hash {at // 32}: ")

    def add_checkpoints(self) -> None:
        for (size,) in ask("SELECT size FROM log_checkpoint"):
            for column in ("note", "root"):
                stored = Cell("log_checkpoint", column, f"size = {size}")
                self.add(f"checkpoint, {column}", stored, self.verified, f"^log: checkpoint {size}: ")
        newest = Cell("log_checkpoint", "note", f"size = {self.desk.size}")
        self.add("newest checkpoint", newest, self.audited, "^signature: checkpoint: ")
        self.add("newest checkpoint", newest, self.desk.sequence, r"^LogDamagedError: .*\(database\)")
        folder = log_folder(self.desk.shop.settings, self.desk.shop.policy.origin)
        self.add("shelf", OnDisk(folder / "checkpoint"), self.desk.sequence, r"^LogDamagedError: .*\(shelf\)")
        [key] = folder.glob("log-*.skey")
        self.add("log key", OnDisk(key), self.desk.sequence, f"^KeyFileError: {re.escape(str(key))} ")

    def add_receipts(self) -> None:
        for id_, sale in ask(
            "SELECT s.id, s.public_id FROM sale s JOIN entry e ON e.id = s.entry_id ORDER BY e.is_batched, e.id"
        ):
            for column in ("basket", "facts"):
                stored, told = Cell("sale", column, f"id = '{id_}'"), rf"documents\.{column} differs|\({column}\)"
                self.add("stored of a receipt", stored, partial(self.desk.receipt_says, sale), told)
            file = OnDisk(self.desk.folder / f"{sale}.json")
            file.write(self.desk.receipt(sale))
            fields = self.desk.fields_of(file.read())
            self.add("receipt", file, lambda file=file: self.desk.check_receipt(file.read())[1], fields)


@pytest.mark.parametrize(
    "count", [pytest.param(100, id="some"), pytest.param(1_000, id="many", marks=pytest.mark.prove)]
)
def test_every_byte_that_is_flipped_where_it_is_stored_is_found_and_located(desk: Desk, count: int) -> None:
    assert (desk.audit()[0], desk.sequence(), desk.verify()) == (0, "", [])
    rng, faults = Random(count), Faults(desk)
    told: Counter[str] = Counter()
    missed = []
    for number in range(count):
        fault = faults.choose(rng, number)
        at, before = flip(fault.stored, rng)
        try:
            said = fault.says()
        finally:
            fault.stored.write(before)
        if re.search(fault.told(at), said, re.MULTILINE):
            told[fault.kind] += 1
        else:
            missed.append((fault.kind, at, before[max(0, at - 12) : at + 4], said))
    assert missed == [], "\n".join(map(repr, missed))
    assert (told.total(), set(told)) == (count, set(faults.kinds))
    assert (desk.audit()[0], desk.sequence(), desk.verify()) == (0, "", []), "all was put back"
