"""A merchant that bears a part signs exactly the version that comes into force: by the code, and by the database without it."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, InternalError

import cards
from market.kit.database import get_engine, transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from market.offers.bulk import NewOffer, load_offers
from market.offers.models import OfferVersion
from market.offers.operations import approve_offer, end_early, propose_offer, reject_offer, withdraw_offer
from market.offers.signatures import list_said, list_signatures, list_to_sign, refuse_offer, sign_offer
from tests.world import FIRST, NOON, OWNER, SECOND, World, findings

SAVE = {
    "id": "SAVE2",
    "stage": "order",
    "kind": "spend_save",
    "match": {"any": True, "merchants": ["m_0001", "m_0002"]},
    "tiers": [{"min": 2000, "off": 200}],
}


def propose(**changes: object) -> int:
    with transaction() as tx:
        return propose_offer(
            tx, terms={**SAVE, **changes}, limits={}, title="满减", title_en="Save", proposed_by=FIRST, at=NOON
        )


def stored(version: int = 1, offer: str = "SAVE2") -> OfferVersion:
    with transaction() as tx:
        row = tx.get(OfferVersion, (offer, version))
        assert row is not None
        return row


def sign(merchant: str, version: int = 1, *, terms_hash: bytes | None = None, by: object = OWNER) -> None:
    row = stored(version)
    with transaction() as tx:
        sign_offer(
            tx,
            offer="SAVE2",
            version=version,
            merchant=merchant,
            terms_hash=terms_hash or row.terms_hash,
            by=by,  # type: ignore[arg-type]
            at=NOON,
        )


def approve(version: int = 1, by: object = SECOND) -> None:
    with transaction() as tx:
        approve_offer(tx, offer="SAVE2", version=version, approved_by=by, count_class=cards.count_class, at=NOON)  # type: ignore[arg-type]


def refused(code: str) -> object:
    return pytest.raises(DomainError, check=lambda error: error.code == code)  # type: ignore[attr-defined]


def test_only_when_every_merchant_has_signed_it_can_be_approved(world: World) -> None:
    propose()
    with refused("OFFER_UNSIGNED"):
        approve()
    sign("m_0001")
    with refused("OFFER_UNSIGNED") as found:
        approve()
    assert found.value.facts == {"merchants": "m_0002"}
    sign("m_0002")
    approve()
    assert stored().state == "approved"


def test_the_union_s_own_offer_asks_nobody(world: World) -> None:
    propose(id="SAVE2", sponsor="xg", sponsor_share_bp=10_000, budgets=["budget:lunch"])
    assert stored().merchants == []
    approve()


def test_a_rebate_is_borne_by_the_merchant_whoever_gets_it(world: World) -> None:
    terms = {"id": "BACK", "stage": "rebate", "kind": "percent_back", "rate_bp": 500, "rebate_to": "union"}
    with transaction() as tx:
        propose_offer(
            tx,
            terms={**terms, "match": {"any": True, "merchants": ["m_0001"]}},
            limits={},
            title="返利",
            title_en="Back",
            proposed_by=FIRST,
            at=NOON,
        )
    assert stored(offer="BACK").merchants == ["m_0001"]


def test_a_merchant_that_is_not_asked_signs_nothing_and_learns_nothing(world: World) -> None:
    propose()
    for merchant in ("m_0003", "", "union"):
        with refused("NOT_FOUND"):
            sign(merchant)
    with transaction() as tx:
        assert list_to_sign(tx, merchant="m_0003") == []
        assert [row.offer for row in list_to_sign(tx, merchant="m_0002")] == ["SAVE2"]


def test_nobody_signs_twice_nor_after_a_refusal(world: World) -> None:
    propose()
    sign("m_0001")
    with refused("SIGNED_ALREADY"):
        sign("m_0001")
    with transaction() as tx:
        refuse_offer(
            tx,
            offer="SAVE2",
            version=1,
            merchant="m_0002",
            terms_hash=stored().terms_hash,
            reason="太贵",
            by=OWNER,
            at=NOON,
        )
    assert (stored().state, stored().closed_by, stored().closed_reason) == ("rejected", OWNER, "太贵")
    with refused("OFFER_STATE"):
        sign("m_0002")
    with refused("OFFER_STATE"):
        approve()
    with transaction() as tx:
        assert [(row.version, said.is_signed) for row, said in list_said(tx, merchant="m_0002", limit=9)] == [
            (1, False)
        ]


def test_a_forged_hash_signs_nothing(world: World) -> None:
    propose()
    with refused("OTHER_TERMS"):
        sign("m_0001", terms_hash=bytes(32))
    with transaction() as tx:
        assert list_signatures(tx, offer="SAVE2") == []


def test_a_newer_version_withdraws_the_older_and_its_signatures_count_for_nothing(world: World) -> None:
    propose()
    sign("m_0001")
    old = stored().terms_hash
    propose(tiers=[{"min": 2000, "off": 300}])
    assert (stored(1).state, stored(2).state) == ("withdrawn", "submitted")
    with refused("NEWER_VERSION"):
        sign("m_0002", 1)
    with refused("NEWER_VERSION"):
        approve(1)
    with refused("OTHER_TERMS"):
        sign("m_0002", 2, terms_hash=old)
    with refused("OFFER_UNSIGNED") as found:
        approve(2)
    assert found.value.facts == {"merchants": "m_0001、m_0002"}


def test_whoever_proposed_or_signed_does_not_approve(world: World) -> None:
    propose()
    sign("m_0001", by=SECOND)
    sign("m_0002")
    for person in (FIRST, SECOND):
        with refused("TWO_PERSONS"):
            approve(by=person)
    approve(by=new_id())


def test_a_rejection_needs_a_reason_and_another_person(world: World) -> None:
    propose()
    for reason in ("", "  \n", "x" * 501):
        with refused("REASON_MISSING"), transaction() as tx:
            reject_offer(tx, offer="SAVE2", version=1, rejected_by=SECOND, reason=reason, at=NOON)
    with refused("NOT_FOUND"), transaction() as tx:
        withdraw_offer(tx, offer="SAVE2", version=1, withdrawn_by=SECOND, at=NOON)
    with transaction() as tx:
        reject_offer(tx, offer="SAVE2", version=1, rejected_by=SECOND, reason=" 再 \n低一点 ", at=NOON)
    assert (stored().state, stored().closed_by, stored().closed_reason) == ("rejected", SECOND, "再 低一点")


def test_an_early_end_changes_the_end_alone_and_carries_the_signatures(world: World) -> None:
    with transaction() as tx:
        assert end_early(tx, offer="NOODLE10", ends_at=NOON, reason="面粉涨价", proposed_by=FIRST, at=NOON) == 2
    first, second = stored(1, "NOODLE10"), stored(2, "NOODLE10")
    assert second.terms == {**first.terms, "version": 2, "window": {"to": "2026-12-01T12:05:00+08:00"}}
    assert (second.note, second.state, first.state) == ("面粉涨价", "submitted", "approved")
    with transaction() as tx:
        (carried,) = list_signatures(tx, offer="NOODLE10", version=2)
    assert (carried.way, carried.by, carried.merchant) == ("carried", OWNER, "m_0001")
    assert world.sell(2000).concession_fen == 200
    with transaction() as tx:
        approve_offer(tx, offer="NOODLE10", version=2, approved_by=SECOND, count_class=cards.count_class, at=NOON)
    assert (stored(1, "NOODLE10").state, stored(2, "NOODLE10").live_until) == ("ended", NOON)


def test_an_early_end_lies_before_the_end_there_is(world: World) -> None:
    with transaction() as tx:
        end_early(tx, offer="NOODLE10", ends_at=NOON, reason="停", proposed_by=FIRST, at=NOON)
        approve_offer(tx, offer="NOODLE10", version=2, approved_by=SECOND, count_class=cards.count_class, at=NOON)
    with refused("END_TIME"), transaction() as tx:
        end_early(tx, offer="NOODLE10", ends_at=NOON, reason="再停", proposed_by=FIRST, at=NOON)
    with refused("NOT_FOUND"), transaction() as tx:
        end_early(tx, offer="NOWHERE", ends_at=NOON, reason="停", proposed_by=FIRST, at=NOON)


def test_a_load_records_what_the_merchants_agreed_to_on_paper(world: World) -> None:
    with transaction() as tx:
        new = NewOffer(SAVE, "满减", "Save", ("m_0001", "m_0002"))
        load_offers(tx, offers=[new], proposed_by=FIRST, approved_by=SECOND, count_class=cards.count_class, at=NOON)
        signed = list_signatures(tx, offer="SAVE2", version=1)
    assert {(one.merchant, one.way, one.by) for one in signed} == {
        ("m_0001", "declared", FIRST),
        ("m_0002", "declared", FIRST),
    }
    assert {one.terms_hash for one in signed} == {stored().terms_hash}
    assert findings() == []


# --- past the code ----------------------------------------------------------------------------------------------------

APPROVED = """UPDATE offer_version SET state = 'approved', approved_by = gen_random_uuid(), approved_at = now()
              WHERE offer = 'SAVE2' AND version = 1"""
SIGNED = """INSERT INTO offer_signature (offer, version, merchant, terms_hash, is_signed, way, by, at)
            SELECT offer, version, '{merchant}', {hash}, true, '{way}', gen_random_uuid(), now() FROM offer_version WHERE offer = 'SAVE2'"""


@pytest.fixture
def past_the_code(world: World) -> Connection:
    propose()
    with get_engine().connect() as connection:
        yield connection  # type: ignore[misc]
        connection.rollback()


def test_the_database_approves_nothing_unsigned(past_the_code: Connection) -> None:
    past_the_code.execute(text(APPROVED))
    with pytest.raises(IntegrityError, match="is not signed by all who bear it"):
        past_the_code.commit()


def test_the_database_counts_a_refusal_as_no_signature(past_the_code: Connection) -> None:
    for merchant in ("m_0001", "m_0002"):
        past_the_code.execute(
            text(
                SIGNED.format(merchant=merchant, hash="terms_hash", way="owner")
                .replace("true", "false")
                .replace("is_signed, way", "is_signed, reason, way")
                .replace("false, 'owner'", "false, 'no', 'owner'")
            )
        )
    past_the_code.execute(text(APPROVED))
    with pytest.raises(IntegrityError, match="is not signed by all who bear it"):
        past_the_code.commit()


def test_the_database_takes_what_is_signed(past_the_code: Connection) -> None:
    for merchant in ("m_0001", "m_0002"):
        past_the_code.execute(text(SIGNED.format(merchant=merchant, hash="terms_hash", way="owner")))
    past_the_code.execute(text(APPROVED))
    past_the_code.commit()
    assert stored().state == "approved"


@pytest.mark.parametrize(
    ("merchant", "hash_", "way"),
    [
        ("m_0001", "decode(repeat('00', 32), 'hex')", "owner"),
        ("m_0003", "terms_hash", "owner"),
        ("m_0001", "terms_hash", "mail"),
    ],
)
def test_the_database_refuses_a_signature_that_does_not_fit(
    past_the_code: Connection, merchant: str, hash_: str, way: str
) -> None:
    with pytest.raises((IntegrityError, InternalError)):
        past_the_code.execute(text(SIGNED.format(merchant=merchant, hash=hash_, way=way)))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE offer_signature SET is_signed = true",
        "DELETE FROM offer_signature",
        "TRUNCATE offer_signature",
        "UPDATE offer_version SET note = 'x'",
        "UPDATE offer_version SET merchants = '{}'",
        "UPDATE offer_version SET state = 'withdrawn' WHERE offer = 'SAVE2'",
        "UPDATE offer_version SET state = 'submitted' WHERE offer = 'NOODLE10'",
        "UPDATE offer_version SET state = 'withdrawn', closed_by = proposed_by, closed_at = now() WHERE offer = 'NOODLE10'",
    ],
)
def test_the_database_keeps_what_was_said(past_the_code: Connection, change: str) -> None:
    with pytest.raises((IntegrityError, InternalError)):
        past_the_code.execute(text(change))


def test_two_officers_and_an_owner_at_once_leave_one_truth(world: World) -> None:
    """Signing, rejecting and a newer version race for one version; whatever wins, nothing unsigned is approved and nothing is lost."""
    propose()
    with transaction() as tx:
        sign_offer(tx, offer="SAVE2", version=1, merchant="m_0001", terms_hash=stored().terms_hash, by=OWNER, at=NOON)
    start = threading.Barrier(4)
    outcomes: list[str] = []

    def attempt(name: str, act: object) -> None:
        start.wait()
        try:
            act()  # type: ignore[operator]
        except DomainError as error:
            outcomes.append(f"{name}:{error.code}")
        else:
            outcomes.append(f"{name}:done")

    def reject() -> None:
        with transaction() as tx:
            reject_offer(tx, offer="SAVE2", version=1, rejected_by=SECOND, reason="不行", at=NOON)

    acts = {
        "sign": lambda: sign("m_0002"),
        "approve": approve,
        "reject": reject,
        "newer": lambda: propose(tiers=[{"min": 1000, "off": 100}]),
    }
    threads = [threading.Thread(target=attempt, args=item) for item in acts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    state = stored().state
    assert state in {"approved", "rejected", "withdrawn", "ended"}
    assert ("approve:done" in outcomes) == (state in {"approved", "ended"})
    assert ("reject:done" in outcomes) == (state == "rejected")
    assert stored(2).state == "submitted"


def test_an_early_end_waits_for_an_approval_that_is_under_way(world: World) -> None:
    """It would otherwise carry the signatures of a version that is no longer the one in force."""
    for version in (1, 2):
        propose(tiers=[{"min": 2000, "off": 100 * version}])
        sign("m_0001", version)
        sign("m_0002", version)
        if version == 1:
            approve()
    ended: list[int] = []

    def end() -> None:
        with transaction() as tx:
            ended.append(end_early(tx, offer="SAVE2", ends_at=NOON, reason="不办了", proposed_by=FIRST, at=NOON))

    ending = threading.Thread(target=end)
    with transaction() as tx:
        approve_offer(
            tx,
            offer="SAVE2",
            version=2,
            approved_by=SECOND,
            count_class=cards.count_class,
            at=NOON - timedelta(minutes=1),
        )
        ending.start()
        ending.join(0.5)
        assert ending.is_alive()
    ending.join()
    assert stored(ended[0]).terms["tiers"] == stored(2).terms["tiers"]
