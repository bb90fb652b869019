"""An approved version starts when a signed checkpoint covers its entry; an end never waits."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import cards
from api.public_log import open_log, run_round
from market.kit.clock import now
from market.kit.database import get_engine, transaction
from market.kit.settings import Settings
from market.offers.bulk import NewOffer, load_offers
from market.offers.live import load_book
from market.offers.operations import approve_offer, end_early, end_offer, propose_offer, start_published
from market.record.publishing.served import published_size
from tests.world import FIRST, NOON, SECOND, World, findings, sign_all

SAVE = {
    "id": "SAVE2",
    "stage": "order",
    "kind": "spend_save",
    "match": {"merchants": ["m_0001"]},
    "tiers": [{"min": 2000, "off": 200}],
}


@pytest.fixture
def settings(world: World, tmp_path: Path) -> Settings:
    """The log is open, and nothing is signed yet."""
    made = Settings(record_folder=tmp_path / "record")
    open_log(made, origin="test.example/log", window_seconds=1, at=NOON)
    return made


def propose(**more: Any) -> int:
    with transaction() as tx:
        version = propose_offer(
            tx, terms=SAVE | more, limits={}, title="满减", title_en="Save", proposed_by=FIRST, at=NOON
        )
        sign_all(tx, offer=str((SAVE | more)["id"]), version=version, at=NOON)
    return version


def approve(version: int, offer: str = "SAVE2", *, minute: int = 1) -> None:
    with transaction() as tx:
        approve_offer(
            tx,
            offer=offer,
            version=version,
            approved_by=SECOND,
            count_class=cards.count_class,
            at=NOON + timedelta(minutes=minute),
        )


def states() -> dict[int, tuple[str, bool]]:
    """State and whether it has started, by version of SAVE2."""
    with get_engine().connect() as connection:
        rows = connection.execute(
            text("SELECT version, state, started_at IS NOT NULL FROM offer_version WHERE offer = 'SAVE2'")
        )
        return {version: (state, has_started) for version, state, has_started in rows}


def live() -> int | None:
    """The version of SAVE2 that a process that asks now sells by."""
    return load_book(at=NOON + timedelta(hours=1)).book.versions.get("SAVE2")


def test_a_version_starts_with_its_checkpoint_and_the_one_before_it_goes_on_until_then(settings: Settings) -> None:
    approve(propose())
    assert live() is None
    run_round(settings, at=NOON + timedelta(minutes=2))
    assert live() == 1
    approve(propose(tiers=[{"min": 2000, "off": 300}]), minute=3)
    assert live() == 1
    assert states() == {1: ("approved", True), 2: ("approved", False)}
    run_round(settings, at=NOON + timedelta(minutes=4))
    assert live() == 2
    assert states() == {1: ("ended", True), 2: ("approved", True)}
    assert findings() == []


def test_an_end_does_not_wait(settings: Settings) -> None:
    approve(propose())
    run_round(settings, at=NOON + timedelta(minutes=2))
    with transaction() as tx:
        ends = NOON + timedelta(minutes=30)
        version = end_early(tx, offer="SAVE2", ends_at=ends, reason="停", proposed_by=FIRST, at=NOON)
    approve(version, minute=3)
    assert live() is None  # an hour later
    assert states() == {1: ("ended", True), 2: ("approved", True)}
    assert findings() == []


def test_of_two_that_wait_the_newest_starts(settings: Settings) -> None:
    approve(propose())
    approve(propose(tiers=[{"min": 2000, "off": 300}]))
    run_round(settings, at=NOON + timedelta(minutes=2))
    assert live() == 2
    assert states() == {1: ("ended", False), 2: ("approved", True)}
    with transaction() as tx:
        assert start_published(tx, size=published_size(tx), at=NOON) == 0


def test_what_waits_can_be_ended(settings: Settings) -> None:
    approve(propose())
    with transaction() as tx:
        end_offer(tx, offer="SAVE2", at=NOON + timedelta(minutes=2))
    run_round(settings, at=NOON + timedelta(minutes=3))
    assert live() is None
    assert findings() == []


def test_while_nothing_is_signed_nothing_starts(settings: Settings) -> None:
    approve(propose())
    (settings.record_folder or Path()).rename(settings.record_folder.with_name("elsewhere"))  # type: ignore[union-attr]
    with pytest.raises(Exception, match="key"):
        run_round(settings, at=NOON + timedelta(minutes=2))
    assert live() is None
    (settings.record_folder.with_name("elsewhere")).rename(settings.record_folder)  # type: ignore[union-attr, arg-type]
    run_round(settings, at=NOON + timedelta(minutes=3))
    assert live() == 1


def test_without_a_log_there_is_nothing_to_wait_for(world: World) -> None:
    approve(propose())
    assert live() == 1


def test_a_load_waits_too_and_starts_in_parts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    new = [NewOffer({**SAVE, "id": f"LOAD{number:04}"}, "满减", "Save", merchants=("m_0001",)) for number in range(700)]
    with transaction() as tx:
        load_offers(tx, offers=new, proposed_by=FIRST, approved_by=SECOND, count_class=cards.count_class, at=NOON)
    assert not any(offer.startswith("LOAD") for offer in load_book(at=NOON).book.versions)
    run_round(settings, at=NOON + timedelta(minutes=1))
    assert sum(offer.startswith("LOAD") for offer in load_book(at=NOON).book.versions) == 700


def test_starts_approvals_and_ends_at_once_leave_one_in_force(settings: Settings) -> None:
    errors: list[Exception] = []

    def attempt(act: Any) -> None:
        try:
            for _ in range(6):
                act()
        except Exception as error:  # noqa: BLE001  the test shows it
            errors.append(error)

    def bring() -> None:
        version = propose(tiers=[{"min": 2000, "off": 200 + next(cents)}])
        approve(version)

    def publish() -> None:
        run_round(settings, at=now())

    def stop() -> None:
        with transaction() as tx:
            if states() and any(state == "approved" for state, _ in states().values()):
                end_offer(tx, offer="SAVE2", at=now())

    cents = iter(range(100))
    threads = [threading.Thread(target=attempt, args=(act,)) for act in (bring, publish, publish, stop)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(type(error).__name__ == "NotFoundError" for error in errors), errors
    run_round(settings, at=now() + timedelta(minutes=2))
    assert sum(state == "approved" for state, _ in states().values()) <= 1
    assert all(has_started for state, has_started in states().values() if state == "approved")
    assert [found for found in findings() if "offer" in found] == []
