"""What may be said of a person."""

import pytest

from cards.people import COMPOUND_SURNAMES, list_facts, surname


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("王建国", "王"),
        ("李四", "李"),
        ("欧阳修", "欧阳"),
        ("欧阳", "欧"),  # two characters: surname 欧, given name 阳
        ("司马相如", "司马"),
        ("尉迟恭", "尉迟"),
        ("端木赐", "端木"),
        ("东方红", "东方"),
        ("买买提·吐尔逊", "买买提"),
        ("John Smith", "John"),
        ("Anna", "Anna"),
        (" 张 三 ", "张"),
        ("", ""),
    ],
)
def test_the_surname_at_a_till(name, said):
    assert surname(name) == said


def test_the_compound_surnames_are_pairs():
    assert {len(name) for name in COMPOUND_SURNAMES} == {2}
    assert {"欧阳", "上官", "诸葛", "夏侯", "皇甫", "公孙", "慕容", "令狐", "司徒", "长孙", "宇文"} <= COMPOUND_SURNAMES


def test_facts_name_the_units_from_the_top_and_leave_out_what_is_not_there():
    assert list_facts(path=["xg", "rolling"], grade="standard", state="active", tags=["model-worker"]) == {
        "union": "xg",
        "branch": "rolling",
        "grade": "standard",
        "state": "active",
        "tags": ["model-worker"],
    }
    deep = list_facts(path=["xg", "b", "w", "g", "below"], grade="", state="retired", tags=[])
    assert [deep[level] for level in ("union", "branch", "workshop", "group")] == ["xg", "b", "w", "g"]
    assert "below" not in deep.values()
