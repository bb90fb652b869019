"""What stands under static/ is what we say it is, and what the pages use is there."""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from api.pages.assets import ICON_FOLDER, STATIC_FOLDER
from api.pages.chrome import WAYS
from api.pages.i18n import LANGUAGES
from api.pages.kit import TEMPLATE_FOLDER, render_text
from api.pages.pictures import CATEGORIES
from bench.gallery import weigh
from tests.gallery.frame import Sample, chrome
from tests.gallery.samples import SAMPLES

FRONTEND = STATIC_FOLDER.parent / "frontend"
VENDOR = json.loads((STATIC_FOLDER / "vendor" / "vendor.json").read_text())
OWN_CSS = sorted((STATIC_FOLDER / "css").glob("*.css"))
MODULES = sorted((STATIC_FOLDER / "js").glob("*.js"))
TILL_BYTES = 60_000  # looks: a till page over gzip before caching
SET_BY_SCRIPT = {"with-script", "is-found", "is-late"}
NOT_IN_A_SAMPLE = {"is-wrong"}  # a month that does not add up


def classes_of_css(*paths: Path) -> set[str]:
    """Class names that stylesheets have a rule for."""
    text = "".join(re.sub(r"/\*.*?\*/|url\([^)]*\)", "", path.read_text(), flags=re.DOTALL) for path in paths)
    return set(re.findall(r"\.(-?[a-zA-Z_][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", text)))


def classes_of_pages() -> set[str]:
    """Class names in every sample page, in both languages."""
    pages = (
        render_text(s.template, s.view, chrome(s, language=language, notice="好"))
        for s in SAMPLES
        for language in LANGUAGES
    )
    return {name for page in pages for value in re.findall(r'\sclass="([^"]*)"', page) for name in value.split()}


def test_vendored_files_are_those_that_were_listed() -> None:
    listed = {f"{each['folder']}/{file}": digest for each in VENDOR for file, digest in each["sha256"].items()}
    folder = STATIC_FOLDER / "vendor"
    found = {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
    del found["vendor.json"]
    assert found == listed


def test_vendored_packages_are_the_locked_ones_each_with_its_licence() -> None:
    locked = json.loads((FRONTEND / "package-lock.json").read_text())["packages"]
    for each in VENDOR:
        assert locked[f"node_modules/{each['package']}"]["version"] == each["version"]
        assert (STATIC_FOLDER / "vendor" / each["folder"] / "LICENSE").read_text().strip()
        assert each["licence"]


def test_the_lock_names_no_registry() -> None:
    lock = (FRONTEND / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_the_wasm_is_exactly_the_one_its_reader_was_built_with() -> None:
    reader = STATIC_FOLDER / "vendor" / "barcode-detector-3.2.2" / "zxing-exported.js"
    wasm = STATIC_FOLDER / "vendor" / "zxing-wasm-3.1.3" / "zxing_reader.wasm"
    assert sha256(wasm.read_bytes()).hexdigest() in reader.read_text()


def test_every_icon_used_is_there_and_no_other() -> None:
    sources = "".join(path.read_text() for path in TEMPLATE_FOLDER.rglob("*.html"))
    known = {path.stem for path in ICON_FOLDER.glob("*.svg")}
    named = {way.icon for ways in WAYS.values() for way in ways} | {category.icon for category in CATEGORIES.values()}
    assert named <= known
    in_templates = {name for name in known if re.search(rf"""["']{re.escape(name)}["']""", sources)}
    assert known - named - in_templates == set()
    assert set((FRONTEND / "icons.txt").read_text().split()) == known


def test_every_class_on_a_page_has_a_rule() -> None:
    """PurgeCSS cut Tabler down to what the pages use; a class used since then would silently have no style."""
    tabler = STATIC_FOLDER / "vendor" / "tabler-core-1.6.1" / "tabler.css"
    # Hooks that only group or name something, without a look of their own.
    plain = {"hero-text", "shop-offers", "refund-go", "leave", "left-text", "saved", "step-list", "stub-digits"}
    plain |= {"amount-out", "amount-other", "target-code", "target-photo", "target-today", "stalls-wide", "me"}
    plain |= {f"door-{role}" for role in ("member", "assistant", "owner", "officer", "auditor")}
    plain |= {"state-active", "rush", "meter-fill"}
    missing = classes_of_pages() - classes_of_css(tabler, *OWN_CSS) - plain
    assert missing == set()


def test_every_rule_of_our_own_is_for_a_class_on_a_page() -> None:
    tints = {f"tint-{category.tint}" for category in CATEGORIES.values()}
    assert classes_of_css(*OWN_CSS) - classes_of_pages() - SET_BY_SCRIPT - NOT_IN_A_SAMPLE - tints == set()


def test_dark_by_choice_and_dark_by_device_are_the_same() -> None:
    css = (STATIC_FOLDER / "css" / "app.css").read_text()
    chosen, device = (
        re.search(rf"\[data-bs-theme=\"{theme}\"\] \{{([^}}]*--paper[^}}]*)\}}", css) for theme in ("dark", "auto")
    )
    assert chosen is not None
    assert device is not None
    assert chosen[1].split() == device[1].split()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_our_scripts_need_no_eval_and_write_no_html(path: Path) -> None:
    assert (
        re.findall(
            r"\beval\b|new Function|innerHTML|insertAdjacentHTML|document\.write|\.style\.cssText|https?://",
            path.read_text(),
        )
        == []
    )


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.template.startswith("till/")], ids=lambda s: s.name)
def test_a_first_visit_to_the_till_is_light(sample: Sample) -> None:
    _, whole = weigh(sample)
    assert whole < TILL_BYTES
