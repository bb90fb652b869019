"""Searching 10,000 products: `python -m bench.products [PRODUCTS]` fills a database of its own and prints p50 and p95 of each kind of search.

One process asks one after another, statement times and Python's part together, as a page would.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

from sqlalchemy import insert, text

import merchants
from api.demo.places import make_credit_code
from market.kit.clock import now
from market.kit.database import connect, disconnect, get_engine, transaction
from market.kit.ids import new_id
from market.kit.migrations import upgrade
from market.kit.postgres import create_database, start_cluster, stop_cluster
from merchants import Search
from merchants.models import Item, PickupPoint, Product, ProductPoint
from merchants.words import make_words

PRODUCTS = 10_000
SUPPLIERS = 24
ROUNDS = 60
BATCH = 1_000
BRANDS = ("红炉", "江岸", "青松", "丰收", "晨光", "长河", "向阳", "百草", "恒泰", "瑞丰")
KINDS = {
    "appliance": ("电饭煲", "电热水壶", "破壁机", "空气炸锅", "挂烫机", "电风扇", "加湿器", "电磁炉"),
    "kitchen": ("不粘炒锅", "保温杯", "菜刀套装", "保鲜盒", "砂锅", "餐具礼盒"),
    "market": ("东北大米", "菜籽油", "小米礼盒", "挂面", "杂粮组合", "鸡蛋"),
    "home": ("四件套", "蚕丝被", "毛巾礼盒", "收纳箱", "乳胶枕", "雨伞"),
    "phone": ("蓝牙耳机", "充电宝", "平板电脑", "智能手环", "数据线"),
    "books": ("钳工手册", "儿童绘本", "中性笔", "笔记本", "字帖"),
}
SIZES = ("5L", "3L", "500ml", "1.5米", "两件装", "家庭装", "礼盒", "加厚", "智能", "便携")
SEARCHES: dict[str, Callable[[Search], Search]] = {
    "newest, no words": lambda search: search,
    "by price, no words": lambda search: replace(search, order="price"),
    "characters 电饭煲": lambda search: replace(search, query="电饭煲"),
    "one character 锅": lambda search: replace(search, query="锅"),
    "pinyin dianfan": lambda search: replace(search, query="dianfan"),
    "initials dfb": lambda search: replace(search, query="dfb"),
    "a code": lambda search: replace(search, query="p04711"),
    "words and four facets": lambda search: replace(
        search, query="红炉", category="appliance", merchant="b003", band=2, point="gate-2"
    ),
    "a category by price": lambda search: replace(search, category="home", order="price"),
}


def fill(products: int) -> None:
    """Suppliers, pick-up points and products, as many as asked for."""
    rng = Random(7)
    at = now()
    with transaction() as tx:
        suppliers = [
            merchants.admit_merchant(
                tx,
                code=f"b{number:03}",
                name=f"{BRANDS[number % 10]}供应商{number}",
                credit_code=make_credit_code(number),
                category="home",
                at=at,
            )
            for number in range(SUPPLIERS)
        ]
        points = [new_id() for _ in range(6)]
        names = ({"code": f"gate-{n}", "name": f"{n} 号门", "address": "", "state": "open"} for n in range(1, 7))
        rows = [{"id": id_} | name for id_, name in zip(points, names, strict=True)]
        tx.execute(insert(PickupPoint), rows)
    for first in range(0, products, BATCH):
        made: list[dict[str, object]] = []
        items: list[dict[str, object]] = []
        there: list[dict[str, object]] = []
        for number in range(first, min(first + BATCH, products)):
            category = rng.choice(list(KINDS))
            name = f"{rng.choice(BRANDS)}{rng.choice(KINDS[category])} {rng.choice(SIZES)}"
            supplier, code, price = number % SUPPLIERS, f"P{number:05}", rng.randrange(990, 80_000, 10)
            own = {"id": new_id(), "merchant_id": suppliers[supplier], "code": code, "name": name, "category": category}
            words = make_words(name, codes=[code], others=[f"{BRANDS[supplier % 10]}供应商{supplier}", "白色", "黑色"])
            sale = {"limit_per_member": None, "sale_from": None, "sale_to": None, "is_flash": False}
            state = {"description": "", "state": "listed", "handover": "pickup", "price_fen": price, "words": words}
            made.append(own | sale | state | {"created_at": at - timedelta(minutes=number)})
            items += [
                {
                    "id": new_id(),
                    "merchant_id": suppliers[supplier],
                    "product_id": own["id"],
                    "sku": f"{code}-{sort}",
                    "name": name,
                    "variant": sort,
                    "category": category,
                    "price_fen": price + 1_000 * place,
                    "state": "sold",
                }
                for place, sort in enumerate(("white", "black"))
            ]
            there += [{"product_id": own["id"], "point_id": point} for point in rng.sample(points, 3)]
        with transaction() as tx:
            tx.execute(insert(Product), made)
            tx.execute(insert(Item), items)
            tx.execute(insert(ProductPoint), there)
    with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def measure(search: Search, *, rounds: int = ROUNDS) -> tuple[list[float], int]:
    """Milliseconds of each asking, and how many products fit."""
    taken, count = [], 0
    for _ in range(rounds):
        begun = time.perf_counter()
        with transaction() as tx:
            page = merchants.search_products(tx, search)
        taken.append((time.perf_counter() - begun) * 1_000)
        count = page.facets.count
    return taken, count


def third_page(search: Search) -> Search:
    """The search two pages on."""
    for _ in range(2):
        with transaction() as tx:
            search = replace(search, after=merchants.search_products(tx, search, with_facets=False).after)
    return search


def main() -> None:
    """Fill, ask, print."""
    products = int(sys.argv[1]) if len(sys.argv) > 1 else PRODUCTS
    with tempfile.TemporaryDirectory(prefix="huigong-products-") as home:
        cluster = start_cluster(Path(home), durable=False)
        try:
            create_database(cluster, "products")
            upgrade(cluster.url("products"))
            connect(cluster.url("products"))
            fill(products)
            plain = Search(at=now())
            asked = {name: change(plain) for name, change in SEARCHES.items()}
            asked["newest, third page"] = third_page(plain)
            asked["by price, third page"] = third_page(replace(plain, order="price"))
            for name, search in asked.items():
                taken, count = measure(search)
                p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
                print(f"{name:24} {count:6,} of {products:,}   p50 {p50:6.1f} ms   p95 {p95:6.1f} ms")
        finally:
            disconnect()
            stop_cluster(cluster)


if __name__ == "__main__":
    main()
