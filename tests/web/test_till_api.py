"""The till as JSON, through the whole application: what clients send, what they are told, and what they are never told."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

import cards
import merchants
from market.kit.clock import now
from market.kit.database import transaction
from market.offers.operations import approve_offer, propose_offer
from market.record.budgets import grant_budget, open_budget
from tests.web.conftest import Works
from tests.world import FIRST, NOODLES, SECOND, WEEKDAY, count, findings, sign_all


@pytest.fixture
def till(client: TestClient, works: Works, new_token: Callable[[str | None], str]) -> TestClient:
    """A till that is signed in, at a shop with 10 % off and one yuan from the union."""
    at = now()
    with transaction() as tx:
        open_budget(tx, code="lunch", title="午餐", sponsor="xg", slots=1, at=at)
        grant_budget(tx, budget="lunch", amount_fen=100_000, key="1", proposed_by=FIRST, approved_by=SECOND, at=at)
        for terms in (NOODLES, WEEKDAY):
            version = propose_offer(
                tx,
                terms=terms,
                limits={},
                title="九折",
                title_en="10 % off",
                proposed_by=FIRST,
                at=at,
            )
            sign_all(tx, offer=terms["id"], version=version, at=at)
            approve_offer(
                tx, offer=terms["id"], version=version, approved_by=SECOND, count_class=cards.count_class, at=at
            )
    client.headers["authorization"] = f"Bearer {new_token('assistant')}"
    return client


@pytest.fixture
def issue_code(works: Works) -> Callable[[], str]:
    def issue() -> str:
        with transaction() as tx:
            card = cards.get_card_page(tx, member_id=works.member_id, at=now()).card_id
            return cards.issue_code(tx, card_id=card, at=now()).code

    return issue


@pytest.fixture
def visit(till: TestClient, issue_code: Callable[[], str]) -> Callable[[], str]:
    return lambda: till.post("/api/till/visits", json={"code": issue_code()}).json()["visit"]


AMOUNTS = {"joining_fen": 1600, "other_fen": 200}


def sell(till: TestClient, visit: str, key: str = "one-intent", **body: object) -> object:
    return till.post(
        "/api/till/sales", json={"visit": visit, "basket": AMOUNTS, **body}, headers={"idempotency-key": key}
    )


def test_from_code_to_receipt_to_void(till: TestClient, issue_code: Callable[[], str]) -> None:
    shown = issue_code()
    opened = till.post("/api/till/visits", json={"code": f"{shown[:4]} {shown[4:]}"})
    assert opened.status_code == 201
    assert set(opened.json()) == {"visit", "surname", "expires_at", "repeated"}
    assert opened.json()["surname"] == "王"
    again = till.post("/api/till/visits", json={"code": shown}).json()
    assert (again["visit"], again["repeated"]) == (opened.json()["visit"], True)
    visit = again["visit"]

    quote = till.post(f"/api/till/visits/{visit}/quote", json={"basket": AMOUNTS})
    assert quote.json() == {"list_fen": 1800, "discount_fen": 260, "paid_fen": 1540, "proof": "optimal"}

    sold = sell(till, visit, expected_paid_fen=1540)
    assert sold.status_code == 201
    assert sell(till, visit, expected_paid_fen=1540).json() == sold.json()
    sale = sold.json()["sale"]
    receipt = till.get(f"/api/till/sales/{sale}").json()
    assert (receipt["state"], receipt["paid_fen"]) == ("sold", 1540)
    assert [(line["line"], line["paid_fen"]) for line in receipt["lines"]] == [("amount", 1340), ("other", 200)]

    void = till.post(f"/api/till/sales/{sale}/void", headers={"idempotency-key": "void-0001"})
    assert (void.status_code, void.json()["kind"], void.json()["paid_fen"]) == (201, "void", 1540)
    today = till.get("/api/till/today").json()
    assert (today["count"], today["paid_fen"], today["sales"][0]["state"]) == (0, 0, "voided")
    assert findings() == []


def test_a_refund_goes_by_line_with_the_buyer_present(till: TestClient, visit: Callable[[], str]) -> None:
    sale = sell(till, visit()).json()["sale"]
    body = {"visit": visit(), "units": {"amount": 1}}
    done = till.post(f"/api/till/sales/{sale}/refunds", json=body, headers={"idempotency-key": "refund-01"})
    assert (done.status_code, done.json()["paid_fen"]) == (201, 1340)
    assert till.get(f"/api/till/sales/{sale}").json()["state"] == "partly_refunded"


def test_the_till_is_never_told_which_offer_or_why(till: TestClient, visit: Callable[[], str]) -> None:
    opened = visit()
    answers = [
        till.post(f"/api/till/visits/{opened}/quote", json={"basket": AMOUNTS}).text,
        sell(till, opened).text,
        till.get("/api/till/today").text,
    ]
    answers.append(till.get(f"/api/till/sales/{till.get('/api/till/today').json()['sales'][0]['sale']}").text)
    for answer in answers:
        for told in (
            "NOODLE10",
            "WEEKDAY1",
            "budget",
            "subsidy",
            "concession",
            "AUDIENCE",
            "王小明",
            "10001",
            "subject",
        ):
            assert told not in answer


@pytest.mark.parametrize(
    ("basket", "status", "code"),
    [
        ({"joining_fen": 0, "other_fen": 0}, 422, "BASKET_INVALID"),
        ({"joining_fen": -1}, 422, "BASKET_INVALID"),
        ({"joining_fen": 100_000_001}, 422, "BASKET_INVALID"),
        ({"joining_fen": 15.4}, 422, "BASKET_INVALID"),
        ({"joining_fen": "1540"}, 422, "BASKET_INVALID"),
        ({"items": [{"sku": "bowl", "qty": 1}]}, 422, "WAY_OF_KEYING"),
        ({"joining_fen": 1600, "price": 1}, 422, "MALFORMED"),
        ([], 422, "MALFORMED"),
    ],
)
def test_what_cannot_be_keyed_is_refused_with_a_code_and_no_effect(
    till: TestClient, visit: Callable[[], str], basket: object, status: int, code: str
) -> None:
    answer = till.post(
        "/api/till/sales", json={"visit": visit(), "basket": basket}, headers={"idempotency-key": "wrong-0001"}
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert count("sale") == 0


def test_ten_thousand_lines_get_a_clear_error(till: TestClient, visit: Callable[[], str]) -> None:
    lines = [{"sku": "p", "category": "c", "price_fen": 100, "qty": 1}] * 10_000
    answer = till.post(
        "/api/till/sales",
        json={"visit": visit(), "basket": {"lines": lines}},
        headers={"idempotency-key": "many-lines"},
    )
    assert answer.status_code in {413, 422}
    assert answer.json()["code"]
    assert count("sale") == 0


@pytest.mark.parametrize("key", [None, "", "short", "with space in it", "中文编号中文编号", "x" * 129])
def test_a_sale_needs_a_usable_key(till: TestClient, visit: Callable[[], str], key: str | None) -> None:
    headers = {} if key is None else {"idempotency-key": key.encode()}
    answer = till.post("/api/till/sales", json={"visit": visit(), "basket": AMOUNTS}, headers=headers)
    assert answer.status_code == 422
    assert count("sale") == 0


def test_another_body_under_the_key_names_the_field(till: TestClient, visit: Callable[[], str]) -> None:
    opened = visit()
    sell(till, opened)
    answer = sell(till, opened, basket={"joining_fen": 1700})
    assert (answer.status_code, answer.json()["code"]) == (422, "KEY_REUSED")
    assert answer.json()["facts"] == {"field": "basket"}


@pytest.mark.parametrize(
    ("scanned", "code"),
    [
        ("12345678", "CODE_UNKNOWN"),
        ("1234567", "CODE_MALFORMED"),
        ("HG1.a.b", "CODE_MALFORMED"),
        ("' OR 1=1", "CODE_MALFORMED"),
        ("\u0661" * 8, "CODE_MALFORMED"),
    ],
)
def test_a_wrong_code_says_what_to_do(till: TestClient, scanned: str, code: str) -> None:
    answer = till.post("/api/till/visits", json={"code": scanned})
    assert answer.json()["code"] == code
    assert answer.json()["detail"].endswith(("。", "."))
    assert count("visit") == 0


def test_guessing_codes_is_stopped(till: TestClient, issue_code: Callable[[], str]) -> None:
    codes = [till.post("/api/till/visits", json={"code": f"{number:08}"}).json()["code"] for number in range(12)]
    assert codes == ["CODE_UNKNOWN"] * 10 + ["TOO_MANY_TRIES"] * 2
    assert till.post("/api/till/visits", json={"code": issue_code()}).status_code == 429


def test_another_shops_sale_is_not_found(till: TestClient, visit: Callable[[], str]) -> None:
    assert till.get(f"/api/till/sales/{'0' * 32}").status_code == 404
    assert till.post(f"/api/till/sales/{'0' * 32}/void", headers={"idempotency-key": "void-0001"}).status_code == 404


@pytest.mark.parametrize("role", ["member", "owner", "officer", "auditor", None])
def test_only_an_assistant_has_a_till(
    client: TestClient, new_token: Callable[[str | None], str], role: str | None
) -> None:
    answer = client.get("/api/till/today", headers={"authorization": f"Bearer {new_token(role)}"})
    assert answer.status_code == 403


def test_who_has_left_sees_nothing_more(till: TestClient, works: Works) -> None:
    with transaction() as tx:
        merchants.end_staff(tx, staff_id=works.staff_id)
    answer = till.get("/api/till/today")
    assert (answer.status_code, answer.json()["code"]) == (403, "STAFF_LEFT")


@pytest.mark.parametrize(
    "basket",
    [
        '{"joining_fen": NaN}',
        '{"joining_fen": Infinity}',
        '{"joining_fen": 1e400}',
        '{"joining_fen": "a\\u0000b"}',
        '{"joining_fen": "\\ud800"}',
        '{"joining_fen": {"\\ud800": 1}}',
        '{"joining_fen": ' + "9" * 4000 + "}",
        '{"items": [{"sku": "\\u0000", "qty": 1}]}',
        '{"lines": [{"sku": "\\ud800", "category": "c", "price_fen": 1}]}',
    ],
)
def test_whatever_is_sent_is_refused_without_a_fault(till: TestClient, visit: Callable[[], str], basket: str) -> None:
    for opened in (visit(), "00000000-0000-0000-0000-000000000000"):
        answer = till.post(
            "/api/till/sales",
            content=f'{{"visit": "{opened}", "basket": {basket}}}',
            headers={"idempotency-key": f"odd-{opened}", "content-type": "application/json"},
        )
        assert answer.status_code in {400, 404, 422}, answer.text
        assert answer.json()["code"]
    assert count("sale") == 0


@pytest.mark.parametrize(
    "units", [{"\x00": 1}, {"1": 0}, {"1": 10_001}, {"amount": True}, {str(n): 1 for n in range(600)}]
)
def test_odd_units_are_refused_without_a_fault(
    till: TestClient, visit: Callable[[], str], units: dict[str, int]
) -> None:
    sale = sell(till, visit()).json()["sale"]
    body = {"visit": visit(), "units": units}
    answer = till.post(f"/api/till/sales/{sale}/refunds", json=body, headers={"idempotency-key": "refund-01"})
    assert answer.status_code == 422
    assert count("reversal") == 0
