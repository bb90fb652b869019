"""Languages, amounts, dates."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages import i18n


@pytest.mark.parametrize(
    ("asked", "cookie", "accept", "language"),
    [
        (None, None, None, "zh-CN"),
        ("en", "zh-CN", "zh", "en"),
        ("fr", "en", "zh", "en"),
        (None, None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, None, "fr;q=1.0, zh-TW;q=0.5, en;q=0.4", "zh-CN"),
        (None, None, "en;q=0, zh;q=0.1", "zh-CN"),
        (None, None, "en;q=0", "zh-CN"),
        (None, None, "de,fr", "zh-CN"),
        (None, None, "en;q=oops, ,;q=1", "zh-CN"),
        ("", "", "", "zh-CN"),
    ],
)
def test_a_reader_gets_the_language_he_asked_for(
    asked: str | None, cookie: str | None, accept: str | None, language: str
) -> None:
    assert i18n.resolve_language(asked=asked, cookie=cookie, accept=accept) == language


@given(st.text(max_size=60))
def test_any_accept_language_gives_a_language(accept: str) -> None:
    assert i18n.resolve_language(asked=None, cookie=None, accept=accept) in i18n.LANGUAGES


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "¥0.00"), (5, "¥0.05"), (1540, "¥15.40"), (124_050, "¥1,240.50"), (-260, "−¥2.60"), (-5, "−¥0.05")],
)
def test_an_amount_is_written_in_yuan(fen: int, text: str) -> None:
    assert i18n.yuan(fen) == text
    assert "".join(i18n.yuan_parts(fen)) == text


@given(st.integers(-(10**12), 10**12))
def test_an_amount_can_be_read_back_to_the_fen(fen: int) -> None:
    text = i18n.yuan(fen).replace("−", "-").replace("¥", "").replace(",", "")
    whole, cents = text.lstrip("-").split(".")
    assert (int(whole) * 100 + int(cents)) * (-1 if text.startswith("-") else 1) == fen


@pytest.mark.parametrize(
    ("fen", "chinese", "english"),
    [
        (999_999, "9,999", "9,999"),
        (1_000_000, "1.0 万", "10.0k"),
        (19_450_220, "19.4 万", "194k"),
        (12_345_678_900, "1.2 亿", "123M"),
        (-19_450_220, "−19.4 万", "−194k"),
    ],
)
def test_a_large_amount_is_shortened_downwards(fen: int, chinese: str, english: str) -> None:
    assert (i18n.yuan_short(fen, "zh-CN"), i18n.yuan_short(fen, "en")) == (chinese, english)


def test_dates_are_those_of_the_business_zone() -> None:
    late = datetime(2026, 11, 30, 16, 5, tzinfo=UTC)  # already December in Shanghai
    assert i18n.day(late, "zh-CN") == "12月1日"
    assert i18n.day(late, "en") == "1 Dec"
    assert i18n.full_day(late, "zh-CN") == "2026年12月1日"
    assert i18n.clock(late) == "00:05"
    assert i18n.moment(late, "zh-CN") == "12月1日 00:05"
    assert i18n.moment(late, "en") == "1 Dec, 00:05"
    assert i18n.month(date(2026, 12, 1), "zh-CN") == "2026年12月"
    assert i18n.month(date(2026, 12, 1), "en") == "Dec 2026"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        i18n.clock(datetime(2026, 11, 30, 16, 5))  # noqa: DTZ001


def test_a_text_is_translated_with_its_values() -> None:
    assert i18n.translate("zh-CN", "还有 %(n)s 分钟", n=3) == "还有 3 分钟"
    assert i18n.translate("en", "还有 %(n)s 分钟", n=3) == "3 min left"
    assert i18n.translate("en", "没有人翻译过的话") == "没有人翻译过的话"
