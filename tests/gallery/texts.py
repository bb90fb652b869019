"""Entries with the text that stands beside them, and one whose text was removed."""

from datetime import date

from api.pages import views as v
from tests.gallery.frame import Sample
from tests.gallery.record import bare_entry

HASH = "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="
ENTRY_JSON = (
    '{"action":"changed","day":"2026-11-26","id":"5555","merchant":"m_0042","text":"'
    + HASH
    + '","type":"merchant","v":1}'
)
OFFER_JSON = (
    '{"day":"2026-11-26","id":"4444","limits":{},"signed":["m_0042"],"terms":{},"text":"'
    + HASH
    + '","type":"offer","v":1}'
)
HASHED = v.FieldShown(label="旁边文字的指纹", name="text", values=(HASH,), is_code=True)

TEXTS: tuple[Sample, ...] = (
    Sample(
        "record-entry-renamed",
        "record/entry.html",
        bare_entry(
            kind="merchant",
            merchant="老周餐饮",
            merchant_code="m_0042",
            fields=(v.FieldShown(label="动作", name="action", values=("变更",)), HASHED),
            text=v.TextShown(
                fields=(
                    v.FieldShown(label="名称", name="name", values=("临江市老周餐饮管理有限责任公司（炼钢路店）",)),
                    v.FieldShown(label="统一社会信用代码", name="credit_code", values=("91110108551385082Q",)),
                ),
                salt="MjzqThN1mVxGdQJkmf8bQm3hJ2gq8vK0pY5tX1cZ7uA=",
                removed_on=None,
            ),
            entry_json=ENTRY_JSON,
        ),
        None,
        "/record/entries/5555",
    ),
    Sample(
        "record-entry-text-removed",
        "record/entry.html",
        bare_entry(
            kind="offer",
            fields=(HASHED,),
            text=v.TextShown(fields=(), salt="", removed_on=date(2026, 11, 20)),
            entry_json=OFFER_JSON,
        ),
        None,
        "/record/entries/4444",
    ),
)
