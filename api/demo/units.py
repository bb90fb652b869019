"""The organisation of the demo works: company, plants, workshops and union groups. Pure."""

from dataclasses import dataclass

from api.demo.sizes import Size

COMPANY = "xg"
COMPANY_NAME = "霞岗钢铁集团工会"

PLANTS = (
    *(
        "炼铁厂",
        "炼钢厂",
        "热轧厂",
        "冷轧厂",
        "焦化厂",
        "烧结厂",
        "中厚板厂",
        "棒材厂",
        "线材厂",
        "型钢厂",
        "钢管厂",
        "硅钢厂",
        "动力厂",
    ),
    *(
        "自备电厂",
        "制氧厂",
        "铁路运输部",
        "汽运公司",
        "机械修造厂",
        "电修厂",
        "质量检测中心",
        "原料供应部",
        "耐火材料厂",
        "技术研究院",
    ),
    *("矿业公司", "生活服务公司", "集团机关"),
)
WORKSHOPS = ("一车间", "二车间", "三车间", "设备车间", "电气车间", "综合车间", "离退休管理站")
RETIRED_WORKSHOP = WORKSHOPS[-1]
GROUPS = ("甲班", "乙班", "丙班", "丁班", "日班", "检修班", "点检班", "准备班")


@dataclass(frozen=True, slots=True)
class DemoUnit:
    """A node of the tree; `parent` is the code of the unit above."""

    code: str
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class DemoUnits:
    """All units in the order in which they can be added; the codes of the groups for those at work and for the retired."""

    units: tuple[DemoUnit, ...]
    groups: tuple[str, ...]
    retired_groups: tuple[str, ...]


def make_units(size: Size) -> DemoUnits:
    """Four levels with exactly the counts of the size: the last workshop of each plant looks after its retired members."""
    units = [DemoUnit(COMPANY, COMPANY_NAME, None)]
    groups: list[str] = []
    retired: list[str] = []
    workshop_number = 0
    for plant, workshops in enumerate(_share(size.workshops, size.plants)):
        plant_code = f"{COMPANY}{plant + 1:02}"
        units.append(DemoUnit(plant_code, PLANTS[plant], COMPANY))
        names = (*WORKSHOPS[: workshops - 1], RETIRED_WORKSHOP)
        for workshop, name in enumerate(names):
            code = f"{plant_code}{workshop + 1:02}"
            units.append(DemoUnit(code, name, plant_code))
            here = _share(size.groups, size.workshops)[workshop_number]
            workshop_number += 1
            for group in range(here):
                is_retired = name == RETIRED_WORKSHOP
                group_name = f"第{'一二三四五六七八'[group]}组" if is_retired else GROUPS[group]
                units.append(DemoUnit(f"{code}{group + 1:02}", group_name, code))
                (retired if is_retired else groups).append(units[-1].code)
    return DemoUnits(tuple(units), tuple(groups), tuple(retired))


def _share(whole: int, parts: int) -> list[int]:
    """`whole` in `parts` as even as can be, the larger first."""
    return [whole // parts + (part < whole % parts) for part in range(parts)]
