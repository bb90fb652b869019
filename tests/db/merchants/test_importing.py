"""Importing merchants with their shops: one row per shop."""

import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

import merchants
from market.kit.database import transaction
from market.kit.errors import DomainError
from merchants.importing import import_merchants

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
HEADER = "商户代码,商户名称,统一社会信用代码,类别,门店代码,门店名称,地址,收银方式"


def read(*lines, encoding="gb18030"):
    data = "\n".join([HEADER, *lines]).encode(encoding)
    with transaction() as tx:
        return import_merchants(tx, file=io.BytesIO(data), at=NOON)


def counts(result):
    return result.rows_read, result.added, result.changed, result.same, result.refused


def snapshot():
    with transaction() as tx:
        return [tx.execute(text(f"SELECT xmin, * FROM {table} ORDER BY id")).all() for table in ("merchant", "shop")]


def test_merchants_and_shops_go_in_once(market, credit_code):
    lines = (
        f"m_0005,理发店,{credit_code(5)},life,s_0051,理发一店,五街,",
        f"m_0005,理发店,{credit_code(5)},life,s_0052,理发二店,六街,商品",
    )
    assert counts(read(*lines)) == (2, 2, 0, 0, 0)
    with transaction() as tx:
        places = {place.shop: (place.merchant, place.till) for place in merchants.list_shops(tx, category="life")}
    assert places == {"s_0051": ("m_0005", "amounts"), "s_0052": ("m_0005", "items")}
    before = snapshot()
    assert counts(read(*lines, encoding="utf-8-sig")) == (2, 0, 0, 2, 0)
    assert snapshot() == before


def test_what_differs_is_changed(market, credit_code):
    line = f"m_0002,东门粮油行,{credit_code(2)},grocery,s_0003,东门粮油,三街 3 号,流水"
    assert counts(read(line)) == (1, 0, 1, 0, 0)
    assert counts(read(line.replace("三街", "四街"))) == (1, 0, 1, 0, 0)
    with transaction() as tx:
        place = merchants.get_shop(tx, shop_id=market.rice_shop)
    assert (place.merchant_name, place.address, place.till) == ("东门粮油行", "四街 3 号", "register")


def test_wrong_rows_are_named_and_stop_no_right_row(market, credit_code):
    right = f"m_0006,书店,{credit_code(6)},books,s_0061,书店,七街,"
    lines = (
        right,
        right,
        right.replace("s_0061", "s_0062").replace("书店", "别名", 1),
        right.replace("s_0061", "s-62"),
        right.replace(credit_code(6), credit_code(6)[:-1] + "I").replace("s_0061", "s_0063"),
        right.replace(credit_code(6), "").replace("s_0061", "s_0063"),
        right.replace("七街,", "七街,扫码").replace("s_0061", "s_0064"),
        f"m_0007,冒名,{credit_code(1)},food,s_0071,冒名店,八街,",
        f"m_0001,兰州面馆,{credit_code(70)},food,s_0001,面馆一店,一街 1 号,",
        f"m_0008,占店,{credit_code(8)},food,s_0001,面馆一店,一街 1 号,",
        right.replace("s_0061", "s_0065"),
    )
    result = read(*lines)
    assert counts(result) == (11, 2, 0, 0, 9)
    assert [error.sentence("en") for error in result.errors] == [
        "row 3, shop_code: repeats row 2",
        "row 4, merchant_code: differs from row 2",
        "row 5, shop_code: is not of the expected form",
        "row 6, credit_code: check digit wrong",
        "row 7, credit_code: is empty",
        "row 8, till: not one of the values allowed",
        "row 9, credit_code: is registered under another number",
        "row 10, credit_code: is registered under another number",
        "row 11, shop_code: repeats row 10",
    ]
    with transaction() as tx:
        assert {merchant.merchant for merchant in merchants.list_merchants(tx)} == {"m_0001", "m_0002", "m_0006"}


def test_another_merchants_shop_is_not_taken_over(market, credit_code):
    result = read(f"m_0008,占店,{credit_code(8)},food,s_0001,面馆一店,一街 1 号,")
    assert [error.sentence("en") for error in result.errors] == ["row 2, shop_code: is registered under another number"]
    with transaction() as tx:
        assert merchants.get_shop(tx, shop_id=market.canteen).merchant == "m_0001"
        assert len(merchants.list_merchants(tx)) == 2


def test_a_file_that_is_none_is_one_error(market):
    with pytest.raises(DomainError) as refusal, transaction() as tx:
        import_merchants(tx, file=io.BytesIO(b"a,b\n1,2\n"), at=NOON)
    assert refusal.value.code == "FILE_COLUMNS"
