"""Samples of what the record says of itself: its chart of accounts, its keys, the end of an offer."""

import json

from api.pages import views as v
from api.pages.entries import show_chart, show_fields
from market.record.chart import chart_fields
from market.record.key_changes import KeyChange
from tests.gallery.frame import Sample
from tests.gallery.record import VKEY, bare_entry


def own_entry(kind: str, said: dict[str, object]) -> v.RecordEntry:
    """The page of what the log says without amounts."""
    return bare_entry(
        kind=kind,
        fields=show_fields(said, kind=kind, language="zh-CN", names={}),
        chart=show_chart(said, kind=kind, language="zh-CN"),
        entry_json=json.dumps(
            {**said, "type": kind, "v": 1}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ),
    )


RECORD_OWN: tuple[Sample, ...] = (
    Sample(
        "record-entry-chart",
        "record/entry.html",
        own_entry("account", chart_fields()),
        None,
        "/record/entries/ac1c",
    ),
    Sample(
        "record-entry-key",
        "record/entry.html",
        own_entry("key", KeyChange("replaced", "log", VKEY, VKEY.replace("8b2d4c1f", "20a075ea")).fields()),
        None,
        "/record/entries/ce1c",
    ),
    Sample(
        "record-entry-end",
        "record/entry.html",
        own_entry("offer", {"action": "ended", "offer": "NOODLE10", "version": 3}),
        None,
        "/record/entries/ed1c",
    ),
)
