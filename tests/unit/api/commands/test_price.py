"""`huigong price` as a person or another program meets it: standard output, standard error, exit codes."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from api.commands.price import price

EXAMPLES = str(Path(__file__).parents[3] / "examples" / "pricing.json")


@pytest.fixture
def run():
    cli = typer.Typer()
    cli.command("price")(price)
    return lambda *words, **more: CliRunner().invoke(cli, list(words), **more)


def test_the_examples_check(run):
    found = run("--check", EXAMPLES)
    assert (found.exit_code, found.stdout, found.stderr) == (0, "20 as expected\n", "")


def test_results_are_json_by_id(run):
    found = run(EXAMPLES, "--only", "S18,S01")
    results = json.loads(found.stdout)["results"]
    assert [result["id"] for result in results] == ["S01", "S18"]
    assert results[0]["quote"]["payable"] == 1540
    assert results[1]["refunds"][0]["steps"][2]["concession_back"] == 34


def test_a_document_may_come_by_standard_input(run):
    document = {
        "vectors": [vector for vector in json.loads(Path(EXAMPLES).read_text())["vectors"] if vector["id"] == "S17"]
    }
    assert json.loads(run("-", input=json.dumps(document)).stdout)["results"][0]["quote"]["payable"] == 9300


def test_a_difference_ends_with_1_and_is_told(run):
    document = json.loads(Path(EXAMPLES).read_text())
    document["vectors"][0]["expect"]["payable"] = 1520
    found = run("--check", "-", "--only", "S01", input=json.dumps(document))
    assert (found.exit_code, found.stdout) == (1, "S01 quote.payable: expected 1520, found 1540\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "$: is no JSON"),
        ("", "$: is no JSON"),
        ('{"vectors": [{"id": "A", "id": "B"}]}', "'id' stands twice"),
        ('{"vectors": [{"id": "A", "now": NaN}]}', "NaN is no number"),
        ("[" * 100_000, "$: is no JSON"),
        ('{"vectors": [{"id": "A", "now": 1' + "0" * 5000 + "}]}", "$: is no JSON"),
        ('{"vectors": 7}', "$.vectors: must be a list"),
        (
            '{"vectors": [{"id": "A\\nB", "now": "x\\ny", "channel": "shop", "basket": [], "offers": []}]}',
            "$.vectors[0].now",
        ),
        (
            '{"vectors": [{"id": "A", "a\\nb": 1, "now": "", "channel": "shop", "basket": [], "offers": []}]}',
            "is not a field",
        ),
    ],
)
def test_malformed_input_ends_with_2_one_line_and_no_output(run, text, told):
    found = run("-", input=text)
    assert (found.exit_code, found.stdout) == (2, "")
    assert told in found.stderr
    assert found.stderr.count("\n") == 1


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_malformed_too(run, tmp_path):
    (tmp_path / "latin").write_bytes(b'{"vectors": ["\xe4"]}')
    for name in ("latin", "nowhere"):
        found = run(str(tmp_path / name))
        assert (found.exit_code, found.stdout, found.stderr.count("\n")) == (2, "", 1)


def test_an_unknown_case_and_a_kind_at_the_wrong_stage_are_told(run):
    assert "has no case S99" in run(EXAMPLES, "--only", "S99").stderr
    document = json.loads(Path(EXAMPLES).read_text())
    document["vectors"][2]["offers"][0]["stage"] = "order"
    found = run("-", "--only", "S03", input=json.dumps(document))
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith("huigong price: $.vectors[2].offers[0].kind: ")
    assert "buy_x_get_y" in found.stderr
