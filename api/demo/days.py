"""Half a year of sales of the demo works: who buys what, where and when. Pure; the same plan from the same seed and last instant."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from math import log1p
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from api.demo.places import DemoMerchant, DemoShop
from api.demo.sizes import Size
from api.demo.trades import PARTS_OF_DAY, Item, Trade

STEP_SECONDS = 30  # a card opens one visit in each step
SCAN = timedelta(seconds=20)  # between the scan of the code, which opens the visit, and the sale
VOIDS_PER_MILLE = 10
REFUNDS_PER_MILLE = 5
DEMO_MEMBER_WEIGHT = 40  # the demo member goes out often: there must be something to see
# From Monday; the works runs in shifts, so weekends are quieter but not still.
WEEKDAY_PERCENT = (98, 100, 104, 102, 112, 78, 66)


@dataclass(frozen=True, slots=True)
class Place:
    """A shop with its position in the list of all shops, and the trade of its merchant."""

    index: int
    shop: DemoShop
    trade: Trade


@dataclass(frozen=True, slots=True)
class Undone:
    """A sale is voided by the shop, or some units of its lines come back while the member is there again."""

    kind: Literal["void", "refund"]
    at: datetime
    units: dict[str, int]


@dataclass(frozen=True, slots=True)
class DemoSale:
    """One sale: `member` and `shop` are positions in their lists; either items with quantities or an amount joins offers."""

    number: int
    at: datetime
    member: int
    shop: int
    items: tuple[tuple[str, int], ...]
    joining_fen: int
    other_fen: int
    undone: Undone | None


def list_places(merchants: Sequence[DemoMerchant]) -> list[Place]:
    """All shops in order."""
    pairs = [(shop, merchant.trade) for merchant in merchants for shop in merchant.shops]
    return [Place(index, shop, trade) for index, (shop, trade) in enumerate(pairs)]


def plan_sales(size: Size, places: Sequence[Place], *, seed: int, until: datetime, zone: ZoneInfo) -> list[DemoSale]:
    """All sales up to `until`, oldest first. The demo member buys nothing on the last day, so that daily offers are still his."""
    plan = _Plan(size, places, Random(f"{seed}:days"))  # noqa: S311  the same luck from the same seed is what a demo wants
    last = until.astimezone(zone).date()
    drawn = [
        sale
        for day, count in count_by_day(size, last)
        for sale in plan.draw_day(day, count, zone, with_demo_member=day != last)
        if sale.at <= until
    ]
    drawn.sort(key=lambda sale: sale.at)
    return [plan.finish(number, sale, until) for number, sale in enumerate(drawn, start=1)]


def count_by_day(size: Size, last: date) -> Iterator[tuple[date, int]]:
    """How many sales each day has: weekdays, a rush after the payday of the 10th, and more members finding the card month by month."""
    days = [last - timedelta(days=back) for back in reversed(range(size.days))]
    weights = [
        WEEKDAY_PERCENT[day.weekday()] * (115 if 10 <= day.day <= 13 else 100) * (75 + 45 * number // size.days)
        for number, day in enumerate(days)
    ]
    done = 0
    for day, reached in zip(days, accumulate(weights), strict=True):
        now = size.sales * reached // sum(weights)
        yield day, now - done
        done = now


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A sale before it has a number."""

    at: datetime
    member: int
    place: Place


class _Plan:
    """The dice of the plan, with what they are weighted by."""

    def __init__(self, size: Size, places: Sequence[Place], rng: Random) -> None:
        self.rng = rng
        self.size = size
        by_trade: dict[str, list[Place]] = {}
        for place in places:
            by_trade.setdefault(place.trade.code, []).append(place)
        self.shops = list(by_trade.values())
        # A few people use the card every day, most now and then.
        weights = [1 + int(rng.expovariate(1) * 10) for _ in range(size.members)]
        weights[0] = max(DEMO_MEMBER_WEIGHT, sum(weights) // 300)
        self.members = list(accumulate(weights))
        self.parts = list(accumulate(share for *_, share in PARTS_OF_DAY.values()))
        self.trades = {
            (part, retired): list(accumulate(_draw_to(shops[0].trade, part, retired=retired) for shops in self.shops))
            for part in PARTS_OF_DAY
            for retired in (False, True)
        }
        self.taken: set[tuple[int, int]] = set()

    def draw_day(self, day: date, count: int, zone: ZoneInfo, *, with_demo_member: bool) -> Iterator[_Drawn]:
        """The sales of one day, in no order."""
        rng = self.rng
        midnight = datetime.combine(day, time(), zone)
        names = tuple(PARTS_OF_DAY)
        for _ in range(count):
            member = self._pick(self.members)
            part = names[self._pick(self.parts)]
            first, last, _share = PARTS_OF_DAY[part]
            at = midnight + timedelta(minutes=rng.randrange(first, last), seconds=rng.randrange(60))
            shops = self.shops[self._pick(self.trades[part, member >= self.size.active])]
            # Everybody has a shop of each trade that he likes best, and one or two others. The demo member eats noodles.
            shops = self.shops[0] if not member and part == "lunch" else shops
            near = (member * 7 + min(int(rng.expovariate(1.4)), 3)) % len(shops)
            if member or with_demo_member:
                yield _Drawn(self._free_step(at, member), member, shops[near])

    def finish(self, number: int, drawn: _Drawn, until: datetime) -> DemoSale:
        """What was in the basket, and whether it came back."""
        rng, place = self.rng, drawn.place
        by_items = place.shop.till == "items"
        items = _fill_basket(rng, place.trade) if by_items else ()
        joining = 0 if by_items else _amount(rng, place.trade)
        other = rng.choice((6_00, 10_00, 15_00, 22_00)) if rng.randrange(100) < (7 if by_items else 11) else 0
        return DemoSale(
            number=number,
            at=drawn.at,
            member=drawn.member,
            shop=place.index,
            items=items,
            joining_fen=joining,
            other_fen=other,
            undone=self._undo(drawn, items, until),
        )

    def _undo(self, drawn: _Drawn, items: tuple[tuple[str, int], ...], until: datetime) -> Undone | None:
        rng = self.rng
        luck = rng.randrange(1_000)
        if luck < VOIDS_PER_MILLE:
            at = drawn.at + timedelta(seconds=rng.randint(60, 540))
            return Undone("void", at, {}) if at <= until else None
        if luck < VOIDS_PER_MILLE + REFUNDS_PER_MILLE:
            at = self._free_step(drawn.at + timedelta(minutes=rng.randint(20, 3_000)), drawn.member)
            units = {str(rng.randint(1, len(items))): 1} if items else {"amount": 1}
            return Undone("refund", at, units) if at <= until else None
        return None

    def _pick(self, cumulative: list[int]) -> int:
        return bisect(cumulative, self.rng.randrange(cumulative[-1]))

    def _free_step(self, at: datetime, member: int) -> datetime:
        """The instant, or a little later when the member's card has opened a visit in the step of its scan already."""
        while (key := (member, int((at - SCAN).timestamp()) // STEP_SECONDS)) in self.taken:
            at += timedelta(seconds=STEP_SECONDS)
        self.taken.add(key)
        return at


def _draw_to(trade: Trade, part: str, *, retired: bool) -> int:
    """How much a trade draws people in a part of the day; the retired buy food and medicine rather than lunch."""
    weight = trade.parts.get(part, 0) * 10
    if not retired:
        return weight
    return {"pharmacy": weight * 4, "market": weight * 2, "clinic": weight * 2, "diner": weight // 2, "gym": 0}.get(
        trade.code, weight
    )


def _amount(rng: Random, trade: Trade) -> int:
    """A till's sum around what is typical of the trade, mostly in whole or half yuan; never below 3 yuan."""
    sigma = log1p(trade.spread / 100)
    fen = int(trade.typical_fen * rng.lognormvariate(-sigma * sigma / 2, sigma))
    step = rng.choice((50, 100, 100, 10))
    return max(3_00, fen // step * step)


def _fill_basket(rng: Random, trade: Trade) -> tuple[tuple[str, int], ...]:
    """Items of a trade with quantities, each item once."""
    main = [item for item in trade.items if item.category not in {"sides", "cakes"}]
    match trade.code:
        case "noodles":
            bowls = [item for item in main if item.category == "noodles"]
            wanted = [rng.choice(bowls)] + ([rng.choice(bowls)] if rng.randrange(100) < 12 else [])
            extras = [item for item in trade.items if item.category != "noodles"]
            wanted += [rng.choice(extras) for _ in range(rng.choice((0, 0, 1, 1, 1, 2)))]
        case "market":
            wanted = [rng.choice(main) for _ in range(rng.randint(1, 5))]
        case _:
            wanted = [rng.choice(main) for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))]
    return _counted(wanted)


def _counted(items: Sequence[Item]) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for item in items:
        counts[item.sku] = counts.get(item.sku, 0) + 1
    return tuple(counts.items())
