"""A price as its owner may see it: the engine's quote, live or as stored with a sale, as rows with titles and sentences.

Only for the member's own pages and an officer's examples. A till is shown list, discount and paid, never one of these rows.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from api.pages.i18n import Language
from api.pages.views import Amounts, HintShown, LinePart, LineShown, NotUsed, QuoteShown, QuoteStep, RebateStep
from market.offers.live import Title
from market.pricing import sentences

Titles = Mapping[str, Title]  # by offer id: a quote looks at one version of each offer


def show_quote(
    quote: Mapping[str, Any],
    *,
    titles: Titles,
    language: Language,
    line_names: Mapping[str, str] | None = None,
    rebates: Collection[str] | None = None,
) -> QuoteShown:
    """A quote in the form of the pricing document, explained.

    With `line_names` (line id → what it is called) it shows each line's shares; with `rebates` (the ids of candidates that are one) its
    hints, which serve a purchase that is not made yet.
    """
    return QuoteShown(
        amounts=Amounts(
            list_fen=quote["list_total"],
            concession_fen=quote["concession"],
            subsidy_fen=quote["sponsor_pays"],
            paid_fen=quote["payable"],
            rebate_member_fen=quote["rebate"],
            rebate_union_fen=quote["rebate_union"],
        ),
        steps=tuple(
            QuoteStep(
                title=say_title(row["offer"], titles, language),
                sentence=sentences.step_sentence(row, language),
                how=sentences.formula_phrase(row, language),
                limit=sentences.limit_phrase(row, language),
                concession_fen=row["amount"] - row["sponsor_pays"],
                subsidy_fen=row["sponsor_pays"],
            )
            for row in quote["applied"]
            if row["stage"] != "rebate"
        ),
        rebates=tuple(
            RebateStep(
                title=say_title(row["offer"], titles, language),
                sentence=sentences.step_sentence(row, language),
                how=sentences.formula_phrase(row, language),
                limit=sentences.limit_phrase(row, language),
                to=row["rebate_to"],
                rebate_fen=row["amount"],
            )
            for row in quote["applied"]
            if row["stage"] == "rebate"
        ),
        not_used=tuple(
            NotUsed(title=say_title(row["offer"], titles, language), sentence=sentences.reason_sentence(row, language))
            for row in quote["not_applied"]
        ),
        hints=() if rebates is None else _show_hints(quote, titles, language, rebates),
        lines=() if line_names is None else _show_lines(quote, titles, language, line_names),
        proof=sentences.proof_sentence(quote, language),
        is_proven=quote["proof"] == "optimal",
    )


def say_title(offer: str, titles: Titles, language: Language) -> str:
    """What people read of an offer."""
    title = titles[offer]
    return title.en if language == "en" else title.zh


def _show_hints(
    quote: Mapping[str, Any], titles: Titles, language: Language, rebates: Collection[str]
) -> tuple[HintShown, ...]:
    """The nearest "spend so much more" that helps to decide: to more than double a purchase is temptation, and stays among the reasons."""
    applied = {row["offer"] for row in quote["applied"]}
    return tuple(
        HintShown(
            title=say_title(row["offer"], titles, language),
            sentence=sentences.hint_phrase(
                row,
                language,
                gain="back" if row["offer"] in rebates else "raised" if row["offer"] in applied else "off",
            ),
        )
        for row in quote.get("hints", ())  # not kept with sales of first light
        if row["short_by"] <= quote["list_total"]
    )


def _show_lines(
    quote: Mapping[str, Any], titles: Titles, language: Language, names: Mapping[str, str]
) -> tuple[LineShown, ...]:
    """Each line with every offer's share of it. Of a single line, or where nothing was taken off, the steps say it all."""
    if len(quote["lines"]) < 2 or not quote["applied"]:
        return ()
    parts: dict[str, list[LinePart]] = defaultdict(list)
    for row in quote["sponsor_by_line"]:
        title = say_title(row["offer"], titles, language)
        for payer, fen in (("merchant", row["merchant"]), ("union", row["sponsor"])):
            if fen:
                parts[row["line"]].append(LinePart(title=title, payer=payer, fen=fen))  # type: ignore[arg-type] # said above
    for row in quote["applied"]:
        for share in row["shares"] if row["stage"] == "rebate" else ():
            if share["amount"]:
                title = say_title(row["offer"], titles, language)
                parts[share["line"]].append(LinePart(title=title, payer="rebate", fen=share["amount"]))
    return tuple(
        LineShown(name=names[row["line"]], list_fen=row["list"], parts=tuple(parts[row["line"]]), paid_fen=row["pay"])
        for row in quote["lines"]
    )
