"""Details of a pharmacy's purchases: opened once their batch is covered, each leads to its root, and nothing that waits is opened."""

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from api.cli import app
from api.details import build_details
from market.kit.database import connect, disconnect, get_engine, transaction
from market.kit.ids import new_id
from market.oversight.details import (
    Asked,
    DetailsNothingError,
    approve_details,
    ask_details,
    get_details,
    read_parts,
)
from market.oversight.models import DetailsRequest
from market.record.details.keys import AuditorSecret
from market.record.details.sealing import seal, unseal
from market.record.entries import commit
from market.record.publishing.batching import make_batches
from market.record.publishing.served import published_size, record_reader
from tests.db.record.chemist import DAYS, MONTH_OVER, Chemist, ask, bodies_of, merkle
from tests.record_log import copy_record
from tests.world import NOON, findings

SECRET = AuditorSecret(bytes(range(32)))
FIRST, SECOND, LAST = date(2026, 12, 1), date(2026, 12, 2), date(2026, 12, 31)
Lines = list[dict[str, Any]]


def request_of(first: date, last: date, *, merchant: str | None = None, at: datetime = MONTH_OVER) -> DetailsRequest:
    with transaction() as tx:
        asked = Asked(merchant, first, last, "finding", "why", SECRET.key.text)
        return ask_details(tx, asked=asked, by=new_id(), at=at)


def open_all(request: DetailsRequest, *, at: datetime = MONTH_OVER) -> bytes:
    with transaction() as tx:
        approve_details(tx, request_id=request.id, by=new_id(), at=at)
    build_details(request_id=request.id, at=at)
    return b"".join(read_parts(request_id=request.id))


def lines_of(data: bytes) -> Lines:
    return [json.loads(line) for line in b"".join(unseal(SECRET, io.BytesIO(data))).splitlines()]


def sales_in(lines: Lines) -> list[str]:
    return [line.get("sale") or json.loads(line["entry"])["id"] for line in lines if "sale" in line or "entry" in line]


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), merkle(leaves[k:])]
    return [*path(m - k, leaves[k:]), merkle(leaves[:k])]


def leaf(body: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + body).digest()


def audit(data: bytes, folder: Path) -> tuple[int, str]:
    """As the auditor does it: a mirror of the record, the file, his key, no database."""
    with transaction() as tx:
        record = copy_record(record_reader(tx), folder / new_id().hex, published_size(tx))
    url = str(get_engine().url.render_as_string(hide_password=False))
    disconnect()
    key, file = folder / "auditor.key", folder / "details.sealed"
    key.touch(mode=0o600)
    key.write_text(SECRET.text)
    file.write_bytes(data)
    found = CliRunner().invoke(app, ["audit", str(record), "--details", str(file), "--key", str(key)])
    connect(url)
    return found.exit_code, found.output


def test_a_batch_is_opened_once_it_is_covered_and_what_waits_never(shop: Chemist) -> None:
    early = shop.sell_many(5)
    noodles = shop.sell(noodles=True, at=NOON + timedelta(hours=1))
    shop.publish(NOON + timedelta(hours=3))
    request = request_of(FIRST, LAST)
    assert (request.sales_count, request.batched_count) == (1, 0)
    with pytest.raises(DetailsNothingError):
        request_of(FIRST, LAST, merchant="m_0009")
    with transaction() as tx:
        assert make_batches(tx, policy=shop.policy, at=NOON + DAYS).purchases == 5
    with pytest.raises(DetailsNothingError):
        request_of(FIRST, LAST, merchant="m_0009")  # it has a batch, which no checkpoint covers
    shop.publish(NOON + DAYS)
    late = shop.sell_many(2, at=NOON + DAYS)
    assert sales_in(lines_of(open_all(request))) == [noodles], "what was approved is what is opened"
    request = request_of(FIRST, SECOND)
    assert (request.sales_count, request.batched_count) == (6, 5)
    lines = lines_of(open_all(request))
    assert {*sales_in(lines)} == {*early, noodles}
    assert not [sale for sale in late if sale in json.dumps(lines)]
    assert request_of(FIRST, FIRST, merchant="m_0009").sales_count == 5
    with pytest.raises(DetailsNothingError):
        request_of(SECOND, LAST)
    shop.publish(MONTH_OVER)
    request = request_of(SECOND, SECOND)
    assert (request.sales_count, request.batched_count) == (2, 2)
    assert {*sales_in(lines_of(open_all(request)))} == {*late}
    assert findings() == []


def test_each_sale_of_a_batch_leads_to_its_root_and_opens(shop: Chemist) -> None:
    shop.sell_many(7)
    shop.publish(NOON + DAYS)
    head, *rest = lines_of(open_all(request_of(FIRST, FIRST)))
    assert (head["format"], head["sales"], head["erased"]) == ("huigong-details/2", 7, 0)
    [batch] = shop.batches()
    [(place,)] = ask("SELECT leaf_index FROM entry WHERE type = 'batch'")
    bodies = bodies_of(batch["id"])
    leaves = [leaf(body) for body in bodies]
    [begun] = [line for line in rest if "batch" in line]
    assert begun == {"index": place, "batch": batch["id"], "sales": 7}
    opened = [line for line in rest if "entry" in line]
    assert [line["batch_index"] for line in opened] == list(range(7))
    for line, body in zip(opened, bodies, strict=True):
        assert set(line) == {"index", "batch_index", "path", "entry", "basket", "facts"}, "no subject"
        assert (line["index"], line["entry"].encode()) == (place, body)
        assert [base64.b64decode(one) for one in line["path"]] == path(line["batch_index"], leaves)
        for name in ("basket", "facts"):
            salt = base64.b64decode(line[name]["salt"])
            assert commit(salt, line[name]["text"].encode()) == json.loads(body)[name]


def test_the_audit_prices_each_again_and_says_how_much_of_each_batch_is_open(shop: Chemist, tmp_path: Path) -> None:
    shop.sell_many(5)
    shop.publish(NOON + DAYS)
    shop.sell_many(2, at=NOON + DAYS)
    shop.sell_many(1, at=NOON + 2 * DAYS)
    shop.publish(MONTH_OVER)
    data = open_all(request_of(FIRST, SECOND))
    shop.publish(MONTH_OVER + timedelta(hours=1))
    code, said = audit(data, tmp_path)
    assert code == 0, said
    assert "7 of 7 sales opened, 0 erased, 7 priced again" in said
    whole, part = [line for line in said.splitlines() if line.startswith("batch ")]
    assert whole.endswith(": 5 of 5 sales opened, which come to its sums and offers")
    assert part.endswith(": 2 of 3 sales opened")

    plain = b"".join(unseal(SECRET, io.BytesIO(data)))
    forged = plain.replace(b'\\"unit_price\\":1200', b'\\"unit_price\\":1300', 1)
    assert forged != plain
    code, said = audit(b"".join(seal(SECRET.key, [forged])), tmp_path)
    assert (code, ", basket: " in said) == (1, True), said


def test_sales_of_who_was_erased_stay_closed_in_a_batch_too(shop: Chemist, tmp_path: Path) -> None:
    shop.sell_many(5)
    shop.publish(NOON + DAYS)
    request = request_of(FIRST, FIRST)
    with transaction() as tx:
        tx.execute(text("DELETE FROM vault.person_key"))
    data = open_all(request)
    shop.publish(NOON + DAYS + timedelta(hours=1))
    head, *rest = lines_of(data)
    assert (head["sales"], head["erased"]) == (5, 5)
    assert sales_in(rest) == []
    code, said = audit(data, tmp_path)
    assert (code, "0 of 5 sales opened, 5 erased" in said) == (0, True), said


def test_a_request_from_before_opens_what_was_approved_in_the_earlier_form(shop: Chemist, tmp_path: Path) -> None:
    shop.sell_many(5)
    noodles = shop.sell(noodles=True, at=NOON + timedelta(hours=1))
    shop.publish(NOON + DAYS)
    request = request_of(FIRST, FIRST)
    with transaction() as tx:
        tx.execute(text("ALTER TABLE details_request DISABLE TRIGGER moves_forward"))
        tx.execute(text("UPDATE details_request SET sales_count = 1, batched_count = NULL"))
        tx.execute(text("ALTER TABLE details_request ENABLE TRIGGER moves_forward"))
        request = get_details(tx, request_id=request.id)
    data = open_all(request)
    shop.publish(NOON + DAYS + timedelta(hours=1))
    head, *rest = lines_of(data)
    assert head["format"] == "huigong-details/1"
    assert sales_in(rest) == [noodles]
    code, said = audit(data, tmp_path)
    assert (code, "huigong-details/1: of sales in batches" in said) == (0, True), said


def test_how_many_are_batched_is_fixed_when_it_is_asked(shop: Chemist) -> None:
    shop.sell_many(5)
    shop.publish(NOON + DAYS)
    request_of(FIRST, FIRST)
    for change in ("batched_count = 4", "batched_count = NULL", "batched_count = 6"):
        with pytest.raises(IntegrityError), transaction() as tx:
            tx.execute(text(f"UPDATE details_request SET {change}"))
    assert ask("SELECT batched_count FROM details_request") == [(5,)]
    with pytest.raises(DetailsNothingError):
        request_of(date(9999, 12, 1), date(9999, 12, 31))
