"""The same card at the same moment, in real threads on real connections."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text, update

import cards
from cards.models import Card, CardCode, Member, Visit
from market.kit.database import transaction
from market.kit.errors import DomainError

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
THREADS = 32


def all_at_once(act):
    """Run `act(number)` in 32 threads that start together; the answer of each, or the code of its refusal."""
    together = threading.Barrier(THREADS)

    def run(number):
        together.wait()
        try:
            return act(number)
        except DomainError as refusal:
            return refusal.code

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def wait_until_blocked(count=1):
    """Wait until so many sessions of this database wait for a lock; fails after 10 seconds."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(1000):
        with transaction() as tx:
            if tx.scalar(waiting) >= count:
                return
        time.sleep(0.01)
    pytest.fail("nobody waited for the lock")


@pytest.mark.parametrize("way", ["code", "qr"])
def test_one_code_scanned_by_one_shop_32_times_opens_one_visit(crowded_works, way):
    works = crowded_works
    with transaction() as tx:
        scanned = getattr(cards.issue_code(tx, card_id=works.member.card_id, at=NOON), way)

    def scan(_number):
        with transaction() as tx:
            return cards.open_visit(tx, scanned=scanned, shop_id=works.shop, staff_id=works.staff, at=NOON)

    visits = all_at_once(scan)
    assert len({visit.visit_id for visit in visits}) == 1
    assert Counter(visit.repeated for visit in visits) == {False: 1, True: THREADS - 1}
    with transaction() as tx:
        assert tx.scalar(select(func.count()).select_from(Visit)) == 1


@pytest.mark.parametrize("way", ["code", "qr"])
def test_one_code_scanned_by_two_shops_at_once_opens_a_visit_at_one(crowded_works, way):
    works = crowded_works
    with transaction() as tx:
        scanned = getattr(cards.issue_code(tx, card_id=works.member.card_id, at=NOON), way)

    def scan(number):
        shop_id = works.shop if number % 2 else works.other_shop
        with transaction() as tx:
            cards.open_visit(tx, scanned=scanned, shop_id=shop_id, staff_id=works.staff, at=NOON)
        return "opened"

    assert Counter(all_at_once(scan)) == {"opened": THREADS // 2, "CODE_USED": THREADS // 2}


def test_32_pages_opened_at_once_show_one_live_code(crowded_works):
    works = crowded_works

    def show(_number):
        with transaction() as tx:
            return cards.issue_code(tx, card_id=works.member.card_id, at=NOON).code

    assert len(set(all_at_once(show))) == 1
    with transaction() as tx:
        assert tx.scalar(select(func.count()).select_from(CardCode)) == 1


def test_a_page_opened_while_another_is_being_made_shows_the_same_code(crowded_works):
    works = crowded_works

    def show():
        with transaction() as tx:
            return cards.issue_code(tx, card_id=works.member.card_id, at=NOON).code

    with ThreadPoolExecutor(1) as pool:
        with transaction() as tx:
            first = cards.issue_code(tx, card_id=works.member.card_id, at=NOON).code
            second = pool.submit(show)
            wait_until_blocked()
        assert second.result(timeout=10) == first


def test_a_card_is_replaced_once_however_often_it_is_asked_for_at_once(crowded_works):
    works = crowded_works

    def replace(_number):
        with transaction() as tx:
            cards.replace_card(tx, card_id=works.member.card_id, at=NOON)
        return "replaced"

    assert Counter(all_at_once(replace)) == {"replaced": 1, "CARD_REPLACED": THREADS - 1}
    with transaction() as tx:
        assert sorted(tx.scalars(select(Card.state))) == ["active", "replaced"]


def test_a_person_is_entered_once_however_often_at_once(crowded_works, national_id):
    works = crowded_works

    def enter(number):
        person = cards.NewMember(
            staff_number=f"S{number % 2}", name="李四", phone="", national_id=national_id(9), unit_id=works.plant
        )
        with transaction() as tx:
            cards.add_member(tx, member=person, at=NOON)
        return "entered"

    assert Counter(all_at_once(enter)) == {"entered": 1, "MEMBER_EXISTS": THREADS - 1}


@pytest.fixture
def visit(crowded_works):
    """An open visit of the member."""
    works = crowded_works
    with transaction() as tx:
        code = cards.issue_code(tx, card_id=works.member.card_id, at=NOON).code
        return cards.open_visit(tx, scanned=code, shop_id=works.shop, staff_id=works.staff, at=NOON)


def test_a_freeze_waits_for_a_redemption_under_way_and_stops_the_next(crowded_works, visit):
    works = crowded_works

    def freeze():
        with transaction() as tx:
            cards.freeze_card(tx, card_id=works.member.card_id, at=NOON)

    with ThreadPoolExecutor(1) as pool:
        with transaction() as tx:
            cards.get_shopper(tx, visit_id=visit.visit_id, shop_id=works.shop, at=NOON)
            frozen = pool.submit(freeze)
            wait_until_blocked()
            assert not frozen.done()
        frozen.result(timeout=10)
    with pytest.raises(DomainError) as refusal, transaction() as tx:
        cards.get_shopper(tx, visit_id=visit.visit_id, shop_id=works.shop, at=NOON)
    assert refusal.value.code == "CARD_FROZEN"


@pytest.mark.parametrize(
    ("act", "answer"),
    [(cards.freeze_card, "CARD_FROZEN"), (cards.report_lost, "CARD_LOST"), (cards.replace_card, "CARD_REPLACED")],
)
def test_a_redemption_that_waited_for_a_freeze_is_refused(crowded_works, visit, act, answer):
    works = crowded_works

    def redeem():
        with transaction() as tx:
            return cards.get_shopper(tx, visit_id=visit.visit_id, shop_id=works.shop, at=NOON)

    with ThreadPoolExecutor(1) as pool:
        with transaction() as tx:
            act(tx, card_id=works.member.card_id, at=NOON)
            waiting = pool.submit(redeem)
            wait_until_blocked()
        with pytest.raises(DomainError) as refusal:
            waiting.result(timeout=10)
    assert refusal.value.code == answer


def test_a_member_moved_while_his_redemption_waits_is_found_in_his_new_unit(crowded_works, visit):
    works = crowded_works

    def redeem():
        with transaction() as tx:
            return cards.get_shopper(tx, visit_id=visit.visit_id, shop_id=works.shop, at=NOON)

    with ThreadPoolExecutor(1) as pool:
        with transaction() as tx:
            tx.execute(update(Member).values(unit_id=works.casting))
            waiting = pool.submit(redeem)
            wait_until_blocked()
        assert waiting.result(timeout=10).facts["workshop"] == "p1-casting"


def test_redemptions_of_one_person_come_one_by_one(crowded_works, visit):
    works = crowded_works
    inside = []

    def redeem(number):
        with transaction() as tx:
            cards.get_shopper(tx, visit_id=visit.visit_id, shop_id=works.shop, at=NOON)
            inside.append(number)
            time.sleep(0.01)
            assert inside[-1] == number  # nobody came in between
        return "done"

    assert Counter(all_at_once(redeem)) == {"done": THREADS}
