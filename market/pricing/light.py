"""From state to state of the programme over sums with all that matters to what sums there are, and nothing of their costs. Pure.

There are far fewer states so, and many ways of a line are one: what lines can come to is known long before what it costs.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from market.pricing.tables import Table, Tables
from market.pricing.terminal import NotModelled

MOST_STATES: Final = 60_000
FAR: Final = 1 << 60  # beyond all sums: where no line can end well

# The place of a state among those of the next depth, and the net that leads there, of which each is another.
Shifts = list[tuple[int, list[int]]]


class LightLayer(NamedTuple):
    """The states before one line: the least and the most net that the lines from there on can add, and where its ways lead from each."""

    low: list[int]
    high: list[int]
    moves: list[Shifts]


class _Way(NamedTuple):
    """Ways of a line that are one here: the offers used as bits of a state, what they clash with, what slots are given, net, offers to ban."""

    uses: int
    clashes: int
    given: tuple[int, ...]
    more: int
    tracked: int


# Where some ways lead from one state, the nets they add, the least and the most of these, and with the nets of ways that may be banned the
# offers that they need.
_Move = tuple[int, list[int], int, int, list[tuple[int, int]]]


class Light:
    """The layers of all settings; `ends` are the states after the last line, rising: several where lines are noted."""

    def __init__(self, tables: Tables) -> None:
        """Raises NotModelled."""
        self._tables = tables
        self._optional = tables.allowed & ~tables.component.free
        self._layers: dict[int, list[LightLayer]] = {}
        states = [0]
        self._moves: list[list[list[_Move]]] = []
        # By depth the place of each state among all of that depth.
        self._places: list[dict[int, int]] = [{0: 0}]
        for depth, table in enumerate(tables.tables):
            states, moves = self._expand(depth, table, states)
            self._moves.append(moves)
        self.ends = states

    def layers(self, allowed: int) -> list[LightLayer]:
        """Every state of every depth with its moves by the allowed offers, without those that cannot end well; after the last line none."""
        banned = self._tables.allowed & ~allowed
        if banned not in self._layers:
            layers = [LightLayer([0] * len(self.ends), [0] * len(self.ends), [])]
            for moves in reversed(self._moves):
                layers.append(_looking_back(moves, banned, layers[-1]))
            self._layers[banned] = layers[::-1]
        return self._layers[banned]

    def room(self, depth: int, state: int, low: Sequence[int], high: Sequence[int]) -> tuple[int, int]:
        """What lines from this depth on can add to any state: `low` and `high` of the depth are the least and the most of states here."""
        place = self._places[depth][state & self._tables.of_sums[depth]]
        return low[place], high[place]

    def _expand(self, depth: int, table: Table, states: Sequence[int]) -> tuple[list[int], list[list[_Move]]]:
        """The states after a line, rising, and the moves from each state before it."""
        slots = [field for field in table.slots if not field.is_of_cost]
        looked_at = table.excluding
        relevant = looked_at + sum([field.ones << field.place for field in slots])
        ways = self._ways(table)
        rows: dict[int, list[_Move]] = {}
        found: list[list[_Move]] = []
        places: dict[int, int] = {}
        for state in states:
            fields, rest = state & relevant, state & ~relevant
            row = rows.get(fields)
            if row is None:
                row = rows[fields] = self._row(depth, table, fields, ways)
            found.append([(rest | move[0], *move[1:]) for move in row] if rest else row)
            for move in found[-1]:
                places[move[0]] = 0
            if len(places) > MOST_STATES:
                raise NotModelled("too many states")
        following = sorted(places)
        places = {state: place for place, state in enumerate(following)}
        self._places.append(places)
        return following, [[(places[move[0]], *move[1:]) for move in row] for row in found]

    def _ways(self, table: Table) -> list[_Way]:
        """The ways of a line, of those that are one here one."""
        given = list(zip(*[field.given for field in table.slots if not field.is_of_cost], strict=True))
        excluding, optional = table.excluding, self._optional
        return list(
            dict.fromkeys(
                _Way(
                    uses & excluding,
                    clashes & excluding,
                    given[number] if given else (),
                    table.more[number],
                    table.ways[number].tracked & optional,
                )
                for number, (uses, clashes) in enumerate(zip(table.uses, table.clashes, strict=True))
            )
        )

    def _row(self, depth: int, table: Table, fields: int, ways: Sequence[_Way]) -> list[_Move]:
        """What the ways of a line do to the fields that it looks at."""
        stays = table.excluding & ~table.closing
        slots = [
            (field.at, field.place, fields >> field.place & field.ones) for field in table.slots if not field.is_of_cost
        ]
        effect = self._tables.effect
        found: dict[int, dict[tuple[int, int], None]] = {}
        for uses, clashes, given, more, tracked in ways:
            if fields & clashes:
                continue
            after, net = (fields | uses) & stays, more
            for (at, place, value), units in zip(slots, given, strict=True):
                state, added, _ = effect(depth, at, value, units)
                if state < 0:
                    break
                after |= state << place
                net += added
            else:
                found.setdefault(after, {})[net, tracked] = None
        row: list[_Move] = []
        for after, nets in found.items():
            shifts = [net for net, tracked in nets if not tracked]
            optional = [] if len(shifts) == len(nets) else [one for one in nets if one[1] and one[0] not in shifts]
            row.append((after, shifts, min(shifts, default=FAR), max(shifts, default=-FAR), optional))
        return row


def _looking_back(moves: Sequence[Sequence[_Move]], banned: int, later: LightLayer) -> LightLayer:
    """A layer with what can still be added from its states."""
    low: list[int] = []
    high: list[int] = []
    kept: list[Shifts] = []
    later_low, later_high = later.low, later.high
    for row in moves:
        least, most = FAR, -FAR
        mine: Shifts = []
        for target, shifts, lowest, highest, optional in row:
            behind = later_low[target]
            if behind >= FAR:
                continue
            nets = shifts
            if optional:
                nets = list({*shifts, *(net for net, tracked in optional if not tracked & banned)})
                if not nets:
                    continue
                lowest, highest = min(nets), max(nets)  # noqa: PLW2901  with those that are not banned
            mine.append((target, nets))
            behind += lowest
            least = min(least, behind)
            ahead = highest + later_high[target]
            most = max(most, ahead)
        low.append(least)
        high.append(most)
        kept.append(mine)
    return LightLayer(low, high, kept)
