"""Published breakdowns against somebody who reads all of them: he finds what is planted, and nothing in what is really published."""

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import pytest

from api.breakdowns import make_attributes
from cards.attributes import MemberTraits, UnitPlace
from market.kit.errors import InvariantError
from market.oversight.breakdowns import Attribute, make_tables
from market.oversight.partitions import Atom, Bought, divide, sum_group
from tests.attacker import Proof, Row, attack

SEEDS = 300


@dataclass
class Works:
    """A small works and who bought there in a month; some of the buyers are gone from the register."""

    places: list[UnitPlace]
    names: dict[str, str]
    traits: dict[UUID, MemberTraits]
    bought: dict[UUID, Bought]
    entries: list[int]

    def attributes(self) -> tuple[Attribute, ...]:
        return make_attributes(self.bought, self.traits, places=self.places, names=self.names)


def some_works(rng: Random) -> Works:
    """Any: from nobody to eighty, plants of retired people only, units of one, one who buys more than all others."""
    places, names = [], {"u": "工会"}
    for plant in range(rng.randint(1, 4)):
        names[f"u{plant}"] = f"{plant}厂"
        for shop in range(rng.randint(1, 4)):
            code = f"u{plant}{shop}"
            names[code] = f"{shop}车间"
            places.append(UnitPlace(code, ("u", f"u{plant}", code), names[code]))
    for_retired = set(rng.sample([place.code for place in places], rng.randint(0, len(places) // 2)))
    traits, bought, entries = {}, {}, []
    weights = [rng.choice((1, 1, 3, 10)) for _ in places]
    is_sparse = rng.random() < 0.5
    for number in range(rng.choice((0, 3, 7, 12, 20, 35, 50, 80))):
        who = UUID(int=number)
        unit = rng.choices(places, weights)[0].code
        retired = unit in for_retired or (not is_sparse and rng.random() < 0.15)
        age = rng.choice((rng.randint(55, 85), rng.randint(60, 85))) if retired else rng.randint(20, 59)
        state = "retired" if retired else rng.choices(("active", "left"), (30, 1))[0]
        if rng.random() > 0.02:
            traits[who] = MemberTraits(unit, state, age)
        prices = [rng.choice((1600, 2350, 4600, 8800, rng.randint(500, 30_000))) for _ in range(rng.randint(1, 3))]
        if rng.random() < 0.03:
            prices.append(2_000_000)
        given = [price // 10 for price in prices]
        subsidy = sum(rng.choice((0, 100)) for _ in prices)
        bought[who] = Bought(len(prices), sum(given), subsidy, sum(prices) - sum(given) - subsidy)
        entries += prices
    return Works(places, names, traits, bought, entries)


def rows_of(attributes: tuple[Attribute, ...], tables: list[list[dict[str, Any]]]) -> list[Row]:
    """As they are served."""
    return [
        {"attribute": attribute.name, "k": attribute.k, "group": group["codes"], **group}
        for attribute, groups in zip(attributes, tables, strict=True)
        for group in groups
    ]


def insider(attributes: tuple[Attribute, ...]) -> Any:
    """What the worst insider knows: for any two groups, whether anybody is in both."""
    homes = {attribute.name: attribute.home for attribute in attributes}

    def meet(row: Row, other: Row) -> bool:
        own, their = homes[row["attribute"]], homes[other["attribute"]]
        return any(own[who] in row["group"] and their[who] in other["group"] for who in own)

    return meet


def naive(works: Works) -> tuple[tuple[Attribute, ...], list[list[dict[str, Any]]]]:
    """What somebody would publish who thinks of each table alone, and not even of that."""
    attributes, tables = works.attributes(), []
    for attribute in attributes:
        who = {
            atom.code: [each for each, code in attribute.home.items() if code == atom.code] for atom in attribute.atoms
        }
        tables.append(
            [
                {
                    "codes": [code],
                    "members": len(people),
                    "purchases": sum(works.bought[each].purchases for each in people),
                }
                for code, people in who.items()
                if people
            ]
        )
    return attributes, tables


def found_in(attributes: tuple[Attribute, ...], tables: list[list[dict[str, Any]]], entries: list[int]) -> list[Proof]:
    return attack(rows_of(attributes, tables), insider(attributes), entries=entries)


@pytest.mark.parametrize("part", range(4))
def test_nobody_is_singled_out_in_any_small_works(part: int) -> None:
    groups = 0
    for seed in range(part, SEEDS, 4):
        works = some_works(Random(seed))
        attributes = works.attributes()
        tables = make_tables(attributes, works.bought)
        assert found_in(attributes, tables, works.entries) == [], seed
        groups += sum(len(table) > 1 for table in tables)
    assert groups > SEEDS / 8  # it did not merge everything away


def test_a_table_without_merging_is_found() -> None:
    kinds = Counter(proof.how for seed in range(40) for proof in found_in(*naive(some_works(Random(seed))), []))
    assert kinds["as it stands"] > 40
    assert kinds["common part"] > 20


def test_tables_each_safe_alone_are_found_by_what_they_have_in_common() -> None:
    """Retired 24, of whom the retired workshop has 20: four pensioners elsewhere."""
    home = {n: "office" if n < 20 else "mill" for n in range(60)}
    state = {n: "retired" if n < 24 else "active" for n in range(60)}
    rows = [
        {"attribute": "unit", "k": 10, "group": [code], "members": count}
        for code, count in Counter(home.values()).items()
    ] + [
        {"attribute": "retired", "k": 5, "group": [code], "members": count}
        for code, count in Counter(state.values()).items()
    ]

    def meet(row: Row, other: Row) -> bool:
        return any(home[n] in row["group"] and state[n] in other["group"] for n in home)

    proofs = attack(rows, meet)
    assert [(proof.how, proof.at_most) for proof in proofs] == [("common part", 4)]

    units = divide([Atom("office", ("u", "office")), Atom("mill", ("u", "mill"))], home, scale="tree", k=10)
    assert [len(group.people) for group in units] == [20, 40]
    states = [Atom("active"), Atom("retired")]
    assert len(divide(states, state, scale="line", k=5)) == 2
    assert len(divide(states, state, scale="line", k=5, beside=[(10, units)])) == 1


def test_a_subtotal_and_a_table_that_leaves_somebody_out_are_found() -> None:
    rows = [
        {"attribute": "unit", "k": 10, "group": ["a", "b"], "members": 33},
        {"attribute": "unit", "k": 10, "group": ["a"], "members": 30},
    ]
    assert [(proof.how, proof.at_most) for proof in attack(rows, lambda *_: True)] == [("sum less parts", 3)]
    rows = [
        {"attribute": "unit", "k": 10, "group": ["a"], "members": 33},
        {"attribute": "age", "k": 5, "group": ["under-30"], "members": 32},
    ]
    assert [(proof.how, proof.at_most) for proof in attack(rows, lambda *_: True)] == [("total less total", 1)]


def test_sums_in_two_tables_link_an_entry_to_both_groups_and_so_they_are_refused() -> None:
    """One bought for 20,000 yuan: whichever sums are large are his."""
    bought = {n: Bought(1, 0, 0, 1_600 + 150 * n) for n in range(30)} | {0: Bought(1, 0, 0, 2_000_000)}
    entries = [row.paid_fen for row in bought.values()]
    homes = {
        "unit": {n: "a" if n % 2 else "b" for n in bought},
        "retired": {n: "active" if n > 11 else "retired" for n in bought},
    }
    attributes = tuple(
        Attribute(name, "line", 5, [Atom(code) for code in sorted(set(home.values()))], home, with_money=True)
        for name, home in homes.items()
    )
    tables = []
    for attribute in attributes:
        groups = divide(attribute.atoms, attribute.home, scale="line", k=5)
        assert len(groups) == 2
        codes = [{"codes": [attribute.atoms[at].code for at in group.places]} for group in groups]
        sums = [sum_group(group, bought, with_money=True) for group in groups]
        tables.append([each | own for each, own in zip(codes, sums, strict=True)])
    (proof,) = attack(rows_of(attributes, tables), lambda *_: True, entries=entries)
    assert proof.how == "linked entries"
    assert "unit:b & retired:retired: entries [0]" in proof.what
    with pytest.raises(InvariantError):
        make_tables(attributes, bought)


def test_who_buys_more_than_the_rest_of_his_unit_is_not_to_be_read_off() -> None:
    home = {n: "a" if n < 12 else "b" for n in range(40)}
    bought = {n: Bought(1, 100, 100, 4_000) for n in home}
    atoms = [Atom("a", ("u", "a")), Atom("b", ("u", "b"))]
    assert len(divide(atoms, home, scale="tree", k=10, bought=bought)) == 2
    bought[0] = Bought(1, 100, 100, 900_000)
    assert len(divide(atoms, home, scale="tree", k=10, bought=bought)) == 1
    # Two who got a subsidy, and nobody else: each would know the other's.
    bought = {n: Bought(1, 100, 100 if n < 2 or n >= 12 else 0, 4_000) for n in home}
    assert len(divide(atoms, home, scale="tree", k=10, bought=bought)) == 1


def test_a_small_unit_joins_the_nearest_small_one_and_a_band_its_neighbour() -> None:
    sizes = {"a1": 12, "a2": 4, "a3": 7, "b1": 30}
    atoms = [Atom(code, ("u", code[0], code)) for code in sizes]
    home = {f"{code}-{n}": code for code, count in sizes.items() for n in range(count)}
    groups = divide(atoms, home, scale="tree", k=10)
    assert [[atoms[at].code for at in group.places] for group in groups] == [["a1"], ["a2", "a3"], ["b1"]]
    bands = {"20": 9, "30": 2, "40": 6, "50": 1}
    home = {f"{code}-{n}": code for code, count in bands.items() for n in range(count)}
    line = [Atom(code) for code in bands]
    groups = divide(line, home, scale="line", k=5)
    assert [[line[at].code for at in group.places] for group in groups] == [["20"], ["30", "40", "50"]]
    assert divide(line, dict(list(home.items())[:4]), scale="line", k=5) == []


def test_sums_are_in_tens_of_yuan_and_still_add_up() -> None:
    bought = {n: Bought(2, 149, 51, 1_333) for n in range(10)}
    (group,) = divide([Atom("a", ("u", "a"))], dict.fromkeys(bought, "a"), scale="tree", k=10, bought=bought)
    assert sum_group(group, bought, with_money=True) == {
        "members": 10,
        "purchases": 20,
        "list_fen": 1_000 + 1_000 + 13_000,
        "concession_fen": 1_000,
        "subsidy_fen": 1_000,
        "paid_fen": 13_000,
    }
