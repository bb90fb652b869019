"""Restoring: into an empty database only, whoever was erased is erased again, and nothing is called restored that was not proved."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, func, select, text

from api.backups.backup import FORMAT, Step
from api.backups.dump import count_tables, load_database, write_keys
from api.backups.sealing import BackupUnreadableError, check_file, open_file
from api.erased_list import list_path, read_erased
from api.erasing import erase_again
from api.public_log import log_shelf
from api.removed_texts import count_unlisted, remove_again
from api.removed_texts import list_path as removed_path
from cards.keys import unwrap_person_key
from cards.models import Member, PersonKey
from market.kit.database import connect, get_engine, long_snapshot, transaction
from market.kit.errors import ConflictError, InvariantError
from market.kit.migrations import get_config, upgrade
from market.kit.settings import Settings
from market.oversight.audits import AUDITS
from market.oversight.finding import run_audit
from market.record.auditing.audit import audit_log
from market.record.log.tiles import TiledTree
from market.record.publishing.models import LogState
from market.record.publishing.sequencer import LogForkError, check_continued, list_signers
from market.record.publishing.served import find_policy, published_size, record_reader, tile_reader


class NotEmptyError(ConflictError):
    """A restore never mixes with what is there."""

    code = "DATABASE_NOT_EMPTY"
    zh = "数据库里已有 {count} 张表，恢复只写进空库，什么都没有改。请把 HUIGONG_DATA_DIR 指到新文件夹，或新建一个空数据库。"
    en = (
        "The database has {count} tables already, and a restore goes into an empty one only; nothing was changed. Set HUIGONG_DATA_DIR to a "
        "new folder, or create an empty database."
    )


class BackupPartError(ConflictError):
    """The two files do not belong together in this way."""

    code = "BACKUP_PART"
    zh = "{file} 不能这样用：{problem}。什么都没有恢复。"
    en = "{file} cannot be used so: {problem}. Nothing was restored."


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: rows, entries published, how many were erased or removed again; and what is not as it must be (none: it is proved)."""

    at: str
    rows: int
    published: int
    root: str | None
    erased_again: int
    texts_removed_again: int
    rules: int
    problems: tuple[str, ...]


def restore(
    settings: Settings, *, url: str, file: Path, keys: Path, identities: Sequence[Any], step: Step, at: datetime
) -> Restored:
    """Bring a backup back and prove it. Both files are read to their end before anything is written.

    Raises BackupUnreadableError, BackupPartError, NotEmptyError, DumpFailedError, ErasedListError, RemovedListError.
    """
    head = check_file(file, identities, step("check"))
    content = io.BytesIO()
    _check_heads(file, head, keys, open_file(keys, identities, content, step("keys")), url)
    connect(url)
    _ensure_empty()
    with load_database(url) as pipe:
        open_file(file, identities, pipe, step("load"))  # type: ignore[arg-type]  # a pipe is written like a file
    write_keys(get_engine(), content.getvalue())
    with get_engine().connect() as connection:
        problems = list(_compare_counts(head["counts"], count_tables(connection)))
    if len(read_erased(settings)) < head["erased"]:
        problems.append(
            f"erasure list: the backup knew of {head['erased']} erasures, {list_path(settings)} holds fewer; bring it back and restore again"
        )
    upgrade(url)
    with transaction() as tx:
        tx.execute(delete(PersonKey).where(PersonKey.subject.not_in(select(Member.subject))))  # joined after the backup
    erased_again, removed_again = erase_again(settings, at=at), remove_again(settings, at=at)
    if unlisted := count_unlisted(settings):
        problems.append(
            f"removed texts: {unlisted} of them are not in {removed_path(settings)}; bring it back and restore again"
        )
    with long_snapshot() as connection:
        problems += _find_keyless(connection)
        problems += [
            f"{one.rule}: {one.subject}: {one.problem}" for audit in AUDITS for one in run_audit(audit, connection)
        ]
    published, root, found = _prove_log(settings)
    return Restored(
        at=head["at"],
        rows=sum(head["counts"].values()),
        published=published,
        root=root,
        erased_again=erased_again,
        texts_removed_again=removed_again,
        rules=len(AUDITS),
        problems=(*problems, *found),
    )


def _check_heads(file: Path, head: Mapping[str, Any], keys: Path, keys_head: Mapping[str, Any], url: str) -> None:
    for path, one, part in ((file, head, "database"), (keys, keys_head, "keys")):
        if one.get("format") != FORMAT:
            raise BackupUnreadableError(file=str(path), problem=f"its format is not {FORMAT}")
        if one.get("part") != part:
            raise BackupPartError(
                file=str(path), problem=f"it holds the part {one.get('part')!r}, {part!r} belongs here"
            )
    if datetime.fromisoformat(keys_head["at"]) < datetime.fromisoformat(head["at"]):
        raise BackupPartError(file=str(keys), problem="the keys are older than the backup; take the newest ones")
    known = {revision.revision for revision in ScriptDirectory.from_config(get_config(url)).walk_revisions()}
    if head["migration"] not in known:
        raise BackupPartError(
            file=str(file), problem=f"a newer release made it (migration {head['migration']}); install that one first"
        )


def _ensure_empty() -> None:
    with get_engine().connect() as connection:
        count = connection.execute(
            text("SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
        ).scalar_one()
    if count:
        raise NotEmptyError(count=count)


def _compare_counts(said: Mapping[str, int], found: Mapping[str, int]) -> Iterator[str]:
    for table in sorted(said.keys() | found.keys()):
        if said.get(table) != found.get(table):
            yield f"rows: {table}: the backup said {said.get(table)}, {found.get(table)} came back"


def _find_keyless(connection: Connection) -> Iterator[str]:
    """Everybody in the register has a key that this installation's master key opens."""
    keyed = select(Member.subject, PersonKey.wrapped).join(PersonKey, PersonKey.subject == Member.subject)
    missing = connection.scalar(select(func.count()).where(Member.subject.not_in(select(PersonKey.subject)))) or 0
    locked = 0
    for subject, wrapped in connection.execute(keyed):
        try:
            unwrap_person_key(wrapped, subject=subject)
        except InvariantError:
            locked += 1
    if missing:
        yield f"keys: {missing} members have no key in the vault; take the newest keys file"
    if locked:
        yield f"keys: {locked} keys do not open; HUIGONG_MASTER_KEY is not the one they were wrapped with"


def _prove_log(settings: Settings) -> tuple[int, str | None, list[str]]:
    """How far the log is published, its root in hex as the entries make it, and what is wrong with it, the shelf's memory included."""
    with transaction() as tx:
        policy, published = find_policy(tx), published_size(tx)
        if policy is None:
            return 0, None, []
        found = audit_log(record_reader(tx)).findings if published else []
        problems = [f"log: {one.rule}: {one.place}: {one.problem}" for one in found]
        size = tx.scalar(select(LogState.size)) or 0
        tree, shelf = TiledTree(size, tile_reader(tx)), log_shelf(settings, policy)
        kept = shelf.read()
        if kept is None and published:
            problems.append(
                f"log: the last signed checkpoint is not in {shelf.folder}; bring it back (HUIGONG_LOG_KEY_FOLDER, else HUIGONG_RECORD_FOLDER)"
            )
        elif kept is not None:
            try:
                check_continued(tree, kept, keys=list_signers(tx, shelf), where="shelf")
            except LogForkError as error:
                problems.append(f"log: {error.sentence('en')}")
        root = tree.root_at(published).hex() if published else None
    return published, root, problems
