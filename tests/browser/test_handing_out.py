"""The hand-out on one cheap phone, in Chromium: scan page, slip, pieces by their keys, done; and the owner's desk beside it."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Page, expect

from market.kit.postgres import Cluster

Enter = Callable[[Page, str], None]
Open = Callable[..., Page]
Look = Callable[[Page, str], None]


def waiting_order(cluster: Cluster) -> tuple[str, str]:
    """The number and slip of an order that lies ready at the noodle shop; what the member would show on his phone."""
    url = cluster.url("site").replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as tx:
        found = tx.execute(
            "SELECT o.number, o.slip FROM member_order o JOIN order_line l ON l.order_id = o.id WHERE o.merchant = 'm001'"
            " AND o.state IN ('paid', 'ready') AND o.handover = 'pickup' AND l.qty - l.handed - l.returned > 0"
            " ORDER BY o.at DESC LIMIT 1"
        ).fetchone()
    assert found, "the demo has orders that wait"
    return str(found[0]), str(found[1])


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.prove), "dark"])
def test_a_slip_is_handed_out_with_a_thumb(
    site: str, cluster: Cluster, enter: Enter, open_page: Open, look_at: Look, scheme: str
) -> None:
    phone = open_page("phone", scheme=scheme)
    enter(phone, "assistant")
    phone.goto(f"{site}/merchant/handout")
    look_at(phone, "hand-out")
    number, slip = waiting_order(cluster)
    phone.get_by_role("link", name="凭取货码").click()
    phone.get_by_label("订单号，或其中任意 3 位").fill(number[2:7])
    phone.get_by_role("button", name="找订单").click()
    expect(phone.locator("h1")).to_have_text(number)
    look_at(phone, "slip")
    phone.get_by_label("代领", exact=False).first.check()
    phone.get_by_label("代领人姓名").fill("李师傅")
    phone.get_by_label("取货码，6 个数字").fill("000000" if slip != "000000" else "111111")
    phone.get_by_role("button", name="核对并发放").click()
    expect(phone.get_by_role("alert").first).to_contain_text("取货码不对")
    look_at(phone, "wrong slip")
    phone.get_by_label("取货码，6 个数字").fill(slip)
    phone.get_by_role("button", name="核对并发放").click()
    expect(phone.locator("h1")).to_have_text("已发放")
    look_at(phone, "done")


@pytest.mark.parametrize(
    ("screen", "language"), [("small phone", "zh-CN"), pytest.param("desk", "en", marks=pytest.mark.prove)]
)
def test_the_owner_s_pages_stay_whole(
    site: str, cluster: Cluster, enter: Enter, open_page: Open, look_at: Look, screen: str, language: str
) -> None:
    desk = open_page(screen, language=language)
    enter(desk, "owner")
    number, _ = waiting_order(cluster)
    for path in (
        "/merchant/orders?shelf=all",
        f"/merchant/orders/{number}",
        f"/merchant/orders/{number}/return",
        "/merchant/handout/picks",
        "/merchant/stock",
    ):
        desk.goto(f"{site}{path}")
        look_at(desk, f"owner {screen} {Path(path.partition('?')[0]).name if number not in path else path.count('/')}")
    desk.locator(".stock-what a").first.click()
    look_at(desk, f"owner {screen} stock item")


@pytest.mark.parametrize(
    ("screen", "scheme"), [pytest.param("phone", "dark", marks=pytest.mark.prove), ("desk", "light")]
)
def test_the_officer_s_pages_stay_whole(
    site: str, enter: Enter, open_page: Open, look_at: Look, screen: str, scheme: str
) -> None:
    desk = open_page(screen, scheme=scheme)
    enter(desk, "officer")
    for name in ("purchases", "purchases/products", "payments"):
        desk.goto(f"{site}/desk/{name}")
        look_at(desk, f"officer {screen} {name}")
    desk.locator("a[href^='/desk/payments/events/']").first.click()
    look_at(desk, f"officer {screen} event")
