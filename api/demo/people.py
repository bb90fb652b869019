"""The people of the demo works. None of them exists: every national id names a county (129999) that never existed. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from stdnum.cn import ric

from api.demo.sizes import Size
from api.demo.units import DemoUnits

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    ""
)
COMPOUND = ("欧阳", "上官", "司马", "诸葛", "皇甫", "令狐")

# Given names as parents chose them, by the decade of birth: until 1959, until 1979, after.
MEN = (
    "建国 国强 德胜 志明 福生 金山 宝林 玉山 长贵 永福 春生 文彬 国栋 树林 洪亮 正义 学文 胜利 庆丰 援朝 卫国 家驹 耀祖 根生 来福",
    "建军 志强 伟 军 勇 建华 国庆 卫东 海涛 志刚 永强 建平 立新 红兵 晓东 文革 向阳 金龙 振华 立军 新民 保国 爱民 春雷 小平 学军 宏伟",
    "浩 鹏 磊 超 俊杰 宇航 子豪 天宇 明辉 志远 文博 嘉伟 一鸣 晨 凯 斌 博文 泽宇 家乐 瑞 旭东 思远 景行 昊 佳明 锐 立恒",
)
WOMEN = (
    "秀英 桂英 玉兰 淑珍 桂芳 凤英 素珍 玉梅 秀兰 春兰 金凤 月娥 惠珍 翠华 桂荣 淑华 彩霞 玉珍 兰英 巧云",
    "丽 敏 静 丽华 秀梅 红梅 春燕 艳 玲 建萍 海燕 晓红 慧 美玲 爱华 卫红 小芳 文娟 雪梅 冬梅 丽萍 凤霞 志红",
    "婷 雪 欣怡 倩 雨桐 佳 思琪 梦瑶 晓雯 诗涵 颖 莹 雅静 璐 子涵 娜 丹 佳琪 若曦 悦 晨曦 文静 语嫣 可心",
)
REGION = "129999"  # no county ever had this code, so that no id of the demo is anybody's
PHONE_PREFIX = "000"  # no area code in China is so
GRADES = (("standard", 88), ("senior", 10), ("expert", 2))
TAGS = (("model-worker", 2), ("night-shift", 22), ("single-parent", 1))

# The first of the register is the one whom the demo's member button signs in.
DEMO_MEMBER = ("XG000001", "赵志强", "M", date(1984, 6, 18))


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A member to enter in the register."""

    staff_number: str
    name: str
    phone: str
    national_id: str
    unit: str
    grade: str
    tags: tuple[str, ...]
    state: str
    joined_on: date


def make_people(size: Size, units: DemoUnits, *, seed: int, today: date) -> list[DemoPerson]:
    """All members, the demo member first; the active ones before the retired."""
    rng = Random(f"{seed}:people")  # noqa: S311  the same luck from the same seed is what a demo wants
    groups = [*_spread(units.groups, size.active), *_spread(units.retired_groups, size.retired)]
    return [
        _person(rng, number, unit, is_retired=number > size.active, today=today)
        for number, unit in enumerate(groups, start=1)
    ]


def make_name(rng: Random, *, sex: str, born: int) -> str:
    """A Chinese name as one born in that year may bear."""
    # The first surnames of the list are by far the commonest.
    place = min(int(rng.expovariate(1 / 18)), len(SURNAMES) - 1)
    surname = rng.choice(COMPOUND) if rng.random() < 0.004 else SURNAMES[place]
    given = (MEN if sex == "M" else WOMEN)[0 if born < 1960 else 1 if born < 1980 else 2]
    return surname + rng.choice(given.split())


def make_national_id(number: int, *, sex: str, born: date) -> str:
    """A national id with a right check digit that belongs to nobody; different for different numbers born on different days."""
    order = number % 500 * 2 + (sex == "M")
    body = f"{REGION}{born:%Y%m%d}{order:03}"
    return body + ric.calc_check_digit(body + "0")


def _person(rng: Random, number: int, unit: str, *, is_retired: bool, today: date) -> DemoPerson:
    sex = "M" if rng.random() < (0.58 if is_retired else 0.72) else "F"
    age = rng.randint(60, 86) if is_retired else min(59, max(20, round(rng.gauss(41, 10))))
    born = date(today.year - age - 1, 1, 1) + timedelta(days=(number * 37 + rng.randrange(3)) % 365)
    staff_number, name = f"XG{number:06}", make_name(rng, sex=sex, born=born.year)
    if number == 1:
        staff_number, name, sex, born = DEMO_MEMBER
    is_ordinary = number == 1 or is_retired
    grade = "standard" if is_ordinary else rng.choices([name for name, _ in GRADES], [share for _, share in GRADES])[0]
    tags = (
        ()
        if number == 1
        else tuple(
            tag for tag, percent in TAGS if rng.randrange(100) < percent and not (is_retired and tag == "night-shift")
        )
    )
    return DemoPerson(
        staff_number=staff_number,
        name=name,
        phone=f"{PHONE_PREFIX}{number:08}",
        national_id=make_national_id(number, sex=sex, born=born),
        unit=unit,
        grade=grade,
        tags=tags,
        state="retired" if is_retired else "active",
        joined_on=date(min(born.year + 20 + rng.randrange(6), today.year - 1), rng.randint(1, 12), rng.randint(1, 28)),
    )


def _spread(units: tuple[str, ...], heads: int) -> Iterator[str]:
    """Heads over units, as even as can be, unit by unit."""
    return (units[head * len(units) // heads] for head in range(heads))
