"""What stands on the sheet of a week: figures of published entries, offers in force, the newest checkpoint. It reads what anybody may read."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

import cards
import merchants
from api.identity import find_kind
from api.pages.i18n import full_day, moment, yuan, yuan_short
from api.pages.offers import read_offer
from api.pages.public_record import show_published
from api.pages.terms import say_gives
from api.poster.printing import Printed, print_sheet
from market.kit.clock import business_day
from market.kit.errors import InvalidError
from market.kit.money import largest_remainder
from market.kit.settings import get_settings
from market.offers.models import OfferVersion
from market.offers.queries import list_found, list_open_to_all
from market.oversight.public_totals import sum_public_days
from market.oversight.queries import Totals
from market.record.log.checkpoints import parse_checkpoint
from market.record.log.notes import parse_note
from market.record.publishing.served import find_newest_checkpoint

WEEKS_SHOWN: Final = 8
OFFERS_SHOWN: Final = 5
OFFERS_READ: Final = 200
SIGNS_A_LINE: Final = {"title": 11, "gives": 8, "who": 15, "gives_en": 11}
_WEEK: Final = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)


class WeekUnknownError(InvalidError):
    """Not a week, or one that has not begun."""

    code = "WEEK_UNKNOWN"
    zh = "没有 {week} 这一周，或者它还没有开始。请写成 2026-W48 这样。"
    en = "There is no week {week}, or it has not begun yet. Write it as 2026-W48."


@dataclass(frozen=True, slots=True)
class Sheet:
    """The texts of a sheet, as `sheet.typ` names them, and what its QR codes say."""

    week: str
    texts: dict[str, Any]
    codes: dict[str, str]

    def print(self) -> Printed:
        """The sheet on paper."""
        return print_sheet(self.texts, codes=self.codes)


def read_week(week: str | None, *, at: datetime) -> date:
    """The Monday of a week written YYYY-Www (ISO 8601), or without one of the last whole week. Raises WeekUnknownError."""
    today = business_day(at)
    this_monday = today - timedelta(days=today.weekday())
    if not week:
        return this_monday - timedelta(days=7)
    found = _WEEK.fullmatch(week)
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        monday = None
    if monday is None or monday > this_monday:
        raise WeekUnknownError(week=week)
    return monday


def make_sheet(tx: Session, *, monday: date, address: str, at: datetime) -> Sheet:
    """The sheet of the week from `monday` on; offers and checkpoint are those of now. `address` is where the record is served."""
    sums = sum_public_days(tx, first=monday, beyond=monday + timedelta(days=7))
    year, number, _ = monday.isocalendar()
    sunday = monday + timedelta(days=6)
    union = get_settings().name or cards.find_union_name(tx) or "惠工"
    week = f"{year}-W{number:02}"
    offers, more = _offers(tx, at=at)
    texts = {
        "title": f"惠工公示 {week}",
        "union": union,
        "week": f"{year} 年第 {number} 周 · Week {number}, {year}",
        "days": f"{full_day(monday, 'zh-CN')} – {_short_end(monday, sunday)}",
        "is_demo": find_kind(tx) == "demo",
        "sales": f"{sums.sales:,}",
        "sales_en": f"{sums.sales:,} purchase{'' if sums.sales == 1 else 's'}",
        "list": yuan(sums.list_fen),
        "paid": yuan(sums.paid_fen),
        "concession": yuan(sums.concession_fen),
        "subsidy": yuan(sums.subsidy_fen),
        "saved": yuan(sums.concession_fen + sums.subsidy_fen),
        "rebate_member": yuan(sums.rebate_member_fen),
        "rebate_union": yuan(sums.rebate_union_fen),
        "parts": _parts(sums),
        "weeks": _weeks(tx, monday),
        "offers": offers,
        "more_offers": f"{more:,}" if more else "",
        "checkpoint": _checkpoint(tx),
        "address": address,
    }
    return Sheet(week, texts, {"record": f"{address}/record", "checkpoint": f"{address}/record/checkpoint"})


def _short_end(monday: date, sunday: date) -> str:
    return full_day(sunday, "zh-CN") if sunday.year != monday.year else f"{sunday.month}月{sunday.day}日"


def _parts(sums: Totals) -> list[dict[str, Any]]:
    """How the list price was shared; nothing where more went back than was sold."""
    amounts = (("concession", sums.concession_fen), ("subsidy", sums.subsidy_fen), ("paid", sums.paid_fen))
    if sums.list_fen <= 0 or min(fen for _, fen in amounts) < 0:
        return []
    tenths = largest_remainder(1_000, [fen for _, fen in amounts])  # so that the shares sum to 100 %
    return [
        {"name": name, "share": fen, "percent": f"{tenth // 10}.{tenth % 10}%"}
        for (name, fen), tenth in zip(amounts, tenths, strict=True)
        if fen
    ]


def _weeks(tx: Session, monday: date) -> list[dict[str, Any]]:
    """What members saved in each of the last weeks up to this one, in fen; drawn as nothing where more went back."""
    weeks = []
    for ago in range(WEEKS_SHOWN - 1, -1, -1):
        first = monday - timedelta(days=7 * ago)
        sums = sum_public_days(tx, first=first, beyond=first + timedelta(days=7))
        saved = sums.concession_fen + sums.subsidy_fen
        begins = f"{first.month}/{first.day}"
        weeks.append(
            {"saved": max(0, saved), "shown": yuan_short(saved, "zh-CN"), "begins": begins, "is_this": ago == 0}
        )
    return weeks


def _offers(tx: Session, *, at: datetime) -> tuple[list[dict[str, str]], int]:
    """A few offers that every member may use, the newest first, and how many more there are."""
    live = list_found(tx, shown="live", at=at, limit=OFFERS_READ)
    open_to_all = list_open_to_all(tx, versions=[(row.offer, row.version) for row in live])
    rows = [row for row in live if (row.offer, row.version) in open_to_all]
    names = {row.merchant: row.name for row in merchants.list_merchants(tx)} if rows else {}
    return [_offer(row, names) for row in rows[:OFFERS_SHOWN]], max(0, len(rows) - OFFERS_SHOWN)


def _offer(row: OfferVersion, names: dict[str, str]) -> dict[str, str]:
    offer = read_offer(row)
    who = _givers(row.merchants, names)
    texts = {"title": row.title, "gives": say_gives(offer, "zh-CN"), "who": who, "gives_en": say_gives(offer, "en")}
    return {name: _cut(text, SIGNS_A_LINE[name]) for name, text in texts.items()}


def _givers(codes: Sequence[str], names: dict[str, str]) -> str:
    if not codes:
        return "工会补贴 · from the union"
    first = names.get(codes[0], codes[0])
    return first if len(codes) == 1 else f"{first} 等 {len(codes)} 家商户 · {len(codes)} merchants"


def _cut(text: str, most: int) -> str:
    """A long name ends in an ellipsis, so that the sheet stays one page; Latin letters are half as wide."""
    width = 0.0
    for place, sign in enumerate(text):
        width += 0.55 if ord(sign) < 0x2E80 else 1
        if width > most:
            return f"{text[: max(0, place - 1)].rstrip()}…"
    return text


def _checkpoint(tx: Session) -> dict[str, Any] | None:
    note = find_newest_checkpoint(tx)
    published = show_published(tx)
    if note is None or published.signed_at is None:
        return None
    checkpoint = parse_checkpoint(parse_note(note).text)
    root = base64.b64encode(checkpoint.root).decode("ascii")
    cosigned, witnesses = published.cosigned_count, published.witnesses_count
    return {
        "origin": checkpoint.origin,
        "size": f"{checkpoint.size:,}",
        "counted": _say_counted(published.counted_count, checkpoint.size),
        "signed": moment(published.signed_at, "zh-CN"),
        "groups": [root[at : at + 4] for at in range(0, len(root), 4)],
        "witnesses": f"{cosigned} / {witnesses} 家见证签了名" if witnesses else "还没有请外部见证（0 家）",
        "witnesses_en": f"{cosigned} of {witnesses} outside witnesses",
    }


def _say_counted(counted: int, size: int) -> str:
    """Which of the published entries the figures of the sheet come from."""
    if counted < size:
        return f"本页只数了前 {counted:,} 条，其余正在补数。 Figures count the first {counted:,} so far."
    return "本页的数都从这些记录来。 All figures come from these entries."
