"""`huigong dry-run` says in the terminal what the desk's page says."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from api.cli import app
from market.kit.settings import get_settings
from tests.world import NOON, World

SAVE = {
    "id": "SAVE2",
    "stage": "order",
    "kind": "spend_save",
    "match": {"merchants": ["m_0001"]},
    "tiers": [{"min": 2000, "off": 200}],
}


@pytest.fixture
def command(world: World, database: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    for number in range(2, 7):
        world.add_member(number)
    for member in world.members:
        world.sell(3000, member=member, at=NOON)
    monkeypatch.setenv("HUIGONG_DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("COLUMNS", "120")
    get_settings.cache_clear()
    yield lambda *words: CliRunner().invoke(app, ["dry-run", *words])
    get_settings.cache_clear()


def test_terms_in_a_file_are_tried(command: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "draft.json"
    file.write_text(json.dumps({"terms": SAVE}))
    done = command("--file", str(file), "--month", "2026-12")
    assert done.exit_code == 0, done.output
    assert "SAVE2 as if in force all 2026-12: 6 purchases, 6 cheaper, 0 dearer; used in 6, gives 12.00" in done.stdout
    assert "+1,200" in done.stdout
    assert "cheaper by the most: 26.00 → 24.00" in done.stdout


def test_a_stored_version_is_tried_with_a_budget_as_json(command: Callable[..., Result]) -> None:
    done = command("WEEKDAY1", "--version", "1", "--budget-fen", "0", "--month", "2026-12", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["dearer"], found["after"]["subsidy"], found["reasons"]) == (6, 0, {"BUDGET_EXHAUSTED": 6})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name an offer"),
        (("--file", "/nowhere"), "Name an offer"),
        (("NOTHING",), "not found"),
        (("WEEKDAY1", "--month", "2026-11"), "no sales"),
        (("WEEKDAY1", "--month", "soon"), "YYYY-MM"),
    ],
)
def test_what_cannot_be_tried_is_said(command: Callable[..., Result], words: tuple[str, ...], said: str) -> None:
    done = command(*words)
    assert done.exit_code != 0
    assert said in f"{done.output} {done.exception}"
