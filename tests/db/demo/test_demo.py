from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text

import cards
from api.commands.verify import AUDITS
from api.demo.build import DemoExistsError, DemoSummary, build_demo
from api.demo.people import make_national_id, make_people
from api.demo.places import NOODLE_MERCHANT
from api.demo.sizes import SIZES
from api.demo.stage import account_id
from api.demo.units import make_units
from api.identity.sign_in import list_demo_people
from api.till import AmountsKeyed, ItemsKeyed, open_visit_at_till, quote_at_till
from cards.national_id import read_national_id
from market.kit.database import transaction
from market.oversight.queries import total_by_month

WEEKDAY = datetime(2026, 11, 20, 4, 5, tzinfo=UTC)  # Friday, 12:05 in Shanghai
SUNDAY_NIGHT = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
UNTIL = date(2026, 11, 20)


def scalars(books: Connection, query: str) -> list[object]:
    return list(books.execute(text(query)).scalars())


def price_at_noodle_shop(books: Connection, keyed: AmountsKeyed | ItemsKeyed, at: datetime) -> tuple[int, int]:
    """What the demo member would pay and save at the demo assistant's till."""
    held = "SELECT {} FROM account_role WHERE account_id = '{}'"
    (card_id,) = scalars(
        books,
        f"SELECT id FROM card WHERE member_id = ({held.format('member_id', account_id('demo-member'))}) AND state = 'active'",
    )
    (staff_id,) = scalars(books, held.format("staff_id", account_id("demo-assistant")))
    assert isinstance(card_id, UUID)
    assert isinstance(staff_id, UUID)
    with transaction() as tx:
        code = cards.issue_code(tx, card_id=card_id, at=at)
    visit = open_visit_at_till(staff_id=staff_id, scanned=code.code, at=at)
    quote = quote_at_till(staff_id=staff_id, visit_id=visit.visit_id, keyed=keyed, at=at).quote
    return quote.payable, quote.list_total - quote.payable


def test_the_build_says_what_is_there(works: tuple[str, DemoSummary], books: Connection) -> None:
    summary = works[1]
    assert (summary.members, summary.merchants, summary.shops, summary.sales) == (60, 7, 6, 150)
    assert scalars(books, "SELECT count(*) FROM sale WHERE channel = 'shop'") == [150]
    assert [summary.orders] == scalars(books, "SELECT count(*) FROM member_order")
    assert summary.orders >= 18
    states = set(scalars(books, "SELECT DISTINCT state FROM member_order"))
    assert states >= {"paid", "ready", "returned", "cancelled", "closed"}
    assert scalars(books, "SELECT DISTINCT outcome FROM payment_event WHERE outcome = 'mismatch'") == []
    assert scalars(books, "SELECT count(*) FROM card WHERE state = 'active'") == [60]
    assert summary.voids == scalars(books, "SELECT count(*) FROM reversal WHERE kind = 'void'")[0]


def test_returns_are_asked_for_and_one_waits_at_the_demo_owner(books: Connection) -> None:
    of = "FROM return_request q JOIN member_order o ON o.id = q.order_id"
    assert scalars(books, f"SELECT q.state {of} ORDER BY q.state") == ["accepted", "declined", "open"]
    assert scalars(books, f"SELECT o.merchant {of} WHERE q.state = 'open'") == [NOODLE_MERCHANT]
    assert all(scalars(books, f"SELECT q.answer {of} WHERE q.state = 'declined'"))
    assert scalars(books, f"SELECT o.state {of} WHERE q.state = 'open'") != ["closed"], "it is not closed meanwhile"
    back = "JOIN reversal r ON r.id = q.reversal_id WHERE q.state = 'accepted'"
    assert scalars(books, f"SELECT r.list_fen > 0 {of} {back}") == [True]


def test_no_sale_was_refused_and_every_invariant_holds(books: Connection) -> None:
    assert scalars(books, "SELECT code FROM refusal") == []
    assert [finding for audit in AUDITS for finding in audit(books)] == []


def test_the_noodle_shop_of_everyday_life_asks_15_40(books: Connection) -> None:
    bowl_and_egg = ItemsKeyed([("noodle-beef", 1), ("side-egg", 1)])
    assert price_at_noodle_shop(books, bowl_and_egg, WEEKDAY) == (15_40, 2_60)


def test_the_noodle_shop_asks_15_40_at_any_hour_of_any_day(books: Connection) -> None:
    bowl_and_egg = ItemsKeyed([("noodle-beef", 1), ("side-egg", 1)])
    assert price_at_noodle_shop(books, bowl_and_egg, SUNDAY_NIGHT) == (15_40, 2_60)


def test_a_subsidy_ended_another_has_a_second_version_and_some_wait(books: Connection) -> None:
    states = {
        (offer, version): state
        for offer, version, state in books.execute(text("SELECT offer, version, state FROM offer_version"))
    }
    assert states["u_welcome", 1] == "ended"
    assert [states["u_wednesday", version] for version in (1, 2, 3)] == ["ended", "approved", "rejected"]
    assert [offer for (offer, _), state in sorted(states.items()) if state == "submitted"] == [
        "m001_evening",
        "u_reading",
        "u_winter",
    ]
    assert scalars(books, "SELECT offer FROM offer_version WHERE approved_by = proposed_by") == []


def test_merchants_owe_rebates_to_members_and_to_the_union(books: Connection) -> None:
    (sums,) = books.execute(text("SELECT sum(rebate_member_fen)::int, sum(rebate_union_fen)::int FROM sale")).all()
    assert min(sums) > 0
    assert scalars(books, "SELECT DISTINCT merchant FROM sale WHERE rebate_member_fen > 0") == ["m001"]


def test_no_budget_ran_short(books: Connection) -> None:
    left = scalars(books, "SELECT sum(left_over)::int FROM balance WHERE id LIKE 'budget:%' GROUP BY id")
    assert len(left) == 5
    assert min(left) > 100_00  # type: ignore[type-var]


def test_only_the_demo_people_can_sign_in(books: Connection) -> None:
    assert scalars(books, "SELECT login FROM account ORDER BY login") == [
        "demo-assistant",
        "demo-auditor",
        "demo-member",
        "demo-officer",
        "demo-officer-2",
        "demo-owner",
    ]
    assert scalars(books, "SELECT count(*) FROM account WHERE password_hash IS NOT NULL") == [0]
    with transaction() as tx:
        assert set(list_demo_people(tx)) >= {"member", "assistant", "owner", "officer", "auditor"}


def test_the_demo_member_has_a_history_but_bought_nothing_on_the_last_day(books: Connection) -> None:
    mine = f"""SELECT s.day FROM sale s JOIN member m ON m.subject = s.subject
               JOIN account_role r ON r.member_id = m.id AND r.account_id = '{account_id("demo-member")}'"""
    days = scalars(books, mine)
    assert len(days) >= 5
    assert UNTIL not in days


def test_the_desk_has_an_import_with_its_row_errors(books: Connection) -> None:
    run = books.execute(text("SELECT rows_read, rows_changed, rows_refused FROM import_run")).one()
    assert tuple(run) == (12, 1, 3)


def test_there_are_sales_in_every_month(books: Connection) -> None:
    with transaction() as tx:
        months = {total.label for total in total_by_month(tx)}
    assert months == {"2026-09", "2026-10", "2026-11"}


def test_a_finished_works_is_left_alone_and_another_is_refused(books: Connection) -> None:
    assert build_demo(size="tiny", until=UNTIL).seconds == 0
    with pytest.raises(DemoExistsError, match="size tiny from seed 7"):
        build_demo(size="tiny", seed=8)


def test_a_database_with_other_people_is_refused(database: Engine) -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    with transaction() as tx:
        unit = cards.add_unit(tx, code="other", name="别的单位")
        person = cards.NewMember(
            staff_number="1",
            name="李明",
            phone="00000000001",
            national_id=make_national_id(1, sex="M", born=UNTIL),
            unit_id=unit,
        )
        cards.add_member(tx, member=person, at=at)
    with pytest.raises(DemoExistsError):
        build_demo(size="tiny", until=UNTIL)


def test_ids_of_the_demo_belong_to_nobody() -> None:
    size = SIZES["works"]
    people = make_people(size, make_units(size), seed=7, today=UNTIL)
    ids = {read_national_id(person.national_id) for person in people}
    assert len(ids) == len(people) == 30_000
    assert {national_id[:6] for national_id in ids} == {"129999"}
