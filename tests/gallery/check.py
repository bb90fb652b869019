"""Samples of the page that says how to check the record without trusting it."""

from datetime import timedelta

from api.pages import views as v
from tests.gallery.frame import NOW, Sample
from tests.gallery.record import CHECKPOINT, CLOSED, PUBLISHED, VKEY

RECORD_CHECK: tuple[Sample, ...] = (
    Sample(
        "record-check",
        "record/check.html",
        v.RecordCheck(
            address="https://huigong.example",
            origin="huigong.example/linjiang",
            vkey=VKEY,
            promise=VKEY.replace("/linjiang+", "/linjiang/promise+"),
            checkpoint=CHECKPOINT,
            window_seconds=3600,
            witnesses=(
                v.WitnessShown(name="witness.example/city", is_own=False, since_at=None, checkpoints_count=0),
                v.WitnessShown(
                    name="witness.example/law", is_own=True, since_at=NOW - timedelta(days=40), checkpoints_count=960
                ),
            ),
            own_check=v.OwnCheck(at=NOW, entries_count=231_404, findings_count=0),
            published=PUBLISHED,
        ),
        None,
        "/record/check-it-yourself",
    ),
    Sample(
        "record-check-closed",
        "record/check.html",
        v.RecordCheck(
            address="http://127.0.0.1:8000",
            origin=None,
            vkey=None,
            promise=None,
            checkpoint=None,
            window_seconds=None,
            witnesses=(),
            own_check=None,
            published=CLOSED,
        ),
        None,
        "/record/check-it-yourself",
    ),
)
