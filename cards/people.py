"""What may be said of a person: the surname at a till, and the facts that offers may ask about. Pure."""

from collections.abc import Sequence

# Compound surnames of two characters that are still borne; anything else is taken to be one character.
_COMPOUND = (
    "欧阳上官司马诸葛夏侯皇甫尉迟公孙慕容令狐司徒长孙宇文端木东方独孤南宫西门闻人轩辕呼延司空公冶申屠太史淳于"
    "单于仲孙钟离鲜于闾丘亓官巫马公西漆雕乐正拓跋夹谷百里东郭南门左丘谷梁段干濮阳赫连澹台公羊宗政万俟第五"
)
COMPOUND_SURNAMES = frozenset(_COMPOUND[at : at + 2] for at in range(0, len(_COMPOUND), 2))
FACT_LEVELS = ("union", "branch", "workshop", "group")


def surname(name: str) -> str:
    """The surname of a Chinese name; of a name with spaces or dots (foreign, minority) its first part."""
    first = name.replace("·", " ").split(maxsplit=1)[0] if name.strip() else ""
    if first != name.strip() or first.isascii():
        return first
    return first[:2] if first[:2] in COMPOUND_SURNAMES and len(first) > 2 else first[:1]


def list_facts(*, path: Sequence[str], grade: str, state: str, tags: Sequence[str]) -> dict[str, object]:
    """The facts that an audience may name: units by level from the top, absent ones left out; grade, state, tags."""
    return {**dict(zip(FACT_LEVELS, path, strict=False)), "grade": grade, "state": state, "tags": list(tags)}
