"""The database refuses by itself what the code never does: these tests go past the code and really commit."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.world import World, findings


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfer SET amount_fen = amount_fen + 1",
        "DELETE FROM transfer",
        "TRUNCATE transfer",
        "UPDATE transfer SET debit = 'bank'",
        "INSERT INTO transfer SELECT gen_random_uuid(), event, event_id, null, debit, debit, 1, day, created_at FROM transfer",
        "INSERT INTO transfer SELECT gen_random_uuid(), event, event_id, null, debit, credit, 0, day, created_at FROM transfer",
        "INSERT INTO transfer SELECT gen_random_uuid(), event, event_id, null, debit, 'pocket:me', 1, day, created_at FROM transfer",
        "UPDATE balance SET left_over = -1",
        "UPDATE sale SET paid_fen = paid_fen - 1, list_fen = list_fen - 1",
        "UPDATE sale SET back_paid_fen = paid_fen + 1, back_list_fen = paid_fen + 1",
        "UPDATE sale SET back_paid_fen = 1",
        "UPDATE sale SET facts = '{}'",
        "DELETE FROM sale",
        "TRUNCATE sale CASCADE",
        "UPDATE entry SET body = '{}'",
        "DELETE FROM entry",
        "TRUNCATE entry CASCADE",
        "UPDATE offer_version SET terms = '{}'",
        "UPDATE offer_version SET state = 'draft'",
        "UPDATE offer_version SET approved_by = proposed_by",
        "DELETE FROM offer_version",
        "UPDATE budget_grant SET amount_fen = 1",
        "INSERT INTO budget_grant SELECT gen_random_uuid(), 'again', budget, 1, proposed_by, proposed_by, at FROM budget_grant",
        "UPDATE sale SET back_list_fen = 10, back_paid_fen = 10; UPDATE sale SET back_list_fen = 5, back_paid_fen = 5",
        "UPDATE entry SET leaf_index = 1 WHERE type = 'sale'; UPDATE entry SET leaf_index = 2 WHERE type = 'sale'",
    ],
)
def test_the_database_refuses(world: World, database: Engine, statement: str) -> None:
    world.sell(1600, 200)
    with pytest.raises(DBAPIError), database.begin() as connection:  # noqa: PT012  a later statement may be the one refused
        for part in statement.split(";"):
            connection.execute(text(part))
    assert findings() == []


def _forge(statement: str) -> Callable[[Engine], None]:
    """What only someone with the database's own keys can do: switch the triggers off and change a row."""

    def act(database: Engine) -> None:
        with database.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            assert connection.execute(text(statement)).rowcount >= 1

    return act


@pytest.mark.parametrize(
    ("forgery", "rule"),
    [
        (_forge("UPDATE balance SET left_over = left_over + 1 WHERE id = 'budget:lunch'"), "budgets"),
        (_forge("UPDATE transfer SET amount_fen = 99 WHERE event = 'sale'"), "subsidies"),
        (_forge("DELETE FROM transfer WHERE event = 'sale'"), "subsidies"),
        (_forge("UPDATE transfer SET amount_fen = amount_fen + 1 WHERE event = 'grant'"), "grants"),
        (_forge("UPDATE transfer SET event_id = gen_random_uuid() WHERE event = 'sale'"), "transfers"),
        (_forge("UPDATE sale SET paid_fen = paid_fen - 1, concession_fen = concession_fen + 1"), "entries"),
        (_forge("UPDATE sale SET back_paid_fen = 10, back_list_fen = 10"), "returns"),
        (
            _forge("UPDATE entry SET body = convert_to(replace(convert_from(body, 'UTF8'), '1540', '1541'), 'UTF8')"),
            "entries",
        ),
        (_forge("UPDATE visit SET shop_id = gen_random_uuid()"), "visits"),
        (_forge("UPDATE offer_version SET entry_id = NULL"), "entries"),
    ],
)
def test_verify_finds_what_was_forged_past_the_triggers(
    world: World, database: Engine, forgery: Callable[[Engine], None], rule: str
) -> None:
    world.sell(1600, 200)
    assert findings() == []
    forgery(database)
    assert rule in {found.split(":")[0] for found in findings()}
