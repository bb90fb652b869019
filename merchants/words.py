"""What a product is found by: its name in Chinese, in pinyin and by initials, and its codes. Pure.

A text is cut where the script changes: 美的电饭煲 5L is one run of characters and one of letters. Of characters every single one and
every neighbouring pair is kept; of their pinyin, and of the initials, every beginning from each syllable on; of letters and digits
every beginning. So whatever part of a name is typed from the start of a syllable is one word of the product, and finding it is a
look-up in an index of words: 饭煲, dianfan, fanb, dfb and 5l all find it. Nothing is guessed: what is found holds what was typed.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

MOST_TYPED = 100  # characters of a search that are looked at
MOST_LETTERS = 16  # of a beginning; whoever types more has found it already
MOST_SYLLABLES = 8  # of a beginning in initials
MOST_CHARACTERS = 60  # of a name that are searched by

_RUNS = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[a-z0-9]+")
_JOINTS = re.compile(r"(?<=[a-z0-9])[-_./+](?=[a-z0-9])")


def make_words(name: str, *, codes: Iterable[str] = (), others: Iterable[str] = ()) -> list[str]:
    """The words of a product, sorted: of its name, of its codes, and of `others` (variants, the merchant's name)."""
    words: set[str] = set()
    for text in (name, *others):
        for run in _cut(text[:MOST_CHARACTERS]):
            words.update(_words_of_characters(run) if _is_chinese(run) else _beginnings(run))
    for code in codes:
        plain = _plain(code)
        for run in (*_RUNS.findall(plain), re.sub("[^a-z0-9]", "", plain)):
            words.update(_beginnings(run))
    words.discard("")
    return sorted(words)


def read_query(typed: str) -> list[str]:
    """The words that a product must all have to be what was typed; none when nothing was typed that could be looked for."""
    words: dict[str, None] = {}
    for run in _cut(typed[:MOST_TYPED]):
        if not _is_chinese(run):
            words[run[:MOST_LETTERS]] = None
        elif len(run) == 1:
            words[run] = None
        else:
            words.update(dict.fromkeys(_pairs(run)))
    return list(words)


def plain_text(typed: str) -> str:
    """What was typed in the one spelling in which names are compared."""
    return " ".join(_plain(typed[:MOST_TYPED]).split())


def _cut(text: str) -> list[str]:
    """Runs of one script. A joint inside a code is passed over: `sf-5l` is also looked for as `sf5l`."""
    return _RUNS.findall(_JOINTS.sub("", _plain(text)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _is_chinese(run: str) -> bool:
    return run[0] >= "\u3400"


def _words_of_characters(run: str) -> Iterator[str]:
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415  half a second and 40 MB, and only what enters a product needs it

    yield from run
    yield from _pairs(run)
    syllables = lazy_pinyin(run, style=Style.NORMAL, errors="ignore")
    for start in range(len(syllables)):
        rest = syllables[start:]
        yield from _beginnings("".join(rest)[:MOST_LETTERS])
        yield from _beginnings("".join(syllable[0] for syllable in rest[:MOST_SYLLABLES]))


def _pairs(run: str) -> Iterator[str]:
    return (run[at : at + 2] for at in range(len(run) - 1))


def _beginnings(run: str) -> Iterator[str]:
    return (run[:length] for length in range(1, min(len(run), MOST_LETTERS) + 1))
