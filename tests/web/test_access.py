"""Every route answers every role as declared: the real app, a real session of each role."""

import re
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from api.access import ACCESS, ANYONE_SIGNED_IN, PUBLIC, SignInNeededError
from market.kit.errors import ForbiddenError


def fill(path: str) -> str:
    """An address of the right form that leads to nothing."""
    values = {"visit": str(uuid4()), "sale": "0" * 32}
    return re.sub(r"\{(\w+)\}", lambda part: values.get(part[1], str(uuid4())), path)


def outcome(client: TestClient, method: str, path: str, *, token: str | None) -> str:
    """`in`, `sign in first` or `forbidden`."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = client.request(method, fill(path), headers=headers)
    assert answer.status_code < 500 or path == "/readyz", (method, path, answer.text)
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        code = answer.json()["code"]
        return {SignInNeededError.code: "sign in first", ForbiddenError.code: "forbidden"}.get(code, "in")
    if answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"):
        return "sign in first"
    return "forbidden" if answer.status_code == 403 and f"· {ForbiddenError.code}" in answer.text else "in"


@pytest.mark.long
def test_every_route_answers_every_role_as_declared(client: TestClient, works: object, new_token: object) -> None:
    wrong = []
    for (method, path), admitted in ACCESS.items():
        for role in (None, *sorted(ANYONE_SIGNED_IN)):
            token = new_token(role) if role else None  # type: ignore[operator]
            expected = "in" if admitted is PUBLIC or role in admitted else "forbidden" if role else "sign in first"
            found = outcome(client, method, path, token=token)
            if found != expected:
                wrong.append((method, path, role, found))
    assert wrong == []


def test_an_account_without_roles_gets_nowhere(client: TestClient, new_token: object) -> None:
    token = new_token(None)  # type: ignore[operator]
    for (method, path), admitted in ACCESS.items():
        if admitted is not PUBLIC:
            assert outcome(client, method, path, token=token) == "forbidden", (method, path)


def test_a_stranger_learns_nothing_of_what_a_form_wants(client: TestClient) -> None:
    answer = client.post("/api/till/visits", json={"wrong": 1})
    assert answer.status_code == 401
    assert "errors" not in answer.json()


def test_a_page_asks_to_sign_in_and_comes_back(client: TestClient) -> None:
    answer = client.get("/me?lang=en")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?back=/me%3Flang%3Den")


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(client: TestClient) -> None:
    answer = client.get("/me", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")
