"""Pictures of products: put in, ordered, taken out, brought back; and never another merchant's."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

import merchants
from market.kit.database import transaction
from market.kit.errors import DomainError
from merchants import DrawnPicture, ProductTerms, VariantTerms
from merchants.models import Picture
from tests.db.merchants.conftest import NOON


def do(act, **values):
    with transaction() as tx:
        return act(tx, **values)


def refused(act, **values):
    with pytest.raises(DomainError) as refusal, transaction() as tx:
        act(tx, **values)
    return refusal.value.code


def drawn(number):
    return DrawnPicture(bytes([number]) * 32, 800, 600, b"large" + bytes([number]), b"small" + bytes([number]))


@pytest.fixture
def cup(market):
    """What names the product in every call: its merchant and its code."""
    terms = ProductTerms("保温杯", "kitchen", [VariantTerms("cup", "", 59_00)])
    do(merchants.add_product, merchant_id=market.rice, code="cup", terms=terms, at=NOON)
    return {"merchant_id": market.rice, "code": "cup"}


def shown(cup):
    return list(do(merchants.get_own_product, **cup).pictures)


def test_pictures_stand_in_the_order_in_which_they_came_and_can_be_moved(cup):
    a, b, c = (do(merchants.add_picture, **cup, drawn=drawn(number)) for number in range(3))
    assert shown(cup) == [a, b, c]
    do(merchants.move_picture, **cup, picture_id=c, direction="first")
    assert shown(cup) == [c, a, b]
    do(merchants.move_picture, **cup, picture_id=b, direction="earlier")
    do(merchants.move_picture, **cup, picture_id=c, direction="earlier")
    assert shown(cup) == [c, b, a]
    do(merchants.move_picture, **cup, picture_id=c, direction="later")
    do(merchants.move_picture, **cup, picture_id=a, direction="later")
    assert shown(cup) == [b, c, a]
    (row,) = do(merchants.list_own_products, merchant_id=cup["merchant_id"])
    assert row.picture == b


def test_a_removed_picture_comes_back_within_a_day_and_is_gone_after(cup):
    a, b = (do(merchants.add_picture, **cup, drawn=drawn(number)) for number in range(2))
    do(merchants.remove_picture, **cup, picture_id=a, at=NOON)
    assert shown(cup) == [b]
    assert do(merchants.get_picture_bytes, picture_id=a, size="small") == b"small\x00"
    do(merchants.restore_picture, **cup, picture_id=a)
    assert shown(cup) == [a, b]
    do(merchants.remove_picture, **cup, picture_id=a, at=NOON)
    assert do(merchants.prune_pictures, at=NOON + timedelta(hours=24)) == 0
    assert do(merchants.prune_pictures, at=NOON + timedelta(hours=24, seconds=1)) == 1
    assert refused(merchants.restore_picture, **cup, picture_id=a) == "PICTURE_UNKNOWN"
    assert refused(merchants.get_picture_bytes, picture_id=a, size="large") == "PICTURE_UNKNOWN"
    assert shown(cup) == [b]


def test_the_same_file_twice_is_one_picture(cup):
    a = do(merchants.add_picture, **cup, drawn=drawn(1))
    assert do(merchants.add_picture, **cup, drawn=drawn(1)) == a
    do(merchants.remove_picture, **cup, picture_id=a, at=NOON)
    assert do(merchants.add_picture, **cup, drawn=drawn(1)) == a
    assert shown(cup) == [a]
    assert do(lambda tx: tx.scalar(select(func.count()).select_from(Picture))) == 1


def test_an_album_is_full_with_eight(cup):
    first = [do(merchants.add_picture, **cup, drawn=drawn(number)) for number in range(8)]
    assert refused(merchants.add_picture, **cup, drawn=drawn(9)) == "PICTURES_FULL"
    do(merchants.remove_picture, **cup, picture_id=first[0], at=NOON)
    do(merchants.add_picture, **cup, drawn=drawn(9))
    assert refused(merchants.restore_picture, **cup, picture_id=first[0]) == "PICTURES_FULL"


def test_nobody_touches_another_merchants_pictures(cup, market):
    picture = do(merchants.add_picture, **cup, drawn=drawn(1))
    terms = ProductTerms("碗", "kitchen", [VariantTerms("bowl", "", 9_00)])
    do(merchants.add_product, merchant_id=market.noodles, code="bowl", terms=terms, at=NOON)
    other, own = {"merchant_id": market.noodles, "code": "cup"}, {"merchant_id": market.noodles, "code": "bowl"}
    assert refused(merchants.add_picture, **other, drawn=drawn(2)) == "PRODUCT_UNKNOWN"
    for act, more in (
        (merchants.remove_picture, {"at": NOON}),
        (merchants.restore_picture, {}),
        (merchants.move_picture, {"direction": "first"}),
    ):
        assert refused(act, **other, picture_id=picture, **more) == "PRODUCT_UNKNOWN"
        assert refused(act, **own, picture_id=picture, **more) == "PICTURE_UNKNOWN"
        assert refused(act, **cup, picture_id=uuid4(), **more) == "PICTURE_UNKNOWN"
    assert shown(cup) == [picture]
