"""Codes and visits: one use, one shop, five minutes, and a named refusal for everything else."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, event, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

import cards
from cards.code import step_at, week_of, write_qr
from cards.keys import derive_card_key, unwrap_person_key
from cards.models import Card, CardCode, Member, PersonKey, Visit
from cards.shoppers import NO_VISIT
from market.kit.database import get_engine, transaction
from market.kit.errors import DomainError
from market.record import models as _record  # noqa: F401  a sale refers to its entry
from market.sales.models import Sale

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def scan(works):
    """Scan something at the shop: `scan(text, after=seconds, shop=…)`."""

    def scan(scanned, *, after=0, shop=None):
        with transaction() as tx:
            return cards.open_visit(
                tx, scanned=scanned, shop_id=shop or works.shop, staff_id=works.staff, at=NOON + after * SECOND
            )

    return scan


@pytest.fixture
def issued(works):
    """The code and QR of the member's card at noon."""
    with transaction() as tx:
        return cards.issue_code(tx, card_id=works.member.card_id, at=NOON)


def refused(act, *args, **kwargs):
    """The code of the refusal of an act that must be refused."""
    with pytest.raises(DomainError) as refusal:
        act(*args, **kwargs)
    return refusal.value.code


def shopper_of(works, visit_id, *, after=0, shop=None):
    with transaction() as tx:
        return cards.get_shopper(tx, visit_id=visit_id, shop_id=shop or works.shop, at=NOON + after * SECOND)


def act_on_card(act, works):
    with transaction() as tx:
        act(tx, card_id=works.member.card_id, at=NOON)


def sell(visit):
    """A bare sale of this visit: all this room looks at. Whatever else a sale refers to belongs to the sales' own tests."""
    plain = {
        UUID: uuid4,
        str: lambda: uuid4().hex,
        int: int,
        bytes: bytes,
        datetime: lambda: NOON,
        date: NOON.date,
    }
    row = {column.name: plain.get(column.type.python_type, dict)() for column in Sale.__table__.columns}
    with transaction() as tx:
        tx.execute(text("SET LOCAL session_replication_role = replica"))  # without the foreign keys
        shop = {"channel": "shop", "order_id": None, "visit_id": visit.visit_id}
        tx.execute(insert(Sale).values(row | shop))


# --- issuing ----------------------------------------------------------------------------------------------------------


def test_a_code_lives_60_seconds_and_one_per_card_is_live(works, issued):
    assert issued.expires_at - issued.issued_at == 60 * SECOND
    with transaction() as tx:
        later = cards.issue_code(tx, card_id=works.member.card_id, at=NOON + 41 * SECOND)
        assert later.code != issued.code
        live = select(CardCode.code).where(CardCode.ended_at.is_(None))
        assert tx.scalars(live).all() == [later.code]


@pytest.mark.parametrize(("after", "same"), [(0, True), (40, True), (41, False), (61, False), (-30, False)])
def test_a_page_opened_again_shows_the_same_digits_while_20_seconds_are_left(works, issued, after, same):
    with transaction() as tx:
        again = cards.issue_code(tx, card_id=works.member.card_id, at=NOON + after * SECOND)
    assert (again.code == issued.code) == same
    assert (again.expires_at == issued.expires_at) == same


def test_a_used_code_is_not_shown_again(works, issued, scan):
    scan(issued.code)
    with transaction() as tx:
        assert cards.issue_code(tx, card_id=works.member.card_id, at=NOON + SECOND).code != issued.code


def test_digits_kept_for_another_card_are_passed_over(works, national_id):
    """Nearly every number is taken, so that the next draws must collide, and the free one is found."""
    person = cards.NewMember(staff_number="2", name="李四", phone="", national_id=national_id(2), unit_id=works.rolling)
    with transaction() as tx:
        other = cards.add_member(tx, member=person, at=NOON)
        taken = [f"{number:08d}" for number in range(0, 100_000_000, 50_000)]
        rows = [
            {"code": code, "card_id": other.card_id, "issued_at": NOON, "expires_at": NOON, "ended_at": NOON}
            for code in taken
        ]
        tx.execute(insert(CardCode), rows)
        first = upsert(CardCode).on_conflict_do_nothing(index_elements=[CardCode.code]).returning(CardCode.code)
        assert tx.scalar(first, rows[0]) is None  # what the operation relies on
    drawn = iter([taken[3], taken[1999], "12345679"])
    with transaction() as tx:
        code = cards.issue_code(tx, card_id=works.member.card_id, at=NOON, draw=lambda: next(drawn)).code
    assert code == "12345679"


# --- opening ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["code", "qr"])
def test_a_code_opens_a_visit_of_five_minutes_that_shows_the_surname_only(issued, scan, way):
    visit = scan(getattr(issued, way), after=10)
    assert (visit.surname, visit.repeated) == ("欧阳", False)
    assert visit.expires_at - visit.opened_at == 300 * SECOND
    assert "建国" not in repr(visit)


def test_typed_digits_may_be_grouped(issued, scan):
    assert not scan(f" {issued.code[:4]} {issued.code[4:]} ").repeated


@pytest.mark.parametrize("way", ["code", "qr"])
def test_the_same_shop_repeating_gets_the_same_visit_until_it_is_over(issued, scan, way):
    scanned = getattr(issued, way)
    first = scan(scanned)
    for after in (1, 59, 299):
        again = scan(scanned, after=after)
        assert (again.visit_id, again.expires_at, again.repeated) == (first.visit_id, first.expires_at, True)
    assert refused(scan, scanned, after=300) == "CODE_USED"


@pytest.mark.parametrize("way", ["code", "qr"])
def test_another_shop_is_told_that_the_code_was_used(works, issued, scan, way):
    scan(getattr(issued, way))
    assert refused(scan, getattr(issued, way), shop=works.other_shop) == "CODE_USED"


def test_scanning_the_qr_consumes_the_digits_beside_it(works, issued, scan):
    visit = scan(issued.qr)
    assert scan(issued.code).visit_id == visit.visit_id
    assert refused(scan, issued.code, shop=works.other_shop) == "CODE_USED"


@pytest.mark.parametrize("way", ["code", "qr"])
def test_a_visit_with_its_sale_is_not_opened_again(works, issued, scan, way):
    sell(scan(getattr(issued, way)))
    assert refused(scan, getattr(issued, way)) == "VISIT_USED"


def test_malformed_unknown_and_expired_codes_are_refused_by_name(works, issued, scan):
    unknown = f"{(int(issued.code) + 1) % 10**8:08d}"
    assert refused(scan, "hello") == "CODE_MALFORMED"
    assert refused(scan, issued.qr + "x") == "CODE_MALFORMED"
    assert refused(scan, unknown) == "CODE_UNKNOWN"
    assert scan(issued.code, after=59).visit_id
    with transaction() as tx:
        late = cards.issue_code(tx, card_id=works.member.card_id, at=NOON + 90 * SECOND)
    assert refused(scan, late.code, after=150) == "CODE_EXPIRED"


def test_an_earlier_code_ends_when_the_page_shows_a_new_one(works, issued, scan):
    with transaction() as tx:
        newer = cards.issue_code(tx, card_id=works.member.card_id, at=NOON + 45 * SECOND)
    assert refused(scan, issued.code, after=46) == "CODE_EXPIRED"
    assert scan(newer.code, after=46).visit_id


def test_a_forged_qr_is_unknown_whatever_it_claims(works, issued, scan):
    card = works.member.card_id
    with transaction() as tx:
        reference = tx.scalar(select(Card.reference).where(Card.id == card))
    step = step_at(NOON)
    right = {"card_id": card, "generation": 1, "device": "web", "week": week_of(step)}
    for wrong in ({"generation": 2}, {"week": "2026-W48"}, {"device": "other"}, {"card_id": uuid4()}):
        forged = write_qr(reference=reference, device="web", step=step, key=derive_card_key(**(right | wrong)))
        assert refused(scan, forged) == "CODE_UNKNOWN"
    nobody = write_qr(reference="AAAAAAAAAAAA", device="web", step=step, key=derive_card_key(**right))
    assert refused(scan, nobody) == "CODE_UNKNOWN"
    moved = issued.qr.replace(f".{step}.", f".{step + 1}.")
    assert refused(scan, moved) == "CODE_UNKNOWN"
    with transaction() as tx:
        assert tx.scalar(select(func.count()).select_from(Visit)) == 0


@pytest.mark.parametrize(
    ("steps", "answer"),
    [
        (-21, "CODE_EXPIRED"),
        (-20, "CODE_CLOCK_OFF"),
        (-3, "CODE_CLOCK_OFF"),
        (-2, None),
        (0, None),
        (2, None),
        (3, "CODE_CLOCK_OFF"),
        (20, "CODE_CLOCK_OFF"),
        (21, "CODE_EXPIRED"),
    ],
)
def test_a_genuine_qr_is_accepted_within_two_steps_and_explained_within_twenty(issued, scan, steps, answer):
    if answer is None:
        assert scan(issued.qr, after=-30 * steps).visit_id
        return
    with pytest.raises(DomainError) as refusal:
        scan(issued.qr, after=-30 * steps)
    assert refusal.value.code == answer
    if answer == "CODE_CLOCK_OFF":
        assert refusal.value.facts == {"minutes": (abs(steps) + 1) // 2, "side": "late" if steps < 0 else "early"}
        assert str(refusal.value.facts["minutes"]) in refusal.value.sentence("zh-CN")


@pytest.mark.parametrize(
    ("act", "answer"),
    [(cards.freeze_card, "CARD_FROZEN"), (cards.report_lost, "CARD_LOST"), (cards.replace_card, "CARD_REPLACED")],
)
@pytest.mark.parametrize("way", ["code", "qr"])
def test_a_card_that_may_not_be_used_opens_no_visit_and_ends_the_open_one(works, scan, issued, way, *, act, answer):
    visit = scan(getattr(issued, way))
    act_on_card(act, works)
    assert refused(scan, getattr(issued, way)) == answer
    assert refused(shopper_of, works, visit.visit_id) == answer
    with transaction() as tx:
        assert (
            cards.find_shopper_for_member(tx, member_id=works.member.member_id, at=NOON) is None
            or answer == "CARD_REPLACED"
        )


def test_a_card_past_its_last_day_and_a_member_who_left_open_nothing(works, issued, scan):
    visit = scan(issued.code)
    for change, answer in (
        (update(Card).values(valid_until=NOON.date() - timedelta(days=1)), "CARD_EXPIRED"),
        (update(Card).values(valid_until=NOON.date()), None),
        (update(Member).values(state="left"), "MEMBER_LEFT"),
    ):
        with transaction() as tx:
            tx.execute(change)
        if answer:
            assert refused(scan, issued.qr) == answer
            assert refused(shopper_of, works, visit.visit_id) == answer


def test_every_sentence_says_what_to_do_and_nothing_of_the_person(works, issued, scan):
    with transaction() as tx:
        tx.execute(update(Member).values(state="left"))
    for scanned in (issued.code, issued.qr, "00000000" if issued.code != "00000000" else "1", "x"):
        with pytest.raises(DomainError) as refusal:
            scan(scanned)
        for sentence in (refusal.value.sentence("zh-CN"), refusal.value.sentence("en")):
            assert "欧" not in sentence
            assert "左" not in sentence
            assert "left" not in sentence.lower().split()
            assert len(sentence.replace(". ", "。").split("。")) >= 2


# --- the person behind a visit ----------------------------------------------------------------------------------------


def test_the_shopper_is_read_and_locked_in_one_statement(works, issued, scan):
    visit = scan(issued.code)
    statements = []
    event.listen(get_engine(), "before_cursor_execute", lambda *args: statements.append(args[2]))
    shopper = shopper_of(works, visit.visit_id)
    assert len(statements) == 1
    assert "FOR NO KEY UPDATE" in statements[0]
    assert (shopper.subject, shopper.card_id, shopper.visit_id) == (
        works.member.subject,
        works.member.card_id,
        visit.visit_id,
    )
    assert shopper.facts == {
        "union": "xg",
        "branch": "p1",
        "workshop": "p1-rolling",
        "grade": "standard",
        "state": "active",
        "tags": ["model-worker"],
    }
    with transaction() as tx:
        wrapped = tx.scalar(select(PersonKey.wrapped))
    assert shopper.commit_key == unwrap_person_key(wrapped, subject=works.member.subject)
    assert shopper.commit_key.hex() not in repr(shopper)


def test_a_visit_is_refused_when_unknown_elsewhere_over_or_used(works, issued, scan):
    visit = scan(issued.code)
    assert refused(shopper_of, works, uuid4()) == "VISIT_UNKNOWN"
    assert refused(shopper_of, works, visit.visit_id, shop=works.other_shop) == "VISIT_UNKNOWN"
    assert refused(shopper_of, works, visit.visit_id, after=300) == "VISIT_EXPIRED"
    assert shopper_of(works, visit.visit_id, after=299)
    sell(visit)
    assert refused(shopper_of, works, visit.visit_id) == "VISIT_USED"
    assert refused(shopper_of, works, visit.visit_id, after=301) == "VISIT_USED"


def test_the_page_of_a_visit_belongs_to_its_shop(works, issued, scan):
    visit = scan(issued.code)

    def page(**changes):
        with transaction() as tx:
            return cards.get_open_visit(
                tx, **({"visit_id": visit.visit_id, "shop_id": works.shop, "at": NOON} | changes)
            )

    assert (page().surname, page().expires_at) == ("欧阳", visit.expires_at)
    assert refused(page, shop_id=works.other_shop) == "VISIT_UNKNOWN"
    assert refused(page, at=visit.expires_at) == "VISIT_EXPIRED"


def test_a_person_whose_key_was_erased_cannot_shop(works, issued, scan):
    visit = scan(issued.code)
    with transaction() as tx:
        tx.execute(delete(PersonKey))
    assert refused(shopper_of, works, visit.visit_id) == "MEMBER_LEFT"


def test_a_member_may_look_at_prices_without_a_visit(works):
    with transaction() as tx:
        shopper = cards.find_shopper_for_member(tx, member_id=works.member.member_id, at=NOON)
        assert (shopper.visit_id, shopper.facts["workshop"]) == (NO_VISIT, "p1-rolling")
        assert cards.find_shopper_for_member(tx, member_id=uuid4(), at=NOON) is None


def test_codes_and_visits_go_after_three_hours_unless_a_sale_needs_them(works, issued, scan):
    sold = scan(issued.code)
    sell(sold)
    with transaction() as tx:
        cards.issue_code(tx, card_id=works.member.card_id, at=NOON + 100 * SECOND)
        second = cards.issue_code(tx, card_id=works.member.card_id, at=NOON + 200 * SECOND)
    scan(second.qr, after=200)
    with transaction() as tx:
        assert cards.prune_codes(tx, at=NOON + timedelta(hours=3)) == 0
        assert cards.prune_codes(tx, at=NOON + timedelta(hours=4)) == 4  # three codes, one visit
        assert tx.scalars(select(Visit.id)).all() == [sold.visit_id]
        assert tx.scalars(select(CardCode.code)).all() == []
