"""A small works in which everything happens once that the public record writes an entry of. Real operations, at fixed instants."""

import io
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

import merchants
from api import erasing, till
from api.identity.accounts import create_account, disable_account, grant_role
from api.public_log import add_witness, need_policy, open_log, renew_key, run_round
from cards.erasing import list_erasures, publish_erasures
from market.kit.database import get_engine, transaction
from market.kit.ids import new_id
from market.kit.settings import Settings
from market.offers.operations import end_offer
from market.oversight.details import Asked, approve_details, ask_details
from market.record.details.keys import AuditorSecret
from market.record.log.keys import Kind
from market.record.publication import change_publication
from market.record.publishing.closing import close_days
from market.record.publishing.keyring import new_key
from market.record.publishing.opening import set_policy
from merchants.importing import import_merchants
from tests.world import FIRST, NOON, SECOND, World, build_world

PAGE = Path(__file__).parents[1] / "docs" / "entries.md"
DAYS = timedelta(days=1)
MINUTES = timedelta(minutes=1)
OVER = NOON + 40 * DAYS  # December is over
BACK = {
    "id": "BACK5",
    "stage": "rebate",
    "kind": "percent_back",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 500,
    "rebate_to": "union",
}
CHEMIST = {"id": "CHEMIST5", "stage": "line", "kind": "percent_off", "match": {"merchants": ["m_0009"]}, "rate_bp": 500}
FILE = """merchant_code,merchant_name,credit_code,category,shop_code,shop_name,address
m_0001,老周面馆,91110108551385082Q,food,s_0001,老周面馆（炼钢路店）,炼钢路 8 号
"""
WELDERS = {
    "id": "WELDERS20",
    "stage": "line",
    "kind": "percent_off",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 2000,
    "audience": {"tags": ["welder"]},
}


def write_one_of_each(settings: Settings) -> None:
    """All of it in the database this process is connected to, and published: the whole log is in a signed checkpoint at the end."""
    policy = open_log(settings, origin="test.example/log", window_seconds=60, at=NOON - 60 * MINUTES)
    world = build_world()
    world.offer(BACK)
    world.offer(WELDERS)
    _appoint(world)
    chemist = _admit_chemist(world)
    run_round(settings, at=NOON)  # with this the offers start
    _sell_noodles(world)
    _sell_medicine(world, chemist)
    run_round(settings, at=NOON + DAYS)
    with transaction() as tx:
        close_days(tx, policy=policy, at=NOON + DAYS)
        end_offer(tx, offer="WELDERS20", at=NOON + DAYS)
        merchants.suspend_merchant(tx, merchant_id=world.merchant, at=NOON + DAYS)
    with transaction() as tx:
        merchants.readmit_merchant(tx, merchant_id=world.merchant, at=NOON + 2 * DAYS)
        import_merchants(tx, file=io.BytesIO(FILE.encode()), at=NOON + 2 * DAYS)
        change_publication(
            tx,
            merchant="m_0009",
            publication="row",
            reason="sales",
            from_on=date(2027, 2, 1),
            at=NOON + 2 * DAYS,
            by=FIRST,
        )
        asked = Asked(
            "m_0001", NOON.date(), NOON.date(), "finding", "七成小票在 50 元上下", AuditorSecret(bytes(32)).key.text
        )
        approve_details(
            tx,
            request_id=ask_details(tx, asked=asked, by=FIRST, at=NOON + 2 * DAYS).id,
            by=SECOND,
            at=NOON + 2 * DAYS,
        )
    _erase_five(world, settings)
    with transaction() as tx:
        publish_erasures(tx, at=OVER)
    run_round(settings, at=OVER)
    _change_keys(settings)
    run_round(settings, at=OVER + DAYS)


def list_entries() -> list[bytes]:
    """All published entries, in the order of the log."""
    with get_engine().connect() as connection:
        rows = connection.execute(text("SELECT body FROM entry WHERE leaf_index IS NOT NULL ORDER BY leaf_index"))
        return [bytes(row.body) for row in rows]


def _appoint(world: World) -> None:
    with transaction() as tx:
        account = create_account(tx, login="wang", name="王干部", at=NOON)
        grant_role(tx, account_id=account, role="officer", scope_id=world.unit, at=NOON)
    with transaction() as tx:
        disable_account(tx, login="wang", at=NOON + DAYS)


def _admit_chemist(world: World) -> UUID:
    """A pharmacy, published in batches, with its 5 % off; the assistant at its till."""
    with transaction() as tx:
        merchant = merchants.admit_merchant(
            tx, code="m_0009", name="百草大药房", credit_code="91310000132206289R", category="pharmacy", at=NOON
        )
        place = merchants.add_shop(tx, merchant_id=merchant, code="s_0009", name="百草", address="东门")
        staff = merchants.add_staff(tx, merchant_id=merchant, name="小药", shop_id=place)
    world.offer(CHEMIST)
    return staff


def _sell_noodles(world: World) -> None:
    """A sale that stays, one that is voided, one that is given back."""
    _, mistyped, returned = (world.sell(1600, 200, at=NOON + n * MINUTES).public_id for n in range(3))
    till.void_at_till(staff_id=world.staff, sale=mistyped, key=str(new_id()), at=NOON + 5 * MINUTES)
    _give_back(world, world.staff, returned, at=NOON + 6 * MINUTES)


def _sell_medicine(world: World, staff: UUID) -> None:
    """Seven sales, of which five come back: as few as a batch has."""
    sold = []
    for n in range(7):
        at = NOON + (10 + n) * MINUTES
        visit = world.visit(at=at, staff=staff)
        keyed = till.AmountsKeyed(1000 + 100 * n, 0)
        sold.append(till.redeem_at_till(staff_id=staff, visit_id=visit, keyed=keyed, key=str(new_id()), at=at))
    for n, sale in enumerate(sold[:5]):
        _give_back(world, staff, sale.public_id, at=NOON + (20 + n) * MINUTES)


def _give_back(world: World, staff: UUID, sale: str, *, at: datetime) -> None:
    visit = world.visit(at=at, staff=staff)
    till.refund_at_till(staff_id=staff, sale=sale, units={"amount": 1}, visit_id=visit, key=str(new_id()), at=at)


def _erase_five(world: World, settings: Settings) -> None:
    """Five who never bought anything ask to be deleted, and are."""
    for member in [world.add_member(number) for number in range(2, 7)]:
        erasing.ask_for_oneself(member_id=member.member_id, person=new_id(), at=NOON + 3 * DAYS)
        with transaction() as tx:
            [row] = list_erasures(tx, unit_id=world.unit)
        erasing.approve_request(
            settings, erasure_id=row.asked.id, unit_id=world.unit, person=SECOND, at=NOON + 3 * DAYS
        )


def _change_keys(settings: Settings) -> None:
    """A witness comes and goes, and the log has a new key."""
    renew_key(settings, which="log", at=OVER)
    add_witness(new_key("witness.example/city", Kind.COSIGNATURE).verifier, is_own=False, at=OVER)
    with transaction() as tx:
        set_policy(tx, replace(need_policy(tx), witnesses=()), at=OVER)


def read_page() -> tuple[list[tuple[int, bytes]], bytes]:
    """What docs/entries.md shows: each entry with its place, and the checkpoint over all of them."""
    page = PAGE.read_text()
    entries = [
        (int(place), text.encode())
        for place, text in re.findall(r"^Place (\d+):\n\n```json\n(.+)\n```$", page, re.MULTILINE)
    ]
    [checkpoint] = re.findall(r"^## The checkpoint .*\n\n```\n((?:.*\n)+)```\n\Z", page, re.MULTILINE)
    return entries, checkpoint.encode()
