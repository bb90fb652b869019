"""Good plans found at once, without search: so that the search has something to beat. Pure."""

from market.pricing.apply import Pool
from market.pricing.component import Component
from market.pricing.options import Option
from market.pricing.setting import Setting

LOOKED_AT_A_NODE = 16  # options that are looked at in about the time of a step


def dive(setting: Setting) -> None:
    """The plan with every line at its cheapest, as far as thresholds and counted units go; the hunt keeps it if it is better."""
    component, high = setting.component, setting.high
    pools: dict[int, tuple[Pool, ...]] = {}
    mask, room = setting.upper_mask, _Room(component)
    # How much line offers may take in all from what each threshold looks at.
    rooms = {
        variant: sum([high[atom] for atom in variant.atoms]) - variant.need
        for variant in setting.upper.variants
        if variant.need > sum([setting.low[atom] for atom in variant.atoms])
    }
    is_plain = not component.most_units and not component.refusals and not rooms
    looked_at = 0
    for position, choice in component.choices.items():
        here = [variant for variant in rooms if component.atom_of[position] in variant.atoms]
        highest = choice.cheapest(setting.allowed) if is_plain and choice.complete_to is None else None
        for option in choice.options(highest, setting.allowed):
            looked_at += 1
            taken = choice.most - option.net
            if any(taken > rooms[variant] for variant in here) or not room.take(option):
                continue
            rooms |= {variant: rooms[variant] - taken for variant in here}
            if option.pools:
                pools[position] = option.pools
                mask |= option.mask
            break
    setting.hunt.step(looked_at // LOOKED_AT_A_NODE)
    setting.hunt.consider(pools, mask)
    if setting.limits and not rooms:
        _dive_under_caps(setting)


class _Room:
    """How many units counted offers have left, and how many fen those that a short budget shuts out."""

    def __init__(self, component: Component) -> None:
        self._units, self._fen = dict(component.most_units), dict(component.refusals)

    def take(self, option: Option) -> bool:
        """Take what an option needs; False, and nothing taken, if there is not so much."""
        for bit, fen, count in option.taken:
            if count > self._units.get(bit, count) or fen > self._fen.get(bit, fen):
                return False
        for bit, fen, count in option.taken:
            if bit in self._units:
                self._units[bit] -= count
            if bit in self._fen:
                self._fen[bit] -= fen
        return True


def _dive_under_caps(setting: Setting) -> None:
    """The plan in which capped offers go, up to their caps, where the others lose least by it."""
    component = setting.component
    plain: dict[int, Option] = {}
    capped: dict[int, dict[int, Option]] = {bit: {} for bit in setting.limits}
    looked_at = 0
    for position, choice in component.choices.items():
        options = choice.options(None, setting.allowed)
        looked_at += len(options)
        for option in options:
            linked = option.mask & component.linked
            if not linked:
                plain.setdefault(position, option)
            elif linked in capped:
                capped[linked].setdefault(position, option)
    setting.hunt.step(looked_at // LOOKED_AT_A_NODE)
    chosen = dict(plain)
    room = _Room(component)
    for bit, here in capped.items():
        left = setting.limits[bit]
        losses = {position: option.net + _gross(option, bit) - plain[position].net for position, option in here.items()}
        for position in sorted(here, key=lambda position: (losses[position], position)):
            option = here[position]
            if left > 0 and chosen[position] is plain[position] and room.take(option):
                chosen[position] = option
                left -= _gross(option, bit)
    mask = setting.upper_mask
    for option in chosen.values():
        mask |= option.mask
    setting.hunt.consider({position: option.pools for position, option in chosen.items() if option.pools}, mask)


def _gross(option: Option, bit: int) -> int:
    """What an offer takes in an option before any cap."""
    return next(fen for at, fen, _ in option.taken if at == bit)
