"""Samples of pages while the public record stands still, and of a log that succeeds one that lost entries."""

from dataclasses import replace
from datetime import timedelta

from api.pages.views.audit import AuditHome
from api.pages.views.desk import DeskHome
from api.pages.views.record import RecordCheck, RecordHome, Succeeded
from api.pages.views.shared import Stopped
from api.publishing import SequencerSilentError
from market.record.publishing.sequencer import LogForkError
from tests.gallery.audit import AUDIT
from tests.gallery.check import RECORD_CHECK
from tests.gallery.desk import DESK
from tests.gallery.frame import NOW, Sample
from tests.gallery.record import CHECKPOINT, PUBLISHED, RECORD, VKEY

SINCE = NOW - timedelta(hours=5)
FORK = LogForkError(size=231_404, signed_size=231_520, where="shelf")
STOPPED = Stopped(SINCE, (FORK.sentence("zh-CN"), SequencerSilentError().sentence("zh-CN")))
STILL = replace(PUBLISHED, stopped=Stopped(SINCE))


def _like(samples: tuple[Sample, ...], name: str) -> Sample:
    return next(sample for sample in samples if sample.name == name)


def _list_samples() -> tuple[Sample, ...]:
    desk, audit = _like(DESK, "desk"), _like(AUDIT, "audit")
    home, check = _like(RECORD, "record-home"), _like(RECORD_CHECK, "record-check")
    assert isinstance(desk.view, DeskHome)
    assert isinstance(audit.view, AuditHome)
    assert isinstance(home.view, RecordHome)
    assert isinstance(check.view, RecordCheck)
    succeeds = Succeeded(
        origin="huigong.example/before",
        vkey=VKEY.replace("linjiang", "before"),
        checkpoint=CHECKPOINT.replace("linjiang", "before").replace("231404", "231520"),
        signed_count=231_520,
        continued_count=231_404,
    )
    return (
        replace(desk, name="desk-stopped", view=replace(desk.view, stopped=STOPPED)),
        replace(audit, name="audit-stopped", view=replace(audit.view, stopped=STOPPED)),
        replace(home, name="record-home-stopped", view=replace(home.view, published=STILL)),
        replace(check, name="record-check-succeeds", view=replace(check.view, published=STILL, succeeds=succeeds)),
    )


STANDING_STILL = _list_samples()
