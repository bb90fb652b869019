"""An owner's products through the application: written, offered, pictured, by file; and nothing of another merchant's."""

import io
import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import func, select
from starlette.testclient import TestClient

import merchants
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.workbook import read_workbook
from merchants import ProductTerms, VariantTerms
from merchants.models import Picture, Product
from merchants.product_rows import COLUMNS
from tests.db.merchants.conftest import make_credit_code
from tests.web.conftest import Works, csrf_in
from tests.web.market import flat, follow

Enter = Callable[[str], TestClient]
COOKER = {
    "code": "rice-cooker",
    "name": "红炉智能电饭煲 5L",
    "category": "appliance",
    "description": "24 小时预约\n柴火饭",
    "limit": "1",
    "sale_from": "",
    "sale_to": "",
    "handover": "pickup",
    "points": ["east"],
    "sku": ["rc-w", "rc-b", ""],
    "variant": ["珍珠白", "石墨黑", ""],
    "price": ["199", "219.5", ""],
    "sold": ["1", "1", "1"],
}


@pytest.fixture
def owner(works: Works, enter: Enter) -> TestClient:
    """The owner of 老王面馆, and one pick-up point."""
    with transaction() as tx:
        merchants.add_point(
            tx, code="east", name="东门自提点", address="传达室", by=works.accounts["officer"], at=now()
        )
    return enter("owner")


def post(client: TestClient, path: str, page: str = "/merchant/products/new", **sent):
    return client.post(path, data={"csrf_token": csrf_in(client.get(page).text), **sent})


def send_file(client: TestClient, path: str, name: str, content: bytes, field: str = "picture", **more):
    token = csrf_in(client.get("/merchant/products/new").text)
    return client.post(path, data={"csrf_token": token, **more}, files={field: (name, content)})


def photo(colour="red", size=(640, 480), kind="JPEG"):
    body = io.BytesIO()
    Image.new("RGB", size, colour).save(body, kind)
    return body.getvalue()


def add(client: TestClient, **more):
    answer = post(client, "/merchant/products", **COOKER | more)
    assert answer.status_code == 303, flat(answer.text)[:3000]
    return answer


def stored(works: Works, code="rice-cooker"):
    with transaction() as tx:
        return merchants.get_own_product(tx, merchant_id=works.merchant_id, code=code)


# --- the form ---------------------------------------------------------------------------------------------------------


def test_an_owner_writes_a_product_offers_it_and_a_member_finds_it(
    owner: TestClient, works: Works, enter: Enter
) -> None:
    assert "还没有内购商品" in owner.get("/merchant/products").text
    page = follow(owner, add(owner))
    assert "商品已保存" in page.text
    product = stored(works)
    assert (product.state, product.limit_per_member, product.description) == ("draft", 1, "24 小时预约\n柴火饭")
    assert [(each.sku, each.price_fen) for each in product.variants] == [("rc-w", 199_00), ("rc-b", 219_50)]
    page = follow(owner, post(owner, "/merchant/products/rice-cooker/list"))
    assert "已上架" in page.text
    assert "/shop/m_0001/rice-cooker" in page.text
    assert "¥199.00 起" in flat(owner.get("/merchant/products?q=dfb").text)
    owner.cookies.clear()
    member = enter("member")
    found = flat(member.get("/shop?q=dianfanbao").text)
    assert "红炉智能电饭煲 5L" in found
    assert "限购 1 件" in found
    shown = flat(member.get("/shop/m_0001/rice-cooker?sku=rc-b").text)
    assert "¥219<small>.50" in shown
    assert "东门自提点" in shown


def test_what_is_wrong_stands_at_its_box_and_what_was_typed_stays(owner: TestClient, works: Works) -> None:
    for change, box in (
        ({"name": ""}, "name"),
        ({"category": "x y"}, "category"),
        ({"limit": "很多"}, "limit"),
        ({"sale_from": "明天"}, "sale_from"),
        ({"sale_from": "2026-12-02T00:00", "sale_to": "2026-12-01T00:00"}, "sale_to"),
        ({"is_flash": "1"}, "is_flash"),
        ({"price": ["-5", "1"]}, "variants"),
        ({"price": ["5.555", "1"]}, "variants"),
        ({"variant": ["白", "白"]}, "variants"),
        ({"sku": ["a b", "c"]}, "variants"),
        ({"code": "电饭煲"}, "code"),
        ({"points": ["nowhere"]}, "points"),
        ({"points": ["<b>"]}, "points"),
    ):
        answer = post(owner, "/merchant/products", **COOKER | change)
        assert answer.status_code >= 400, change
        assert f'id="wrong-{box}"' in answer.text, (change, flat(answer.text)[:2000])
        assert "24 小时预约" in answer.text
    with transaction() as tx:
        assert tx.scalar(select(func.count()).select_from(Product)) == 0


def test_a_changed_price_is_dated_and_a_taken_code_is_refused(owner: TestClient, works: Works) -> None:
    add(owner)
    answer = post(owner, "/merchant/products", **COOKER)
    assert (answer.status_code, 'id="wrong-code"' in answer.text) == (409, True)
    post(owner, "/merchant/products/rice-cooker", **COOKER | {"price": ["189", "219.5", ""]})
    page = flat(owner.get("/merchant/products/rice-cooker").text)
    assert "¥189.00" in page
    assert "¥199.00" in page  # in the history
    answer = post(owner, "/merchant/products/rice-cooker", **COOKER | {"points": []})
    assert answer.status_code == 303
    answer = post(owner, "/merchant/products/rice-cooker/list")
    assert (answer.status_code, "还不能上架" in answer.text) == (409, True)


def test_a_second_press_writes_no_second_product_and_withdrawing_can_be_undone(owner: TestClient, works: Works) -> None:
    add(owner)
    post(owner, "/merchant/products/rice-cooker/list")
    post(owner, "/merchant/products/rice-cooker/list")
    post(owner, "/merchant/products/rice-cooker/withdraw")
    assert stored(works).state == "withdrawn"
    post(owner, "/merchant/products/rice-cooker/list")
    assert stored(works).state == "listed"


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_pictures_are_sent_moved_removed_and_brought_back(owner: TestClient, works: Works) -> None:
    add(owner)
    path = "/merchant/products/rice-cooker/pictures"
    for colour in ("red", "blue"):
        assert "图片已加上" in follow(owner, send_file(owner, path, "x.jpg", photo(colour))).text
    first, second = stored(works).pictures
    post(owner, f"{path}/{second}/move", to="first")
    assert stored(works).pictures == (second, first)
    page = follow(owner, post(owner, f"{path}/{first}/remove"))
    assert stored(works).pictures == (second,)
    assert f"{path}/{first}/restore" in page.text
    post(owner, f"{path}/{first}/restore")
    assert stored(works).pictures == (second, first)


def test_a_picture_is_served_as_ours_for_ever_to_those_signed_in(owner: TestClient, works: Works) -> None:
    add(owner)
    send_file(owner, "/merchant/products/rice-cooker/pictures", "x.html", photo())
    (picture,) = stored(works).pictures
    for size, wide in (("large", 800), ("small", 320)):
        answer = owner.get(f"/pictures/{picture}/{size}.webp")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        assert Image.open(io.BytesIO(answer.content)).size[0] == wide
    assert owner.get(f"/pictures/{picture}/huge.webp").status_code == 404
    assert owner.get(f"/pictures/{uuid4()}/large.webp").status_code == 404
    assert owner.get("/pictures/1/large.webp").status_code == 404
    owner.cookies.clear()
    assert owner.get(f"/pictures/{picture}/large.webp").status_code == 303


def test_a_picture_takes_no_notice_away_from_the_page_that_follows(owner: TestClient, works: Works) -> None:
    add(owner)
    send_file(owner, "/merchant/products/rice-cooker/pictures", "x.jpg", photo())
    (picture,) = stored(works).pictures
    owner.get(f"/pictures/{picture}/small.webp")
    assert "图片已加上" in owner.get("/merchant/products/rice-cooker").text


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.svg", SVG),
        ("x.jpg", SVG),
        ("x.jpg", b"\xff\xd8\xff" + SVG),
        ("x.png", photo(kind="PNG")[:-40]),
        ("x.jpg", photo() + b"<?php echo 1;"),
        ("x.gif", photo(kind="GIF")),
        ("x.jpg", photo(size=(100, 100))),
        ("x.jpg", b""),
        ("x.jpg", photo() + bytes(8_000_001)),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_is_kept(
    owner: TestClient, works: Works, name: str, content: bytes
) -> None:
    add(owner)
    answer = send_file(owner, "/merchant/products/rice-cooker/pictures", name, content)
    assert answer.status_code == 422
    assert 'class="trouble" id="problem"' in answer.text
    with transaction() as tx:
        assert tx.scalar(select(func.count()).select_from(Picture)) == 0


def test_more_than_the_door_takes_is_refused_before_it_is_read(owner: TestClient) -> None:
    add(owner)
    path = "/merchant/products/rice-cooker/pictures"
    assert send_file(owner, path, "x.jpg", bytes(12_100_000)).status_code == 413
    assert send_file(owner, "/merchant/products/import", "x.csv", bytes(1_100_000), "file").status_code == 413


# --- files ------------------------------------------------------------------------------------------------------------

FILE = (
    "商品编码,名称,类别,货号,规格,标价,自提点,状态\n"
    "cup,保温杯,厨房用品,cup,,59,东门自提点,上架\n"
    "pan,炒锅,kitchen,pan,,=1+1,east,\n"
    "rice-cooker,红炉智能电饭煲 5L,家用电器,rc-w,珍珠白,189,east,\n"
)


def test_a_file_is_shown_first_and_entered_as_it_was_shown(owner: TestClient, works: Works) -> None:
    add(owner)
    shown = send_file(owner, "/merchant/products/import", "商品.csv", FILE.encode(), "file")
    assert shown.status_code == 200
    said = flat(shown.text)
    assert "第 3 行 price：是公式" in said
    assert "<del>199.00</del>→<ins>189.00</ins>" in said
    assert stored(works).variants[0].price_fen == 199_00
    action = shown.text.split('action="/merchant/products/import/')[1].split('"')[0]
    token = csrf_in(shown.text)
    seen = {"added": 1, "changed": 1, "same": 0, "refused": 1}
    path = f"/merchant/products/import/{action}"
    assert owner.post(path, data={"csrf_token": token} | seen | {"added": 2}).status_code == 409
    assert "文件已录入" in follow(owner, owner.post(path, data={"csrf_token": token} | seen)).text
    assert owner.post(path, data={"csrf_token": token} | seen).status_code == 409
    assert (stored(works).variants[0].price_fen, stored(works, "cup").state) == (189_00, "listed")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\x00\x01", b"a,b\n1,2\n", "商品编码\n".encode(), b"\xff\xfe\xff"]
)
def test_what_is_no_table_is_refused_in_one_sentence(owner: TestClient, content: bytes) -> None:
    answer = send_file(owner, "/merchant/products/import", "x.csv", content, "file")
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)


def test_products_go_out_as_csv_and_as_a_workbook_and_come_back_unchanged(owner: TestClient, works: Works) -> None:
    add(owner, name="=HYPERLINK(1)")
    csv_file = owner.get("/merchant/products/export.csv")
    assert csv_file.content.startswith("\ufeff商品编码,".encode())
    assert "'=HYPERLINK(1)" in csv_file.text
    workbook = owner.get("/merchant/products/export.xlsx?lang=en")
    assert 'filename="products-' in workbook.headers["content-disposition"]
    assert read_workbook(workbook.content, columns=COLUMNS).rows_count == 2
    for name, content in (("x.csv", csv_file.content), ("x.xlsx", workbook.content)):
        shown = flat(send_file(owner, "/merchant/products/import", name, content, "file").text)
        assert "文件和现在的商品一样" in shown


# --- not one's own ----------------------------------------------------------------------------------------------------


def test_nothing_of_another_merchants_can_be_seen_or_touched(owner: TestClient, works: Works) -> None:
    with transaction() as tx:
        other = merchants.admit_merchant(
            tx, code="m_0002", name="别家", credit_code=make_credit_code(9), category="home", at=now()
        )
        terms = ProductTerms("保温杯", "kitchen", [VariantTerms("cup", "", 59_00)], handover="delivery")
        merchants.add_product(tx, merchant_id=other, code="cup", terms=terms, at=now())
        drawn = merchants.draw_picture(photo())
        picture = merchants.add_picture(tx, merchant_id=other, code="cup", drawn=drawn)
        file_id = merchants.keep_file(tx, merchant_id=other, name="x", content=FILE.encode(), by=uuid4(), at=now())
    assert owner.get("/merchant/products/cup").status_code == 404
    for path, sent in (
        ("/merchant/products/cup", COOKER),
        ("/merchant/products/cup/list", {}),
        ("/merchant/products/cup/withdraw", {}),
        (f"/merchant/products/cup/pictures/{picture}/remove", {}),
        (f"/merchant/products/cup/pictures/{picture}/restore", {}),
        (f"/merchant/products/cup/pictures/{picture}/move", {"to": "first"}),
        (f"/merchant/products/import/{file_id}", {"added": 1, "changed": 0, "same": 0, "refused": 1}),
    ):
        assert post(owner, path, **sent).status_code == 404, path
    assert send_file(owner, "/merchant/products/cup/pictures", "x.jpg", photo()).status_code == 404
    with transaction() as tx:
        product = merchants.get_own_product(tx, merchant_id=other, code="cup")
    assert (product.state, product.pictures, len(product.variants)) == ("draft", (UUID(str(picture)),), 1)


# --- JSON -------------------------------------------------------------------------------------------------------------

BODY = {
    "name": "电饭煲",
    "category": "appliance",
    "variants": [{"sku": "rc-w", "variant": "白", "price_fen": 19900}],
    "points": ["east"],
}


@pytest.fixture
def api(client: TestClient, works: Works, new_token) -> Callable[..., object]:
    """`api("owner", "GET", path, …)`: a program with a session of that role."""
    with transaction() as tx:
        merchants.add_point(
            tx, code="east", name="东门自提点", address="传达室", by=works.accounts["officer"], at=now()
        )
    tokens = {role: new_token(role) for role in ("owner", "member")}

    def call(role: str, method: str, path: str, **more):
        return client.request(
            method,
            path,
            headers={"Authorization": f"Bearer {tokens[role]}", "Content-Type": "application/json"},
            **more,
        )

    return call


def test_a_program_writes_offers_and_finds_products(api) -> None:
    path = "/api/merchant/products/rc"
    assert api("owner", "PUT", path, json=BODY).status_code == 201
    assert api("owner", "PUT", path, json=BODY | {"limit_per_member": 2}).status_code == 200
    assert api("member", "GET", "/api/shop/products").json()["products"] == []
    assert api("owner", "POST", f"{path}/state", json={"state": "listed"}).json()["state"] == "listed"
    found = api("member", "GET", "/api/shop/products?q=dfb&category=appliance&band=2&point=east&order=price").json()
    (product,) = found["products"]
    assert (product["price_fen"], product["limit_per_member"], product["merchant"]) == (19900, 2, "m_0001")
    assert (found["count"], found["after"]) == (1, None)
    whole = api("member", "GET", "/api/shop/products/m_0001/rc").json()
    assert [variant["sku"] for variant in whole["variants"]] == ["rc-w"]
    assert [point["code"] for point in api("member", "GET", "/api/shop/points").json()] == ["east"]
    assert len(api("owner", "GET", "/api/merchant/products").json()) == 1
    assert api("owner", "GET", path).json()["handover"] == "pickup"
    assert api("owner", "POST", f"{path}/state", json={"state": "withdrawn"}).status_code == 200
    assert api("member", "GET", "/api/shop/products/m_0001/rc").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "a\u0000b"},
        {"category": "家电"},
        {"variants": []},
        {"variants": [{"sku": "x", "price_fen": -1}]},
        {"variants": [{"sku": "x", "price_fen": 1.5}]},
        {"variants": [{"sku": "x", "price_fen": "1"}]},
        {"variants": [{"sku": "\u0000", "price_fen": 1}]},
        {"limit_per_member": 0},
        {"sale_from": "2026-12-01T00:00:00"},
        {"sale_from": "2026-12-02T00:00:00Z", "sale_to": "2026-12-01T00:00:00Z"},
        {"handover": "post"},
        {"description": "\ud800"},
        {"owner": "me"},
    ],
)
def test_a_program_is_told_what_is_wrong(api, change) -> None:
    answer = api("owner", "PUT", "/api/merchant/products/rc", content=json.dumps(BODY | change))
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert api("owner", "GET", "/api/merchant/products/rc").status_code == 404


def test_the_api_describes_itself(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {"/api/shop/products", "/api/shop/products/{merchant}/{code}", "/api/merchant/products/{code}"} <= set(paths)
    asked = {each["name"] for each in paths["/api/shop/products"]["get"]["parameters"]}
    assert asked == {"q", "category", "merchant", "band", "point", "stock", "order", "after", "limit"}
