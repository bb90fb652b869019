"""What the union arranges in the demo works: budgets, subsidies, rebates, and proposals that wait for a second person. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from api.demo.places import NOODLE_MERCHANT, DemoMerchant
from api.demo.sizes import Size
from api.demo.units import COMPANY

MEALS = ("food", "noodles", "sides", "drinks")
GROCERIES = ("market", "fresh", "dairy", "grain", "oil")
WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class DemoBudget:
    """A budget and what the company's union grants to it, in fen for each 1,000 sales of the size."""

    code: str
    title: str
    slots: int
    fen_per_thousand_sales: int


@dataclass(frozen=True, slots=True)
class DemoOffer:
    """An offer as it is proposed. `merchants` have agreed to bear their part."""

    terms: dict[str, object]
    title: str
    title_en: str
    merchants: tuple[str, ...] = ()
    limits: dict[str, object] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The id of the offer."""
        return str(self.terms["id"])


BUDGETS = (
    DemoBudget("lunch", "职工餐补", 8, 460_00),
    DemoBudget("care", "退休会员关爱", 2, 240_00),
    DemoBudget("wednesday", "周三惠民日", 2, 75_00),
    DemoBudget("culture", "文化体育", 2, 120_00),
    DemoBudget("welcome", "开卡礼", 2, 240_00),
)


def granted_fen(budget: DemoBudget, size: Size) -> int:
    """What the budget gets for the whole half-year, in whole yuan; a little more, so that a tiny works does not run dry by chance."""
    return 200_00 + budget.fen_per_thousand_sales * size.sales // 100_000 * 100


def make_subsidies(merchants: Sequence[DemoMerchant]) -> list[DemoOffer]:
    """The union's own offers, which any merchant of the trade gives and the union pays for."""
    cinemas = tuple(merchant.code for merchant in merchants if merchant.trade.code == "cinema")
    return [
        *_meals(),
        wednesday_offer(300),
        _welcome(),
        _care(),
        _model_workers(),
        *([_cinema(cinemas)] if cinemas else []),
        *_online(),
    ]


def make_rebates(merchants: Sequence[DemoMerchant]) -> list[DemoOffer]:
    """What merchants give back after the purchase: the noodle shop to its guests, the markets to the union."""
    markets = tuple(merchant.code for merchant in merchants if merchant.trade.code == "market")
    return [
        _back("r_noodles", (NOODLE_MERCHANT,), 300, "面馆熟客返 3%", "Noodle shop: 3% back to you"),
        *(
            [_back("r_markets", markets, 100, "超市返工会 1%", "Markets: 1% back to the union", rebate_to="union")]
            if markets
            else []
        ),
    ]


def wednesday_offer(amount: int) -> DemoOffer:
    """The market day's subsidy (fen); later in the half-year a second version gives more."""
    return DemoOffer(
        subsidy("u_wednesday", "wednesday", GROCERIES, amount=amount, min_spend=60_00, weekdays=[3]),
        f"周三惠民日补贴 {amount // 100} 元",
        f"Wednesday market day: the union adds ¥{amount // 100}",
        limits={"uses": 1, "period": "day"},
    )


def make_waiting() -> list[DemoOffer]:
    """Proposals that wait for a second person. The first was proposed by the demo officer, who may not approve it."""
    reading = subsidy(
        "u_reading",
        "culture",
        ("books", "stationery"),
        "percent_off",
        rate_bp=1_500,
        max_discount=20_00,
        min_spend=20_00,
    )
    retired = {"audience": {"state": ["retired"]}}
    evening = {
        "id": f"{NOODLE_MERCHANT}_evening",
        "stage": "line",
        "kind": "percent_off",
        "rate_bp": 1_500,
        "match": {"categories": ["noodles"], "merchants": [NOODLE_MERCHANT]},
        "hours": [["17:00", "21:00"]],
    }
    supper = subsidy("u_winter", "lunch", MEALS, amount=200, min_spend=15_00, hours=[["17:00", "20:00"]], **retired)
    return [
        DemoOffer(
            reading,
            "职工阅读月补贴 15%",
            "Reading month: the union pays 15% at bookshops",
            limits={"amount_fen": 50_00, "period": "month"},
        ),
        DemoOffer(evening, "晚市面条八五折", "Noodles 15% off in the evening", (NOODLE_MERCHANT,)),
        DemoOffer(
            supper,
            "退休会员暖冬晚餐补贴 2 元",
            "Warm suppers for retired members: the union adds ¥2",
            limits={"uses": 1, "period": "day"},
        ),
    ]


def subsidy(
    code: str, budget: str, categories: Sequence[str], kind: str = "amount_off", /, **more: object
) -> dict[str, object]:
    """Terms of a subsidy that the company's union bears in full."""
    return {
        "id": code,
        "stage": "subsidy",
        "kind": kind,
        "match": {"categories": list(categories)},
        "sponsor": COMPANY,
        "sponsor_share_bp": WHOLE_BP,
        "budgets": [f"budget:{budget}"],
        **more,
    }


def _meals() -> list[DemoOffer]:
    """A yuan a day towards a meal, more at night; one of them a sale."""
    once_a_day: dict[str, object] = {"uses": 1, "period": "day"}
    night = {"hours": [["22:00", "04:00"]], "audience": {"tags": ["night-shift"]}}
    return [
        DemoOffer(
            subsidy("u_lunch", "lunch", MEALS, amount=100, min_spend=10_00, weekdays=[1, 2, 3, 4, 5], group="meal"),
            "工作日午餐补贴 1 元",
            "Weekday lunch: the union adds ¥1",
            limits=once_a_day,
        ),
        DemoOffer(
            subsidy("u_weekend", "lunch", MEALS, amount=100, min_spend=10_00, weekdays=[6, 7], group="meal"),
            "周末值班餐补贴 1 元",
            "Weekend duty meal: the union adds ¥1",
            limits=once_a_day,
        ),
        DemoOffer(
            subsidy("u_night", "lunch", MEALS, amount=300, min_spend=8_00, group="meal", **night),
            "夜班加餐补贴 3 元",
            "Night shift meal: the union adds ¥3",
            limits=once_a_day,
        ),
    ]


def _welcome() -> DemoOffer:
    return DemoOffer(
        subsidy("u_welcome", "welcome", ("tea", "bakery"), amount=200, min_spend=10_00),
        "开卡礼：茶饮烘焙减 2 元",
        "Welcome: ¥2 off tea and cakes",
        limits={"uses": 3, "period": "ever"},
    )


def _care() -> DemoOffer:
    rate = {"rate_bp": 800, "max_discount": 15_00, "on_shortage": "partial", "audience": {"state": ["retired"]}}
    return DemoOffer(
        subsidy("u_care", "care", ("pharmacy",), "percent_off", **rate),
        "退休会员购药补贴 8%",
        "Retired members: the union pays 8% at pharmacies",
        limits={"amount_fen": 60_00, "period": "month"},
    )


def _model_workers() -> DemoOffer:
    rate = {"rate_bp": 3_000, "max_discount": 40_00, "audience": {"tags": ["model-worker"]}}
    return DemoOffer(
        subsidy("u_model", "culture", ("cinema", "books", "fitness"), "percent_off", **rate),
        "劳模文体补贴 30%",
        "Model workers: the union pays 30% at cinemas, bookshops and gyms",
        limits={"amount_fen": 120_00, "period": "month"},
    )


def _back(code: str, merchants: tuple[str, ...], rate_bp: int, title: str, title_en: str, **more: object) -> DemoOffer:
    terms: dict[str, object] = {"id": code, "stage": "rebate", "kind": "percent_back", "rate_bp": rate_bp, **more}
    return DemoOffer({**terms, "match": {"any": True, "merchants": list(merchants)}}, title, title_en, merchants)


def _online() -> list[DemoOffer]:
    """What internal purchase alone gives: the union adds to larger orders, the noodle shop gives way on its boxes."""
    online: dict[str, object] = {"channels": ["online"]}
    gift = subsidy("u_online", "culture", (), amount=5_00, min_spend=60_00, on_shortage="partial", **online)
    box = {"id": f"{NOODLE_MERCHANT}_online", "stage": "line", "kind": "percent_off", "rate_bp": 800, **online}
    return [
        DemoOffer(
            gift | {"match": {"any": True}},
            "内购满 60 补贴 5 元",
            "Internal purchase: the union adds ¥5 from ¥60",
            limits={"uses": 3, "period": "month"},
        ),
        DemoOffer(
            box | {"match": {"any": True, "merchants": [NOODLE_MERCHANT]}},
            "炉前面馆内购九二折",
            "Noodle shop online: 8% off",
            (NOODLE_MERCHANT,),
        ),
    ]


def _cinema(cinemas: tuple[str, ...]) -> DemoOffer:
    """One offer with two payers."""
    terms = {
        "id": "u_cinema",
        "stage": "order",
        "kind": "amount_off",
        "amount": 10_00,
        "min_spend": 60_00,
        "match": {"any": True, "merchants": list(cinemas)},
        "sponsor": COMPANY,
        "sponsor_share_bp": WHOLE_BP // 2,
        "budgets": ["budget:culture"],
        "on_shortage": "partial",
    }
    return DemoOffer(
        terms, "电影满 60 减 10（工会与影城各半）", "Cinema: ¥10 off from ¥60, half paid by the union", cinemas
    )
