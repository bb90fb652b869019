"""Coming in and going out, through the real pages and the real API."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.identity import find_principal, init_installation
from market.kit.clock import now
from market.kit.database import connect, transaction
from tests.web.conftest import PASSWORD, Works, browse, csrf_in

Enter = Callable[[str], TestClient]


def send(client: TestClient, path: str, **fields: str) -> Any:
    """A form as a browser sends it: with the token of the page it stands on."""
    return client.post(
        path, data=fields | {"csrf_token": csrf_in(client.get("/sign-in" if path == "/sign-in" else "/").text)}
    )


def test_a_person_signs_in_works_and_signs_out(client: TestClient, password_of: Callable[[str], str]) -> None:
    password_of("officer")
    page = client.get("/sign-in?back=/me")
    fields = {"login": " DEMO-officer ", "password": PASSWORD, "back": "/me", "csrf_token": csrf_in(page.text)}
    answer = client.post("/sign-in", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    me = client.get("/me")
    assert "officer 某" in me.text
    assert "星钢" in me.text
    assert client.get("/").headers["location"] == "/desk"
    assert client.get("/sign-in?back=/me").headers["location"] == "/me"
    token = client.cookies["hg"]
    gone = client.post("/sign-out", data={"csrf_token": csrf_in(me.text)})
    assert (gone.status_code, gone.headers["location"]) == (303, "/")
    assert find_principal(token=token, at=now(), by_cookie=True) is None
    assert "hg" not in client.cookies
    assert "已退出登录" in client.get("/").text
    assert "已退出登录" not in client.get("/").text


def test_a_wrong_password_and_an_unknown_login_look_alike(
    client: TestClient, password_of: Callable[[str], str]
) -> None:
    password_of("officer")
    answers = [send(client, "/sign-in", login=login, password="wrong") for login in ("demo-officer", "demo-nobody1")]
    shown = [browse(answer.text).replace("demo-officer", "").replace("demo-nobody1", "") for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert "登录名或密码不对" in shown[0]
    assert shown[0] == shown[1]
    assert sorted(answers[0].headers) == sorted(answers[1].headers)


def test_who_guesses_is_told_to_wait_and_the_right_password_waits_too(
    client: TestClient, password_of: Callable[[str], str]
) -> None:
    password_of("officer")
    told = [send(client, "/sign-in", login="demo-officer", password="wrong").status_code for _ in range(6)]
    assert told == [401] * 5 + [429]
    locked = send(client, "/sign-in", login="demo-officer", password=PASSWORD)
    assert locked.status_code == 429
    assert "15 分钟后再试" in locked.text
    api = client.post("/api/sign-in", json={"login": "demo-officer", "password": PASSWORD})
    assert (api.status_code, api.json()["code"], api.headers["retry-after"]) == (429, "TOO_MANY_TRIES", "900")
    assert api.json()["facts"] == {"minutes": 15}


def test_a_planted_session_id_is_worth_nothing_after_signing_in(client: TestClient, enter: Enter) -> None:
    client.cookies.set("hg", "planted-by-somebody", domain="testserver.local", path="/")
    enter("member")
    assert client.cookies["hg"] != "planted-by-somebody"
    first = client.cookies["hg"]
    enter_again = client.post("/demo-sign-in", data={"role": "auditor", "csrf_token": csrf_in(client.get("/me").text)})
    assert enter_again.status_code == 303
    assert client.cookies["hg"] != first
    assert find_principal(token=first, at=now(), by_cookie=True) is None


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client: TestClient) -> None:
    answer = client.post("/demo-sign-in", data={"role": "member", "csrf_token": csrf_in(client.get("/").text)})
    (cookie,) = [value for value in answer.headers.get_list("set-cookie") if value.startswith("hg=")]
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_under_https_the_cookie_is_secure_and_bound_to_the_host(works: Works, app_settings: pytest.MonkeyPatch) -> None:
    from api.app import create_app  # noqa: PLC0415  after the settings of this test

    app_settings.setenv("HUIGONG_PUBLIC_URL", "https://localhost")
    with TestClient(create_app(), base_url="https://localhost", follow_redirects=False) as client:
        page = client.get("/")
        fields = {"role": "member", "csrf_token": csrf_in(page.text)}
        answer = client.post("/demo-sign-in", data=fields, headers={"Origin": "https://localhost"})
        assert answer.status_code == 303, answer.text
        cookies = answer.headers.get_list("set-cookie") + page.headers.get_list("set-cookie")
        assert {cookie.partition("=")[0] for cookie in cookies} == {"__Host-hg", "__Host-hg-guest"}
        assert all("Secure" in cookie for cookie in cookies)
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        assert client.get("/me").status_code == 200


def test_a_program_signs_in_acts_and_signs_out(client: TestClient, password_of: Callable[[str], str]) -> None:
    password_of("assistant")
    answer = client.post("/api/sign-in", json={"login": "demo-assistant", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["assistant"]
    assert "set-cookie" not in answer.headers
    bearer = {"Authorization": "Bearer " + answer.json()["token"]}
    assert client.get("/api/till/today", headers=bearer).status_code == 200
    assert client.post("/api/sign-out", headers=bearer).status_code == 204
    assert client.get("/api/till/today", headers=bearer).status_code == 401


def test_one_sees_and_ends_ones_other_sign_ins(
    client: TestClient, enter: Enter, new_token: Callable[[str], str]
) -> None:
    enter("member")
    other, strangers = new_token("member"), new_token("auditor")
    page = client.get("/me")
    from api.identity.sessions import hash_token  # noqa: PLC0415

    assert hash_token(other).hex() in page.text
    assert hash_token(strangers).hex() not in page.text
    fields = {"csrf_token": csrf_in(page.text)}
    done = client.post("/me/sessions/revoke", data=fields | {"session_id": hash_token(other).hex()})
    assert (done.status_code, done.headers["location"]) == (303, "/me")
    assert find_principal(token=other, at=now(), by_cookie=False) is None
    not_mine = client.post("/me/sessions/revoke", data=fields | {"session_id": hash_token(strangers).hex()})
    assert not_mine.status_code == 404
    assert find_principal(token=strangers, at=now(), by_cookie=False)
    assert "那台设备已退出登录" in client.get("/me").text


def test_a_real_database_shows_no_demo_door_and_opens_none(database_url: str, app_settings: pytest.MonkeyPatch) -> None:
    from api.app import create_app  # noqa: PLC0415

    app_settings.setenv("HUIGONG_MASTER_KEY", "a key of one's own, long enough")
    connect(database_url)
    with transaction() as tx:
        init_installation(tx, kind="real", at=now())
    with TestClient(create_app(), follow_redirects=False) as client:
        page = client.get("/")
        assert "/demo-sign-in" not in page.text
        assert 'class="ribbon"' not in page.text
        answer = client.post("/demo-sign-in", data={"role": "officer", "csrf_token": csrf_in(page.text)})
        assert answer.status_code == 403
        assert "NOT_A_DEMO" in answer.text
        assert "hg" not in client.cookies


def test_a_real_database_does_not_start_with_the_demo_key(database_url: str, app_settings: pytest.MonkeyPatch) -> None:
    from api.app import create_app  # noqa: PLC0415
    from api.identity.installation import UnsafeSettingsError  # noqa: PLC0415

    connect(database_url)
    with transaction() as tx:
        init_installation(tx, kind="real", at=now())
    with pytest.raises(UnsafeSettingsError, match="HUIGONG_MASTER_KEY"), TestClient(create_app()):
        pass


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(client: TestClient, back: str) -> None:
    token = csrf_in(client.get("/").text)
    answer = client.post("/demo-sign-in", data={"role": "member", "back": back, "csrf_token": token})
    assert answer.headers["location"] == "/"
    assert client.get("/sign-in", params={"back": back}).headers["location"] == "/"
    token = csrf_in(client.get("/me").text)
    assert (
        client.post("/preferences", data={"back": back, "lang": "en", "csrf_token": token}).headers["location"] == "/"
    )


def test_preferences_are_kept_and_lead_back(client: TestClient) -> None:
    token = csrf_in(client.get("/sign-in").text)
    done = client.post("/preferences", data={"back": "/sign-in", "lang": "en", "theme": "dark", "csrf_token": token})
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in")
    page = client.get("/sign-in")
    assert '<html lang="en" data-bs-theme="dark">' in page.text
    assert page.headers["content-language"] == "en"
