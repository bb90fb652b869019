"""Builds the demo works in a database of its own, or goes on with a build that was cut short. The same seed makes the same works."""

import signal
import time as clock_time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from uuid import UUID, uuid5

from psycopg import Connection
from sqlalchemy import event, func, select, text

import api.till as door
from api.breakdowns import publish_due_breakdowns
from api.demo.catalogue import fill_catalogue
from api.demo.days import SCAN, DemoSale, list_places, plan_sales
from api.demo.orders import fill_stock, make_orders
from api.demo.places import DemoMerchant, make_merchants
from api.demo.sizes import SIZES, SizeName
from api.demo.stage import NAMESPACE, Mark, Progress, end_build, find_mark, is_finished, set_stage, turn
from api.identity.installation import find_kind
from api.publication_desk import SENSITIVE
from cards.models import Card, Member
from cards.replay import PastVisit, record_visits
from market.kit.clock import get_zone, now
from market.kit.database import connect, disconnect, get_engine, transaction
from market.kit.errors import ConflictError
from market.offers.live import ASK_AGAIN_SECONDS
from market.sales.models import Reversal, Sale
from market.sales.orders.models import Order
from merchants.models import Merchant, Product, Shop, Staff

SEED = 7
PROCESSES = 2  # the machine that this is built for has two cores
BATCH = 200
LOOK_SECONDS = 0.2


class DemoExistsError(ConflictError):
    """The database holds another demo works, or something that is none."""

    code = "DEMO_EXISTS"
    zh = "这个数据库里已有 {found}，不能再建演示库；请换一个新的数据库。"
    en = "This database holds {found}; build the demo works in a new database."


class DemoProcessError(RuntimeError):
    """A process that redeemed a share of the sales ended early; its traceback stands above."""


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What there is in the database at the end of a build.

    `sales` are those at tills. `seconds` is how long this run took, 0 when nothing was left to do.
    """

    size: str
    members: int
    merchants: int
    shops: int
    products: int
    sales: int
    orders: int
    voids: int
    refunds: int
    until: datetime
    seconds: float


def build_demo(
    *,
    size: SizeName = "plant",
    seed: int = SEED,
    until: date | None = None,
    processes: int | None = None,
    progress: Progress = lambda *_: None,
) -> DemoSummary:
    """Build a demo works in the connected, migrated database; its sales go through `redeem_at_till`, one transaction each.

    `until` is the last day with sales (default: today, up to now); `processes` redeem side by side, each its own members.
    A build that was cut short is finished as it was begun; a finished one is left alone. Raises DemoExistsError when the database
    holds another works or a real installation.
    """
    begun = clock_time.monotonic()
    mark = _take_up(Mark(SIZES[size], seed, _last_instant(until)))
    with transaction() as tx:
        if is_finished(tx):
            return _summary(mark, 0.0)
    places = make_merchants(mark.size, seed=mark.seed)
    plan = _plan(mark)
    set_stage(mark, places, progress, by_row=_choose_rows(places, plan))
    fill_catalogue(mark, progress)
    fill_stock(mark)
    _analyse()
    for is_late in (False, True):
        if is_late:
            turn(mark)
            clock_time.sleep(ASK_AGAIN_SECONDS)  # a process follows a change of offers within this time, this one too
        _redeem_all(
            mark, plan, is_late=is_late, processes=processes or (1 if size == "tiny" else PROCESSES), progress=progress
        )
        _analyse()
    with _committing_lazily():
        make_orders(mark, progress)
    publish_due_breakdowns(at=mark.until)
    end_build(mark, places)
    return _summary(mark, clock_time.monotonic() - begun)


def _last_instant(until: date | None) -> datetime:
    if until is None:
        return now().replace(microsecond=0)
    return datetime.combine(until, time(23, 59, 59), get_zone())


def _take_up(wanted: Mark) -> Mark:
    """The mark of the build in this database, or the wanted one if it is new. Raises DemoExistsError."""
    with transaction() as tx:
        mark, kind = find_mark(tx), find_kind(tx)
        is_empty = tx.scalar(select(Member.id).limit(1)) is None and tx.scalar(select(Merchant.id).limit(1)) is None
    if kind == "real":
        raise DemoExistsError(found="a real installation")
    if mark is None:
        if not is_empty:
            raise DemoExistsError(found="members or merchants that are no demo works")
        return wanted
    if (mark.size, mark.seed) != (wanted.size, wanted.seed):
        raise DemoExistsError(found=f"a demo works of size {mark.size.name} from seed {mark.seed}")
    return mark


def _plan(mark: Mark) -> list[DemoSale]:
    places = list_places(make_merchants(mark.size, seed=mark.seed))
    return plan_sales(mark.size, places, seed=mark.seed, until=mark.until, zone=get_zone())


def _choose_rows(places: Sequence[DemoMerchant], plan: Sequence[DemoSale]) -> set[str]:
    """The merchants that are published row by row from the first day on: those with more sales than most, unless they are sensitive.

    A real one has to show many more (`publication_desk.decide`): in a demo nobody is behind a sale, and both kinds are to be seen.
    """
    owners = [place for place in places for _ in place.shops]
    sales = Counter(owners[sale.shop].code for sale in plan)
    return {
        place.code
        for place in places
        if sales[place.code] * len(places) > len(plan) and place.trade.category not in SENSITIVE
    }


def _analyse() -> None:
    """Tell the planner how much there is; a statement planned on empty tables would read them whole for ever."""
    with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


# --- sales ------------------------------------------------------------------------------------------------------------


def _redeem_all(mark: Mark, plan: Sequence[DemoSale], *, is_late: bool, processes: int, progress: Progress) -> None:
    """Make the sales before or after the turn; each process those of its own members, in the order in which they happened.

    Sales of one member never overtake each other, and no budget runs short, so that the result is the same however the processes run.
    """
    whole = len(plan)
    before = sum(sale.at < mark.turns_at for sale in plan) if is_late else 0
    if processes == 1:
        for done in _redeem_share(mark, plan, share=(0, 1), is_late=is_late):
            progress("sales", before + done, whole)
        return
    context = get_context("spawn")
    url = get_engine().url.render_as_string(hide_password=False)
    done_by = [context.Value("q", 0) for _ in range(processes)]
    workers = [
        context.Process(target=_work, args=(url, mark, (share, processes), is_late, done), daemon=True)
        for share, done in enumerate(done_by)
    ]
    try:
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            next(worker for worker in workers if worker.is_alive()).join(LOOK_SECONDS)
            progress("sales", before + sum(done.value for done in done_by), whole)
            if any(worker.exitcode for worker in workers):
                break
        if any(worker.exitcode for worker in workers):
            raise DemoProcessError("A share of the sales could not be made; run the command again to go on.")
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
            worker.join()


def _work(url: str, mark: Mark, share: tuple[int, int], is_late: bool, done: "Synchronized[int]") -> None:  # noqa: FBT001  spawned
    """A process of its own: its share of the sales."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act on
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    engine = connect(url, pool_size=2)
    event.listen(engine, "connect", _commit_lazily)
    try:
        for made in _redeem_share(mark, _plan(mark), share=share, is_late=is_late):
            done.value = made
    finally:
        disconnect()


def _commit_lazily(connection: Connection, _record: object) -> None:
    """Nothing was promised to anybody while a demo is built: a power cut may take the last sales, and the next run makes them again."""
    connection.execute("SET synchronous_commit TO off")
    connection.commit()


@contextmanager
def _committing_lazily() -> Iterator[None]:
    """The same for this process, for as long as the block runs."""
    engine = get_engine()
    event.listen(engine, "connect", _commit_lazily)
    engine.dispose()
    try:
        yield
    finally:
        event.remove(engine, "connect", _commit_lazily)
        engine.dispose()


def _redeem_share(mark: Mark, plan: Sequence[DemoSale], *, share: tuple[int, int], is_late: bool) -> Iterator[int]:
    """Make the sales of a share (number, of how many) of the members, and answer after each how many are done.

    What an earlier run made is passed over.
    """
    number, of = share
    mine = [sale for sale in plan if sale.member % of == number and (sale.at >= mark.turns_at) == is_late]
    stage = _load_stage(mark)
    made = 0
    for first in range(0, len(mine), BATCH):
        batch = mine[first : first + BATCH]
        with transaction() as tx:
            record_visits(tx, [visit for sale in batch for visit in stage.visits(sale)])
        for sale in batch:
            _redeem(stage, sale)
            made += 1
            yield made


def _redeem(stage: "_Stage", sale: DemoSale) -> None:
    """One sale, and what became of it, unless an earlier run made them. A return stands in the books where its sale does."""
    key = f"demo:{sale.number}"
    staff_id = stage.staff[sale.shop][1]
    public_id = stage.made.get(key)
    if public_id is None:
        keyed: door.Basket = door.AmountsKeyed(sale.joining_fen, sale.other_fen)
        if sale.items:
            keyed = door.ItemsKeyed(sale.items, sale.other_fen)
        public_id = door.redeem_at_till(
            staff_id=staff_id, visit_id=stage.visit_id(sale), keyed=keyed, key=key, at=sale.at
        ).public_id
    if (undone := sale.undone) is None or f"{key}:{undone.kind}" in stage.made:
        return
    if undone.kind == "void":
        door.void_at_till(staff_id=staff_id, sale=public_id, key=f"{key}:void", at=undone.at)
        return
    door.refund_at_till(
        staff_id=staff_id,
        sale=public_id,
        units=undone.units,
        visit_id=stage.visit_id(sale, "refund"),
        key=f"{key}:refund",
        at=undone.at,
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    """Row ids of cards by member and of (shop, assistant) by shop; what was made before, by key."""

    seed: int
    cards: Sequence[UUID]
    staff: Sequence[tuple[UUID, UUID]]
    made: Mapping[str, str]

    def visit_id(self, sale: DemoSale, what: str = "sale") -> UUID:
        """The visit of a sale, or of its refund."""
        return uuid5(NAMESPACE, f"{self.seed}:{sale.number}:{what}")

    def visits(self, sale: DemoSale) -> Iterator[PastVisit]:
        """The visits that a sale and its refund need."""
        shop_id, staff_id = self.staff[sale.shop]
        card_id = self.cards[sale.member]
        yield PastVisit(self.visit_id(sale), card_id, shop_id, staff_id, sale.at - SCAN)
        if sale.undone and sale.undone.kind == "refund":
            yield PastVisit(self.visit_id(sale, "refund"), card_id, shop_id, staff_id, sale.undone.at - SCAN)


def _load_stage(mark: Mark) -> _Stage:
    with transaction() as tx:
        holders = select(Card.id).join(Member, Member.id == Card.member_id).where(Member.staff_number.like("XG______"))
        tills = select(Shop.id, Staff.id).join(Staff, Staff.shop_id == Shop.id)
        sales = select(Sale.key, Sale.public_id).where(Sale.key.startswith("demo:"))
        returns = select(Reversal.key, Reversal.public_id).where(Reversal.key.startswith("demo:"))
        return _Stage(
            seed=mark.seed,
            cards=tx.scalars(holders.order_by(Member.staff_number)).all(),
            staff=[(shop_id, staff_id) for shop_id, staff_id in tx.execute(tills.order_by(Shop.code))],
            made={key: public_id for query in (sales, returns) for key, public_id in tx.execute(query)},
        )


def _summary(mark: Mark, seconds: float) -> DemoSummary:
    with transaction() as tx:
        tables = (Member, Merchant, Shop, Product, Order)
        members, merchants, shops, products, orders = (
            tx.scalar(select(func.count()).select_from(table)) or 0 for table in tables
        )
        sales = tx.scalar(select(func.count()).select_from(Sale).where(Sale.channel == "shop")) or 0
        kinds = select(Reversal.kind, func.count().label("returned")).group_by(Reversal.kind)
        returns = {row.kind: row.returned for row in tx.execute(kinds)}
    return DemoSummary(
        size=mark.size.name,
        members=members,
        merchants=merchants,
        shops=shops,
        products=products,
        sales=sales,
        orders=orders,
        voids=returns.get("void", 0),
        refunds=returns.get("refund", 0),
        until=mark.until,
        seconds=seconds,
    )
