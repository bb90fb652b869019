"""What the merchants of the demo works give up themselves: one or two offers each, by their trade. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from api.demo.offers import DemoOffer
from api.demo.places import NOODLE_MERCHANT, DemoMerchant

EVERYTHING = ("全单", "everything")


def make_bargains(merchants: Sequence[DemoMerchant], *, seed: int) -> list[DemoOffer]:
    """The offers of all merchants. Rates differ between merchants of a trade, as they do in any street."""
    rng = Random(f"{seed}:offers")  # noqa: S311  the same luck from the same seed is what a demo wants
    return [
        offer for merchant in merchants for offer in _BY_TRADE.get(merchant.trade.code, _plain)(_Pen(merchant, rng))
    ]


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes offers that one merchant bears."""

    merchant: DemoMerchant
    rng: Random

    @property
    def by_items(self) -> bool:
        """Whether its tills ring up items."""
        return self.merchant.shops[0].till == "items"

    def percent(
        self, name: str, rates_bp: Sequence[int], words: tuple[str, str] = EVERYTHING, /, **more: object
    ) -> DemoOffer:
        """So many basis points off each unit, one of the rates."""
        rate_bp, (zh, en) = self.rng.choice(rates_bp), words
        terms = {"stage": "line", "kind": "percent_off", "rate_bp": rate_bp, **more}
        return self.write(name, terms, f"{zh}减 {rate_bp / 100:g}%", f"{rate_bp / 100:g}% off {en}")

    def unit(self, name: str, sku: str, amount: int, words: tuple[str, str], /, **more: object) -> DemoOffer:
        """So many fen off each unit of an item."""
        terms = {"stage": "line", "kind": "amount_off_unit", "amount": amount, "match": {"skus": [sku]}, **more}
        return self.write(name, terms, f"{words[0]}每件减 {amount // 100} 元", f"¥{amount // 100} off each {words[1]}")

    def order(self, name: str, amount: int, min_spend: int) -> DemoOffer:
        """So many fen off the order from a spend on."""
        terms = {"stage": "order", "kind": "amount_off", "amount": amount, "min_spend": min_spend}
        zh, en = f"满 {min_spend // 100} 减 {amount // 100}", f"¥{amount // 100} off from ¥{min_spend // 100}"
        return self.write(name, terms, zh, en)

    def spend(self, name: str, *tiers: tuple[int, Sequence[int]]) -> DemoOffer:
        """Spend so much, save one of these."""
        chosen = [(least, self.rng.choice(offs)) for least, offs in tiers]
        terms = {"stage": "order", "kind": "spend_save", "tiers": [{"min": least, "off": off} for least, off in chosen]}
        zh = "，".join(f"满 {least // 100} 减 {off // 100}" for least, off in chosen)
        return self.write(
            name, terms, zh, ", ".join(f"¥{off // 100} off from ¥{least // 100}" for least, off in chosen)
        )

    def write(self, name: str, terms: Mapping[str, Any], title: str, title_en: str) -> DemoOffer:
        """The offer; `limits` among the terms stand beside them, and the merchant is the scope."""
        code = self.merchant.code
        match = {**terms.get("match", {"any": True}), "merchants": [code]}
        written = {"id": f"{code}_{name}", **terms, "match": match}
        return DemoOffer(written, title, title_en, (code,), written.pop("limits", {}))


def _noodles(pen: _Pen) -> list[DemoOffer]:
    rates = (1_000,) if pen.merchant.code == NOODLE_MERCHANT else (500, 800, 1_000, 1_200)
    words = ("面条", "noodles") if pen.by_items else EVERYTHING
    match = {"categories": ["noodles"]} if pen.by_items else {"any": True}
    return [pen.percent("noodles", rates, words, match=match, min_spend=10_00, limits={"uses": 1, "period": "day"})]


def _diner(pen: _Pen) -> list[DemoOffer]:
    if pen.rng.random() < 0.5:
        return [pen.spend("meal", (30_00, (3_00,)), (60_00, (8_00,)))]
    return [pen.percent("meal", (600, 800, 1_000), hours=[["10:30", "13:30"], ["17:00", "19:30"]])]


def _restaurant(pen: _Pen) -> list[DemoOffer]:
    quiet = pen.percent("quiet", (1_200,), weekdays=[1, 2, 3, 4], hours=[["10:30", "16:30"]])
    return [pen.spend("feast", (100_00, (10_00, 12_00, 15_00)), (200_00, (35_00,))), quiet]


def _bakery(pen: _Pen) -> list[DemoOffer]:
    day = (
        pen.unit("toast", "bread-toast", 2_00, ("牛奶吐司", "milk toast"))
        if pen.by_items
        else pen.percent("day", (500,))
    )
    return [
        day,
        pen.percent("evening", (1_500, 2_000), ("晚间全单", "everything in the evening"), hours=[["18:30", "22:00"]]),
    ]


def _tea(pen: _Pen) -> list[DemoOffer]:
    hours = {"weekdays": [1, 2, 3, 4, 5], "hours": [["14:00", "17:00"]]}
    return [
        pen.percent("all", (500, 800)),
        pen.percent("shift", (1_500,), ("下午茶全单", "everything at tea time"), **hours),
    ]


def _market(pen: _Pen) -> list[DemoOffer]:
    offers = [pen.spend("basket", (88_00, (5_00, 6_00, 8_00)), (188_00, (20_00,)))]
    if pen.by_items:
        once = {"max_units": 2, "limits": {"uses": 1, "period": "day"}}
        offers.append(pen.unit("eggs", "egg-30", 3_00, ("鲜鸡蛋", "tray of eggs"), **once))
    return offers


def _pharmacy(pen: _Pen) -> list[DemoOffer]:
    retired = {"audience": {"state": ["retired"]}}
    words = ("退休会员全单", "everything for retired members")
    return [pen.percent("all", (500,)), pen.percent("retired", (1_000, 1_200), words, **retired)]


def _clinic(pen: _Pen) -> list[DemoOffer]:
    senior = {"audience": {"grade": ["senior", "expert"]}}
    words = ("高级技师全单", "everything for senior grades")
    return [pen.percent("all", (800,)), pen.percent("senior", (1_500,), words, **senior)]


def _saving(pen: _Pen) -> list[DemoOffer]:
    return [pen.spend("save", (100_00, (10_00,)), (300_00, (36_00, 40_00)))]


def _plain(pen: _Pen) -> list[DemoOffer]:
    return [pen.percent("all", (1_000, 1_500, 2_000))]


_BY_TRADE: dict[str, Callable[[_Pen], list[DemoOffer]]] = {
    "noodles": _noodles,
    "diner": _diner,
    "restaurant": _restaurant,
    "bakery": _bakery,
    "tea": _tea,
    "market": _market,
    "pharmacy": _pharmacy,
    "clinic": _clinic,
    "car": _saving,
    "home": _saving,
    "clothes": _saving,
    "hair": lambda pen: [pen.order("cut", 5_00, 30_00)],
    "laundry": lambda pen: [pen.order("wash", 6_00, 40_00)],
    "cinema": lambda pen: [
        pen.percent(
            "weekday", (2_000,), ("周一至周四全单", "everything from Monday to Thursday"), weekdays=[1, 2, 3, 4]
        )
    ],
    "phone": lambda pen: [pen.percent("all", (300,), max_discount=60_00)],
}
