"""Files of units and members. A wrong row is refused by row and column and stops no right row; a file read twice changes nothing.

Members go in by batches, each its own short transaction, so that no till waits for a long file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from cards import member_file, unit_file
from cards.keys import seal_national_id
from cards.member_file import PersonRow
from cards.models import ImportRun, Member, Unit
from cards.operations import NewMember, insert_members, lock_register
from cards.unit_file import PlacedUnit
from market.kit.csv_file import CsvFile, Progress, RowError, read_csv
from market.kit.database import transaction
from market.kit.ids import new_id

BATCH_ROWS = 1000
ERRORS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, in rows of the file. `errors` are the first thousand; `ignored` are headers nobody asked for."""

    run_id: UUID
    rows_read: int
    added: int
    changed: int
    same: int
    refused: int
    errors: tuple[RowError, ...]
    ignored: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    added: int = 0
    changed: int = 0
    same: int = 0
    errors: list[RowError] = field(default_factory=list)


def import_members(
    file: BinaryIO, *, file_name: str, by: str, at: datetime, progress: Progress | None = None
) -> ImportResult:
    """Enter the members of a CSV file, or change what differs of those who are there; `by` names who does it.

    Call it outside a transaction. Raises the errors of `market.kit.csv_file` for a file that is none, before any effect.
    """
    table = read_csv(file, columns=member_file.COLUMNS)
    tally = _Tally()
    batch: list[PersonRow] = []
    for done, person in enumerate(member_file.read_people(table, tally.errors), start=1):
        if person is not None:
            batch.append(person)
        if done % BATCH_ROWS == 0 or done == table.rows_count:
            _write(batch, tally, at)
            batch.clear()
            if progress is not None:
                progress(done, table.rows_count)
    with transaction() as tx:
        return _keep_run(tx, table, tally, kind="members", file_name=file_name, by=by, at=at)


def import_units(tx: Session, *, file: BinaryIO, file_name: str, by: str, at: datetime) -> ImportResult:
    """Enter the units of a CSV file, in any order, or rename and move those that are there, with all below them.

    Raises the errors of `market.kit.csv_file` for a file that is none.
    """
    table = read_csv(file, columns=unit_file.COLUMNS)
    tally = _Tally()
    lock_register(tx)
    found = tx.execute(select(Unit.code, Unit.id, Unit.name, Unit.path)).all()
    before = {row.code: PlacedUnit(row.name, tuple(row.path)) for row in found}
    wanted = unit_file.read_units(table, tally.errors)
    after = unit_file.place_units(before, wanted, tally.errors)
    ids = {row.code: row.id for row in found} | {code: new_id() for code in after if code not in before}
    rows = [
        {
            "id": ids[code],
            "code": code,
            "name": unit.name,
            "parent_id": ids[unit.parent_code] if unit.parent_code else None,
            "path": list(unit.path),
        }
        for code, unit in sorted(after.items(), key=lambda item: len(item[1].path))  # parents first
        if before.get(code) != unit
    ]
    if new := [row for row in rows if row["code"] not in before]:
        tx.execute(insert(Unit), new)
    if moved := [row for row in rows if row["code"] in before]:
        tx.execute(update(Unit), moved)
    tally.added = len(new)
    kept = [(after[code], before[code]) for code in wanted if code in before]
    tally.changed = sum((now.name, now.parent_code) != (then.name, then.parent_code) for now, then in kept)
    tally.same = len(kept) - tally.changed
    return _keep_run(tx, table, tally, kind="units", file_name=file_name, by=by, at=at)


def _keep_run(
    tx: Session, table: CsvFile, tally: _Tally, *, kind: str, file_name: str, by: str, at: datetime
) -> ImportResult:
    result = ImportResult(
        run_id=new_id(),
        rows_read=table.rows_count,
        added=tally.added,
        changed=tally.changed,
        same=tally.same,
        refused=len({error.row for error in tally.errors}),
        errors=tuple(sorted(tally.errors, key=lambda error: error.row)[:ERRORS_KEPT]),
        ignored=table.ignored,
    )
    run = {
        "id": result.run_id,
        "kind": kind,
        "by": by,
        "file_name": file_name,
        "file_hash": table.sha256,
        "rows_read": result.rows_read,
        "rows_added": result.added,
        "rows_changed": result.changed,
        "rows_same": result.same,
        "rows_refused": result.refused,
        "errors": [error.to_json() for error in result.errors],
        "at": at,
    }
    tx.execute(insert(ImportRun).values(run))
    return result


_COMPARED = (
    Member.id,
    Member.staff_number,
    Member.name,
    Member.phone,
    Member.unit_id,
    Member.grade,
    Member.tags,
    Member.state,
    Member.national_id_fingerprint,
)


def _write(people: Sequence[PersonRow], tally: _Tally, at: datetime) -> None:
    """Write a batch in a transaction of its own: who is new, and of the others the columns that differ."""
    with transaction() as tx:
        lock_register(tx)
        codes = {person.unit_code for person in people}
        units = {row.code: row.id for row in tx.execute(select(Unit.code, Unit.id).where(Unit.code.in_(codes)))}
        staff_numbers = {person.staff_number for person in people}
        fingerprints = {person.fingerprint for person in people}
        there = tx.execute(
            select(*_COMPARED).where(
                Member.staff_number.in_(staff_numbers) | Member.national_id_fingerprint.in_(fingerprints)
            )
        ).all()
        members = {row.staff_number: row for row in there}
        holders = {row.national_id_fingerprint: row.staff_number for row in there}
        new: list[tuple[NewMember, str, bytes]] = []
        for person in people:
            unit_id = units.get(person.unit_code)
            if unit_id is None:
                tally.errors.append(RowError(person.row, "unit_code", "unknown_code"))
            elif holders.get(person.fingerprint, person.staff_number) != person.staff_number:
                tally.errors.append(RowError(person.row, "national_id", "held"))
            elif (old := members.get(person.staff_number)) is None:
                new.append((_new_member(person, unit_id), person.national_id, person.fingerprint))
            elif changes := _find_changes(person, unit_id, old):
                tx.execute(update(Member).where(Member.id == old.id).values(changes))
                tally.changed += 1
            else:
                tally.same += 1
        insert_members(tx, members=new, at=at)
        tally.added += len(new)


def _new_member(person: PersonRow, unit_id: UUID) -> NewMember:
    return NewMember(
        staff_number=person.staff_number,
        name=person.name,
        phone=person.phone,
        national_id=person.national_id,
        unit_id=unit_id,
        grade=person.grade or "standard",
        tags=person.tags or (),
        state=person.state or "active",
    )


def _find_changes(person: PersonRow, unit_id: UUID, old: Row[*tuple[Any, ...]]) -> dict[str, object]:
    """The columns of a member that differ, with their new values; what the file does not say stays."""
    said = {
        "name": person.name,
        "phone": person.phone,
        "unit_id": unit_id,
        "grade": person.grade,
        "tags": None if person.tags is None else list(person.tags),
        "state": person.state,
        "national_id_fingerprint": person.fingerprint,
    }
    changes: dict[str, object] = {
        name: value for name, value in said.items() if value is not None and value != getattr(old, name)
    }
    if "national_id_fingerprint" in changes:
        changes["national_id_cipher"] = seal_national_id(person.national_id, member_id=old.id)
    return changes
