"""Bundles and buy-x-get-y: which units a whole group may take. Pure.

A *hold* is one way to use such an offer: how many units of each line it touches.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

from market.kit.money import largest_remainder
from market.pricing.apply import Pool, Use
from market.pricing.case import Line
from market.pricing.component import Held, short_purses
from market.pricing.kinds import GROUPED, group_gross, group_size

LAST_NODES: Final = 64  # combinations that are still put together when no node is left
MOST_UNITS: Final = 1_000  # of one line, of which every number is tried


@dataclass(frozen=True, slots=True)
class Hold:
    """One use of an offer of whole groups: units by line position, what it takes in all (fen, caps of its own applied), and by line."""

    use: Use
    units: Mapping[int, int]
    amount: int
    shares: Mapping[int, int]


def find_holds(use: Use, basket: Sequence[Line], nodes: list[int]) -> Iterator[Hold]:
    """Every way to touch units in whole groups with an effect; until none of `nodes` is left."""
    offer = use.offer
    size = group_size(offer)
    lines = fillable_lines(use)
    whole = sum(basket[position].qty for position in lines)
    most = min(whole, offer.max_units) if offer.max_units is not None else whole
    slots = _slot_masks(use)
    if max(basket[position].qty for position in lines) > MOST_UNITS:
        # Too many to try: as many groups as there are, of the dearest units, and no more is known.
        if hold := make_hold(use, basket, _most_groups(use, basket)):
            yield hold
        nodes[0] = -1
        return
    for counts in product(*(range(basket[position].qty + 1) for position in lines)):
        nodes[0] -= 1
        if nodes[0] < 0:
            return
        touched = sum(counts)
        if not touched or touched > most or touched % size:
            continue
        if slots and _deal(counts, slots, touched // size) < touched:
            continue
        hold = make_hold(use, basket, {p: count for p, count in zip(lines, counts, strict=True) if count})
        if hold:
            yield hold


def fillable_lines(use: Use) -> tuple[int, ...]:
    """The lines whose units whole groups may hold: of a bundle those that a component matches, in basket order."""
    return tuple(sorted({at for _, lines in use.slots for at in lines})) if use.slots else use.lines


def find_held(
    basket: Sequence[Line], uses: Sequence[Use], purses: Mapping[str, int], nodes: list[int]
) -> Iterator[Held]:
    """Every way in which at least one of these offers holds units: none twice, of each group one offer; until no node is left."""
    grouped = [use for use in uses if use.offer.kind in GROUPED]
    short = short_purses(uses, purses)
    ways = [list(find_holds(use, basket, nodes)) for use in grouped]
    for chosen in _combine(ways, basket, {}, nodes):
        if not chosen:
            continue
        pools: dict[int, list[Pool]] = {}
        net: dict[int, int] = {}
        for hold in chosen:
            for position, count in hold.units.items():
                pools.setdefault(position, []).append((count, (hold.use.index,)))
                worth = basket[position].unit_price * count - hold.shares[position]
                net[position] = net.get(position, 0) + worth
        left = {at: basket[at].qty - sum([pool[0] for pool in of_line]) for at, of_line in pools.items()}
        yield Held(
            uses=tuple(hold.use for hold in chosen),
            net=net,
            left={position: basket[position].unit_price * count for position, count in left.items()},
            pools={position: tuple(of_line) for position, of_line in pools.items()},
            is_loose=any(short.intersection(hold.use.offer.purses) for hold in chosen if hold.use.share_bp),
        )


def _combine(
    ways: Sequence[Sequence[Hold]], basket: Sequence[Line], taken: Mapping[int, int], nodes: list[int]
) -> Iterator[tuple[Hold, ...]]:
    """Every way to take one hold or none of each offer, no unit twice and of each group one offer."""
    if not ways:
        yield ()
        return
    yield from _combine(ways[1:], basket, taken, nodes)
    for hold in ways[0]:
        nodes[0] -= 1
        if nodes[0] < -LAST_NODES:
            return
        if any(taken.get(at, 0) + count > basket[at].qty for at, count in hold.units.items()):
            continue
        now = {**taken, **{at: taken.get(at, 0) + count for at, count in hold.units.items()}}
        group = hold.use.offer.group
        for others in _combine(ways[1:], basket, now, nodes):
            if group is None or all(other.use.offer.group != group for other in others):
                yield (hold, *others)


def _most_groups(use: Use, basket: Sequence[Line]) -> dict[int, int]:
    """As many whole groups as there are, or as may be, filled with the dearest units; of overlapping components the first comes first."""
    size = group_size(use.offer)
    slots = use.slots or [(size, use.lines)]
    most = min(sum(basket[at].qty for at in lines) // qty for qty, lines in slots)
    if use.offer.max_units is not None:
        most = min(most, use.offer.max_units // size)
    units: dict[int, int] = {}
    for qty, lines in slots:
        need = most * qty
        for at in sorted(lines, key=lambda at: (-basket[at].unit_price, at)):
            taken = min(need, basket[at].qty - units.get(at, 0))
            if taken:
                units[at] = units.get(at, 0) + taken
                need -= taken
        if need:
            return {}
    return units


def make_hold(use: Use, basket: Sequence[Line], units: Mapping[int, int]) -> Hold | None:
    """What an offer takes from these units, or None if nothing."""
    if not units:
        return None
    gross = group_gross(use.offer, [(basket[position].unit_price, count) for position, count in units.items()])
    amount = gross if use.ceiling is None else min(gross, use.ceiling)
    if amount <= 0:
        return None
    weights = [basket[position].unit_price * count for position, count in units.items()]
    return Hold(use, units, amount, dict(zip(units, largest_remainder(amount, weights), strict=True)))


def _slot_masks(use: Use) -> list[tuple[int, int]]:
    """What the components of a bundle ask for as (units of one set, lines that may fill it, as bits by rank); empty for buy-x-get-y.

    Components that the same lines may fill are one.
    """
    rank_of = {position: rank for rank, position in enumerate(fillable_lines(use))}
    units: dict[int, int] = {}
    for qty, lines in use.slots:
        mask = sum([1 << rank_of[position] for position in lines])
        units[mask] = units.get(mask, 0) + qty
    return [(qty, mask) for mask, qty in units.items()]


def missing_units(use: Use, basket: Sequence[Line]) -> int:
    """How many units its first whole group still lacks; 0 when there is one."""
    slots = _slot_masks(use)
    if not slots:
        return max(0, group_size(use.offer) - sum(basket[position].qty for position in use.lines))
    counts = [basket[position].qty for position in fillable_lines(use)]
    return group_size(use.offer) - _deal(counts, slots, 1)


def least_of_group(use: Use, basket: Sequence[Line]) -> int:
    """About the least that one whole group takes off, in fen; 0 if none takes anything. For reasons, not for prices."""
    offer = use.offer
    prices = sorted(basket[position].unit_price for position in use.lines for _ in range(min(basket[position].qty, 99)))
    size = group_size(offer)
    if use.slots:
        dearest = cheapest = 0
        for qty, lines in use.slots:
            units = sorted((basket[at].unit_price, basket[at].qty) for at in lines)
            cheapest += _worth_of(units, qty)
            dearest += _worth_of(units[::-1], qty)
        return max(0, cheapest - offer.price) or max(0, dearest - offer.price)
    grosses = (
        group_gross(offer, [(price, 1) for price in prices[at : at + size]]) for at in range(len(prices) - size + 1)
    )
    return next((gross for gross in grosses if gross), 0)


def _worth_of(units: Sequence[tuple[int, int]], most: int) -> int:
    """What the first so many units are worth, given as (unit price, units)."""
    worth = 0
    for price, count in units:
        taken = min(count, most)
        worth += price * taken
        most -= taken
    return worth


def _deal(counts: Sequence[int], slots: Sequence[tuple[int, int]], sets: int) -> int:
    """How many of these units, given by line, so many sets can hold at most: a flow from lines to components, made greater while it can be."""
    wanted = [qty * sets for qty, _ in slots]
    left = list(counts)
    dealt: dict[tuple[int, int], int] = {}  # units of a line in a component
    for slot, (_, mask) in enumerate(slots):
        for rank, count in enumerate(left):
            if mask >> rank & 1 and (units := min(count, wanted[slot])):
                dealt[slot, rank] = units
                left[rank] -= units
                wanted[slot] -= units
    for slot in range(len(slots)):
        while wanted[slot] and (path := _find_path(slot, left, slots, dealt)):
            # Each component on the way takes units of a line from the next one, the last takes units that nobody holds.
            most = min(
                wanted[slot], left[path[-1][1]], *(dealt[giver, rank] for (_, rank), (giver, _) in pairwise(path))
            )
            for place, (taker, rank) in enumerate(path):
                dealt[taker, rank] = dealt.get((taker, rank), 0) + most
                if place + 1 < len(path):
                    dealt[path[place + 1][0], rank] -= most
            left[path[-1][1]] -= most
            wanted[slot] -= most
    return sum(qty * sets for qty, _ in slots) - sum(wanted)


def _find_path(
    slot: int, left: Sequence[int], slots: Sequence[tuple[int, int]], dealt: Mapping[tuple[int, int], int]
) -> list[tuple[int, int]]:
    """The shortest way to one more unit for a component, as (component that takes, line): empty if there is none."""
    came: dict[int, list[tuple[int, int]]] = {slot: []}
    waiting = deque([slot])
    seen: set[int] = set()
    while waiting:
        taker = waiting.popleft()
        for rank, count in enumerate(left):
            if rank in seen or not slots[taker][1] >> rank & 1:
                continue
            seen.add(rank)
            path = [*came[taker], (taker, rank)]
            if count:
                return path
            for giver in range(len(slots)):
                if giver not in came and dealt.get((giver, rank)):
                    came[giver] = path
                    waiting.append(giver)
    return []
