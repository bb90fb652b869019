"""Groups of members that may be published: none smaller than k, and none that follows from two published tables. Pure.

Everybody who bought in a month stands in exactly one group of each attribute. What is too small is merged until nothing is. Against
subtraction between two attributes the reader is given all he might know: which groups of one have nobody in common with which of the other.
Then the largest number of persons that could stand in a common part is a maximal flow, and by max-flow min-cut (Ford, Fulkerson 1956)
no common part is provably smaller than k as long as what is left of any union of groups, less those of the other attribute that lie wholly
inside it, is empty or at least k (decision 0020).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, Self, TypeVar

from market.kit.money import half_up

Person = TypeVar("Person")

ROUNDED_TO_FEN: Final = 1_000
REST_BP: Final = 1_000  # what others than the two largest must have, of the largest (the p % rule)
MOST_UNIONS: Final = 1 << 10

Scale = Literal["tree", "line"]


@dataclass(frozen=True, slots=True)
class Atom:
    """The smallest group there can be: a unit with the codes of its ancestors down to itself, or a band; `name` is the unit's."""

    code: str
    path: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Bought:
    """What one member bought in a month, in fen, returns taken off; all of them zero or more."""

    purchases: int
    concession_fen: int
    subsidy_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class Group(Generic[Person]):
    """Atoms that stand together, by their places in the attribute, and who is in it."""

    places: tuple[int, ...]
    people: frozenset[Person]
    path: tuple[str, ...]

    @classmethod
    def join(cls, one: Self, other: Self) -> Self:
        """Both together; the path is that of the nearest common ancestor."""
        return cls(
            tuple(sorted((*one.places, *other.places))), one.people | other.people, _common(one.path, other.path)
        )


def divide(
    atoms: Sequence[Atom],
    home: Mapping[Person, str],
    *,
    scale: Scale,
    k: int,
    beside: Sequence[tuple[int, Sequence[Group[Person]]]] = (),
    bought: Mapping[Person, Bought] | None = None,
) -> list[Group[Person]]:
    """The groups of one attribute over all of `home` (who is of which atom), in the order of the atoms; none if fewer than k bought.

    In a `tree` a small group joins the one with the nearest common ancestor, the smallest of those; on a `line` a neighbour. `beside` are
    the groups already published of the same people by other attributes, each with its k. With `bought` the sums are to be published
    too: then no member may make so much of one that another could tell his part.
    """
    within: dict[str, set[Person]] = {atom.code: set() for atom in atoms}
    for person, code in home.items():
        within[code].add(person)
    groups = [Group((place,), frozenset(within[atom.code]), atom.path) for place, atom in enumerate(atoms)]

    def is_small(group: Group[Person]) -> bool:
        return len(group.people) < k or (bought is not None and _tells(group, bought))

    small = [is_small(group) for group in groups]
    while len(groups) > 1:
        if any(small):
            at = min((place for place, bad in enumerate(small) if bad), key=lambda place: _size(groups[place]))
        elif any(_leaks(groups, others, k=max(k, other_k)) for other_k, others in beside):
            at = min(range(len(groups)), key=lambda place: _size(groups[place]))
        else:
            break
        to = _partner(groups, at, scale)
        low, high = min(at, to), max(at, to)
        groups[low] = Group.join(groups[at], groups[to])
        small[low] = is_small(groups[low])
        del groups[high], small[high]
    # Of all together the sums are public anyway, by merchant and month; how many bought is not.
    if len(home) < k:
        return []
    return sorted(groups, key=lambda group: group.places)


def sum_group(group: Group[Person], bought: Mapping[Person, Bought], *, with_money: bool) -> dict[str, int]:
    """What is published of a group. Money to the nearest ten yuan, half up, part by part, so that the list price is still their sum."""
    rows = [bought[person] for person in group.people]
    figures = {"members": len(rows), "purchases": sum(row.purchases for row in rows)}
    if not with_money:
        return figures
    parts = {
        name: half_up(sum(getattr(row, name) for row in rows), ROUNDED_TO_FEN) * ROUNDED_TO_FEN
        for name in ("concession_fen", "subsidy_fen", "paid_fen")
    }
    return figures | {"list_fen": sum(parts.values())} | parts


def _size(group: Group[Person]) -> tuple[int, tuple[int, ...]]:
    return len(group.people), group.places


def _partner(groups: Sequence[Group[Person]], at: int, scale: Scale) -> int:
    own = groups[at]
    if scale == "line":
        others: Collection[int] = [place for place in (at - 1, at + 1) if 0 <= place < len(groups)]
        return min(others, key=lambda place: _size(groups[place]))
    return min(
        (place for place in range(len(groups)) if place != at),
        key=lambda place: (-len(_common(own.path, groups[place].path)), _size(groups[place])),
    )


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    length = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:length]


def _tells(group: Group[Person], bought: Mapping[Person, Bought]) -> bool:
    """Whether who has the second largest part of a sum could tell the largest to within a tenth: what others have is too little."""
    parts: Sequence[Callable[[Bought], int]] = (
        lambda row: row.concession_fen,
        lambda row: row.subsidy_fen,
        lambda row: row.paid_fen,
    )
    for part in parts:
        *rest, _, first = [0, 0, *sorted(part(bought[person]) for person in group.people)]
        if first and sum(rest) * 10_000 < first * REST_BP:
            return True
    return False


def _leaks(groups: Sequence[Group[Person]], others: Sequence[Group[Person]], *, k: int) -> bool:
    """Whether some union of groups, less those of the other attribute wholly inside it, leaves somebody and fewer than k.

    A union that has no group of the other inside it is no difference: it is as large as its own attribute asks. Unions are tried of
    the attribute with fewer groups; those of the other lead to the same differences, seen from the complement.
    """
    few, many = sorted((groups, others), key=len)
    if 1 << len(few) > MOST_UNIONS:
        return True  # more than can be tried: merge on
    table = [[len(row.people & column.people) for column in few] for row in many]
    touched = [sum(1 << place for place, count in enumerate(row) if count) for row in table]
    for union in range(1, 1 << len(few)):
        inside = [mask & union == mask for mask in touched]
        left = sum(
            count
            for row, is_inside in zip(table, inside, strict=True)
            if not is_inside
            for place, count in enumerate(row)
            if union >> place & 1
        )
        if any(inside) and 0 < left < k:
            return True
    return False
