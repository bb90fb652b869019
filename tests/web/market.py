"""What the page tests sell: the noodle shop's 10 %, the union's yuan a day, and the short way from a card to a sale."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

import cards
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.ids import new_id
from market.offers.operations import approve_offer, propose_offer
from market.record.budgets import grant_budget, open_budget
from tests.stages import Begun, Stage
from tests.web.conftest import Works
from tests.world import sign_all

FIRST, SECOND = new_id(), new_id()  # two persons

TEN_PERCENT = {
    "id": "NOODLE10",
    "stage": "line",
    "kind": "percent_off",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 1000,
}
UNION_YUAN = {
    "id": "UNION1",
    "stage": "subsidy",
    "kind": "amount_off",
    "match": {"any": True},
    "amount": 100,
    "sponsor": "xg",
    "sponsor_share_bp": 10000,
    "budgets": ["budget:lunch"],
}


def open_market() -> None:
    """A lunch budget, 面食九折 by the merchant, 午餐补贴 once a day by the union: 16.00 and 2.00 make 15.40."""
    at = now()
    with transaction() as tx:
        open_budget(tx, code="lunch", title="午餐", sponsor="xg", slots=1, at=at)
        grant_budget(
            tx, budget="lunch", amount_fen=100_000, key="lunch:1", proposed_by=FIRST, approved_by=SECOND, at=at
        )
    put_offer(TEN_PERCENT, title="面食九折", title_en="Noodles 10% off", at=at)
    put_offer(UNION_YUAN, {"uses": 1, "period": "day"}, title="午餐补贴", title_en="Lunch yuan", at=at)


@pytest.fixture(scope="session")
def lunch_stage(works_stage: Stage) -> Stage:
    return works_stage.further("lunch", open_market)


@pytest.fixture
def lunch(works: Works, begun: Begun, lunch_stage: Stage) -> None:
    """`open_market()` was called: offers are in force."""
    begun.take("lunch", open_market)


def put_offer(
    terms: Mapping[str, Any], limits: Mapping[str, Any] | None = None, *, title: str, title_en: str, at: datetime
) -> None:
    """Propose an offer, sign it as the merchant's owner, approve it by a second person."""
    with transaction() as tx:
        version = propose_offer(
            tx,
            terms=terms,
            limits=limits or {},
            title=title,
            title_en=title_en,
            proposed_by=FIRST,
            at=at,
        )
        sign_all(tx, offer=str(terms["id"]), version=version, at=at)
        approve_offer(
            tx, offer=str(terms["id"]), version=version, approved_by=SECOND, count_class=cards.count_class, at=at
        )


def fields_of(html: str, action: str) -> dict[str, str]:
    """What a browser would send of the form with this action: its inputs with their values."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', html, re.DOTALL)
    assert form, f"no form to {action} in {html[:3000]}"
    inputs = re.findall(r"<input\b[^>]*>", form[0])
    return {
        name[1]: value[1] if (value := re.search(r'\bvalue="([^"]*)"', each)) else ""
        for each in inputs
        if (name := re.search(r'\bname="([^"]*)"', each)) and 'type="checkbox"' not in each
    }


def flat(html: str) -> str:
    """A page without the white space that only its template's author sees."""
    return re.sub(r"\s*(<[^>]*>)\s*", r"\1", re.sub(r"\s+", " ", html))


def digits_on(card_page: str) -> str:
    """The eight digits that the member reads out."""
    found = re.search(r'class="digits"><span>(\d{4})</span><span>(\d{4})</span>', flat(card_page))
    assert found, card_page[:3000]
    return found[1] + found[2]


def follow(client: TestClient, answer: Any) -> Any:
    """The page that a redirect after a form leads to."""
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["location"])


def issue(works: Works, member_id: UUID | None = None) -> cards.IssuedCode:
    """The code on the member's card page."""
    with transaction() as tx:
        card = cards.get_card_page(tx, member_id=member_id or works.member_id, at=now())
        return cards.issue_code(tx, card_id=card.card_id, at=now())


def send(client: TestClient, page: Any, action: str, **more: str) -> Any:
    """Send a form of this page as a browser would."""
    return client.post(action, data={**fields_of(page.text, action), **more})


def open_visit(client: TestClient, works: Works, member_id: UUID | None = None) -> tuple[Any, str]:
    """The page of a fresh visit, and its address."""
    answer = send(client, client.get("/till/code"), "/till/visits", code=issue(works, member_id).code)
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["location"]), answer.headers["location"]


def ask(client: TestClient, works: Works, discountable: str = "16.00", other: str = "2") -> tuple[Any, str]:
    """The page with the price, and the visit's address."""
    page, visit = open_visit(client, works)
    return send(client, page, f"{visit}/quote", discountable=discountable, other=other), visit


def sell(client: TestClient, works: Works, discountable: str = "16.00", other: str = "2") -> str:
    """The public id of a sale made by the pages."""
    quoted, visit = ask(client, works, discountable, other)
    answer = send(client, quoted, f"{visit}/redeem")
    found = re.fullmatch("/till/sales/([0-9a-f]{32})/done", answer.headers.get("location", ""))
    assert found, answer.text
    return found[1]


def add_member(works: Works) -> UUID:
    """A second member, of the compound surname 欧阳."""
    other = cards.NewMember(
        staff_number="10002",
        name="欧阳秀英",
        phone="13800138001",
        national_id="110105194912310046",
        unit_id=works.unit_id,
    )
    with transaction() as tx:
        return cards.add_member(tx, member=other, at=now()).member_id
