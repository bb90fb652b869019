"""`huigong verify` runs to its end, says what it found, and keeps it for the auditor's desk."""

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from api.cli import app
from market.kit.database import connect, transaction
from market.kit.settings import get_settings
from market.oversight.audits import AUDITS
from market.oversight.queries import find_verify_run
from tests.world import World


@pytest.fixture
def verify(database: Engine, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("HUIGONG_DATABASE_URL", database.url.render_as_string(hide_password=False))
    get_settings.cache_clear()
    yield lambda: CliRunner().invoke(app, ["verify"])
    get_settings.cache_clear()


def test_sound_books_are_called_sound(world: World, verify: object, database_url: str) -> None:
    world.sell(1600, 200)
    done = verify()
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, f"{len(AUDITS)} rules checked, 0 findings"), (
        done.output
    )
    connect(database_url)
    with transaction() as tx:
        run = find_verify_run(tx)
    assert (run.rules, run.findings) == (len(AUDITS), [])
    assert run.rows_seen > 5


def test_a_forged_balance_is_named_and_kept(world: World, verify: object, database: Engine, database_url: str) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE balance SET left_over = left_over + 7 WHERE id = 'budget:lunch'"))
    done = verify()
    assert done.exit_code == 1
    assert "budgets: budget:lunch: transfers leave 100000 fen, its balance holds 100007" in done.stdout
    connect(database_url)
    with transaction() as tx:
        assert [row["rule"] for row in find_verify_run(tx).findings] == ["budgets"]


@pytest.mark.parametrize("damage", ["\\xff", "\\x00", "\\x7b"])
def test_bytes_that_nobody_can_read_stop_no_other_rule(
    world: World, verify: object, database: Engine, damage: str
) -> None:
    """Whatever rule reads them says so, the entry is named, and the rules after it are checked."""
    sale = world.sell(1600, 200)
    with database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text(
                f"UPDATE entry SET body = overlay(body placing '{damage}'::bytea from 9) WHERE type IN ('sale', 'budget')"
            )
        )
        connection.execute(text("UPDATE balance SET left_over = left_over + 7 WHERE id = 'budget:lunch'"))
    done = verify()
    assert done.exit_code == 1
    said = done.stdout.splitlines()
    assert f"entries: sale {sale.public_id}: its public entry says something else" in said
    assert any(
        line.startswith("verify: grants have entries: it could not go on, because what is stored") for line in said
    )
    assert any(line.startswith("budgets: budget:lunch: ") for line in said)
    assert said[-1].startswith(f"{len(AUDITS)} rules checked, ")


@pytest.mark.parametrize(
    ("forged", "problem"),
    [
        ("DELETE FROM offer_signature", "approved without the signature of every merchant"),
        (
            "UPDATE offer_signature SET is_signed = false, reason = 'no', way = 'owner'",
            "approved without the signature",
        ),
        (
            "UPDATE offer_signature s SET way = 'owner', by = v.approved_by FROM offer_version v WHERE v.offer = s.offer",
            "approved by the person who proposed or signed it",
        ),
        (
            'UPDATE offer_version SET limits = \'{"uses": 9, "period": "day"}\'',
            "its terms or limits are not those that were published",
        ),
    ],
)
def test_an_offer_that_was_forged_past_the_triggers_is_named(
    world: World, verify: object, database: Engine, forged: str, problem: str
) -> None:
    with database.begin() as connection:
        signed = connection.execute(text("SELECT DISTINCT offer FROM offer_signature")).scalars().all()
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(forged))
    said = verify().stdout
    assert signed
    assert all(f"offers: offer {offer} version 1: {problem}" in said for offer in signed), said
