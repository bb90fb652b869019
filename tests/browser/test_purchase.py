"""One purchase from the sign-in to the refund, in Chromium; after every step three parties' books are read past the code and agree.

The union's ledger, the sandbox's own books and the public record are read by SQL of this file alone; the fen were reckoned by hand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import Connection, text

from api.public_log import open_log, run_round
from market.kit.clock import now
from market.kit.settings import Settings
from tests.web.conftest import PASSWORD, app_settings, works, works_stage  # noqa: F401  fixtures that the street stands on
from tests.web.plaza import Street
from tests.world import findings

# Cooker 329.00 and pot 99.00, a tenth off each, the union's 30.00 shared as 296.10 to 89.10; two bottles of oil, nothing off.
HOME, OIL = 32_900 - 3_290 + 9_900 - 990 - 3_000, 2 * 8_990
POT_SUBSIDY = 694
POT = 9_900 - 990 - POT_SUBSIDY

ORDERS = "SELECT merchant, state FROM member_order"
# What every account came to; money set aside for an order is shown by the order's merchant.
LEDGER = """
SELECT CASE WHEN account LIKE 'reserved:%' THEN 'reserved:' || merchant ELSE account END, sum(fen)
FROM (SELECT credit AS account, amount_fen AS fen FROM transfer UNION ALL SELECT debit, -amount_fen FROM transfer) AS moved
LEFT JOIN member_order ON account = 'reserved:' || number GROUP BY 1 HAVING sum(fen) <> 0
"""
PURSE = "SELECT id, sum(left_over) FROM balance WHERE id LIKE 'budget:%' GROUP BY id"
STOCK = "SELECT split_part(id, ':', 3), sum(left_over) FROM balance WHERE id LIKE 'stock:' || :item || ':%' GROUP BY 1"
OURS = "SELECT account, sum(amount_fen - refunded_fen) FROM payment WHERE paid_at IS NOT NULL GROUP BY 1"
SANDBOX = """
SELECT account, sum(CASE kind WHEN 'charge' THEN (body->>'amount_captured')::bigint ELSE -(body->>'amount')::bigint END)
FROM sandbox.object WHERE kind = 'charge' OR kind = 'refund' AND body->>'status' = 'succeeded' GROUP BY 1
"""
METHODS = "SELECT account, body->'payment_method_details'->>'type' FROM sandbox.object WHERE kind = 'charge'"
# The four amounts by merchant, refunds taken off, and what all entries together say moved between accounts.
RECORD = """
SELECT merchant, sum(way * (told->>'list')::bigint), sum(way * (told->>'concession')::bigint),
  sum(way * (told->>'subsidy')::bigint), sum(way * (told->>'paid')::bigint)
FROM (SELECT merchant, CASE type WHEN 'refund' THEN -1 ELSE 1 END AS way, convert_from(body, 'UTF8')::jsonb AS told
  FROM entry WHERE type IN ('sale', 'refund', 'void')) AS entries GROUP BY 1
"""
TOLD = """
WITH moved AS (SELECT jsonb_array_elements(convert_from(body, 'UTF8')::jsonb->'transfers') AS move FROM entry)
SELECT account, sum(fen) FROM (SELECT move->>1 AS account, (move->>2)::bigint AS fen FROM moved
  UNION ALL SELECT move->>0, -(move->>2)::bigint FROM moved) AS told GROUP BY 1 HAVING sum(fen) <> 0
"""
HEARD = """
SELECT payment.account, outcome FROM payment_event JOIN payment ON payment.id = payment_id WHERE type = 'checkout.session.completed'
"""


@dataclass(frozen=True)
class Books:
    """How all books stand. Fen; accounts of the ledger by their code, money at the provider by the merchant's account there.

    `record` has what the public entries say of each merchant, refunds taken off: list, concession, subsidy, paid.
    """

    orders: Mapping[str, str]
    ledger: Mapping[str, int]
    sandbox: Mapping[str, int]
    ours: Mapping[str, int]
    record: Mapping[str, tuple[int, ...]]
    pots: Mapping[str, int]


EMPTY = Books(
    orders={},
    ledger={"union:fund": -100_000, "budget:online": 100_000},
    sandbox={},
    ours={},
    record={},
    pots={"free": 20, "reserved": 0, "sold": 0},
)


def ask(tx: Connection, query: str, **values: str) -> dict[str, Any]:
    """What a query of two columns answers; sums are whole."""
    rows = tx.execute(text(query), values)
    return {row[0]: int(row[1]) if isinstance(row[1], Decimal) else row[1] for row in rows}


def read_books(street: Street) -> Books:
    """The books as they are; what must agree at any moment is checked here."""

    with street.engine.connect() as tx:
        read = Books(
            orders=ask(tx, ORDERS),
            ledger=ask(tx, LEDGER),
            sandbox=ask(tx, SANDBOX),
            ours=ask(tx, OURS),
            record={merchant: tuple(int(fen) for fen in amounts) for merchant, *amounts in tx.execute(text(RECORD))},
            pots=ask(tx, STOCK, item=str(street.plaza.items["pot"])),
        )
        purses, told = ask(tx, PURSE), ask(tx, TOLD)
    assert purses == {"budget:online": read.ledger["budget:online"]}
    for list_fen, concession_fen, subsidy_fen, paid_fen in read.record.values():
        assert list_fen == concession_fen + subsidy_fen + paid_fen
    owed = {account: fen for account, fen in read.ledger.items() if account.startswith("payable:")}
    assert {account: fen for account, fen in told.items() if account.startswith("payable:")} == owed
    assert told["union:fund"] == -100_000
    assert 100_000 - told["budget:online"] == sum(owed.values())
    return read


@dataclass
class Journey:
    """The member's phone, the supplier's, what pages are judged with, and how the books must stand now."""

    street: Street
    phone: Page
    desk: Page
    look: Callable[[Page, str], None]
    books: Books

    def check(self, **changes: object) -> None:
        """The books stand as before but for these changes."""
        self.books = replace(self.books, **changes)  # type: ignore[arg-type]
        assert read_books(self.street) == self.books

    def sign_in(self, page: Page, whom: str) -> None:
        """By the form, with login and password."""
        page.goto(f"{self.street.base}/sign-in")
        page.get_by_label("登录名").fill(self.street.plaza.let_in(whom))
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录", exact=True).click()
        expect(page.get_by_label("密码")).to_have_count(0)

    def open_order(self, merchant: str) -> None:
        """The member's page of this merchant's order."""
        self.phone.goto(f"{self.street.base}/orders")
        self.phone.locator(".order-card", has_text=merchant).get_by_role("link").first.click()

    def pay(self, merchant: str, method: str) -> None:
        """From this merchant's order to the sandbox's own page, and there by this method."""
        self.phone.goto(f"{self.street.base}/orders")
        self.phone.locator(".order-card", has_text=merchant).get_by_role("button", name="付款").click()
        self.phone.get_by_text(method, exact=True).click()
        self.phone.get_by_role("button", name="付款").click()


@pytest.fixture
def journey(street: Street, open_page: Callable[..., Page], look_at: Callable[[Page, str], None]) -> Journey:
    """A member's phone by night, the supplier's by day, nobody signed in."""
    return Journey(street, open_page("phone", scheme="dark"), open_page("phone"), look_at, EMPTY)


def test_from_the_sign_in_to_the_refund_every_book_agrees(journey: Journey, tmp_path: Path) -> None:
    journey.sign_in(journey.phone, "member")
    fill_the_basket(journey)
    place_the_orders(journey)
    pay_by_wechat_and_lose_the_net(journey)
    pay_by_alipay_and_come_back(journey)
    journey.sign_in(journey.desk, "m_0002")
    collect_by_card(journey)
    ask_for_a_return(journey)
    take_one_back(journey)
    assert findings() == []
    settings = Settings(record_folder=tmp_path)
    open_log(settings, origin="test.example/log", window_seconds=5, at=now())
    run_round(settings, at=now() + timedelta(minutes=1))
    read_it_everywhere(journey)


def fill_the_basket(journey: Journey) -> None:
    """He finds a rice cooker by the sound of its name; a pot of the same merchant and oil of another go with it."""
    phone, base = journey.phone, journey.street.base
    phone.goto(f"{base}/shop")
    phone.get_by_role("searchbox").press_sequentially("dianfanbao")
    expect(phone.locator(".good")).to_have_count(1)
    phone.get_by_role("link", name="电饭煲").click()
    phone.get_by_role("button", name="放进购物篮").click()
    expect(phone.get_by_text("已放进购物篮")).to_be_visible()
    phone.goto(f"{base}/shop/m_0002/pot")
    phone.get_by_role("button", name="放进购物篮").click()
    phone.goto(f"{base}/shop/m_0003/oil")
    phone.get_by_role("button", name="马上买").click()
    oil = phone.locator(".ware", has_text="花生油")
    with phone.expect_response("**/shop/basket"):
        oil.get_by_role("button", name="加一件花生油").click()
    expect(oil.get_by_role("spinbutton")).to_have_value("2")
    expect(phone.get_by_role("link", name="购物篮，4 件")).to_be_visible()
    with phone.expect_response("**/shop/basket"):
        oil.get_by_role("button", name="移出花生油").click()
    expect(phone.get_by_role("link", name="购物篮，2 件")).to_be_visible()
    with phone.expect_response("**/shop/basket"):
        phone.get_by_role("button", name="放回去").click()
    for block in phone.locator(".basket-block").all():
        block.locator(".way", has_text="一号门自提点").click()
    journey.look(phone, "basket")
    journey.check()


def place_the_orders(journey: Journey) -> None:
    """Goods and the subsidy are set aside; nobody has paid, and the public record is silent."""
    journey.phone.get_by_role("button", name="下单").click()
    expect(journey.phone.get_by_role("heading", name="还要付")).to_contain_text("535")
    journey.look(journey.phone, "orders to pay")
    journey.check(
        orders={"m_0002": "placed", "m_0003": "placed"},
        ledger={"union:fund": -100_000, "budget:online": 97_000, "reserved:m_0002": 3_000},
        pots={"free": 19, "reserved": 1, "sold": 0},
    )


def pay_by_wechat_and_lose_the_net(journey: Journey) -> None:
    """He has paid at the sandbox when his phone loses the net, and never comes back: the webhook alone tells of it."""

    def lose_the_net(route: Route) -> None:
        if route.request.method == "POST":
            assert route.fetch(max_redirects=0).status == 303
            route.fulfill(status=200, body="no net")
        else:
            route.continue_()

    journey.phone.route("**/pay/cs_*", lose_the_net)
    journey.pay("红双喜电器", "微信支付")
    expect(journey.phone.get_by_text("no net")).to_be_visible()
    journey.phone.unroute("**/pay/cs_*")
    journey.street.settle()
    journey.check(
        orders={"m_0002": "paid", "m_0003": "placed"},
        ledger={"union:fund": -100_000, "budget:online": 97_000, "payable:m_0002": 3_000},
        sandbox={"acct_2": HOME},
        ours={"acct_2": HOME},
        record={"m_0002": (42_800, 4_280, 3_000, HOME)},
        pots={"free": 19, "reserved": 0, "sold": 1},
    )


def pay_by_alipay_and_come_back(journey: Journey) -> None:
    """Whichever is first, the webhook or the look at the provider on the way back: the end is the same."""
    journey.pay("惠民超市", "支付宝")
    expect(journey.phone.locator(".order-state-panel")).to_contain_text("备货中")
    journey.street.settle()
    journey.check(
        orders={"m_0002": "paid", "m_0003": "paid"},
        sandbox={"acct_2": HOME, "acct_3": OIL},
        ours={"acct_2": HOME, "acct_3": OIL},
        record={"m_0002": (42_800, 4_280, 3_000, HOME), "m_0003": (OIL, 0, 0, OIL)},
    )
    with journey.street.engine.connect() as tx:
        assert ask(tx, METHODS) == {"acct_2": "wechat_pay", "acct_3": "alipay"}
        heard = ask(tx, HEARD)
    assert heard["acct_2"] == "applied"
    assert heard["acct_3"] in {"applied", "unchanged"}


def collect_by_card(journey: Journey) -> None:
    """The supplier lays it ready; at the gate the member shows the code of his card. Goods move, money does not."""
    phone, desk, base = journey.phone, journey.desk, journey.street.base
    desk.goto(f"{base}/merchant/orders")
    desk.locator(".order-row a").click()
    desk.get_by_role("button", name="备好了").click()
    journey.open_order("红双喜电器")
    expect(phone.locator(".slip.is-ready .digits")).to_be_visible()
    journey.look(phone, "ready")
    phone.goto(f"{base}/card")
    desk.goto(f"{base}/merchant/handout/code")
    desk.get_by_label("会员报的 8 个数字").fill(phone.locator("#code .digits").inner_text())
    desk.get_by_role("button", name="看有什么可取").click()
    desk.get_by_role("button", name="已交给本人").click()
    expect(desk.get_by_role("heading", name="已发放")).to_be_visible()
    journey.check(orders={"m_0002": "collected", "m_0003": "paid"})


def ask_for_a_return(journey: Journey) -> None:
    """The pot is no good: the member sees what it would bring, and asks. Nothing moves in any book."""
    phone = journey.phone
    journey.open_order("红双喜电器")
    phone.get_by_role("link", name="申请退货").click()
    expect(phone.get_by_text("选好件数，看退多少")).to_be_visible()
    phone.get_by_role("button", name="多一件炒锅").click()
    expect(phone.locator("#back")).to_contain_text("82.16")
    expect(phone.get_by_role("button", name="多一件炒锅")).to_be_focused()
    phone.locator(".way", has_text="坏了，或有瑕疵").click()
    phone.get_by_label("说明", exact=False).fill("锅底不平")
    phone.get_by_role("button", name="提交申请").click()
    expect(phone.get_by_text("等商户答复", exact=True)).to_be_visible()
    journey.check()


def take_one_back(journey: Journey) -> None:
    """The supplier takes it back: its stored shares go to whoever bore them, first in the books, then at the provider."""
    desk = journey.desk
    desk.goto(f"{journey.street.base}/merchant/handout")
    desk.get_by_role("link", name="单申请退货，等答复").click()
    desk.locator(".order-row a").click()
    desk.get_by_role("link", name="收回，退 ¥82.16").click()
    desk.get_by_role("button", name="收到了，退 ¥82.16").click()
    expect(desk.locator("h1")).to_contain_text("部分退货")
    journey.check(
        orders={"m_0002": "partly_returned", "m_0003": "paid"},
        ledger={
            "union:fund": -100_000,
            "budget:online": 97_000 + POT_SUBSIDY,
            "payable:m_0002": 3_000 - POT_SUBSIDY,
        },
        record={"m_0002": (32_900, 3_290, 3_000 - POT_SUBSIDY, HOME - POT), "m_0003": (OIL, 0, 0, OIL)},
        pots={"free": 20, "reserved": 0, "sold": 0},
    )
    journey.street.settle()
    paid = {"acct_2": HOME - POT, "acct_3": OIL}
    journey.check(sandbox=paid, ours=paid)


def read_it_everywhere(journey: Journey) -> None:
    """What the member reads of his order, and anybody of the month once it is published, says the same."""
    phone, base = journey.phone, journey.street.base
    journey.open_order("红双喜电器")
    expect(phone.get_by_text("退给你 ¥82.16")).to_be_visible()
    journey.look(phone, "one thing came back")
    phone.get_by_role("link", name="电子小票").click()
    expect(phone.get_by_text("工会补贴").first).to_be_visible()
    journey.desk.context.clear_cookies()
    journey.desk.goto(f"{base}/record/months")
    row = journey.desk.locator("tbody tr", has_text="红双喜电器").last
    expect(row.locator("td").nth(3)).to_have_text("¥273.04")
