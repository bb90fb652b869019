"""Files of products that owners send: kept until the owner has seen what a file would do, then entered as it was shown, once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, undefer

from market.kit.errors import ConflictError, NotFoundError
from market.kit.ids import new_id
from merchants.models import ProductFile
from merchants.product_import import FileResult, import_products

KEPT: Final = timedelta(days=7)


class ProductFileUnknownError(NotFoundError):
    """No such file of this merchant; it may be too old."""

    code = "PRODUCT_FILE_UNKNOWN"
    zh = "没有找到这个文件，可能已经过期。请重新选择文件。"
    en = "This file was not found; it may have expired. Choose it again."


class ProductFileEnteredError(ConflictError):
    """The file was entered already."""

    code = "PRODUCT_FILE_ENTERED"
    zh = "这个文件已经录入过了。要再改，请传一个新的文件。"
    en = "This file has been entered already. To change more, send a new file."


class ProductFileChangedError(ConflictError):
    """What the file would do is no longer what was shown."""

    code = "PRODUCT_FILE_CHANGED"
    zh = "看过预览以后，商品又有改动。请重新看一遍预览再录入。"
    en = "Products have changed since you saw the preview. Look at it again and enter it then."


def keep_file(tx: Session, *, merchant_id: UUID, name: str, content: bytes, by: UUID, at: datetime) -> UUID:
    """Keep a file until its owner has seen what it would do; older ones of his that have had their week go."""
    old = (ProductFile.merchant_id == merchant_id) & (ProductFile.sent_at < at - KEPT)
    tx.execute(delete(ProductFile).where(old))
    row = {"id": new_id(), "merchant_id": merchant_id, "name": name[:120], "content": content}
    file_id: UUID = tx.scalars(
        insert(ProductFile).values(row | {"sent_by": by, "sent_at": at}).returning(ProductFile.id)
    ).one()
    return file_id


def get_file(tx: Session, *, merchant_id: UUID, file_id: UUID) -> ProductFile:
    """A file of this merchant with its content, locked. Raises ProductFileUnknownError."""
    own = select(ProductFile).where(ProductFile.id == file_id, ProductFile.merchant_id == merchant_id)
    found = tx.scalars(own.options(undefer(ProductFile.content)).with_for_update()).one_or_none()
    if found is None:
        raise ProductFileUnknownError
    return found


def enter_file(
    tx: Session,
    *,
    merchant_id: UUID,
    file_id: UUID,
    categories: Mapping[str, str],
    seen: Mapping[str, int],
    at: datetime,
) -> FileResult:
    """Enter a kept file: its right products, as `seen` in the preview (the counts of rows by kind).

    Raises ProductFileUnknownError, ProductFileEnteredError, and ProductFileChangedError when it would do something else by now.
    """
    file = get_file(tx, merchant_id=merchant_id, file_id=file_id)
    if file.entered_at is not None:
        raise ProductFileEnteredError
    result = import_products(tx, merchant_id=merchant_id, content=file.content, categories=categories, at=at)
    if result.counts() != dict(seen):
        raise ProductFileChangedError
    done = update(ProductFile).where(ProductFile.id == file_id).values(entered_at=at, result=result.counts())
    tx.execute(done)
    return result


def preview_products(
    tx: Session, *, merchant_id: UUID, content: bytes, categories: Mapping[str, str], at: datetime
) -> FileResult:
    """What a file would do: it is done and undone. Raises the errors of `market.kit.csv_file` and `market.kit.workbook`."""
    with tx.begin_nested() as all_of_it:
        result = import_products(tx, merchant_id=merchant_id, content=content, categories=categories, at=at)
        all_of_it.rollback()
    return result
