"""An order that was paid is a sale like any other: on the member's receipts, in the public months, in the auditor's exports."""

from collections.abc import Callable
from uuid import UUID

import pytest
from starlette.testclient import TestClient

import cards
import merchants
from api import handing_out
from market.kit.clock import now
from market.kit.database import transaction
from market.sales.orders.take_back import TakenBack
from merchants import ProductTerms, VariantTerms
from tests.mall import Mall
from tests.web.conftest import Works
from tests.web.ledger import Ledger
from tests.web.market import flat
from tests.world import World

NOBODY = UUID(int=0)
Enter = Callable[[str], TestClient]


@pytest.fixture
def sold(works: Works) -> str:
    """Two cookers ordered and paid on line, of which one came back; the receipt's id."""
    at = now()
    terms = ProductTerms(
        "电饭煲", "goods", [VariantTerms(sku="cooker", variant="", price_fen=19_900)], points=("gate1",)
    )
    with transaction() as tx:
        merchants.set_payment_account(tx, merchant_id=works.merchant_id, account="acct_1")
        merchants.add_point(tx, code="gate1", name="东门", address="", by=works.accounts["officer"], at=at)
        merchants.add_product(tx, merchant_id=works.merchant_id, code="cooker", terms=terms, at=at)
        merchants.list_product(tx, merchant_id=works.merchant_id, code="cooker")
        found = merchants.get_own_product(tx, merchant_id=works.merchant_id, code="cooker")
    mall = Mall(_as_world(works), works.merchant_id, works.staff_id, items={"cooker": found.variants[0].item_id})
    mall.receive("cooker", 5, key="lorry")
    [order] = mall.place({"cooker": 2}, at=at)
    mall.pay(order.order, at=at)
    taken = TakenBack({"1": 1}, "shelf", is_restocked=True, reason="returned")
    handing_out.return_lines(staff_id=works.staff_id, number=order.order.number, taken=taken, key="back", at=at)
    return order.order.public_id


def test_the_member_finds_it_among_his_receipts(enter: Enter, sold: str) -> None:
    browser = enter("member")
    assert "老王面馆" in browser.get("/receipts").text
    page = flat(browser.get(f"/receipts/{sold}").text)
    for shown in ("电饭煲", "已退 1 件", "398", "199"):
        assert shown in page, shown
    assert browser.get("/card").status_code == 200


def test_the_shop_s_till_does_not_know_it(enter: Enter, sold: str) -> None:
    browser = enter("assistant")
    assert browser.get(f"/till/sales/{sold}").status_code == 404
    assert sold not in browser.get("/till/today").text


def test_the_public_and_the_auditor_see_it_as_any_other(
    client: TestClient, enter: Enter, sold: str, ledger: Ledger
) -> None:
    ledger.publish()
    [month] = client.get("/record/months.json").json()["rows"]
    assert (month["sales"], month["list_fen"], month["paid_fen"]) == (1, 19_900, 19_900)
    assert (month["paid_provider_fen"], month["paid_declared_fen"]) == (19_900, 0), (
        "what came back is of its sale's tender"
    )
    browser = enter("auditor")
    assert sold in browser.get(f"/audit/entries/{sold}").text


def _as_world(works: Works) -> World:
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=works.member_id)
    member = cards.AddedMember(member_id=works.member_id, subject=subject, card_id=NOBODY)
    return World(works.unit_id, works.merchant_id, works.shop_id, works.staff_id, [member])
