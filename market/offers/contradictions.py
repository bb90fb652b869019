"""What makes an offer contradict itself or the market, found when it is written: the field, a code, a sentence each. Pure.

The form, the JSON address and every load ask `check_terms`; nothing is stored past it. Prices of single sales are the engine's.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from market.kit.errors import InvalidError
from market.kit.money import WHOLE_BP, yuan
from market.offers.wares import Place, can_match, cheapest_price, is_in_scope
from market.pricing import Kind, Offer, Stage
from market.pricing.kinds import STACKABLE
from market.pricing.reading import PricingDocumentError
from market.record.codes import list_free_texts

# Field of the pricing document, what is wrong in Chinese and in English. A sentence says what to do.
_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "RATE_ABOVE_WHOLE": ("比例不能超过 100%，请改小。", "A rate is 100% at most; make it smaller."),
    "NO_EFFECT": ("填 0 就什么也不减，请填大于 0 的数。", "With 0 it gives nothing; put in a number above 0."),
    "END_BEFORE_START": ("结束要晚于开始，请改其中一个。", "It ends before it begins; change one of the two."),
    "WINDOW_PAST": ("结束时间已经过去，请改成以后的时间。", "It would have ended already; choose a later end."),
    "ABOVE_ITS_MINIMUM": (
        "减 ¥{off} 比门槛 ¥{least} 还多，请提高门槛或少减一些。",
        "It takes ¥{off} off from ¥{least} on, more than is spent; raise the minimum or take less off.",
    ),
    "EMPTY_MATCH": (
        "没有一家门店、一件商品能用上它，请检查商户、门店、类别和商品编号。",
        "No shop and no item could ever use it; check merchants, shops, categories and items.",
    ),
    "MERCHANT_UNKNOWN": (
        "没有编号为 {name} 的合作商户，请核对。",
        "There is no admitted merchant {name}; check the code.",
    ),
    "SHOP_UNKNOWN": ("没有编号为 {name} 的门店，请核对。", "There is no shop {name}; check the code."),
    "SHOP_ELSEWHERE": (
        "门店 {name} 不属于所列商户，请改商户或门店。",
        "Shop {name} belongs to none of the merchants listed; change one of them.",
    ),
    "MERCHANTS_NEEDED": (
        "有一部分由商户承担，请列出商户，由它们的店主签字。",
        "A merchant bears a part, so list the merchants; their owners then sign.",
    ),
    "SPONSOR_NEEDED": ("请写明由哪一级工会出钱。", "Name the union level that pays."),
    "SHARE_NEEDED": ("请写明工会出百分之几，要大于 0。", "Say what share the union bears, above 0."),
    "BUDGET_NEEDED": ("工会出钱要有预算，请选一个。", "The union's part needs a budget; choose one."),
    "BUDGET_UNKNOWN": ("没有预算 {name}，请选已有的预算。", "There is no budget {name}; choose one that exists."),
    "ALLOWANCE_UNKNOWN": ("没有额度 {name}，请核对。", "There is no allowance {name}; check it."),
    "BUDGET_UNUSED": (
        "工会不出钱，就不用预算，请去掉预算或写明工会的比例。",
        "The union bears nothing here, so no budget is drawn; take it away or give the union's share.",
    ),
    "REBATE_BORNE_BY_MERCHANT": (
        "返利由商户承担，工会不能分担，请去掉。",
        "A rebate is borne by the merchant; take the union's part away.",
    ),
    "STACKABLE_WITHOUT_EFFECT": (
        "只有打折和每件减能在同一件上叠加，请去掉这一项。",
        "Only percentages and amounts off each can share an item; take this away.",
    ),
    "CAP_ZERO": (
        "上限是 0 就永远用不上，请改大或留空。",
        "With a cap of 0 it can never apply; raise it or leave it out.",
    ),
    "QTY_ABOVE_CAP": (
        "至少 {least} 件、最多 {most} 件，永远凑不成，请改其中一个。",
        "It asks for {least} items and takes {most} at most; change one of the two.",
    ),
    "NEEDS_ONE": ("至少要 1，请改正。", "It must be at least 1."),
    "BUNDLE_WITHOUT_SAVING": (
        "按目录价这一套只要 ¥{whole}，组合价 ¥{price} 不便宜。",
        "At catalogue prices the set costs ¥{whole}; ¥{price} is no saving.",
    ),
    "PRICE_WITHOUT_SAVING": (
        "目录里参加的商品没有一件高于 ¥{price}，这个特价不便宜。",
        "No item in the catalogue that takes part costs more than ¥{price}; this is no saving.",
    ),
    "ID_MALFORMED": (
        "编号用 1 到 64 个字母、数字或 _ . : -，以字母、数字或 _ 开头，请改正。",
        "An id has 1 to 64 letters, digits or _ . : - and does not begin with one of the last three; correct it.",
    ),
    "AUDIENCE_MALFORMED": (
        "会员条件的名称用小写英文字母和 _，如 grade，请改正。",
        "What is asked of members is named in small letters and _, such as grade; correct it.",
    ),
    "FREE_TEXT": (
        "“{text}”不是代码。公开台账只写代码：1 到 64 个字母、数字或 _ . : / + -，请换成代码。",
        "“{text}” is no code. The public record holds codes only, 1 to 64 letters, digits or _ . : / + -; put a code here.",
    ),
    "TOO_LONG": (
        "这一项太长，公布不下，请缩短，或分成几个优惠。",
        "This is too long to be published; shorten it, or make several offers.",
    ),
    "MALFORMED": ("格式不对：{problem}。", "It does not fit the rules: {problem}."),
}
OFFER_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}", re.ASCII)  # it is part of an address: no "." or ".."
AUDIENCE_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
MOST_SHOWN: Final = 40  # signs of what is no code
MOST_BYTES: Final = 30_000  # of terms: a public entry has 65,535, and names the merchants once more
WARNINGS: Final = frozenset({"BUNDLE_WITHOUT_SAVING", "PRICE_WITHOUT_SAVING"})


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One field of the document (`tiers.0.off`) that cannot stand, by a stable code; a warning does not refuse the offer."""

    field: str
    code: str
    zh: str
    en: str

    @property
    def is_warning(self) -> bool:
        """Whether the offer may be submitted all the same."""
        return self.code in WARNINGS

    def sentence(self, language: str) -> str:
        """What is wrong and what to do."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Facts:
    """What the terms are held against: purses there are (`budget:lunch`), and the shops with what they sell.

    `places` None: the caller cannot know them (a load before there is a catalogue), so nothing is asked of them.
    """

    at: datetime
    purses: frozenset[str]
    places: Sequence[Place] | None = None


class ContradictionError(InvalidError):
    """The offer contradicts itself or the market; `found` says where, the facts name the first."""

    code = "OFFER_CONTRADICTS"
    zh = "{field}：{problem_zh}。"
    en = "{field}: {problem_en}."

    def __init__(self, found: Sequence[Contradiction]) -> None:
        """Keep all that was found."""
        self.found = tuple(found)
        first = found[0]
        super().__init__(
            field=f"terms.{first.field}",
            problem=first.code,
            problem_zh=first.zh.removesuffix("。"),
            problem_en=first.en.removesuffix("."),
        )


def check_terms(terms: Mapping[str, Any], *, facts: Facts) -> tuple[Offer | None, tuple[Contradiction, ...]]:
    """The offer in these terms, None when they cannot be read, and all that contradicts (pricing rules, "When an offer is written").

    `terms` are fields of the pricing document with id and version; amounts fen, rates basis points.
    """
    found = list(_raw(terms))
    try:
        # What is stored is what the offer writes of itself: it must be read again, and by every process that sells.
        offer = Offer.from_json(Offer.from_json(terms, path="terms").to_json(), path="terms")
    except PricingDocumentError as error:
        field = error.path.removeprefix("terms").lstrip(".").replace("[", ".").replace("]", "")
        if not any(_is_same(one.field, field) for one in found):
            found.append(_say(field, "MALFORMED", problem=error.problem))
        return None, tuple(found)
    found += [*_amounts(offer), *_payers(offer), *_purses(offer, facts), *_units(offer), *_when(offer, facts.at)]
    found += _published(offer)
    if facts.places is not None:
        found += [*_reach(offer, facts.places), *_savings(offer, facts.places)]
    return offer, tuple(dict.fromkeys(found))


def ensure_codes(terms: Mapping[str, Any]) -> None:
    """What is published holds codes alone, however it came to be stored. Raises ContradictionError."""
    if found := list(_uncoded(terms)):
        raise ContradictionError(found)


def bearers_of(offer: Offer) -> list[str]:
    """The merchants that bear a part, each of which signs the version; none when the union alone gives."""
    if offer.stage is not Stage.REBATE and offer.sponsor_share_bp == WHOLE_BP:
        return []
    return sorted(offer.match.merchants)


def _say(field: str, code: str, /, **facts: object) -> Contradiction:
    zh, en = _SENTENCES[code]
    return Contradiction(field, code, zh.format(**facts), en.format(**facts))


def _is_same(known: str, field: str) -> bool:
    """Whether two findings speak of one field: `tiers.0.off` is part of `tiers`."""
    return known == field or known.startswith(f"{field}.") or field.startswith(f"{known}.")


def _raw(terms: Mapping[str, Any]) -> Iterator[Contradiction]:
    """What the reader of documents would refuse with less to say: rates above the whole, nothing to buy, an end before the start."""
    if not OFFER_ID.fullmatch(str(terms.get("id", ""))):
        yield _say("id", "ID_MALFORMED")
    for name in ("rate_bp", "get_rate_bp", "sponsor_share_bp"):
        if type(terms.get(name)) is int and terms[name] > WHOLE_BP:
            yield _say(name, "RATE_ABOVE_WHOLE")
    for name in ("buy", "get"):
        if type(terms.get(name)) is int and terms[name] < 1:
            yield _say(name, "NEEDS_ONE")
    window = terms.get("window")
    if isinstance(window, Mapping) and {"from", "to"} <= window.keys():
        try:
            begin, end = (datetime.fromisoformat(str(window[edge])) for edge in ("from", "to"))
            if begin >= end:
                yield _say("window.to", "END_BEFORE_START")
        except (ValueError, TypeError):  # no instants, or one without its zone: the reader names it
            return


def _amounts(offer: Offer) -> Iterator[Contradiction]:
    """Nothing given, or more given than must be spent."""
    for name in {"rate_bp", "amount", "get_rate_bp"} & set(offer.to_json()):
        if not getattr(offer, name):
            yield _say(name, "NO_EFFECT")
    for place, (least, off) in enumerate(offer.tiers):
        if off == 0:
            yield _say(f"tiers.{place}.off", "NO_EFFECT")
        elif off > least:
            yield _say(f"tiers.{place}.off", "ABOVE_ITS_MINIMUM", off=yuan(off), least=yuan(least))
    if offer.kind is Kind.AMOUNT_OFF and 0 < offer.min_spend < offer.amount:
        yield _say("amount", "ABOVE_ITS_MINIMUM", off=yuan(offer.amount), least=yuan(offer.min_spend))
    for name in ("max_discount", "max_units"):
        if getattr(offer, name) == 0:
            yield _say(name, "CAP_ZERO")


def _payers(offer: Offer) -> Iterator[Contradiction]:
    """Who bears it is named, and can pay."""
    if offer.stage is Stage.REBATE:
        if offer.sponsor or offer.sponsor_share_bp or offer.budgets or offer.allowance:
            yield _say("sponsor_share_bp", "REBATE_BORNE_BY_MERCHANT")
    elif offer.stage is Stage.SUBSIDY or offer.sponsor or offer.sponsor_share_bp:
        if not offer.sponsor:
            yield _say("sponsor", "SPONSOR_NEEDED")
        if not offer.sponsor_share_bp:
            yield _say("sponsor_share_bp", "SHARE_NEEDED")
        if not offer.purses:
            yield _say("budgets", "BUDGET_NEEDED")
    elif offer.purses:
        yield _say("budgets", "BUDGET_UNUSED")
    if (offer.stage is Stage.REBATE or offer.sponsor_share_bp < WHOLE_BP) and not offer.match.merchants:
        yield _say("match.merchants", "MERCHANTS_NEEDED")


def _purses(offer: Offer, facts: Facts) -> Iterator[Contradiction]:
    """Every purse is one that there is."""
    for budget in offer.budgets:
        if budget not in facts.purses:
            yield _say("budgets", "BUDGET_UNKNOWN", name=budget.removeprefix("budget:"))
    if offer.allowance and offer.allowance not in facts.purses:
        yield _say("allowance", "ALLOWANCE_UNKNOWN", name=offer.allowance)


def _units(offer: Offer) -> Iterator[Contradiction]:
    """Which units it can take."""
    if offer.line_stackable and offer.kind not in STACKABLE:
        yield _say("line_stackable", "STACKABLE_WITHOUT_EFFECT")
    group = offer.buy + offer.get if offer.kind is Kind.BUY_X_GET_Y else 0
    group += sum(part.qty for part in offer.components)
    if offer.max_units is not None and 0 < offer.max_units < group:
        yield _say("max_units", "QTY_ABOVE_CAP", least=group, most=offer.max_units)


def _when(offer: Offer, at: datetime) -> Iterator[Contradiction]:
    if offer.window and offer.window[1] is not None and offer.window[1] <= at:
        yield _say("window.to", "WINDOW_PAST")


def _published(offer: Offer) -> Iterator[Contradiction]:
    """Whether the terms can be put on the public record, where they stay: codes alone, and not too many."""
    terms = offer.to_json()
    if not all(AUDIENCE_FIELD.fullmatch(name) for name in offer.audience):
        yield _say("audience", "AUDIENCE_MALFORMED")
    yield from (one for one in _uncoded(terms) if one.field not in {"id", "audience"})  # of which more is said already
    sizes = {name: len(json.dumps(value, ensure_ascii=False).encode()) for name, value in terms.items()}
    if sum(sizes.values()) > MOST_BYTES:
        yield _say(max(sizes, key=lambda name: sizes[name]), "TOO_LONG")


def _uncoded(terms: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Texts that are no codes."""
    for field, free in list_free_texts(terms):
        yield _say(field, "FREE_TEXT", text=free if len(free) <= MOST_SHOWN else f"{free[:MOST_SHOWN]}…")


def _reach(offer: Offer, places: Sequence[Place]) -> Iterator[Contradiction]:
    """Whether anything that is sold anywhere can ever take part."""
    merchants, shops = {place.merchant for place in places}, {place.shop: place.merchant for place in places}
    match = offer.match
    unknown = False
    for name in sorted(match.merchants - merchants):
        unknown = True
        yield _say("match.merchants", "MERCHANT_UNKNOWN", name=name)
    for name in sorted(match.shops):
        if name not in shops:
            unknown = True
            yield _say("match.shops", "SHOP_UNKNOWN", name=name)
        elif match.merchants and shops[name] not in match.merchants:
            unknown = True
            yield _say("match.shops", "SHOP_ELSEWHERE", name=name)
    if unknown:
        return
    near = [place for place in places if is_in_scope(match, place)]
    if not any(can_match(match, place) for place in near):
        yield _say("match", "EMPTY_MATCH")
    for number, part in enumerate(offer.components):
        if not any(can_match(match, place, part.match) for place in near):
            yield _say(f"components.{number}.match", "EMPTY_MATCH")


def _savings(offer: Offer, places: Sequence[Place]) -> Iterator[Contradiction]:
    """Whether a price is lower than the catalogue's, at any shop that sells by catalogue."""
    near = [place for place in places if place.till == "items" and is_in_scope(offer.match, place)]
    if offer.kind is Kind.FIXED_UNIT_PRICE:
        dearest = [price for place in near for price in place.prices(offer.match)]
        if dearest and max(dearest) <= offer.price:
            yield _say("price", "PRICE_WITHOUT_SAVING", price=yuan(offer.price))
    if offer.kind is Kind.BUNDLE:
        sets = [[cheapest_price(offer.match, place, part.match) for part in offer.components] for place in near]
        wholes = [
            sum(price * part.qty for price, part in zip(prices, offer.components, strict=True) if price is not None)
            for prices in sets
            if None not in prices
        ]
        if wholes and max(wholes) <= offer.price:
            yield _say("price", "BUNDLE_WITHOUT_SAVING", whole=yuan(max(wholes)), price=yuan(offer.price))
