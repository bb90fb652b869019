"""The form in which an officer writes an offer, and the pricing document it makes; both ways. Pure.

A form is what browsers send: names with lists of texts. Yuan become fen and percent basis points digit by digit; no float sees money.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.typed import Field, read_yuan
from market.kit.clock import get_zone
from market.kit.errors import InvalidError
from market.kit.money import yuan
from market.offers.contradictions import Contradiction
from market.pricing.kinds import PARAMETERS

Form = Mapping[str, Sequence[str]]

KINDS: Final = tuple(f"{stage}.{kind}" for stage, kind in PARAMETERS)
MOST_TYPED: Final = 200  # characters of one field
MOST_ROWS: Final = 60
_PERCENT: Final = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,2}))?", re.ASCII)
_WHOLE: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_INVALID: Final = {
    "REQUIRED": ("请填写这一项。", "Fill this in."),
    "PERCENT": ("填百分数，如 10 或 12.5。", "Give a percentage, such as 10 or 12.5."),
    "NUMBER": ("填整数。", "Give a whole number."),
    "TIME": ("填日期和时间。", "Give a date and a time."),
    "PAIR": ("两格都要填。", "Fill both boxes."),
    "LONG": ("太长了，请缩短。", "Too long; make it shorter."),
}

# Which box of the form a field of the document stands in.
BOXES: Final[Mapping[str, str]] = {
    "rate_bp": "rate",
    "get_rate_bp": "get_rate",
    "tiers": "tiers",
    "components": "parts",
    "match": "sku",
    "match.merchants": "merchant",
    "match.shops": "shop",
    "match.skus": "sku",
    "match.categories": "category",
    "match.exclude_skus": "exclude",
    "window": "to",
    "window.from": "from",
    "window.to": "to",
    "weekdays": "weekday",
    "channels": "channel",
    "line_stackable": "stackable",
    "sponsor_share_bp": "share",
    "budgets": "budget",
    "limits.uses": "uses",
    "limits.amount_fen": "limit_amount",
    "limits.total_fen": "total",
    "limits.period": "period",
}
YUAN: Final = {  # box → (field of the document, words)
    "amount": ("amount", Field("金额", "Amount")),
    "price": ("price", Field("价格", "Price")),
    "min_spend": ("min_spend", Field("最低消费", "Minimum spend")),
    "max_discount": ("max_discount", Field("最多减", "Most off")),
}
PERCENTS: Final = {"rate": "rate_bp", "get_rate": "get_rate_bp", "share": "sponsor_share_bp"}
NUMBERS: Final = {"buy": "buy", "get": "get", "min_qty": "min_qty", "max_units": "max_units", "priority": "priority"}
TEXTS: Final = ("sponsor", "allowance", "group", "zone")
CHOICES: Final = {
    "on_shortage": "none",
    "alone": "none",
    "consent": "auto",
    "rebate_to": "member",
}  # with their defaults
SCOPES: Final = {
    "sku": "skus",
    "category": "categories",
    "exclude": "exclude_skus",
    "merchant": "merchants",
    "shop": "shops",
}


@dataclass(frozen=True, slots=True)
class Written:
    """What a form says: the pricing document's terms, the limits beside them, the words, and what could not be read, by box."""

    terms: dict[str, Any]
    limits: dict[str, Any]
    title: str
    title_en: str
    note: str
    problems: tuple[Contradiction, ...]


def keep_form(sent: Iterator[tuple[str, object]]) -> dict[str, list[str]]:
    """The texts of a sent form by name, bounded; files and the form's token are no part of it."""
    form: dict[str, list[str]] = {}
    for name, value in sent:
        if isinstance(value, str) and name not in {"csrf_token", "back"} and len(name) <= 40:
            rows = form.setdefault(name, [])
            if len(rows) < MOST_ROWS:
                rows.append("".join(char for char in value[: MOST_TYPED * 3] if char.isprintable()).strip())
    ends = {name: max((place for place, text in enumerate(rows, 1) if text), default=0) for name, rows in form.items()}
    return {name: rows[: ends[name]] for name, rows in form.items() if ends[name]}


def read_form(form: Form, *, codes: Mapping[str, str]) -> Written:
    """The document that a form makes. `codes` are merchants by name, so that either may be typed. What cannot be read is a problem."""
    pen = _Pen(form)
    stage, _, kind = pen.one("kind").partition(".")
    pen.terms |= {"id": pen.one("id"), "stage": stage, "kind": kind}
    if not pen.one("id"):
        pen.wrong("id", "REQUIRED")
    for box in ("title", "title_en"):
        if not pen.one(box):
            pen.wrong(box, "REQUIRED")
        elif len(pen.one(box)) > MOST_TYPED:
            pen.wrong(box, "LONG")
    _read_kind(pen, PARAMETERS.get((stage, kind), ()))
    _read_match(pen, codes)
    _read_when_and_who(pen)
    for box in ("min_spend", "max_discount"):
        pen.put(YUAN[box][0], pen.yuan(box))
    for box in ("min_qty", "max_units", "priority"):
        pen.put(NUMBERS[box], pen.number(box))
    pen.put("sponsor_share_bp", pen.percent("share"))
    for box in TEXTS:
        pen.put(box, pen.one(box) or None)
    for box, default in CHOICES.items():
        pen.put(box, value if (value := pen.one(box)) not in {"", default} else None)
    pen.put("budgets", pen.many("budget") or None)
    pen.put("line_stackable", True if pen.one("stackable") else None)
    return Written(
        terms=pen.terms,
        limits=_read_limits(pen),
        title=pen.one("title"),
        title_en=pen.one("title_en"),
        note=pen.one("note"),
        problems=tuple(pen.problems),
    )


def fill_form(terms: Mapping[str, Any], limits: Mapping[str, Any], **words: str) -> dict[str, list[str]]:
    """The form that makes these terms and limits; `words` are title, title_en, note."""
    match, window = terms.get("match", {}), terms.get("window", {})
    form: dict[str, list[str]] = {name: [value] for name, value in words.items()}
    form |= {"id": [terms["id"]], "kind": [f"{terms['stage']}.{terms['kind']}"]}
    form |= {box: [yuan(terms[name])] for box, (name, _) in YUAN.items() if name in terms}
    form |= {box: [_say_percent(terms[name])] for box, name in PERCENTS.items() if name in terms}
    form |= {box: [str(terms[name])] for box, name in NUMBERS.items() if name in terms}
    form |= {box: [str(terms[box])] for box in (*TEXTS, *CHOICES) if box in terms}
    form |= {box: [str(value) for value in match[name]] for box, name in SCOPES.items() if name in match}
    form |= {"tier.min": [yuan(tier["min"]) for tier in terms.get("tiers", ())]}
    form |= {"tier.off": [yuan(tier["off"]) for tier in terms.get("tiers", ())]}
    parts = terms.get("components", ())
    form |= {"part.sku": [" ".join(part["match"].get("skus", ())) for part in parts]}
    form |= {"part.category": [" ".join(part["match"].get("categories", ())) for part in parts]}
    form |= {"part.qty": [str(part["qty"]) for part in parts]}
    form |= {box: [_local(window[box])] for box in ("from", "to") if box in window}
    form |= {"weekday": [str(day) for day in terms.get("weekdays", ())], "channel": list(terms.get("channels", ()))}
    form |= {
        f"hours.{edge}": [pair[place] for pair in terms.get("hours", ())] for place, edge in enumerate(("from", "to"))
    }
    form |= {"audience.field": list(terms.get("audience", {}))}
    form |= {"audience.values": [" ".join(map(str, values)) for values in terms.get("audience", {}).values()]}
    form |= {"budget": list(terms.get("budgets", ()))}
    form |= {box: ["1"] for box, name in {"repeat": "repeat", "stackable": "line_stackable"}.items() if terms.get(name)}
    form |= {"uses": [str(limits["uses"])]} if "uses" in limits else {}
    form |= {"limit_amount": [yuan(limits["amount_fen"])]} if "amount_fen" in limits else {}
    form |= {"total": [yuan(limits["total_fen"])]} if "total_fen" in limits else {}
    form |= {"period": [limits["period"]]} if "period" in limits else {}
    return {name: values for name, values in form.items() if any(values)}


def find_box(field: str) -> str:
    """The box of the form in which a field of the document (`tiers.0.off`) stands."""
    parts = field.split(".")
    for length in range(len(parts), 0, -1):
        if box := BOXES.get(".".join(parts[:length])):
            return box
    return parts[0]


def _read_kind(pen: "_Pen", parameters: Sequence[str]) -> None:
    """The parameters of the kind, all of them needed."""
    for box, (name, _) in YUAN.items():
        if name in parameters:
            pen.put(name, pen.yuan(box, required=True))
    for box, name in PERCENTS.items():
        if name in parameters:
            pen.put(name, pen.percent(box, required=True))
    for box in ("buy", "get"):
        if box in parameters:
            pen.put(box, pen.number(box, required=True))
    if "tiers" in parameters:
        tiers = [
            {"min": pen.yuan("tier.min", place, box="tiers") or 0, "off": pen.yuan("tier.off", place, box="tiers") or 0}
            for place in pen.rows("tier.min", "tier.off", box="tiers")
        ]
        pen.put_some("tiers", tiers, box="tiers")
        pen.put("repeat", True if pen.one("repeat") else None)
    if "components" in parameters:
        _read_parts(pen)


def _read_parts(pen: "_Pen") -> None:
    """The components of a bundle: items by code or category, and how many."""
    parts = []
    for place in pen.rows("part.sku", "part.category", "part.qty"):
        match: dict[str, Any] = {
            name: list(dict.fromkeys(pen.at(box, place).split()))
            for box, name in (("part.sku", "skus"), ("part.category", "categories"))
            if pen.at(box, place)
        }
        if not match:
            pen.wrong("parts", "PAIR")
        parts.append({"match": match or {"any": True}, "qty": pen.number("part.qty", place, box="parts") or 1})
    pen.put_some("components", parts, box="parts")


def _read_match(pen: "_Pen", codes: Mapping[str, str]) -> None:
    match: dict[str, Any] = {name: values for box, name in SCOPES.items() if (values := pen.many(box))}
    if "merchants" in match:
        match["merchants"] = list(dict.fromkeys(codes.get(name, name) for name in match["merchants"]))
    if match:
        pen.terms["match"] = match if {"skus", "categories"} & match.keys() else {"any": True, **match}


def _read_when_and_who(pen: "_Pen") -> None:
    window = {edge: instant for edge in ("from", "to") if (instant := pen.instant(edge))}
    pen.put("window", window or None)
    pen.put("weekdays", sorted({int(day) for day in pen.many("weekday") if day in set("1234567")}) or None)
    hours = [
        [pen.at("hours.from", place), pen.at("hours.to", place)]
        for place in pen.rows("hours.from", "hours.to", box="hours")
    ]
    pen.put("hours", hours or None)
    pen.put("channels", pen.many("channel") or None)
    audience: dict[str, list[str]] = {}
    for place in pen.rows("audience.field", "audience.values", box="audience"):
        values = re.split(r"[\s,，、;；]+", pen.at("audience.values", place))
        audience.setdefault(pen.at("audience.field", place), []).extend(value for value in values if value)
    pen.put("audience", {name: list(dict.fromkeys(values)) for name, values in audience.items() if name} or None)


def _read_limits(pen: "_Pen") -> dict[str, Any]:
    limits: dict[str, Any] = {
        "uses": pen.number("uses"),
        "amount_fen": pen.yuan("limit_amount"),
        "total_fen": pen.yuan("total"),
    }
    kept = {name: value for name, value in limits.items() if value is not None}
    return {**kept, "period": pen.one("period") or "ever"} if {"uses", "amount_fen"} & kept.keys() else kept


class _Pen:
    """Reads boxes and writes terms; what cannot be read is kept as a problem of its box."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.terms: dict[str, Any] = {}
        self.problems: list[Contradiction] = []

    def one(self, box: str) -> str:
        return self.at(box, 0)

    def at(self, box: str, place: int) -> str:
        rows = self.form.get(box, ())
        return rows[place].strip() if place < len(rows) else ""

    def many(self, box: str) -> list[str]:
        return list(dict.fromkeys(text.strip() for text in self.form.get(box, ()) if text.strip()))

    def rows(self, *boxes: str, box: str | None = None) -> list[int]:
        """The places of rows in which something is typed; with `box`, each must be complete."""
        count = max(len(self.form.get(name, ())) for name in boxes)
        filled = [[bool(self.at(name, place)) for name in boxes] for place in range(count)]
        if box and any(any(row) and not all(row) for row in filled):
            self.wrong(box, "PAIR")
        return [place for place, row in enumerate(filled) if (all(row) if box else any(row))]

    def put(self, name: str, value: object) -> None:
        if value is not None:
            self.terms[name] = value

    def put_some(self, name: str, rows: list[Any], *, box: str) -> None:
        if rows:
            self.terms[name] = rows
        else:
            self.wrong(box, "REQUIRED")

    def wrong(self, box: str, code: str) -> None:
        self.note(Contradiction(box, code, *_INVALID[code]))

    def note(self, problem: Contradiction) -> None:
        """One problem a box is enough."""
        if not any(one.field == problem.field for one in self.problems):
            self.problems.append(problem)

    def typed(self, name: str, place: int = 0, *, box: str, required: bool) -> str:
        """What stands in a box; an empty one is a problem where something is needed."""
        text = self.at(name, place)
        if required and not text:
            self.wrong(box, "REQUIRED")
        return text

    def yuan(self, name: str, place: int = 0, *, box: str = "", required: bool = False) -> int | None:
        text = self.typed(name, place, box=box or name, required=required)
        if not text:
            return None
        try:
            return read_yuan(text, field=YUAN[name][1] if name in YUAN else Field("金额", "Amount"))
        except InvalidError as error:
            self.note(Contradiction(box or name, error.code, error.sentence("zh"), error.sentence("en")))
            return None

    def percent(self, box: str, *, required: bool = False) -> int | None:
        text = self.typed(box, box=box, required=required).removesuffix("%").strip()
        if found := _PERCENT.fullmatch(text):
            return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
        if text:
            self.wrong(box, "PERCENT")
        return None

    def number(self, name: str, place: int = 0, *, box: str = "", required: bool = False) -> int | None:
        text = self.typed(name, place, box=box or name, required=required)
        if _WHOLE.fullmatch(text):
            return int(text)
        if text:
            self.wrong(box or name, "NUMBER")
        return None

    def instant(self, box: str) -> str | None:
        """A local time of the business zone, as the document writes instants."""
        text = self.one(box)
        if not text:
            return None
        try:
            return datetime.fromisoformat(text).replace(tzinfo=get_zone()).isoformat()
        except ValueError:
            self.wrong(box, "TIME")
            return None


def _say_percent(rate_bp: int) -> str:
    whole, rest = divmod(rate_bp, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".")


def _local(instant: str) -> str:
    """An instant of a document as the browser's field for a local time takes it."""
    return datetime.fromisoformat(instant).astimezone(get_zone()).strftime("%Y-%m-%dT%H:%M")
