"""Every stored sale comes out at the same bytes when it is priced again; whatever is changed afterwards is named."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner, Result

from api.cli import app
from api.price_replay import replay_prices
from market.kit.canonical import canonical_json
from market.kit.clock import business_day
from market.kit.database import connect, transaction
from market.kit.settings import get_settings
from market.offers import live
from market.offers.operations import end_offer
from market.oversight.replay import first_difference
from market.oversight.stored import Versions, open_sale, read_sales
from market.pricing import quote
from tests.world import NOODLES, NOON, World

SAVE = {
    "id": "SAVE2",
    "stage": "order",
    "kind": "spend_save",
    "match": {"merchants": ["m_0001"]},
    "tiers": [{"min": 2000, "off": 200}],
    "weekdays": [2],
    "audience": {"state": ["active"]},
}
BACK = {
    "id": "BACK5",
    "stage": "rebate",
    "kind": "percent_back",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 500,
}


@pytest.fixture
def sold(world: World) -> list[str]:
    """Six sales under changing offers: limits, a replaced version, an ended offer, a rebate; one of them void. Their public ids."""
    world.add_member(2)
    world.offer(SAVE, {"uses": 1, "period": "day"})
    world.offer(BACK)
    sales = [world.sell(3000), world.sell(3000, 500), world.sell(1600, member=world.members[1])]
    world.offer({**NOODLES, "rate_bp": 1500})
    ask_again()
    sales.append(world.sell(1800))
    with transaction() as tx:
        end_offer(tx, offer="WEEKDAY1", at=NOON)
    ask_again()
    sales += [world.sell(1800), world.sell(99)]
    return [sale.public_id for sale in sales]


def ask_again() -> None:
    """As if half a second had passed: the next sale asks for the number of the book."""
    live._shelf.asked = 0.0


def replay(processes: int | None = None) -> tuple[int, list[str]]:
    done = replay_prices(progress=lambda *_: None, processes=processes)
    return done.sales, [f"{finding.rule}: {finding.subject}: {finding.problem}" for finding in done.findings]


@pytest.fixture
def forge(database: Engine) -> Iterator[Callable[[str, str, Callable[[Any], Any]], None]]:
    """Change a document of a sale as somebody could who rules the database."""

    def change(public_id: str, column: str, edit: Callable[[Any], Any]) -> None:
        with database.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            stored = connection.execute(
                text(f"SELECT {column} FROM sale WHERE public_id = :id"), {"id": public_id}
            ).scalar_one()
            forged = edit(json.loads(stored))
            connection.execute(
                text(f"UPDATE sale SET {column} = :forged WHERE public_id = :id"),
                {"id": public_id, "forged": forged if isinstance(forged, bytes) else canonical_json(forged)},
            )

    yield change
    database.dispose()


def test_every_sale_comes_out_at_the_same_bytes(sold: list[str]) -> None:
    assert replay() == (len(sold), [])


FORGERIES = {
    "a price in the basket": ("basket", lambda lines: [{**lines[0], "unit_price": 2900}, *lines[1:]], "quote.applied"),
    "the moment": ("facts", lambda facts: {**facts, "now": "2026-12-02T12:05:00+08:00"}, "facts.now"),
    "a fact of the member": (
        "facts",
        lambda f: {**f, "member": {**f["member"], "state": "retired"}},
        "facts.offers[2].gate",
    ),
    "a purse": ("facts", lambda facts: {**facts, "purses": {"budget:lunch": 0}}, "quote.applied"),
    "an offer": ("facts", lambda facts: {**facts, "offers": facts["offers"][1:]}, "quote.applied"),
    "a limit": (
        "facts",
        lambda f: {
            **f,
            "offers": [{**o, **({"uses_remaining": 0} if o["id"] == "SAVE2" else {})} for o in f["offers"]],
        },
        "quote.applied",
    ),
    "what was paid": (
        "facts",
        lambda f: {**f, "quote": {**f["quote"], "payable": f["quote"]["payable"] - 1}},
        "quote.payable: stored 2399, priced 2400",
    ),
    "a truth that looks like a number": (
        "facts",
        lambda f: {**f, "quote": {**f["quote"], "gap": False}},
        "quote.gap: stored false, priced 0",
    ),
    "a field too many": ("facts", lambda f: {**f, "quote": {**f["quote"], "gift": 1}}, "quote.gift: stored only"),
    "the name of an item": ("basket", lambda lines: [{**lines[0], "sku": "gold"}], "basket: not the bytes"),
    "the number of the book": ("facts", lambda facts: {**facts, "book": 7}, "facts: not the bytes"),
    "a space": ("facts", lambda facts: json.dumps(facts, sort_keys=True).encode(), "facts: not the bytes"),
    "everything": ("facts", lambda _: b"gone", "cannot be priced: JSONDecodeError"),
    "a quantity": ("basket", lambda lines: [{**lines[0], "qty": "1"}], "cannot be priced: TypeError"),
    "a version": (
        "facts",
        lambda f: {**f, "offers": [{**o, "version": 2**40} for o in f["offers"]]},
        "cannot be priced: KeyError",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_sale_is_named_with_what_differs_first(
    sold: list[str], forge: Callable[..., None], forgery: str
) -> None:
    column, edit, expected = FORGERIES[forgery]
    forge(sold[0], column, edit)
    sales, found = replay()
    assert sales == len(sold)
    assert [line.split(expected)[0] for line in found] == [f"prices: sale {sold[0]}: "]
    assert expected in found[0]


def test_a_basket_and_quote_forged_together_do_not_fit_the_public_entry(
    sold: list[str], forge: Callable[..., None], database: Engine
) -> None:
    """The forger knows the engine: he takes a second sale's documents, and its amounts as well."""
    with database.connect() as connection:
        basket, facts = connection.execute(
            text("SELECT basket, facts FROM sale WHERE public_id = :id"), {"id": sold[2]}
        ).one()
    forge(sold[0], "basket", lambda _: bytes(basket))
    forge(sold[0], "facts", lambda _: bytes(facts))
    assert replay()[1] == [f"prices: sale {sold[0]}: list_fen: booked 3000, priced 1600"]
    with database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        amounts = ("list_fen", "concession_fen", "subsidy_fen", "paid_fen", "rebate_member_fen", "rebate_union_fen")
        connection.execute(
            text(
                f"UPDATE sale s SET {', '.join(f'{name} = o.{name}' for name in amounts)} FROM sale o"
                " WHERE s.public_id = :forged AND o.public_id = :other"
            ),
            {"forged": sold[0], "other": sold[2]},
        )
    assert replay()[1] == [f"prices: sale {sold[0]}: basket: not the bytes that its public entry commits to"]


def test_forged_terms_name_the_version_and_every_sale_that_they_touch(sold: list[str], database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text(
                "UPDATE offer_version SET terms = terms || '{\"rate_bp\": 1400}' WHERE offer = 'NOODLE10' AND version = 2"
            )
        )
    found = replay()[1]
    assert "prices: offer NOODLE10 version 2: its terms or limits are not those of its hash" in found
    assert {line.split(": ")[1] for line in found} == {"offer NOODLE10 version 2", *(f"sale {id_}" for id_ in sold[3:])}


def test_without_the_persons_key_prices_are_still_checked(
    sold: list[str], forge: Callable[..., None], database: Engine
) -> None:
    with database.begin() as connection:
        connection.execute(text("DELETE FROM vault.person_key"))
    assert replay() == (len(sold), [])
    forge(sold[5], "facts", lambda f: {**f, "quote": {**f["quote"], "rebate": 1}})
    assert len(replay()[1]) == 1


@pytest.mark.parametrize("number", [2, 0, "1", True, None])
def test_a_sale_priced_by_other_rules_is_named_and_not_mispriced(
    sold: list[str], forge: Callable[..., None], number: object
) -> None:
    forge(sold[0], "facts", lambda facts: {**facts, "v": number})
    assert replay()[1] == [
        f"prices.rules: sale {sold[0]}: facts.v: priced by rules {json.dumps(number)}, only 1 are known here"
    ]


def test_a_sale_from_before_the_number_is_of_the_first_rules(
    sold: list[str], forge: Callable[..., None], database: Engine
) -> None:
    with database.begin() as connection:
        stored = connection.scalar(text("SELECT facts FROM sale WHERE public_id = :id"), {"id": sold[0]})
        connection.execute(text("DELETE FROM vault.person_key"))
    assert json.loads(stored)["v"] == 1
    forge(sold[0], "facts", lambda facts: {name: value for name, value in facts.items() if name != "v"})
    assert replay() == (len(sold), [])


@pytest.fixture
def unproved(sold: list[str], forge: Callable[..., None], database: Engine) -> Callable[..., list[str]]:
    """The first sale as an engine that found less would have stored it: without the union's yuan, 25.00 where the best is 24.00."""
    with database.begin() as connection:
        connection.execute(text("DELETE FROM vault.person_key"))

    def weaker(facts: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        with database.connect() as connection:
            (row,) = (
                row
                for rows in read_sales(connection, day=business_day(NOON), with_void=True)
                for row in rows
                if row.public_id == sold[0]
            )
            versions, sale = Versions(connection), open_sale(row)
            versions.need(sale.versions())
            case = sale.make_case(versions)
        kept = [one for one in case.candidates if one.offer.id != "WEEKDAY1"]
        found = quote(replace(case, candidates=tuple(kept))).to_json()
        return {**facts, "quote": {**found, "proof": "bounded", "gap": 100, **changes}}

    def store(**changes: Any) -> list[str]:
        forge(sold[0], "facts", lambda facts: weaker(facts, changes))
        with database.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            amounts = "paid_fen = 2500, subsidy_fen = 0, rebate_member_fen = 125"
            connection.execute(text(f"UPDATE sale SET {amounts} WHERE public_id = :id"), {"id": sold[0]})
        return replay()[1]

    return store


def test_a_price_that_was_not_proved_may_come_out_lower_by_its_gap(unproved: Callable[..., list[str]]) -> None:
    assert unproved() == []
    assert unproved(gap=1_000) == []


def test_below_its_gap_it_is_a_finding_of_its_own(unproved: Callable[..., list[str]], sold: list[str]) -> None:
    said = f"prices.gap: sale {sold[0]}: quote.payable: stored 2500 with a gap of 99, priced 2400"
    assert unproved(gap=99) == [said]
    assert unproved(gap=-1)[0].startswith(f"prices.gap: sale {sold[0]}")


def test_a_proved_price_has_no_room(unproved: Callable[..., list[str]], sold: list[str]) -> None:
    assert unproved(proof="optimal")[0].startswith(f"prices: sale {sold[0]}: quote.applied")


@pytest.mark.parametrize(
    "changes",
    [
        {"list_total": 3001},
        {"concession": 499},
        {"payable": 2450},
        {"gap": True},
        {"gap": None},
        {"gift": 1},
        {"lines": []},
    ],
    ids=str,
)
def test_unproved_is_no_leave_for_amounts_that_do_not_add_up(
    unproved: Callable[..., list[str]], sold: list[str], changes: dict[str, Any]
) -> None:
    assert [line.split(" quote")[0] for line in unproved(**changes)] == [f"prices: sale {sold[0]}:"]


def test_a_price_above_the_stored_one_contradicts_it(
    sold: list[str], forge: Callable[..., None], database: Engine
) -> None:
    """Nobody can have found less than what is proved to be the least: 1 fen less on the line, and all its sums with it."""
    with database.begin() as connection:
        connection.execute(text("DELETE FROM vault.person_key"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text("UPDATE sale SET paid_fen = paid_fen - 1, concession_fen = concession_fen + 1 WHERE public_id = :id"),
            {"id": sold[0]},
        )

    def less(facts: dict[str, Any]) -> dict[str, Any]:
        quote = facts["quote"]
        (row,) = quote["lines"]
        line = {**row, "pay": row["pay"] - 1, "concession": row["concession"] + 1}
        sums = {"payable": quote["payable"] - 1, "concession": quote["concession"] + 1}
        return {**facts, "quote": {**quote, **sums, "lines": [line], "proof": "bounded", "gap": 500}}

    forge(sold[0], "facts", less)
    assert replay()[1] == [f"prices.gap: sale {sold[0]}: quote.payable: stored 2399 with a gap of 500, priced 2400"]


def test_two_processes_find_what_one_finds(sold: list[str], forge: Callable[..., None]) -> None:
    forge(sold[4], "facts", lambda facts: {**facts, "book": 7})
    assert replay(processes=2) == replay(processes=1)


@pytest.fixture
def verify(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Result]]:
    monkeypatch.setenv("HUIGONG_DATABASE_URL", database.url.render_as_string(hide_password=False))
    get_settings.cache_clear()
    yield lambda: CliRunner().invoke(app, ["verify", "--prices"])
    get_settings.cache_clear()


def test_verify_prices_says_how_many_and_names_what_is_wrong(
    sold: list[str], forge: Callable[..., None], verify: Callable[[], Result], database_url: str
) -> None:
    done = verify()
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "6 sales priced again, 6 to the same bytes")
    connect(database_url)
    forge(sold[1], "facts", lambda f: {**f, "quote": {**f["quote"], "payable": 1}})
    done = verify()
    assert done.exit_code == 1
    assert f"prices: sale {sold[1]}: quote.payable: stored 1, priced" in done.stdout
    assert "6 sales priced again, 5 to the same bytes" in done.stdout


@pytest.mark.parametrize(
    ("stored", "priced", "said"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "q.b: stored 2, priced 3"),
        ({"b": 1}, {"a": 1, "b": 2}, "q.a: priced only"),
        ([1, {"x": [2]}], [1, {"x": [3]}], "q[1].x[0]: stored 2, priced 3"),
        ([1], [1, 2], "q: stored 1 rows, priced 2"),
        ([True], [1], "q[0]: stored true, priced 1"),
        ({"a": None}, {"a": []}, "q.a: stored null, priced []"),
    ],
)
def test_the_first_difference_is_a_path_and_both_values(stored: object, priced: object, said: str) -> None:
    assert first_difference(stored, priced, "q") == said
