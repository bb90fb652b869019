import re
from collections.abc import Callable

import pytest
from _pytest.mark import ParameterSet
from playwright.sync_api import Page, expect

LOOKS = [("phone", "light", "zh-CN"), ("phone", "dark", "en"), ("desk", "light", "en"), ("desk", "dark", "zh-CN")]
ROLES = ["member", "assistant", "owner", "officer", "auditor"]


def in_turn(names: list[str]) -> list[ParameterSet]:
    """Each of them in two of the four looks; `make prove` takes all."""
    return [
        pytest.param(name, *look, marks=() if (number + turn) % 2 else pytest.mark.prove)
        for number, name in enumerate(names)
        for turn, look in enumerate(LOOKS)
    ]


@pytest.mark.parametrize(
    ("path", "screen", "scheme", "language"), in_turn(["/", "/sign-in", "/record/months", "/nowhere"])
)
def test_what_anybody_may_see_looks_right(
    open_page: Callable[..., Page],
    look_at: Callable[..., None],
    site: str,
    path: str,
    screen: str,
    scheme: str,
    language: str,
) -> None:
    page = open_page(screen, scheme=scheme, language=language)
    answer = page.goto(site + path)
    assert answer is not None
    assert answer.status == (404 if path == "/nowhere" else 200)
    expect(page.locator("html")).to_have_attribute("lang", re.compile("^en" if language == "en" else "^zh"))
    look_at(page, "page")


@pytest.mark.parametrize(("role", "screen", "scheme", "language"), in_turn(ROLES))
def test_the_first_page_of_each_role_looks_right(
    open_page: Callable[..., Page],
    look_at: Callable[..., None],
    enter: Callable[[Page, str], None],
    role: str,
    screen: str,
    scheme: str,
    language: str,
) -> None:
    page = open_page(screen, scheme=scheme, language=language)
    enter(page, role)
    expect(page.locator("h1")).to_have_count(1)
    look_at(page, "page")
