"""The ways to price one line by its line offers, each unit a choice, merged so that equal results are one option. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import chain, combinations, islice, product
from math import comb
from operator import or_
from typing import NamedTuple

from market.kit.money import WHOLE_BP
from market.pricing.apply import Pool, Use, spread, touch
from market.pricing.case import Line
from market.pricing.kinds import line_gross, rounding_period, unit_slope

# More ways than this for one line are not listed in full; the search then knows what it has not seen. Fewer when few nodes are left.
MOST_OPTIONS, LAST_OPTIONS = 20_000, 1_000
FEW_OPTIONS = 1_000  # so many ways to spread units are listed once for all lines
SOON_FOUND = 64  # so many ways of one offer are worked out again rather than kept
AMOUNTS_A_WAY = 4  # amounts worked out for the ways of one line, for each that may be listed
MOST_STACKED = 10  # offers that stack on one unit, of which every combination is listed
PRICED_A_NODE = 2  # ways that are priced in about the time of a step

# An offer of a line with its bit.
Entry = tuple[int, Use]
# Some units of a line given to combinations of offers: the rank of each combination that gets some, and how many.
Spread = tuple[tuple[int, int], ...]


class Option(NamedTuple):
    """One way for one line: its `net` if no cap cuts, and if capped offers take nothing (`plain`).

    `mask` are the offers used, as bits; `taken` is (bit, uncapped fen, units) for each.
    """

    net: int
    plain: int
    mask: int
    pools: tuple[Pool, ...]
    taken: tuple[tuple[int, int, int], ...]


class Choice:
    """All options of one line, by rising net. `floor` is a net that no option is below; above `complete_to` some are not listed.

    Lines with a single offer are the rule: their options are made only as far as they are asked for.
    """

    __slots__ = (
        *("_capped", "_fewer", "_limits", "_listed", "_merged", "_nodes", "_uses"),
        *("complete_to", "floor", "line", "most"),
    )

    def __init__(
        self,
        line: Line,
        uses: Sequence[Entry],
        *,
        nodes: list[int],
        merged: int,
        capped: int,
        limits: Mapping[int, int],
    ) -> None:
        """`uses` are (bit, use); bits in `merged` have amounts that matter only through the net, so that equal nets are one option.

        `capped` are the bits of offers that a cap may cut, `limits` fen by bit that an offer of this line alone never exceeds. What is
        priced, whenever that is, is taken from `nodes`.
        """
        self.line = line
        self.most = line.unit_price * line.qty
        self._uses = uses
        self._merged = merged
        self._capped, self._limits = capped, limits
        self._nodes = nodes
        self._fewer: dict[int, Choice] = {}
        self._listed: list[Option] | None = None
        self.complete_to: int | None = None
        if len(uses) == 1:
            bit, use = uses[0]
            units = _most_units(use, line)
            gross = line_gross(use.offer, ((units, line.unit_price * units),))
            self.floor = self.most - gross
            if bit in limits:
                self._listed = self._list_ladder(self._ladder(bit, use, limits[bit]))
                self.floor = self._listed[0].net
        else:
            self._list_all()

    def options(self, highest: int | None, allowed: int) -> list[Option]:
        """The options of net ≤ `highest` (None: all) that use only `allowed` offers, by rising net."""
        if self._listed is None:
            bit, use = self._uses[0]
            if not allowed & bit:
                return [Option(self.most, self.most, 0, (), ())] if highest is None or self.most <= highest else []
            if highest is not None and highest < self.most:
                found: list[Option] = []
                for option in islice(self._ladder(bit, use), SOON_FOUND):
                    if option.net > highest:
                        return found
                    found.append(option)
            self._listed = self._list_ladder(self._ladder(bit, use))
        return [
            option
            for option in self._listed
            if not option.mask & ~allowed and (highest is None or option.net <= highest)
        ]

    def cheapest(self, allowed: int) -> int:
        """A net that no option of allowed offers is below."""
        if all(bit & allowed for bit, _ in self._uses):
            return self.floor
        if self._listed is None or self.complete_to is not None:
            return self.floor if self._listed else self.most
        return next(option.net for option in self._listed if not option.mask & ~allowed)

    @property
    def _most_options(self) -> int:
        """How many ways may be listed."""
        return max(LAST_OPTIONS, min(MOST_OPTIONS, self._nodes[0] * PRICED_A_NODE))

    @property
    def bits(self) -> list[int]:
        """The offers of this line."""
        return [bit for bit, _ in self._uses]

    def of_fewer(self, units: int) -> "Choice":
        """The same offers on fewer units of the line."""
        fewer = self._fewer.get(units)
        if fewer is None:
            line = replace(self.line, qty=units)
            fewer = Choice(
                line, self._uses, nodes=self._nodes, merged=self._merged, capped=self._capped, limits=self._limits
            )
            self._fewer[units] = fewer
        return fewer

    @property
    def likeness(self) -> object:
        """Equal for lines that differ in nothing a price looks at."""
        return (self.line.unit_price, self.line.qty, tuple(bit for bit, _ in self._uses))

    def _list_ladder(self, ladder: Iterator[Option]) -> list[Option]:
        """The options of one offer, or of very many units the first, and that without the offer."""
        listed = list(islice(ladder, self._most_options))
        self._nodes[0] -= len(listed) // PRICED_A_NODE
        if listed[-1].mask:
            self.complete_to = listed[-1].net
            listed.append(Option(self.most, self.most, 0, (), ()))
        return listed

    def _ladder(self, bit: int, use: Use, limit: int | None = None) -> Iterator[Option]:
        """One offer on as many units as may be, one fewer, … none; equal nets once, with the most units, or the fewest if they are counted.

        Of the options at or above an offer's limit one is enough: the one with the fewest units.
        """
        price, units, offer = self.line.unit_price, _most_units(use, self.line), use.offer
        is_counted = not bit & self._merged
        if limit is not None:
            units = _fewest_units(use, price, units, limit)
        gross = line_gross(offer, ((units, price * units),))
        while gross:
            fewer = units - 1
            less = line_gross(offer, ((fewer, price * fewer),))
            if less == gross:
                fewer = _fewest_units(use, price, fewer, gross) - 1
                less = line_gross(offer, ((fewer, price * fewer),))
            count = fewer + 1 if is_counted else units
            net = self.most - gross
            plain = self.most if bit & self._capped else net
            yield Option(net, plain, bit, ((count, (use.index,)),), ((bit, gross, count),))
            units, gross = fewer, less
        yield Option(self.most, self.most, 0, (), ())

    def _list_all(self) -> None:
        """Every way to spread the units over the combinations of offers a unit may carry, or the ways that can matter most."""
        line, uses = self.line, self._uses
        combos, is_cut = _combos(uses)
        is_stacked = any(len(combo) > 1 for combo in combos)
        ways, longest = comb(line.qty + len(combos), len(combos)), max(map(len, combos))
        most = self._most_options
        if is_cut or ways > most or ways * longest > AMOUNTS_A_WAY * most:
            combos, counts = self._select(combos, is_stacked=is_stacked)
            spreads: Iterator[Spread] = map(_without_zeros, counts)
        else:
            self.floor = -1
            few = ways <= FEW_OPTIONS
            spreads = iter(
                _few_spreads(line.qty, len(combos)) if few else map(_without_zeros, _spreads(line.qty, len(combos)))
            )
        # A cap on one of several offers on a unit changes what the others take: then no two ways are alike.
        merged = self._merged
        is_apart = is_stacked and any(not bit & merged for bit, _ in uses)
        found: dict[tuple[object, ...], Option] = {}
        parts: dict[tuple[int, int], _Part] = {}
        in_order = sorted(uses, key=_place)
        priced = 0
        for spread_out in chain(islice(spreads, AMOUNTS_A_WAY * most // max(map(len, combos))), [()]):
            priced += 1
            if is_stacked:
                option = _price_stacked(
                    line, [(count, combos[way]) for way, count in spread_out], in_order, self._capped
                )
            else:
                for way, count in spread_out:
                    if (way, count) not in parts:
                        parts[way, count] = _price_part(line, count, combos[way][0], self._capped)
                option = _price(self.most, [parts[one] for one in spread_out])
            details = option.pools if is_apart else tuple([part for part in option.taken if not part[0] & merged])
            found.setdefault((option.net, option.mask, details), option)
        self._nodes[0] -= priced // PRICED_A_NODE
        self._listed = sorted(found.values(), key=lambda option: (option.net, option.mask.bit_count(), option.taken))
        if self.floor < 0:
            self.floor = self._listed[0].net
            if self.complete_to is not None:
                self.complete_to = self.floor

    def _select(
        self, combos: list[tuple[Entry, ...]], *, is_stacked: bool
    ) -> tuple[list[tuple[Entry, ...]], Iterator[tuple[int, ...]]]:
        """Of too many ways to spread the units those that can matter most, and the combinations that they give units to."""
        price = self.line.unit_price
        self.floor = _linear_floor(self.line, combos)
        self.complete_to = -1
        if is_stacked:
            combos.sort(key=lambda combo: (-sum(unit_slope(use.offer, price) for _, use in combo), len(combo)))
            return combos[:1], _spreads(self.line.qty, 1)
        combos.sort(key=lambda combo: (-unit_slope(combo[0][1].offer, price), combo[0][1].share_bp, combo[0][0]))
        spreads, is_complete = _best_spreads(self.line, [combo[0][1] for combo in combos], self._most_options)
        if is_complete:
            self.floor, self.complete_to = -1, 0
        return combos, spreads


def _place(entry: Entry) -> tuple[int, bool, int, str]:
    return entry[1].offer.place


def _combos(uses: Sequence[Entry]) -> tuple[list[tuple[Entry, ...]], bool]:
    """What one unit may carry: any one offer, or several that are all stackable; in order of application.

    And whether there were too many: then of those that stack only all together.
    """
    combos: list[tuple[Entry, ...]] = [(use,) for use in uses]
    stackable = sorted((use for use in uses if use[1].offer.is_stacked), key=lambda use: use[1].offer.place)
    if len(stackable) > MOST_STACKED:
        return [*combos, tuple(stackable)], True
    for size in range(2, len(stackable) + 1):
        combos += combinations(stackable, size)
    return combos, False


def count_down(units: int) -> Iterator[int]:
    """From so many units to one, however many there are."""
    while units:
        yield units
        units -= 1


def _most_units(use: Use, line: Line) -> int:
    """On how many units of a line an offer may work."""
    return line.qty if use.offer.max_units is None else min(line.qty, use.offer.max_units)


def _fewest_units(use: Use, price: int, qty: int, limit: int) -> int:
    """The fewest units from which a line offer takes its limit, or all of them."""
    low, high = 0, qty
    while low < high:
        middle = (low + high) // 2
        if line_gross(use.offer, ((middle, price * middle),)) >= limit:
            high = middle
        else:
            low = middle + 1
    return low


@lru_cache(maxsize=256)
def _few_spreads(units: int, ways: int) -> tuple[Spread, ...]:
    """Every way to give at most `units` equal units to `ways` combinations, where these are few."""
    return tuple(map(_without_zeros, _spreads(units, ways)))


def _without_zeros(counts: Sequence[int]) -> Spread:
    """The combinations that get units, and how many."""
    return tuple((way, count) for way, count in enumerate(counts) if count)


def _spreads(units: int, ways: int) -> Iterator[tuple[int, ...]]:
    """Every way to give at most `units` equal units to `ways` combinations."""
    if ways == 1:
        for count in count_down(units):
            yield (count,)
        yield (0,)
        return
    for count in range(units, -1, -1):
        for rest in _spreads(units - count, ways - 1):
            yield (count, *rest)


class _Part(NamedTuple):
    """Some units of a line under one offer: what it takes, and if no capped offer takes anything; nothing if it takes none."""

    off: int
    plain_off: int
    bit: int
    pool: tuple[Pool, ...]
    taken: tuple[tuple[int, int, int], ...]


def _price_part(line: Line, count: int, entry: Entry, capped: int) -> _Part:
    """So many units under one offer. `capped` are the bits of offers that a cap may cut."""
    bit, use = entry
    gross = line_gross(use.offer, ((count, line.unit_price * count),))
    if not gross:
        return _Part(0, 0, 0, (), ())
    return _Part(gross, 0 if bit & capped else gross, bit, ((count, (use.index,)),), ((bit, gross, count),))


def _price(most: int, parts: Sequence[_Part]) -> Option:
    """The option of one spread of the units, one offer a unit, of a line worth `most`."""
    net = plain = most
    mask = 0
    pools: tuple[Pool, ...] = ()
    taken: tuple[tuple[int, int, int], ...] = ()
    for off, plain_off, bit, pool, took in parts:
        net -= off
        plain -= plain_off
        mask |= bit
        pools += pool
        taken += took
    return Option(net, plain, mask, pools, taken)


def _price_stacked(
    line: Line, pools: Sequence[tuple[int, Sequence[Entry]]], in_order: Sequence[Entry], capped: int
) -> Option:
    """The same where a unit carries several offers: they run one after another (`in_order`) on the running net of the pools."""
    of_line: list[Pool] = [(count, tuple([use.index for _, use in combo])) for count, combo in pools]
    masks = [sum([bit for bit, _ in combo]) for _, combo in pools]
    mask = reduce(or_, masks, 0)
    running = [line.unit_price * count for count, _ in of_line]
    untouched = line.unit_price * (line.qty - sum([count for count, _ in of_line]))
    plain, taken = running, []
    if mask & capped:
        plain = list(running)
        for bit, use in in_order:
            if bit & mask & ~capped:
                mine, _, _, gross = touch(use, of_line, plain)
                spread(gross, mine, plain)
    for bit, use in in_order:
        if not bit & mask:
            continue
        mine = [number for number, one in enumerate(masks) if one & bit]
        if len(mine) == 1:
            units, net = of_line[mine[0]][0], running[mine[0]]
            gross = line_gross(use.offer, ((units, net),))
            running[mine[0]] -= gross
        else:
            mine, units, _, gross = touch(use, of_line, running)
            spread(gross, mine, running)
        taken.append((bit, gross, units))
    return Option(sum(running) + untouched, sum(plain) + untouched, mask, tuple(of_line), tuple(taken))


def _linear_floor(line: Line, combos: Sequence[Sequence[Entry]]) -> int:
    """A net no spread is below: the best combination on every unit, unrounded, and a fen for every offer's rounding."""
    steepest = max(sum((unit_slope(use.offer, line.unit_price) for _, use in combo), Fraction(0)) for combo in combos)
    return max(0, int(line.unit_price * line.qty - line.qty * steepest) - len(combos))


def _best_spreads(line: Line, uses: Sequence[Use], most_ways: int) -> tuple[Iterator[tuple[int, ...]], bool]:
    """Spreads of many units over offers sorted by what they take: all that can reach the least net, then fewer and fewer units of the best.

    Another offer than the best can only gain by rounding, so it takes fewer units than one period of its rounding, and no more than
    its slope loses against the at most one fen that each offer's rounding can give. False: more than `most_ways` could still matter.
    """
    best, most = uses[0], []
    for use in uses[1:]:
        period = rounding_period(use.offer, line.unit_price)
        loss = unit_slope(best.offer, line.unit_price) - unit_slope(use.offer, line.unit_price)
        window = len(uses) // loss if loss else line.qty
        most.append(min(line.qty, period - 1, window))
    ways = 1
    for units in most:
        ways *= units + 1
    # Splitting a part whose sponsor share is no whole fen per fen could shift a rounding of the sponsor's part.
    is_complete = ways <= most_ways and all(use.share_bp in (0, WHOLE_BP) for use in uses)

    def listed() -> Iterator[tuple[int, ...]]:
        if is_complete:
            for others in product(*(range(units + 1) for units in most)):
                if sum(others) <= line.qty:
                    yield (line.qty - sum(others), *others)
        for units in count_down(line.qty):
            yield (units, *(0 for _ in uses[1:]))
        yield (0,) * len(uses)

    return listed(), is_complete
