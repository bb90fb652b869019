"""What the suppliers of the demo works offer to members: a table of wares, and who sells which of them for how much. Pure.

The same seed makes the same goods. Every name is invented; brands are those of the demo's own town.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random

from api.demo.places import NOODLE_MERCHANT, NOODLE_NAME, PREFIXES, make_credit_code
from api.demo.sizes import Size
from market.kit.clock import get_zone

POINTS = (
    ("east", "东门自提点", "霞岗市钢城区厂前街 1 号，东门传达室旁", "7:00–20:00"),
    ("west", "西门自提点", "霞岗市钢城区冶金大道 88 号，西门菜鸟架", "7:00–20:00"),
    ("canteen-1", "一食堂自提点", "厂区一食堂北门", "11:00–13:30"),
    ("rolling", "轧钢食堂自提点", "轧钢分厂食堂", "11:00–13:30、17:00–18:30"),
    ("village", "工人新村自提点", "工人新村二街活动室", "16:00–19:00，周末 9:00–12:00"),
    ("retired", "退休活动中心自提点", "南湖路 16 号一楼", "周一至周五 8:30–16:30"),
)
SUFFIXES = ("电器", "优选", "家居", "粮油", "百货", "生活馆", "商贸", "供应链")
SUPPLIER_NUMBERS = 900  # where the numbers of their credit codes begin


@dataclass(frozen=True, slots=True)
class Ware:
    """A kind of goods: what it is called, its category, the thing in its picture, its price and its variants with their surcharge (fen)."""

    code: str
    name: str
    category: str
    thing: str
    price_fen: int
    variants: tuple[tuple[str, int], ...] = (("", 0),)
    about: str = ""


COLOURS = (("珍珠白", 0), ("石墨黑", 0))
WARES = (
    Ware(
        "rice-cooker",
        "智能电饭煲 5L",
        "appliance",
        "cooker",
        329_00,
        COLOURS,
        "24 小时预约，柴火饭、杂粮粥、蒸煮一锅三用。内胆可单买，整机保修三年。",
    ),
    Ware(
        "rice-dongbei",
        "东北长粒香大米",
        "market",
        "sack",
        39_80,
        (("5 公斤", 0), ("10 公斤", 36_00)),
        "当年新米，真空包装。开封后请放阴凉处。",
    ),
    Ware(
        "thermos",
        "304 不锈钢保温杯",
        "kitchen",
        "cup",
        69_00,
        (("500 毫升", 0), ("750 毫升", 16_00)),
        "装 95 度热水，6 小时后仍有 58 度。杯盖可拆洗。",
    ),
    Ware("oil-rape", "压榨菜籽油 5L", "market", "bottle", 72_90, about="物理压榨，非转基因。"),
    Ware(
        "bedding",
        "全棉斜纹四件套",
        "home",
        "linen",
        219_00,
        (("1.5 米床", 0), ("1.8 米床", 30_00)),
        "40 支全棉，活性印染，首次请单独洗。",
    ),
    Ware("gift-midautumn", "岁岁平安糕点礼盒", "gift", "gift", 98_00, about="8 味 16 枚，附手提袋。保质期 60 天。"),
    Ware("kettle", "恒温电热水壶 1.7L", "appliance", "kettle", 119_00, COLOURS, "五段控温，干烧断电。"),
    Ware(
        "earbuds", "蓝牙耳机套装", "phone", "phone", 159_00, about="单次 7 小时，连盒 30 小时。防汗，适合巡检路上用。"
    ),
    Ware("wok", "无涂层不粘炒锅 32cm", "kitchen", "pan", 139_00, about="燃气、电磁炉通用。第一次用请先开锅。"),
    Ware(
        "fan-stand", "直流变频落地扇", "appliance", "fan", 249_00, about="12 档风，最低 26 分贝，夜班白天补觉也不吵。"
    ),
    Ware(
        "fruit-box",
        "当季水果箱",
        "gift",
        "fruit",
        79_00,
        (("5 公斤", 0), ("8 公斤", 38_00)),
        "苹果、橙、梨，到货当天分装。坏果拍照包赔。",
    ),
    Ware("craft-books", "技能工人书架", "books", "books", 128_00, about="钳工、焊工、电工三册，附真题。"),
    Ware("shampoo", "家庭洗护三件", "care", "tube", 59_90, about="洗发、护发、沐浴，各 500 毫升。"),
    Ware(
        "workwear",
        "透气棉质工装 T 恤",
        "clothes",
        "shirt",
        49_00,
        (("M", 0), ("L", 0), ("XL", 0), ("2XL", 5_00)),
        "200 克纯棉，耐洗不变形。",
    ),
    Ware("helmet", "通勤骑行头盔", "tools", "helmet", 89_00, (("白", 0), ("红", 0), ("蓝", 0)), "新国标，可换内衬。"),
    Ware(
        "milk", "纯牛奶整箱", "market", "carton", 45_00, (("12 盒", 0), ("24 盒", 42_00)), "保质期 6 个月，最近生产。"
    ),
    Ware("towels", "长绒棉毛巾礼盒", "home", "linen", 66_00, about="面巾两条、浴巾一条。"),
    Ware(
        "powerbank",
        "自带线充电宝",
        "phone",
        "phone",
        99_00,
        (("10000 毫安", 0), ("20000 毫安", 50_00)),
        "可带上高铁、飞机。",
    ),
    Ware("kids-books", "儿童分级绘本", "kids", "books", 88_00, (("3–5 岁", 0), ("6–8 岁", 0)), "20 册一套，配音频。"),
    Ware("tea-box", "高山绿茶礼盒", "gift", "carton", 168_00, about="明前采摘，2 罐共 250 克。"),
    Ware(
        "detergent",
        "浓缩洗衣液 6 斤",
        "care",
        "bottle",
        36_90,
        (("薰衣草", 0), ("无香", 0)),
        "低泡易漂，一瓶盖洗 8 件。",
    ),
    Ware("steamer", "三层不锈钢蒸锅 30cm", "kitchen", "cooker", 149_00, about="复底加厚，明火电磁炉都能用。"),
    Ware("yoga", "加宽运动垫", "fitness", "linen", 58_00, (("8 毫米", 0), ("10 毫米", 12_00)), "183×80 厘米，附背带。"),
    Ware("gloves", "防切割劳保手套 6 双", "tools", "carton", 42_00, (("M", 0), ("L", 0))),
    Ware("quilt", "新疆棉花被", "home", "linen", 259_00, (("4 斤", 0), ("6 斤", 60_00)), "一级长绒棉，无网手工铺絮。"),
    Ware("nuts", "每日坚果 30 包", "gift", "gift", 89_90, about="6 种坚果果干，独立小包，揣兜里上夜班。"),
)
NOODLE_WARES = (
    Ware(
        "beef-noodle-box",
        "炉前牛肉面礼盒",
        "gift",
        "gift",
        68_00,
        (("4 碗装", 0), ("8 碗装", 60_00)),
        "和店里一锅卤的牛肉，真空冷藏 7 天。",
    ),
    Ware("chili-oil", "秘制辣椒油", "market", "bottle", 19_80, (("微辣", 0), ("特辣", 0)), "现炸现装，开盖后冷藏。"),
    Ware("dry-noodles", "手工挂面 2 公斤", "market", "carton", 26_00),
    Ware("pickles", "老坛雪菜 5 包", "market", "sack", 15_00),
)
BRANDS = ("红炉", "江岸", "青松", "丰收", "晨光", "长河", "向阳", "百草", "恒泰", "瑞丰", "望江", "新光")


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """A product to write: of the merchant with this code. `look` is the look of its picture, None where it has none."""

    merchant: str
    code: str
    name: str
    category: str
    about: str
    variants: tuple[tuple[str, str, int], ...]
    limit: int | None
    flash_at: datetime | None
    handover: str
    points: tuple[str, ...]
    thing: str
    look: int | None
    state: str


@dataclass(frozen=True, slots=True)
class DemoSupplier:
    """A supplier to admit: a merchant without a shop."""

    code: str
    name: str
    credit_code: str


def make_suppliers(size: Size, *, seed: int) -> list[DemoSupplier]:
    """All suppliers; none of them has the name of a shop."""
    rng = Random(f"{seed}:suppliers")  # noqa: S311  the same luck from the same seed is what a demo wants
    prefixes = rng.sample(PREFIXES, size.suppliers)
    return [
        DemoSupplier(
            f"g{number:03}", f"{prefix}{SUFFIXES[number % len(SUFFIXES)]}", make_credit_code(SUPPLIER_NUMBERS + number)
        )
        for number, prefix in enumerate(prefixes, start=1)
    ]


def make_products(size: Size, suppliers: list[DemoSupplier], *, seed: int, until: datetime) -> list[DemoProduct]:
    """All products: the noodle shop's own few, then the suppliers' in turn, each ware under another brand and at another price."""
    rng = Random(f"{seed}:goods")  # noqa: S311
    made = [_product(rng, NOODLE_MERCHANT, NOODLE_NAME[:2], ware, number) for number, ware in enumerate(NOODLE_WARES)]
    made += list(_of_suppliers(rng, size, suppliers, until))
    return made


def _of_suppliers(rng: Random, size: Size, suppliers: list[DemoSupplier], until: datetime) -> Iterator[DemoProduct]:
    flash_at = datetime.combine((until + timedelta(days=3)).astimezone(get_zone()), time(20), get_zone())
    for number in range(size.products):
        ware = WARES[number % len(WARES)]
        supplier = suppliers[number % len(suppliers)]
        brand = BRANDS[(number // len(WARES) + number) % len(BRANDS)]
        yield _product(rng, supplier.code, brand, ware, number, flash_at=flash_at if number == 0 else None)


def _product(
    rng: Random, merchant: str, brand: str, ware: Ware, number: int, *, flash_at: datetime | None = None
) -> DemoProduct:
    code = ware.code if number < len(WARES) else f"{ware.code}-{number // len(WARES) + 1}"
    # The first of all is everyday life's rice cooker: 199, one each, from eight in the evening.
    price = 199_00 if flash_at else ware.price_fen * rng.randint(92, 112) // 100 // 10 * 10
    variants = tuple(
        (f"{code}-{place}" if len(ware.variants) > 1 else code, name, price + more)
        for place, (name, more) in enumerate(ware.variants, start=1)
    )
    handover = "pickup" if flash_at else rng.choices(("pickup", "both", "delivery"), (5, 3, 1))[0]
    points = (
        () if handover == "delivery" else tuple(sorted(rng.sample([code for code, *_ in POINTS], rng.randint(2, 6))))
    )
    return DemoProduct(
        merchant=merchant,
        code=code,
        name=ware.name if merchant == NOODLE_MERCHANT else f"{brand}{ware.name}",
        category=ware.category,
        about=ware.about,
        variants=variants,
        limit=1 if flash_at else rng.choice((None, None, None, 2, 5)),
        flash_at=flash_at,
        handover=handover,
        points=points,
        thing=ware.thing,
        look=None if number % 5 == 4 else (number + number // len(WARES)) % 6,
        state="draft" if number % 23 == 22 else "withdrawn" if number % 29 == 28 else "listed",
    )
