"""`huigong price`: price the cases of a pricing document, or check them against what they expect. Needs no database."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from api.commands.lines import printable
from market.pricing.document import check_document, parse_document, price_document
from market.pricing.reading import PricingDocumentError

DIFFERENT = 1
MALFORMED = 2


def price(
    file: Annotated[str, typer.Argument(help="A pricing document, or - for standard input.")],
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with what each case expects instead of printing.")
    ] = False,
    only: Annotated[str | None, typer.Option("--only", help="Ids of cases, separated by commas.")] = None,
) -> None:
    """Price a basket under its offers: quotes and refunds as JSON, with every step explained.

    Ends with 1 when --check finds a difference, with 2 and one line naming the JSON path when the document is malformed.
    """
    wanted = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    try:
        document = _read(file)
        if not check:
            written = json.dumps(price_document(document, only=wanted), ensure_ascii=False, indent=1)
            sys.stdout.write(written + "\n")
            return
        differences = check_document(document, only=wanted)
        expected = sum(vector.expect is not None for vector in parse_document(document, only=wanted))
    except PricingDocumentError as error:
        _refuse(f"{error.path}: {error.problem}")
    if differences:
        sys.stdout.write("\n".join(map(printable, differences)) + "\n")
        raise typer.Exit(DIFFERENT)
    sys.stdout.write(f"{expected} as expected\n")


def _read(file: str) -> object:
    """The JSON of a file or of standard input; numbers must be integers and no name may stand twice in one object."""
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        _refuse(f"{file}: {error.strerror}")
    try:
        found: object = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PricingDocumentError("$", f"is no JSON: {' '.join(str(error).split())}") from error
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _refuse(line: str) -> NoReturn:
    """One line on standard error, nothing on standard output."""
    sys.stderr.write(f"huigong price: {printable(line)}\n")
    raise typer.Exit(MALFORMED)
