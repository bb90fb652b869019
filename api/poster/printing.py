"""A sheet on paper: one A4 page as PDF, set by Typst with the fonts in this folder and no others. The same sheet makes the same bytes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import segno
import typst

from market.kit.errors import unreachable

FOLDER: Final = Path(__file__).parent
SHEET: Final = FOLDER / "sheet.typ"
FONTS: Final = FOLDER / "fonts"
CHARACTERS: Final = FONTS / "characters.txt"
_ONE: Final = Lock()
MOST_NAMED: Final = 6  # what fits on a line of the sheet; a caller gets all
STAND_IN: Final = "〓"  # U+3013, what Chinese printers set for a character that the case does not hold


@dataclass(frozen=True, slots=True)
class Printed:
    """A page as PDF. `missing` are the characters that the fonts do not hold, each once: 〓 stands for them."""

    pdf: bytes
    missing: str


def print_sheet(texts: Mapping[str, Any], *, codes: Mapping[str, str]) -> Printed:
    """Set the page: `texts` as `sheet.typ` reads them, `codes` by name what each QR code says."""
    missing: dict[str, None] = {}
    shown = _replace(texts, missing)
    shown["codes"] = {name: _qr(text) for name, text in codes.items()}
    named = [f"U+{ord(sign):04X}" for sign in missing]
    shown["missing"] = " ".join([*named[:MOST_NAMED], *(["…"] if len(named) > MOST_NAMED else [])])
    pdf = _compiler().compile(
        input=SHEET, format="pdf", sys_inputs={"sheet": json.dumps(shown, ensure_ascii=False)}, timestamp=0
    )
    if not isinstance(pdf, bytes):
        unreachable("a PDF is one file")
    return Printed(pdf, "".join(missing))


def keep_printed(texts: Mapping[str, Any], *, codes: Mapping[str, str]) -> Printed:
    """The same, kept while the texts stay as they are; one page is set at a time, so that readers leave the machine to the tills."""
    with _ONE:
        return _keep(json.dumps([texts, codes], ensure_ascii=False, sort_keys=True))


@lru_cache(maxsize=16)
def _keep(sheet: str) -> Printed:
    texts, codes = json.loads(sheet)
    return print_sheet(texts, codes=codes)


@cache
def _characters() -> frozenset[str]:
    return frozenset(CHARACTERS.read_text(encoding="utf-8")) - {"\n"}


def _compiler() -> typst.Compiler:
    """A new one each time: it is not to be shared by threads. Fonts are read once."""
    return typst.Compiler(root=FOLDER, font_paths=_fonts(), ignore_system_fonts=True)


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[FONTS])


def _replace(value: Any, missing: dict[str, None]) -> Any:  # noqa: ANN401  whatever JSON holds
    """The same with 〓 for what cannot be printed."""
    if isinstance(value, str):
        kept = []
        for sign in value:
            if sign not in _characters():
                missing[sign] = None
            kept.append(sign if sign in _characters() else STAND_IN)
        return "".join(kept)
    if isinstance(value, Mapping):
        return {name: _replace(each, missing) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_replace(each, missing) for each in value]
    return value


def _qr(text: str) -> str:
    """A QR code (ISO 18004, level M) as SVG."""
    code = segno.make(text, error="m", micro=False)
    return code.svg_inline(border=0, dark="#1c1917", omitsize=True)
