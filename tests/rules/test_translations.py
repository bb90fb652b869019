"""The English is complete: every text of the sources stands in the catalogue, and nothing else does."""

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from jinja2 import nodes

from api.pages.i18n import CATALOGUE
from api.pages.kit import TEMPLATE_FOLDER, environment
from bench.catalogue import extracted

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
PLACES = re.compile(r"%\(\w+\)s")
# Words that say in their own language which language one would get, and the mark for hidden characters.
OWN_LANGUAGE = {"改用中文", "中", "中文", "＊＊"}

with CATALOGUE.open("rb") as file:
    ENGLISH = read_po(file, locale="en")
MESSAGES = [message for message in ENGLISH if message.id]


def texts(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def test_the_catalogue_holds_exactly_the_texts_of_the_sources() -> None:
    wanted = {(message.context, message.id) for message in extracted() if message.id}
    assert {(message.context, message.id) for message in MESSAGES} == wanted, "python -m bench.catalogue"
    assert len(wanted) > 100


def test_every_text_is_translated_with_all_its_places() -> None:
    assert [message.id for message in MESSAGES if not is_whole(message)] == []


def is_whole(message: Message) -> bool:
    places = sorted(PLACES.findall(texts(message.id)[0]))
    return not message.fuzzy and all(
        english.strip() and not CHINESE.search(english) and sorted(PLACES.findall(english)) == places
        for english in texts(message.string)
    )


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("你好 %(name)s", "Hello"),
        ("你好", "你好"),
        ("你好", " "),
        ("你好", ""),
        ("%(num)s 件", ("%(num)s piece", "pieces")),
    ],
)
def test_a_text_half_translated_is_seen(text: str, english: str | tuple[str, ...]) -> None:
    assert not is_whole(Message(text if isinstance(english, str) else (text, text), english))


def test_no_translation_is_left_over() -> None:
    assert not ENGLISH.obsolete


@pytest.mark.parametrize("path", sorted(TEMPLATE_FOLDER.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_speaks_chinese_past_the_catalogue(path: object) -> None:
    tree = environment("zh-CN").parse(path.read_text())  # type: ignore[attr-defined]
    marked = {id(argument) for call in _calls(tree) for argument in call.args}
    said = [node.value for node in tree.find_all(nodes.Const) if id(node) not in marked and isinstance(node.value, str)]
    said += [data.data for data in tree.find_all(nodes.TemplateData)]
    loose = [word for text in said for word in re.findall(rf"(?:{CHINESE.pattern})+", text)]
    assert [word for word in loose if word not in OWN_LANGUAGE] == []


def _calls(tree: nodes.Template) -> Iterator[nodes.Call]:
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in {"_", "gettext", "ngettext", "pgettext"}:
            yield call
