"""Merchants with a month of the public record, against sums, searches and orders made in Python from the same rows."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Engine, text

import merchants
from market.kit.database import transaction
from market.oversight.counting import FIGURES
from market.oversight.public_totals import TOTALLED
from merchants import MonthWanted
from merchants.public_months import Among, MonthOrder

MONTH = "2026-11"
AMOUNTS = ("list", "concession", "subsidy", "paid", "rebate_member", "rebate_union")


@dataclass(frozen=True)
class Sold:
    """A merchant as the test wrote it; without a name nobody is registered, without figures nothing is published of it."""

    code: str
    name: str | None
    category: str | None
    since: datetime | None
    figures: dict[str, int] | None

    @property
    def called(self) -> str:
        return self.name or self.code

    def fen(self, name: str) -> int:
        said = self.figures or dict.fromkeys(FIGURES, 0)
        return said["sold_count"] - said["voided_count"] if name == "sales" else said[name]

    @property
    def rebate(self) -> int:
        return self.fen("rebate_member_fen") + self.fen("rebate_union_fen")


@pytest.fixture
def sold(database: Engine) -> list[Sold]:
    """Sixty merchants, some with equal figures, below nothing or of two rebates that cancel out; one month beside it with more."""
    chance = Random(11)
    made = []
    for number in range(60):
        figures = None if number % 5 == 4 else {name: chance.randrange(-3, 4) * 100 for name in FIGURES}
        is_registered = number % 7 != 6 or figures is None
        made.append(
            Sold(
                code=f"m_{chance.randrange(10**6):06}",
                name=f"{chance.choice(('面馆', 'Éclair', '50%店_', 'abc'))}{chance.randrange(20)}"
                if is_registered
                else None,
                category=chance.choice(("food", "books")) if is_registered else None,
                since=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number // 2) if is_registered else None,
                figures=figures,
            )
        )
    with database.begin() as connection:
        for each in made:
            if each.name is not None:
                connection.execute(
                    text(
                        "INSERT INTO merchant (id, code, name, credit_code, category, state, admitted_at)"
                        " VALUES (gen_random_uuid(), :code, :name, :code, :category, 'admitted', :since)"
                    ),
                    asdict(each),
                )
            if each.figures is not None:
                for month in (date(2026, 11, 1), date(2026, 10, 1)):
                    connection.execute(
                        text(
                            f"INSERT INTO month_total (month, merchant, {', '.join(FIGURES)})"
                            f" VALUES (:month, :code, {', '.join(f':{name}' for name in FIGURES)})"
                        ),
                        {"month": month, "code": each.code, **each.figures},
                    )
    return made


def is_wanted(each: Sold, wanted: MonthWanted) -> bool:
    among = {
        "registered": each.name is not None,
        "sold": each.figures is not None,
        "due": each.figures is not None and (each.fen("rebate_member_fen") != 0 or each.fen("rebate_union_fen") != 0),
    }
    query = wanted.query.lower()
    return (
        among[wanted.among]
        and wanted.category in {"", each.category or "other"}
        and (query in each.code.lower() or query in each.called.lower())
    )


@pytest.mark.parametrize("among", ["registered", "sold", "due"])
@pytest.mark.parametrize(
    ("query", "category"), [("", ""), ("面馆", ""), ("ABC1", ""), ("%店_", "food"), ("m_", "books"), ("nobody", "")]
)
def test_what_is_found_and_what_it_comes_to(sold: list[Sold], among: Among, query: str, category: str) -> None:
    wanted = MonthWanted(MONTH, among, query, category)
    there = [each for each in sold if is_wanted(each, wanted)]
    with transaction() as tx:
        found = merchants.sum_months(tx, wanted)
        rows = merchants.list_months(tx, wanted)
    assert [(row.totals.label, row.name, row.category, row.admitted_at) for row in rows] == sorted(
        (each.code, each.called, each.category, each.since) for each in there
    )
    by_code = {each.code: each for each in there}
    assert all(getattr(row.totals, name) == by_code[row.totals.label].fen(name) for row in rows for name in TOTALLED)
    assert found.count == len(there)
    assert {name: getattr(found.totals, name) for name in TOTALLED} == {
        name: sum(each.fen(name) for each in there) for name in TOTALLED
    }
    assert found.most_concession_fen == max([0, *(each.fen("concession_fen") for each in there)])
    assert found.most_rebate_fen == max([0, *(each.rebate for each in there)])


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("order", ["code", "merchant", "category", "since", "rebate", "count", *AMOUNTS])
def test_pages_follow_the_column_and_equals_their_codes(sold: list[Sold], order: MonthOrder, way: str) -> None:
    place = {
        "code": lambda each: each.code,
        "merchant": lambda each: each.called,
        "category": lambda each: each.category,
        "since": lambda each: each.since,
        "rebate": lambda each: each.rebate,
        "count": lambda each: each.fen("sales"),
    } | {name: lambda each, name=name: each.fen(f"{name}_fen") for name in AMOUNTS}
    wanted = MonthWanted(MONTH, "registered")
    there = sorted((each for each in sold if is_wanted(each, wanted)), key=lambda each: each.code)
    there.sort(key=place[order], reverse=way == "down")
    with transaction() as tx:
        pages = [
            merchants.list_months(tx, wanted, order=order, down=way == "down", offset=offset, limit=20)
            for offset in range(0, len(there) + 20, 20)
        ]
    assert [row.totals.label for page in pages for row in page] == [each.code for each in there]
    assert max(map(len, pages)) == 20


def test_categories_hold_whom_they_have_and_the_unregistered(sold: list[Sold]) -> None:
    with transaction() as tx:
        rows = merchants.sum_months_by_category(tx, month=MONTH)
        counts = merchants.count_by_category(tx)
    for row in rows:
        mine = [each for each in sold if each.figures is not None and (each.category or "other") == row.label]
        assert [getattr(row, name) for name in TOTALLED] == [sum(each.fen(name) for each in mine) for name in TOTALLED]
    assert [row.label for row in rows] == ["books", "food", "other"]
    assert counts == {category: sum(each.category == category for each in sold) for category in ("books", "food")}
