"""The form in which an owner writes a product: what is typed into what is meant, and back. Every wrong field is named at its box."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from starlette.datastructures import FormData

from api.pages.i18n import Language
from api.typed import Field, read_yuan
from market.kit.clock import get_zone
from market.kit.errors import DomainError
from market.kit.money import yuan
from merchants import Handover, ProductDetail, ProductTerms, VariantTerms
from merchants.product_terms import MOST_VARIANTS, ProductTermsWrongError, VariantRepeatedError, check_terms
from merchants.products import PointUnknownError, ProductExistsError, SkuTakenError

PRICE: Final = Field("标价", "List price")
TEXTS: Final = ("code", "name", "category", "description", "limit", "sale_from", "sale_to", "handover", "is_flash")
ROWS: Final = ("sku", "variant", "price", "sold")
MOST_TYPED: Final = 5_000
BOXES: Final[Mapping[type[DomainError], str]] = {
    SkuTakenError: "variants",
    VariantRepeatedError: "variants",
    ProductExistsError: "code",
    PointUnknownError: "points",
}
WRONG_NUMBER = ("只填 1 到 9999 的整数，不限就留空。", "A whole number from 1 to 9999; leave it empty for no limit.")
WRONG_TIME = ("日期时间写成 2026-12-01 20:00。", "Write date and time as 2026-12-01 20:00.")

Form = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Written:
    """A form as read: the terms if they could be read, and what is wrong by box."""

    terms: ProductTerms | None
    errors: dict[str, str]


def keep_form(fields: FormData) -> Form:
    """What was typed, as it is shown again: bounded, and without characters that no page shows."""
    form: Form = {name: (_clean(str(fields.get(name, ""))),) for name in TEXTS}
    form |= {name: tuple(_clean(str(value)) for value in fields.getlist(name)[: MOST_VARIANTS + 5]) for name in ROWS}
    form["points"] = tuple(_clean(str(value)) for value in fields.getlist("points")[:200])
    return form


def fill_form(product: ProductDetail) -> Form:
    """A product as it is typed."""
    return {
        "code": (product.code,),
        "name": (product.name,),
        "category": (product.category,),
        "description": (product.description,),
        "limit": ("" if product.limit_per_member is None else str(product.limit_per_member),),
        "sale_from": (_local(product.sale_from),),
        "sale_to": (_local(product.sale_to),),
        "handover": (product.handover,),
        "is_flash": ("1" if product.is_flash else "",),
        "points": tuple(point.code for point in product.points),
        "sku": tuple(each.sku for each in product.variants),
        "variant": tuple(each.variant for each in product.variants),
        "price": tuple(yuan(each.price_fen) for each in product.variants),
        "sold": tuple("1" if each.state == "sold" else "0" for each in product.variants),
    }


def new_form() -> Form:
    """An empty form."""
    form: Form = dict.fromkeys(TEXTS, ("",)) | dict.fromkeys((*ROWS, "points"), ())
    return form | {"handover": ("pickup",)}


def read_form(form: Form, language: Language) -> Written:
    """What the form says."""
    errors: dict[str, str] = {}
    english = language == "en"
    limit = None
    if typed := _one(form, "limit"):
        if re.fullmatch("[0-9]{1,4}", typed, re.ASCII):
            limit = int(typed)
        else:
            errors["limit"] = WRONG_NUMBER[english]
    moments: dict[str, datetime | None] = {}
    for name in ("sale_from", "sale_to"):
        try:
            moments[name] = _read_moment(_one(form, name))
        except ValueError:
            errors[name] = WRONG_TIME[english]
    variants: list[VariantTerms] = []
    try:
        variants = list(_read_variants(form))
    except DomainError as error:
        errors["variants"] = error.sentence(language)
    if errors:
        return Written(None, errors)
    handover = _one(form, "handover")
    terms = ProductTerms(
        name=_one(form, "name"),
        category=_one(form, "category"),
        variants=variants,
        description=_one(form, "description").replace("\r\n", "\n"),
        limit_per_member=limit,
        sale_from=moments["sale_from"],
        sale_to=moments["sale_to"],
        is_flash=_one(form, "is_flash") == "1",
        handover=cast("Handover", handover if handover in {"pickup", "delivery", "both"} else "pickup"),
        points=form["points"],
    )
    try:
        check_terms(terms)
    except DomainError as error:
        return Written(None, {find_box(error): error.sentence(language)})
    return Written(terms, {})


def find_box(error: DomainError) -> str:
    """At which box of the form a refusal is shown; `top` for one that is about the whole."""
    if isinstance(error, ProductTermsWrongError):
        field = str(error.facts["field"])
        return "variants" if field in {"sku", "variant", "price"} else field
    return BOXES.get(type(error), "top")


def _read_variants(form: Form) -> Iterator[VariantTerms]:
    """The rows in which anything is typed. Raises what `read_yuan` raises."""
    for number, sku in enumerate(form["sku"]):
        name, price = _at(form["variant"], number), _at(form["price"], number)
        if sku or name or price:
            is_sold = _at(form["sold"], number) != "0"
            yield VariantTerms(sku, name, read_yuan(price, field=PRICE), is_sold=is_sold)


def _read_moment(typed: str) -> datetime | None:
    """`2026-12-01T20:00`, as the browser's box sends it, or with a blank, in the business zone. Raises ValueError."""
    if not typed:
        return None
    moment = datetime.fromisoformat(typed)
    return moment if moment.tzinfo else moment.replace(tzinfo=get_zone())


def _local(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(get_zone()).strftime("%Y-%m-%dT%H:%M")


def _one(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "").strip()


def _at(values: Sequence[str], place: int) -> str:
    return values[place].strip() if place < len(values) else ""


def _clean(text: str) -> str:
    return "".join(sign for sign in text[:MOST_TYPED] if sign.isprintable() or sign in "\r\n").strip()
