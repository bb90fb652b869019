"""Form tokens, the way back, and whose tries are counted together."""

import secrets

import pytest
from starlette.requests import Request

from api.door import client_address, fits_form_token, form_token, safe_back


def test_a_form_token_fits_its_own_secret_only_and_looks_different_each_time() -> None:
    secret, other = secrets.token_bytes(32), secrets.token_bytes(32)
    tokens = {form_token(secret) for _ in range(50)}
    assert len(tokens) == 50
    assert all(fits_form_token(token, secret) for token in tokens)
    assert not any(fits_form_token(token, other) for token in tokens)


@pytest.mark.parametrize("token", ["", "x", "é", "====", "AAAA", "A" * 88, "\ud800", "a" * 10_000])
def test_a_broken_form_token_fits_nothing(token: str) -> None:
    assert not fits_form_token(token, secrets.token_bytes(32))


@pytest.mark.parametrize("path", ["/", "/card", "/offers?q=面&category=food", "/record/months?month=2026-11"])
def test_a_path_of_ours_leads_back(path: str) -> None:
    assert safe_back(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        None,
        "card",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=1",
        "/\t/evil",
        "/a\\b",
    ],
)
def test_anything_else_leads_home(path: str | None) -> None:
    assert safe_back(path) == "/"


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("testclient", "testclient"),
    ],
)
def test_tries_are_counted_by_address_or_by_the_network_of_a_household(host: str, counted: str) -> None:
    assert client_address(Request({"type": "http", "client": (host, 1), "headers": []})) == counted
