"""The owners of the demo works really signed what they bear, on the days between proposal and approval."""

from sqlalchemy import Connection, text


def test_every_version_in_force_is_signed_by_its_bearers(books: Connection) -> None:
    unsigned = """SELECT v.offer FROM offer_version v, unnest(v.merchants) merchant WHERE v.state IN ('approved', 'ended') AND NOT EXISTS (
                    SELECT FROM offer_signature s WHERE s.offer = v.offer AND s.version = v.version AND s.merchant = merchant
                      AND s.is_signed AND s.way = 'owner' AND s.terms_hash = v.terms_hash AND s.at BETWEEN v.proposed_at AND v.approved_at)"""
    assert books.execute(text(unsigned)).all() == []
    assert books.execute(text("SELECT count(*) FROM offer_signature")).scalar_one() >= 5


def test_something_waits_for_the_demo_owner_and_a_subsidy_ended_early_with_a_reason(books: Connection) -> None:
    waiting = "SELECT offer FROM offer_version WHERE state = 'submitted' AND merchants = '{m001}'"
    assert books.execute(text(waiting)).scalars().all() == ["m001_evening"]
    (ended,) = books.execute(
        text("SELECT note, terms -> 'window' FROM offer_version WHERE offer = 'u_welcome' AND version = 2")
    )
    assert ended[0]
    assert set(ended[1]) == {"to"}
