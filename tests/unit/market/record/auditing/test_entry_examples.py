"""docs/entries.md tells the truth: each block is an entry as it is written, and all of them are one log in which nothing is to be found."""

import json
import re

import pytest
import rfc8785

from market.record.auditing.audit import Audited, audit_log
from market.record.auditing.finding import Entry
from market.record.auditing.forms import check_form, list_kinds, read_entry
from market.record.log.checkpoints import open_checkpoint
from market.record.policy import parse_policy
from tests.one_of_each import PAGE, read_page
from tests.record_log import change, files_of

ENTRIES, CHECKPOINT = read_page()
BODIES = [body for _, body in sorted(ENTRIES)]


def audit(bodies: list[bytes]) -> Audited:
    return audit_log((files_of(bodies) | {"checkpoint": CHECKPOINT}).get)


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_block_is_canonical_small_and_of_its_form(body: bytes) -> None:
    assert rfc8785.dumps(json.loads(body)) == body
    assert len(body) <= 65_535
    entry = read_entry(0, body)
    assert isinstance(entry, Entry)
    assert list(check_form(entry)) == []


def test_the_page_shows_every_type_and_action_and_both_kinds_of_batches_and_offers() -> None:
    said = [json.loads(body) for body in BODIES]
    assert {(one["type"], one.get("action", "")) for one in said} == list_kinds()
    assert {one["of"] for one in said if one["type"] == "batch"} == {"sale", "return"}
    assert {"audience" in one for one in said if "terms" in one} == {True, False}
    assert {
        name for one in said if one.get("action") == "changed" for name in ("category", "publication") if name in one
    } == {
        "category",
        "publication",
    }


def test_no_block_is_passed_over() -> None:
    assert [place for place, _ in sorted(ENTRIES)] == list(range(len(ENTRIES)))
    assert len(re.findall("^```", PAGE.read_text(), re.MULTILINE)) == 2 * len(ENTRIES) + 2


def test_the_blocks_are_one_log_that_the_audit_accepts_under_the_checkpoint_on_the_page() -> None:
    audited = audit(BODIES)
    assert audited.findings == []
    assert audited.replayed == len(BODIES)
    policy = parse_policy([body for body in BODIES if b'"type":"policy"' in body][-1])
    assert open_checkpoint(CHECKPOINT, key=policy.log, origin=policy.origin).checkpoint.size == len(BODIES)


def test_the_audit_would_say_if_an_amount_on_the_page_were_another_one() -> None:
    place = next(place for place, body in enumerate(BODIES) if b'"type":"sale"' in body)
    other = [change(body, paid=1) if number == place else body for number, body in enumerate(BODIES)]
    assert {"hashes", "amounts"} <= {finding.rule for finding in audit(other).findings}
