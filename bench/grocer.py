"""The grocer of the Complete Journey as a market of ours: stores as shops, households as members, a week's discounts as offers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

from sqlalchemy import text

import cards
import merchants
from api.demo.people import make_national_id
from api.demo.places import make_credit_code
from bench.register import ZONE, Basket
from market.kit.database import get_engine, transaction
from market.offers.bulk import NewOffer, load_offers
from market.record.budgets import grant_budget, open_budget

Mode = Literal["rung", "offered"]

MERCHANT, SPONSOR, BUDGET = "grocer", "works", "coupons"
GRANTED_FEN = 100_000_000
NAMESPACE = UUID("6a6f7572-6e65-7900-8000-000000000001")  # spells "journey"
PROPOSER, APPROVER = uuid5(NAMESPACE, "proposer"), uuid5(NAMESPACE, "approver")
CATEGORY = "market"
OPENED = datetime(2016, 12, 1, 9, 0, tzinfo=ZONE)
WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class Market:
    """Who and where: a card for each household, (shop, assistant) for each store."""

    cards: Mapping[int, UUID]
    tills: Mapping[int, tuple[UUID, UUID]]


def open_market(baskets: Sequence[Basket]) -> Market:
    """One grocer with every store as a shop whose own register rings, one member with a card for every household."""
    households = sorted({basket.household for basket in baskets})
    stores = sorted({basket.store for basket in baskets})
    with transaction() as tx:
        unit_id = cards.add_unit(tx, code=SPONSOR, name="Journey")
        added = cards.add_members(tx, members=[_household(number, unit_id) for number in households], at=OPENED)
        grocer = merchants.admit_merchant(
            tx, code=MERCHANT, name="Grocer", credit_code=make_credit_code(1), category=CATEGORY, at=OPENED
        )
        tills = {}
        for store in stores:
            shop_id = merchants.add_shop(
                tx,
                merchant_id=grocer,
                code=f"store{store}",
                name=f"Store {store}",
                address=f"Store {store}",
                till="register",
            )
            staff_id = merchants.add_staff(tx, merchant_id=grocer, name="Till", shop_id=shop_id)
            tills[store] = (shop_id, staff_id)
        open_budget(tx, code=BUDGET, title="Coupons", sponsor=SPONSOR, slots=1, at=OPENED)
        granted = {"budget": BUDGET, "amount_fen": GRANTED_FEN, "key": "journey"}
        grant_budget(tx, **granted, proposed_by=PROPOSER, approved_by=APPROVER, at=OPENED)
    analyse()
    return Market({household: row.card_id for household, row in zip(households, added, strict=True)}, tills)


def publish_week(mode: Mode, week: int, baskets: Sequence[Basket]) -> int:
    """Load the week's offers, live from its first to its last basket, and answer how many there are."""
    window = {"from": baskets[0].at.isoformat(), "to": (baskets[-1].at + timedelta(seconds=1)).isoformat()}
    terms = rung_terms(week, baskets) if mode == "rung" else offered_terms(week, baskets)
    offers = [NewOffer({**one, "window": window}, f"{one['id']}", f"{one['id']}", (MERCHANT,)) for one in terms]
    with transaction() as tx:
        load_offers(
            tx,
            offers=offers,
            proposed_by=PROPOSER,
            approved_by=APPROVER,
            count_class=cards.count_class,
            at=baskets[0].at,
        )
    analyse()
    return len(offers)


def rung_terms(week: int, baskets: Sequence[Basket]) -> Iterator[dict[str, object]]:
    """The distinct discounts and coupons of a week, each on the code of the lines that carried it."""
    codes = {code: line for basket in baskets for code, line in zip(rung_codes(basket), basket.lines, strict=True)}
    for code, line in sorted(codes.items()):
        match = {"skus": [code], "merchants": [MERCHANT]}
        if line.concession_fen:
            discount = {"stage": "line", "kind": "amount_off_unit", "amount": line.concession_fen}
            yield {"id": f"w{week}:{code}:d", **discount, "match": match}
        if line.coupon_fen:
            coupon = {"stage": "subsidy", "kind": "amount_off", "amount": line.coupon_fen}
            yield {"id": f"w{week}:{code}:c", **coupon, "match": match, **_borne_by_sponsor()}


def rung_codes(basket: Basket) -> list[str]:
    """A code for each line: product, discount, coupon, and its how-manieth of these in the basket.

    A coupon is taken once for all lines of its code, so that two equal lines must not share one.
    """
    seen: Counter[str] = Counter()
    codes = []
    for line in basket.lines:
        base = f"{line.product}.{line.concession_fen}.{line.coupon_fen}"
        seen[base] += 1
        codes.append(f"{base}.{seen[base]}")
    return codes


def offered_terms(week: int, baskets: Sequence[Basket]) -> Iterator[dict[str, object]]:
    """For each product the largest rate of its discounts, and of its coupons on what was then left, rounded up to a basis point."""
    discounts: dict[int, int] = {}
    coupons: dict[int, int] = {}
    for line in (line for basket in baskets for line in basket.lines):
        if line.concession_fen:
            rate = _rate_bp(line.concession_fen, line.list_fen)
            discounts[line.product] = max(rate, discounts.get(line.product, 0))
        if line.coupon_fen:
            rate = _rate_bp(line.coupon_fen, line.list_fen - line.concession_fen)
            coupons[line.product] = max(rate, coupons.get(line.product, 0))
    for rates, suffix, stage, payer in ((discounts, "d", "line", {}), (coupons, "c", "subsidy", _borne_by_sponsor())):
        for product, rate_bp in sorted(rates.items()):
            match = {"skus": [str(product)], "merchants": [MERCHANT]}
            kind = {"stage": stage, "kind": "percent_off", "rate_bp": rate_bp}
            yield {"id": f"w{week}:{product}:{suffix}", **kind, "match": match, **payer}


def _rate_bp(part: int, whole: int) -> int:
    return -(-part * WHOLE_BP // whole)


def _borne_by_sponsor() -> dict[str, object]:
    return {"sponsor": SPONSOR, "sponsor_share_bp": WHOLE_BP, "budgets": [f"budget:{BUDGET}"]}


def _household(number: int, unit_id: UUID) -> cards.NewMember:
    return cards.NewMember(
        staff_number=f"H{number}",
        name="家庭",
        phone=f"000{number:08}",
        national_id=make_national_id(number, sex="F", born=date(1950, 1, 1) + timedelta(days=number)),
        unit_id=unit_id,
    )


def analyse() -> None:
    """Tell the planner how much there is now."""
    with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
