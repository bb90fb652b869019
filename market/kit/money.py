"""Whole-fen arithmetic: rounding, sharing out, and how an amount is written. Integers only; nothing here may use float or Decimal."""

from collections.abc import Sequence

WHOLE_BP = 10_000


def half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded to the nearest integer, halves up. For numerator ≥ 0 and denominator > 0 (pricing rules, Rounding)."""
    return (2 * numerator + denominator) // (2 * denominator)


def share_of(amount: int, share_bp: int) -> int:
    """`share_bp` basis points of `amount` fen, halves up."""
    return (2 * amount * share_bp + WHOLE_BP) // (2 * WHOLE_BP)


def largest_remainder(amount: int, weights: Sequence[int]) -> list[int]:
    """Share `amount` fen over `weights` (each ≥ 0) so that the shares sum to it exactly.

    Each gets the floor of `amount × weight / sum`; spare fen go to the largest remainders, ties to the larger weight, then to the
    earlier (pricing rules, Allocation). A zero weight gets nothing. Raises ValueError for an amount with nothing to share it over.
    """
    if len(weights) == 1 and (weights[0] or not amount):
        return [amount]
    whole = sum(weights)
    if not whole:
        if amount:
            raise ValueError("an amount cannot be shared over weights that are all zero")
        return [0] * len(weights)
    shares = [amount * weight // whole for weight in weights]
    spare = amount - sum(shares)
    if spare:
        order = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), -weights[i], i))
        for i in order[:spare]:
            shares[i] += 1
    return shares


def cumulative_share(amount: int, done: int, whole: int) -> int:
    """The part of `amount` that `done` of `whole` equal units have brought, floored: the last unit closes it exactly."""
    return amount * done // whole


def yuan(fen: int) -> str:
    """Fen as yuan with two digits, without a currency sign: 1540 → "15.40", −5 → "-0.05"."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02}"
