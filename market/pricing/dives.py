"""Good plans found at once, without search: so that the search has something to beat. Pure."""

from market.pricing.apply import Pool
from market.pricing.options import Option
from market.pricing.setting import Setting


def dive(setting: Setting) -> None:
    """The plan with every line at its cheapest, as far as thresholds and counted units go; the hunt keeps it if it is better."""
    component, high = setting.component, setting.high
    pools: dict[int, tuple[Pool, ...]] = {}
    mask, units = setting.upper_mask, dict(component.most_units)
    # How much line offers may take in all from what each threshold looks at.
    rooms = {
        variant: sum([high[atom] for atom in variant.atoms]) - variant.need
        for variant in setting.upper.variants
        if variant.need > sum([setting.low[atom] for atom in variant.atoms])
    }
    is_plain = not component.most_units and not rooms
    for position, choice in component.choices.items():
        here = [variant for variant in rooms if component.atom_of[position] in variant.atoms]
        highest = choice.cheapest(setting.allowed) if is_plain and choice.complete_to is None else None
        for option in choice.options(highest, setting.allowed):
            taken = choice.most - option.net
            if any(taken > rooms[variant] for variant in here) or not _has_units(option, units):
                continue
            units |= {bit: units[bit] - count for bit, _, count in option.taken if bit in units}
            rooms |= {variant: rooms[variant] - taken for variant in here}
            if option.pools:
                pools[position] = option.pools
                mask |= option.mask
            break
    setting.hunt.consider(pools, mask)
    if setting.limits and not rooms:
        _dive_under_caps(setting)


def _has_units(option: Option, units: dict[int, int]) -> bool:
    """Whether counted offers have as many units left."""
    return all(count <= units.get(bit, count) for bit, _, count in option.taken)


def _dive_under_caps(setting: Setting) -> None:
    """The plan in which capped offers go, up to their caps, where the others lose least by it."""
    component = setting.component
    plain: dict[int, Option] = {}
    capped: dict[int, dict[int, Option]] = {bit: {} for bit in setting.limits}
    for position, choice in component.choices.items():
        for option in choice.options(None, setting.allowed):
            linked = option.mask & component.linked
            if not linked:
                plain.setdefault(position, option)
            elif linked in capped:
                capped[linked].setdefault(position, option)
    chosen = dict(plain)
    units = dict(component.most_units)
    for bit, here in capped.items():
        room = setting.limits[bit]
        losses = {position: option.net + _gross(option, bit) - plain[position].net for position, option in here.items()}
        for position in sorted(here, key=lambda position: (losses[position], position)):
            option = here[position]
            if room > 0 and chosen[position] is plain[position] and _has_units(option, units):
                chosen[position] = option
                room -= _gross(option, bit)
                units |= {at: units[at] - count for at, _, count in option.taken if at in units}
    mask = setting.upper_mask
    for option in chosen.values():
        mask |= option.mask
    setting.hunt.consider({position: option.pools for position, option in chosen.items() if option.pools}, mask)


def _gross(option: Option, bit: int) -> int:
    """What an offer takes in an option before any cap."""
    return next(fen for at, fen, _ in option.taken if at == bit)
