"""What the market knows of a person and of a place: values handed down by the rooms above, without a name in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Shopper:
    """A person at a till: an opaque `subject` that survives a replaced card, and the facts that offers may ask about.

    `commit_key` salts the commitments of this person's entries; the market uses it and never stores it.
    """

    subject: UUID
    card_id: UUID
    visit_id: UUID
    facts: Mapping[str, object]
    commit_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ware:
    """A thing offered online as a basket asks for it: `qty` pieces at `price_fen` list price each; codes are the public names.

    `sale` names the sale within which `limit` bounds what one member buys of the product; a new sale counts anew.
    """

    item_id: UUID
    product_id: UUID
    sku: str
    name: str
    variant: str
    category: str
    price_fen: int
    qty: int
    limit: int | None = None
    sale: str = ""


@dataclass(frozen=True, slots=True)
class Till:
    """A place where a sale is keyed: shop and merchant by their public codes, and how this shop keys its sales."""

    shop_id: UUID
    shop: str
    merchant: str
    staff_id: UUID
    category: str
    mode: str
