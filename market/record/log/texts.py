"""What the log's text formats have in common. Strict: every value has one spelling, so that what was read is written back as it was."""

import base64
import binascii
import re

from market.record.log.errors import MalformedError
from market.record.log.tree import HASH_SIZE

MAX_SIZE = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648, section 4)."""
    return base64.b64encode(data).decode()


def decode_base64(text: str, part: str, where: str) -> bytes:
    """The bytes of standard base64, in its one canonical spelling."""
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise MalformedError(part, where, "this is not base64") from None
    if encode_base64(data) != text:
        raise MalformedError(part, where, "this base64 is not in its canonical spelling")
    return data


def decode_hash(text: str, part: str, where: str) -> bytes:
    """A SHA-256 hash in base64."""
    data = decode_base64(text, part, where)
    if len(data) != HASH_SIZE:
        raise MalformedError(part, where, f"a hash has {HASH_SIZE} bytes, this has {len(data)}")
    return data


def decode_number(text: str, part: str, where: str) -> int:
    """A number from 0 to 2^63 - 1 in ASCII digits without leading zeroes."""
    if not _DECIMAL.fullmatch(text) or (number := int(text)) > MAX_SIZE:
        raise MalformedError(part, where, "this is not a plain decimal number below 2^63")
    return number


def decode_text(data: bytes, part: str) -> str:
    """UTF-8 without control characters but the newline (C2SP signed-note, Format)."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(part, f"byte {error.start}", "this is not UTF-8") from None
    check_text(text, part)
    return text


def check_text(text: str, part: str) -> None:
    """Refuse what a signed note must not contain: control characters but the newline, and what UTF-8 cannot say."""
    for number, line in enumerate(text.split("\n"), start=1):
        if any(character < " " or "\ud800" <= character <= "\udfff" for character in line):
            raise MalformedError(part, f"line {number}", "there is a control character or half a surrogate pair")


def check_name(name: str, part: str, where: str) -> None:
    """Refuse a key name that is empty or has a space, a plus sign or a control character (C2SP signed-note, Format)."""
    if not name or "+" in name or any(character.isspace() for character in name):
        raise MalformedError(part, where, "a key name is not empty and has neither spaces nor plus signs")
    check_text(name, part)
