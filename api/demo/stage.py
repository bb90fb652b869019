"""Sets the stage of the demo works: organisation, money, people, places and offers. Each step finds what an earlier run left.

The first transaction writes the mark of the build; the sign-ins come last of all, so that a build that was cut short has none.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID, uuid5

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import Session

import cards
import merchants
from api.demo.bargains import make_bargains
from api.demo.offers import (
    BUDGETS,
    DemoOffer,
    granted_fen,
    make_rebates,
    make_subsidies,
    make_waiting,
    wednesday_offer,
)
from api.demo.people import DemoPerson, make_people
from api.demo.places import NOODLE_MERCHANT, DemoMerchant
from api.demo.sizes import SIZES, Size
from api.demo.units import COMPANY, make_units
from api.identity.accounts import Role, grant_role
from api.identity.installation import init_installation
from api.identity.models import Account
from cards.erasing import ask_erasure, find_erasure
from cards.importing import import_members
from cards.models import ImportRun, Member, Unit
from market.kit.clock import business_day
from market.kit.database import transaction
from market.kit.ids import new_id
from market.ledger.models import Grant
from market.offers.models import OfferVersion
from market.offers.operations import approve_offer, end_early, propose_offer, reject_offer
from market.offers.queries import get_version
from market.offers.signatures import sign_offer
from market.record.budget_proposals import (
    approve_proposal,
    propose_budget,
    propose_grant,
    refuse_proposal,
)
from market.record.budgets import grant_budget, open_budget
from market.record.publication import Publication
from market.sales.orders.models import Order
from merchants.models import Merchant, Shop, Staff

Progress = Callable[[str, int, int], None]
"""Called with (step, done, of how many)."""

NAMESPACE = UUID("68756967-6f6e-6700-8000-0064656d6f31")  # spells "huigong", "demo1"
BATCH = 500
PREPARED = timedelta(days=10)  # before the first sale the works is there, and its offers are approved

# Login, name, role. Their ids follow from the logins, because what they proposed and approved comes before them.
PEOPLE: tuple[tuple[str, str, Role], ...] = (
    ("demo-member", "赵志强", "member"),
    ("demo-assistant", "", "assistant"),
    ("demo-owner", "", "owner"),
    ("demo-officer", "韩卫东", "officer"),
    ("demo-officer-2", "苏文娟", "officer"),
    ("demo-auditor", "顾明辉", "auditor"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a build was begun with; a build that is taken up again goes on with it. `until` is the last instant of its sales."""

    size: Size
    seed: int
    until: datetime

    @property
    def begins_at(self) -> datetime:
        """When everything was prepared."""
        return self.until - timedelta(days=self.size.days) - PREPARED

    @property
    def turns_at(self) -> datetime:
        """When two thirds of the time had passed and the union changed its offers."""
        return self.until - timedelta(days=self.size.days // 3)

    def to_text(self) -> str:
        """The mark as it stands in the keys of the first grants."""
        return f"demo/{self.size.name}/{self.seed}/{self.until.isoformat()}"


def account_id(login: str) -> UUID:
    """The account, and the person, of a demo sign-in."""
    return uuid5(NAMESPACE, login)


OFFICER, OFFICER_2 = account_id("demo-officer"), account_id("demo-officer-2")


def find_mark(tx: Session) -> Mark | None:
    """The mark of the build in this database, if one was begun."""
    key = tx.scalar(select(Grant.key).where(Grant.key.startswith("demo/", autoescape=True)).limit(1))
    if key is None:
        return None
    _, size, seed, until, _budget = key.split("/")
    return Mark(SIZES[size], int(seed), datetime.fromisoformat(until))


def is_finished(tx: Session) -> bool:
    """Whether the demo people can sign in, which is the end of a build."""
    return tx.scalar(select(Account.id).where(Account.id == account_id("demo-auditor"))) is not None


def set_stage(mark: Mark, places: Sequence[DemoMerchant], progress: Progress, *, by_row: Collection[str]) -> None:
    """Everything there is before the first sale. What exists stays as it is. Merchants in `by_row` are published row by row."""
    with transaction() as tx:
        if find_mark(tx) is None:
            _found(tx, mark)
    _enter_people(mark, progress)
    _admit_merchants(mark, places, progress, by_row)
    offers = [*make_subsidies(places), *make_rebates(places), *make_bargains(places, seed=mark.seed)]
    _approve_offers(mark, offers, progress)


def turn(mark: Mark) -> None:
    """The union changes its mind, as unions do: a subsidy ends, another gets a second version that gives more."""
    at = mark.turns_at
    with transaction() as tx:
        if _find_state(tx, "u_welcome", 2) is None:
            reason = "开卡高峰已过，余下的预算转给午餐补贴"
            end_early(
                tx, offer="u_welcome", ends_at=at, reason=reason, proposed_by=OFFICER_2, at=at - timedelta(days=1)
            )
            approve_offer(tx, offer="u_welcome", version=2, approved_by=OFFICER, count_class=cards.count_class, at=at)
        if _find_state(tx, "u_wednesday", 2) is None:
            _propose(tx, wednesday_offer(500), by=OFFICER_2, at=at - timedelta(days=1))
            approve_offer(tx, offer="u_wednesday", version=2, approved_by=OFFICER, count_class=cards.count_class, at=at)


def end_build(mark: Mark, places: Sequence[DemoMerchant]) -> None:
    """An import and proposals for the desk, and last the sign-ins."""
    _import_file(mark)
    with transaction() as tx:
        for offer in make_waiting():
            if _find_state(tx, offer.code, 1) is None:
                # The first is the demo officer's own: he sees that he cannot approve it.
                by = OFFICER if offer.code == "u_reading" else OFFICER_2
                _propose(tx, offer, by=by, at=mark.until - timedelta(hours=20))
        _reject_one(tx, mark)
        _ask_money(tx, mark)
        _ask_erasure(tx, mark)
        _let_in(tx, mark, places)


def _found(tx: Session, mark: Mark) -> None:
    """The installation, the organisation, the budgets and their grants: all or nothing."""
    at = mark.begins_at
    init_installation(tx, kind="demo", at=at)
    ids: dict[str, UUID] = {}
    for unit in make_units(mark.size).units:
        ids[unit.code] = cards.add_unit(tx, code=unit.code, name=unit.name, parent_id=ids.get(unit.parent or ""))
    for budget in BUDGETS:
        open_budget(tx, code=budget.code, title=budget.title, sponsor=COMPANY, slots=budget.slots, at=at)
        whole = granted_fen(budget, mark.size)
        # One half at once, the other when the first third of the time is over.
        for part, amount, granted_at in (
            ("1", whole // 2, at),
            ("2", whole - whole // 2, mark.turns_at - timedelta(days=30)),
        ):
            grant_budget(
                tx,
                budget=budget.code,
                amount_fen=amount,
                key=f"{mark.to_text()}/{budget.code}-{part}",
                proposed_by=OFFICER,
                approved_by=OFFICER_2,
                at=max(at, granted_at),
            )


def _enter_people(mark: Mark, progress: Progress) -> None:
    size = mark.size
    people = make_people(size, make_units(size), seed=mark.seed, today=business_day(mark.until))
    with transaction() as tx:
        units = {row.code: row.id for row in tx.execute(select(Unit.code, Unit.id))}
        known = set(tx.scalars(select(Member.staff_number)))
    missing = [person for person in people if person.staff_number not in known]
    for first in range(0, len(missing), BATCH):
        with transaction() as tx:
            batch = [_new_member(person, units) for person in missing[first : first + BATCH]]
            cards.add_members(tx, members=batch, at=mark.begins_at)
        progress("members", len(people) - len(missing) + first + len(batch), len(people))


def _new_member(person: DemoPerson, units: dict[str, UUID]) -> cards.NewMember:
    return cards.NewMember(
        staff_number=person.staff_number,
        name=person.name,
        phone=person.phone,
        national_id=person.national_id,
        unit_id=units[person.unit],
        grade=person.grade,
        tags=person.tags,
        state=person.state,
        joined_on=person.joined_on,
    )


def _import_file(mark: Mark) -> None:
    """The personnel office's file of this month: known people, one of them promoted, and three rows that cannot be right."""
    with transaction() as tx:
        if tx.scalar(select(ImportRun.id).limit(1)) is not None:
            return
    known = make_people(mark.size, make_units(mark.size), seed=mark.seed, today=business_day(mark.until))[10:22]
    rows = [[p.staff_number, p.name, p.phone, p.national_id, p.unit, p.grade, ";".join(p.tags)] for p in known]
    rows[4][5] = "senior"
    # A digit too few, a unit that nobody knows, and a last character that cannot belong to the others.
    rows[7][3] = rows[7][3][:-1]
    rows[8][4] = "xg9999"
    rows[10][3] = rows[10][3][:-1] + ("1" if rows[10][3][-1] == "0" else "0")
    header = ["工号", "姓名", "手机", "身份证号", "单位代码", "等级", "标签"]
    text = "\r\n".join(",".join(row) for row in [header, *rows]) + "\r\n"
    import_members(
        BytesIO(text.encode("gb18030")),
        file_name=f"{business_day(mark.until):%Y-%m} 人事名册.csv",
        by="苏文娟",
        at=mark.until - timedelta(hours=30),
    )


def _admit_merchants(mark: Mark, places: Sequence[DemoMerchant], progress: Progress, by_row: Collection[str]) -> None:
    with transaction() as tx:
        known = set(tx.scalars(select(Merchant.code)))
    for number, place in enumerate(places, start=1):
        if place.code not in known:
            with transaction() as tx:
                _admit(tx, place, "row" if place.code in by_row else "batched", at=mark.begins_at)
        progress("merchants", number, len(places))


def _admit(tx: Session, place: DemoMerchant, publication: Publication, *, at: datetime) -> None:
    """A merchant with its owner, shops, assistants and, where the till rings up items, its items."""
    merchant_id = merchants.admit_merchant(
        tx,
        code=place.code,
        name=place.name,
        credit_code=place.credit_code,
        category=place.trade.category,
        publication=publication,
        at=at,
    )
    merchants.add_staff(tx, merchant_id=merchant_id, name=place.owner)
    for shop in place.shops:
        shop_id = merchants.add_shop(
            tx, merchant_id=merchant_id, code=shop.code, name=shop.name, address=shop.address, till=shop.till
        )
        merchants.add_staff(tx, merchant_id=merchant_id, name=shop.assistant, shop_id=shop_id)
    if place.shops[0].till == "items":
        for item in place.trade.items:
            merchants.add_item(
                tx,
                merchant_id=merchant_id,
                sku=item.sku,
                name=item.name,
                category=item.category,
                price_fen=item.price_fen,
            )


def _approve_offers(mark: Mark, offers: Sequence[DemoOffer], progress: Progress) -> None:
    for number, offer in enumerate(offers, start=1):
        with transaction() as tx:
            if _find_state(tx, offer.code, 1) is None:
                version = _propose(tx, offer, by=OFFICER_2, at=mark.begins_at)
                _sign(tx, offer, version, at=mark.begins_at + timedelta(days=1))
                at = mark.begins_at + timedelta(days=2)
                approve_offer(
                    tx, offer=offer.code, version=version, approved_by=OFFICER, count_class=cards.count_class, at=at
                )
        progress("offers", number, len(offers))


def _propose(tx: Session, offer: DemoOffer, *, by: UUID, at: datetime) -> int:
    return propose_offer(
        tx,
        terms=offer.terms,
        limits=offer.limits,
        title=offer.title,
        title_en=offer.title_en,
        proposed_by=by,
        at=at,
    )


def _sign(tx: Session, offer: DemoOffer, version: int, *, at: datetime) -> None:
    """The owners of the merchants that bear a part sign the version, as they would on their page."""
    row = get_version(tx, offer=offer.code, version=version)
    owners = tx.execute(
        select(Merchant.code, Staff.id)
        .join(Staff, Staff.merchant_id == Merchant.id)
        .where(Merchant.code.in_(row.merchants), Staff.role == "owner")
        .order_by(Merchant.code)
    )
    for merchant, staff_id in owners:
        by = account_id("demo-owner") if merchant == NOODLE_MERCHANT else staff_id
        sign_offer(tx, offer=row.offer, version=version, merchant=merchant, terms_hash=row.terms_hash, by=by, at=at)


def _find_state(tx: Session, offer: str, version: int) -> str | None:
    return tx.scalar(select(OfferVersion.state).where(OfferVersion.offer == offer, OfferVersion.version == version))


def _reject_one(tx: Session, mark: Mark) -> None:
    """A third version of the market day that the second officer found too dear."""
    if _find_state(tx, "u_wednesday", 3) is None:
        _propose(tx, wednesday_offer(2_000), by=OFFICER, at=mark.until - timedelta(days=8))
        reason = "补 20 元超过了预算一周的量，请降到 5 元以内再提"
        at = mark.until - timedelta(days=7)
        reject_offer(tx, offer="u_wednesday", version=3, rejected_by=OFFICER_2, reason=reason, at=at)


def _ask_money(tx: Session, mark: Mark) -> None:
    """Money that the demo officer can decide on, a budget of his own that waits, and what was decided before."""
    granted, at = new_id(), mark.until - timedelta(hours=80)
    propose_grant(tx, proposal=granted, budget="culture", amount_fen=200_000, by=OFFICER, at=at)
    approve_proposal(tx, proposal=granted, by=OFFICER_2, at=at + timedelta(hours=2))
    dear = _ask_spring(tx, 8_000_000, at=mark.until - timedelta(hours=60))
    reason = "按人头算用不了这么多，请附上人数，降到 3 万元以内再提"
    refuse_proposal(tx, proposal=dear, by=OFFICER_2, reason=reason, at=mark.until - timedelta(hours=55))
    at = mark.until - timedelta(hours=19)
    propose_grant(tx, proposal=new_id(), budget="lunch", amount_fen=500_000, by=OFFICER_2, at=at)
    _ask_spring(tx, 3_000_000, at=mark.until - timedelta(hours=18))


def _ask_spring(tx: Session, amount_fen: int, *, at: datetime) -> UUID:
    proposal = new_id()
    said = {"code": "spring_2027", "title": "春节慰问", "sponsor": COMPANY}
    propose_budget(tx, proposal=proposal, **said, amount_fen=amount_fen, by=OFFICER, at=at)
    return proposal


def _ask_erasure(tx: Session, mark: Mark) -> None:
    """Somebody who never ordered wants to be deleted: the second officer took the request, so that the demo officer can decide on it."""
    ordered = exists().where(Order.subject == Member.subject)
    member_id = tx.scalars(select(Member.id).where(~ordered).order_by(Member.staff_number.desc()).limit(1)).one()
    if find_erasure(tx, member_id=member_id) is None:
        at = mark.until - timedelta(hours=20)
        ask_erasure(tx, member_id=member_id, asked_as="officer", asked_by=OFFICER_2, at=at)


def _let_in(tx: Session, mark: Mark, places: Sequence[DemoMerchant]) -> None:
    """The six demo sign-ins and what they hold; no other account is made."""
    noodles = places[0]
    staff = select(Staff.id).join(Merchant, Merchant.id == Staff.merchant_id).where(Merchant.code == noodles.code)
    till = staff.join(Shop, Shop.id == Staff.shop_id).where(Shop.code == noodles.shops[0].code)
    company = tx.scalars(select(Unit.id).where(Unit.code == COMPANY)).one()
    places_held: dict[str, UUID | None] = {
        "demo-member": tx.scalars(select(Member.id).where(Member.staff_number == "XG000001")).one(),
        "demo-assistant": tx.scalars(till).one(),
        "demo-owner": tx.scalars(staff.where(Staff.shop_id.is_(None))).one(),
        "demo-officer": company,
        "demo-officer-2": company,
        "demo-auditor": None,
    }
    names = {"demo-assistant": noodles.shops[0].assistant, "demo-owner": noodles.owner}
    for login, name, role in PEOPLE:
        id_ = account_id(login)
        row = {"login": login, "name": names.get(login, name), "person": id_, "created_at": mark.begins_at}
        tx.execute(insert(Account).values(id=id_, **row))
        grant_role(tx, account_id=id_, role=role, at=mark.begins_at, scope_id=places_held[login])
