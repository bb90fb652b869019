"""`huigong verify receipt FILE`: whether a receipt holds, in one sentence. Asks no database, no network and nobody's word."""

import os
from datetime import datetime
from typing import Annotated, Final

import typer

from market.record.log.errors import MalformedError
from market.record.log.keys import Kind, VerifierKey, parse_vkey
from market.record.receipts import MOST_BYTES, Keys, ReceiptMalformedError, State, parse_receipt, verify_receipt

DIFFERS: Final = 1
UNREADABLE: Final = 2
_MARKS: Final = {State.HOLDS: "ok  ", State.DIFFERS: "NOT ", State.OPEN: "  - "}


def verify_receipt_file(
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="A receipt file; - reads it from standard input.")],
    vkey: Annotated[
        list[str] | None,
        typer.Option(help="A key that you trust, of the log or of its promises; give both. Else those in the file."),
    ] = None,
    *,
    steps: Annotated[bool, typer.Option("--steps", help="Say every step, not only what it comes to.")] = False,
) -> None:
    """Check a receipt file. Exit code 0: it holds; 1: a field differs, the promise is overdue, or nothing is signed; 2: no receipt."""
    keys = _read_keys(vkey) if vkey else None
    try:
        receipt = parse_receipt(file.read(MOST_BYTES + 1))
    except ReceiptMalformedError as error:
        _say(error.sentence("zh"), error.sentence("en"))
        raise typer.Exit(UNREADABLE) from None
    verdict = verify_receipt(receipt, keys=keys, at=datetime.now().astimezone())
    if steps:
        for step in verdict.steps:
            _say(*(f"{_MARKS[step.state]}{step.field}: {sentence}" for sentence in (step.zh, step.en)))
    _say(verdict.zh, verdict.en)
    if keys is None:
        _say(
            f"公钥取自文件本身（{receipt.log.text}）：请和工会公布的比一比，或用 --vkey 给出。",
            f"The keys are those in the file ({receipt.log.text}): compare them with the published ones, or give them with --vkey.",
        )
    if not verdict.holds:
        raise typer.Exit(DIFFERS)


def _read_keys(texts: list[str]) -> Keys:
    """The trusted keys: those whose name ends in /promise sign promises, all others checkpoints."""
    try:
        keys = [parse_vkey(text) for text in texts]
    except MalformedError as error:
        raise typer.BadParameter(str(error), param_hint="--vkey") from None
    if any(key.kind != Kind.NOTE for key in keys):
        raise typer.BadParameter(
            "a witness's key signs neither checkpoints nor promises of the log", param_hint="--vkey"
        )

    def chosen(*, of_promises: bool) -> tuple[VerifierKey, ...]:
        return tuple(key for key in keys if key.name.endswith("/promise") == of_promises)

    return Keys(chosen(of_promises=False), chosen(of_promises=True))


def _say(zh: str, en: str) -> None:
    """In the language of the terminal."""
    typer.echo(zh if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("zh") else en)
