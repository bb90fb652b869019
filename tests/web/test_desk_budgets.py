"""Budgets at the desk: one officer proposes, another approves, refuses or finds it withdrawn; the money is in the budget and on the record."""

from collections.abc import Callable
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from market.kit.clock import now
from market.kit.database import transaction
from market.kit.ids import new_id
from market.ledger.queries import list_budgets
from market.record.budget_proposals import propose_budget, propose_grant
from tests.web.conftest import Works
from tests.web.market import FIRST, flat, follow, send

Enter = Callable[[str], TestClient]
PAGE = "/desk/budgets"

pytestmark = pytest.mark.usefixtures("lunch")


@pytest.fixture
def desk(enter: Enter) -> TestClient:
    return enter("officer")


def colleague_asks(fen: int = 1_200_000) -> UUID:
    proposal = new_id()
    with transaction() as tx:
        propose_grant(tx, proposal=proposal, budget="lunch", amount_fen=fen, by=FIRST, at=now())
    return proposal


def granted() -> dict[str, int]:
    with transaction() as tx:
        return {row.code: row.granted_fen for row in list_budgets(tx)}


def test_an_officer_proposes_a_budget_that_waits_for_another(desk: TestClient, works: Works) -> None:
    before = granted()
    assert f'href="{PAGE}"' in desk.get("/desk").text
    page = desk.get(PAGE)
    said = {"title": "春节慰问", "budget": " spring_2027 ", "amount": "¥12,000,000"}
    after = follow(desk, send(desk, page, PAGE, **said))
    assert "已提出，等另一位干部批准" in after.text
    assert "¥12,000,000.00" in after.text
    assert "您提出的，等另一位干部批准。" in after.text
    assert "/approve" not in after.text
    assert "1 份预算申请等批准" in flat(desk.get("/desk").text)
    assert granted() == before
    again = follow(desk, send(desk, page, PAGE, **said))
    assert again.text.count("spring_2027") == after.text.count("spring_2027")
    other = send(desk, page, PAGE, **said | {"amount": "1"})
    assert (other.status_code, "已经提交过一次" in other.text) == (409, True)
    proposal = after.text.partition('/withdraw"')[0].rpartition("/")[2]
    mine = send(desk, after, f"{PAGE}/{proposal}/withdraw")
    assert "申请已撤回，钱没有动。" in follow(desk, mine).text
    assert send(desk, after, f"{PAGE}/{proposal}/withdraw").status_code == 404


def test_what_a_colleague_proposed_is_approved_and_everybody_reads_of_it(desk: TestClient, works: Works) -> None:
    before, proposal = granted(), colleague_asks()
    page = desk.get(PAGE)
    assert "批准 ¥12,000.00" in page.text
    after = follow(desk, send(desk, page, f"{PAGE}/{proposal}/approve"))
    assert "钱已到预算里" in after.text
    assert "已批准" in after.text
    assert granted() == before | {"lunch": before["lunch"] + 1_200_000}
    twice = send(desk, page, f"{PAGE}/{proposal}/approve")
    assert (twice.status_code, "没有这份在等的申请" in twice.text) == (404, True)
    assert granted() == before | {"lunch": before["lunch"] + 1_200_000}


def test_what_is_refused_says_why(desk: TestClient, works: Works) -> None:
    before, proposal = granted(), colleague_asks()
    page = desk.get(PAGE)
    empty = send(desk, page, f"{PAGE}/{proposal}/refuse", reason="  ")
    assert (empty.status_code, "请写明退回的理由" in empty.text, '<details class="point-edit" open>' in empty.text) == (
        422,
        True,
        True,
    )
    after = follow(desk, send(desk, page, f"{PAGE}/{proposal}/refuse", reason="等年度预算定了再提"))
    assert "已退回，提出人会看到理由。" in after.text
    assert "等年度预算定了再提" in after.text
    assert granted() == before


@pytest.mark.parametrize(
    ("action", "said", "status", "sentence"),
    [
        (PAGE, {"title": "工作餐", "budget": "lunch", "amount": "5"}, 409, "代码 lunch 已有预算"),
        (PAGE, {"title": "工作餐", "budget": "Lunch", "amount": "5"}, 422, "代码用 2 到 32 个小写字母"),
        (PAGE, {"title": "  ", "budget": "meals", "amount": "5"}, 422, "请写预算的名称"),
        (PAGE, {"title": "工作餐", "budget": "meals", "amount": ""}, 422, "拨款要大于 0"),
        (PAGE, {"title": "工作餐", "budget": "meals", "amount": "五百"}, 422, "“金额”只填数字"),
        (PAGE, {"title": "工作餐", "budget": "meals", "amount": "-5"}, 422, "“金额”只填数字"),
        (PAGE, {"title": "工作餐", "budget": "meals", "amount": "10000000001"}, 422, "“金额”最多 ¥10,000,000,000"),
        (f"{PAGE}/grants", {"budget": "lunch", "amount": "1.005"}, 422, "“金额”最多两位小数"),
        (f"{PAGE}/grants", {"budget": "summer", "amount": "5"}, 404, "没有这个预算"),
    ],
)
def test_what_cannot_be_proposed_is_refused_with_what_was_typed(
    desk: TestClient, action: str, said: dict[str, str], status: int, sentence: str
) -> None:
    answer = send(desk, desk.get(PAGE), action, **said)
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert f'value="{said["amount"]}"' in answer.text
    assert "没有等批准的" in answer.text


def test_a_budget_that_waits_shows_its_name_and_who_bears_it(desk: TestClient, works: Works) -> None:
    with transaction() as tx:
        propose_budget(
            tx, proposal=new_id(), code="tea", title="<b>茶</b>", sponsor="xg", amount_fen=5, by=FIRST, at=now()
        )
    page = desk.get(PAGE).text
    assert "&lt;b&gt;茶&lt;/b&gt;" in page
    assert "<b>茶" not in page
