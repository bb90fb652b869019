"""One plain sentence for every step and every reason of a quote, in Chinese and English, made from codes and numbers. Pure.

A sentence of a refusal says what holds and what to do next. Titles of offers are the caller's: the engine knows ids only.
"""

from collections.abc import Mapping
from typing import Any, Final

from market.kit.money import yuan
from market.pricing.case import Reason

LANGUAGES: Final = ("zh", "en")

REASONS: Final[dict[Reason, tuple[str, str]]] = {
    Reason.NOT_STARTED: (
        "优惠还没有开始，开始后再来即可使用。",
        "This offer has not begun; use it once it has.",
    ),
    Reason.EXPIRED: (
        "优惠已经结束，可以看看本店其他优惠。",
        "This offer has ended; see what else the shop offers.",
    ),
    Reason.OUTSIDE_HOURS: (
        "现在不在优惠时段，请在写明的日期和时间来。",
        "This is outside the offer's hours; come on the days and at the times it names.",
    ),
    Reason.WRONG_CHANNEL: (
        "这项优惠在别的渠道使用，请按优惠说明到店或在线购买。",
        "This offer is for the other channel; buy in the shop or online as it says.",
    ),
    Reason.WRONG_SHOP: (
        "这项优惠在别的门店使用，请到优惠列出的门店购买。",
        "This offer is for other shops; buy at one of the shops it names.",
    ),
    Reason.AUDIENCE: (
        "这项优惠面向其他会员，可以看看“我的优惠”里有哪些能用。",
        "This offer is for other members; see under your offers which you can use.",
    ),
    Reason.CARD_INVALID: (
        "服务卡暂时不能用，请在卡页查看状态或联系工会小组长。",
        "The card cannot be used now; look at its state on the card page or ask your group leader.",
    ),
    Reason.NOT_ACCEPTED: (
        "您还没有同意使用这笔额度，想用请在卡页打开它的开关。",
        "You have not agreed to use this allowance; switch it on at the card page if you want to.",
    ),
    Reason.DECLINED: (
        "您选择了这次不用，想用请重新勾选后再试算。",
        "You chose to leave it out; tick it again and ask for the price to use it.",
    ),
    Reason.QUOTA_EXHAUSTED: (
        "您的次数或额度已经用完，请等下一期或选其他优惠。",
        "Your uses or your amount are used up; wait for the next period or take another offer.",
    ),
    Reason.BUDGET_EXHAUSTED: (
        "这项优惠的预算已经不够，请选其他优惠或过后再看。",
        "The budget of this offer is too short now; take another offer or look again later.",
    ),
    Reason.NO_MATCHING_ITEM: (
        "这次买的商品里没有参加这项优惠的，加一件参加的商品即可。",
        "Nothing you are buying takes part in this offer; add an item that does.",
    ),
    Reason.ITEM_EXCLUDED: (
        "这次买的商品被这项优惠列为除外，换一件参加的商品即可。",
        "What you are buying is excluded from this offer; choose an item that takes part.",
    ),
    Reason.MIN_SPEND_NOT_MET: (
        "参加优惠的商品还差 ¥{short_by}，再买 ¥{short_by} 就能用。",
        "¥{short_by} short of the spend it asks for; buy ¥{short_by} more of what takes part to use it.",
    ),
    Reason.MIN_QTY_NOT_MET: (
        "参加优惠的商品还差 {short_by_units} 件，再买 {short_by_units} 件就能用。",
        "{short_by_units} items short; buy {short_by_units} more of what takes part to use it.",
    ),
    Reason.NO_EFFECT: (
        "这项优惠这次不会少付钱，不用做什么，留着下次用。",
        "This offer would take nothing off this time; there is nothing to do, keep it for later.",
    ),
    Reason.EXCLUSIVE_CONFLICT: (
        "它不能和已用的优惠同时用，想用它请先不选那一项再试算。",
        "It cannot be used together with an offer applied here; leave that one out and ask for the price again to use it.",
    ),
    Reason.BEATEN_BY_BETTER: (
        "用它不会比现在付得更少，已经替您选了最合算的，不用做什么。",
        "Using it would not make you pay less; the best is chosen for you already, there is nothing to do.",
    ),
}

FORMULAS: Final[dict[str, tuple[str, str]]] = {
    "PERCENT_OF_UNITS": ("{units} 件共 ¥{base}，减 {percent}，即 ¥{gross}", "{units} items at ¥{base}, {percent} off: ¥{gross}"),
    "AMOUNT_PER_UNIT": ("{units} 件，每件减 ¥{amount}，即 ¥{gross}", "{units} items, ¥{amount} off each: ¥{gross}"),
    "PERCENT_OF_BASE": ("¥{base} 减 {percent}，即 ¥{gross}", "{percent} off ¥{base}: ¥{gross}"),
    "AMOUNT": ("减 ¥{amount}", "¥{amount} off"),
    "SPEND_SAVE": ("参加商品满 ¥{min} 减 ¥{off}，{times} 次，即 ¥{gross}", "¥{off} off for every ¥{min} spent, {times} times: ¥{gross}"),
    "FIXED_UNIT_PRICE": ("{units} 件共 ¥{base}，每件按 ¥{price} 算，减 ¥{gross}", "{units} items at ¥{base}, ¥{price} each: ¥{gross} off"),
    "BUY_X_GET_Y": ("{units} 件里每买 {buy} 件，便宜的 {get} 件减 {percent}，共 {reduced} 件，即 ¥{gross}", "of {units} items the {get} cheapest after every {buy} are {percent} off, {reduced} in all: ¥{gross}"),  # noqa: E501
    "BUNDLE": ("{sets} 套标价共 ¥{base}，每套按 ¥{price} 算，减 ¥{gross}", "{sets} sets at ¥{base}, ¥{price} a set instead: ¥{gross} off"),
    "PERCENT_BACK": ("实付 ¥{base} 的 {percent}，即 ¥{gross}", "{percent} of the ¥{base} paid: ¥{gross}"),
    "AMOUNT_BACK": ("买后返 ¥{amount}", "¥{amount} back after the purchase"),
    "SPEND_SAVE_ONCE": ("参加商品满 ¥{min} 减 ¥{off}", "¥{off} off for ¥{min} spent"),
}  # fmt: skip

LIMITS: Final[dict[str, tuple[str, str]]] = {
    "net": ("余下应付只有 ¥{taken}，按 ¥{taken} 算", "only ¥{taken} was left to pay, so ¥{taken}"),
    "max_discount": ("最多减 ¥{taken}", "at most ¥{taken}"),
    "member_amount_remaining": ("您还剩 ¥{taken}，按 ¥{taken} 算", "¥{taken} of yours was left, so ¥{taken}"),
    "budget_remaining": ("优惠总额还剩 ¥{taken}，按 ¥{taken} 算", "¥{taken} of its total was left, so ¥{taken}"),
    "purse": ("预算不够全额，按 ¥{taken} 算", "the budget does not hold all of it, so ¥{taken}"),
}  # fmt: skip

PAYERS: Final[dict[str, tuple[str, str]]] = {
    "member": ("由商户之后返给您", "returned to you by the merchant later"),
    "union": ("由商户之后返给工会经费", "returned to the union's fund by the merchant later"),
    "merchant": ("由商户让利", "borne by the merchant"),
    "sponsor": ("由工会补贴", "paid by the union"),
    "both": ("其中工会补贴 ¥{sponsor}，商户让利 ¥{merchant}", "¥{sponsor} paid by the union, ¥{merchant} borne by the merchant"),
}  # fmt: skip

_MONEY: Final = frozenset({"base", "amount", "min", "off", "price", "spent", "gross"})


def reason_sentence(row: Mapping[str, Any], language: str) -> str:
    """Why a candidate did not apply and what to do next; `row` is a row of `not_applied` as the quote writes it."""
    words = {"short_by": yuan(row.get("short_by") or 0), "short_by_units": row.get("short_by_units")}
    return _in(REASONS[Reason(row["reason"])], language).format(**words)


def step_sentence(row: Mapping[str, Any], language: str) -> str:
    """How an applied offer's amount came about and who bears it; `row` is a row of `applied` as the quote writes it."""
    numbers = {**row["numbers"], "gross": row["gross"]}
    code = "SPEND_SAVE_ONCE" if row["formula"] == "SPEND_SAVE" and numbers["times"] == 1 else row["formula"]
    words = {name: yuan(value) if name in _MONEY else value for name, value in numbers.items()}
    words["percent"] = _percent(numbers.get("rate_bp", numbers.get("get_rate_bp", 0)))
    parts = [_in(FORMULAS[code], language).format(**words)]
    if limit := row.get("limited_by"):
        parts.append(_in(LIMITS.get(limit, LIMITS["purse"]), language).format(taken=yuan(row["amount"])))
    sponsor, merchant = row["sponsor_pays"], row["amount"] - row["sponsor_pays"]
    payer = "both" if sponsor and merchant else "sponsor" if sponsor else "merchant"
    payer = row.get("rebate_to", payer)
    parts.append(_in(PAYERS[payer], language).format(sponsor=yuan(sponsor), merchant=yuan(merchant)))
    return "，".join(parts) + "。" if language.startswith("zh") else ", ".join(parts) + "."


def _percent(rate_bp: int) -> str:
    """Basis points as a percentage without needless zeros: 1000 → "10%", 1250 → "12.5%"."""
    whole, rest = divmod(rate_bp, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") + "%"


def _in(pair: tuple[str, str], language: str) -> str:
    """The Chinese or the English of a pair."""
    return pair[0] if language.startswith("zh") else pair[1]
