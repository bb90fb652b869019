"""The register and the cards: what is entered, what is refused, and what the database refuses past the code."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

import cards
from cards.keys import open_national_id, unwrap_person_key
from cards.models import Card, CardCode, Member, PersonKey, Unit, Visit
from cards.national_id import NationalIdWrongError
from cards.numbers import is_number
from cards.operations import (
    CardUnknownError,
    MemberExistsError,
    UnitExistsError,
    UnitUnknownError,
)
from cards.standing import CardFrozenError, CardLostError, CardReplacedError
from cards.visits import CodeExpiredError
from market.kit.database import transaction
from market.kit.errors import DomainError

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)


def person(works, make_id, number, **changes):
    values = {
        "staff_number": f"S{number}",
        "name": "王建国",
        "phone": "",
        "national_id": make_id(number),
        "unit_id": works.rolling,
    }
    return cards.NewMember(**(values | changes))


def card_of(tx, card_id):
    return tx.execute(select(Card.state, Card.number, Card.generation).where(Card.id == card_id)).one()


def test_a_member_gets_a_card_with_check_digits_and_a_wrapped_key(works):
    with transaction() as tx:
        card = tx.execute(select(Card).where(Card.id == works.member.card_id)).scalar_one()
        assert is_number(card.number)
        assert (card.state, card.generation, card.valid_until) == ("active", 1, date(2031, 12, 31))
        wrapped = tx.scalar(select(PersonKey.wrapped).where(PersonKey.subject == works.member.subject))
        assert len(unwrap_person_key(wrapped, subject=works.member.subject)) == 32


def test_the_national_id_is_stored_encrypted_only(works, national_id):
    with transaction() as tx:
        sealed = tx.scalar(select(Member.national_id_cipher))
        assert open_national_id(sealed, member_id=works.member.member_id) == national_id(0)
        row = tx.scalar(text("SELECT member::text FROM member"))
    assert national_id(0) not in row
    assert national_id(0).encode().hex() not in row


def test_the_same_staff_number_or_national_id_is_refused(works, national_id):
    clashes = (
        person(works, national_id, 7, staff_number="00001"),
        person(works, national_id, 7, national_id=national_id(0)),
        person(works, national_id, 7, national_id=national_id(0).lower()),
    )
    for clash in clashes:
        with pytest.raises(MemberExistsError), transaction() as tx:
            cards.add_member(tx, member=clash, at=NOON)


def test_several_members_are_entered_all_or_none(works, national_id):
    good = person(works, national_id, 8)
    for bad, refusal in (
        (person(works, national_id, 8, staff_number="x"), MemberExistsError),
        (person(works, national_id, 9, national_id="210302196001150000"), NationalIdWrongError),
        (person(works, national_id, 9, unit_id=uuid4()), UnitUnknownError),
    ):
        with pytest.raises(refusal) as raised, transaction() as tx:
            cards.add_members(tx, members=[good, bad], at=NOON)
        assert bad.national_id not in str(raised.value)
    with transaction() as tx:
        assert len(cards.add_members(tx, members=[good, person(works, national_id, 9)], at=NOON)) == 2
        assert cards.add_members(tx, members=[], at=NOON) == []


def test_units_know_their_path_and_refuse_a_second_of_the_same_code(works):
    with transaction() as tx:
        assert tx.scalar(select(Unit.path).where(Unit.id == works.rolling)) == ["xg", "p1", "p1-rolling"]
    with pytest.raises(UnitExistsError), transaction() as tx:
        cards.add_unit(tx, code="p1", name="二分厂", parent_id=works.union)
    with pytest.raises(UnitUnknownError), transaction() as tx:
        cards.add_unit(tx, code="p2", name="二分厂", parent_id=uuid4())


def test_units_are_listed_with_the_heads_of_their_whole_subtree(works, national_id):
    with transaction() as tx:
        added = [
            cards.add_member(tx, member=person(works, national_id, 1, unit_id=works.casting), at=NOON),
            cards.add_member(tx, member=person(works, national_id, 2, unit_id=works.plant, state="retired"), at=NOON),
            cards.add_member(tx, member=person(works, national_id, 3, unit_id=works.casting, state="left"), at=NOON),
        ]
        cards.freeze_card(tx, card_id=added[0].card_id, at=NOON)
        cards.replace_card(tx, card_id=added[1].card_id, at=NOON)
        tops = cards.list_units(tx)
        below = cards.list_units(tx, parent_id=works.plant)
        assert [(unit.code, unit.members_count, unit.cards_count) for unit in tops] == [("xg", 3, 2)]
        assert [(unit.code, unit.members_count, unit.cards_count) for unit in below] == [
            ("p1-casting", 1, 0),
            ("p1-rolling", 1, 1),
        ]
        assert cards.get_unit(tx, unit_id=works.plant).members_count == 3
        inside = select(Unit.code).where(cards.in_subtree("p1"))
        assert set(tx.scalars(inside)) == {"p1", "p1-rolling", "p1-casting"}
    with pytest.raises(UnitUnknownError), transaction() as tx:
        cards.get_unit(tx, unit_id=uuid4())


def test_the_card_page_shows_the_masked_number_and_the_units(works):
    with transaction() as tx:
        page = cards.get_card_page(tx, member_id=works.member.member_id, at=NOON)
        assert (page.name, page.unit, page.units) == ("欧阳建国", "轧钢车间", ("新钢", "一分厂", "轧钢车间"))
        assert page.number_masked[4:15] == " •••• •••• "
        assert (page.state, page.card_id) == ("active", works.member.card_id)
        later = cards.get_card_page(tx, member_id=works.member.member_id, at=datetime(2032, 1, 1, tzinfo=UTC))
        assert later.state == "expired"
    with pytest.raises(DomainError), transaction() as tx:
        cards.get_card_page(tx, member_id=uuid4(), at=NOON)


# --- freeze, lost, replace --------------------------------------------------------------------------------------------


def test_freezing_kills_the_code_at_once_and_unfreezing_does_not_bring_it_back(works):
    card_id = works.member.card_id
    with transaction() as tx:
        code = cards.issue_code(tx, card_id=card_id, at=NOON).code
        cards.freeze_card(tx, card_id=card_id, at=NOON)
        cards.freeze_card(tx, card_id=card_id, at=NOON)  # a double tap changes nothing
        assert card_of(tx, card_id).state == "frozen"
    with pytest.raises(CardFrozenError), transaction() as tx:
        cards.open_visit(tx, scanned=code, shop_id=works.shop, staff_id=works.staff, at=NOON)
    with pytest.raises(CardFrozenError), transaction() as tx:
        cards.issue_code(tx, card_id=card_id, at=NOON)
    with transaction() as tx:
        cards.unfreeze_card(tx, card_id=card_id)
        assert card_of(tx, card_id).state == "active"
    with pytest.raises(CodeExpiredError), transaction() as tx:
        cards.open_visit(tx, scanned=code, shop_id=works.shop, staff_id=works.staff, at=NOON)


def test_a_lost_card_is_ended_by_a_new_card_only(works):
    card_id = works.member.card_id
    with transaction() as tx:
        cards.freeze_card(tx, card_id=card_id, at=NOON)
        cards.report_lost(tx, card_id=card_id, at=NOON)
        cards.freeze_card(tx, card_id=card_id, at=NOON)
        assert card_of(tx, card_id).state == "lost"
    with pytest.raises(CardLostError), transaction() as tx:
        cards.unfreeze_card(tx, card_id=card_id)


def test_a_replaced_card_is_never_usable_again_and_the_person_stays_the_same(works):
    old = works.member.card_id
    with transaction() as tx:
        shown = cards.issue_code(tx, card_id=old, at=NOON)
        new = cards.replace_card(tx, card_id=old, at=NOON)
        assert card_of(tx, new).generation == 2
        assert card_of(tx, new).number != card_of(tx, old).number
        assert cards.get_card_page(tx, member_id=works.member.member_id, at=NOON).card_id == new
        shopper = cards.find_shopper_for_member(tx, member_id=works.member.member_id, at=NOON)
        assert (shopper.card_id, shopper.subject) == (new, works.member.subject)
    for scanned in (shown.code, shown.qr):
        with pytest.raises(CardReplacedError), transaction() as tx:
            cards.open_visit(tx, scanned=scanned, shop_id=works.shop, staff_id=works.staff, at=NOON)
    for act in (cards.freeze_card, cards.report_lost, cards.replace_card, cards.issue_code):
        with pytest.raises(CardReplacedError), transaction() as tx:
            act(tx, card_id=old, at=NOON)
    with pytest.raises(CardReplacedError), transaction() as tx:
        cards.unfreeze_card(tx, card_id=old)


def test_a_card_nobody_made_is_unknown(works):
    for act in (cards.freeze_card, cards.report_lost, cards.replace_card, cards.issue_code):
        with pytest.raises(CardUnknownError), transaction() as tx:
            act(tx, card_id=uuid4(), at=NOON)


# --- past the code ----------------------------------------------------------------------------------------------------


def card_row(works, **changes):
    row = {
        "id": uuid4(),
        "member_id": works.member.member_id,
        "number": "3302000000000046",
        "reference": "r",
        "generation": 2,
        "state": "replaced",
        "issued_at": NOON,
        "valid_until": date(2030, 1, 1),
    }
    return insert(Card).values(row | changes)


def code_row(works, **changes):
    minute = timedelta(minutes=1)
    row = {"code": "00000000", "card_id": works.member.card_id, "issued_at": NOON, "expires_at": NOON + minute}
    return insert(CardCode).values(row | changes)


def visit_row(works, **changes):
    row = {
        "id": uuid4(),
        "card_id": works.member.card_id,
        "shop_id": works.shop,
        "staff_id": works.staff,
        "device": "web",
        "step": 1,
        "opened_at": NOON,
        "expires_at": NOON + timedelta(minutes=5),
    }
    return insert(Visit).values(row | changes)


def test_the_database_refuses_a_second_usable_card_and_bad_cards(works):
    refused = (
        (card_row(works, state="active"), "uq_card_one_usable"),
        (card_row(works, state="frozen"), "uq_card_one_usable"),
        (card_row(works, state="stolen"), "ck_card_state_known"),
        (card_row(works, number="33020000000000"), "ck_card_number_format"),
        (card_row(works, member_id=uuid4()), "fk_card_member_id_member"),
        (update(Member).values(state="dead"), "ck_member_state_known"),
        (delete(Unit).where(Unit.id == works.rolling), "fk_member_unit_id_unit"),
    )
    for statement, constraint in refused:
        with pytest.raises(IntegrityError, match=constraint), transaction() as tx:
            tx.execute(statement)


def test_the_database_refuses_a_number_or_reference_that_was_ever_used(works):
    with transaction() as tx:
        old = tx.execute(select(Card.number, Card.reference)).one()
        cards.replace_card(tx, card_id=works.member.card_id, at=NOON)
    for clash, constraint in (
        ({"number": old.number}, "uq_card_number"),
        ({"reference": old.reference}, "uq_card_reference"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction() as tx:
            tx.execute(card_row(works, **clash))


def test_the_database_refuses_two_live_codes_of_a_card_and_two_visits_of_a_step(works):
    with transaction() as tx:
        tx.execute(code_row(works))
        tx.execute(visit_row(works))
    refused = (
        (code_row(works, code="00000001"), "uq_card_code_one_live"),
        (code_row(works, ended_at=NOON), "pk_card_code"),
        (code_row(works, code="1234567", ended_at=NOON), "ck_card_code_code_format"),
        (code_row(works, code="00000002", visit_id=uuid4()), "ck_card_code_used_is_ended"),
        (visit_row(works), "uq_visit_card_id_device_step"),
        (visit_row(works, step=2, expires_at=NOON), "ck_visit_runs_forward"),
    )
    for statement, constraint in refused:
        with pytest.raises(IntegrityError, match=constraint), transaction() as tx:
            tx.execute(statement)
