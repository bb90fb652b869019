"""The code of the card: what is read, what is believed, and how far a clock may be off."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.code import (
    Drift,
    QrCode,
    TypedCode,
    drift,
    is_genuine,
    new_digits,
    parse_scanned,
    step_at,
    week_of,
    write_qr,
)

KEY = bytes(range(32))
NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
STEP = step_at(NOON)
QR = write_qr(reference="abcDEF123-_x", device="web", step=STEP, key=KEY)


@pytest.mark.parametrize(
    "typed", ["12345678", "1234 5678", " 1234-5678 ", "１２３４５６７８", "1234　5678", "1234·5678", "12 34 56 78\n"]
)
def test_eight_digits_are_read_however_they_are_grouped(typed):
    assert parse_scanned(typed) == TypedCode("12345678")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1234567",
        "123456789",
        "1234567a",
        "١٢٣٤٥٦٧٨",
        "0" * 5000,
        "https://example.cn/",
        "HG1",
        "HG2" + QR[3:],
        QR[:-1],
        QR + "A",
        QR.lower(),
        QR.replace(".web.", ".WEB."),
        QR.replace(f".{STEP}.", f".0{STEP}."),
        QR.replace(f".{STEP}.", ".99999999999999999999."),
        QR.replace(f".{STEP}.", ".-1."),
        QR.replace("abcDEF", "abc.EF"),
        QR + "\n" + QR,
    ],
)
def test_anything_else_is_neither(text):
    assert parse_scanned(text) is None


def test_a_qr_is_read_and_believed_only_under_its_own_key():
    qr = parse_scanned(f" {QR}\n")
    assert isinstance(qr, QrCode)
    assert (qr.reference, qr.device, qr.step) == ("abcDEF123-_x", "web", STEP)
    assert len(qr.mac) * 5 >= 64
    assert is_genuine(qr, key=KEY)
    assert not is_genuine(qr, key=bytes(32))


@pytest.mark.parametrize(
    ("changed", "to"), [("abcDEF123-_x", "abcDEF123-_y"), (".web.", ".wec."), (f".{STEP}.", f".{STEP + 1}.")]
)
def test_a_qr_with_any_part_changed_is_not_genuine(changed, to):
    forged = parse_scanned(QR.replace(changed, to))
    assert isinstance(forged, QrCode)
    assert not is_genuine(forged, key=KEY)


@given(place=st.integers(0, 15), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_mac_has_one_spelling_only(place, letter):
    mac = QR[-16:]
    spelt = QR[:-16] + mac[:place] + letter + mac[place + 1 :]
    qr = parse_scanned(spelt)
    assert isinstance(qr, QrCode)
    assert is_genuine(qr, key=KEY) == (spelt == QR)


@pytest.mark.parametrize(
    ("off", "verdict", "minutes"),
    [
        (0, Drift.ACCEPTED, 0),
        (1, Drift.ACCEPTED, 0),
        (-2, Drift.ACCEPTED, 0),
        (2, Drift.ACCEPTED, 0),
        (-3, Drift.LATE, 2),
        (3, Drift.EARLY, 2),
        (-8, Drift.LATE, 4),
        (8, Drift.EARLY, 4),
        (-20, Drift.LATE, 10),
        (20, Drift.EARLY, 10),
        (-21, Drift.EXPIRED, 11),
        (21, Drift.EXPIRED, 11),
        (-100_000, Drift.EXPIRED, 50_000),
    ],
)
def test_the_drift_table(off, verdict, minutes):
    assert drift(STEP + off, now_step=STEP) == (verdict, minutes)


def test_a_step_lasts_30_seconds_of_unix_time():
    assert step_at(datetime(1970, 1, 1, 0, 0, 29, tzinfo=UTC)) == 0
    assert step_at(datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC)) == 1


@pytest.mark.parametrize(
    ("at", "week"),
    [
        (datetime(2026, 11, 22, 15, 59, 30, tzinfo=UTC), "2026-W47"),  # Sunday 23:59:30 in Shanghai
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "2026-W48"),  # Monday 00:00
        (datetime(2027, 1, 3, 4, 0, tzinfo=UTC), "2026-W53"),
    ],
)
def test_the_week_of_a_code_begins_on_monday_in_the_business_zone(at, week):
    assert week_of(step_at(at)) == week


def test_typed_digits_are_eight_and_spread_out():
    digits = [new_digits() for _ in range(2000)]
    assert all(len(code) == 8 and code.isascii() and code.isdigit() for code in digits)
    assert len(set(digits)) > 1995
    assert {code[0] for code in digits} == set("0123456789")
