"""A browser cannot be made to act: every write needs our own origin and, with a cookie, the session's own token."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tests.web.conftest import ORIGIN, csrf_in

Enter = Callable[[str], TestClient]
WRITES = [
    "/sign-in",
    "/demo-sign-in",
    "/sign-out",
    "/preferences",
    "/me/sessions/revoke",
    "/api/sign-out",
    "/api/till/sales",
]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ORIGIN + ".evil.example"},
        {"Origin": ORIGIN + ":8000"},
        {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "https://evil.example/" + ORIGIN},
        {"Referer": ORIGIN + ".evil.example/"},
    ],
    ids=str,
)
def test_a_write_from_another_site_is_refused_before_it_is_read(
    client: TestClient, enter: Enter, headers: dict[str, str]
) -> None:
    enter("assistant")
    token = csrf_in(client.get("/me").text)
    for path in WRITES:
        answer = client.post(path, data={"csrf_token": token, "lang": "en"}, headers=headers)
        assert answer.status_code == 403, path
        assert "CROSS_SITE" in answer.text, path
    assert client.get("/me").status_code == 200  # not signed out by any of them
    assert "lang" not in client.cookies


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": ORIGIN},
        {"Sec-Fetch-Site": "same-origin"},
        {"Referer": ORIGIN + "/me"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_a_write_from_our_own_page_is_taken(client: TestClient, enter: Enter, headers: dict[str, str]) -> None:
    enter("member")
    token = csrf_in(client.get("/me").text)
    assert client.post("/preferences", data={"lang": "en", "csrf_token": token}, headers=headers).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "A" * 88, "other session", "signed out"])
def test_a_form_without_the_token_of_its_session_is_refused(client: TestClient, enter: Enter, token: str) -> None:
    guests = csrf_in(client.get("/").text)
    enter("auditor")
    others = csrf_in(client.get("/me").text)
    enter_as_member = client.post("/demo-sign-in", data={"role": "member", "csrf_token": others})
    assert enter_as_member.status_code == 303
    sent = {"other session": others, "signed out": guests}.get(token, token)
    for path in ("/sign-out", "/preferences", "/me/sessions/revoke"):
        answer = client.post(path, data={"csrf_token": sent, "session_id": "0" * 64})
        assert answer.status_code == 403, path
        assert "FORM_TOKEN" in answer.text, path
    assert client.get("/me").status_code == 200


def test_signing_in_needs_the_token_of_this_browser(client: TestClient) -> None:
    with TestClient(client.app, base_url=ORIGIN, follow_redirects=False) as elsewhere:
        theirs = csrf_in(elsewhere.get("/sign-in").text)
    client.get("/sign-in")
    for path in ("/sign-in", "/demo-sign-in"):
        answer = client.post(path, data={"csrf_token": theirs, "role": "member", "login": "x", "password": "y"})
        assert answer.status_code == 403, path
    assert "hg" not in client.cookies


def test_a_script_may_send_the_token_as_a_header(client: TestClient, enter: Enter) -> None:
    enter("member")
    token = csrf_in(client.get("/me").text)
    assert client.post("/preferences", data={"lang": "en"}, headers={"X-CSRF-Token": token}).status_code == 303


def test_json_with_a_cookie_needs_the_token_and_with_a_bearer_token_does_not(
    client: TestClient, enter: Enter, new_token: Callable[[str], str]
) -> None:
    enter("assistant")
    token = csrf_in(client.get("/me").text)
    asked = {"code": "00000000"}
    bare = client.post("/api/till/visits", json=asked)
    assert (bare.status_code, bare.json()["code"]) == (403, "FORM_TOKEN")
    assert client.post("/api/till/visits", json=asked, headers={"X-CSRF-Token": token}).json()["code"] != "FORM_TOKEN"
    client.cookies.clear()
    bearer = {"Authorization": "Bearer " + new_token("assistant"), "Origin": "https://other.example"}
    assert client.post("/api/till/visits", json=asked, headers=bearer).json()["code"] not in {
        "FORM_TOKEN",
        "CROSS_SITE",
    }


def test_the_token_differs_on_every_page_so_that_compression_leaks_nothing(client: TestClient, enter: Enter) -> None:
    enter("member")
    assert len({csrf_in(client.get("/me").text) for _ in range(5)}) == 5
