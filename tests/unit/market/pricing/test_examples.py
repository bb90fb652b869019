import json
from pathlib import Path

import pytest

from market.pricing.document import check_document, price_document

EXAMPLES = json.loads((Path(__file__).parents[3] / "examples" / "pricing.json").read_text())
PRICED = [vector["id"] for vector in EXAMPLES["vectors"]]


@pytest.mark.parametrize("name", PRICED)
def test_the_example_comes_out_as_it_says(name):
    assert check_document(EXAMPLES, only=[name]) == []


@pytest.mark.parametrize("name", PRICED)
def test_a_changed_expectation_is_told(name):
    (vector,) = [dict(vector) for vector in EXAMPLES["vectors"] if vector["id"] == name]
    vector["expect"] = {**vector["expect"], "payable": vector["expect"]["payable"] + 1}
    (difference,) = check_document({"vectors": [vector]})
    assert difference.startswith(f"{name} quote.payable: expected")


def test_the_same_document_gives_the_same_bytes():
    first, second = (json.dumps(price_document(EXAMPLES, only=PRICED)) for _ in range(2))
    assert first == second
