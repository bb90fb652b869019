"""What docs/entries.md shows is what is written: the same works makes entries of the same types with the same fields."""

import json
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine

from market.kit.database import transaction
from market.kit.settings import Settings
from market.record.auditing.audit import audit_log
from market.record.publishing.served import record_reader
from tests.one_of_each import list_entries, read_page, write_one_of_each
from tests.world import findings


def kinds_of(bodies: Iterable[bytes]) -> set[tuple[str, str, tuple[str, ...]]]:
    """Type, action (of a batch what it is of), and the names of the fields."""
    said = [json.loads(body) for body in bodies]
    return {(one["type"], one.get("action", one["of"] if one["type"] == "batch" else ""), tuple(one)) for one in said}


def test_the_page_shows_what_a_works_writes(database: Engine, tmp_path: Path) -> None:
    write_one_of_each(Settings(record_folder=tmp_path))
    written = list_entries()
    assert kinds_of(written) == kinds_of(body for _, body in read_page()[0]), "run python -m bench.entries"
    with transaction() as tx:
        assert audit_log(record_reader(tx)).findings == []
    assert findings() == []
