"""Products out of a file and into one: what each row does, doing it, and a merchant's products as rows of a table.

A product is entered whole or not at all: one wrong row holds back the other rows of its product, and no other product.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy.orm import Session

from market.kit.clock import get_zone
from market.kit.csv_file import Progress, RowError
from market.kit.errors import DomainError
from market.kit.money import yuan
from market.kit.workbook import RISKY, read_table
from merchants.catalogue import ProductDetail, get_own_product, list_own_products
from merchants.points import list_points
from merchants.product_rows import COLUMNS, OF_VARIANT, Cell, ProductGroup, Words, group_rows
from merchants.product_terms import ProductTerms, ProductTermsWrongError, VariantRepeatedError, VariantTerms
from merchants.products import (
    ProductNotReadyError,
    ProductUnknownError,
    SkuTakenError,
    add_product,
    change_product,
    list_product,
    withdraw_product,
)
from merchants.stops import ProductStoppedError

Kind = Literal["added", "changed", "same", "refused"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a file changes of a product or a variant: the column, what stood there, what will."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a row does: to which product and variant, and what changes by it."""

    row: int
    code: str
    sku: str
    name: str
    kind: Kind
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class FileResult:
    """What a file does, row by row; `ignored` are headers nobody asked for."""

    effects: tuple[Effect, ...]
    errors: tuple[RowError, ...]
    ignored: tuple[str, ...]

    def count(self, kind: Kind) -> int:
        """How many rows do this."""
        return sum(effect.kind == kind for effect in self.effects)

    def counts(self) -> dict[str, int]:
        """As stored with the file."""
        kinds: tuple[Kind, ...] = ("added", "changed", "same", "refused")
        return {kind: self.count(kind) for kind in kinds}


def import_products(
    tx: Session,
    *,
    merchant_id: UUID,
    content: bytes,
    categories: Mapping[str, str],
    at: datetime,
    progress: Progress | None = None,
) -> FileResult:
    """Enter the right products of a CSV file or a workbook: add those not there, change what differs of those that are.

    `categories` are the words a file may say for a category, in lower case, with the code each means; `progress` is told
    how many of how many rows are done. Raises the errors of
    `market.kit.csv_file` and `market.kit.workbook` when the file is no table.
    """
    table = read_table(BytesIO(content), columns=COLUMNS)
    points = {word.lower(): point.code for point in list_points(tx) for word in (point.code, point.name)}
    effects: list[Effect] = []
    errors: list[RowError] = []
    rows = list(table.rows())
    for group in group_rows(rows, Words(categories, points)):
        done = [] if group.errors else _enter(tx, merchant_id, group, at=at)
        errors += group.errors
        effects += done or [Effect(number, group.code, "", "", "refused") for number in group.numbers]
        if progress is not None:
            progress(len(effects), len(rows))
    ordered = sorted(effects, key=lambda effect: effect.row)
    return FileResult(tuple(ordered), tuple(sorted(errors, key=lambda error: error.row)), table.ignored)


def _enter(tx: Session, merchant_id: UUID, group: ProductGroup, *, at: datetime) -> list[Effect]:
    """Write one product as far as it differs; what stands against it becomes an error of its group and nothing is written."""
    known = _find(tx, merchant_id, group.code)
    terms, effects = _merge(group, known)
    state = group.rows[0].said.get("state")
    try:
        with tx.begin_nested():
            if known is None:
                add_product(tx, merchant_id=merchant_id, code=group.code, terms=terms, at=at)
            elif any(effect.kind != "same" for effect in effects):
                change_product(tx, merchant_id=merchant_id, code=group.code, terms=terms, at=at)
            before = known.state if known else "draft"
            if state == "listed" != before:
                list_product(tx, merchant_id=merchant_id, code=group.code)
            elif state == "withdrawn" != before:
                withdraw_product(tx, merchant_id=merchant_id, code=group.code)
    except DomainError as refusal:
        group.errors.append(_row_error(group, refusal))
        return []
    return effects


def _row_error(group: ProductGroup, refusal: DomainError) -> RowError:
    """A refusal of the whole product, said of the row and column it is about."""
    first = group.numbers[0]
    match refusal:
        case SkuTakenError():
            row = next((each.number for each in group.rows if each.said["sku"] == refusal.facts["sku"]), first)
            return RowError(row, "sku", "held")
        case VariantRepeatedError():
            return RowError(group.numbers[-1], "variant", "taken")
        case ProductNotReadyError():
            return RowError(first, "state", "not_ready")
        case ProductStoppedError():
            return RowError(first, "state", "stopped")
        case ProductTermsWrongError():
            column = str(refusal.facts["field"])
            return RowError(first, "limit_per_member" if column == "limit" else column, "format")
    raise refusal


def _find(tx: Session, merchant_id: UUID, code: str) -> ProductDetail | None:
    try:
        return get_own_product(tx, merchant_id=merchant_id, code=code)
    except ProductUnknownError:
        return None


def _merge(group: ProductGroup, known: ProductDetail | None) -> tuple[ProductTerms, list[Effect]]:
    """What the product will be: what the file says, and for what it does not say what is there."""
    first = group.rows[0].said
    terms = ProductTerms(name="", category="", variants=()) if known is None else terms_of(known)
    own = {name: cell for name, cell in first.items() if name not in {*OF_VARIANT, "code", "state"}}
    cleared = {"description": "", "is_flash": False, "handover": "pickup", "points": ()}
    said: dict[str, Any] = {name: cleared.get(name) if cell is None else cell for name, cell in own.items()}
    whole = replace(terms, **said)
    changes = [] if known is None else _changes(terms, whole)
    if known is not None and (state := first.get("state")) not in {None, known.state}:
        changes.append(Change("state", known.state, str(state)))
    there = {} if known is None else {each.sku: each for each in terms.variants}
    variants, effects = dict(there), []
    for row in group.rows:
        variant = _variant(row.said, there.get(str(row.said["sku"])))
        variants[variant.sku] = variant
        by_row = (*(changes if row is group.rows[0] else ()), *_variant_changes(there.get(variant.sku), variant))
        kind: Kind = "added" if variant.sku not in there else "changed" if by_row else "same"
        effects.append(
            Effect(row.number, group.code, variant.sku, f"{whole.name} {variant.variant}".strip(), kind, by_row)
        )
    return replace(whole, variants=tuple(variants.values())), effects


def terms_of(product: ProductDetail) -> ProductTerms:
    """A product as it would be written."""
    return ProductTerms(
        name=product.name,
        category=product.category,
        variants=tuple(
            VariantTerms(each.sku, each.variant, each.price_fen, is_sold=each.state == "sold")
            for each in product.variants
        ),
        description=product.description,
        limit_per_member=product.limit_per_member,
        sale_from=product.sale_from,
        sale_to=product.sale_to,
        is_flash=product.is_flash,
        handover=product.handover,
        points=tuple(point.code for point in product.points),
    )


def _variant(said: Mapping[str, Cell], known: VariantTerms | None) -> VariantTerms:
    is_sold = cast("bool | None", said.get("on_sale"))
    if is_sold is None:
        is_sold = known.is_sold if known and "on_sale" not in said else True
    name = said.get("variant") or ("" if "variant" in said or known is None else known.variant)
    return VariantTerms(str(said["sku"]), str(name), cast("int", said["price"]), is_sold=is_sold)


def _changes(before: ProductTerms, after: ProductTerms) -> list[Change]:
    names = (
        "name",
        "category",
        "description",
        "limit_per_member",
        "sale_from",
        "sale_to",
        "is_flash",
        "handover",
        "points",
    )
    cells = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return [
        Change(name, _text(old), _text(new))
        for name, old, new in cells
        if (set(old) != set(new) if name == "points" else old != new)
    ]


def _variant_changes(before: VariantTerms | None, after: VariantTerms) -> list[Change]:
    if before is None:
        return []
    changes = []
    if before.variant != after.variant:
        changes.append(Change("variant", before.variant, after.variant))
    if before.price_fen != after.price_fen:
        changes.append(Change("price", yuan(before.price_fen), yuan(after.price_fen)))
    if before.is_sold != after.is_sold:
        changes.append(Change("on_sale", _text(before.is_sold), _text(after.is_sold)))
    return changes


def _text(value: Cell) -> str:
    """A value as a cell of an export says it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(get_zone()).strftime("%Y-%m-%d %H:%M")
        case tuple():
            return ";".join(value)
    return str(value)


# --- out --------------------------------------------------------------------------------------------------------------


def export_rows(tx: Session, *, merchant_id: UUID) -> Iterator[list[str | Decimal | int]]:
    """A merchant's products as rows of COLUMNS, one per variant; the file can be changed and sent back.

    Text that a spreadsheet would take for a formula has an apostrophe before it, which the import takes away.
    """
    codes = [row.code for row in list_own_products(tx, merchant_id=merchant_id, limit=100_000)]
    for code in codes:
        product = get_own_product(tx, merchant_id=merchant_id, code=code)
        terms = terms_of(product)
        for each in terms.variants:
            cells: dict[str, str | Decimal | int] = {
                "code": code,
                "name": terms.name,
                "category": terms.category,
                "sku": each.sku,
                "variant": each.variant,
                "price": Decimal(each.price_fen).scaleb(-2),
                "on_sale": _text(each.is_sold),
                "description": terms.description,
                "limit_per_member": terms.limit_per_member or "",
                "sale_from": _text(terms.sale_from),
                "sale_to": _text(terms.sale_to),
                "is_flash": _text(terms.is_flash),
                "handover": terms.handover,
                "points": _text(tuple(terms.points)),
                "state": product.state,
            }
            yield [_harmless(cells[column.name]) for column in COLUMNS]


def _harmless(cell: str | Decimal | int) -> str | Decimal | int:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RISKY) else cell
