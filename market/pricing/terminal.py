"""What order and subsidy offers leave of what the lines add up to, where that depends on sums alone. Pure; whole numbers only.

A threshold that may or may not be reached looks at a *part* of the lines; parts must lie within each other, so that the running sum of
the lines, the innermost part first, is at the end of each part the sum that its threshold looks at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market.kit.money import WHOLE_BP, share_of
from market.pricing.apply import Use
from market.pricing.bound import Variant
from market.pricing.component import Component, short_purses
from market.pricing.setting import Setting

Fen = NDArray[np.int64]
ENDLESS: Final = 1 << 60  # paid where a threshold is not reached
MOST_OFF: Final = 10**6
MOST_NOTED: Final = 3  # lines whose net is remembered
MOST_FEN: Final = 10**12  # far below what 64 bits hold, so that no product of fen and basis points runs over


class Costs(NamedTuple):
    """The least cost of every sum from `start` on, as places above the least sum."""

    start: int
    costs: Fen


class NotModelled(Exception):  # noqa: N818  not an error: the search goes another way
    """What is left to pay depends on more than sums."""


@dataclass(slots=True)
class Terminal:
    """`parts` are the inner parts, innermost first, with the thresholds of each in `gates`; `variants` are all in order of application."""

    parts: Sequence[frozenset[int]]
    gates: Sequence[Sequence[Variant]]
    variants: Sequence[Variant]
    whole: frozenset[int]

    @property
    def gate_name(self) -> object:
        """Equal for terminals whose inner parts have the same thresholds."""
        return tuple(self.name_of(part) for part in range(len(self.gates)))

    def name_of(self, part: int) -> object:
        """The thresholds of one part."""
        return tuple((gate.need, gate.below) for gate in self.gates[part]) if part < len(self.gates) else ()

    @property
    def need(self) -> int:
        """No sum below this passes the thresholds over all lines; 0 for none."""
        return max([one.need for one in self.variants if one.is_order and one.bit in self.whole], default=0)

    def most_off(self, most: int) -> int:
        """Of sums up to `most`, no more than this is taken."""
        return sum([one.use.most if one.times_of else _most_off(one, most) for one in self.variants])

    def leave(self, sums: Fen, nets: Mapping[int, int] = MappingProxyType({})) -> tuple[Fen, Fen]:
        """What is paid of each sum, and what the sponsors bear of these offers; no plan where a threshold is not reached: paid is endless.

        `nets` are the nets of noted lines after the line stage (fen): an amount that only looks at these is cut by what they can hold.
        """
        running, sponsor, legal = sums.copy(), np.zeros_like(sums), np.ones(sums.shape, dtype=bool)
        noted = _Noted(sums, nets)
        after_order = sums
        is_order = True
        for variant in self.variants:
            if is_order and not variant.is_order:
                after_order, is_order = running.copy(), False
            if variant.bit in self.whole and (variant.is_order or self._knows_order_stage()):
                spent = sums if variant.is_order else after_order
                legal &= spent >= variant.need
                if variant.below is not None:
                    legal &= spent < variant.below
            off = np.minimum(_off(variant, sums, running), running)
            if nets:
                off = noted.take(variant, off, is_whole=variant.bit in self.whole)
                legal &= off > 0
            running = running - off
            if variant.use.share_bp == WHOLE_BP:
                sponsor += off
            elif variant.use.share_bp:
                sponsor += (2 * off * variant.use.share_bp + WHOLE_BP) // (2 * WHOLE_BP)
        return np.where(legal, running, np.int64(ENDLESS)), sponsor

    @property
    def is_rising(self) -> bool:
        """Whether of a greater sum never less is paid, and every sum from the first that is enough is allowed."""
        return not any(variant.times_of or variant.below is not None for variant in self.variants)

    def leave_of(self, whole: int) -> int | None:
        """What is paid of one sum where that is rising; None where a threshold is not reached."""
        running = after_order = whole
        is_order, knows_order_stage = True, self._knows_order_stage()
        for variant in self.variants:
            if is_order and not variant.is_order:
                after_order, is_order = running, False
            if (
                variant.bit in self.whole
                and (variant.is_order or knows_order_stage)
                and (whole if variant.is_order else after_order) < variant.need
            ):
                return None
            off = share_of(running, variant.rate_bp) if variant.off is None else variant.off
            if variant.cap is not None and variant.cap < off:
                off = variant.cap
            running = running - off if off < running else 0
        return running

    def _knows_order_stage(self) -> bool:
        """Whether what the order stage leaves is exact: an amount of a part may be cut, and then more is left than counted here."""
        return all(variant.bit in self.whole or not variant.is_order for variant in self.variants)

    def need_of(self, part: int) -> int:
        """No sum below this passes the thresholds of one inner part; 0 for none."""
        return max([gate.need for gate in self.gates[part]], default=0) if part < len(self.gates) else 0

    def cross(self, part: int, costs: Fen, base: int, never: int) -> None:
        """Rule out, at the end of an inner part, the sums that its thresholds do not allow. `costs[i]` belongs to the sum `base + i`."""
        for variant in self.gates[part] if part < len(self.gates) else ():
            costs[: max(0, variant.need - base)] = never
            if variant.below is not None:
                costs[max(0, variant.below - base) :] = never

    def cross_sums(self, part: int, places: int, base: int) -> int:
        """The same of sums as bits: bit `i` is the sum `base + i`."""
        for variant in self.gates[part] if part < len(self.gates) else ():
            least = max(0, variant.need - base)
            places = places >> least << least
            if variant.below is not None:
                places &= (1 << max(0, variant.below - base)) - 1
        return places


class _Noted:
    """No more is left of each noted line, while offers take their shares of it; no more is left of all lines than `running`."""

    def __init__(self, sums: Fen, nets: Mapping[int, int]) -> None:
        self._running = sums.copy()
        self._left = {position: np.full_like(sums, net) for position, net in nets.items()}

    def take(self, variant: Variant, off: Fen, *, is_whole: bool) -> Fen:
        """What an offer takes at most, if it would take `off`."""
        lines = variant.use.lines
        if is_whole:
            # A line's share is rounded down at least; of less net the rest of its share is not more.
            whole = np.maximum(self._running, 1)
            for position, left in self._left.items():
                self._left[position] = left - off * left // whole
            self._running = self._running - off
        elif all(position in self._left for position in lines):
            held = sum([self._left[position] for position in lines], np.zeros_like(off))
            off = np.minimum(off, held)
            for position in lines:
                self._left[position] = np.minimum(self._left[position], held - off)
            # It may take less than this: the sum of all lines, of which later shares are made, is counted as if it took nothing.
        return off


def are_nested(parts: Sequence[frozenset[int]]) -> bool:
    """Whether each part, by rising size, lies within the next."""
    return all(inner < outer for inner, outer in pairwise(parts))


def number_parts(component: Component, parts: Sequence[frozenset[int]]) -> dict[int, int]:
    """The innermost part of each line; one more than the last for lines in none."""
    return {
        position: next((rank for rank, lines in enumerate(parts) if position in lines), len(parts))
        for position in component.positions
    }


class Ground:
    """What the terminals of all settings of one component have in common; `parts` are used wherever they will do."""

    def __init__(self, component: Component, grouped: Sequence[Use], parts: Sequence[frozenset[int]]) -> None:
        """Raises NotModelled for what no sum tells."""
        self.component, self.grouped, self.parts = component, grouped, parts
        self._everything = frozenset(component.positions)
        self._high = sum([component.basket[position].list_price for position in component.positions])
        self._known: dict[tuple[int, frozenset[int]], int] = {}
        uses = [use for _, use in component.by_place]
        if component.rebates or component.held.uses:
            raise NotModelled("rebates or held units")
        if short_purses(uses, component.purses):
            raise NotModelled("a purse that may run short")
        if any(use.share_bp and use.hard is not None and use.hard < use.gross_most for use in uses):
            raise NotModelled("a sponsored offer with a budget that may not be short")
        if self._high > MOST_FEN:
            raise NotModelled("sums beyond what an array holds")

    def read(self, setting: Setting) -> Terminal:
        """The terminal of a setting. Raises NotModelled.

        It never leaves more than a plan really pays: an amount that a part may be too small for, a budget that may be too short, a threshold
        of a part after the order stage count as if they were not. So a best plan that really pays what this says is the best. Where a sponsor
        bears a share of such an offer it would not be: then the sponsor's cost, too, could be less than this says.
        """
        variants, parts = setting.upper.variants, self.parts
        if any(variant.times_of and (variant.off or 0) > MOST_OFF for variant in variants):
            raise NotModelled("sums beyond what an array holds")
        gates: dict[frozenset[int], list[Variant]] = {}
        whole = set()
        for rank, variant in enumerate(variants):
            lines = frozenset(variant.use.lines)
            if lines == self._everything:
                whole.add(variant.bit)
                continue
            if variant.off is None or variant.times_of:
                raise NotModelled("a rate of a part")
            low, most = max(0, self._least(setting, lines)), self._list_of(lines)
            later = [other for other in variants[rank + 1 :] if other.off is None]
            if variant.use.share_bp and any(one.use.share_bp != WHOLE_BP for one in (variant, *later)):
                # What it cannot take may make a later rate take a fen more: as much is paid, but another sponsor's part differs.
                others = sum([self._most_of_part(other, most, setting) for other in variants if other is not variant])
                if low - others < min(variant.off, variant.use.most):
                    raise NotModelled("a sponsored amount that may take a whole part")
            if variant.is_order and (variant.need > low or (variant.below is not None and variant.below <= most)):
                gates.setdefault(lines, []).append(variant)
        if not gates.keys() <= set(parts):
            parts = sorted(gates, key=len)
            if not are_nested(parts):
                raise NotModelled("thresholds on parts beside each other")
        return Terminal(
            parts=parts,
            gates=[gates.get(lines, ()) for lines in parts],
            variants=variants,
            whole=frozenset(whole),
        )

    def find_cut(self, setting: Setting) -> dict[int, Use]:
        """The lines that amounts of parts may take everything of, each with such an offer; none if they are too many to be noted."""
        found: dict[int, Use] = {}
        variants = setting.upper.variants
        for variant in variants:
            lines = frozenset(variant.use.lines)
            if lines == self._everything or variant.off is None:
                continue
            most = self._list_of(lines)
            others = sum([self._most_of_part(other, most, setting) for other in variants if other is not variant])
            if self._least(setting, lines) - others <= min(variant.off, variant.use.most):
                found |= dict.fromkeys(variant.use.lines, variant.use)
        return found if len(found) <= MOST_NOTED else {}

    def _list_of(self, lines: frozenset[int]) -> int:
        return sum([self.component.basket[position].list_price for position in lines])

    def _least(self, setting: Setting, lines: frozenset[int]) -> int:
        """No way of these lines leaves less after the line stage."""
        name = (setting.allowed, lines)
        if name not in self._known:
            component = self.component
            cheapest = [
                component.choices[position].cheapest(setting.allowed)
                if position in component.choices
                else component.basket[position].list_price
                for position in lines
            ]
            grouped = [use.most for use in self.grouped if lines.intersection(use.lines)]
            self._known[name] = sum(cheapest) - sum(grouped)
        return self._known[name]

    def _most_of_part(self, variant: Variant, most: int, setting: Setting) -> int:
        """The most that an offer over more lines takes from a part that is worth `most`: its part of the net, and a fen for each line."""
        least = self._least(setting, frozenset(variant.use.lines))
        least -= sum([other.use.most for other in setting.upper.variants if other is not variant])
        if least <= 0:
            return variant.use.most
        return min(variant.use.most, variant.use.most * most // least + variant.lines)


def _off(variant: Variant, sums: Fen, running: Fen) -> Fen:
    """What one tier takes, if enough is left; `sums` are the nets after the line stage."""
    if variant.off is None:
        off = (2 * running * variant.rate_bp + WHOLE_BP) // (2 * WHOLE_BP)
    elif variant.times_of:
        off = min(variant.off, MOST_OFF) * (sums // variant.times_of)
    else:
        off = np.full_like(sums, min(variant.off, MOST_FEN))
    return off if variant.cap is None else np.minimum(off, min(variant.cap, MOST_FEN))


def _most_off(variant: Variant, most: int) -> int:
    """The most that one tier takes of sums up to `most`."""
    off = share_of(most, variant.rate_bp) if variant.off is None else variant.off
    return min(off, variant.use.most)
