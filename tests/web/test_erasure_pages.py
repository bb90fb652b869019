"""Asking to be deleted, taking it back, and a second officer's decision, through the pages; forged and repeated presses change nothing."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from httpx2 import Response
from sqlalchemy import text
from starlette.testclient import TestClient

from api.erased_list import read_erased
from api.identity import create_account, grant_role, open_session
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.ids import new_id
from market.kit.settings import get_settings
from tests.web.conftest import Works, csrf_in
from tests.web.market import flat, follow

Enter = Callable[[str], TestClient]


@pytest.fixture
def sit(client: TestClient, enter: Enter) -> Enter:
    """Sign in as a role, whoever sat there before."""

    def down(role: str) -> TestClient:
        client.cookies.clear()
        return enter(role)

    return down


@pytest.fixture(autouse=True)
def list_folder(app_settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app_settings.setenv("HUIGONG_RECORD_FOLDER", str(tmp_path / "record"))
    get_settings.cache_clear()


def states() -> list[tuple[str, str]]:
    with transaction() as tx:
        return [tuple(row) for row in tx.execute(text("SELECT state, asked_as FROM erasure ORDER BY asked_at"))]


def waiting() -> UUID:
    with transaction() as tx:
        return tx.execute(text("SELECT id FROM erasure WHERE state = 'waiting'")).scalar_one()


def members() -> int:
    with transaction() as tx:
        return int(tx.execute(text("SELECT count(*) FROM member")).scalar_one())


def test_a_member_asks_takes_it_back_and_asks_again_until_an_officer_deletes_him(sit: Enter, works: Works) -> None:
    browser = sit("member")
    assert "/me/erasure" in browser.get("/me").text
    page = browser.get("/me/erasure")
    assert "必须留下的" in page.text
    assert "30 年" in page.text
    after = follow(browser, press(browser, page, "/me/erasure"))
    assert "申请在等批准" in after.text
    again = press(browser, page, "/me/erasure")
    assert again.status_code == 409
    assert "不用再提" in again.text
    back = follow(browser, press(browser, after, "/me/erasure/withdraw"))
    assert "申请已撤回，什么都没有删。" in back.text
    assert press(browser, after, "/me/erasure/withdraw").status_code == 404
    follow(browser, press(browser, back, "/me/erasure"))
    assert states() == [("withdrawn", "member"), ("waiting", "member")]

    desk = sit("officer")
    assert "1 份删除会员资料的申请等批准" in flat(desk.get("/desk").text)
    page = desk.get("/desk/erasures")
    assert "王小明" in page.text
    assert "本人提出" in page.text
    done = follow(desk, press(desk, page, f"/desk/erasures/{waiting()}/approve"))
    assert "资料已删除，账目不变。" in done.text
    assert "已删除 1 人" in flat(done.text)
    assert "王小明" not in done.text
    assert members() == 0
    assert len(read_erased(get_settings())) == 1


def test_whoever_was_deleted_is_signed_out_at_once(sit: Enter, client: TestClient, works: Works) -> None:
    browser = sit("member")
    cookies = dict(browser.cookies)
    press(browser, browser.get("/me/erasure"), "/me/erasure")
    desk = sit("officer")
    press(desk, desk.get("/desk/erasures"), f"/desk/erasures/{waiting()}/approve")
    client.cookies.clear()
    client.cookies.update(cookies)
    assert client.get("/me/erasure").status_code in {303, 401}
    assert client.get("/card").status_code in {303, 401}


def test_an_officer_takes_a_request_and_another_one_decides(sit: Enter, works: Works) -> None:
    desk = sit("officer")
    page = desk.get("/desk/erasures")
    unknown = press(desk, page, "/desk/erasures", member="99999")
    assert unknown.status_code == 404
    assert 'value="99999"' in unknown.text
    taken = follow(desk, press(desk, page, "/desk/erasures", member=" 10001 "))
    assert "officer 某 代收" in flat(taken.text)
    assert "请另一位干部办理" in taken.text
    mine = press(desk, page, f"/desk/erasures/{waiting()}/approve")
    assert mine.status_code == 409
    assert members() == 1
    second_officer(desk, works)
    page = desk.get("/desk/erasures")
    empty = press(desk, page, f"/desk/erasures/{waiting()}/decline", reason="  ")
    assert empty.status_code == 422
    said = follow(desk, press(desk, page, f"/desk/erasures/{waiting()}/decline", reason="要本人来一趟"))
    assert "已告诉会员不办理。" in said.text
    member = sit("member").get("/me/erasure")
    assert "要本人来一趟" in member.text
    assert states() == [("declined", "officer")]


def test_what_is_unknown_and_what_is_forged_changes_nothing(sit: Enter, works: Works) -> None:
    browser = sit("member")
    page = browser.get("/me/erasure")
    assert browser.post("/me/erasure", data={"csrf_token": "forged"}).status_code == 403
    assert browser.get("/desk/erasures").status_code == 403
    assert press(browser, page, f"/desk/erasures/{new_id()}/approve").status_code == 403
    desk = sit("officer")
    page = desk.get("/desk/erasures")
    assert desk.get("/me/erasure").status_code == 403
    assert press(desk, page, f"/desk/erasures/{new_id()}/approve").status_code == 404
    assert press(desk, page, "/desk/erasures/nonsense/approve").status_code in {404, 422}
    assert (states(), members()) == ([], 1)


def press(client: TestClient, page: Response, action: str, **more: str) -> Response:
    """Send a form with the token of this page, whether the page has that form or not."""
    return client.post(action, data={"csrf_token": csrf_in(page.text), **more})


def second_officer(browser: TestClient, works: Works) -> None:
    """Another officer sits down at the same desk."""
    with transaction() as tx:
        account = create_account(tx, login="second", name="second 某", at=now())
        grant_role(tx, account_id=account, role="officer", at=now(), scope_id=works.unit_id)
        token = open_session(tx, account_id=account, roles=["officer"], agent="test", at=now()).token
    browser.cookies.set("hg", token, domain="testserver.local", path="/")
