"""Samples of the members' shop and of the owner's pages of his products."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from api.pages import views as v
from api.pages.pictures import PRODUCT_CATEGORIES
from api.product_form import new_form
from merchants.product_rows import COLUMNS
from tests.gallery.frame import NOW, Sample

PICTURES = tuple(str(UUID(int=number)) for number in range(1, 17))
POINTS = (
    v.PointShown(code="east", name="东门自提点", address="东门传达室旁"),
    v.PointShown(code="canteen-1", name="一食堂自提点", address="一食堂北门，11:00–13:30"),
    v.PointShown(code="west", name="西门自提点", address=""),
)


def _card(
    number: int, name: str, category: str, price_fen: int, picture: int | None = None, **more: Any
) -> v.ProductCard:
    said: dict[str, Any] = {
        "merchant": f"g00{number % 3 + 1}",
        "merchant_name": ("团结优选", "福满家居", "桂花粮油贸易有限责任公司")[number % 3],
        "code": f"p{number}-5",
        "name": name,
        "category": category,
        "picture": None if picture is None else PICTURES[picture],
        "price_fen": price_fen,
        "is_from": False,
        "limit": None,
        "sale_from": None,
        "window": "open",
        "is_flash": False,
    }
    return v.ProductCard(**said | more)


CARDS = (
    _card(1, "红炉智能电饭煲 5L", "appliance", 199_00, 2, limit=1, is_flash=True, sale_from=NOW, window="soon"),
    _card(2, "江岸 304 不锈钢保温杯，带茶隔、提绳和备用密封圈，送杯刷", "kitchen", 69_00, 3, is_from=True),
    _card(3, "东北长粒香大米", "market", 39_80, is_from=True, limit=5),
    _card(4, "全棉斜纹四件套", "home", 219_00),
    _card(5, "岁岁平安糕点礼盒", "gift", 98_00, limit=2, is_flash=True),
    _card(6, "技能工人书架", "books", 128_00),
    _card(7, "防切割劳保手套 6 双", "tools", 42_00),
    _card(8, "儿童分级绘本", "kids", 88_00),
    _card(9, "家庭洗护三件", "care", 59_90),
    _card(10, "蓝牙耳机套装", "phone", 159_00),
    _card(11, "透气棉质工装 T 恤", "clothes", 49_00, 12),
    _card(12, "加宽运动垫", "fitness", 1_058_00),
)


def _facet(value: str, count: int, name: str = "") -> v.FacetShown:
    return v.FacetShown(value=value, name=name or value, count=count)


BROWSE = v.ShopBrowse(
    chosen={},
    cards=CARDS,
    categories=tuple(
        _facet(code, 9 - place)
        for place, code in enumerate(("appliance", "kitchen", "market", "home", "gift", "books"))
    ),
    merchants=(_facet("g001", 12, "团结优选"), _facet("g002", 9, "福满家居"), _facet("g003", 3, "桂花粮油")),
    bands=(_facet("0", 7), _facet("1", 8), _facet("2", 5), _facet("3", 3), _facet("4", 1)),
    stock=(_facet("in", 21),),
    points=(_facet("east", 18, "东门自提点"), _facet("canteen-1", 15, "一食堂自提点")),
    count=24,
    more="bW9yZQ",
)
NARROWED = replace(
    BROWSE,
    chosen={"q": "电饭煲", "category": "appliance", "band": "2", "order": "price"},
    cards=CARDS[:1],
    categories=BROWSE.categories[:1],
    count=1,
    more=None,
)
NOTHING = v.ShopBrowse(
    chosen={"q": "电炖锅", "point": "west"},
    cards=(),
    categories=(),
    merchants=(),
    bands=(),
    stock=(),
    points=(),
    count=0,
    more=None,
)
EMPTY = replace(NOTHING, chosen={})
VARIANTS = tuple(
    v.VariantShown(item_id=str(UUID(int=number)), sku=f"rc5-{number}", variant=name, price_fen=price)
    for number, name, price in ((1, "珍珠白", 199_00), (2, "石墨黑", 199_00), (3, "樱花粉 限定色", 219_00))
)
PRODUCT = v.ShopProduct(
    merchant="g001",
    merchant_name="团结优选",
    code="rice-cooker",
    name="红炉智能电饭煲 5L",
    category="appliance",
    description="24 小时预约，柴火饭、杂粮粥、蒸煮一锅三用。\n内胆可单买，整机保修三年。",
    pictures=PICTURES[2:5],
    variants=VARIANTS,
    chosen=VARIANTS[0],
    free=12,
    price_since=NOW - timedelta(days=19),
    limit=1,
    sale_from=NOW + timedelta(days=2),
    sale_to=NOW + timedelta(days=4),
    window="soon",
    is_flash=True,
    handover="pickup",
    points=POINTS,
)
PLAIN = replace(
    PRODUCT,
    code="rice",
    name="东北长粒香大米 5 公斤",
    category="market",
    description="",
    pictures=(),
    variants=(replace(VARIANTS[0], variant=""),),
    chosen=replace(VARIANTS[0], variant=""),
    price_since=None,
    limit=None,
    sale_from=None,
    sale_to=None,
    window="open",
    is_flash=False,
    handover="delivery",
    points=(),
)
OVER = replace(PRODUCT, window="over", sale_from=None, sale_to=NOW, pictures=PICTURES[5:6], handover="both", points=())

ROWS = tuple(
    v.OwnerProductRow(
        code=card.code,
        name=card.name,
        category=card.category,
        state=state,
        picture=card.picture,
        price_fen=None if state == "draft" else card.price_fen,
        is_from=card.is_from,
        variants_count=number % 3,
        stock=None if number % 2 else 120,
        window=window,
    )
    for number, (card, state, window) in enumerate(
        zip(
            CARDS,
            ("listed", "listed", "draft", "withdrawn", "listed", "listed"),
            ("soon", "open", "open", "open", "over", "open"),
            strict=False,
        )
    )
)
OWN = v.OwnerProducts(query="", state=None, counts={"listed": 4, "draft": 1, "withdrawn": 1}, rows=ROWS, more="p6")
FORM: dict[str, tuple[str, ...]] = {
    "code": ("rice-cooker",),
    "name": ("红炉智能电饭煲 5L",),
    "category": ("appliance",),
    "description": ("24 小时预约。",),
    "limit": ("1",),
    "sale_from": ("2026-11-30T20:00",),
    "sale_to": ("",),
    "handover": ("pickup",),
    "is_flash": ("1",),
    "points": ("east",),
    "sku": ("rc5-1", "rc5-2"),
    "variant": ("珍珠白", "石墨黑"),
    "price": ("199.00", "199.00"),
    "sold": ("1", "0"),
}
EDIT = v.OwnerProduct(
    code="rice-cooker",
    state="listed",
    form=FORM,
    errors={},
    categories=PRODUCT_CATEGORIES,
    points=POINTS,
    pictures=PICTURES[2:5],
    pictures_most=8,
    removed=PICTURES[9],
    prices=(
        v.PriceRow(sku="rc5-1", from_at=NOW - timedelta(days=19), price_fen=199_00),
        v.PriceRow(sku="rc5-1", from_at=NOW - timedelta(days=90), price_fen=329_00),
    ),
    shop_href="/shop/g001/rice-cooker",
)
WRONG = replace(
    EDIT,
    state="withdrawn",
    form=FORM | {"limit": ("很多",), "category": ("",)},
    errors={
        "limit": "只填 1 到 9999 的整数，不限就留空。",
        "variants": "货号 rc5-1 已用在别的商品上。请换一个货号。",
        "category": "请选一个类别",
        "description": "最多 4000 个字",
        "is_flash": "要填开售时间",
        "top": "还不能上架：没有选自提点。补好后再上架。",
    },
    pictures=(),
    removed=None,
    shop_href=None,
)
NEW = replace(
    WRONG,
    code=None,
    state="draft",
    form=new_form(),
    errors={"name": "请写名称"},
    prices=(),
    points=(),
)
FILE_COLUMNS = tuple((column.headers[0], column.name, column.required) for column in COLUMNS)
SHOWN = v.FileShown(
    file_id=str(UUID(int=7)),
    name="11 月商品.xlsx",
    counts={"added": 1, "changed": 1, "same": 1, "refused": 1},
    effects=(
        v.FileEffect(
            row=2,
            code="rice-cooker",
            sku="rc5-1",
            name="红炉智能电饭煲 5L 珍珠白",
            kind="changed",
            changes=(
                v.FileChange(column="price", before="329.00", after="199.00"),
                v.FileChange(column="description", before="", after="24 小时预约"),
            ),
        ),
        v.FileEffect(row=3, code="rice-cooker", sku="rc5-2", name="红炉智能电饭煲 5L 石墨黑", kind="same", changes=()),
        v.FileEffect(row=4, code="cup", sku="cup", name="保温杯", kind="added", changes=()),
        v.FileEffect(row=5, code="pan", sku="", name="", kind="refused", changes=()),
    ),
    errors=("第 5 行 price：是公式，请改成数值或文字",),
    ignored=("备注",),
)
IMPORT = v.OwnerImport(
    columns=FILE_COLUMNS, shown=None, error="文件不是 CSV 文本。请在表格软件中另存为 CSV（UTF-8）后重试。"
)
PREVIEW = v.OwnerImport(columns=FILE_COLUMNS, shown=SHOWN, error=None)
UNCHANGED = v.OwnerImport(
    columns=FILE_COLUMNS,
    shown=replace(SHOWN, counts={"added": 0, "changed": 0, "same": 4, "refused": 0}, errors=(), ignored=(), name=""),
    error=None,
)

SHOP = (
    Sample("goods", "shop/home.html", BROWSE, "member", "/shop"),
    Sample("goods-narrowed", "shop/home.html", NARROWED, "member", "/shop?q=x"),
    Sample("goods-nothing", "shop/home.html", NOTHING, "member", "/shop?q=x"),
    Sample("goods-empty", "shop/home.html", EMPTY, "member", "/shop"),
    Sample("good", "shop/product.html", PRODUCT, "member", "/shop/g001/rice-cooker"),
    Sample("good-plain", "shop/product.html", PLAIN, "member", "/shop/g001/rice"),
    Sample("good-sold-out", "shop/product.html", replace(PLAIN, free=0), "member", "/shop/g001/rice"),
    Sample("good-over", "shop/product.html", OVER, "member", "/shop/g001/rice-cooker"),
    Sample("own-goods", "merchant/products.html", OWN, "owner", "/merchant/products"),
    Sample(
        "own-goods-none",
        "merchant/products.html",
        replace(OWN, rows=(), counts={}, more=None),
        "owner",
        "/merchant/products",
    ),
    Sample(
        "own-goods-not-found", "merchant/products.html", replace(OWN, query="x", rows=()), "owner", "/merchant/products"
    ),
    Sample("own-good", "merchant/product.html", EDIT, "owner", "/merchant/products/rice-cooker"),
    Sample("own-good-wrong", "merchant/product.html", WRONG, "owner", "/merchant/products/rice-cooker", 422),
    Sample("own-good-new", "merchant/product.html", NEW, "owner", "/merchant/products/new", 422),
    Sample("own-import", "merchant/import.html", IMPORT, "owner", "/merchant/products/import", 422),
    Sample("own-import-preview", "merchant/import.html", PREVIEW, "owner", "/merchant/products/import"),
    Sample("own-import-same", "merchant/import.html", UNCHANGED, "owner", "/merchant/products/import"),
)
