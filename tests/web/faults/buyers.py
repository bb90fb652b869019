"""Members who buy over HTTP while the processes behind it die, and note what they know for sure of each order.

Whoever gets no answer presses the same button again, as people do; now and then one gives up and never comes back.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx2 as httpx

from tests.web.market import fields_of
from tests.web.plaza import token_in

CHOSEN: Final = {"handover.m_0002": "pickup:gate1", "handover.m_0003": "pickup:gate1"}
METHODS: Final = ("wechat_pay", "alipay", "card")
ANSWER_SECONDS: Final = 150
GIVES_UP_PERCENT: Final = 15


class GaveUpError(Exception):
    """Nobody answered, and this person does not try again."""


@dataclass
class Known:
    """What a buyer knows of an order: None where no answer came."""

    is_paid: bool | None = False  # the provider's page said thank you
    is_late: bool = False  # the time to pay was over before
    is_called_off: bool | None = False  # the whole of it, by the member or the merchant
    returned: int | None = 0  # pieces


@dataclass
class Browser:
    """A browser of somebody who is signed in. `cut` counts the requests that were begun and not answered."""

    client: httpx.Client
    chance: Random
    answered: int = 0
    cut: int = 0

    def ask(self, method: str, path: str, data: Mapping[str, str] | None = None) -> httpx.Response:
        """A request, again and again until there is an answer. Raises GaveUpError."""
        until = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < until:
            try:
                answer = self.client.request(method, path, data=data)
            except httpx.ConnectError:  # nobody is there just now
                time.sleep(0.1)
            except httpx.TransportError:
                self.cut += 1
                if self.chance.randrange(100) < GIVES_UP_PERCENT:
                    raise GaveUpError from None
            else:
                assert answer.status_code < 500 or answer.status_code == 503, (path, answer.text)
                self.answered += 1
                return answer
        message = f"no answer to {path} for {ANSWER_SECONDS} seconds"
        raise AssertionError(message)

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def post(self, path: str, data: Mapping[str, str]) -> httpx.Response:
        return self.ask("POST", path, data)


@dataclass
class Buyer:
    """One member. `knows` is by order number; `let_pass` ends an order's time to pay."""

    name: str
    browser: Browser
    owners: Mapping[str, Browser]
    items: Mapping[str, UUID]
    let_pass: Callable[[str], None]
    knows: dict[str, Known] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    @property
    def chance(self) -> Random:
        return self.browser.chance

    @property
    def browsers(self) -> list[Browser]:
        return [self.browser, *self.owners.values()]

    def keep_buying(self, over: threading.Event) -> None:
        while not over.is_set():
            try:
                for number in self.place():
                    self.knows[number] = Known()
                    self.go_on(number)
            except GaveUpError:
                self.told.append("gave up")

    def place(self) -> list[str]:
        """Fill the basket and order it; the numbers of the orders, none where it was refused."""
        codes = self.chance.sample(sorted(self.items), self.chance.randint(1, 2))
        token = token_in(self.browser.get("/shop/basket").text)
        wanted = {f"qty.{item}": "0" for code, item in self.items.items() if code not in codes}
        for code in codes:
            fields = {"csrf_token": token, "item": str(self.items[code]), "qty": "1", "then": "basket"}
            self.browser.post("/shop/basket/lines", fields)
            wanted[f"qty.{self.items[code]}"] = str(self.chance.randint(1, 3))
        page = self.browser.post("/shop/basket", {"csrf_token": token, **wanted})
        placed = self.browser.post(
            "/shop/basket/place", {**fields_of(page.text, "/shop/basket/place"), **CHOSEN, "csrf_token": token}
        )
        if placed.status_code != 303:
            self.told.append(f"place {placed.status_code}")
            return []
        together = self.browser.get(placed.headers["location"])
        return list(dict.fromkeys(re.findall(r'href="/orders/([0-9A-Z]{8})"', together.text)))

    def go_on(self, number: str) -> None:
        """What this member does with an order."""
        ways: list[tuple[Callable[[str], None], int]] = [
            (self.pay_and_come_back, 5),
            (self.pay_and_close_the_tab, 4),
            (self.pay_late, 3),
            (self.pay_while_calling_off, 3),
            (self.call_off_and_pay_all_the_same, 3),
            (self.pay_and_call_off, 2),
            (self.pay_and_return_some, 3),
            (self.pay_and_be_called_off, 1),
            (self.call_off, 1),
            (lambda _: None, 1),
        ]
        [way] = self.chance.choices([each for each, _ in ways], [weight for _, weight in ways])
        self.told.append(getattr(way, "__name__", ""))
        way(number)

    # --- ways ---------------------------------------------------------------------------------------------------------

    def pay_and_come_back(self, number: str) -> None:
        if back := self.pay(number, self.leave_to_pay(number)):
            self.browser.get(urlsplit(back).path)

    def pay_and_close_the_tab(self, number: str) -> None:
        self.pay(number, self.leave_to_pay(number))

    def pay_late(self, number: str) -> None:
        page = self.leave_to_pay(number)
        self.knows[number].is_late = True
        self.let_pass(number)
        time.sleep(self.chance.uniform(0, 2))
        self.pay(number, page)

    def pay_while_calling_off(self, number: str) -> None:
        page = self.leave_to_pay(number)
        if page is None:
            return
        shows = self.browser.get(f"/orders/{number}")
        other = threading.Thread(target=self.pay, args=(number, page), kwargs={"method": self.chance.choice(METHODS)})
        other.start()
        time.sleep(self.chance.uniform(0, 0.1))
        try:
            self.send_call_off(self.browser, f"/orders/{number}/cancel", shows, number)
        finally:
            other.join()

    def call_off_and_pay_all_the_same(self, number: str) -> None:
        """In a tab that was left open; the provider takes the money only if it could not be told."""
        page = self.leave_to_pay(number)
        self.call_off(number)
        self.pay(number, page)

    def pay_and_call_off(self, number: str) -> None:
        if self.pay(number, self.leave_to_pay(number)):
            time.sleep(self.chance.uniform(0, 1))
            self.call_off(number)

    def call_off(self, number: str) -> None:
        self.send_call_off(self.browser, f"/orders/{number}/cancel", self.browser.get(f"/orders/{number}"), number)

    def pay_and_be_called_off(self, number: str) -> None:
        if not self.pay(number, self.leave_to_pay(number)):
            return
        for owner in self.owners.values():
            page = owner.get(f"/merchant/orders/{number}")
            if page.status_code == 200:
                self.send_call_off(owner, f"/merchant/orders/{number}/cancel", page, number, reason="断货")

    def pay_and_return_some(self, number: str) -> None:
        """The merchant takes a piece back once the order is paid; one that does not hear of it in time does not."""
        if not self.pay(number, self.leave_to_pay(number)):
            return
        path = f"/merchant/orders/{number}/return"
        for owner in self.owners.values():
            page = owner.get(path)
            for _ in range(20):
                if page.status_code == 404 or f"{path}/preview" in page.text:
                    break
                time.sleep(0.2)
                page = owner.get(path)
            if page.status_code != 200 or f"{path}/preview" not in page.text:
                continue
            chosen = {"goods": "restock", "reason": "有划痕", "units.1": "1"}
            seen = owner.post(f"{path}/preview", {**fields_of(page.text, f"{path}/preview"), **chosen})
            self.knows[number].returned = None
            answer = owner.post(path, fields_of(seen.text, path))
            self.knows[number].returned = 1 if answer.status_code == 303 else 0
            self.told.append(f"return {answer.status_code}")

    # --- steps --------------------------------------------------------------------------------------------------------

    def leave_to_pay(self, number: str) -> str | None:
        """The provider's page for this order, if there is one."""
        shows = self.browser.get(f"/orders/{number}")
        if f"/orders/{number}/pay" not in shows.text:
            return None  # nothing is to be paid
        leaving = self.browser.post(f"/orders/{number}/pay", {"csrf_token": token_in(shows.text)})
        return leaving.headers.get("location")

    def pay(self, number: str, page: str | None, method: str | None = None) -> str | None:
        """Pay on the provider's page: where it leads back to, None if it takes no money any more."""
        if page is None:
            return None
        desk = self.look_at_desk(page)
        if 'name="csrf_token"' not in desk.text:
            return None
        fields = {"card": "4242424242424242", "csrf_token": token_in(desk.text)}
        known = self.knows[number]
        while True:
            try:
                paid = httpx.post(page, data={"method": method or self.chance.choice(METHODS), **fields}, timeout=30)
                break
            except httpx.ConnectError:
                time.sleep(0.1)
            except httpx.TransportError:
                known.is_paid = None
        if paid.status_code != 303:
            return None
        known.is_paid = True
        return str(paid.headers["location"])

    def look_at_desk(self, page: str) -> httpx.Response:
        """The provider's page, as soon as the provider is there."""
        while True:
            try:
                return httpx.get(page, timeout=30)
            except httpx.TransportError:
                time.sleep(0.1)

    def send_call_off(self, who: Browser, path: str, page: Any, number: str, **more: str) -> None:
        if f'action="{path}"' not in page.text:
            return
        self.knows[number].is_called_off = None
        answer = who.post(path, {**fields_of(page.text, path), **more})
        self.knows[number].is_called_off = answer.status_code == 303
