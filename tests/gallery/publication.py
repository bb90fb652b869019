"""Samples of how merchants are published: the officer's page, and a batch on the public record."""

from datetime import date

from api.pages import views as v
from api.pages.views.publication import DeskPublication, PublicationRow, PublicationStep
from tests.gallery.frame import TODAY, Sample, amounts
from tests.gallery.record import entry

SINCE = date(2026, 11, 1)
NEXT = date(2026, 12, 1)
FEW = PublicationStep(publication="batched", from_on=SINCE, reason="few", who=None)
MANY = PublicationStep(publication="row", from_on=SINCE, reason="sales", who=None)
CHOSEN = PublicationStep(publication="batched", from_on=date(2026, 11, 21), reason="chosen", who="陈淑芬")


def row(
    code: str,
    name: str,
    category: str,
    now: PublicationStep | None,
    sales: int,
    percent: int,
    coming: PublicationStep | None = None,
) -> PublicationRow:
    return PublicationRow(
        code=code,
        name=name,
        category=category,
        now=now,
        coming=coming,
        is_chosen=(coming or now) is CHOSEN,
        is_sensitive=category == "pharmacy",
        sales_count=sales,
        in_company_percent=percent,
    )


ROWS = (
    row("m_0000", "惠民超市", "market", MANY, 4_212, 97),
    row("m_0001", "老周餐饮", "food", MANY, 2_780, 94, CHOSEN),
    row(
        "m_0002",
        "康宁医药",
        "pharmacy",
        PublicationStep(publication="batched", from_on=SINCE, reason="sensitive", who=None),
        902,
        41,
    ),
    row(
        "m_0003",
        "晨光图书",
        "books",
        FEW,
        220,
        18,
        PublicationStep(publication="row", from_on=NEXT, reason="sales", who=None),
    ),
    row(
        "m_0004",
        "麦香坊烘焙",
        "bakery",
        PublicationStep(publication="batched", from_on=TODAY, reason="new", who=None),
        0,
        0,
    ),
    row("m_0005", "工人文化宫羽毛球馆", "fitness", None, 88, 5),
)
PAGE = DeskPublication(shown="all", counts={"all": 6, "row": 3, "batched": 3, "chosen": 1}, rows=ROWS, error=None)
NONE = DeskPublication(shown="chosen", counts={"all": 6, "row": 3, "batched": 3, "chosen": 0}, rows=(), error=None)
REFUSED = DeskPublication(
    shown="all", counts=PAGE.counts, rows=ROWS, error="这家商户已经由干部定为成批公布，不用再定。"
)

PUBLICATION: tuple[Sample, ...] = (
    Sample("publication", "desk/publication.html", PAGE, "officer", "/desk/publication"),
    Sample("publication-none", "desk/publication.html", NONE, "officer", "/desk/publication?shown=chosen"),
    Sample("publication-refused", "desk/publication.html", REFUSED, "officer", "/desk/publication", status=409),
    Sample(
        "record-entry-batch",
        "record/entry.html",
        entry(
            kind="batch",
            merchant="康宁医药",
            merchant_code="m_0002",
            count=17,
            amounts=amounts(96_660, 4500, 1000),
            offers=(v.OfferShare(offer_id="CARE5", version=2, borne_fen=4100),),
            transfers=(v.TransferShown(debit="budget:b_12", credit="payable:m_0002", amount_fen=1000),),
            returns=(),
            fields=(
                v.FieldShown(label="没有分列的优惠", name="other_offers", values=(), fen=400),
                v.FieldShown(
                    label="这一批的总指纹（RFC 6962 根哈希）",
                    name="root",
                    values=("n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",),
                    is_code=True,
                ),
            ),
        ),
        None,
        "/record/entries/8f1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f",
    ),
)
