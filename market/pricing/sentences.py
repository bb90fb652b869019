"""One plain sentence for every step and every reason of a quote, in Chinese and English, made from codes and numbers. Pure.

A sentence of a refusal says what holds and what to do next. Titles of offers are the caller's: the engine knows ids only.
"""

from collections.abc import Mapping
from typing import Any, Final

from market.kit.money import WHOLE_BP, yuan
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
        "这项优惠面向其他会员，可以在“优惠”页看看哪些能用。",
        "This offer is for other members; see under Offers which you can use.",
    ),
    Reason.CARD_INVALID: (
        "服务卡暂时不能用，请在卡页查看状态或联系工会小组长。",
        "The card cannot be used now; look at its state on the card page or ask your group leader.",
    ),
    Reason.NOT_ACCEPTED: (
        "您还没有同意用它，想用请在“优惠”页或门店页点“用这个优惠”。",
        "You have not agreed to use it; press “Use this offer” under Offers or on the shop's page if you want to.",
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
        "它不能和这次已用的优惠同时用，已经替您选了最合算的，想用它请分开另买。",
        "It cannot be used together with an offer applied here and the best is chosen for you; buy separately to use it.",
    ),
    Reason.BEATEN_BY_BETTER: (
        "用它不会比现在付得更少，已经替您选了最合算的，不用做什么。",
        "Using it would not make you pay less; the best is chosen for you already, there is nothing to do.",
    ),
}

# A bundle or a buy-x-get-y that lacks units of its first whole group.
INCOMPLETE: Final = (
    "还差 {short_by_units} 件凑成一组，再买 {short_by_units} 件参加的商品就能用。",
    "{short_by_units} short of a whole set; buy {short_by_units} more of what takes part to use it.",
)

FORMULAS: Final[dict[str, tuple[str, str]]] = {
    "PERCENT_OF_UNITS": ("{units} 件共 ¥{base}，减 {percent}，即 ¥{gross}", "{items} at ¥{base}, {percent} off: ¥{gross}"),
    "AMOUNT_PER_UNIT": ("{units} 件，每件减 ¥{amount}，即 ¥{gross}", "{items}, ¥{amount} off each: ¥{gross}"),
    "PERCENT_OF_BASE": ("¥{base} 减 {percent}，即 ¥{gross}", "{percent} off ¥{base}: ¥{gross}"),
    "AMOUNT": ("减 ¥{amount}", "¥{amount} off"),
    "SPEND_SAVE": ("参加商品每满 ¥{min} 减 ¥{off}，满了 {times} 次，即 ¥{gross}", "¥{off} off for every ¥{min} spent, {times} times: ¥{gross}"),
    "SPEND_SAVE_ONCE": ("参加商品满 ¥{min} 减 ¥{off}", "¥{off} off for ¥{min} spent"),
    "FIXED_UNIT_PRICE": ("{units} 件共 ¥{base}，每件按 ¥{price} 算，减 ¥{gross}", "{items} at ¥{base}, now ¥{price} each: ¥{gross} off"),
    "BUY_X_GET_Y": ("每 {whole} 件里最便宜的 {get} 件{cut}，这次 {reduced} 件，减 ¥{gross}",
                    "the cheapest {get} of every {whole} {cut}, {reduced} this time: ¥{gross} off"),
    "BUNDLE": ("{sets} 套标价共 ¥{base}，每套按 ¥{price} 算，减 ¥{gross}", "{sets} × a set at ¥{price}, list ¥{base}: ¥{gross} off"),
    "PERCENT_BACK": ("实付 ¥{base} 的 {percent}，即 ¥{gross}", "{percent} of the ¥{base} paid: ¥{gross}"),
    "AMOUNT_BACK": ("买后返 ¥{amount}", "¥{amount} back after the purchase"),
}  # fmt: skip

LIMITS: Final[dict[str, tuple[str, str]]] = {
    "net": ("余下应付只有 ¥{taken}，按 ¥{taken} 算", "only ¥{taken} was left to pay, so ¥{taken}"),
    "max_discount": ("最多减 ¥{taken}", "at most ¥{taken}"),
    "member_amount_remaining": ("您在这项优惠里还剩 ¥{taken}，按 ¥{taken} 算", "you had ¥{taken} left in it, so ¥{taken}"),
    "budget_remaining": ("这项优惠总共还剩 ¥{taken}，按 ¥{taken} 算", "¥{taken} was left of it in all, so ¥{taken}"),
    "purse": ("预算不够全额，按 ¥{taken} 算", "the budget does not hold all of it, so ¥{taken}"),
    "back.net": ("实付里还能返的只有 ¥{taken}，按 ¥{taken} 算", "only ¥{taken} of what was paid was left to give back, so ¥{taken}"),
    "back.max_discount": ("最多返 ¥{taken}", "at most ¥{taken}"),
}  # fmt: skip

PAYERS: Final[dict[str, tuple[str, str]]] = {
    "member": ("由商户之后返给您", "returned to you by the merchant later"),
    "union": ("由商户之后返给工会经费", "returned to the union's fund by the merchant later"),
    "merchant": ("由商户让利", "borne by the merchant"),
    "sponsor": ("由工会补贴", "paid by the union"),
    "both": ("其中工会补贴 ¥{sponsor}，商户让利 ¥{merchant}", "¥{sponsor} paid by the union, ¥{merchant} borne by the merchant"),
}  # fmt: skip

# What a hint's offer does once so much more is bought: something for the first time, more than it does now, a rebate.
HINTS: Final[dict[str, tuple[str, str]]] = {
    "off": ("再买 ¥{short_by}，可减 ¥{off}", "Spend ¥{short_by} more and save ¥{off}"),
    "raised": ("再买 ¥{short_by}，升档减 ¥{off}", "Spend ¥{short_by} more and save ¥{off} instead"),
    "back": ("再买 ¥{short_by}，可返 ¥{off}", "Spend ¥{short_by} more and get ¥{off} back later"),
}

PROOFS: Final[dict[str, tuple[str, str]]] = {
    "optimal": ("允许的组合都比过了，这是最低价。", "Every permitted combination was compared; none is lower."),
    "bounded": (
        "组合太多，没能全部比完；最低价最多再低 ¥{gap}。",
        "There were too many combinations to compare them all; the lowest price is at most ¥{gap} lower.",
    ),
    "bounded.paid": (
        "没有更低的价；付得一样多的组合太多，没能全部比完。",
        "None is lower; there were too many at this price to compare them all.",
    ),
}

_MONEY: Final = frozenset({"base", "amount", "min", "off", "price", "spent", "gross"})


def reason_sentence(row: Mapping[str, Any], language: str) -> str:
    """Why a candidate did not apply and what to do next; `row` is a row of `not_applied` as the quote writes it."""
    words = {"short_by": yuan(row.get("short_by") or 0), "short_by_units": row.get("short_by_units")}
    reason = Reason(row["reason"])
    is_incomplete = reason is Reason.NO_EFFECT and words["short_by_units"]
    return _in(INCOMPLETE if is_incomplete else REASONS[reason], language).format(**words)


def step_sentence(row: Mapping[str, Any], language: str) -> str:
    """How an applied offer's amount came about, what limited it and who bears it; `row` is a row of `applied` as the quote writes it."""
    sponsor, merchant = row["sponsor_pays"], row["amount"] - row["sponsor_pays"]
    payer = row.get("rebate_to") or ("both" if sponsor and merchant else "sponsor" if sponsor else "merchant")
    paid = _in(PAYERS[payer], language).format(sponsor=yuan(sponsor), merchant=yuan(merchant))
    parts = [part for part in (formula_phrase(row, language), limit_phrase(row, language), paid) if part]
    return "，".join(parts) + "。" if language.startswith("zh") else ", ".join(parts) + "."


def formula_phrase(row: Mapping[str, Any], language: str) -> str:
    """How an applied offer's amount came about before anything limited it: base, numbers, amount. No full stop."""
    numbers = {**row["numbers"], "gross": row["gross"]}
    code = "SPEND_SAVE_ONCE" if row["formula"] == "SPEND_SAVE" and numbers["times"] == 1 else row["formula"]
    words = {name: yuan(value) if name in _MONEY else value for name, value in numbers.items()}
    words["percent"] = _percent(numbers.get("rate_bp", numbers.get("get_rate_bp", 0)))
    if "units" in numbers:
        words["items"] = f"{numbers['units']} item{'' if numbers['units'] == 1 else 's'}"
    if code == "BUY_X_GET_Y":
        words["whole"] = numbers["buy"] + numbers["get"]
        cut = ("免费", "free") if numbers["get_rate_bp"] == WHOLE_BP else ("减 {percent}", "{percent} off")
        words["cut"] = _in(cut, language).format(**words)
    return _in(FORMULAS[code], language).format(**words)


def limit_phrase(row: Mapping[str, Any], language: str) -> str:
    """What cut an applied offer's amount, and to how much; empty when nothing did. No full stop."""
    limit = row.get("limited_by")
    if not limit:
        return ""
    # A limit that is no field of the offer is named after its purse.
    words = (row.get("rebate_to") and LIMITS.get(f"back.{limit}")) or LIMITS.get(limit, LIMITS["purse"])
    return _in(words, language).format(taken=yuan(row["amount"]))


def hint_phrase(row: Mapping[str, Any], language: str, *, gain: str) -> str:
    """What buying so much more brings; `row` is a row of `hints`, `gain` one of `HINTS`. No full stop."""
    return _in(HINTS[gain], language).format(short_by=yuan(row["short_by"]), off=yuan(row["off"]))


def proof_sentence(quote: Mapping[str, Any], language: str) -> str:
    """Whether the price is proved to be the best, and if not how much lower the best may be; `quote` is a quote as it writes itself."""
    code = quote["proof"] if quote["proof"] == "optimal" or quote["gap"] else "bounded.paid"
    return _in(PROOFS[code], language).format(gap=yuan(quote["gap"]))


def _percent(rate_bp: int) -> str:
    """Basis points as a percentage without needless zeros: 1000 → "10%", 1250 → "12.5%"."""
    whole, rest = divmod(rate_bp, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") + "%"


def _in(pair: tuple[str, str], language: str) -> str:
    """The Chinese or the English of a pair."""
    return pair[0] if language.startswith("zh") else pair[1]
