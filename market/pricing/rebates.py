"""Which rebates accrue on what is paid: the member's by choice, the union's whenever they can. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product

from market.pricing.apply import Step, Use, give_back

MOST_CHOICES = 20_000  # ways to combine rebates that cut each other short


def choose_rebates(paid: Mapping[int, int], rebates: Sequence[Use], barred: Collection[str]) -> tuple[list[Step], bool]:
    """The member's rebates that give him most; then the fewest, then the smallest ids. And whether that is proven.

    `paid` is by line position, `barred` are groups of which a discount applies already. Not proven: so many cut each other short on the
    same lines that not every combination was tried.
    """
    steps = [step for use in rebates if use.offer.group not in barred for step in give_back(paid, [use]) or ()]
    if _is_independent(paid, steps):
        return sorted(_best_of_groups(steps), key=_place), True
    best: list[Step] = []
    for tried, some in enumerate(_combinations(steps)):
        if tried == MOST_CHOICES:
            return best, False
        made = give_back(paid, sorted((step.use for step in some), key=lambda use: use.offer.place))
        if made is not None and _key(made) < _key(best):
            best = made
    return best, True


def accrue(paid: Mapping[int, int], chosen: Sequence[Step], unions: Sequence[Use]) -> list[Step]:
    """The member's chosen rebates and, after them, every rebate to the union that has an effect, in order of application."""
    taken = [step.use for step in chosen]
    for use in sorted(unions, key=lambda use: use.offer.place):
        if give_back(paid, [*taken, use]) is not None:
            taken.append(use)
    return give_back(paid, taken) or []


def rebate_of(steps: Sequence[Step]) -> int:
    """What these steps give back, in fen."""
    return sum([step.amount for step in steps])


def _is_independent(paid: Mapping[int, int], steps: Sequence[Step]) -> bool:
    """Whether all of them together leave no line with more given back than was paid for it."""
    if len(steps) < 2:
        return True
    back: dict[int, int] = {}
    for step in steps:
        for position, share in step.shares:
            back[position] = back.get(position, 0) + share
    return all(fen <= paid[position] for position, fen in back.items())


def _best_of_groups(steps: Sequence[Step]) -> Iterator[Step]:
    """Every step without a group, and of each group the one that gives most, then that of the smallest id."""
    groups: dict[str, Step] = {}
    for step in steps:
        group = step.use.offer.group
        if group is None:
            yield step
        elif group not in groups or (-step.amount, step.use.index) < (-groups[group].amount, groups[group].use.index):
            groups[group] = step
    yield from groups.values()


def _combinations(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Every way to take some of them, one of a group at most."""
    choices: dict[object, list[Step | None]] = {}
    for step in steps:
        choices.setdefault(step.use.offer.group or step.use.index, []).append(step)
    for ways in choices.values():
        ways.append(None)
    for some in product(*choices.values()):
        yield [step for step in some if step]


def _key(steps: Sequence[Step]) -> tuple[int, int, list[int]]:
    return (-rebate_of(steps), len(steps), sorted(step.use.index for step in steps))


def _place(step: Step) -> tuple[int, bool, int, str]:
    return step.use.offer.place
