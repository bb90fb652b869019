import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import looks_in_turn

ROLES = ["member", "assistant", "owner", "officer", "auditor"]


@pytest.mark.parametrize(
    ("path", "screen", "scheme", "language"), looks_in_turn(["/", "/sign-in", "/record/months", "/nowhere"])
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


@pytest.mark.parametrize(("role", "screen", "scheme", "language"), looks_in_turn(ROLES))
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
