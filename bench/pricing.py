"""How long the engine takes, in memory: quotes with their explanation. `python bench/pricing.py [rounds]` prints medians of rounds."""

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from market.offers.book import OfferBook
from market.pricing import Candidate, Case, Line, Offer, quote

NOW = datetime.fromisoformat("2026-12-01T12:05:00+08:00")
SOMEWHERE = {"merchants": ["M9"]}


def live_offers(count: int) -> list[Offer]:
    """Five that match the basket of ten lines, the rest for other goods and other merchants."""
    matching = [
        {
            "id": "noodles",
            "stage": "line",
            "kind": "percent_off",
            "match": {"categories": ["noodles"]},
            "rate_bp": 1000,
        },
        {
            "id": "oil",
            "stage": "line",
            "kind": "amount_off_unit",
            "match": {"skus": ["sku3"], "merchants": ["M1"]},
            "amount": 150,
        },
        {
            "id": "snacks",
            "stage": "line",
            "kind": "percent_off",
            "match": {"categories": ["snack"]},
            "rate_bp": 500,
            "max_units": 9,
        },
        {
            "id": "save",
            "stage": "order",
            "kind": "spend_save",
            "match": {"merchants": ["M1"]},
            "tiers": [{"min": 5000, "off": 400}],
        },
        {
            "id": "union",
            "stage": "subsidy",
            "kind": "percent_off",
            "match": {"any": True},
            "rate_bp": 500,
            "max_discount": 500,
            "sponsor": "xg",
            "sponsor_share_bp": 10000,
            "budgets": ["b1"],
            "audience": {"branch": ["rolling", "steel"]},
            "weekdays": [1, 2, 3, 4, 5],
        },
    ]
    rng = random.Random(7)
    others = [
        {
            "id": f"other{number}",
            "stage": "line",
            "kind": "percent_off",
            "rate_bp": rng.randint(100, 3000),
            "match": {"skus": [f"far{rng.randint(0, count)}"], **(SOMEWHERE if number % 2 else {})},
        }
        for number in range(count - len(matching))
    ]
    return [Offer.from_json(terms) for terms in matching + others]


def ten_lines(number: int) -> tuple[Line, ...]:
    """A basket of ten lines; `number` varies its prices."""
    rng = random.Random(number)
    kinds = ["noodles", "snack", "goods", "goods", "drink"]
    return tuple(
        Line(str(row), f"sku{row}", "M1", (kinds[row % 5],), rng.randint(200, 3000), rng.choice([1, 1, 1, 2, 3]))
        for row in range(10)
    )


def independent(count: int) -> Case:
    """`count` lines, each with its own line offer and its own subsidy offer."""
    lines, candidates = [], []
    for row in range(count):
        match = {"skus": [f"sku{row}"]}
        lines.append(Line(str(row), f"sku{row}", "M1", ("goods",), 300 + 7 * row, 1))
        line_offer = {"id": f"a{row}", "stage": "line", "kind": "amount_off_unit", "match": match, "amount": 20 + row}
        coupon = {
            "id": f"c{row}",
            "stage": "subsidy",
            "kind": "amount_off",
            "match": match,
            "amount": 50,
            "sponsor_share_bp": 10000,
        }
        candidates += [
            Candidate(Offer.from_json({**coupon, "budgets": ["b1"]})),
            Candidate(Offer.from_json(line_offer)),
        ]
    return Case(NOW, "shop", tuple(lines), tuple(candidates), purses={"b1": 10**9})


def median_ms(work: Callable[[], object], rounds: int) -> float:
    """The median of so many runs, in milliseconds."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for live in (10, 1_000, 100_000):
        begun = time.perf_counter()
        offers = live_offers(live)
        parsed = time.perf_counter()
        book = OfferBook(1, offers, None)
        compiled = time.perf_counter()
        baskets = iter([ten_lines(number) for number in range(rounds)])

        def price(book: OfferBook = book, baskets: Iterator[tuple[Line, ...]] = baskets) -> object:
            lines = next(baskets)
            found = book.candidates(lines, shop="S1")
            case = Case(
                NOW,
                "shop",
                lines,
                tuple(map(Candidate, found)),
                shop="S1",
                member={"branch": "steel"},
                purses={"b1": 10**6},
            )
            return quote(case)

        took = median_ms(price, rounds)
        print(
            f"10 lines, 5 of {live:>7,} live offers match: {took:.3f} ms"
            f" (offers read in {parsed - begun:.1f} s, book {compiled - parsed:.1f} s)"
        )
    for count in (10, 150):
        case = independent(count)
        print(
            f"{count} lines, {2 * count} independent offers: {median_ms(lambda case=case: quote(case), max(5, rounds // 10)):.2f} ms"
        )


if __name__ == "__main__":
    main()
