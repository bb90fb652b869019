"""Plans that pay as little as the best: the lesser criteria, and lines so alike that swapping them is all the difference. Pure."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from market.kit.money import WHOLE_BP, share_of
from market.pricing.apply import Use
from market.pricing.kinds import order_gross
from market.pricing.options import Option
from market.pricing.ranges import Node, OpenLine
from market.pricing.setting import Setting


def cannot_win(setting: Setting, node: Node, low: Sequence[int], options: Mapping[int, Option]) -> bool:  # noqa: PLR0911  one for each criterion
    """Whether sponsor cost, number of offers, ids or earlier lines rule out what is below a node that pays as little as the best.

    `options` are those of all lines in any order, the cheapest for lines not decided yet; `low` the least net of each atom.
    """
    best = setting.hunt.best
    if setting.component.held.is_loose:
        return False
    if setting.component.rebates:
        most = sum([_most_rebate(use, best.payable) for use in setting.component.rebates])
        if most != best.rebate:
            return most < best.rebate
    sponsor, count = _least_sponsor(setting, node, low), node.mask.bit_count()
    if sponsor != best.sponsor:
        return sponsor > best.sponsor
    if count != best.mask.bit_count():
        return count > best.mask.bit_count()
    if node.mask != best.mask:
        differing = node.mask ^ best.mask
        return not differing & -differing & node.mask
    if setting.component.slack or setting.component.held.uses or not setting.upper.is_narrow:
        return False
    return _pays_later(setting, node, low, options)


def _most_rebate(use: Use, paid: int) -> int:
    """A rebate gives back no more than this when so much is paid in all."""
    back = min(paid, order_gross(use.offer, paid, paid).amount)
    return back if use.ceiling is None else min(back, use.ceiling)


def _least_sponsor(setting: Setting, node: Node, low: Sequence[int]) -> int:
    """No plan below this node that pays as little as the best costs the sponsors less."""
    sponsor = -setting.component.slack
    for bit, share in setting.shares.items():
        fen = node.raws.get(bit, 0)
        sponsor += share_of(min(fen, setting.limits.get(bit, fen)), share)
    shares = [variant.use.share_bp for variant in setting.upper.variants]
    if len(shares) == 1:
        sponsor += share_of(max(0, sum(low) - setting.hunt.best.payable), shares[0])
    elif shares:
        # What is not paid of the net was taken by these offers, each rounded on its own.
        off = max(0, sum(low) - setting.hunt.best.payable)
        sponsor += max(0, off * min(shares) // WHOLE_BP - len(shares))
    return sponsor


def _pays_later(setting: Setting, node: Node, low: Sequence[int], options: Mapping[int, Option]) -> bool:
    """Whether, line by line in basket order, more is paid than in the best at the first difference, or nothing less anywhere."""
    component = setting.component
    for position, best in zip(component.positions, setting.hunt.best.net, strict=True):
        option = options[position]
        net = option.net
        for bit, fen, _ in option.taken:
            limit = setting.limits.get(bit)
            if limit is not None and node.raws.get(bit, 0) > limit:
                # The cap is shared by what each line would have had: this one's part is known to a fen.
                net += fen - min(fen, limit * fen // node.raws[bit] + 1)
        paid = setting.upper.least_of_line(low, component.atom_of[position], net)
        if paid != best:
            return paid > best
    return True


def find_twins(setting: Setting, lines: Sequence[OpenLine]) -> list[int | None]:
    """For each line the last one before it that is just like it, where a swap of what the two take cannot shift anything else."""
    twins: list[int | None] = []
    if setting.limits or setting.component.held.uses or setting.component.rebates or not setting.upper.is_narrow:
        return [None] * len(lines)
    last: dict[object, int] = {}
    for depth, (position, atom, _) in enumerate(lines):
        name = (atom, setting.component.choices[position].likeness)
        twins.append(last.get(name))
        last[name] = depth
    return twins


def safe_swap(setting: Setting, atom: int, most: int) -> int:
    """How much more net than its later twin a line must have for a swap to be better, whatever the rounding of shares.

    Then the plan with the swap wins by the last criterion, and this one need not be tried. An offer moves a share by a fen or two.
    """
    slack = 3 * len(setting.upper.variants)

    def kept(fen: int) -> int:
        return setting.upper.least_of_line(setting.low, atom, fen)

    return most if kept(most) <= slack else bisect_left(range(1, most), slack + 1, key=kept) + 1
