"""What a merchant says of a product, and what of it can be seen to be wrong without a database. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from market.kit.errors import ConflictError, InvalidError
from merchants.prices import MAX_PRICE_FEN

Handover = Literal["pickup", "delivery", "both"]
State = Literal["draft", "listed", "withdrawn"]

PRODUCT_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
SKU: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
CATEGORY: Final = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
MOST_NAME, MOST_VARIANT, MOST_DESCRIPTION = 80, 40, 4_000
MOST_VARIANTS = 60
MOST_LIMIT = 9_999


class VariantRepeatedError(ConflictError):
    """Two variants of a product by one name."""

    code = "VARIANT_REPEATED"
    zh = "规格“{variant}”写了两次。请让每个规格名都不一样。"
    en = "The variant “{variant}” stands there twice. Give every variant a name of its own."


class ProductTermsWrongError(InvalidError):
    """Something said of a product is outside what is allowed; `field` names the part."""

    code = "PRODUCT_TERMS_WRONG"
    zh = "“{name_zh}”填写有误：{problem_zh}。请改正后再保存。"
    en = "“{name_en}” is not right: {problem_en}. Correct it and save again."


@dataclass(frozen=True, slots=True)
class VariantTerms:
    """A variant to write: its code, its name (`''` for the only one), its list price in fen, whether it is on sale."""

    sku: str
    variant: str
    price_fen: int
    is_sold: bool = True


@dataclass(frozen=True, slots=True)
class ProductTerms:
    """All that is said of a product. Variants that are not named stay as they are; the pick-up points are exactly those named."""

    name: str
    category: str
    variants: Sequence[VariantTerms]
    description: str = ""
    limit_per_member: int | None = None
    sale_from: datetime | None = None
    sale_to: datetime | None = None
    is_flash: bool = False
    handover: Handover = "pickup"
    points: Sequence[str] = ()


def check_terms(terms: ProductTerms) -> None:
    """What can be seen to be wrong without the database. Raises ProductTermsWrongError, VariantRepeatedError."""
    if not 1 <= len(terms.name) <= MOST_NAME or not terms.name.isprintable():
        raise terms_wrong("name", f"1–{MOST_NAME} 个字", f"1 to {MOST_NAME} characters")
    if not CATEGORY.fullmatch(terms.category):
        raise terms_wrong("category", "请选一个类别", "choose a category")
    if len(terms.description) > MOST_DESCRIPTION or not "".join(terms.description.split()).isprintable():
        raise terms_wrong("description", f"最多 {MOST_DESCRIPTION} 个字", f"{MOST_DESCRIPTION} characters at most")
    _check_sale(terms)
    _check_variants(terms.variants)


def _check_sale(terms: ProductTerms) -> None:
    """When it is sold, and how much of it to one member."""
    if terms.limit_per_member is not None and not 1 <= terms.limit_per_member <= MOST_LIMIT:
        raise terms_wrong("limit", f"1–{MOST_LIMIT}，不限就留空", f"1 to {MOST_LIMIT}, or leave it empty")
    if terms.sale_from is not None and terms.sale_to is not None and terms.sale_from >= terms.sale_to:
        raise terms_wrong("sale_to", "要晚于开售时间", "must be later than the beginning of the sale")
    if terms.is_flash and (terms.sale_from is None or terms.limit_per_member is None):
        raise terms_wrong(
            "is_flash", "限时抢购要填开售时间和每人限购", "a flash sale needs its beginning and a limit per member"
        )


def _check_variants(variants: Sequence[VariantTerms]) -> None:
    if len(variants) > MOST_VARIANTS:
        raise terms_wrong("sku", f"最多 {MOST_VARIANTS} 个规格", f"{MOST_VARIANTS} variants at most")
    for variant in variants:
        _check_variant(variant)
    for names in ([each.variant for each in variants], [each.sku for each in variants]):
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise VariantRepeatedError(variant=repeated)
    if len(variants) > 1 and any(not each.variant for each in variants):
        raise terms_wrong("variant", "有几个规格时，每个都要写名字", "with several variants each needs a name")


def _check_variant(variant: VariantTerms) -> None:
    if not SKU.fullmatch(variant.sku):
        raise terms_wrong(
            "sku", "字母数字开头，可含 . _ -，最多 64 个字符", "letters, digits, . _ -, 64 characters at most"
        )
    if len(variant.variant) > MOST_VARIANT or not variant.variant.isprintable():
        raise terms_wrong("variant", f"最多 {MOST_VARIANT} 个字", f"{MOST_VARIANT} characters at most")
    if not 0 <= variant.price_fen <= MAX_PRICE_FEN:
        raise terms_wrong("price", f"0–{MAX_PRICE_FEN // 100} 元", f"0 to {MAX_PRICE_FEN // 100} yuan")


FIELDS: Final = {
    "code": ("商品编码", "Product code"),
    "name": ("名称", "Name"),
    "category": ("类别", "Category"),
    "description": ("说明", "Description"),
    "limit": ("每人限购", "Limit per member"),
    "sale_from": ("开售时间", "Sale begins"),
    "sale_to": ("停售时间", "Sale ends"),
    "is_flash": ("限时抢购", "Flash sale"),
    "sku": ("货号", "Item code"),
    "variant": ("规格", "Variant"),
    "price": ("标价", "List price"),
}


def terms_wrong(field: str, problem_zh: str, problem_en: str) -> ProductTermsWrongError:
    """The refusal of a field by its name in FIELDS."""
    name_zh, name_en = FIELDS[field]
    said = {"problem_zh": problem_zh, "problem_en": problem_en}
    return ProductTermsWrongError(field=field, name_zh=name_zh, name_en=name_en, **said)
