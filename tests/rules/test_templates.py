"""Templates and views fit each other exactly; pages keep to the Content-Security-Policy and can be used by everybody."""

import ast
import dataclasses
import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import meta, nodes

from api.pages import views
from api.pages.i18n import LANGUAGES, Language
from api.pages.kit import TEMPLATE_FOLDER, environment, render_text
from api.pages.views import TEMPLATES
from tests.gallery.frame import Sample, chrome
from tests.gallery.samples import SAMPLES

ROOT = Path(__file__).parents[2]
SOURCES = {str(path.relative_to(TEMPLATE_FOLDER)): path.read_text() for path in sorted(TEMPLATE_FOLDER.rglob("*.html"))}
VOID = {"meta", "link", "input", "img", "br", "hr", "line", "path", "rect", "circle", "ellipse"}


class Page(HTMLParser):
    """What the rules look at: tags with their attributes in order, and which form each field stands in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.forms: list[list[dict[str, str]]] = []
        self.bare: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag == "form":
            self.forms.append([attributes])
        elif "form" in self.open and tag in {"input", "button", "select"}:
            self.forms[-1].append(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"} and data.strip():
            self.bare.append(data)


@cache
def rendered(name: str, language: Language) -> str:
    sample = next(each for each in SAMPLES if each.name == name)
    return render_text(sample.template, sample.view, chrome(sample, language=language, notice="已保存"))


def test_every_page_has_a_view_and_every_view_a_page() -> None:
    pages = {name for name in SOURCES if name != "layout.html" and not name.startswith("kit/")}
    assert pages == set(TEMPLATES)
    assert len(set(TEMPLATES.values())) == len(TEMPLATES)


def test_a_template_uses_exactly_the_fields_of_its_view() -> None:
    env = environment("zh-CN")
    used = {
        template: meta.find_undeclared_variables(env.parse(SOURCES[template])) - set(env.globals) - {"page"}
        for template in TEMPLATES
    }
    assert used == {
        template: {field.name for field in dataclasses.fields(view)} for template, view in TEMPLATES.items()
    }


def test_no_field_of_a_view_hides_a_global() -> None:
    fields = {field.name for view in TEMPLATES.values() for field in dataclasses.fields(view)}
    assert not fields & (set(environment("zh-CN").globals) | {"page"})


def test_every_field_of_the_smaller_values_is_shown_somewhere() -> None:
    env = environment("zh-CN")
    read = {node.attr for source in SOURCES.values() for node in env.parse(source).find_all(nodes.Getattr)}
    for name in ("charts.py", "storefront.py", "views/shared.py"):
        tree = ast.parse((ROOT / "api" / "pages" / name).read_text())
        read |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    read |= {
        node.value
        for source in SOURCES.values()
        for node in env.parse(source).find_all(nodes.Const)
        if isinstance(node.value, str)
    }
    small = {
        value for value in vars(views).values() if dataclasses.is_dataclass(value) and value not in TEMPLATES.values()
    }
    unread = {
        f"{value.__name__}.{field.name}"
        for value in small
        for field in dataclasses.fields(value)
        if field.name not in read
    }  # type: ignore[union-attr]
    assert not unread


def test_every_view_has_a_sample() -> None:
    assert {sample.template for sample in SAMPLES} == set(TEMPLATES)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_no_template_goes_round_escaping_or_the_policy(name: str) -> None:
    source = SOURCES[name]
    forbidden = (
        r"\|\s*safe\b",
        r"autoescape",
        r"\sstyle=",
        r"<style",
        r"\son[a-z]+=",
        r"hx-on",
        r"js:",
        r"javascript:",
        r"https?://",
    )
    assert [pattern for pattern in forbidden if re.search(pattern, source)] == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_page_keeps_the_rules(sample: Sample) -> None:
    """One test a page, since rendering it is what takes the time."""
    for language in LANGUAGES:
        page = Page(rendered(sample.name, language))
        is_well_formed_with_one_headline_and_unique_ids(page, language)
        proves_where_what_changes_something_comes_from(page)
        has_htmx_on_ordinary_forms_only(page)
    adds_up(sample.view)


def is_well_formed_with_one_headline_and_unique_ids(page: Page, language: Language) -> None:
    assert page.open == []
    assert page.bare == [], "scripts and styles stand in files"
    assert not any("style" in attributes for _, attributes in page.tags)
    assert Counter(tag for tag, _ in page.tags)["h1"] == 1
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1 and not name.startswith("chart-")] == []
    for _, attributes in page.tags:
        for reference in ("for", "aria-labelledby", "aria-describedby", "data-for"):
            assert set(attributes.get(reference, "").split()) <= set(ids), attributes
    assert page.tags[0] == ("html", {"lang": language, "data-bs-theme": "light"})


def proves_where_what_changes_something_comes_from(page: Page) -> None:
    for form, *fields in page.forms:
        if form.get("method") == "post":
            assert {"type": "hidden", "name": "csrf_token", "value": "csrf-of-the-gallery"} in fields, form
        else:
            assert not any(field.get("name") == "csrf_token" for field in fields), (
                "a GET would show the secret in the address"
            )


def has_htmx_on_ordinary_forms_only(page: Page) -> None:
    for form, *_ in page.forms:
        for verb in ("get", "post"):
            if target := form.get(f"hx-{verb}"):
                assert (form.get("method", "get"), form.get("action")) == (verb, target)


def adds_up(value: object) -> None:
    if isinstance(value, views.Amounts):
        assert value.list_fen == value.concession_fen + value.subsidy_fen + value.paid_fen
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            adds_up(getattr(value, field.name))
    elif isinstance(value, tuple):
        for each in value:
            adds_up(each)


@pytest.mark.parametrize("name", [sample.name for sample in SAMPLES if sample.template.startswith("till/")])
def test_the_till_never_says_who_gives_or_why(name: str) -> None:
    """No payer, no reason, no name beyond the surname: the till shows list, discount and paid."""
    html = rendered(name, "zh-CN").replace("临江钢铁厂工会", "")
    assert re.findall("让利|补贴|预算|额度|工会|王建国", html) == []


def test_no_two_samples_have_the_same_name() -> None:
    """The second of two would be looked at and tested by nobody."""
    assert [name for name, count in Counter(sample.name for sample in SAMPLES).items() if count > 1] == []
