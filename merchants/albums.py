"""The pictures of a merchant's products: put in, ordered, taken out and brought back. Bytes are asked for one picture at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, cast
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, NotFoundError
from market.kit.ids import new_id
from merchants.models import Picture, Product
from merchants.pictures import DrawnPicture
from merchants.products import ProductUnknownError

MOST_PICTURES: Final = 8
KEPT: Final = timedelta(days=1)  # how long a removed picture can be brought back

PictureSize = Literal["large", "small"]
Direction = Literal["first", "earlier", "later"]


class PictureUnknownError(NotFoundError):
    """No such picture, or another merchant's."""

    code = "PICTURE_UNKNOWN"
    zh = "没有这张图片，可能已经删除。请刷新页面再看。"
    en = "There is no such picture; it may have been removed. Reload the page."


class PicturesFullError(ConflictError):
    """The product has as many pictures as a product may have."""

    code = "PICTURES_FULL"
    zh = "一件商品最多 {most} 张图片。先删掉一张再传。"
    en = "A product has {most} pictures at most. Remove one first."


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A picture in its owner's form."""

    picture_id: UUID
    width: int
    height: int


def add_picture(tx: Session, *, merchant_id: UUID, code: str, drawn: DrawnPicture) -> UUID:
    """Put a picture last in a product's album. The same file again is the same picture, brought back if it was removed.

    Raises ProductUnknownError, PicturesFullError.
    """
    product_id = _lock(tx, merchant_id, code)
    there = select(Picture.id, Picture.removed_at).where(
        Picture.product_id == product_id, Picture.sha256 == drawn.sha256
    )
    known = tx.execute(there).one_or_none()
    if known is not None and known.removed_at is None:
        return cast("UUID", known.id)
    shown = tx.scalars(_shown(product_id)).all()
    if len(shown) >= MOST_PICTURES:
        raise PicturesFullError(most=MOST_PICTURES)
    last = tx.scalar(select(func.max(Picture.position)).where(Picture.product_id == product_id))
    position = 0 if last is None else last + 1
    if known is not None:
        tx.execute(update(Picture).where(Picture.id == known.id).values(removed_at=None, position=position))
        return cast("UUID", known.id)
    picture_id = new_id()
    row = {"id": picture_id, "product_id": product_id, "position": position, "removed_at": None}
    columns = ("width", "height", "sha256", "large", "small")
    tx.execute(insert(Picture).values(row | {name: getattr(drawn, name) for name in columns}))
    return picture_id


def remove_picture(tx: Session, *, merchant_id: UUID, code: str, picture_id: UUID, at: datetime) -> None:
    """Take a picture out; for a day it can be brought back. Raises ProductUnknownError, PictureUnknownError."""
    _set_removed(tx, _lock(tx, merchant_id, code), picture_id, at)


def restore_picture(tx: Session, *, merchant_id: UUID, code: str, picture_id: UUID) -> None:
    """Bring a removed picture back to where it was. Raises ProductUnknownError, PictureUnknownError, PicturesFullError."""
    product_id = _lock(tx, merchant_id, code)
    shown = tx.scalars(_shown(product_id)).all()
    if picture_id not in shown and len(shown) >= MOST_PICTURES:
        raise PicturesFullError(most=MOST_PICTURES)
    _set_removed(tx, product_id, picture_id, None)


def move_picture(tx: Session, *, merchant_id: UUID, code: str, picture_id: UUID, direction: Direction) -> None:
    """Move a picture to the front, or one place; at the end of the row it stays. Raises ProductUnknownError, PictureUnknownError."""
    product_id = _lock(tx, merchant_id, code)
    order = list(tx.scalars(_shown(product_id)))
    if picture_id not in order:
        raise PictureUnknownError
    place = order.index(picture_id)
    order.remove(picture_id)
    order.insert({"first": 0, "earlier": max(0, place - 1), "later": place + 1}[direction], picture_id)
    for position, each in enumerate(order):
        tx.execute(update(Picture).where(Picture.id == each).values(position=position))


def list_pictures(tx: Session, *, product_id: UUID) -> list[PictureRow]:
    """A product's pictures in order, without their bytes."""
    rows = select(Picture.id, Picture.width, Picture.height)
    rows = rows.where(Picture.product_id == product_id, Picture.removed_at.is_(None))
    return [PictureRow(*row) for row in tx.execute(rows.order_by(Picture.position, Picture.id))]


def get_picture_bytes(tx: Session, *, picture_id: UUID, size: PictureSize) -> bytes:
    """The WebP of a picture; of a removed one too, as long as it is kept. Raises PictureUnknownError."""
    column = Picture.large if size == "large" else Picture.small
    found = tx.scalar(select(column).where(Picture.id == picture_id))
    if found is None:
        raise PictureUnknownError
    return found


def prune_pictures(tx: Session, *, at: datetime) -> int:
    """Delete what was removed more than a day ago; how many."""
    gone = delete(Picture).where(Picture.removed_at < at - KEPT).returning(Picture.id)
    return len(tx.scalars(gone).all())


def _lock(tx: Session, merchant_id: UUID, code: str) -> UUID:
    """The merchant's product, locked: its album is changed by one at a time. Raises ProductUnknownError."""
    own = select(Product.id).where(Product.merchant_id == merchant_id, Product.code == code).with_for_update()
    product_id = tx.scalar(own)
    if product_id is None:
        raise ProductUnknownError
    return product_id


def _shown(product_id: UUID) -> Select[UUID]:
    return (
        select(Picture.id)
        .where(Picture.product_id == product_id, Picture.removed_at.is_(None))
        .order_by(Picture.position, Picture.id)
    )


def _set_removed(tx: Session, product_id: UUID, picture_id: UUID, at: datetime | None) -> None:
    own = update(Picture).where(Picture.product_id == product_id, Picture.id == picture_id)
    if tx.scalar(own.values(removed_at=at).returning(Picture.id)) is None:
        raise PictureUnknownError
