"""The unified social credit code of a business."""

import pytest

from merchants.operations import CreditCodeWrongError, read_credit_code

RIGHT = "91110000600037341L"


@pytest.mark.parametrize("text", [RIGHT, RIGHT.lower(), "9 1 110000 600037341L", " 91110000-600037341L "])
def test_a_right_code_is_read_in_one_spelling(text):
    assert read_credit_code(text) == RIGHT


@pytest.mark.parametrize(
    "text", ["", "9111000060003734", RIGHT[:-1] + "M", RIGHT.replace("6", "5", 1), "A" + RIGHT[1:], "I" * 18]
)
def test_a_wrong_code_is_refused(text):
    with pytest.raises(CreditCodeWrongError) as refusal:
        read_credit_code(text)
    assert refusal.value.code == "CREDIT_CODE_WRONG"
    assert refusal.value.sentence("zh-CN").endswith("。")
