"""The English catalogue against the sources: `python -m bench.catalogue` adds what is new and drops what is gone.

What it adds is untranslated, and the tests fail until somebody translates it: that is the point.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from api.pages.i18n import CATALOGUE

ROOT = Path(__file__).parents[1]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "N_": None, "translate": (2,)}
HEADER = b"""# English for the pages of Huigong; the Chinese texts are the msgids.
msgid ""
msgstr ""
"Language: en\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
TEMPLATE_OPTIONS = {
    "trimmed": "false",
    "newstyle_gettext": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "silent": "false",
}


def messages() -> Iterator[tuple[str, int, str | tuple[str, ...], str | None]]:
    """Every text of the templates and of the api's Python that asks to be translated: (file, line, msgid, context)."""
    templates = sorted((ROOT / "templates").rglob("*.html"))
    modules = sorted((ROOT / "api").rglob("*.py"))
    for path in (*templates, *modules):
        method = "jinja2.ext:babel_extract" if path.suffix == ".html" else "python"
        options = TEMPLATE_OPTIONS if path.suffix == ".html" else {}
        for line, text, _comments, context in extract_from_file(method, path, keywords=KEYWORDS, options=options):
            yield str(path.relative_to(ROOT)), line, text, context


def extracted() -> Catalog:
    """The texts of the sources as a catalogue without translations."""
    catalogue = Catalog(locale="en", charset="utf-8")
    for file, _line, text, context in messages():
        catalogue.add(text, locations=[(file, 1)], context=context)
    return catalogue


def main() -> None:
    """Bring the catalogue up to date, in the order of the sources, and say how much is left to translate."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="en")
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    body = BytesIO()
    write_po(body, catalogue, width=0, no_location=True, omit_header=True)
    CATALOGUE.write_bytes(HEADER + body.getvalue())
    missing = [
        message.id
        for message in catalogue
        if message.id and not (all(message.string) if isinstance(message.string, tuple) else message.string)
    ]
    print(f"{len(catalogue)} texts, {len(missing)} without English")


if __name__ == "__main__":
    main()
