"""Cuts the poster's fonts out of Noto Sans SC: `python -m bench.poster_fonts FOLDER`, the unpacked `@expo-google-fonts/noto-sans-sc`.

Regular holds all of GB 2312 (6,763 hanzi, kana, Greek, Cyrillic and signs), because names may hold any; Bold only what the sheet itself
says in bold. Run it again after a change of those words; the tests name a character that is missing.
"""

import sys
from pathlib import Path
from shutil import copyfile

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from api.poster.printing import CHARACTERS, FONTS, SHEET

LATIN = {chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x100))} | set("–—‘’“”…‰€≤≥≠−→")


def gb2312() -> set[str]:
    """Every character of GB 2312."""
    pairs = (bytes((row, cell)) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    return {pair.decode("gb2312") for pair in pairs if pair.decode("gb2312", "ignore")}


def cut(source: Path, target: Path, wanted: set[str]) -> set[str]:
    """Write the font with only these characters; those it really has."""
    font = TTFont(source)
    options = Options(layout_features=["kern", "tnum", "locl", "halt", "palt"], hinting=False, notdef_outline=True)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[ord(sign) for sign in wanted])
    subsetter.subset(font)
    font["head"].modified = font["head"].created  # the same input makes the same file
    font.recalcTimestamp = False
    font.save(target)
    return {chr(code) for code in TTFont(target).getBestCmap()}


def main(folder: Path) -> None:
    """Write both fonts, their licence, and the list of characters that both sides of the sheet may use."""
    regular = cut(folder / "400Regular/NotoSansSC_400Regular.ttf", FONTS / "NotoSansSC-Regular.ttf", gb2312() | LATIN)
    cut(folder / "700Bold/NotoSansSC_700Bold.ttf", FONTS / "NotoSansSC-Bold.ttf", set(SHEET.read_text()) | LATIN)
    CHARACTERS.write_text("".join(sorted(regular - {"\n"})) + "\n")
    copyfile(folder / "LICENSE_FONT", FONTS / "OFL.txt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
