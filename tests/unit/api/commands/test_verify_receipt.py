"""`huigong verify receipt` as a person or another program meets it: one sentence, an exit code, and no database."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli import app
from market.record.receipts import Receipt
from tests.unit.market.record import noodles

ROOT = Path(__file__).parents[4]
VKEYS = ("--vkey", noodles.LOG.verifier.text, "--vkey", noodles.PROMISE.verifier.text)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    """The command in an English terminal, on a machine without a database."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("HUIGONG_DATABASE_URL", raising=False)
    return lambda *words, **more: CliRunner().invoke(app, ["verify", "receipt", *words], **more)


def check(run, receipt: Receipt, *words: str) -> Result:
    return run("-", *words, input=receipt.encode())


def test_the_example_of_the_document_is_what_it_says(run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (ROOT / "docs/receipt-example.json").read_bytes() == noodles.make().encode()
    page = (ROOT / "docs/record.md").read_text()
    command = page.partition("```\nhuigong verify receipt ")[2].partition("```")[0].replace("\\\n", "")
    monkeypatch.chdir(ROOT)
    done = run(*shlex.split(command))
    assert done.exit_code == 0
    assert done.output == (
        "It holds: this is entry 4 of the public record, and everything in the receipt agrees with it.\n"
    )


def test_the_fields_of_the_document_are_those_of_the_file() -> None:
    page = (ROOT / "docs/record.md").read_text().partition("## The receipt")[2].partition("\n## ")[0]
    said = {
        name.strip("` ") for row in page.splitlines() if row.startswith("| `") for name in row.split("|")[1].split(",")
    }
    assert said == {*noodles.FILE_FIELDS, "batch"}


def test_the_promise_of_the_document_is_that_of_the_example() -> None:
    page = (ROOT / "docs/record.md").read_text().replace("\n    ", "\n")
    assert noodles.make().promise.decode() in page


def test_it_speaks_the_language_of_the_terminal(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert check(run, noodles.make(), *VKEYS).output.startswith("对得上：这一笔是公开台账的第 4 条")


def test_without_keys_it_says_whose_it_took(run) -> None:
    done = check(run, noodles.make())
    assert done.exit_code == 0
    assert "The keys are those in the file" in done.output


def test_a_field_that_differs_is_one_sentence_and_exit_code_1(run) -> None:
    done = check(run, noodles.make(), "--vkey", noodles.OTHER.verifier.text)
    assert done.exit_code == 1
    assert done.output.startswith("log differs: ")
    assert done.output.count("\n") == 1


def test_an_overdue_promise_is_exit_code_1_and_one_to_come_0(run) -> None:
    late = check(run, noodles.make(published=False, by=datetime(2020, 1, 1, tzinfo=UTC)), *VKEYS)
    assert (late.exit_code, late.output.startswith("Overdue: ")) == (1, True)
    early = check(run, noodles.make(published=False, by=datetime(9000, 1, 1, tzinfo=UTC)), *VKEYS)
    assert (early.exit_code, early.output.startswith("It holds so far: ")) == (0, True)


def test_what_nobody_signed_is_exit_code_1(run) -> None:
    done = check(run, noodles.make(published=False, with_promise=False), *VKEYS)
    assert (done.exit_code, "Nothing is proved" in done.output) == (1, True)


def test_steps_are_said_on_request(run) -> None:
    done = check(run, noodles.make(leave_out=("facts",)), "--steps", *VKEYS)
    assert "ok  proof: " in done.output
    assert "  - documents.facts: " in done.output


@pytest.mark.parametrize(
    ("words", "data", "said"),
    [
        (("-",), b"{}", "documents: this field is missing"),
        (("/nowhere/receipt.json",), b"", "No such file"),
        (("-", "--vkey", "x"), b"{}", "a key consists of"),
        (("-", "--vkey", noodles.COSIGNER.text), b"{}", "a witness's key"),
        ((), b"", "FILE"),
    ],
)
def test_what_cannot_be_read_is_exit_code_2(run, words: tuple[str, ...], data: bytes, said: str) -> None:
    done = run(*words, input=data)
    assert done.exit_code == 2
    assert said.lower() in " ".join(done.output.replace("│", " ").split()).lower()


def test_verify_alone_still_asks_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(app, ["verify", "--help"])
    assert "--prices" in done.output
    assert "receipt" in done.output
