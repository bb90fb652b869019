"""An offer that asks, through the pages: the switch, what it does to the price, and who may press it."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

import cards
from market.kit.clock import now
from market.kit.database import transaction
from tests.web.conftest import Works, csrf_in
from tests.web.market import UNION_YUAN, ask, flat, follow, put_offer

FESTIVAL = UNION_YUAN | {"id": "FESTIVAL3", "amount": 300, "consent": "ask"}
SWITCH = "/offers/FESTIVAL3/consent"
ON = 'name="agree" value="1" aria-pressed="true"'
OFF = 'name="agree" value="0" aria-pressed="true"'


@pytest.fixture
def member(works: Works, enter: Callable[[str], TestClient], lunch: None) -> TestClient:
    """The member in his browser; three yuan more from the union if he agrees."""
    put_offer(FESTIVAL, title="端午额度", title_en="Festival yuan", at=now())
    return enter("member")


def press(member: TestClient, page: str, agree: str, path: str = SWITCH) -> Any:
    """Send the switch of this page as a browser without scripts would."""
    html = member.get(page).text
    return member.post(path, data={"csrf_token": csrf_in(html), "back": page, "agree": agree})


def test_the_offers_page_asks_and_keeps_the_answer(member: TestClient) -> None:
    page = flat(member.get("/offers").text)
    assert "要你同意才用的" in page
    assert f'action="{SWITCH}"' in page
    assert OFF in page
    given = follow(member, press(member, "/offers", "1")).text
    assert "从下次算价起用这个优惠" in given
    assert ON in flat(given)
    taken = follow(member, press(member, "/offers", "0")).text
    assert "从下次算价起不用这个优惠" in taken
    assert OFF in flat(taken)


def test_the_price_on_his_page_follows_and_comes_back_with_what_he_typed(member: TestClient) -> None:
    shop = "/shops/s_0001?discountable=16&other=2"
    assert "15<small>.40" in member.get(shop).text
    assert "端午额度" in flat(member.get(shop).text).partition('class="quote"')[2]
    answer = press(member, shop, "1")
    assert answer.headers["location"] == shop
    assert "12<small>.40" in follow(member, answer).text
    assert "15<small>.40" in follow(member, press(member, shop, "0")).text


def test_the_till_takes_what_he_agreed_to_and_is_not_told_why(
    member: TestClient, works: Works, enter: Callable[[str], TestClient]
) -> None:
    press(member, "/offers", "1")
    member.cookies.clear()
    quoted = ask(enter("assistant"), works)[0].text
    assert "¥12<small>.40" in quoted
    assert "端午额度" not in quoted


def test_the_card_shows_as_usable_only_what_a_till_would_use(member: TestClient) -> None:
    assert "补 3 元" not in member.get("/card").text
    press(member, "/offers", "1")
    assert "补 3 元" in member.get("/card").text


def test_an_offer_for_others_does_not_ask(member: TestClient) -> None:
    put_offer(
        FESTIVAL | {"id": "RETIRED3", "audience": {"state": ["retired"]}}, title="重阳", title_en="Elders", at=now()
    )
    page = member.get("/offers").text
    assert 'action="/offers/FESTIVAL3/consent"' in page
    assert "RETIRED3" not in page


def test_the_switch_refuses_what_does_not_ask_and_what_it_does_not_understand(member: TestClient) -> None:
    assert press(member, "/offers", "1", "/offers/UNION1/consent").status_code == 404
    assert press(member, "/offers", "1", "/offers/NOWHERE/consent").status_code == 404
    assert press(member, "/offers", "maybe").status_code == 422


def test_the_switch_needs_the_token_of_the_form(member: TestClient) -> None:
    assert member.post(SWITCH, data={"agree": "1"}).status_code == 403
    assert OFF in flat(member.get("/offers").text)


def test_it_leads_nowhere_else(member: TestClient) -> None:
    html = member.get("/offers").text
    sent = {"csrf_token": csrf_in(html), "back": "//elsewhere.example", "agree": "1"}
    assert member.post(SWITCH, data=sent).headers["location"] == "/offers"


def test_a_frozen_card_asks_nothing_but_takes_an_answer_back(member: TestClient, works: Works) -> None:
    press(member, "/offers", "1")
    with transaction() as tx:
        card = cards.get_card_page(tx, member_id=works.member_id, at=now()).card_id
        cards.freeze_card(tx, card_id=card, at=now())
    assert SWITCH not in member.get("/offers").text
    assert press(member, "/offers", "0").status_code == 303


def test_the_switch_speaks_english(member: TestClient) -> None:
    page = member.get("/offers?lang=en").text
    assert "Use this offer" in page
    assert "Do not use" in page
