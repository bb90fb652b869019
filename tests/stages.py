"""Where many tests begin: a database with the rows they share, built once in each process and copied for each test.

A fixture of the session whose name ends in `_stage` makes one: `stages.build` on the bare schema, or `further` on another stage.
A test whose fixtures ask for stages gets its database as a copy of the last of them, and `Begun.take` hands its fixtures what
the builders returned, a copy of its own as well. A stage holds only what was committed; its builder must not depend on a test.
"""

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from market.kit.database import connect, disconnect
from market.kit.postgres import ROLE, Cluster, create_database
from market.kit.postgres_folders import PORT

T = TypeVar("T")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Stage:
    """A database nobody is connected to, and what its builders returned, by name."""

    cluster: Cluster
    database: str
    made: Mapping[str, Any]

    def further(self, name: str, build: Callable[..., Any], *, on: str | None = None) -> "Stage":
        """This stage and what `build` adds; `on` names what was built before and is handed to it."""
        database = f"stage_{next(_numbers)}"
        create_database(self.cluster, database, template=self.database)
        connect(self.cluster.url(database))
        try:
            made = copy.deepcopy(dict(self.made))
            made[name] = build(made[on]) if on else build()
        finally:
            disconnect()
        return Stage(self.cluster, database, made)


class Begun:
    """The database of one test: a copy of a stage, and a copy of what was made there."""

    def __init__(self, stage: Stage, database: str) -> None:
        self.url = stage.cluster.url(database)
        self._made = copy.deepcopy(dict(stage.made))  # in one go: what refers to another still does

    def take(self, name: str, build: Callable[..., T], *on: Any) -> T:
        """What the stage made under this name; built now where the test began from another stage."""
        if name not in self._made:
            self._made[name] = build(*on)
        made: T = self._made[name]
        return made


@contextmanager
def copied(stage: Stage) -> Iterator[Begun]:
    """A copy of a stage, dropped at the end with whatever is still connected."""
    database = f"test_{next(_numbers)}"
    create_database(stage.cluster, database, template=stage.database)
    yield Begun(stage, database)
    drop_database(stage.cluster, database)


def drop_database(cluster: Cluster, name: str) -> None:
    with psycopg.connect(host=str(cluster.sockets), port=PORT, user=ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
