"""What a product is found by, and what is looked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.words import MOST_LETTERS, MOST_TYPED, make_words, plain_text, read_query

WORDS = set(make_words("美的电饭煲 5L 智能预约", codes=["SF-5L-01"], others=["珍珠白", "红炉电器"]))


@pytest.mark.parametrize(
    "typed",
    [
        "电饭煲",
        "饭煲",
        "煲",
        "美的 电饭煲",
        "dianfanbao",
        "dianfan",
        "dianf",
        "fanbao",
        "dfb",
        "mddfb",
        "ＤＦＢ",
        "dian fan bao",
        "5L",
        "5l 电饭煲",
        "电饭煲5l",
        "sf-5l",
        "SF5L",
        "sf-5l-01",
        "sf 5l",
        "珍珠白",
        "zzb",
        "红炉",
        "hongludianqi",
        "智能，预约",
    ],
)
def test_a_product_is_found_by(typed):
    assert read_query(typed)
    assert set(read_query(typed)) <= WORDS


@pytest.mark.parametrize("typed", ["电煲", "饭电", "ianfan", "fandian", "bfd", "电饭锅", "15l", "sf-6l", "dianfanguo"])
def test_a_product_is_not_found_by(typed):
    assert read_query(typed)
    assert not set(read_query(typed)) <= WORDS


@pytest.mark.parametrize("typed", ["", " ", "！？", "%", "'", "\x00", "—"])
def test_nothing_to_look_for_is_no_word(typed):
    assert read_query(typed) == []


def test_sounds_follow_the_word_and_not_the_character():
    assert "chongqing" in make_words("重庆小面")
    assert "yinhang" in make_words("银行")


def test_what_is_compared_with_a_name_is_made_plain():
    assert plain_text("  电饭煲　５Ｌ ") == "电饭煲 5l"


@given(st.text(max_size=80))
def test_any_name_is_found_by_its_beginning(name):
    words = set(make_words(name))
    for typed in (name[:20], *name.split()[:1]):
        assert all(word in words for word in read_query(typed[:20]) if len(word) < 2 or word[0] >= "\u3400")


@given(st.text(max_size=3 * MOST_TYPED))
def test_no_query_grows_beyond_bounds(typed):
    words = read_query(typed)
    assert len(words) <= MOST_TYPED
    assert all(1 <= len(word) <= MOST_LETTERS for word in words)


@given(st.text(alphabet="电饭煲智能锅的重庆abc5-. ", max_size=400))
def test_no_name_grows_beyond_bounds(name):
    assert len(make_words(name)) < 1_400
