"""National ids of people who do not exist, with the check digit of GB 11643."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def complete(digits: str) -> str:
    """The 17 digits with the right check digit behind them."""
    return digits + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11]
