"""Reads of the merchants' room: the till of a sign-in, items to ring up, shops, staff."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Text, any_, bindparam, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from market.kit.errors import ForbiddenError
from market.sales.parties import Till
from merchants.models import Item, Merchant, Shop, Staff
from merchants.operations import MerchantUnknownError, ShopUnknownError


class TillUnknownError(ForbiddenError):
    """This sign-in belongs to no till: not on any staff, or an owner without a shop."""

    code = "TILL_UNKNOWN"
    zh = "这个账号没有收银台。请用门店店员账号登录。"
    en = "This account has no till. Sign in as an assistant of a shop."


class StaffLeftError(ForbiddenError):
    """The person is no longer on the staff."""

    code = "STAFF_LEFT"
    zh = "这个店员账号已停用。请联系店主。"
    en = "This staff account has ended. Ask the shop's owner."


class ShopClosedError(ForbiddenError):
    """The shop's till is closed."""

    code = "SHOP_CLOSED"
    zh = "本店收银已关闭。请联系店主重新开通。"
    en = "This shop's till is closed. Ask the owner to open it again."


class MerchantSuspendedError(ForbiddenError):
    """The merchant is suspended."""

    code = "MERCHANT_SUSPENDED"
    zh = "本商户已暂停合作，目前不能核销。请店主联系工会。"
    en = "This merchant is suspended and cannot redeem at present. The owner can ask the union."


@dataclass(frozen=True, slots=True)
class ItemPriced:
    """An item on sale with its list price in fen."""

    sku: str
    name: str
    category: str
    price_fen: int


@dataclass(frozen=True, slots=True)
class ShopPlace:
    """A shop with its merchant; codes are the public names, `category` the merchant's, `till` how it keys sales."""

    shop_id: UUID
    shop: str
    name: str
    address: str
    till: str
    state: str
    merchant_id: UUID
    merchant: str
    merchant_name: str
    category: str
    merchant_state: str


@dataclass(frozen=True, slots=True)
class StaffPerson:
    """Somebody on a merchant's staff; an owner has no shop."""

    staff_id: UUID
    merchant_id: UUID
    shop_id: UUID | None
    shop_name: str | None
    role: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class MerchantBusiness:
    """A business as its owner and the union's desks see it."""

    merchant_id: UUID
    merchant: str
    name: str
    credit_code: str
    category: str
    state: str
    admitted_at: datetime


def open_till(tx: Session, *, staff_id: UUID) -> Till:
    """The till of a sign-in, in good standing; one statement.

    First refusal that holds: TillUnknownError, StaffLeftError, MerchantSuspendedError, ShopClosedError.
    """
    found = tx.connection().execute(_TILL, {"staff_id": staff_id}).one_or_none()
    if found is None:
        raise TillUnknownError
    if found.staff_state != "active":
        raise StaffLeftError
    if found.merchant_state != "admitted":
        raise MerchantSuspendedError
    if found.shop_state != "open":
        raise ShopClosedError
    return Till(
        shop_id=found.shop_id,
        shop=found.shop,
        merchant=found.merchant,
        staff_id=staff_id,
        category=found.category,
        mode=found.till,
    )


def find_shop_id(tx: Session, *, staff_id: UUID) -> UUID | None:
    """The shop of an assistant, in whatever state; None for an owner and for nobody."""
    return tx.scalar(select(Staff.shop_id).where(Staff.id == staff_id))


def get_items(tx: Session, *, merchant: str, skus: Collection[str]) -> list[ItemPriced]:
    """Those of these items that a merchant's tills ring up (merchant by code), in no order; one statement."""
    return [ItemPriced(*row) for row in tx.execute(_ITEMS, {"merchant": merchant, "skus": list(skus)})]


def list_items(tx: Session, *, merchant: str) -> list[ItemPriced]:
    """All items that a merchant's tills ring up (merchant by code), by category and name.

    Variants of products are not among them: they are ordered, and their stock is counted there.
    """
    rows = tx.execute(_ITEM.where(Merchant.code == merchant).order_by(Item.category, Item.name, Item.sku))
    return [ItemPriced(*row) for row in rows]


def get_workplace(tx: Session, *, staff_id: UUID) -> ShopPlace:
    """The shop of an assistant, closed or not: what was sold there can be looked at. Raises TillUnknownError, StaffLeftError."""
    person = find_staff(tx, staff_id=staff_id)
    if person is None or person.shop_id is None:
        raise TillUnknownError
    if person.state != "active":
        raise StaffLeftError
    return get_shop(tx, shop_id=person.shop_id)


def get_shop(tx: Session, *, shop_id: UUID) -> ShopPlace:
    """A shop in whatever state. Raises ShopUnknownError."""
    found = tx.execute(_PLACE.where(Shop.id == shop_id)).one_or_none()
    if found is None:
        raise ShopUnknownError
    return ShopPlace(*found)


def get_shop_by_code(tx: Session, *, shop: str) -> ShopPlace:
    """A shop by its public code, in whatever state. Raises ShopUnknownError."""
    found = tx.execute(_PLACE.where(Shop.code == shop)).one_or_none()
    if found is None:
        raise ShopUnknownError
    return ShopPlace(*found)


def find_shops(tx: Session, *, shop_ids: Collection[UUID]) -> dict[UUID, ShopPlace]:
    """Those of these shops that exist, in whatever state."""
    return {row[0]: ShopPlace(*row) for row in tx.execute(_PLACE.where(Shop.id.in_(shop_ids)))} if shop_ids else {}


def owns_item(tx: Session, *, merchant_id: UUID, item_id: UUID) -> bool:
    """Whether the item is this merchant's, on sale or not."""
    return tx.scalar(select(Item.id).where(Item.id == item_id, Item.merchant_id == merchant_id)) is not None


def find_merchants(tx: Session, *, codes: Collection[str]) -> dict[str, MerchantBusiness]:
    """Those of these merchants (by code) that exist, in whatever state."""
    rows = tx.execute(_BUSINESS.where(Merchant.code.in_(codes))) if codes else ()
    return {row[1]: MerchantBusiness(*row) for row in rows}


def find_names(tx: Session, *, codes: Collection[str]) -> dict[str, str]:
    """The names of those of these merchants (by code) that exist."""
    return {code: found.name for code, found in find_merchants(tx, codes=codes).items()}


def find_item_names(tx: Session, *, merchant: str, skus: Collection[str]) -> dict[str, str]:
    """The names of a merchant's items by their codes, of withdrawn ones too: a receipt outlives the catalogue."""
    query = select(Item.sku, Item.name).join(Merchant, Merchant.id == Item.merchant_id)
    return {row.sku: row.name for row in tx.execute(query.where(Merchant.code == merchant, Item.sku.in_(skus)))}


def find_wares(tx: Session, *, merchants: Collection[str]) -> dict[str, set[str]]:
    """The codes and categories of what is on sale at these merchants (by code): what an offer may ask for there."""
    query = select(Merchant.code, Item.sku, Item.category).join(Merchant, Merchant.id == Item.merchant_id)
    wares: dict[str, set[str]] = {}
    if merchants:
        for merchant, sku, category in tx.execute(query.where(Merchant.code.in_(merchants), Item.state == "sold")):
            wares.setdefault(merchant, set()).update((sku, category))
    return wares


def list_shops(
    tx: Session, *, query: str = "", category: str | None = None, after: ShopPlace | None = None, limit: int = 50
) -> list[ShopPlace]:
    """Open shops of admitted merchants by name, of one category or all, whose or whose merchant's name holds `query`.

    The next page begins `after` the last shop of this one.
    """
    wanted = _PLACE.where(Shop.state == "open", Merchant.state == "admitted")
    if query.strip():
        named = (name.icontains(query.strip(), autoescape=True) for name in (Shop.name, Merchant.name))
        wanted = wanted.where(or_(*named))
    if category is not None:
        wanted = wanted.where(Merchant.category == category)
    if after is not None:
        wanted = wanted.where(tuple_(Shop.name, Shop.id) > tuple_(after.name, after.shop_id))
    return [ShopPlace(*row) for row in tx.execute(wanted.order_by(Shop.name, Shop.id).limit(limit))]


def count_open_shops(tx: Session) -> int:
    """How many shops of admitted merchants are open."""
    wanted = select(func.count()).select_from(Shop).join(Merchant, Merchant.id == Shop.merchant_id)
    return int(tx.scalar(wanted.where(Shop.state == "open", Merchant.state == "admitted")) or 0)


def list_categories(tx: Session) -> list[str]:
    """The categories that have an open shop of an admitted merchant."""
    wanted = (
        select(Merchant.category)
        .join(Shop, Shop.merchant_id == Merchant.id)
        .where(Shop.state == "open", Merchant.state == "admitted")
    )
    return list(tx.scalars(wanted.distinct().order_by(Merchant.category)))


def list_shops_of(tx: Session, *, merchant_id: UUID) -> list[ShopPlace]:
    """All shops of a merchant, closed ones too, by name."""
    return [
        ShopPlace(*row) for row in tx.execute(_PLACE.where(Merchant.id == merchant_id).order_by(Shop.name, Shop.id))
    ]


def list_staff(tx: Session, *, merchant_id: UUID) -> list[StaffPerson]:
    """Everybody ever on a merchant's staff: owners, then assistants by name."""
    rows = tx.execute(_STAFF.where(Staff.merchant_id == merchant_id).order_by(Staff.role.desc(), Staff.name, Staff.id))
    return [StaffPerson(*row) for row in rows]


def find_staff(tx: Session, *, staff_id: UUID) -> StaffPerson | None:
    """Somebody on a staff, or None."""
    found = tx.execute(_STAFF.where(Staff.id == staff_id)).one_or_none()
    return None if found is None else StaffPerson(*found)


def get_merchant(tx: Session, *, merchant_id: UUID) -> MerchantBusiness:
    """A merchant by its id. Raises MerchantUnknownError."""
    found = tx.execute(_BUSINESS.where(Merchant.id == merchant_id)).one_or_none()
    if found is None:
        raise MerchantUnknownError
    return MerchantBusiness(*found)


def get_payment_account(tx: Session, *, merchant: str) -> str | None:
    """The account at the payment provider that is this merchant's own (merchant by code), if he has one. Raises MerchantUnknownError."""
    found = tx.execute(select(Merchant.payment_account).where(Merchant.code == merchant)).one_or_none()
    if found is None:
        raise MerchantUnknownError
    return cast("str | None", found.payment_account)


def list_merchants(tx: Session) -> list[MerchantBusiness]:
    """All merchants by code: the names behind the codes of the public record."""
    return [MerchantBusiness(*row) for row in tx.execute(_BUSINESS.order_by(Merchant.code))]


def search_names(tx: Session, *, query: str, limit: int | None = None) -> dict[str, str]:
    """The names of the merchants whose name or code holds `query`, whatever its case, by their codes; up to `limit` of them in this order.

    Those that are called exactly so come first.
    """
    wanted = query.strip()
    holds = or_(Merchant.code.icontains(wanted, autoescape=True), Merchant.name.icontains(wanted, autoescape=True))
    is_exact = or_(Merchant.code == wanted, Merchant.name == wanted)
    rows = tx.execute(
        select(Merchant.code, Merchant.name).where(holds).order_by(is_exact.desc(), Merchant.code).limit(limit)
    )
    return {row.code: row.name for row in rows}


# --- statements, built once -------------------------------------------------------------------------------------------

_TILL = (
    select(
        Staff.state.label("staff_state"),
        Shop.id.label("shop_id"),
        Shop.code.label("shop"),
        Shop.till,
        Shop.state.label("shop_state"),
        Merchant.code.label("merchant"),
        Merchant.category,
        Merchant.state.label("merchant_state"),
    )
    .join(Shop, Shop.id == Staff.shop_id)
    .join(Merchant, Merchant.id == Shop.merchant_id)
    .where(Staff.id == bindparam("staff_id"))
)

_ITEM = (
    select(Item.sku, Item.name, Item.category, Item.price_fen)
    .join(Merchant, Merchant.id == Item.merchant_id)
    .where(Item.state == "sold", Item.product_id.is_(None))
)

_ITEMS = _ITEM.where(Merchant.code == bindparam("merchant"), Item.sku == any_(bindparam("skus", type_=ARRAY(Text))))

_PLACE = select(
    Shop.id,
    Shop.code,
    Shop.name,
    Shop.address,
    Shop.till,
    Shop.state,
    Merchant.id,
    Merchant.code,
    Merchant.name,
    Merchant.category,
    Merchant.state,
).join(Merchant, Merchant.id == Shop.merchant_id)

_STAFF = select(Staff.id, Staff.merchant_id, Staff.shop_id, Shop.name, Staff.role, Staff.name, Staff.state).outerjoin(
    Shop, Shop.id == Staff.shop_id
)

_BUSINESS = select(
    Merchant.id,
    Merchant.code,
    Merchant.name,
    Merchant.credit_code,
    Merchant.category,
    Merchant.state,
    Merchant.admitted_at,
)
