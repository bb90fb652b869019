"""Rendering: whole pages and their parts, the frame, addresses of assets, icons."""

from dataclasses import replace
from hashlib import sha256

import pytest
from starlette.requests import Request

from api.pages import views
from api.pages.assets import STATIC_FOLDER, asset, icon
from api.pages.chrome import PageChrome, Role, resolve_theme
from api.pages.kit import render, render_text
from tests.gallery.frame import NOW, chrome
from tests.gallery.member import CARD
from tests.gallery.samples import SAMPLES

SAMPLE = next(sample for sample in SAMPLES if sample.name == "card")


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/card", "headers": raw, "query_string": b"", "state": {}}
    made = Request(scope)
    made.state.chrome = chrome(SAMPLE)
    return made


def test_a_visit_gets_the_page_and_htmx_gets_the_block_from_one_source() -> None:
    page = render(request(), "member/card.html", CARD, block="code")
    part = render(request(HX_Request="true", HX_Request_Type="partial"), "member/card.html", CARD, block="code")
    assert bytes(part.body).decode().strip() in bytes(page.body).decode()
    assert bytes(page.body).startswith(b"<!DOCTYPE html>")
    assert bytes(part.body).strip().startswith(b'<div id="code"')


def test_htmx_gets_the_page_when_it_asks_for_all_of_it() -> None:
    answer = render(request(HX_Request="true", HX_Request_Type="full"), "member/card.html", CARD, block="code")
    assert bytes(answer.body).startswith(b"<!DOCTYPE html>")


def test_an_answer_names_its_language_and_its_status() -> None:
    made = request()
    made.state.chrome = replace(made.state.chrome, language="en")
    answer = render(made, "member/card.html", CARD, status=409)
    assert (answer.status_code, answer.headers["content-language"]) == (409, "en")
    assert "HX-Request-Type" in answer.headers["vary"]


def test_a_template_refuses_the_view_of_another() -> None:
    with pytest.raises(TypeError, match="till/refused"):
        render_text("till/refused.html", CARD, chrome(SAMPLE))
    with pytest.raises(TypeError, match="nowhere"):
        render_text("nowhere.html", CARD, chrome(SAMPLE))


def test_what_people_typed_is_escaped() -> None:
    evil = '<script>alert("x")</script>'
    html = render_text("member/card.html", replace(CARD, name=evil, unit=evil), chrome(SAMPLE))
    assert evil not in html
    assert "&lt;script&gt;" in html
    view = views.MemberOffers(query='"><b>', category=None, categories=("food",), asks=(), shops=(), more=None)
    assert '"><b>' not in render_text("member/offers.html", view, chrome(SAMPLE))


def test_the_demo_strip_shows_on_demo_data_only() -> None:
    assert "demo-strip" in render_text("member/card.html", CARD, chrome(SAMPLE))
    assert "demo-strip" not in render_text("member/card.html", CARD, replace(chrome(SAMPLE), demo=False))


def frame(role: Role | None, path: str) -> PageChrome:
    return replace(chrome(SAMPLE), role=role, path=path)


@pytest.mark.parametrize(
    ("role", "path", "current"),
    [
        ("member", "/card", "/card"),
        ("member", "/receipts/8f1c?x=1", "/receipts"),
        ("member", "/shops/s_1", None),
        ("assistant", "/till/today?before=a", "/till/today"),
        ("assistant", "/till/scan", "/till"),
        ("assistant", "/tillage", None),
        (None, "/record/months", "/record"),
        (None, "/record/offers/X", "/record/offers"),
        ("auditor", "/audit/entries/1", "/audit"),
    ],
)
def test_the_way_one_is_on_is_marked(role: Role | None, path: str, current: str | None) -> None:
    marked = [way.href for way in frame(role, path).nav if way.current]
    assert marked == ([current] if current else [])


def test_the_brand_leads_home() -> None:
    assert frame(None, "/").home == "/"
    assert frame("assistant", "/me").home == "/till"


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ("auto", "auto"), (None, "auto"), ("<b>", "auto")]
)
def test_a_theme_comes_from_its_cookie(cookie: str | None, theme: str) -> None:
    assert resolve_theme(cookie) == theme


def test_an_asset_address_carries_the_hash_of_its_content() -> None:
    digest = sha256((STATIC_FOLDER / "css" / "app.css").read_bytes()).hexdigest()
    assert asset("css/app.css") == f"/static/css/app.css?v={digest[:12]}"
    with pytest.raises(FileNotFoundError):
        asset("css/nowhere.css")


def test_an_icon_is_drawn_in_place_and_hidden_from_screen_readers() -> None:
    drawn = icon("qrcode", "big")
    assert drawn.startswith('<svg class="icon big" viewBox="0 0 24 24"')
    assert 'aria-hidden="true"' in drawn
    assert drawn.count("<svg") == 1
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")


def test_the_countdown_starts_from_the_servers_clock() -> None:
    html = render_text("member/card.html", CARD, chrome(SAMPLE))
    assert f'data-now="{NOW.isoformat()}"' in html
    assert "<span data-left>42</span>" in html


def test_a_frozen_card_shows_no_code() -> None:
    html = render_text("member/card.html", replace(CARD, state="frozen", code=None), chrome(SAMPLE))
    assert "data-countdown" not in html
    assert "/card/freeze" not in html
    assert "已冻结" in html
