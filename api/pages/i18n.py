"""Languages of the pages: which one a reader gets, the catalogue, and how money, dates and times are written.

The Chinese text is the msgid. English lives in `api/locales/en/LC_MESSAGES/messages.po`, read at start-up as it is:
there is no compiled file that could be older than its source.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal, TypeAlias, cast
from zoneinfo import ZoneInfo

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

Language: TypeAlias = Literal["zh-CN", "en"]

LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
SOURCE_LANGUAGE: Language = "zh-CN"
BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
CATALOGUE = Path(__file__).parents[1] / "locales" / "en" / "LC_MESSAGES" / "messages.po"

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def resolve_language(*, asked: str | None, cookie: str | None, accept: str | None) -> Language:
    """The language of a request: `?lang=`, then the cookie, then Accept-Language, then Chinese.

    Anything that is neither Chinese nor English is passed over; q values are respected, q=0 excludes.
    """
    for value in (asked, cookie):
        if language := _known(value):
            return language
    offers = []
    for position, part in enumerate((accept or "").split(",")):
        tag, _, parameter = part.strip().partition(";")
        language = _known(tag)
        if language and (quality := _quality(parameter)) > 0:
            offers.append((-quality, position, language))
    return min(offers)[2] if offers else SOURCE_LANGUAGE


def _known(tag: str | None) -> Language | None:
    primary = (tag or "").strip().lower().partition("-")[0]
    return {"zh": "zh-CN", "en": "en"}.get(primary)  # type: ignore[return-value]


def _quality(parameter: str) -> int:
    """A q value in thousandths; malformed counts as 0, absent as 1000."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1000
    whole, _, fraction = value.strip().partition(".")
    if name.strip() != "q" or whole not in {"0", "1"} or not (fraction or "0").isdecimal():
        return 0
    return min(1000, int(whole) * 1000 + int(fraction[:3].ljust(3, "0")))


@lru_cache
def translations(language: Language) -> NullTranslations:
    """The gettext object of a language; Chinese needs none."""
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return cast("NullTranslations", Translations(compiled))


def translate(language: Language, text: str, /, **values: object) -> str:
    """Translate a Chinese source text from Python; `%(name)s` places are filled from `values`."""
    translated = translations(language).gettext(text)
    return translated % values if values else translated


def yuan(fen: int) -> str:
    """An amount of fen as people write it: ¥15.40, −¥1,240.00."""
    whole, cents = divmod(abs(fen), 100)
    return f"{'−' if fen < 0 else ''}¥{whole:,}.{cents:02d}"


def yuan_parts(fen: int) -> tuple[str, str]:
    """The amount cut for big figures with small fen: (¥15, .40)."""
    text = yuan(fen)
    return text[:-3], text[-3:]


def yuan_short(fen: int, language: Language) -> str:
    """A large amount for an axis or a headline: 12.3 万 or 123k; below 10,000 yuan whole yuan. Truncates, never rounds up."""
    whole = abs(fen) // 100
    sign = "−" if fen < 0 else ""
    if whole < 10_000:
        return f"{sign}{whole:,}"
    if language == "en":
        unit, name = (1_000_000, "M") if whole >= 1_000_000 else (1_000, "k")
    else:
        unit, name = (100_000_000, " 亿") if whole >= 100_000_000 else (10_000, " 万")
    tenths = whole * 10 // unit
    return f"{sign}{tenths // 10:,}.{tenths % 10}{name}" if tenths < 1000 else f"{sign}{tenths // 10:,}{name}"


def local(at: datetime) -> datetime:
    """The instant in the business zone; a naive one is a programmer's error."""
    if at.tzinfo is None:
        message = "a page was given an instant without a time zone"
        raise ValueError(message)
    return at.astimezone(BUSINESS_ZONE)


def day(on: date | datetime, language: Language) -> str:
    """12月1日 or 1 Dec."""
    on = local(on) if isinstance(on, datetime) else on
    return f"{on.day} {MONTHS[on.month - 1]}" if language == "en" else f"{on.month}月{on.day}日"


def full_day(on: date | datetime, language: Language) -> str:
    """2026年12月1日 or 1 Dec 2026."""
    on = local(on) if isinstance(on, datetime) else on
    return f"{day(on, language)} {on.year}" if language == "en" else f"{on.year}年{day(on, language)}"


def month(on: date, language: Language) -> str:
    """2026年12月 or Dec 2026."""
    return f"{MONTHS[on.month - 1]} {on.year}" if language == "en" else f"{on.year}年{on.month}月"


def month_short(on: date, language: Language) -> str:
    """12月 or Dec."""
    return MONTHS[on.month - 1] if language == "en" else f"{on.month}月"


def clock(at: datetime) -> str:
    """12:05 in the business zone."""
    return f"{local(at):%H:%M}"


def moment(at: datetime, language: Language) -> str:
    """12月1日 12:05 or 1 Dec, 12:05."""
    return f"{day(at, language)}{',' if language == 'en' else ''} {clock(at)}"


# What templates may call as a filter; each takes the value and the `language` it is written in.
FORMATS: Mapping[str, Callable[..., str]] = {
    "day": day,
    "full_day": full_day,
    "month": month,
    "month_short": month_short,
    "moment": moment,
    "yuan_short": yuan_short,
}
