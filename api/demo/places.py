"""The merchants and shops of the demo works. Their credit codes carry a region that does not exist (000000). Pure."""

from dataclasses import dataclass
from random import Random

from stdnum.cn import uscc

from api.demo.people import make_name
from api.demo.sizes import Size
from api.demo.trades import TRADES, Till, Trade

# The noodle shop of everyday life: its assistant and its owner can sign in.
NOODLE_MERCHANT = "m001"
NOODLE_NAME = "炉前面馆"

PREFIXES = (
    *(
        "老街",
        "顺兴",
        "东门",
        "福满",
        "江岸",
        "同心",
        "春和",
        "聚贤",
        "鸿运",
        "金炉",
        "红砖",
        "大院",
        "厂前",
        "北站",
        "石桥",
        "南湖",
        "百味",
        "如意",
    ),
    *(
        "长河",
        "望江",
        "新光",
        "四季",
        "和平",
        "友谊",
        "五一",
        "劳动",
        "团结",
        "向阳",
        "丰收",
        "永红",
        "青松",
        "白桦",
        "梧桐",
        "桂花",
        "荷塘",
        "枫林",
    ),
    *(
        "晨光",
        "星辰",
        "阳光",
        "天天",
        "万家",
        "家和",
        "亲邻",
        "便民",
        "惠邻",
        "好邻",
        "小巷",
        "转角",
        "老灶",
        "一品",
        "三味",
        "五谷",
        "六合",
        "八方",
    ),
    *("九里", "十里", "百草", "千帆", "广源", "恒泰", "德昌", "瑞丰", "安康", "康宁"),
)
ROADS = (
    *(
        "冶金大道",
        "高炉路",
        "轧钢路",
        "焦化路",
        "工人新村一街",
        "工人新村二街",
        "厂前街",
        "建设路",
        "和平路",
        "团结路",
        "解放路",
        "人民路",
    ),
    *("江滨路", "南湖路", "东门大街", "北站路", "石桥巷", "红砖巷"),
)
DISTRICTS = ("钢城区", "江岸区", "南湖区")


@dataclass(frozen=True, slots=True)
class DemoShop:
    """A shop; `owner` and `assistant` are the names of its people (the owner's the same at all shops of a merchant)."""

    code: str
    name: str
    address: str
    till: Till
    assistant: str


@dataclass(frozen=True, slots=True)
class DemoMerchant:
    """A merchant to admit, with its shops."""

    code: str
    name: str
    credit_code: str
    trade: Trade
    owner: str
    shops: tuple[DemoShop, ...]


def make_merchants(size: Size, *, seed: int) -> list[DemoMerchant]:
    """All merchants, the noodle shop first; the first ones have a second shop until the count of shops is reached."""
    rng = Random(f"{seed}:places")  # noqa: S311  the same luck from the same seed is what a demo wants
    taken = {NOODLE_NAME}
    merchants = []
    for number, trade in enumerate(_spread_trades(size.merchants), start=1):
        name = NOODLE_NAME if number == 1 else _make_name(rng, trade, taken)
        # A second shop for every merchant after the noodle shop, as long as shops are left to give.
        shops = 2 if 2 <= number < 2 + size.shops - size.merchants else 1
        merchants.append(_merchant(rng, number, name, trade, shops))
    return merchants


def make_credit_code(number: int) -> str:
    """A unified social credit code with a right check digit whose region, 000000, is no place."""
    body = f"91000000MADEM{number:04}"
    return body + uscc.calc_check_digit(body)


def _spread_trades(merchants: int) -> list[Trade]:
    """Trades in proportion to their shares, mixed so that any first ten show most of them; noodles come first."""
    whole = sum(trade.share for trade in TRADES)
    due = [0] * len(TRADES)
    chosen = []
    for _ in range(merchants):
        due = [left + trade.share for left, trade in zip(due, TRADES, strict=True)]
        next_one = due.index(max(due))
        due[next_one] -= whole
        chosen.append(TRADES[next_one])
    noodles = next(trade for trade in chosen if trade.code == "noodles")
    chosen.remove(noodles)
    return [noodles, *chosen]


def _make_name(rng: Random, trade: Trade, taken: set[str]) -> str:
    while (name := rng.choice(PREFIXES) + rng.choice(trade.suffixes)) in taken:
        pass
    taken.add(name)
    return name


def _merchant(rng: Random, number: int, name: str, trade: Trade, shops: int) -> DemoMerchant:
    code = f"m{number:03}"
    roads = rng.sample(ROADS, shops)
    by_items = bool(trade.items) and (number == 1 or rng.random() < 0.5)
    return DemoMerchant(
        code=code,
        name=name,
        credit_code=make_credit_code(number),
        trade=trade,
        owner=_worker(rng),
        shops=tuple(
            DemoShop(
                code=f"{code}s{shop}",
                name=name if shops == 1 else f"{name}（{road.removesuffix('路').removesuffix('街')}店）",
                address=f"霞岗市{rng.choice(DISTRICTS)}{road}{rng.randint(1, 388)}号",
                till="items" if by_items else "amounts",
                assistant=_worker(rng),
            )
            for shop, road in enumerate(roads, start=1)
        ),
    )


def _worker(rng: Random) -> str:
    return make_name(rng, sex=rng.choice("MF"), born=rng.randint(1968, 2003))
