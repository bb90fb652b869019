"""The code of the card: 8 digits to type and a QR to scan. Pure: keys and the present step are passed in.

QR text: `HG1.<reference>.<device>.<step>.<mac>`. The step counts 30 seconds since 1970; the MAC is the first 10 bytes
of HMAC-SHA256 over everything before it, in base32. There is one spelling only: (card, device, step) is one code.
"""

import base64
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from market.kit.clock import business_day

STEP_SECONDS = 30
ACCEPTED_STEPS = 2
EXPLAINED_STEPS = 20
MAC_BYTES = 10
DIGITS = 8

_QR = re.compile(r"HG1\.([A-Za-z0-9_-]{12})\.([a-z0-9]{1,16})\.([1-9][0-9]{0,8})\.([A-Z2-7]{16})", re.ASCII)
_TYPED = re.compile(r"[0-9]{8}", re.ASCII)
_FILLER = re.compile(r"[\s\-·]+")


@dataclass(frozen=True, slots=True)
class TypedCode:
    """Eight digits as an assistant keyed them."""

    digits: str


@dataclass(frozen=True, slots=True)
class QrCode:
    """What a QR says of itself; nothing of it is believed before `is_genuine`."""

    reference: str
    device: str
    step: int
    mac: str


class Drift(Enum):
    """How the step of a code stands to the present one."""

    ACCEPTED = "accepted"
    EARLY = "early"
    LATE = "late"
    EXPIRED = "expired"


def new_digits() -> str:
    """Eight digits from the system's cryptographic randomness."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def parse_scanned(text: str) -> TypedCode | QrCode | None:
    """What was scanned or typed, or None if it is neither. Spaces, hyphens and full-width digits are forgiven."""
    if len(text) > 100:
        return None
    if found := _QR.fullmatch(text.strip()):
        reference, device, step, mac = found.groups()
        return QrCode(reference=reference, device=device, step=int(step), mac=mac)
    plain = _FILLER.sub("", unicodedata.normalize("NFKC", text))
    return TypedCode(plain) if _TYPED.fullmatch(plain) else None


def step_at(at: datetime) -> int:
    """The step in which an instant falls."""
    return int(at.timestamp()) // STEP_SECONDS


def week_of(step: int) -> str:
    """The ISO week of a step in the business zone, `2026-W48`: the week of the code, not of the moment it is read."""
    year, week, _ = business_day(datetime.fromtimestamp(step * STEP_SECONDS, UTC)).isocalendar()
    return f"{year}-W{week:02d}"


def write_qr(*, reference: str, device: str, step: int, key: bytes) -> str:
    """The text inside a QR."""
    return f"HG1.{reference}.{device}.{step}.{_mac(reference, device, step, key)}"


def is_genuine(qr: QrCode, *, key: bytes) -> bool:
    """Whether the QR was written with this key; compared in constant time."""
    return hmac.compare_digest(_mac(qr.reference, qr.device, qr.step, key), qr.mac)


def drift(step: int, *, now_step: int) -> tuple[Drift, int]:
    """How far a step is off, and by how many minutes (at least 1 when it is refused).

    Within 2 steps it is accepted. Up to 20 steps the reason is worth saying: a wrong clock or a page not refreshed.
    Further back it has expired; further ahead no clock explains it, and it counts as expired too.
    """
    off = step - now_step
    minutes = max(1, (abs(off) * STEP_SECONDS + 30) // 60)
    if abs(off) <= ACCEPTED_STEPS:
        return Drift.ACCEPTED, 0
    if abs(off) > EXPLAINED_STEPS:
        return Drift.EXPIRED, minutes
    return (Drift.EARLY if off > 0 else Drift.LATE), minutes


def _mac(reference: str, device: str, step: int, key: bytes) -> str:
    tag = hmac.digest(key, f"HG1.{reference}.{device}.{step}".encode("ascii"), "sha256")
    return base64.b32encode(tag[:MAC_BYTES]).decode("ascii")
