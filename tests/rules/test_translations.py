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


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: str(message.id)[:40])
def test_a_text_is_translated_with_all_its_places(message: Message) -> None:
    assert not message.fuzzy
    for english in texts(message.string):
        assert english.strip()
        assert not CHINESE.search(english)
        assert sorted(PLACES.findall(english)) == sorted(PLACES.findall(texts(message.id)[0]))


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
