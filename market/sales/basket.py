"""What was keyed at a till, checked against what a till may key, as lines for the engine. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from market.kit.errors import InvalidError
from market.pricing import Line

MOST_FEN = 100_000_000  # 1,000,000 yuan: what may be keyed in one sale
MOST_LINES = 500
MOST_UNITS = 10_000

AMOUNT_SKU = "amount"
OTHER_SKU = "other"


class BasketError(InvalidError):
    """The basket cannot be sold as keyed."""

    code = "BASKET_INVALID"
    zh = "{field} 填写有误：{problem}。请改正后重新试算。"
    en = "{field} is not right: {problem}. Correct it and ask for the price again."


class WayOfKeyingError(InvalidError):
    """This shop keys its sales in another way."""

    code = "WAY_OF_KEYING"
    zh = "本店的收银方式是 {mode}，请按该方式录入。"
    en = "This shop keys its sales as {mode}; key it that way."


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """A line as a shop's own register rings it: `price_fen` for one unit."""

    sku: str
    category: str
    price_fen: int
    qty: int


def amount_lines(*, merchant: str, category: str, joining_fen: int, other_fen: int) -> list[Line]:
    """Two amounts: what takes part in offers (参加优惠) and what does not (不参加优惠). At least one is more than 0."""
    _check_fen("joining_fen", joining_fen, least=0)
    _check_fen("other_fen", other_fen, least=0)
    _check_fen("joining_fen + other_fen", joining_fen + other_fen, least=1)
    lines = [
        Line(AMOUNT_SKU, AMOUNT_SKU, merchant, (category,), joining_fen, 1),
        _other_line(merchant, other_fen),
    ]
    return [line for line in lines if line.unit_price]


def register_lines(*, merchant: str, rows: Iterable[RegisterLine], other_fen: int = 0) -> list[Line]:
    """Lines with a code, a price and a quantity each; line ids are their positions from 1. `other_fen` takes no part in offers."""
    _check_fen("other_fen", other_fen, least=0)
    lines = []
    for number, row in enumerate(rows, start=1):
        if number > MOST_LINES:
            raise BasketError(field="lines", problem=f"≤ {MOST_LINES}")
        _check_fen(f"lines[{number}].price_fen", row.price_fen, least=0)
        if type(row.qty) is not int or not 1 <= row.qty <= MOST_UNITS:
            raise BasketError(field=f"lines[{number}].qty", problem=f"1 – {MOST_UNITS}")
        lines.append(Line(str(number), row.sku, merchant, (row.category,), row.price_fen, row.qty))
    if other_fen:
        lines.append(_other_line(merchant, other_fen))
    _check_fen("list", sum(line.unit_price * line.qty for line in lines), least=1)
    return lines


def _other_line(merchant: str, fen: int) -> Line:
    """An amount that takes no part in offers."""
    return Line(OTHER_SKU, OTHER_SKU, merchant, (), fen, 1, discountable=False)


def _check_fen(field: str, fen: int, *, least: int) -> None:
    """An amount at a till is a whole number of fen from `least` to 1,000,000 yuan."""
    if type(fen) is not int:
        raise BasketError(field=field, problem="整数（分） / whole fen")
    if fen < least:
        raise BasketError(field=field, problem=f"≥ {least}")
    if fen > MOST_FEN:
        raise BasketError(field=field, problem="≤ ¥1,000,000")
