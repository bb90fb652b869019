"""Writes of the merchants' room: admission, shops, staff and items. Who may do it is the door's question."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from market.kit.errors import ConflictError, InvalidError, NotFoundError
from market.kit.ids import new_id
from market.record.operations import publish_event
from market.record.publication import Publication, open_publication
from merchants.models import Item, Merchant, Shop, Staff
from merchants.prices import MAX_PRICE_FEN, note_price
from merchants.product_terms import SKU

TillKind = Literal["amounts", "items", "register"]

CODE = re.compile(r"[A-Za-z0-9_]{1,32}", re.ASCII)
CATEGORY = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)
PAYMENT_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{1,64}", re.ASCII)


class MerchantUnknownError(NotFoundError):
    """No merchant has this id."""

    code = "MERCHANT_UNKNOWN"
    zh = "没有找到这家商户。请核对后重试。"
    en = "This merchant was not found. Check and try again."


class ShopUnknownError(NotFoundError):
    """No shop has this id, or it is another merchant's."""

    code = "SHOP_UNKNOWN"
    zh = "没有找到这家门店。请核对后重试。"
    en = "This shop was not found. Check and try again."


class StaffUnknownError(NotFoundError):
    """Nobody on the staff has this id."""

    code = "STAFF_UNKNOWN"
    zh = "没有找到这位店员。请核对后重试。"
    en = "This staff member was not found. Check and try again."


class ItemUnknownError(NotFoundError):
    """The merchant has no item of this code on sale."""

    code = "ITEM_UNKNOWN"
    zh = "没有在售商品 {sku}。请重新选择商品。"
    en = "No item {sku} is on sale. Choose the item again."


class MerchantExistsError(ConflictError):
    """The code or the unified social credit code is taken."""

    code = "MERCHANT_EXISTS"
    zh = "商户代码或统一社会信用代码已登记。请核对是否同一商户。"
    en = "This merchant code or credit code is registered already. Check whether it is the same merchant."


class ShopExistsError(ConflictError):
    """The code of the shop is taken."""

    code = "SHOP_EXISTS"
    zh = "门店代码已被使用。请换一个代码。"
    en = "This shop code is taken. Choose another."


class ItemExistsError(ConflictError):
    """The merchant sells an item of this code already."""

    code = "ITEM_EXISTS"
    zh = "商品代码已在售。请换一个代码，或先下架原商品。"
    en = "An item of this code is on sale already. Choose another code, or withdraw it first."


class CreditCodeWrongError(InvalidError):
    """Not a unified social credit code: length, alphabet or check digit."""

    code = "CREDIT_CODE_WRONG"
    zh = "统一社会信用代码有误。请对照营业执照逐位核对。"
    en = "The unified social credit code is not right. Compare it with the business licence."


class MerchantTermsWrongError(InvalidError):
    """A code, kind of till or price is outside what is allowed."""

    code = "MERCHANT_TERMS_WRONG"
    zh = "{field} 填写有误：{problem}。"
    en = "{field} is not right: {problem}."


def admit_merchant(
    tx: Session,
    *,
    code: str,
    name: str,
    credit_code: str,
    category: str,
    at: datetime,
    publication: Publication = "batched",
) -> UUID:
    """Admit a business to the market. What a new one sells is published in batches, until its sales are so many that a row tells nothing.

    Raises CreditCodeWrongError, MerchantTermsWrongError, MerchantExistsError.
    """
    _check_code(code)
    _check_category(category)
    called = {"name": name, "credit_code": read_credit_code(credit_code)}
    row = {"id": new_id(), "code": code, **called}
    terms = {"category": category, "state": "admitted", "admitted_at": at}
    added: UUID | None = tx.scalar(insert(Merchant).values(row | terms).on_conflict_do_nothing().returning(Merchant.id))
    if added is None:
        raise MerchantExistsError
    published = open_publication(tx, merchant=code, publication=publication, at=at)
    fields = {"category": category, **published}
    publish_merchant(tx, action="admitted", code=code, fields=fields, text=called, at=at)
    return added


def suspend_merchant(tx: Session, *, merchant_id: UUID, at: datetime) -> None:
    """Stop redemptions at all shops of a merchant at once. Raises MerchantUnknownError."""
    _set_merchant(tx, merchant_id, state="suspended", at=at)


def readmit_merchant(tx: Session, *, merchant_id: UUID, at: datetime) -> None:
    """End a suspension. Raises MerchantUnknownError."""
    _set_merchant(tx, merchant_id, state="admitted", at=at)


def publish_merchant(
    tx: Session,
    *,
    action: str,
    code: str,
    fields: Mapping[str, object],
    at: datetime,
    text: Mapping[str, str] | None = None,
) -> None:
    """Append the public entry of what happened to a merchant: `admitted`, `changed`, `suspended` or `readmitted`.

    Where its name or credit code is said, `text` has both: they stand beside the entry, which holds their hash.
    """
    said = {"action": action, "merchant": code, **fields}
    publish_event(tx, kind="merchant", fields=said, text=text, merchant=code, at=at)


def add_shop(
    tx: Session,
    *,
    merchant_id: UUID,
    code: str,
    name: str,
    address: str,
    till: TillKind = "amounts",
) -> UUID:
    """Open a shop of a merchant. Raises MerchantUnknownError, MerchantTermsWrongError, ShopExistsError."""
    _check_code(code)
    if not tx.scalar(select(exists().where(Merchant.id == merchant_id))):
        raise MerchantUnknownError
    row = {"id": new_id(), "merchant_id": merchant_id, "code": code, "name": name, "address": address}
    added: UUID | None = tx.scalar(
        insert(Shop)
        .values(row | {"till": till, "state": "open"})
        .on_conflict_do_nothing(index_elements=[Shop.code])
        .returning(Shop.id)
    )
    if added is None:
        raise ShopExistsError
    return added


def close_shop(tx: Session, *, shop_id: UUID) -> None:
    """Close a shop's till. Raises ShopUnknownError."""
    _set_shop(tx, shop_id, state="closed")


def open_shop(tx: Session, *, shop_id: UUID) -> None:
    """Open a closed shop's till again. Raises ShopUnknownError."""
    _set_shop(tx, shop_id, state="open")


def add_staff(tx: Session, *, merchant_id: UUID, name: str, shop_id: UUID | None = None) -> UUID:
    """Add an assistant of one shop, or without a shop an owner. Raises MerchantUnknownError, ShopUnknownError."""
    if shop_id is None:
        if not tx.scalar(select(exists().where(Merchant.id == merchant_id))):
            raise MerchantUnknownError
    elif not tx.scalar(select(exists().where(Shop.id == shop_id, Shop.merchant_id == merchant_id))):
        raise ShopUnknownError
    staff_id = new_id()
    row = {"merchant_id": merchant_id, "shop_id": shop_id, "name": name, "state": "active"}
    tx.execute(insert(Staff).values(row | {"id": staff_id, "role": "owner" if shop_id is None else "assistant"}))
    return staff_id


def end_staff(tx: Session, *, staff_id: UUID) -> None:
    """Somebody leaves the staff; his till refuses from now on. Raises StaffUnknownError."""
    if tx.scalar(update(Staff).where(Staff.id == staff_id).values(state="left").returning(Staff.id)) is None:
        raise StaffUnknownError


def add_item(
    tx: Session,
    *,
    merchant_id: UUID,
    sku: str,
    name: str,
    category: str,
    price_fen: int,
    at: datetime | None = None,
) -> UUID:
    """Put an item on sale at a list price in fen, from `at` on (now); a withdrawn one comes back under these terms.

    Raises MerchantTermsWrongError, ItemExistsError.
    """
    if not 0 <= price_fen <= MAX_PRICE_FEN:
        raise MerchantTermsWrongError(field="price_fen", problem=f"0 … {MAX_PRICE_FEN}")
    if not SKU.fullmatch(sku):
        raise MerchantTermsWrongError(field="sku", problem="A-Z a-z 0-9 . _ -, 1 … 64")
    _check_category(category)
    terms = {"name": name, "category": category, "price_fen": price_fen, "state": "sold"}
    added: UUID | None = tx.scalar(
        insert(Item)
        .values({"id": new_id(), "merchant_id": merchant_id, "sku": sku} | terms)
        .on_conflict_do_update(
            index_elements=[Item.merchant_id, Item.sku],
            set_=terms,
            where=(Item.state == "withdrawn") & Item.product_id.is_(None),
        )
        .returning(Item.id)
    )
    if added is None:
        raise ItemExistsError
    note_price(tx, merchant_id=merchant_id, sku=sku, price_fen=price_fen, at=at)
    return added


def withdraw_item(tx: Session, *, merchant_id: UUID, sku: str) -> None:
    """Take an item off sale; a variant goes with its product. Raises ItemUnknownError."""
    item = (Item.merchant_id == merchant_id) & (Item.sku == sku) & Item.product_id.is_(None)
    if tx.scalar(update(Item).where(item).values(state="withdrawn").returning(Item.id)) is None:
        raise ItemUnknownError(sku=sku)


def read_credit_code(text: str) -> str:
    """The unified social credit code (GB 32100) in its one spelling. Raises CreditCodeWrongError."""
    try:
        return str(uscc.validate(text))
    except ValidationError:
        raise CreditCodeWrongError from None


def set_payment_account(tx: Session, *, merchant_id: UUID, account: str | None) -> None:
    """Say which account at the payment provider is the merchant's own (`acct_…`), or that he has none.

    Raises MerchantTermsWrongError, MerchantUnknownError.
    """
    if account is not None and not PAYMENT_ACCOUNT.fullmatch(account):
        raise MerchantTermsWrongError(field="payment_account", problem="acct_ A-Z a-z 0-9")
    changed = update(Merchant).where(Merchant.id == merchant_id).values(payment_account=account)
    if tx.scalar(changed.returning(Merchant.id)) is None:
        raise MerchantUnknownError


def _check_code(code: str) -> None:
    if not CODE.fullmatch(code):
        raise MerchantTermsWrongError(field="code", problem="A-Z a-z 0-9 _, 1 … 32")


def _check_category(category: str) -> None:
    if not CATEGORY.fullmatch(category):
        raise MerchantTermsWrongError(field="category", problem="a-z 0-9 _ -, 1 … 32")


def _set_merchant(tx: Session, merchant_id: UUID, *, state: str, at: datetime) -> None:
    """A state that holds already is not published again."""
    held = tx.execute(
        select(Merchant.code, Merchant.state).where(Merchant.id == merchant_id).with_for_update()
    ).one_or_none()
    if held is None:
        raise MerchantUnknownError
    if held.state != state:
        tx.execute(update(Merchant).where(Merchant.id == merchant_id).values(state=state))
        action = "suspended" if state == "suspended" else "readmitted"
        publish_merchant(tx, action=action, code=held.code, fields={}, at=at)


def _set_shop(tx: Session, shop_id: UUID, *, state: str) -> None:
    if tx.scalar(update(Shop).where(Shop.id == shop_id).values(state=state).returning(Shop.id)) is None:
        raise ShopUnknownError
