"""A part of a basket that nothing links to the rest, compiled for the search: options of its lines, atoms, caps, outer decisions. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from market.kit.money import share_of
from market.pricing.apply import Use
from market.pricing.bound import Variant, make_variants
from market.pricing.case import Line
from market.pricing.kinds import Kind, Stage
from market.pricing.options import Choice

# One way to decide an outer item: the variant to apply (None: none) and the line offers to allow.
Way = tuple[Variant | None, int]


@dataclass(slots=True)
class Component:
    """Offers are bits, in order of their ids. `limits` are fen by bit that a line offer's amount never exceeds though its lines add up to
    more; `most_units` are caps on units that could bind; `linked` holds the bits of both: their lines cannot be decided apart.
    """

    basket: Sequence[Line]
    purses: Mapping[str, int]
    positions: Sequence[int]
    uses: Sequence[Use]
    by_place: list[tuple[int, Use]]
    choices: dict[int, Choice]
    atom_of: dict[int, int]
    atoms: int
    items: list[list[Way]]
    free: int
    limits: dict[int, int]
    most_units: dict[int, int]
    linked: int
    is_linked_stack: bool


def split_components(uses: Sequence[Use], purses: Mapping[str, int]) -> list[tuple[list[int], list[Use]]]:
    """Line positions and offers that belong together: by a line, a group, or a purse that could run short. In basket order."""
    parent: dict[int, int] = {}

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = position = parent[parent[position]]
        return position

    short = _short_purses(uses, purses)
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


def _short_purses(uses: Sequence[Use], purses: Mapping[str, int]) -> set[str]:
    """Purses that all offers together could ask for more than they hold."""
    asked: dict[str, int] = {}
    for use in uses:
        if use.share_bp:
            for purse in use.offer.purses:
                asked[purse] = asked.get(purse, 0) + share_of(use.most, use.share_bp)
    return {purse for purse, fen in asked.items() if fen > purses[purse]}


def make_component(
    basket: Sequence[Line], positions: Sequence[int], uses: Sequence[Use], purses: Mapping[str, int]
) -> Component:
    """Compile a component. `uses` are in order of their ids."""
    bits = {use.index: 1 << rank for rank, use in enumerate(uses)}
    line_uses = [use for use in uses if use.offer.stage is Stage.LINE]
    upper_uses = [use for use in uses if use.offer.stage is not Stage.LINE]
    limits: dict[int, int] = {}
    own_limits: dict[int, int] = {}
    most_units: dict[int, int] = {}
    merged = 0
    on_line: dict[int, list[tuple[int, Use]]] = {}
    for use in line_uses:
        bit = bits[use.index]
        cap = use.cap(purses)
        if cap is not None and cap < use.gross_most:
            limits[bit] = cap
            if len(use.lines) == 1:
                own_limits[bit] = cap
        allowed_units = use.offer.max_units
        if allowed_units is not None and allowed_units < sum([basket[position].qty for position in use.lines]):
            most_units[bit] = allowed_units
            limits[bit] = min(limits.get(bit, use.gross_most), _most_of_units(use, basket, allowed_units))
        if not use.share_bp and bit not in limits:
            merged |= bit
        for position in use.lines:
            on_line.setdefault(position, []).append((bit, use))
    signature = dict.fromkeys(positions, 0)
    for use in upper_uses:
        for position in use.lines:
            signature[position] |= bits[use.index]
    names = {mask: atom for atom, mask in enumerate(dict.fromkeys(signature.values()))}
    atoms_of = {use.index: tuple(atom for mask, atom in names.items() if mask & bits[use.index]) for use in upper_uses}
    items, free = _make_items(uses, bits, atoms_of, purses)
    linked = sum(limits)
    return Component(
        basket=basket,
        purses=purses,
        positions=positions,
        uses=uses,
        by_place=sorted([(bits[use.index], use) for use in uses], key=lambda pair: pair[1].offer.place),
        choices={
            position: Choice(position, basket[position], here, merged, own_limits) for position, here in on_line.items()
        },
        atom_of={position: names[mask] for position, mask in signature.items()},
        atoms=len(names),
        items=items,
        free=free,
        limits=limits,
        most_units=most_units,
        linked=linked,
        is_linked_stack=any(
            bit & linked and use.offer.line_stackable and len(here) > 1
            for here in on_line.values()
            for bit, use in here
        ),
    )


def _most_of_units(use: Use, basket: Sequence[Line], units: int) -> int:
    """What a line offer takes at most from so many of its units."""
    left, whole, lines = units, 0, 0
    amount_off = 0
    for line in sorted((basket[position] for position in use.lines), key=lambda line: -line.unit_price):
        count = min(left, line.qty)
        left -= count
        whole += count * line.unit_price
        amount_off += count * min(line.unit_price, use.offer.amount)
        lines += bool(count)
    # Each line is rounded on its own, by half a fen at most.
    return share_of(whole, use.offer.rate_bp) + lines if use.offer.kind is Kind.PERCENT_OFF else amount_off


def _make_items(
    uses: Sequence[Use], bits: Mapping[int, int], atoms_of: Mapping[int, tuple[int, ...]], purses: Mapping[str, int]
) -> tuple[list[list[Way]], int]:
    """The outer decisions, and the line offers that none of them concerns: those of a group exclude each other, others decide alone."""
    groups: dict[str | int, list[Use]] = {}
    for use in uses:
        groups.setdefault(use.index if use.offer.group is None else use.offer.group, []).append(use)
    items, free = [], 0
    for members in groups.values():
        if len(members) == 1 and members[0].offer.stage is Stage.LINE:
            free |= bits[members[0].index]
            continue
        ways: list[Way] = []
        for use in sorted(members, key=lambda use: (-use.most, use.index)):
            if use.offer.stage is Stage.LINE:
                ways.append((None, bits[use.index]))
            else:
                ways.extend(
                    (variant, 0) for variant in make_variants(use, bits[use.index], atoms_of[use.index], purses)
                )
        if all(variant is not None for variant, _ in ways):
            ways.append((None, 0))
        items.append(ways)
    return items, free
