"""The terms of an offer in a few plain words, in Chinese and English: what it gives, its conditions, whose money it is.

The one place where terms become words. The words of a price already made stand in `explain`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from api.pages import i18n
from api.pages.i18n import Language
from market.kit.money import WHOLE_BP, yuan
from market.offers.limits import Limits
from market.pricing import Kind, Offer, Stage

WORKDAYS, WEEKEND = (1, 2, 3, 4, 5), (6, 7)
DAYS_ZH = "一二三四五六日"
DAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
AUDIENCES: Mapping[tuple[str, tuple[str, ...]], tuple[str, str]] = {
    ("state", ("retired",)): ("退休会员", "retired members"),
    ("state", ("active",)): ("在职会员", "members at work"),
    ("tags", ("model-worker",)): ("劳模", "model workers"),
    ("tags", ("night-shift",)): ("夜班职工", "night shift"),
    ("tags", ("single-parent",)): ("单亲家庭", "single parents"),
}
PERIODS = {
    "day": ("每天", "a day"),
    "week": ("每周", "a week"),
    "month": ("每月", "a month"),
    "ever": ("一共", "in all"),
}


def say_gives(offer: Offer, language: Language) -> str:
    """What an offer gives in a phrase: 9 折, 满 100 减 20, 补 1 元."""
    zh, en = _gives(offer)
    return en if language == "en" else zh


def say_gates(offer: Offer, limits: Limits | None, language: Language) -> tuple[str, ...]:
    """The conditions of an offer in phrases: 满 10 元, 工作日 11:00–14:00, 每天一次."""
    pairs = [*_thresholds(offer), *_when(offer), *_who(offer), *_how_often(limits or Limits()), *_caps(offer)]
    return tuple(en if language == "en" else zh for zh, en in pairs)


def find_payer(offer: Offer) -> Literal["merchant", "union", "both", "rebate"]:
    """Whose money an offer is: the merchant's, the union's, or both; or the merchant's, but after the purchase."""
    if offer.stage is Stage.REBATE:
        return "rebate"
    if not offer.sponsor_share_bp:
        return "merchant"
    return "union" if offer.sponsor_share_bp == WHOLE_BP else "both"


def _gives(offer: Offer) -> tuple[str, str]:
    amount, rate = _short(offer.amount), say_percent(offer.rate_bp)
    match offer.stage:
        case Stage.LINE:
            return _line_gives(offer)
        case Stage.ORDER:
            return _order_gives(offer)
        case Stage.SUBSIDY:
            given = ("补 " + rate, rate) if offer.kind is Kind.PERCENT_OFF else (f"补 {amount} 元", f"¥{amount}")
            return given[0], f"union pays {given[1]}"
        case Stage.REBATE:
            zh, en = (rate, rate) if offer.kind is Kind.PERCENT_BACK else (f"{amount} 元", f"¥{amount}")
            to_union = offer.rebate_to == "union"
            return f"返 {zh}{'给工会' if to_union else ''}", f"{en} back{' to the union' if to_union else ''}"


def _line_gives(offer: Offer) -> tuple[str, str]:
    match offer.kind:
        case Kind.PERCENT_OFF:
            return _cut(offer.rate_bp)
        case Kind.FIXED_UNIT_PRICE:
            return f"特价 {_short(offer.price)} 元", f"¥{_short(offer.price)} each"
        case Kind.BUY_X_GET_Y:
            return _buy_and_get(offer)
        case Kind.BUNDLE:
            pieces = sum(part.qty for part in offer.components)
            return f"{pieces} 件组合 {_short(offer.price)} 元", f"set of {pieces} for ¥{_short(offer.price)}"
    return f"每件减 {_short(offer.amount)} 元", f"¥{_short(offer.amount)} off each"


def _order_gives(offer: Offer) -> tuple[str, str]:
    match offer.kind:
        case Kind.PERCENT_OFF:
            return _cut(offer.rate_bp)
        case Kind.SPEND_SAVE:
            return _tier(offer, offer.tiers[0])
    if offer.min_spend:
        return _tier(offer, (offer.min_spend, offer.amount))
    return f"减 {_short(offer.amount)} 元", f"¥{_short(offer.amount)} off"


def _cut(rate_bp: int) -> tuple[str, str]:
    """9 折 is what is left to pay, 10% off what is taken."""
    if rate_bp == WHOLE_BP:
        return "免费", "free"
    return f"{_decimal(WHOLE_BP - rate_bp, 1000)} 折", f"{say_percent(rate_bp)} off"


def _buy_and_get(offer: Offer) -> tuple[str, str]:
    buy, get = offer.buy, offer.get
    if offer.get_rate_bp == WHOLE_BP:
        return f"买 {buy} 送 {get}", f"buy {buy}, get {get} free"
    left = _decimal(WHOLE_BP - offer.get_rate_bp, 1000)
    return f"买 {buy} 件，另 {get} 件 {left} 折", f"buy {buy}, {get} more at {say_percent(offer.get_rate_bp)} off"


def _tier(offer: Offer, tier: tuple[int, int]) -> tuple[str, str]:
    least, off = (_short(fen) for fen in tier)
    every = "每" if offer.repeat else ""
    return f"{every}满 {least} 减 {off}", f"¥{off} off {'every' if offer.repeat else 'from'} ¥{least}"


def _thresholds(offer: Offer) -> list[tuple[str, str]]:
    said = [_tier(offer, tier) for tier in offer.tiers[1:]]
    if offer.min_spend and not (offer.stage is Stage.ORDER and offer.kind is Kind.AMOUNT_OFF):
        said.append((f"满 {_short(offer.min_spend)} 元", f"from ¥{_short(offer.min_spend)}"))
    if offer.min_qty > 1:
        said.append((f"满 {offer.min_qty} 件", f"from {offer.min_qty} pieces"))
    return said


def _when(offer: Offer) -> list[tuple[str, str]]:
    """Weekdays and hours in one phrase, and the last day."""
    spans = "、".join(f"{_minute(begin)}–{_minute(end)}" for begin, end in offer.hours)
    zh, en = _weekdays(offer.weekdays)
    said = (
        [(" ".join(filter(None, (zh, spans))), " ".join(filter(None, (en, spans.replace("、", ", ")))))]
        if zh or spans
        else []
    )
    until = offer.window[1] if offer.window else None
    if until is not None:
        last = until - timedelta(microseconds=1)  # the window is half-open
        said.append((f"到 {_date(last, 'zh-CN')} 为止", f"until {_date(last, 'en')}"))
    return said


def _weekdays(days: Sequence[int]) -> tuple[str, str]:
    if not days or len(days) == len(DAYS_EN):
        return "", ""
    if tuple(days) == WORKDAYS:
        return "工作日", "workdays"
    if tuple(days) == WEEKEND:
        return "周六、周日", "weekends"
    first, last = days[0], days[-1]
    if len(days) > 2 and last - first == len(days) - 1:
        return f"周{DAYS_ZH[first - 1]}至周{DAYS_ZH[last - 1]}", f"{DAYS_EN[first - 1]}–{DAYS_EN[last - 1]}"
    return "、".join(f"周{DAYS_ZH[day - 1]}" for day in days), ", ".join(DAYS_EN[day - 1] for day in days)


def _who(offer: Offer) -> list[tuple[str, str]]:
    said = []
    for name, allowed in offer.audience.items():
        zh, en = AUDIENCES.get((name, tuple(str(value) for value in allowed)), ("部分会员", "some members"))
        said.append((f"限{zh}", f"for {en}"))
    return list(dict.fromkeys(said))


def _how_often(limits: Limits) -> list[tuple[str, str]]:
    said = []
    zh, en = PERIODS[limits.period]
    if limits.uses:
        times = "一次" if limits.uses == 1 else f" {limits.uses} 次"
        said.append((f"{zh}{times}", ("once" if limits.uses == 1 else f"{limits.uses} times") + f" {en}"))
    if limits.amount_fen:
        said.append((f"{zh}最多 {_short(limits.amount_fen)} 元", f"¥{_short(limits.amount_fen)} {en} at most"))
    return said


def _caps(offer: Offer) -> list[tuple[str, str]]:
    said = []
    if offer.max_discount is not None:
        verb = {Stage.SUBSIDY: "补", Stage.REBATE: "返"}.get(offer.stage, "减")
        said.append((f"最多{verb} {_short(offer.max_discount)} 元", f"¥{_short(offer.max_discount)} at most"))
    if offer.max_units is not None:
        said.append((f"限 {offer.max_units} 件", f"{offer.max_units} pieces at most"))
    if offer.match.exclude_skus:
        said.append(("部分商品除外", "some items excluded"))
    if offer.alone != "none":
        said.append(("不与其他优惠同享", "not with other offers"))
    return said


def _short(fen: int) -> str:
    """Yuan without needless zeros: 20, 1.5, 0.05."""
    text = yuan(fen)
    return text.removesuffix(".00") if text.endswith(".00") else text.removesuffix("0")


def say_percent(rate_bp: int) -> str:
    """Basis points as a percentage without needless zeros: 10%, 12.5%."""
    return f"{_decimal(rate_bp, 100)}%"


def _decimal(value: int, unit: int) -> str:
    """`value / unit` in decimals, exactly; `unit` is a power of ten."""
    whole, rest = divmod(value, unit)
    digits = str(unit + rest)[1:].rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def _minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _date(at: datetime, language: Language) -> str:
    return i18n.day(at.astimezone(UTC), language)
