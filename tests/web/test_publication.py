"""A merchant in batches: nothing single of it is public, its receipts lead to the batch, and an officer has its publication in hand."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

import merchants
from api import till
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.settings import get_settings
from market.record.publication import list_publications
from tests.web.conftest import Works
from tests.web.ledger import Ledger, ask, rows_of
from tests.web.market import fields_of, flat, follow, issue, open_market, send

Enter = Callable[[str], TestClient]
PAGES = (
    "",
    "/months",
    "/months/offers",
    "/merchants",
    "/merchants/m_0009",
    "/rebates",
    "/entries",
    "/entries?merchant=m_0009",
)
FILES = ("months", "months/offers", "merchants", "rebates", "entries")


@dataclass
class Chemist:
    """A pharmacy beside the noodle shop."""

    works: Works
    ledger: Ledger
    staff: UUID

    def sell(self, fen: int) -> str:
        at = now()
        visit = till.open_visit_at_till(staff_id=self.staff, scanned=issue(self.works).code, at=at).visit_id
        keyed = till.AmountsKeyed(fen, 0)
        return till.redeem_at_till(staff_id=self.staff, visit_id=visit, keyed=keyed, key=f"sale-{fen}", at=at).public_id

    def publish_all(self) -> None:
        """As on the first of the next month."""
        self.ledger.publish(now() + timedelta(days=40))


@pytest.fixture
def chemist(ledger: Ledger, works: Works, tmp_path: Path, app_settings: pytest.MonkeyPatch) -> Chemist:
    app_settings.setenv("HUIGONG_RECORD_FOLDER", str(tmp_path))  # where the ledger keeps its keys
    get_settings.cache_clear()
    open_market()
    at = now()
    with transaction() as tx:
        merchant = merchants.admit_merchant(
            tx, code="m_0009", name="百草大药房", credit_code="91310000132206289R", category="pharmacy", at=at
        )
        shop = merchants.add_shop(tx, merchant_id=merchant, code="s_0009", name="百草", address="东门")
        return Chemist(works, ledger, merchants.add_staff(tx, merchant_id=merchant, name="小药", shop_id=shop))


def seen(client: TestClient) -> str:
    """All that is public, without form tokens."""
    paths = [f"/record{page}" for page in PAGES] + [
        f"/record/{file}.{kind}" for file in FILES for kind in ("csv", "json")
    ]
    return re.sub(r'value="[^"]{20,}"', "", "\n".join(client.get(path).text for path in ("/", *paths)))


def test_nothing_public_changes_before_its_batch(client: TestClient, chemist: Chemist) -> None:
    chemist.ledger.sell(1600, "sale-1600")
    chemist.ledger.publish()
    before = seen(client)
    sale = chemist.sell(123_45)
    chemist.ledger.publish()
    assert seen(client) == before, "not even a sum"
    assert "台账里还没有这一条" in client.get(f"/record/check?entry={sale}").text
    for suffix in ("", ".json", ".tlog-proof"):
        assert client.get(f"/record/entries/{sale}{suffix}").status_code == 404


def test_a_batch_is_public_and_what_is_in_it_is_not(client: TestClient, chemist: Chemist) -> None:
    sales = [chemist.sell(fen) for fen in (12_300, 4_500, 6_700)]
    chemist.publish_all()
    ((batch, place),) = ask("SELECT public_id, leaf_index FROM entry WHERE type = 'batch'")
    page = flat(client.get(f"/record/entries/{batch}").text)
    assert "一批 3 笔核销，只公布合计" in page
    assert "¥235.00" in re.sub(r"</?small>", "", client.get(f"/record/entries/{batch}").text)
    assert "这是从另一笔退回的" not in page
    [row] = rows_of(client, "/record/entries.json?type=batch")
    assert (row["entry"]["count"], row["leaf_index"]) == (3, place)
    assert "3 笔" in flat(client.get("/record/entries?merchant=m_0009").text)
    [month] = rows_of(client, "/record/months.json")
    assert (month["list_fen"], month["sales"]) == (23_500, 3)
    everything = seen(client)
    assert not any(sale in everything for sale in sales)
    for sale in sales:
        assert client.get(f"/record/entries/{sale}").status_code == 404
    assert client.get(f"/record/entries/{batch}.tlog-proof").status_code == 200


def test_who_has_the_receipt_is_led_to_the_batch(client: TestClient, chemist: Chemist, enter: Enter) -> None:
    sale = chemist.sell(8_800)
    member = enter("member")
    page = flat(member.get(f"/receipts/{sale}").text)
    assert "这家商户成批公布：你这一笔不单列" in page
    young = member.get(f"/receipts/{sale}/file").content
    chemist.publish_all()
    assert "那一批 1 笔里" in flat(member.get(f"/receipts/{sale}").text)
    check = flat(client.get(f"/record/check?entry={sale}").text)
    assert "你查的这一笔在里面" in check
    for file in (young, member.get(f"/receipts/{sale}/file").content):
        page_ = client.get("/record/check")
        token = fields_of(page_.text, "/record/check")["csrf_token"]
        answer = client.post("/record/check", data={"csrf_token": token, "text": file.decode()})
        assert "对得上：这一笔在公开台账第" in answer.text, "an old file gets both steps from the record"
    other = young.replace(b"8800", b"8801")
    token = fields_of(client.get("/record/check").text, "/record/check")["csrf_token"]
    answer = client.post("/record/check", data={"csrf_token": token, "text": other.decode()})
    assert "对得上：" not in answer.text
    assert "“leaf”不符" in answer.text


def test_the_merchant_s_page_says_how_it_is_published(client: TestClient, chemist: Chemist) -> None:
    assert "成批公布" in flat(client.get("/record/merchants/m_0009").text)
    assert "逐笔公布" in flat(client.get("/record/merchants/m_0001").text)
    published = {row["merchant"]: row["publication"] for row in rows_of(client, "/record/merchants.json")}
    assert published == {"m_0001": "row", "m_0009": "batched"}


def on_tomorrow(merchant: str) -> Any:
    with transaction() as tx:
        said = list_publications(tx, on=business_day(now()) + timedelta(days=2))
    return said[merchant].publication, said[merchant].reason


def test_an_officer_chooses_batches_and_takes_it_back(client: TestClient, chemist: Chemist, enter: Enter) -> None:
    desk = enter("officer")
    page = desk.get("/desk/publication")
    assert "敏感行业" in flat(page.text)
    after = follow(desk, send(desk, page, "/desk/publication/m_0001/choose"))
    assert "从明天起成批公布" in after.text
    assert "officer 某指定" in flat(after.text)
    assert on_tomorrow("m_0001") == ("batched", "chosen")
    assert "起改为成批公布" in flat(client.get("/record/merchants/m_0001").text)
    again = send(desk, page, "/desk/publication/m_0001/choose")
    assert again.status_code == 409
    assert "已经由干部定为成批公布" in again.text
    back = follow(desk, send(desk, after, "/desk/publication/m_0001/take-back"))
    assert "已撤回" in back.text
    assert on_tomorrow("m_0001") == ("batched", "few"), "it sold nothing in 28 days"
    twice = send(desk, after, "/desk/publication/m_0001/take-back")
    assert twice.status_code == 409
    assert "/desk/publication/m_0009/choose" not in page.text, "what is sensitive is in batches anyway"
    form = {"csrf_token": fields_of(page.text, "/desk/publication/m_0001/choose")["csrf_token"]}
    assert desk.post("/desk/publication/m_9999/choose", data=form).status_code == 404
    assert desk.get("/desk/publication?shown=batched").status_code == 200
    assert desk.get("/desk/publication?shown=secret").status_code == 422


def test_an_auditor_finds_what_waits_and_then_its_batch(chemist: Chemist, enter: Enter) -> None:
    sales = [chemist.sell(fen) for fen in (1_100, 2_200)]
    auditor = enter("auditor")
    waiting = auditor.get("/audit/entries?state=waiting").text
    assert all(sale in waiting for sale in sales)
    chemist.publish_all()
    ((batch,),) = ask("SELECT public_id FROM entry WHERE type = 'batch'")
    for query in ("", "?state=waiting", "?merchant=m_0009"):
        page = auditor.get(f"/audit/entries{query}").text
        assert not any(sale in page for sale in sales), "it is published, with the other"
        assert (batch in page) is (query != "?state=waiting")
    assert 'href="/audit/entries/sale"' not in auditor.get(f"/audit/entries/{batch}").text
