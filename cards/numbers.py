"""Card numbers and references: random, so that one tells nothing of the next. Pure but for the system's randomness."""

import secrets

from stdnum.iso7064 import mod_97_10

INSTALLATION_PREFIX = "3302"  # one installation is one card-number space
NUMBER_DIGITS = 16
CHECK_DIGITS = 2
REFERENCE_BYTES = 9  # 12 characters, 72 bits


def new_number() -> str:
    """A card number of 16 digits: prefix, random body, two check digits of ISO 7064 MOD 97-10."""
    body_digits = NUMBER_DIGITS - CHECK_DIGITS - len(INSTALLATION_PREFIX)
    body = INSTALLATION_PREFIX + f"{secrets.randbelow(10**body_digits):0{body_digits}d}"
    return body + str(mod_97_10.calc_check_digits(body))


def is_number(text: str) -> bool:
    """Whether this is a card number of this installation: one wrong digit or two swapped ones are found out."""
    return (
        len(text) == NUMBER_DIGITS
        and text.isascii()
        and text.isdigit()
        and text.startswith(INSTALLATION_PREFIX)
        and bool(mod_97_10.is_valid(text))
    )


def mask_number(number: str) -> str:
    """The number as pages show it: `3302 •••• •••• 5678`."""
    return f"{number[:4]} •••• •••• {number[-4:]}"


def new_reference() -> str:
    """12 random url-safe characters that name a card inside its QR."""
    return secrets.token_urlsafe(REFERENCE_BYTES)
