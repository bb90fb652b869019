"""Every process follows the offers within a second, at the instant where the clock decides, and no sale stops for it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from cards.replay import PastVisit, record_visits
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.ids import new_id
from market.offers import live
from market.offers.book import OfferBook
from market.offers.operations import end_offer
from tests.world import NOODLES, NOON, World

SECOND = timedelta(seconds=1)
TILLS = 2
SHOPPERS = 40
SALES = 8 * SHOPPERS  # a shopper opens one visit in a step of 30 seconds, and a visit ends after five minutes


class SellingTill:
    """A process that sells, and what it said of each sale: when it was priced, and the offers that applied."""

    def __init__(self, url: str, staff: UUID) -> None:
        root = Path(__file__).parents[3]
        self.sales: list[tuple[datetime, set[str]]] = []
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("selling.py")), url, str(staff)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            at, offers = json.loads(line)
            self.sales.append((datetime.fromisoformat(at), set(offers)))

    def wait(self, sales: int) -> None:
        deadline = time.monotonic() + 30
        while len(self.sales) < sales:
            assert self.process.poll() is None, "a till broke down"
            assert time.monotonic() < deadline, "a till sells nothing more"
            time.sleep(0.01)


@pytest.fixture
def tills(world: World, database: Engine) -> Iterator[list[SellingTill]]:
    """Two processes that sell to shoppers of their own, one sale after the other, while the test changes the offers."""
    for number in range(2, 2 + TILLS * SHOPPERS):
        world.add_member(number)
    url = database.url.render_as_string(hide_password=False)
    selling = [SellingTill(url, world.staff) for _ in range(TILLS)]
    stop = threading.Event()

    begun = now()

    def feed(number: int, into: SellingTill) -> None:
        """A visit of each shopper in turn, each in a step of its own; a till is never far behind."""
        cards = [member.card_id for member in world.members[1 + number :: TILLS]]
        with into.process.stdin as visits:
            for sale in range(SALES):
                while sale > len(into.sales) + 3 and not stop.is_set():
                    time.sleep(0.002)
                if stop.is_set():
                    return
                card, opened_at = cards[sale % SHOPPERS], begun - 30 * (sale // SHOPPERS) * SECOND
                visit = PastVisit(new_id(), card, world.shop, world.staff, opened_at)
                with transaction() as tx:
                    record_visits(tx, [visit])
                visits.write(f"{visit.id}\n")
                visits.flush()

    feeders = [threading.Thread(target=feed, args=each) for each in enumerate(selling)]
    for feeder in feeders:
        feeder.start()
    try:
        yield selling
    finally:
        stop.set()
        for feeder in feeders:
            feeder.join()
        for each in selling:
            each.process.wait(timeout=30)
            each.reader.join()
            each.process.stdout.close()


def finish(tills: list[SellingTill]) -> None:
    for each in tills:
        each.wait(len(each.sales) + 2)
        assert each.process.poll() is None


def amount_off(id_: str, **more: object) -> dict[str, object]:
    return {"id": id_, "stage": "order", "kind": "amount_off", "match": {"merchants": ["m_0001"]}, "amount": 10, **more}


def test_two_processes_follow_an_approval_and_an_end_within_a_second(world: World, tills: list[SellingTill]) -> None:
    for each in tills:
        each.wait(5)
    before = now()
    world.offer(amount_off("FRESH"), at=before)
    approved = now()
    time.sleep(1.8)
    ending = now()
    with transaction() as tx:
        end_offer(tx, offer="FRESH", at=ending)
    ended = now()
    time.sleep(1.8)
    finish(tills)
    for each in tills:
        seen = {
            name: {"FRESH" in offers for at, offers in each.sales if a <= at < b}
            for name, a, b in (
                ("before", before - 60 * SECOND, before),
                ("approved", approved + SECOND, ending),
                ("ended", ended + SECOND, now()),
            )
        }
        assert seen == {"before": {False}, "approved": {True}, "ended": {False}}
        # A till alone sells some fifty times a second; how often here depends on what else the machine does.
        waits = [later - earlier for (earlier, _), (later, _) in zip(each.sales, each.sales[1:], strict=False)]
        assert max(waits) < 2 * SECOND, "sales stood still while the book changed"


def test_two_processes_follow_the_clock_to_the_instant(world: World, tills: list[SellingTill]) -> None:
    for each in tills:
        each.wait(5)
    begins, ends = now() + 2 * SECOND, now() + 3 * SECOND
    window = {"from": begins.isoformat(), "to": ends.isoformat()}
    world.offer(amount_off("HOUR", window=window), at=now())
    time.sleep(4)
    finish(tills)
    for each in tills:
        assert {"HOUR" in offers for _, offers in each.sales} == {True, False}
        assert [at for at, offers in each.sales if ("HOUR" in offers) != (begins <= at < ends)] == []


def test_the_book_after_the_clocks_next_change_is_there_before_it(world: World) -> None:
    begins = NOON + timedelta(hours=1)
    world.offer(amount_off("SOON", window={"from": begins.isoformat()}))
    assert live.get_book(at=begins - live.AHEAD - SECOND).until == begins
    assert live._shelf.ahead is None
    time.sleep(live.ASK_AGAIN_SECONDS)
    held = live.get_book(at=begins - SECOND)
    assert held.book.versions.keys() == {"NOODLE10", "WEEKDAY1"}
    ahead = live._shelf.ahead
    assert live.get_book(at=begins) is ahead
    assert ahead.book.versions.keys() == {"NOODLE10", "SOON", "WEEKDAY1"}
    assert (ahead.since, ahead.book.number) == (begins, held.book.number)


def test_a_book_ahead_is_dropped_when_the_offers_change_meanwhile(world: World) -> None:
    begins = NOON + timedelta(hours=1)
    world.offer(amount_off("SOON", window={"from": begins.isoformat()}))
    live.get_book(at=begins - SECOND)
    with transaction() as tx:
        end_offer(tx, offer="NOODLE10", at=begins - SECOND)
    assert live.get_book(at=begins).book.versions.keys() == {"SOON", "WEEKDAY1"}


def test_a_followed_book_is_the_one_that_is_read_anew(world: World) -> None:
    world.offer(NOODLES, {"uses": 1, "period": "day"})
    held = live.load_book(at=NOON)
    world.offer({**NOODLES, "rate_bp": 2000})
    world.offer(amount_off("FRESH"), {"total_fen": 500})
    with transaction() as tx:
        end_offer(tx, offer="WEEKDAY1", at=NOON)
    followed, anew = live.load_book(at=NOON, known=held), live.load_book(at=NOON)
    assert (followed.limits, followed.titles, followed.since, followed.until) == (
        anew.limits,
        anew.titles,
        anew.since,
        anew.until,
    )
    assert followed.limits.keys() == {"FRESH"}
    assert (followed.book.number, followed.book.offers) == (anew.book.number, anew.book.offers)
    assert held.book.versions == {"NOODLE10": 2, "WEEKDAY1": 1}


def test_a_version_that_is_held_is_not_read_again(world: World) -> None:
    held = live.load_book(at=NOON)
    world.offer(amount_off("FRESH"))
    followed = live.load_book(at=NOON, known=held)
    kept = {offer.id: offer for offer in held.book.offers}
    assert [offer.id for offer in followed.book.offers if offer is kept.get(offer.id)] == ["NOODLE10", "WEEKDAY1"]
    assert isinstance(followed.book, OfferBook)
