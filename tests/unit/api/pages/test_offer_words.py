"""What an offer says of where, on what and from whose money, for the owner who signs it and for the public."""

import pytest

from api.pages.offer_words import name_box, say_where

TERMS = {
    "id": "X",
    "version": 1,
    "stage": "line",
    "kind": "bundle",
    "price": 1800,
    "components": [{"match": {"skus": ["beef"]}, "qty": 1}, {"match": {"categories": ["food", "odd"]}, "qty": 2}],
    "match": {"any": True, "exclude_skus": ["egg"], "merchants": ["m1"], "shops": ["s1"]},
    "channels": ["shop"],
    "sponsor": "xg",
    "sponsor_share_bp": 5000,
    "budgets": ["budget:lunch"],
    "on_shortage": "partial",
    "group": "meal",
}
NAMES = {"m1": "老周餐饮", "s1": "老周面馆", "beef": "牛肉面", "egg": "卤蛋", "budget:lunch": "职工餐补"}


def test_everything_but_the_amount_and_the_gates_is_said() -> None:
    assert say_where(TERMS, "zh-CN", NAMES) == (
        "全部商品",
        "组合：牛肉面 × 1、餐饮/odd × 2",
        "除外商品：卤蛋",
        "商户：老周餐饮",
        "门店：老周面馆",
        "渠道：到店",
        "哪级工会出钱：xg",
        "工会出多少：50%",
        "预算：职工餐补",
        "预算不够时：剩多少补多少",
        "互斥组：meal",
    )
    assert say_where(TERMS, "en", NAMES)[:3] == (
        "everything sold there",
        "Set: 牛肉面 × 1, Food/odd × 2",
        "Excluded items: 卤蛋",
    )


@pytest.mark.parametrize("match", [{"skus": ["beef"]}, {"categories": ["food"]}])
def test_named_items_are_not_everything(match: dict[str, list[str]]) -> None:
    (only,) = say_where({**TERMS, "components": None, "match": match} | {"budgets": []}, "zh-CN", NAMES)[:1]
    assert only in {"商品：牛肉面", "类别：餐饮"}


def test_boxes_are_called_what_the_form_calls_them() -> None:
    assert name_box("rate", "zh-CN") == "比例"
    assert name_box("merchant", "en") == "Merchants"
    assert name_box("unheard-of", "en") == "unheard-of"
