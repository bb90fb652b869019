"""Parts that the pages about offers share: example baskets, differences and signatures as rows; where a list goes on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.offer_desk import Example, Examples
from api.pages.explain import show_quote
from api.pages.i18n import Language
from api.pages.offer_words import say_difference, say_where
from api.pages.offers import say_offer, say_terms
from api.pages.views import DifferenceRow, ExampleShown, ExamplesShown, SignatureRow
from market.kit.money import yuan
from market.offers.audience import list_public_terms
from market.offers.differences import find_differences
from market.offers.examples import Bought
from market.offers.limits import Limits
from market.offers.live import Title
from market.offers.models import OfferSignature, OfferVersion
from market.offers.queries import Place
from market.pricing import Offer

OTHER = ("不参加优惠的", "without offers")
UNNAMED = ("限一类会员，不到 100 人，公开台账不写是谁", "for a class of fewer than 100 members, not named in public")
AMOUNT = ("消费", "spent")


def show_examples(
    found: Examples | None, *, titles: Mapping[str, Title], own_title: Title, offer: str, own: bool, language: Language
) -> ExamplesShown | None:
    """The priced baskets in words; `titles` are those of the live offers, `own_title` that of the offer itself."""
    if found is None or not found.examples:
        return None
    named = {**titles, offer: own_title}
    shown = tuple(
        _show_example(example, named, own=own and place == 0, language=language)
        for place, example in enumerate(found.examples)
    )
    return ExamplesShown(shop=found.place.name, at=found.at, examples=shown)


def say_all(row: OfferVersion, *, names: Mapping[str, str], language: Language) -> tuple[str, ...]:
    """Every condition of a version in words: who pays, when and how often, where and on what."""
    return (*say_terms(row, language), *say_where(row.terms, language, names))


def say_public(row: OfferVersion, *, names: Mapping[str, str], language: Language) -> tuple[str, ...]:
    """The same as far as the public record says it: an audience that it does not name is only said to be there."""
    terms = list_public_terms(row)
    said = say_offer(Offer.from_json(terms), Limits.from_json(row.limits), language)
    unnamed = () if row.audience_salt is None else (UNNAMED[language == "en"],)
    return (*said, *unnamed, *say_where(terms, language, names))


def show_differences(
    old: OfferVersion, new: OfferVersion, *, names: Mapping[str, str], language: Language, is_public: bool = False
) -> tuple[DifferenceRow, ...]:
    """What the newer version changed, field by field in words; in public two audiences that are not named are not compared."""
    before, after = (version_document(row, is_public=is_public) for row in (old, new))
    rows = (say_difference(one, language, names) for one in find_differences(before, after))
    return tuple(DifferenceRow(label=label, old=before, new=after) for label, before, after in rows)


def version_document(row: OfferVersion, *, is_public: bool = False) -> dict[str, Any]:
    """A version as `find_differences` takes it, whole or as far as it is public."""
    terms = list_public_terms(row) if is_public else row.terms
    if is_public and row.audience_salt is not None:
        terms = {**terms, "audience": {"unnamed": "few"}}
    return {"title": row.title, "title_en": row.title_en, "terms": terms, "limits": row.limits}


def show_signatures(
    row: OfferVersion, said: Sequence[OfferSignature], *, names: Mapping[str, str], people: Mapping[UUID, str]
) -> tuple[SignatureRow, ...]:
    """Every merchant that bears a part, with its word if it has given it."""
    by_merchant = {one.merchant: one for one in said if one.version == row.version}
    return tuple(
        SignatureRow(
            merchant=names.get(merchant, merchant),
            is_signed=one.is_signed if (one := by_merchant.get(merchant)) else None,
            way=one.way if one else None,  # type: ignore[arg-type] # the table's own constraint knows no other
            by=people.get(one.by) if one else None,
            at=one.at if one else None,
            reason=one.reason if one else "",
        )
        for merchant in row.merchants
    )


def write_cursor(row: OfferVersion) -> str:
    """Where the list goes on after this version."""
    return f"{row.proposed_at.astimezone(UTC).isoformat()}~{row.version}~{row.offer}"


def read_cursor(text: str) -> Place | None:
    """The place a cursor names; None for none, and for one that nobody wrote."""
    at, _, rest = text.partition("~")
    version, _, offer = rest.partition("~")
    try:
        found = datetime.fromisoformat(at)
        return (found, offer, int(version)) if found.tzinfo and version.isdecimal() and len(version) < 9 else None
    except ValueError:
        return None


def _show_example(example: Example, titles: Mapping[str, Title], *, own: bool, language: Language) -> ExampleShown:
    return ExampleShown(
        bought=tuple(_say_bought(bought, language) for bought in example.basket),
        own=own,
        alone=show_quote(example.alone, titles=titles, language=language),
        together=show_quote(example.together, titles=titles, language=language),
    )


def _say_bought(bought: Bought, language: Language) -> str:
    """`红烧牛肉面 × 2`, `消费 ¥46.00`."""
    english = language == "en"
    price = f"¥{yuan(bought.price_fen)}"
    if not bought.joins and not bought.name:
        return f"{OTHER[english]} {price}"
    if not bought.name:
        said = f"{AMOUNT[english]} {price}" if not english else f"{price} {AMOUNT[english]}"
        return said if bought.qty == 1 else f"{price} × {bought.qty}"
    return f"{bought.name} {price} × {bought.qty}"
