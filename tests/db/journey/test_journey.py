"""Week 2 of the Complete Journey through `redeem_at_till`. The data come with the package; none of them is in this project."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from api.commands.verify import AUDITS
from api.till import redeem_at_till
from bench.journey import YEAR_TOTALS, DifferenceError, check_books, compare, key_lines, price_again, replay, visit_of
from bench.register import COUPON_ABOVE_PRICE, NO_LIST_PRICE, NO_QUANTITY, Register, Totals, read_register


@pytest.fixture(scope="module")
def week_2() -> Register:
    return read_register([2])


def findings(database: Engine) -> list[object]:
    with database.connect() as connection:
        return [finding for audit in AUDITS for finding in audit(connection)]


def take(register: Register, every: int) -> tuple[Register, Totals]:
    """Every so-maniest basket, and what its lines sum to."""
    baskets = register.baskets[::every]
    sums = Totals()
    for basket in baskets:
        for line in basket.lines:
            sums.add(line)
    return replace(register, baskets=baskets), sums


def test_the_week_adds_up_and_its_impossible_lines_are_kept_apart(week_2: Register) -> None:
    assert week_2.rung.amounts() == (10_886_757, 1_549_728, 37_251, 9_299_778)
    assert (week_2.baskets_read, week_2.rung.lines) == (2_919, 31_454)
    assert week_2.impossible == {COUPON_ABOVE_PRICE: 59, NO_QUANTITY: 147, NO_LIST_PRICE: 149}
    assert week_2.impossible_lines == 155 == week_2.rung.lines - week_2.sold.lines
    assert (len(week_2.baskets), week_2.sold.lines) == (2_911, 31_299)  # 8 baskets hold impossible lines only
    assert week_2.sold.amounts() == (10_886_078, 1_549_553, 24_904, 9_311_621)
    _, sums = take(week_2, 1)
    assert sums == week_2.sold


@pytest.mark.prove
def test_the_year_adds_up_and_its_impossible_lines_are_kept_apart() -> None:
    year = read_register()
    assert year.rung.amounts() == YEAR_TOTALS
    assert (year.baskets_read, year.rung.lines) == (155_848, 1_469_307)
    assert year.impossible == {COUPON_ABOVE_PRICE: 3_507, NO_QUANTITY: 8_869, NO_LIST_PRICE: 9_100}
    assert year.impossible_lines == 9_661 == year.rung.lines - year.sold.lines
    assert sum(len(basket.lines) for basket in year.baskets) == year.sold.lines
    assert (len({basket.household for basket in year.baskets}), len({basket.store for basket in year.baskets})) == (
        2_469,
        457,
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("every", "baskets", "lines", "amounts"),
    [
        pytest.param(4, 728, 7_496, (2_639_524, 370_681, 5_584, 2_263_259), id="a quarter"),
        pytest.param(
            1, 2_911, 31_299, (10_886_078, 1_549_553, 24_904, 9_311_621), id="the week", marks=pytest.mark.prove
        ),
    ],
)
def test_every_line_as_rung_equals_the_register_to_the_fen(
    database: Engine, week_2: Register, every: int, baskets: int, lines: int, amounts: tuple[int, int, int, int]
) -> None:
    part, sums = take(week_2, every)
    outcome = replay(part, "rung")
    assert (outcome.baskets, outcome.lines) == (baskets, lines)
    assert outcome.amounts() == sums.amounts() == amounts
    assert outcome.proofs == {"optimal": baskets}
    assert findings(database) == []
    price_again(outcome)


@pytest.mark.long
@pytest.mark.parametrize(
    ("every", "baskets", "offers"),
    [
        pytest.param(4, 728, 2_164, id="a quarter"),
        pytest.param(1, 2_911, 5_300, id="the week", marks=pytest.mark.prove),
    ],
)
def test_no_basket_as_offered_is_dearer_than_at_the_register(
    database: Engine, week_2: Register, every: int, baskets: int, offers: int
) -> None:
    part, sums = take(week_2, every)
    outcome = replay(part, "offered")
    assert (outcome.baskets, outcome.offers) == (baskets, offers)
    assert outcome.saved_more_fen == sums.paid_fen - outcome.paid_fen > 0
    assert outcome.proofs == {"optimal": baskets}
    assert findings(database) == []
    price_again(outcome)


def test_a_line_that_differs_from_the_register_is_named(database: Engine, week_2: Register) -> None:
    basket = next(basket for basket in week_2.baskets if basket.lines[0].concession_fen)
    replay(replace(week_2, baskets=[basket]), "rung")
    with database.connect() as connection:
        shop = {"code": f"store{basket.store}"}
        till = text("SELECT staff.id FROM staff JOIN shop ON shop.id = shop_id WHERE code = :code")
        staff_id = connection.execute(till, shop).scalar_one()
    again = redeem_at_till(
        staff_id=staff_id,
        visit_id=visit_of(basket),
        keyed=key_lines("rung", basket),
        key=f"journey:{basket.number}",
        at=basket.at,
    )
    compare("rung", basket, again)
    dearer = replace(basket.lines[0], concession_fen=basket.lines[0].concession_fen - 1)
    with pytest.raises(DifferenceError, match=f"basket {basket.number}, line 1"):
        compare("rung", replace(basket, lines=(dearer, *basket.lines[1:])), again)
    paid_less = replace(basket.lines[0], concession_fen=basket.lines[0].list_fen)
    with pytest.raises(DifferenceError, match=f"basket {basket.number}"):
        compare("offered", replace(basket, lines=(paid_less, *basket.lines[1:])), again)


def test_the_books_are_compared_with_what_the_till_answered(database: Engine, week_2: Register) -> None:
    few = replace(week_2, baskets=week_2.baskets[:20])
    outcome = replay(few, "rung")
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE sale DISABLE TRIGGER USER"))
        connection.execute(
            text("UPDATE sale SET list_fen = list_fen + 1, paid_fen = paid_fen + 1 WHERE key = 'journey:' || :number"),
            {"number": str(few.baskets[3].number)},
        )
    with pytest.raises(DifferenceError, match="sales"):
        check_books(outcome)
