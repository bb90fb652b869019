"""A price as its owner may see it: the engine's quote, live or as stored with a sale, as rows with titles and sentences.

Only for the member's own pages. A till is shown list, discount and paid, never one of these rows.
"""

from collections.abc import Mapping
from typing import Any

from api.pages.i18n import Language
from api.pages.views import Amounts, NotUsed, QuoteShown, QuoteStep, ReceiptDiscount
from market.offers.live import Title
from market.pricing import sentences

Titles = Mapping[str, Title]  # by offer id: a quote looks at one version of each offer


def show_quote(quote: Mapping[str, Any], *, titles: Titles, language: Language) -> QuoteShown:
    """A quote in the form of the pricing document as the rows of the member's price page."""
    return QuoteShown(
        amounts=Amounts(
            list_fen=quote["list_total"],
            concession_fen=quote["concession"],
            subsidy_fen=quote["sponsor_pays"],
            paid_fen=quote["payable"],
            rebate_fen=quote["rebate"],
        ),
        steps=tuple(
            QuoteStep(
                title=say_title(row["offer"], titles, language),
                sentence=sentences.step_sentence(row, language),
                concession_fen=row["amount"] - row["sponsor_pays"],
                subsidy_fen=row["sponsor_pays"],
            )
            for row in quote["applied"]
        ),
        not_used=tuple(
            NotUsed(title=say_title(row["offer"], titles, language), sentence=sentences.reason_sentence(row, language))
            for row in quote["not_applied"]
        ),
    )


def show_discounts(quote: Mapping[str, Any], *, titles: Titles, language: Language) -> tuple[ReceiptDiscount, ...]:
    """The offers that made a sale's price, each cut by who paid it."""
    return tuple(
        ReceiptDiscount(
            title=step.title, sentence=step.sentence, concession_fen=step.concession_fen, subsidy_fen=step.subsidy_fen
        )
        for step in show_quote(quote, titles=titles, language=language).steps
    )


def say_title(offer: str, titles: Titles, language: Language) -> str:
    """What people read of an offer."""
    title = titles[offer]
    return title.en if language == "en" else title.zh
