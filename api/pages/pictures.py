"""Categories of shops and of products, their icon and tint. The pictures themselves are drawn in `storefront` and `product_face`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """`label` is the Chinese source text; `tint` one of the tones in static/css/app.css."""

    code: str
    label: str
    icon: str
    tint: str


def N_(text: str) -> str:  # noqa: N802  (the customary name for "translate later")
    """Mark a text for the catalogue; it is translated where it is shown."""
    return text


CATEGORIES: dict[str, Category] = {
    category.code: category
    for category in (
        Category("food", N_("餐饮"), "soup", "amber"),
        Category("market", N_("超市生鲜"), "basket", "green"),
        Category("bakery", N_("面包糕点"), "bread", "orange"),
        Category("tea", N_("茶饮咖啡"), "cup", "lime"),
        Category("books", N_("图书文具"), "book", "azure"),
        Category("cinema", N_("电影演出"), "movie", "purple"),
        Category("fitness", N_("运动健身"), "barbell", "indigo"),
        Category("clinic", N_("体检诊所"), "stethoscope", "red"),
        Category("pharmacy", N_("药房"), "pill", "teal"),
        Category("beauty", N_("理发美容"), "scissors", "pink"),
        Category("travel", N_("出行旅游"), "bus", "cyan"),
        Category("car", N_("汽车服务"), "car", "blue"),
        Category("home", N_("家居日用"), "home-2", "teal"),
        Category("phone", N_("数码通讯"), "device-mobile", "blue"),
        Category("clothes", N_("服装鞋帽"), "hanger", "pink"),
        Category("laundry", N_("洗衣家政"), "wash", "cyan"),
        Category("appliance", N_("家用电器"), "microwave", "azure"),
        Category("kitchen", N_("厨房用品"), "tools-kitchen-2", "orange"),
        Category("gift", N_("节日礼品"), "gift", "red"),
        Category("care", N_("个护清洁"), "droplet", "cyan"),
        Category("kids", N_("母婴儿童"), "horse-toy", "purple"),
        Category("tools", N_("劳保工具"), "tool", "indigo"),
        Category("other", N_("其他"), "building-store", "slate"),
    )
}


def category(code: str) -> Category:
    """The category of a code; a code nobody drew yet is shown as 其他."""
    return CATEGORIES.get(code, CATEGORIES["other"])


PRODUCT_CATEGORIES: tuple[str, ...] = (
    *(
        "gift",
        "market",
        "appliance",
        "kitchen",
        "home",
        "care",
        "clothes",
        "phone",
        "books",
        "fitness",
        "kids",
        "tools",
        "other",
    ),
)
"""What an owner may choose for a product, as members see them in a row."""
