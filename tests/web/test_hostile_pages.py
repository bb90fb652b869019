"""What nobody types by accident: control characters, months beyond the calendar, endless numbers, bodies that lie. All refused by name."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from api import errors
from market.kit.database import transaction
from tests.web.conftest import Works
from tests.web.market import fields_of, follow, open_visit, sell, send
from tests.world import count, findings

Enter = Callable[[str], TestClient]
MEGABYTE = 1_000_000


@pytest.fixture
def assistant(works: Works, enter: Enter, lunch: None) -> TestClient:
    """The assistant at the noodle shop's phone, with offers in force."""
    return enter("assistant")


def set_shop(works: Works, state: str) -> None:
    """Close the shop or open it again."""
    with transaction() as tx:
        tx.execute(text("UPDATE shop SET state = :state WHERE id = :id"), {"state": state, "id": works.shop_id})


def test_a_void_refused_while_the_shop_is_closed_works_once_it_is_open(assistant: TestClient, works: Works) -> None:
    sale = sell(assistant, works)
    path = f"/till/sales/{sale}"
    done = assistant.get(f"{path}/done")
    set_shop(works, "closed")
    refused = send(assistant, done, f"{path}/void")
    assert refused.status_code >= 400
    set_shop(works, "open")
    assert send(assistant, refused, f"{path}/void").headers["location"] == f"{path}/done"
    assert count("reversal") == 1
    assert findings() == []


def test_the_void_button_of_a_second_page_shows_the_sale_as_void(assistant: TestClient, works: Works) -> None:
    path = f"/till/sales/{sell(assistant, works)}"
    first, second = assistant.get(f"{path}/done"), assistant.get(path)
    keys = {fields_of(page.text, f"{path}/void")["key"] for page in (first, second, assistant.get(path))}
    assert len(keys) == 3
    assert [send(assistant, first, f"{path}/void").headers["location"] for _ in range(2)] == [f"{path}/done"] * 2
    shown = follow(assistant, send(assistant, second, f"{path}/void"))
    assert shown.status_code == 200
    assert "已撤销" in shown.text
    assert "当面退给顾客" not in shown.text  # that was said on the first page, and the money goes back once
    assert count("reversal") == 1


@pytest.mark.parametrize("field", ["q", "category", "after"])
@pytest.mark.parametrize("sent", ["%00", "a%00b", "%1b", "%c2%85"])
def test_control_characters_in_a_search_are_malformed(enter: Enter, field: str, sent: str) -> None:
    answer = enter("member").get(f"/offers?{field}={sent}")
    assert answer.status_code == 422
    assert "格式不对" in answer.text


def test_a_search_for_nothing_is_no_mistake(enter: Enter) -> None:
    assert enter("member").get("/offers?q=&category=").status_code == 200


def test_what_the_database_cannot_hold_is_malformed_and_no_fault(client: TestClient) -> None:
    """Any route that lets such a value through: the answer is one for all."""
    app = client.app
    assert isinstance(app, FastAPI)

    @app.get("/api/hold")
    def hold(value: str) -> None:
        with transaction() as tx:
            tx.execute(text("SELECT cast(:value AS text)"), {"value": value})

    assert client.get("/api/hold?value=a").status_code == 200
    answer = client.get("/api/hold?value=a%00")
    assert answer.status_code == 422
    assert answer.json()["code"] == errors.MalformedError.code
    assert answer.json()["errors"] == [{"field": "request", "problem": "格式不对"}]


@pytest.mark.parametrize("month", ["9999-12", "0000-00", "0000-12", "2026-13"])
@pytest.mark.parametrize("path", ["/record/months", "/record/months.csv", "/record/months.json", "/merchant"])
def test_a_month_outside_the_calendar_is_an_unknown_page(enter: Enter, path: str, month: str) -> None:
    assert enter("owner").get(f"{path}?month={month}").status_code == 404


@pytest.mark.parametrize("month", ["9998-12", "0001-01"])
@pytest.mark.parametrize("path", ["/record/months", "/record/months.csv", "/merchant"])
def test_months_at_the_ends_of_the_calendar_are_only_empty(enter: Enter, path: str, month: str) -> None:
    assert enter("owner").get(f"{path}?month={month}").status_code == 200


@pytest.mark.parametrize("field", ["other", "discountable"])
@pytest.mark.parametrize("typed", ["0" * 5000, "9" * 5000, "²", "1 5", "①"])
def test_what_is_no_amount_is_said_on_the_page(assistant: TestClient, works: Works, field: str, typed: str) -> None:
    page, visit = open_visit(assistant, works)
    answer = send(assistant, page, f"{visit}/quote", **{"discountable": "16", "other": "2", field: typed})
    assert answer.status_code == 422
    assert "expected_paid_fen" not in answer.text


@pytest.mark.parametrize("path", ["/sign-in", "/till/scan", "/api/till/visits"])
def test_a_form_in_no_encoding_is_refused(client: TestClient, path: str) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="login"\r\n\r\nxyz\r\n--b--\r\n'
    sent = {"content-type": "multipart/form-data; boundary=b; charset=undefined"}
    assert client.post(path, content=body, headers=sent).status_code == 400


def photo(size: int) -> dict[str, tuple[str, bytes, str]]:
    """A part of a form with so many bytes, none of them a picture."""
    return {"photo": ("photo.jpg", b"\xff" * size, "image/jpeg")}


def test_only_somebody_signed_in_may_send_a_photo(assistant: TestClient) -> None:
    fields = fields_of(assistant.get("/till/scan").text, "/till/scan")
    taken = assistant.post("/till/scan", data=fields, files=photo(2 * MEGABYTE))
    assert taken.status_code == 422  # read, and no picture
    assert assistant.post("/till/scan", data=fields, files=photo(12 * MEGABYTE)).status_code == 413
    assistant.cookies.clear()
    assert assistant.post("/till/scan", data=fields, files=photo(2 * MEGABYTE)).status_code == 413


def test_the_larger_limit_is_for_the_photo_alone(assistant: TestClient, new_token: Callable[[str | None], str]) -> None:
    fields = fields_of(assistant.get("/till/scan").text, "/till/scan")
    long = {**fields, "photo": "x" * 2 * MEGABYTE}
    assert assistant.post("/till/scan", data=long).status_code == 413  # not multipart
    assert assistant.post("/till/visits", data=fields, files=photo(2 * MEGABYTE)).status_code == 413
    assert assistant.put("/till/scan", files=photo(2 * MEGABYTE)).status_code == 413
    assistant.cookies.clear()
    program = {"Authorization": f"Bearer {new_token('assistant')}"}
    assert assistant.post("/till/scan", files=photo(2 * MEGABYTE), headers=program).status_code == 422
