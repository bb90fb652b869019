"""The pictures of an owner's products: sent, moved, removed, brought back. What is sent is looked at before anything is stored."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Path, Request, Response
from starlette.datastructures import UploadFile

import merchants
from api.access import Doors, Fields, Who
from api.door import see_other
from api.routes.merchant import own_merchant
from api.routes.merchant_products import ProductCode, show_refused
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import ConflictError, InvalidError
from merchants.albums import Direction
from merchants.pictures import MOST_BYTES, PictureKindError

doors = Doors(prefix="/merchant/products/{code}/pictures", include_in_schema=False)

PictureId = Annotated[UUID, Path()]


@doors.post("")
def add(request: Request, who: Who, code: ProductCode, fields: Fields) -> Response:
    """Put pictures into the album, each drawn anew; the first that is refused is named, those before it stay."""
    try:
        with transaction() as tx:
            own = own_merchant(tx, who).merchant_id
            merchants.get_own_product(tx, merchant_id=own, code=code)
        sent = [each for each in fields.getlist("picture") if isinstance(each, UploadFile) and each.size]
        if not sent:
            raise PictureKindError
        for file in sent:
            drawn = merchants.draw_picture(file.file.read(MOST_BYTES + 1))
            with transaction() as tx:
                merchants.add_picture(tx, merchant_id=own, code=code, drawn=drawn)
    except (ConflictError, InvalidError) as refusal:
        return show_refused(request, who, code, refusal)
    return see_other(request, f"/merchant/products/{code}#pictures", notice="picture_added")


@doors.post("/{picture}/move")
def move(
    request: Request, who: Who, code: ProductCode, picture: PictureId, to: Annotated[Direction, Form()]
) -> Response:
    """Move a picture to the front, or one place."""
    with transaction() as tx:
        own = own_merchant(tx, who).merchant_id
        merchants.move_picture(tx, merchant_id=own, code=code, picture_id=picture, direction=to)
    return see_other(request, f"/merchant/products/{code}#pictures")


@doors.post("/{picture}/remove")
def remove(request: Request, who: Who, code: ProductCode, picture: PictureId) -> Response:
    """Take a picture out; the page then offers to bring it back."""
    with transaction() as tx:
        own = own_merchant(tx, who).merchant_id
        merchants.remove_picture(tx, merchant_id=own, code=code, picture_id=picture, at=now())
    return see_other(request, f"/merchant/products/{code}?removed={picture}#pictures")


@doors.post("/{picture}/restore")
def restore(request: Request, who: Who, code: ProductCode, picture: PictureId) -> Response:
    """Bring a removed picture back."""
    try:
        with transaction() as tx:
            own = own_merchant(tx, who).merchant_id
            merchants.restore_picture(tx, merchant_id=own, code=code, picture_id=picture)
    except ConflictError as refusal:
        return show_refused(request, who, code, refusal)
    return see_other(request, f"/merchant/products/{code}#pictures", notice="picture_restored")
