"""What the shops of the demo works sell and to whom: a table of trades. Pure data; the invented town is 霞岗."""

from dataclasses import dataclass
from typing import Literal

Till = Literal["amounts", "items"]

# Parts of a day: (first minute, last minute, share of the day's sales in percent).
PARTS_OF_DAY: dict[str, tuple[int, int, int]] = {
    "night": (0, 90, 2),
    "morning": (390, 540, 8),
    "forenoon": (540, 690, 10),
    "lunch": (690, 780, 45),
    "afternoon": (780, 1_020, 13),
    "evening": (1_020, 1_290, 22),
}


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a shop that rings up by item: code, name, category, list price in fen."""

    sku: str
    name: str
    category: str
    price_fen: int


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade: how many in a hundred merchants follow it, its typical sale (fen) and how far it varies (percent).

    `parts` says how much of each part of the day goes to this trade, relative to the others.
    """

    code: str
    category: str
    share: int
    suffixes: tuple[str, ...]
    typical_fen: int
    spread: int
    parts: dict[str, int]
    items: tuple[Item, ...] = ()


NOODLES = (
    Item("noodle-beef", "红烧牛肉面", "noodles", 16_00),
    Item("noodle-pork", "雪菜肉丝面", "noodles", 13_00),
    Item("noodle-tomato", "番茄鸡蛋面", "noodles", 11_00),
    Item("noodle-dan", "担担面", "noodles", 10_00),
    Item("noodle-rib", "排骨面", "noodles", 18_00),
    Item("side-egg", "卤蛋", "sides", 2_00),
    Item("side-tofu", "卤豆干", "sides", 3_00),
    Item("side-kelp", "凉拌海带", "sides", 5_00),
    Item("drink-soy", "豆浆", "drinks", 3_00),
    Item("drink-plum", "酸梅汤", "drinks", 4_00),
)
BREAD = (
    Item("bread-toast", "牛奶吐司", "bakery", 12_80),
    Item("bread-floss", "肉松面包", "bakery", 7_50),
    Item("bread-roll", "奶酥小餐包", "bakery", 5_00),
    Item("cake-roll", "瑞士卷", "bakery", 16_00),
    Item("cake-birthday", "生日蛋糕 6 寸", "cakes", 118_00),
    Item("cookie-box", "手工曲奇", "bakery", 28_00),
)
GROCERIES = (
    Item("egg-30", "鲜鸡蛋 30 枚", "fresh", 19_90),
    Item("milk-box", "纯牛奶 12 盒", "dairy", 49_90),
    Item("rice-5", "东北大米 5 公斤", "grain", 36_80),
    Item("oil-5", "菜籽油 5 升", "oil", 69_90),
    Item("pork-500", "五花肉 500 克", "fresh", 17_80),
    Item("apple-bag", "红富士苹果 2 公斤", "fresh", 22_60),
    Item("cabbage", "大白菜", "fresh", 4_50),
    Item("tissue", "抽纸 10 包", "household", 24_90),
    Item("detergent", "洗衣液 3 公斤", "household", 32_90),
    Item("salt", "加碘盐", "grain", 2_50),
    Item("noodles-dry", "挂面 1 公斤", "grain", 8_90),
    Item("fish", "鲜草鱼（条）", "fresh", 26_50),
)
TEAS = (
    Item("tea-milk", "招牌奶茶", "tea", 12_00),
    Item("tea-lemon", "柠檬茶", "tea", 10_00),
    Item("coffee-latte", "拿铁", "tea", 16_00),
    Item("tea-plain", "茉莉清茶", "tea", 8_00),
    Item("tea-boba", "加珍珠", "tea", 2_00),
)
BOOKS = (
    Item("book-novel", "长篇小说", "books", 45_00),
    Item("book-child", "儿童绘本", "books", 32_80),
    Item("book-craft", "钳工技能手册", "books", 58_00),
    Item("pen-set", "中性笔 12 支", "stationery", 18_00),
    Item("notebook", "笔记本", "stationery", 9_90),
)

TRADES = (
    Trade(
        "noodles",
        "food",
        11,
        ("面馆", "牛肉面", "刀削面馆"),
        16_00,
        30,
        {"morning": 8, "lunch": 22, "evening": 5, "night": 6},
        NOODLES,
    ),
    Trade(
        "diner", "food", 14, ("家常菜", "快餐", "盖浇饭", "饺子馆"), 22_00, 35, {"lunch": 40, "evening": 14, "night": 3}
    ),
    Trade("restaurant", "food", 7, ("火锅", "酒楼", "烤鱼", "羊肉馆"), 118_00, 40, {"lunch": 5, "evening": 16}),
    Trade(
        "bakery",
        "bakery",
        6,
        ("面包房", "蛋糕坊", "烘焙"),
        26_00,
        50,
        {"morning": 14, "forenoon": 5, "lunch": 3, "afternoon": 12, "evening": 8},
        BREAD,
    ),
    Trade(
        "tea",
        "tea",
        8,
        ("茶饮", "咖啡", "奶茶铺"),
        15_00,
        30,
        {"forenoon": 8, "lunch": 12, "afternoon": 30, "evening": 12},
        TEAS,
    ),
    Trade(
        "market",
        "market",
        13,
        ("超市", "生鲜", "果蔬店", "粮油店"),
        55_00,
        60,
        {"morning": 12, "forenoon": 40, "lunch": 9, "afternoon": 22, "evening": 30},
        GROCERIES,
    ),
    Trade(
        "pharmacy",
        "pharmacy",
        7,
        ("大药房", "药店"),
        56_00,
        70,
        {"forenoon": 16, "lunch": 3, "afternoon": 12, "evening": 6},
    ),
    Trade(
        "hair", "beauty", 6, ("理发店", "美发"), 38_00, 40, {"forenoon": 4, "lunch": 1, "afternoon": 8, "evening": 8}
    ),
    Trade(
        "books",
        "books",
        3,
        ("书店", "文具店"),
        42_00,
        60,
        {"forenoon": 2, "lunch": 1, "afternoon": 5, "evening": 4},
        BOOKS,
    ),
    Trade("cinema", "cinema", 2, ("影城",), 72_00, 30, {"lunch": 1, "afternoon": 5, "evening": 12}),
    Trade("gym", "fitness", 4, ("健身", "游泳馆", "羽毛球馆"), 45_00, 50, {"afternoon": 5, "evening": 12}),
    Trade(
        "laundry",
        "laundry",
        4,
        ("洗衣店", "家政"),
        48_00,
        50,
        {"morning": 2, "forenoon": 4, "lunch": 1, "afternoon": 4, "evening": 3},
    ),
    Trade("car", "car", 4, ("汽修", "洗车行"), 96_00, 80, {"forenoon": 4, "lunch": 1, "afternoon": 6, "evening": 2}),
    Trade(
        "home",
        "home",
        4,
        ("家居", "五金店", "床品店"),
        88_00,
        80,
        {"forenoon": 4, "lunch": 1, "afternoon": 6, "evening": 4},
    ),
    Trade("phone", "phone", 2, ("手机店", "数码"), 160_00, 90, {"afternoon": 3, "evening": 3}),
    Trade("clothes", "clothes", 3, ("鞋店", "服装店"), 116_00, 60, {"forenoon": 1, "afternoon": 6, "evening": 5}),
    Trade("clinic", "clinic", 2, ("体检中心", "口腔门诊"), 150_00, 60, {"forenoon": 5, "afternoon": 4}),
)
