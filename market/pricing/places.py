"""Where in a state of the programme over sums each followed offer and each slot stands: bits that are used again later. Pure."""

from typing import Final

from market.pricing.component import Component
from market.pricing.kinds import group_size
from market.pricing.layout import Layout, Stage
from market.pricing.links import Slot, bits_of, period_of
from market.pricing.terminal import NotModelled

STATE_BITS: Final = 62


class Places:
    """Where in a state each followed offer and each slot stands, while lines concern it."""

    def __init__(self, layout: Layout) -> None:
        """Raises NotModelled when there is more to remember at once than a state has bits."""
        self._layout = layout
        self._last_of_bit: dict[int, int] = {}
        self._last_of_slot: dict[int, int] = {}
        for depth, stage in enumerate(layout.stages):
            self._last_of_bit |= dict.fromkeys(bits_of(stage.closing), depth)
            self._last_of_slot |= dict.fromkeys(stage.closing_slots, depth)
        self._last_of_slot |= {at: len(layout.stages) for at, slot in enumerate(layout.slots) if layout.stays(slot)}
        self._taken = 0
        self._offers: dict[int, int] = {}
        self._slots: dict[int, tuple[int, int]] = {}
        self._here: dict[int, tuple[list[tuple[int, int]], list[tuple[int, tuple[int, int]]]]] = {}
        # Before each line and after the last, the bits that matter to what sums there are.
        self.of_sums = [0]
        for depth, stage in enumerate(layout.stages):
            self._arrive(stage)
            self._here[stage.position] = (
                [(bit, place) for bit, place in self._offers.items() if (stage.relevant | stage.closing) & bit],
                [(at, self._slots[at]) for at in self._slots if layout.concerns(layout.slots[at], stage.position)],
            )
            self._leave(depth)
            self.of_sums.append(self._matter_to_sums())

    def _matter_to_sums(self) -> int:
        """The bits that are in use now and matter to what sums there are."""
        rivals, slots = self._layout.rivals, self._layout.slots
        offers = sum([1 << place for bit, place in self._offers.items() if bit in rivals])
        return offers + sum([ones << place for at, (place, ones) in self._slots.items() if slots[at].kind != "residue"])

    def offers_at(self, stage: Stage) -> list[tuple[int, int]]:
        """The followed offers that matter to a line, as bit and place."""
        return self._here[stage.position][0]

    def slots_at(self, stage: Stage) -> list[tuple[int, tuple[int, int]]]:
        """The slots that a line concerns, with place and mask."""
        return self._here[stage.position][1]

    def _arrive(self, stage: Stage) -> None:
        """Give places to what this line is the first to concern."""
        lines_of = self._layout.lines_of
        for bit in self._last_of_bit:
            if bit not in self._offers and stage.position in lines_of[bit]:
                self._offers[bit] = self._take(1)
        for at, slot in enumerate(self._layout.slots):
            if at not in self._slots and at in self._last_of_slot and self._layout.concerns(slot, stage.position):
                width = _most_state(slot, self._layout.component).bit_length()
                self._slots[at] = (self._take(width), (1 << width) - 1)

    @property
    def kept(self) -> dict[int, tuple[int, int]]:
        """The place and mask of each slot that stays until after the last line."""
        return dict(self._slots)

    def _take(self, width: int) -> int:
        """The lowest place of so many free bits."""
        place = 0
        while self._taken >> place & ((1 << width) - 1):
            place += 1
        if place + width > STATE_BITS:
            raise NotModelled("too much to remember at once")
        self._taken |= ((1 << width) - 1) << place
        return place

    def _leave(self, depth: int) -> None:
        """Give back the places of what no later line concerns."""
        for bit in [bit for bit in self._offers if self._last_of_bit[bit] == depth]:
            self._taken &= ~(1 << self._offers.pop(bit))
            del self._last_of_bit[bit]
        for at in [at for at in self._slots if self._last_of_slot[at] == depth]:
            place, ones = self._slots.pop(at)
            self._taken &= ~(ones << place)
            del self._last_of_slot[at]


def _most_state(slot: Slot, component: Component) -> int:
    """No state of a slot is larger."""
    most = {
        "residue": lambda: period_of(slot.use.share_bp),
        "cap": lambda: slot.use.most,
        "count": lambda: component.most_units[slot.bit],
        "turn": lambda: group_size(slot.use.offer),
        "note": lambda: slot.most,
        "sets": lambda: sum([ones << place for place, ones in slot.counts]),
        "hold": lambda: len(slot.holds),
    }
    return most[slot.kind]()
