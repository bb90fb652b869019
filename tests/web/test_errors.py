"""One answer for every refusal and every fault: problem+json for programs, a page for people, nothing of what was sent."""

import json
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from market.kit import database
from tests.web.conftest import csrf_in

CANARY = "canary-3a5f"


@pytest.fixture
def till(client: TestClient, new_token: Callable[[str], str]) -> TestClient:
    client.headers["Authorization"] = "Bearer " + new_token("assistant")
    return client


PRODUCERS = {
    "unknown address": ("GET", f"/api/{CANARY}", {}, 404, "PAGE_UNKNOWN"),
    "wrong method": ("DELETE", "/api/till/today", {}, 405, "METHOD_NOT_ALLOWED"),
    "missing field": ("POST", "/api/till/visits", {"json": {}}, 422, "MALFORMED"),
    "unknown field": ("POST", "/api/till/visits", {"json": {"code": "1", CANARY: CANARY}}, 422, "MALFORMED"),
    "wrong type": ("POST", "/api/till/visits", {"json": {"code": [CANARY]}}, 422, "MALFORMED"),
    "too long": ("POST", "/api/till/visits", {"json": {"code": CANARY * 50}}, 422, "MALFORMED"),
    "broken JSON": ("POST", "/api/till/visits", {"content": f'{{"code": {CANARY}'}, 422, "MALFORMED"),
    "not an id": (
        "POST",
        f"/api/till/visits/{CANARY}/quote",
        {"json": {"basket": {"joining_fen": 1}}},
        404,
        "PAGE_UNKNOWN",
    ),
    "not UTF-8": ("POST", "/api/till/visits", {"content": b'{"code": "\xff"}'}, 400, "BODY_UNREADABLE"),
    "a lone surrogate": ("POST", "/api/till/visits", {"content": b'{"code": "\\ud800"}'}, 422, "MALFORMED"),
    "domain refusal": ("POST", "/api/till/visits", {"json": {"code": "12345678"}}, 404, "CODE_UNKNOWN"),
    "too large": ("POST", "/api/till/visits", {"content": b"x" * 1_000_001}, 413, "BODY_TOO_LARGE"),
    "deep JSON": ("POST", "/api/till/visits", {"content": b"[" * 100_000}, 400, "BODY_UNREADABLE"),
}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_producer_answers_a_problem_document(till: TestClient, language: str) -> None:
    for name, (method, path, sent, status, code) in PRODUCERS.items():
        headers = {"Accept-Language": language, "Content-Type": "application/json"}
        answer = till.request(method, path, headers=headers, **sent)
        assert answer.status_code == status, (name, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", name
        problem = answer.json()
        assert problem["code"] == code, name
        assert problem["status"] == status, name
        assert problem["type"] == f"urn:huigong:problem:{code}", name
        assert problem["request_id"] == answer.headers["x-request-id"], name
        assert problem["title"], name
        assert problem["detail"].isascii() is (language == "en"), (name, problem["detail"])
        assert CANARY not in answer.text or name == "unknown field", name


def test_malformed_input_names_the_field(till: TestClient) -> None:
    answer = till.post(
        "/api/till/sales", json={"visit": "x", "basket": {"joining_fen": 1}}, headers={"Accept-Language": "en"}
    )
    fields = {part["field"]: part["problem"] for part in answer.json()["errors"]}
    assert fields == {"visit": "does not have the right form", "Idempotency-Key": "is missing"}


def test_a_body_without_an_announced_length_is_counted(till: TestClient) -> None:
    pieces = (b"x" * 100_000 for _ in range(11))
    answer = till.post("/api/till/visits", content=pieces, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "9" * 40])
def test_a_senseless_length_is_refused(till: TestClient, length: str) -> None:
    answer = till.post("/api/till/visits", content=b"{}", headers={"Content-Length": length})
    assert answer.status_code == 413


def test_people_get_a_page_in_their_language_with_a_way_out(
    client: TestClient, enter: Callable[[str], TestClient]
) -> None:
    enter("member")
    zh, en = client.get("/nowhere"), client.get("/nowhere", headers={"Accept-Language": "en"})
    assert (zh.status_code, en.status_code) == (404, 404)
    assert "没有这个页面" in zh.text
    assert "There is no such page" in en.text
    assert 'href="/card"' in en.text
    wrong_method = client.put("/me")
    assert wrong_method.status_code == 405
    assert wrong_method.headers["allow"] == "GET"


def test_htmx_gets_the_part_and_not_the_page(client: TestClient) -> None:
    part = client.get("/nowhere", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert part.status_code == 404
    assert "没有这个页面" in part.text
    assert "<html" not in part.text


def test_a_form_field_of_the_wrong_form_is_named_on_a_page(client: TestClient) -> None:
    token = csrf_in(client.get("/").text)
    answer = client.post("/preferences", data={"theme": CANARY, "csrf_token": token}, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert "theme must be" in answer.text
    assert CANARY not in answer.text


def test_a_fault_shows_its_number_and_is_logged_under_it(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    client.get("/sign-in")
    database.disconnect()
    page, api = client.get("/sign-in"), client.post("/api/sign-in", json={"login": CANARY, "password": CANARY})
    assert (page.status_code, api.status_code) == (500, 500)
    assert page.headers["x-request-id"] in page.text
    assert (api.json()["code"], api.json()["detail"][:4]) == ("FAULT", "系统出错")
    for answer in (page, api):
        assert "transaction" not in answer.text
        assert "Traceback" not in answer.text
        assert "Content-Security-Policy" in answer.headers


def test_not_ready_without_a_database_but_alive(client: TestClient) -> None:
    ready = {"database": True, "migrations": True, "installation": True, "publication": "ok"}
    assert client.get("/readyz").json() == ready
    database.disconnect()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, False)
    assert client.get("/healthz").status_code == 200


def test_the_api_describes_itself(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    assert document["info"]["title"].startswith("Huigong")
    assert {"/api/sign-in", "/api/till/sales", "/healthz"} <= document["paths"].keys()
    assert not [path for path in document["paths"] if path.startswith(("/me", "/sign"))]
    assert "request_at_door" not in json.dumps(document)
