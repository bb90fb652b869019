"""A job is enqueued by name, and a name that nobody registered would never be done."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.jobs import JOBS

ROOT = Path(__file__).parents[2]
PACKAGES = ("market", "merchants", "cards", "api")


def find_names(source: str) -> Iterator[str | None]:
    """The name in every call of `enqueue`; None where it is not written out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "enqueue":
            named = node.args[1] if len(node.args) > 1 else None
            yield named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else None


@pytest.mark.parametrize(
    ("source", "names"), [('enqueue(tx, "a.b", {})', ["a.b"]), ("enqueue(tx, name, {})", [None]), ("post(tx)", [])]
)
def test_the_finder_finds(source: str, names: list[str | None]) -> None:
    assert list(find_names(source)) == names


def test_every_name_that_is_enqueued_is_registered() -> None:
    enqueued = {
        name for package in PACKAGES for path in (ROOT / package).rglob("*.py") for name in find_names(path.read_text())
    }
    assert len(enqueued) >= 2
    assert None not in enqueued, "the name of a job is written out where it is enqueued"
    assert enqueued <= set(JOBS.tasks)
