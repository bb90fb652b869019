"""Products by file: effects shown first, right products entered, wrong rows named by row and column, and out again."""

import csv
import io
from datetime import timedelta
from uuid import uuid4

import pytest
import xlsxwriter

import merchants
from market.kit.csv_file import PROBLEMS
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.workbook import write_workbook
from merchants import ProductTerms, VariantTerms
from merchants.product_rows import COLUMNS, HEADERS
from tests.db.merchants.conftest import NOON, OFFICER

LATER = NOON + timedelta(hours=1)
WORDS = {"家用电器": "appliance", "appliance": "appliance", "厨房": "kitchen", "kitchen": "kitchen"}
HEAD = "商品编码,名称,类别,货号,规格,标价,自提点,状态"
COOKER = "rc5,电饭煲,家用电器,rc5-w,白色,199,东门,上架\nrc5,,,rc5-b,黑色,219.50,,\n"


def do(act, **values):
    with transaction() as tx:
        return act(tx, **values)


def refused(act, **values):
    with pytest.raises(DomainError) as refusal, transaction() as tx:
        act(tx, **values)
    return refusal.value.code


@pytest.fixture
def rice(market):
    do(merchants.add_point, code="east", name="东门", address="", by=OFFICER, at=NOON)
    return market.rice


def load(rice, text, act=merchants.import_products, at=NOON):
    content = text if isinstance(text, bytes) else f"{HEAD}\n{text}".encode()
    return do(act, merchant_id=rice, content=content, categories=WORDS, at=at)


def wrong(result):
    return [(error.row, error.column, error.problem) for error in result.errors]


def read(rice, code="rc5"):
    return do(merchants.get_own_product, merchant_id=rice, code=code)


def test_a_file_adds_products_with_their_variants(rice):
    result = load(rice, COOKER)
    assert (result.counts(), result.errors) == ({"added": 2, "changed": 0, "same": 0, "refused": 0}, ())
    product = read(rice)
    assert (product.name, product.category, product.state) == ("电饭煲", "appliance", "listed")
    assert [(each.sku, each.variant, each.price_fen) for each in product.variants] == [
        ("rc5-w", "白色", 199_00),
        ("rc5-b", "黑色", 219_50),
    ]
    assert [point.code for point in product.points] == ["east"]


def test_the_same_file_twice_changes_nothing(rice):
    load(rice, COOKER)
    assert load(rice, COOKER, at=LATER).counts() == {"added": 0, "changed": 0, "same": 2, "refused": 0}
    assert len(do(merchants.list_prices, item_ids=[each.item_id for each in read(rice).variants])) == 2


def test_a_preview_says_what_would_be_and_does_nothing(rice):
    load(rice, COOKER)
    text = COOKER.replace("199", "189").replace("电饭煲", "智能电饭煲") + "cup,保温杯,厨房,cup,,59,east,\n"
    result = load(rice, text, merchants.preview_products, at=LATER)
    assert [(effect.row, effect.kind) for effect in result.effects] == [(2, "changed"), (3, "same"), (4, "added")]
    assert [(change.column, change.before, change.after) for change in result.effects[0].changes] == [
        ("name", "电饭煲", "智能电饭煲"),
        ("price", "199.00", "189.00"),
    ]
    assert read(rice).name == "电饭煲"
    assert do(merchants.find_product, merchant="m_0002", code="cup") is None
    assert load(rice, text, at=LATER).counts() == result.counts()
    assert (read(rice).name, read(rice).price_fen, read(rice, "cup").state) == ("智能电饭煲", 189_00, "draft")


def test_columns_that_a_file_does_not_have_say_nothing(rice):
    load(rice, COOKER)
    result = load(rice, "商品编码,名称,类别,货号,标价\nrc5,电饭煲,appliance,rc5-b,200\n".encode("gb18030"), at=LATER)
    assert result.counts()["changed"] == 1
    product = read(rice)
    assert (product.state, len(product.variants), len(product.points)) == ("listed", 2, 1)
    assert [each.price_fen for each in product.variants] == [199_00, 200_00]
    assert product.variants[1].variant == "黑色"


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("", None),
        ("p,碗,厨房,p,,5,east,,多", ("row", "surplus")),
        (",碗,厨房,p,,5,east,", ("code", "missing")),
        ("p/1,碗,厨房,p,,5,east,", ("code", "format")),
        ("p,,厨房,p,,5,east,", ("name", "missing")),
        ("p," + "长" * 81 + ",厨房,p,,5,east,", ("name", "too_long")),
        ("p,碗,厨具,p,,5,east,", ("category", "unknown_word")),
        ("p,碗,厨房,,,5,east,", ("sku", "missing")),
        ("p,碗,厨房,-p,,5,east,", ("sku", "format")),
        ("p,碗,厨房,rc5-w,,5,east,", ("sku", "repeated")),
        ("p,碗,厨房,p,,,east,", ("price", "missing")),
        ("p,碗,厨房,p,,-5,east,", ("price", "format")),
        ("p,碗,厨房,p,,5.555,east,", ("price", "format")),
        ("p,碗,厨房,p,,1e9,east,", ("price", "format")),
        ("p,碗,厨房,p,,99999999,east,", ("price", "format")),
        ("p,碗,厨房,p,,5,南门,", ("points", "unknown_code")),
        ("p,碗,厨房,p,,5,east,卖", ("state", "unknown_word")),
        ("p,碗,厨房,p,,5,,上架", ("state", "not_ready")),
        ("p,=1+1,厨房,p,,5,east,", ("name", "formula")),
        ("p,碗,厨房,p,@SUM(A1),5,east,", ("variant", "formula")),
        ("p,碗,厨房,p,,=5,east,", ("price", "formula")),
        ("p,+碗,厨房,p,,5,east,", ("name", "formula")),
        ("p,碗,厨房,p1,大,5,east,\np,,,p2,大,5,,", ("variant", "taken")),
        ("p,碗,厨房,p1,大,5,east,\np,盘,,p2,小,5,,", ("name", "differs")),
    ],
)
def test_a_wrong_row_is_named_and_holds_back_no_other_product(rice, row, error):
    result = load(rice, f"{COOKER}{row}\n")
    assert [(column, problem) for _, column, problem in wrong(result)] == ([error] if error else [])
    assert result.counts()["added"] == 2
    assert do(merchants.find_product, merchant="m_0002", code="p") is None
    for found in result.errors:
        assert found.problem in PROBLEMS
        assert found.sentence("zh")


def test_one_wrong_row_holds_back_its_product(rice):
    result = load(rice, COOKER.replace("219.50", "x"))
    assert (wrong(result), result.counts()["refused"]) == ([(3, "price", "format")], 2)
    assert do(merchants.find_product, merchant="m_0002", code="rc5") is None


def test_a_code_of_something_else_is_refused(rice):
    do(merchants.add_item, merchant_id=rice, sku="rc5-b", name="碗", category="x", price_fen=1)
    assert wrong(load(rice, COOKER)) == [(3, "sku", "held")]


def test_a_sale_window_and_a_limit_are_read_in_the_works_own_time(rice):
    head = "商品编码,名称,类别,货号,标价,自提点,每人限购,开售时间,停售时间,限时抢购,交付方式,在售,说明"
    row = "f,锅,厨房,f,99,east,1,2026/12/1 20:00,2026-12-02,是,自提或送货,是,一口好锅"
    load(rice, f"{head}\n{row}\n".encode())
    product = read(rice, "f")
    assert (product.sale_from.isoformat(), product.sale_to.isoformat()) == (
        "2026-12-01T12:00:00+00:00",
        "2026-12-01T16:00:00+00:00",
    )
    assert (product.limit_per_member, product.is_flash, product.handover) == (1, True, "both")
    for old, new, column in (
        ("2026-12-02", "2026-11-02", "sale_to"),
        (",1,", ",,", "is_flash"),
        ("20:00", "25:00", "sale_from"),
    ):
        result = load(rice, f"{head}\n{row.replace(old, new)}\n".encode())
        assert wrong(result) == [(2, column, "format")]


def test_a_workbook_with_a_formula_names_its_cell(rice):
    body = io.BytesIO()
    with xlsxwriter.Workbook(body, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["商品编码", "名称", "类别", "货号", "标价"])
        sheet.write_row(1, 0, ["p", "碗", "厨房", "p"])
        sheet.write_formula(1, 4, "=2+3", value=5)
    assert wrong(load(rice, body.getvalue())) == [(2, "price", "formula")]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_goes_out_comes_back_the_same(rice, kind):
    load(rice, COOKER)
    terms = ProductTerms(
        "=SUM(A1)",
        "kitchen",
        [VariantTerms("odd", "+大", 0, is_sold=False), VariantTerms("odd2", "@小", 5)],
        description="- 一\n- 二",
        limit_per_member=3,
        sale_from=NOON.replace(minute=0),
        handover="both",
        points=("east",),
    )
    do(merchants.add_product, merchant_id=rice, code="odd", terms=terms, at=NOON)
    with transaction() as tx:
        rows = list(merchants.export_rows(tx, merchant_id=rice))
    assert all(not str(cell).startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    header = [HEADERS[column.name] for column in COLUMNS]
    if kind == "xlsx":
        content = write_workbook("商品", header, rows)
    else:
        body = io.StringIO()
        csv.writer(body).writerows([header, *rows])
        content = body.getvalue().encode("utf-8-sig")
    before = read(rice, "odd")
    assert load(rice, content, at=LATER).counts() == {"added": 0, "changed": 0, "same": 4, "refused": 0}
    assert read(rice, "odd") == before


# --- kept files -------------------------------------------------------------------------------------------------------


def test_a_kept_file_is_entered_once_as_it_was_shown(rice, market):
    own = {"merchant_id": rice}
    content = f"{HEAD}\n{COOKER}".encode()
    file_id = do(merchants.keep_file, **own, name="商品.csv", content=content, by=uuid4(), at=NOON)
    seen = load(rice, content, merchants.preview_products).counts()
    enter = {"file_id": file_id, "categories": WORDS, "at": LATER}
    assert refused(merchants.enter_file, **enter, merchant_id=market.noodles, seen=seen) == "PRODUCT_FILE_UNKNOWN"
    assert refused(merchants.enter_file, **enter, **own, seen=seen | {"added": 1}) == "PRODUCT_FILE_CHANGED"
    assert do(merchants.find_product, merchant="m_0002", code="rc5") is None
    assert do(merchants.enter_file, **enter, **own, seen=seen).counts() == seen
    assert refused(merchants.enter_file, **enter, **own, seen=seen) == "PRODUCT_FILE_ENTERED"


def test_a_kept_file_goes_after_a_week(rice):
    own = {"merchant_id": rice, "by": uuid4()}
    old = do(merchants.keep_file, **own, name="a", content=b"a", at=NOON)
    do(merchants.keep_file, **own, name="b", content=b"b", at=NOON + timedelta(days=7, seconds=1))
    assert refused(merchants.get_file, merchant_id=rice, file_id=old) == "PRODUCT_FILE_UNKNOWN"


def test_what_the_union_stopped_is_refused_by_its_row_and_the_rest_goes_in(rice):
    load(rice, COOKER)
    do(merchants.stop_product, product_id=read(rice).product_id, reason="标价不实", by=OFFICER, at=NOON)
    result = load(rice, COOKER + "pan,炒锅,厨房,pan-1,,89,东门,上架\n", at=LATER)
    assert wrong(result) == [(2, "state", "stopped")]
    assert result.counts() == {"added": 1, "changed": 0, "same": 0, "refused": 2}
    assert (read(rice).state, read(rice, "pan").state) == ("withdrawn", "listed")


def test_progress_is_told_in_rows(rice):
    told = []
    content = f"{HEAD}\n{COOKER}pan,炒锅,厨房,pan-1,,89,东门,上架\n".encode()
    do(
        merchants.import_products,
        merchant_id=rice,
        content=content,
        categories=WORDS,
        at=NOON,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(2, 3), (3, 3)]
