"""Single fields of an offer in words: for the differences between versions. Whole offers are put in words by `terms`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from api.offer_form import find_box
from api.pages import i18n
from api.pages.i18n import Language
from api.pages.pictures import CATEGORIES
from api.pages.terms import DAYS_EN, DAYS_ZH, PERIODS, say_percent
from market.kit.money import yuan
from market.offers.differences import Difference, flatten_terms

Names = Mapping[str, str]

LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("中文名称", "Chinese title"),
    "title_en": ("英文名称", "English title"),
    "stage": ("哪一步", "Step"),
    "kind": ("怎么减", "Kind"),
    "rate_bp": ("比例", "Rate"),
    "amount": ("金额", "Amount"),
    "price": ("价格", "Price"),
    "tiers": ("满减档", "Tiers"),
    "repeat": ("每满都减", "Repeats"),
    "buy": ("买几件", "Buy"),
    "get": ("优惠几件", "Get"),
    "get_rate_bp": ("优惠件减多少", "Off those"),
    "components": ("组合", "Set"),
    "match.any": ("全部商品", "Everything"),
    "match.skus": ("商品", "Items"),
    "match.categories": ("类别", "Categories"),
    "match.exclude_skus": ("除外商品", "Excluded items"),
    "match.merchants": ("商户", "Merchants"),
    "match.shops": ("门店", "Shops"),
    "channels": ("渠道", "Channels"),
    "audience.state": ("在职或退休", "At work or retired"),
    "audience.grade": ("等级", "Grades"),
    "audience.tags": ("会员标签", "Member tags"),
    "audience.unnamed": ("限哪些会员", "Which members"),
    "window.from": ("开始", "Begins"),
    "window.to": ("结束", "Ends"),
    "weekdays": ("星期", "Weekdays"),
    "hours": ("时段", "Hours"),
    "zone": ("时区", "Time zone"),
    "min_spend": ("最低消费", "Minimum spend"),
    "min_qty": ("最少件数", "Fewest items"),
    "max_discount": ("最多减", "Most off"),
    "max_units": ("最多件数", "Most items"),
    "budgets": ("预算", "Budgets"),
    "allowance": ("额度", "Allowance"),
    "on_shortage": ("预算不够时", "When the budget is short"),
    "consent": ("会员同意", "Member's consent"),
    "group": ("互斥组", "Group"),
    "alone": ("独享", "Alone"),
    "line_stackable": ("同件叠加", "Shares an item"),
    "priority": ("先后", "Priority"),
    "rebate_to": ("返给谁", "Rebate to"),
    "sponsor": ("哪级工会出钱", "Union level that pays"),
    "sponsor_share_bp": ("工会出多少", "Union's share"),
    "limits.uses": ("每人次数", "Uses each"),
    "limits.amount_fen": ("每人金额", "Amount each"),
    "limits.period": ("按什么算", "Counted"),
    "limits.total_fen": ("总额", "Total"),
}
WORDS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("audience.unnamed", "few"): ("一类会员，不到 100 人，不公开", "a class of fewer than 100, not named"),
    ("channels", "shop"): ("到店", "in shops"),
    ("channels", "online"): ("在线", "online"),
    ("on_shortage", "none"): ("不用", "does not apply"),
    ("on_shortage", "partial"): ("剩多少补多少", "gives what is left"),
    ("consent", "auto"): ("自动用", "automatic"),
    ("consent", "ask"): ("会员同意才用", "only when he agrees"),
    ("alone", "none"): ("可同享", "with others"),
    ("alone", "stage"): ("同类只用这一个", "alone of its step"),
    ("alone", "all"): ("不与任何优惠同享", "with no other offer"),
    ("rebate_to", "member"): ("会员", "the member"),
    ("rebate_to", "union"): ("工会经费账户", "the union's fund"),
    ("stage", "line"): ("单件", "item"),
    ("stage", "order"): ("整单", "order"),
    ("stage", "subsidy"): ("工会补贴", "subsidy"),
    ("stage", "rebate"): ("返利", "rebate"),
    ("kind", "percent_off"): ("打折", "percentage off"),
    ("kind", "amount_off_unit"): ("每件减", "amount off each"),
    ("kind", "fixed_unit_price"): ("特价", "fixed price"),
    ("kind", "buy_x_get_y"): ("买几送几", "buy some, get some"),
    ("kind", "bundle"): ("组合价", "set price"),
    ("kind", "amount_off"): ("立减", "amount off"),
    ("kind", "spend_save"): ("满减", "spend and save"),
    ("kind", "percent_back"): ("按比例返", "percentage back"),
    ("kind", "amount_back"): ("返定额", "amount back"),
}
BOX_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    **{
        find_box(field): words
        for field, words in LABELS.items()
        if field not in {"match.any", "audience.state", "audience.unnamed"}
    },
    "id": ("优惠编号", "Offer id"),
    "audience": ("会员", "Members"),
    "parts": ("组合", "Set"),
    "note": ("为什么", "Why"),
}
WHERE: Final = (
    "match.skus",
    "match.categories",
    "components",
    "match.exclude_skus",
    "match.merchants",
    "match.shops",
    "channels",
    "window.from",
    "sponsor",
    "sponsor_share_bp",
    "budgets",
    "allowance",
    "on_shortage",
    "consent",
    "group",
    "alone",
    "line_stackable",
    "priority",
    "zone",
)
EVERYTHING: Final = ("全部商品", "everything sold there")
NOTHING: Final = ("没有", "none")
YES: Final = ("是", "yes")
MONEY: Final = frozenset({"amount", "price", "min_spend", "max_discount", "limits.amount_fen", "limits.total_fen"})


def say_where(terms: Mapping[str, Any], language: Language, names: Names) -> tuple[str, ...]:
    """Where an offer holds and on what, who pays from which budget, and how it stacks: all that `terms.say_gates` leaves out."""
    fields = flatten_terms(terms)
    colon = ": " if language == "en" else "："
    said = [
        f"{LABELS[name][language == 'en']}{colon}{_say(name, fields[name], language, names)}"
        for name in WHERE
        if name in fields
    ]
    return tuple(said if {"match.skus", "match.categories"} & fields.keys() else [EVERYTHING[language == "en"], *said])


def name_box(box: str, language: Language) -> str:
    """What a box of the form is called, for a list of what is still wrong."""
    return BOX_NAMES.get(box, (box, box))[language == "en"]


def say_difference(found: Difference, language: Language, names: Names) -> tuple[str, str, str]:
    """Label, old and new value in words; `names` are those of merchants and shops by code."""
    english = language == "en"
    label = LABELS.get(found.field, (found.field, found.field))[english]
    return label, _say(found.field, found.old, language, names), _say(found.field, found.new, language, names)


def _say(field: str, value: Any, language: Language, names: Names) -> str:  # noqa: ANN401  any value of a document
    english = language == "en"
    if value is None or value == []:
        return NOTHING[english]
    if value is True:
        return YES[english]
    if field in MONEY:
        return f"¥{yuan(value)}"
    if field.endswith("_bp"):
        return say_percent(value)
    if field in ("window.from", "window.to"):
        at = datetime.fromisoformat(value)
        return f"{i18n.full_day(at, language)} {i18n.clock(at)}"
    values = value if isinstance(value, list) else [value]
    return (", " if english else "、").join(_say_one(field, one, english, names) for one in values)


def _say_one(field: str, value: Any, english: bool, names: Names) -> str:  # noqa: ANN401, FBT001  as above
    """One row of a field that may have several."""
    match field:
        case "tiers":
            least, off = yuan(value["min"]), yuan(value["off"])
            return f"¥{off} off from ¥{least}" if english else f"满 ¥{least} 减 ¥{off}"
        case "components":
            parts = [
                (f"match.{part}", code) for part in ("skus", "categories") for code in value["match"].get(part, ())
            ]
            named = "/".join(_name(part, code, english, names) for part, code in parts) or EVERYTHING[english]
            return f"{named} × {value['qty']}"
        case "weekdays":
            return DAYS_EN[value - 1] if english else f"周{DAYS_ZH[value - 1]}"
        case "hours":
            return "–".join(value)
        case "limits.period":
            return PERIODS[value][english]
    return _name(field, str(value), english, names)


def _name(field: str, code: str, english: bool, names: Names) -> str:  # noqa: FBT001  as above
    """What a code is called: a choice, a category of shops, something with a name; else itself."""
    if said := WORDS.get((field, code)):
        return said[english]
    if field == "match.categories" and code in CATEGORIES:
        return i18n.translate("en" if english else "zh-CN", CATEGORIES[code].label)
    return names.get(code, code)
