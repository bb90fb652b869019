"""Something to order for the tests of pages: two merchants with products and stock, a subsidy, and a way to pay that is real.

The application is served over loopback, the sandbox beside it; the webhook goes from one to the other as on any machine.
"""

import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest
import uvicorn
from sqlalchemy import Engine, text

import cards
import merchants
from api import handing_out
from api.app import create_app
from api.identity import create_account, grant_role, open_session, set_password
from api.jobs import run_worker
from api.pages.sandbox import render_pay_page
from market.kit.clock import now
from market.kit.database import make_engine, transaction
from market.kit.settings import DEMO_STRIPE_KEY, DEMO_STRIPE_SECRET, get_settings
from market.payments.sandbox.app import Sandbox, create_sandbox
from market.payments.sandbox.clock import Sender
from market.payments.sandbox.store import Knobs, prepare, set_knobs
from market.record.budgets import grant_budget, open_budget
from merchants import ProductTerms, VariantTerms
from tests.stages import Begun, Stage
from tests.web.conftest import PASSWORD, Works
from tests.web.market import FIRST, SECOND, fields_of, put_offer

APPLIANCES_OFF = {
    "id": "HOME10",
    "stage": "line",
    "kind": "percent_off",
    "match": {"merchants": ["m_0002"]},
    "rate_bp": 1000,
}
ONLINE_SUBSIDY = {
    "id": "ONLINE30",
    "stage": "subsidy",
    "kind": "amount_off",
    "match": {"any": True},
    "min_spend": 20_000,
    "amount": 3_000,
    "sponsor": "xg",
    "sponsor_share_bp": 10000,
    "budgets": ["budget:online"],
}
POINTS = (("gate1", "一号门自提点"), ("canteen", "二炼钢食堂"))


@dataclass
class Plaza:
    """Items by a short name, the owners' staff rows by merchant, and what it takes to act as somebody."""

    works: Works
    owners: dict[str, UUID] = field(default_factory=dict)
    items: dict[str, UUID] = field(default_factory=dict)

    def sell(self, name: str, merchant: str, *, code: str, price_fen: int, pieces: int = 20, **terms: Any) -> UUID:
        """A listed product of one variant with so many pieces in stock."""
        said = {"category": "home", "handover": "pickup", "points": ("gate1", "canteen")} | terms
        with transaction() as tx:
            merchant_id = self.merchant_id(merchant)
            product = ProductTerms(
                name=name, variants=[VariantTerms(sku=code, variant="", price_fen=price_fen)], **said
            )
            merchants.add_product(tx, merchant_id=merchant_id, code=code, terms=product, at=now())
            merchants.list_product(tx, merchant_id=merchant_id, code=code)
            item_id = merchants.get_own_product(tx, merchant_id=merchant_id, code=code).variants[0].item_id
        self.items[code] = item_id
        if pieces:
            handing_out.receive_stock(
                staff_id=self.owners[merchant], item_id=item_id, pieces=pieces, key="first", at=now()
            )
        return item_id

    def merchant_id(self, merchant: str) -> UUID:
        with transaction() as tx:
            return merchants.find_merchants(tx, codes=[merchant])[merchant].merchant_id

    def let_in(self, whom: str) -> str:
        """Give somebody PASSWORD: the person of a role, or the owner of a merchant (by its code); the login."""
        login = f"demo-{whom}"
        with transaction() as tx:
            if whom in self.owners:
                self._add_owner(tx, whom)
            set_password(tx, login=login, password=PASSWORD, at=now())
        return login

    def token_of(self, role: str = "member") -> str:
        """A fresh session of the person with this role, of the owner of a merchant (by its code), or of a second member."""
        with transaction() as tx:
            if role == "other":
                return self._other(tx)
            if role in self.owners:
                account_id, role = self._add_owner(tx, role), "owner"
            else:
                account_id = self.works.accounts[role]
            return open_session(tx, account_id=account_id, roles=[role], agent="test", at=now()).token

    def _add_owner(self, tx: Any, merchant: str) -> UUID:
        account_id = create_account(tx, login=f"demo-{merchant}", name="周小红", at=now())
        grant_role(tx, account_id=account_id, role="owner", at=now(), scope_id=self.owners[merchant])
        return account_id

    def _other(self, tx: Any) -> str:
        member = cards.add_member(
            tx,
            member=cards.NewMember(
                staff_number="10002",
                name="欧阳秀英",
                phone="13800138001",
                national_id="110105194912310046",
                unit_id=self.works.unit_id,
            ),
            at=now(),
        )
        account = create_account(tx, login="other", name="欧阳秀英", at=now())
        grant_role(tx, account_id=account, role="member", at=now(), scope_id=member.member_id)
        return open_session(tx, account_id=account, roles=["member"], agent="test", at=now()).token


@dataclass
class Street:
    """The application as a browser of the member meets it, and the sandbox beside it."""

    plaza: Plaza
    browser: httpx.Client
    base: str
    engine: Engine
    database_url: str

    def another(self, role: str) -> httpx.Client:
        """A browser of somebody else."""
        return httpx.Client(base_url=self.base, cookies={"hg": self.plaza.token_of(role)}, timeout=30)

    def get(self, path: str) -> httpx.Response:
        return self.browser.get(path)

    def send(self, page: httpx.Response, action: str, **more: str) -> httpx.Response:
        """A form of this page, as a browser sends it."""
        return self.browser.post(action, data={**fields_of(page.text, action), **more})

    def put_in(self, code: str, qty: int | str = 1) -> httpx.Response:
        page = self.get("/shop/basket")
        data = {
            "csrf_token": token_in(page.text),
            "item": str(self.plaza.items[code]),
            "qty": str(qty),
            "then": "basket",
        }
        return self.browser.post("/shop/basket/lines", data=data)

    def place(self, **more: str) -> httpx.Response:
        chosen = {"handover.m_0002": "pickup:gate1", "handover.m_0003": "pickup:gate1"}
        return self.send(self.get("/shop/basket"), "/shop/basket/place", **chosen | more)

    def numbers(self, basket_page: httpx.Response) -> list[str]:
        """The orders on the page of a basket, in its order."""
        return list(dict.fromkeys(re.findall(r'href="/orders/([0-9A-Z]{8})"', basket_page.text)))

    def pay(self, number: str, method: str = "wechat_pay") -> httpx.Response:
        """By the order's own button to the sandbox's page, there by this method, and back: the page one comes back to."""
        leaving = self.send(self.get(f"/orders/{number}"), f"/orders/{number}/pay")
        assert leaving.status_code == 303, leaving.text
        desk = httpx.get(leaving.headers["location"])
        paid = httpx.post(
            leaving.headers["location"],
            data={"method": method, "card": "4242424242424242", "csrf_token": token_in(desk.text)},
        )
        assert paid.status_code == 303, paid.text
        return self.browser.get(paid.headers["location"])

    def settle(self) -> None:
        """Until the sandbox has told all it has to tell and the jobs are done.

        The worker runs in a thread of its own: once a browser test ran in this process, Playwright keeps the main thread's event loop.
        """
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with ThreadPoolExecutor(max_workers=1) as worker:
                worker.submit(run_worker, self.database_url, wait=False).result()
            if not self._due():
                return
            time.sleep(0.05)
        pytest.fail("payments did not come to rest")

    def told(self, type_: str) -> list[Mapping[str, Any]]:
        """What the sandbox's books hold of one kind, oldest first."""
        with self.engine.connect() as tx:
            rows = tx.execute(
                text("SELECT body FROM sandbox.object WHERE kind = :kind ORDER BY body->>'created', id"),
                {"kind": type_},
            )
            return [row.body for row in rows]

    def _due(self) -> int:
        with self.engine.connect() as tx:
            return int(
                tx.execute(
                    text(
                        "SELECT (SELECT count(*) FROM sandbox.event WHERE due IS NOT NULL)"
                        " + (SELECT count(*) FROM sandbox.object WHERE due <= now())"
                        " + (SELECT count(*) FROM payment_event WHERE worked_at IS NULL)"
                        " + (SELECT count(*) FROM payment_refund WHERE state IN ('asked', 'pending'))"
                    )
                ).scalar_one()
            )


def token_in(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, html[:2000]
    return found[1]


@pytest.fixture(scope="session")
def plaza_stage(works_stage: Stage) -> Stage:
    return works_stage.further("plaza", build_plaza, on="works")


@pytest.fixture
def plaza(works: Works, begun: Begun, plaza_stage: Stage) -> Plaza:
    """Appliances by one merchant (10 % off), oil by another; the union adds 30 yuan above 200, from a budget of 1,000."""
    return begun.take("plaza", build_plaza, works)


def build_plaza(works: Works) -> Plaza:
    """The same in the database this process is connected to."""
    at = now()
    made = Plaza(works)
    with transaction() as tx:
        for number, (code, name, credit) in enumerate(
            (("m_0002", "红双喜电器", "91310000132206289R"), ("m_0003", "惠民超市", "91110108551385082Q"))
        ):
            merchant_id = merchants.admit_merchant(
                tx, code=code, name=name, credit_code=credit, category="home", publication="row", at=at
            )
            merchants.set_payment_account(tx, merchant_id=merchant_id, account=f"acct_{number + 2}")
            made.owners[code] = merchants.add_staff(tx, merchant_id=merchant_id, name="周小红")
        for code, name in POINTS:
            merchants.add_point(tx, code=code, name=name, address="厂区", by=FIRST, at=at)
        open_budget(tx, code="online", title="内购", sponsor="xg", slots=1, at=at)
        grant_budget(
            tx, budget="online", amount_fen=100_000, key="online:1", proposed_by=FIRST, approved_by=SECOND, at=at
        )
    put_offer(APPLIANCES_OFF, title="家电九折", title_en="Appliances 10% off", at=at)
    put_offer(ONLINE_SUBSIDY, title="内购补贴", title_en="Online subsidy", at=at)
    made.sell("电饭煲", "m_0002", code="cooker", price_fen=32_900, limit_per_member=1)
    made.sell("炒锅", "m_0002", code="pot", price_fen=9_900)
    made.sell("花生油", "m_0003", code="oil", price_fen=8_990, handover="both", category="market")
    return made


@pytest.fixture
def street(plaza: Plaza, database_url: str, app_settings: pytest.MonkeyPatch) -> Iterator[Street]:
    """Everything served over loopback, with the member signed in."""
    port, desk_port = free_port(), free_port()
    app_settings.setenv("HUIGONG_PORT", str(port))
    app_settings.setenv("HUIGONG_SANDBOX_PORT", str(desk_port))
    get_settings.cache_clear()
    engine = make_engine(database_url, pool_size=4)
    prepare(engine)
    with engine.begin() as tx:
        set_knobs(tx, Knobs(settle_refund_ms=0))
    desk = Sandbox(
        engine=engine,
        base=f"http://127.0.0.1:{desk_port}",
        key=DEMO_STRIPE_KEY,
        sender=Sender(webhook=f"http://127.0.0.1:{port}/webhooks/stripe", secret=DEMO_STRIPE_SECRET, clock=now),
        render=render_pay_page,
    )
    base = f"http://127.0.0.1:{port}"
    with (
        serving(create_app(), port),
        serving(create_sandbox(desk), desk_port),
        httpx.Client(base_url=base, cookies={"hg": plaza.token_of()}, timeout=30) as browser,
    ):
        yield Street(plaza, browser, base, engine, database_url)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class serving:  # noqa: N801  reads as a phrase
    """An application on a port of loopback, in a thread of this process."""

    def __init__(self, app: Any, port: int) -> None:
        config = uvicorn.Config(app, port=port, log_level="error", access_log=False, ws="none", log_config=None)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> None:
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join()
