"""The discount engine: the best price of a basket over every permitted combination, explained and split by payer.

A pure package: plain values in and out, integer fen and basis points, no clock, no database, no float. The words and rules are those of
the pricing document (docs), the one entrance is `quote(case)`.
"""

from market.pricing.case import ABSENT, RULES, Candidate, Case, Line, Reason
from market.pricing.engine import NODE_LIMIT, quote
from market.pricing.gates import gate_outcome
from market.pricing.kinds import Kind, Stage
from market.pricing.match import Match, Part
from market.pricing.offer import Offer
from market.pricing.reading import PricingDocumentError
from market.pricing.result import AppliedOffer, Hint, NotApplied, Quote, QuoteLine, Share

__all__ = [
    "ABSENT",
    "NODE_LIMIT",
    "RULES",
    "AppliedOffer",
    "Candidate",
    "Case",
    "Hint",
    "Kind",
    "Line",
    "Match",
    "NotApplied",
    "Offer",
    "Part",
    "PricingDocumentError",
    "Quote",
    "QuoteLine",
    "Reason",
    "Share",
    "Stage",
    "gate_outcome",
    "quote",
]
