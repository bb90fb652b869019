"""A part of a basket that nothing links to the rest, compiled for the search: options of its lines, atoms, caps, outer decisions. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from market.kit.money import share_of
from market.pricing.apply import Pool, Use
from market.pricing.bound import Variant, make_variants
from market.pricing.case import Line
from market.pricing.kinds import GROUPED, Stage, most_of_units
from market.pricing.options import Choice, Entry

# One way to decide an outer item: the variant to apply (None: none) and the line offers to allow.
Way = tuple[Variant | None, int]


@dataclass(frozen=True, slots=True)
class Item:
    """One outer decision: a single order or subsidy offer, or a group.

    While it is open, a single offer counts as applied at its most (`opened`; the very variant of its only tier where that is the same), and
    a group as whatever its members could take at most (`most`, in fen): one of them applies, and leaving it out gives back no more.
    """

    ways: tuple[Way, ...]
    opened: Variant | None
    most: int


@dataclass(frozen=True, slots=True)
class Held:
    """What bundles and buy-x-get-y hold of a component's lines, decided before everything else.

    By line position: the least net of the held units, the list value of the others, and the held units as pools. `uses` are the offers.
    `is_loose`: a purse that runs short may change what they take, so that no bound can be given.
    """

    uses: tuple[Use, ...] = ()
    net: Mapping[int, int] = field(default_factory=dict)
    left: Mapping[int, int] = field(default_factory=dict)
    pools: Mapping[int, tuple[Pool, ...]] = field(default_factory=dict)
    is_loose: bool = False


NOTHING_HELD: Final = Held()


@dataclass(slots=True)
class Component:
    """A compiled component. Offers are bits, in order of their ids.

    `limits` are fen by bit that a line offer's amount never exceeds though its lines add up to more, `most_units` caps on units that
    could bind, `linked` the bits of both: their lines cannot be decided apart. `refusals` are fen above which an offer makes a plan
    illegal, `line_shares` sponsor shares of line offers. `relief` are fen that bundles and buy-x-get-y may take besides. `slack` is how
    many fen the rounding of other offers on the same units may shift when a capped offer takes less.
    """

    basket: Sequence[Line]
    purses: Mapping[str, int]
    positions: Sequence[int]
    by_place: list[tuple[int, Use]]
    choices: dict[int, Choice]
    atom_of: dict[int, int]
    atoms: int
    items: list[Item]
    free: int
    limits: dict[int, int]
    most_units: dict[int, int]
    refusals: dict[int, int]
    line_shares: dict[int, int]
    linked: int
    slack: int
    held: Held
    held_mask: int
    relief: int
    rebates: Sequence[Use]

    def sums(self, allowed: int) -> tuple[list[int], list[int]]:
        """Least and most net of each atom after the line stage under the allowed line offers."""
        low, high, plain = [0] * self.atoms, [0] * self.atoms, [0] * self.atoms
        for position in self.positions:
            atom, choice = self.atom_of[position], self.choices.get(position)
            most = self.basket[position].list_price
            if position in self.held.net:
                net, left = self.held.net[position], self.held.left[position]
                low[atom] += net
                plain[atom] += net
                high[atom] += most - left
                most = left
            high[atom] += most
            low[atom] += choice.cheapest(allowed) if choice else most
            if self.limits:
                plain[atom] += choice.cheapest(allowed & ~self.linked) if choice else most
        if self.limits:
            # Capped offers together take no more than their caps from what the others leave.
            most = sum([limit for bit, limit in self.limits.items() if bit & allowed])
            low = [max(0, least - self.slack, left - most - self.slack) for least, left in zip(low, plain, strict=True)]
        return low, high


def split_components(uses: Sequence[Use], purses: Mapping[str, int]) -> list[tuple[list[int], list[Use]]]:
    """Line positions and offers that belong together: by a line, a group, or a purse that could run short. In basket order."""
    parent: dict[int, int] = {}

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = position = parent[parent[position]]
        return position

    short = short_purses(uses, purses)
    first: dict[tuple[str, str], int] = {}
    for use in uses:
        mine = use.lines[0]
        parent.setdefault(mine, mine)
        mine = root(mine)
        for position in use.lines[1:]:
            parent[root(parent.setdefault(position, position))] = mine
        if use.offer.group is not None:
            parent[root(first.setdefault(("group", use.offer.group), mine))] = mine
        for purse in short and use.offer.purses:
            if purse in short:
                parent[root(first.setdefault(("purse", purse), mine))] = mine
    parts: dict[int, tuple[list[int], list[Use]]] = {}
    for position in sorted(parent):
        parts.setdefault(root(position), ([], []))[0].append(position)
    for use in uses:
        parts[root(use.lines[0])][1].append(use)
    return list(parts.values())


def short_purses(uses: Sequence[Use], purses: Mapping[str, int]) -> set[str]:
    """Purses that all offers together could ask for more than they hold."""
    asked: dict[str, int] = {}
    for use in uses:
        if use.share_bp:
            for purse in use.offer.purses:
                asked[purse] = asked.get(purse, 0) + share_of(use.most, use.share_bp)
    return {purse for purse, fen in asked.items() if fen > purses[purse]}


def make_component(
    basket: Sequence[Line],
    positions: Sequence[int],
    uses: Sequence[Use],
    purses: Mapping[str, int],
    held: Held = NOTHING_HELD,
    *,
    nodes: list[int],
    known: dict[object, Choice] | None = None,
    summed_like: Component | None = None,
) -> Component:
    """Compile a component. `uses` are in order of their ids, those that hold units among them.

    The ways of lines that are priced are taken from `nodes`. `known` keeps the choices of lines for components that differ in held units
    only. `summed_like`: the same compiled component, for the programme over sums, which decides groups of line offers itself.
    """
    bits = {use.index: 1 << rank for rank, use in enumerate(uses)}
    by_place = sorted([(bits[use.index], use) for use in uses], key=lambda pair: pair[1].offer.place)
    groups = {use.offer.group for use in held.uses}
    uses = [use for use in uses if use.offer.group is None or use.offer.group not in groups]
    line_uses = [use for use in uses if use.offer.stage is Stage.LINE and use.offer.kind not in GROUPED]
    upper_uses = [use for use in uses if use.offer.stage in (Stage.ORDER, Stage.SUBSIDY)]
    rest = {
        position: replace(basket[position], qty=basket[position].qty - sum(pool[0] for pool in pools))
        for position, pools in held.pools.items()
    }
    limits: dict[int, int] = {}
    own_limits: dict[int, int] = {}
    most_units: dict[int, int] = {}
    merged = 0
    on_line: dict[int, list[Entry]] = {}
    for use in line_uses:
        bit = bits[use.index]
        cap = use.cap(purses)
        if cap is not None and cap < use.gross_most:
            limits[bit] = cap
            if len(use.lines) == 1:
                own_limits[bit] = cap
        offer = use.offer
        units = [(basket[position].unit_price, basket[position].qty) for position in use.lines]
        if offer.max_units is not None and offer.max_units < sum([count for _, count in units]):
            most_units[bit] = offer.max_units
            limits[bit] = min(limits.get(bit, use.gross_most), most_of_units(offer, units, offer.max_units))
        if not use.share_bp and bit not in limits:
            merged |= bit
        for position in use.lines:
            if position not in rest or rest[position].qty:
                on_line.setdefault(position, []).append((bit, use))
    signature = dict.fromkeys(positions, 0)
    for use in upper_uses:
        for position in use.lines:
            signature[position] |= bits[use.index]
    names = {mask: atom for atom, mask in enumerate(dict.fromkeys(signature.values()))}
    atoms_of = {use.index: tuple(atom for mask, atom in names.items() if mask & bits[use.index]) for use in upper_uses}
    deciding = [use for use in uses if use.offer.kind not in GROUPED and use.offer.stage is not Stage.REBATE]
    items, free = _make_items(deciding, bits, atoms_of, purses, is_summed=summed_like is not None)
    linked = sum(limits)
    fresh = _Choices({} if known is None else known, nodes=nodes, merged=merged, capped=linked, limits=own_limits)
    choices = (
        summed_like.choices
        if summed_like
        else {
            position: fresh.get(position, rest.get(position, basket[position]), on_line[position])
            for position in on_line
        }
    )
    return Component(
        basket=basket,
        purses=purses,
        positions=positions,
        by_place=by_place,
        choices=choices,
        atom_of={position: names[mask] for position, mask in signature.items()},
        atoms=len(names),
        items=items,
        free=free,
        limits=limits,
        most_units=most_units,
        refusals={bits[use.index]: most for use in line_uses if (most := use.refusal(purses)) is not None},
        line_shares={bits[use.index]: use.share_bp for use in line_uses if use.share_bp},
        linked=linked,
        slack=sum([_slack(basket[position], here, linked) for position, here in on_line.items()]),
        held=held,
        held_mask=sum([bits[use.index] for use in held.uses]),
        relief=sum([use.most for use in uses if use.offer.kind in GROUPED]) if summed_like else 0,
        rebates=[use for use in uses if use.offer.stage is Stage.REBATE],
    )


class _Choices:
    """The choices of lines, each made once while `known` lives."""

    def __init__(
        self, known: dict[object, Choice], *, nodes: list[int], merged: int, capped: int, limits: Mapping[int, int]
    ) -> None:
        self._known, self._nodes, self._merged, self._capped, self._limits = known, nodes, merged, capped, limits

    def get(self, position: int, line: Line, uses: Sequence[Entry]) -> Choice:
        """The choice of this line, of which some units may be held, by these offers."""
        mine = sum([bit for bit, _ in uses])
        limits = [self._limits.get(bit) for bit, _ in uses]
        name = (position, line.qty, mine, self._merged & mine, self._capped & mine, *limits)
        if name not in self._known:
            self._known[name] = Choice(
                line, uses, nodes=self._nodes, merged=self._merged, capped=self._capped, limits=self._limits
            )
        return self._known[name]


def _slack(line: Line, uses: Sequence[Entry], linked: int) -> int:
    """What rounding may shift on one line between a plan and the same plan with its capped offers cut or left out.

    Each offer on the same units is rounded in both plans, and shared over pools of units in both: a fen, and half a fen for each pool.
    """
    stackable = [bit for bit, use in uses if use.offer.is_stacked]
    if len(stackable) < 2 or not any(bit & linked for bit in stackable):
        return 0
    return len(stackable) * (2 + min(line.qty, 1 << len(stackable)) // 2)


def _make_items(
    uses: Sequence[Use],
    bits: Mapping[int, int],
    atoms_of: Mapping[int, tuple[int, ...]],
    purses: Mapping[str, int],
    *,
    is_summed: bool,
) -> tuple[list[Item], int]:
    """The outer decisions, and the line offers that none of them concerns: those of a group exclude each other, others decide alone."""
    groups: dict[str | int, list[Use]] = {}
    for use in uses:
        groups.setdefault(use.index if use.offer.group is None else use.offer.group, []).append(use)
    items: list[Item] = []
    free = 0
    for members in groups.values():
        first = members[0]
        if len(members) == 1 and first.offer.stage is Stage.LINE:
            free |= bits[first.index]
            continue
        if is_summed and all(use.offer.stage is Stage.LINE for use in members):
            free |= sum([bits[use.index] for use in members])
            continue
        ways: list[Way] = []
        for use in sorted(members, key=lambda use: (-use.most, use.index)):
            if use.offer.stage is not Stage.LINE:
                ways.extend(
                    (variant, 0) for variant in make_variants(use, bits[use.index], atoms_of[use.index], purses)
                )
            elif not is_summed:
                ways.append((None, bits[use.index]))
        if is_summed and (of_lines := sum([bits[use.index] for use in members if use.offer.stage is Stage.LINE])):
            # Which of them is used, the programme decides.
            ways.append((None, of_lines))
        opened = ways[0][0].opened() if len(members) == 1 and ways[0][0] else None
        if all(variant is not None for variant, _ in ways):
            ways.append((None, 0))
        items.append(Item(tuple(ways), opened, max(_most_given_back(use) for use in members)))
    return items, free


def _most_given_back(use: Use) -> int:
    """What a plan pays more at most without this offer. Stacked on a unit, leaving it out shifts a fen of rounding for each other offer."""
    return use.most + (4 * len(use.lines) if use.offer.is_stacked else 0)
