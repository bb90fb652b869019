"""What people type into a page: amounts in yuan, quantities, card codes. Read exactly, digit by digit; no float ever sees money."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from api.till import AmountsKeyed, Basket, ItemsKeyed
from market.kit.errors import InvalidError
from market.sales.basket import MOST_FEN

MOST_UNITS = 9_999
MOST_AT_DESK = 10**12  # fen, of amounts that no till keys
MOST_TYPED = 40  # characters; nothing longer is looked at

# What a Chinese keyboard writes for digits and their signs. Only these: NFKC would make `²` a 2 and `①` a 1.
_FULL_WIDTH = str.maketrans("０１２３４５６７８９．。，￥", "0123456789..,¥")
_MINUS = ("-", "−", "﹣", "－")
_PLAIN = re.compile(r"([0-9]*)(?:\.([0-9]*))?", re.ASCII)
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?", re.ASCII)


class AmountUnreadableError(InvalidError):
    """What was typed is no amount."""

    code = "AMOUNT_UNREADABLE"
    zh = "“{name_zh}”只填数字，如 15.40。请改正后再试。"
    en = "“{name_en}” takes digits only, such as 15.40. Correct it and try again."


class AmountTooFineError(InvalidError):
    """More than two digits after the point."""

    code = "AMOUNT_TOO_FINE"
    zh = "“{name_zh}”最多两位小数，如 15.40。请改正后再试。"
    en = "“{name_en}” takes two decimals at most, such as 15.40. Correct it and try again."


class AmountNegativeError(InvalidError):
    """A minus before an amount."""

    code = "AMOUNT_NEGATIVE"
    zh = "“{name_zh}”不能是负数。要退钱，请在“今天”里找到那一笔办退款。"
    en = "“{name_en}” cannot be negative. To give money back, find the sale under Today and refund it."


class AmountTooLargeError(InvalidError):
    """More than a till may key."""

    code = "AMOUNT_TOO_LARGE"
    zh = "一单最多 ¥1,000,000。请核对“{name_zh}”，是不是多按了几位。"
    en = "One sale takes ¥1,000,000 at most. Check “{name_en}” for digits too many."


class SumTooLargeError(InvalidError):
    """More than an amount may be that no till keys."""

    code = "SUM_TOO_LARGE"
    zh = "“{name_zh}”最多 ¥{most}。请核对是不是多写了几位。"
    en = "“{name_en}” is ¥{most} at most. Check it for digits too many."


class AmountMissingError(InvalidError):
    """Nothing was typed, or only zeros."""

    code = "AMOUNT_MISSING"
    zh = "还没有填金额。先填一个大于 0 的数。"
    en = "There is no amount yet. Type one above 0 first."


class UnitsUnreadableError(InvalidError):
    """What was typed is no number of pieces."""

    code = "UNITS_UNREADABLE"
    zh = "件数只填 0 到 9999 的整数。请改正后再试。"
    en = "The number of pieces is a whole number from 0 to 9999. Correct it and try again."


@dataclass(frozen=True, slots=True)
class Field:
    """A field by the words that stand beside it on the page, and the most (fen) that it takes: what a sale may come to, or more at a desk."""

    zh: str
    en: str
    most_fen: int = MOST_FEN

    @property
    def facts(self) -> dict[str, str]:
        """For the sentence of an error."""
        return {"name_zh": self.zh, "name_en": self.en}

    @property
    def is_keyed(self) -> bool:
        """Whether it takes what a sale may come to, as a till keys it; less than nothing is then a refund."""
        return self.most_fen == MOST_FEN

    @property
    def too_large(self) -> InvalidError:
        """What to raise for more than that."""
        if self.is_keyed:
            return AmountTooLargeError(**self.facts)
        return SumTooLargeError(**self.facts, most=f"{self.most_fen // 100:,}")


JOINING = Field("参加优惠", "With offers")
OTHER = Field("不参加优惠", "Without offers")


def read_yuan(text: str, *, field: Field) -> int:
    """An amount in yuan as people type it (`15.4`, `15.40`, `１５．４`, `¥1,234.5`, nothing at all) as whole fen.

    Raises AmountUnreadableError, AmountTooFineError, AmountNegativeError, AmountTooLargeError, SumTooLargeError.
    """
    if len(text) > MOST_TYPED:
        raise field.too_large
    plain = text.translate(_FULL_WIDTH).strip().removeprefix("¥").removesuffix("元").strip()
    if plain.startswith(_MINUS) and field.is_keyed:
        raise AmountNegativeError(**field.facts)
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    found = _PLAIN.fullmatch(plain)
    if found is None or plain == ".":
        raise AmountUnreadableError(**field.facts)
    whole, cents = found[1] or "0", (found[2] or "").rstrip("0")
    if len(cents) > 2:
        raise AmountTooFineError(**field.facts)
    if len(whole.lstrip("0")) > len(str(field.most_fen)):
        raise field.too_large
    fen = int(whole) * 100 + int(cents.ljust(2, "0"))
    if fen > field.most_fen:
        raise field.too_large
    return fen


def read_units(text: str) -> int:
    """A number of pieces, 0 when nothing was typed. Raises UnitsUnreadableError."""
    if len(text) > MOST_TYPED:
        raise UnitsUnreadableError
    plain = text.translate(_FULL_WIDTH).strip() or "0"
    if not re.fullmatch("[0-9]{1,6}", plain, re.ASCII) or int(plain) > MOST_UNITS:
        raise UnitsUnreadableError
    return int(plain)


def is_basket_field(name: str) -> bool:
    """Whether a field of a form says what is sold."""
    return name in {"discountable", "other"} or name.startswith("qty.")


def read_keyed(fields: Mapping[str, str], *, skus: Iterable[str]) -> Basket:
    """What a till's form says: `qty.<sku>` for the shop's items and `other`, or the two amounts `discountable` and `other`.

    Raises what `read_yuan` and `read_units` raise, and AmountMissingError when it comes to nothing.
    """
    other_fen = read_yuan(fields.get("other", ""), field=OTHER)
    catalogue = list(skus)
    if catalogue:
        counted = [(sku, read_units(fields.get(f"qty.{sku}", ""))) for sku in catalogue]
        wanted = [(sku, qty) for sku, qty in counted if qty]
        if not wanted and not other_fen:
            raise AmountMissingError
        return ItemsKeyed(wanted, other_fen)
    joining_fen = read_yuan(fields.get("discountable", ""), field=JOINING)
    if not joining_fen + other_fen:
        raise AmountMissingError
    if joining_fen + other_fen > MOST_FEN:
        raise AmountTooLargeError(**OTHER.facts)
    return AmountsKeyed(joining_fen, other_fen)
