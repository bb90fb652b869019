"""docs/pricing.md tells the truth: every example in it is priced as it says, and it leaves out no kind and no reason."""

import json
import re
from pathlib import Path

import pytest

from market.pricing import Kind, Reason
from market.pricing.document import check_document, parse_document

RULES = (Path(__file__).parents[4] / "docs" / "pricing.md").read_text()
DOCUMENTS = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", RULES, re.DOTALL)]
VECTORS = [vector for document in DOCUMENTS for vector in document["vectors"]]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["vectors"][0]["id"])
def test_an_example_comes_to_what_the_text_says(document):
    assert check_document(document) == []
    assert all("payable" in (vector.expect or {}) for vector in parse_document(document))


def test_an_example_with_a_wrong_price_would_be_seen():
    first = json.loads(json.dumps(DOCUMENTS[0]))
    first["vectors"][0]["expect"]["payable"] = 1520
    assert check_document(first) == ["noodle-shop quote.payable: expected 1520, found 1540"]


def test_every_kind_has_an_example_and_every_reason_its_row():
    kinds = {(offer["stage"], offer["kind"]) for vector in VECTORS for offer in vector["offers"]}
    assert {kind for _, kind in kinds} == {kind.value for kind in Kind}
    assert {("line", "percent_off"), ("order", "percent_off"), ("subsidy", "percent_off")} <= kinds
    table = RULES.partition("## 10.")[2].partition("```")[0]
    assert set(re.findall(r"`([A-Z_]+)`", table)) == {reason.value for reason in Reason}


def test_examples_have_names_of_their_own():
    names = [vector["id"] for vector in VECTORS]
    assert len(names) == len(set(names)) > 20
