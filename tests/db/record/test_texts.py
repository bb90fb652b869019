"""What a thing is called stands beside its entry, which holds the hash: it cannot be changed unseen, and it can be removed."""

import base64
import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

import cards
from api.app import create_app
from api.commands.remove_text import remove_text as remove_text_command
from api.identity.accounts import create_account, disable_account, grant_role
from market.kit.database import connect, get_engine, transaction
from market.kit.errors import DomainError
from market.kit.settings import get_settings
from market.offers.bulk import NewOffer, load_offers
from market.offers.operations import approve_offer, end_early
from market.record.auditing.audit import audit_log
from market.record.auditing.texts import TextsCheck
from market.record.texts import TextRemovedError, find_texts, remove_text
from merchants.importing import import_merchants
from merchants.operations import add_item, admit_merchant
from tests.db.record.conftest import Log
from tests.world import FIRST, NOODLES, NOON, SECOND, World, findings

HEADER = "商户代码,商户名称,统一社会信用代码,类别,门店代码,门店名称,地址"
ROW = "m_0001,老周面馆,91110108551385082Q,noodles,s_0001,老周面馆（炼钢路店）,炼钢路 8 号"


def entries(kind: str) -> list[dict[str, Any]]:
    with get_engine().connect() as connection:
        rows = connection.execute(text("SELECT body FROM entry WHERE type = :kind ORDER BY id"), {"kind": kind})
        return [json.loads(row.body) for row in rows]


def opened(entry: dict[str, Any]) -> dict[str, str]:
    """What the text beside an entry says, once its hash was made again with nothing but the standard library."""
    with transaction() as tx:
        kept = find_texts(tx, public_ids=[entry["id"]])[entry["id"]]
    assert kept.salt is not None
    assert kept.document is not None
    assert len(kept.salt) == 32
    assert base64.b64encode(hashlib.sha256(kept.salt + kept.document.encode()).digest()).decode() == entry["text"]
    said: dict[str, str] = json.loads(kept.document)
    assert kept.document == json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return said


def read(*rows: str) -> tuple[int, int, list[str]]:
    with transaction() as tx:
        file = io.BytesIO("\n".join([HEADER, *rows]).encode())
        result = import_merchants(tx, file=file, at=NOON + timedelta(days=1))
    return result.changed, result.same, [error.sentence("en") for error in result.errors]


def force(statement: str) -> None:
    """Past every trigger, as only somebody with the database in his hands can."""
    with get_engine().begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(text(statement))


def test_names_titles_and_units_open_the_hashes_in_their_entries(world: World) -> None:
    with transaction() as tx:
        account = create_account(tx, login="officer", name="孙干部", at=NOON)
        grant_role(tx, account_id=account, role="officer", at=NOON, scope_id=world.unit)
        auditor = create_account(tx, login="auditor", name="钱经审", at=NOON)
        grant_role(tx, account_id=auditor, role="auditor", at=NOON)
        disable_account(tx, login="officer", at=NOON)
    (admitted,) = entries("merchant")
    assert opened(admitted) == {"name": "老周面馆", "credit_code": "91110108551385082Q"}
    budget, granted = entries("budget")
    assert opened(budget) == {"title": "lunch"}
    assert "text" not in granted
    noodles, weekday = entries("offer")
    assert opened(noodles) == {"title": "NOODLE10", "title_en": "NOODLE10", "note": ""}
    assert opened(weekday)["title"] == "WEEKDAY1"
    appointed, of_no_unit, ended = entries("post")
    assert opened(appointed) == opened(ended) == {"unit": "兴钢工会"}
    assert appointed["text"] != ended["text"]
    assert "text" not in of_no_unit
    assert findings() == []


def test_a_rename_leaves_an_entry(world: World) -> None:
    assert (
        read(ROW)[2] == read(ROW)[2] == []
    )  # the brackets in the shop's name are written plainly, and that is no entry
    assert len(entries("merchant")) == 1
    assert read(ROW.replace("老周面馆", "老周牛肉面", 1)) == (1, 0, [])
    _, renamed = entries("merchant")
    assert opened(renamed) == {"name": "老周牛肉面", "credit_code": "91110108551385082Q"}
    assert {name: renamed[name] for name in renamed if name not in {"id", "text"}} == {
        "v": 1,
        "type": "merchant",
        "day": "2026-12-02",
        "action": "changed",
        "merchant": "m_0001",
    }
    assert read(ROW.replace("老周面馆", "老周牛肉面", 1).replace("noodles", "food")) == (1, 0, [])
    assert (entries("merchant")[2]["category"], "text" in entries("merchant")[2]) == ("food", False)
    assert read(ROW.replace("老周面馆", "老周牛肉面", 1).replace("noodles", "food").replace("8 号", "9 号"))[0] == 1
    assert len(entries("merchant")) == 3  # what the shop's address is is in no entry
    assert findings() == []


def test_a_text_that_is_stored_already_is_not_published(world: World) -> None:
    """A version of an older release waits, or is ended early by one that differs in its end alone."""
    force("UPDATE offer_version SET terms = terms || jsonb_build_object('group', '王小明') WHERE offer = 'NOODLE10'")
    with transaction() as tx:
        ends = NOON + timedelta(days=1)
        end_early(tx, offer="NOODLE10", ends_at=ends, reason="面粉涨价", proposed_by=FIRST, at=NOON)
    with pytest.raises(DomainError) as refused, transaction() as tx:
        approve_offer(tx, offer="NOODLE10", version=2, approved_by=SECOND, count_class=cards.count_class, at=NOON)
    assert (refused.value.code, refused.value.facts["field"]) == ("OFFER_CONTRADICTS", "terms.group")
    assert len(entries("offer")) == 2


def test_a_version_s_text_holds_its_note_and_that_of_a_load_its_titles(world: World) -> None:
    with transaction() as tx:
        ends = NOON + timedelta(days=1)
        end_early(tx, offer="NOODLE10", ends_at=ends, reason="面粉涨价", proposed_by=FIRST, at=NOON)
        later = NOON + timedelta(minutes=1)
        approve_offer(tx, offer="NOODLE10", version=2, approved_by=SECOND, count_class=cards.count_class, at=later)
        loaded = [NewOffer({**NOODLES, "id": f"LOAD{n}"}, f"第 {n} 个", f"No. {n}", ("m_0001",)) for n in (1, 2)]
        load_offers(tx, offers=loaded, proposed_by=FIRST, approved_by=SECOND, count_class=cards.count_class, at=NOON)
    *_, ended, first, second = entries("offer")
    assert opened(ended) == {"title": "NOODLE10", "title_en": "NOODLE10", "note": "面粉涨价"}
    assert opened(first) == {"title": "第 1 个", "title_en": "No. 1", "note": ""}
    assert opened(second)["title"] == "第 2 个"
    assert findings() == []


def test_a_removed_text_is_gone_and_its_hash_stays(world: World) -> None:
    (before,) = entries("merchant")
    with transaction() as tx:
        remove_text(tx, public_id=before["id"], removed_by="ops (command line)", at=NOON)
    with transaction() as tx:
        kept = find_texts(tx, public_ids=[before["id"]])[before["id"]]
    assert (kept.salt, kept.document, kept.removed_at) == (None, None, NOON)
    with get_engine().connect() as connection:
        stored = connection.execute(text("SELECT row_to_json(t)::text FROM entry_text t WHERE removed_at IS NOT NULL"))
        assert "老周" not in stored.scalar_one()
    assert entries("merchant") == [before]
    assert findings() == []
    for public_id, code in (
        (before["id"], "TEXT_REMOVED"),
        ("0" * 32, "TEXT_UNKNOWN"),
        (entries("budget")[1]["id"], "TEXT_UNKNOWN"),
    ):
        with pytest.raises(DomainError) as refused, transaction() as tx:
            remove_text(tx, public_id=public_id, removed_by="ops (command line)", at=NOON)
        assert refused.value.code == code
        assert all(refused.value.sentence(language) for language in ("zh", "en"))


def test_anybody_reads_and_checks_them(
    world: World, log: Log, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUIGONG_DATABASE_URL", database_url)
    get_settings.cache_clear()
    log.run()
    world.budget("late", 1_000)
    ids = {
        (entry["type"], entry.get("budget")): entry["id"]
        for entry in reversed([*entries("merchant"), *entries("budget")])
    }
    merchant = ids["merchant", None]
    with TestClient(create_app(), follow_redirects=False) as client:

        def audit() -> tuple[list[str], int, int]:
            def read(path: str) -> bytes | None:
                answer = client.get(f"/record/{path}")
                assert answer.status_code in {200, 404, 410}
                return answer.content if answer.status_code == 200 else None

            check = TextsCheck(read)
            found = audit_log(read, companions=[check]).findings
            return [f"{one.rule} {one.public_id}" for one in found], check.opened, check.absent

        assert audit() == ([], 4, 0)  # a merchant, a budget, two offers
        file = client.get(f"/record/entries/{merchant}.text").json()
        salted = base64.b64decode(file["salt"]) + file["text"].encode()
        assert base64.b64encode(hashlib.sha256(salted).digest()).decode() == entries("merchant")[0]["text"]
        assert "91110108551385082Q" in client.get(f"/record/entries/{merchant}").text
        assert f'href="/record/entries/{merchant}">老周面馆</a>' in client.get("/record/merchants/m_0001").text
        noodles = entries("offer")[0]["id"]
        assert f"/record/entries/{noodles}.text" in client.get("/record/offers/NOODLE10").text
        for nothing in (ids["budget", "late"], "0" * 32, entries("budget")[1]["id"]):
            answer = client.get(f"/record/entries/{nothing}.text")
            assert (answer.status_code, "这条记录旁边没有文字" in answer.text) == (404, True)
        force("UPDATE entry_text SET document = replace(document, 'NOODLE10', 'NOODLE20')")
        assert audit() == ([f"texts {noodles}"], 3, 0)
        with transaction() as tx:
            remove_text(tx, public_id=merchant, removed_by="ops (command line)", at=NOON)
        answer = client.get(f"/record/entries/{merchant}.text", headers={"accept-language": "en"})
        assert (answer.status_code, "was removed on 2026-12-01" in answer.text) == (410, True)
        assert "已于2026年12月1日移除" in client.get(f"/record/entries/{merchant}").text
        assert "（已移除）" in client.get("/record/merchants/m_0001").text
        assert audit() == ([f"texts {noodles}"], 2, 1)
    get_settings.cache_clear()


def test_the_command_removes_what_it_was_shown(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HUIGONG_RECORD_FOLDER", str(tmp_path))
    monkeypatch.setenv("HUIGONG_DATABASE_URL", database_url)
    get_settings.cache_clear()
    (entry,) = entries("merchant")
    cli = typer.Typer()
    cli.command()(remove_text_command)

    def run(*words: str, answer: str = "") -> Result:
        done = CliRunner().invoke(cli, [entry["id"], *words], input=answer)
        connect(database_url)  # the command closed it behind itself
        return done

    said = run(answer="n\n")
    assert (said.exit_code, "老周面馆" in said.output) == (1, True)
    assert opened(entry)["name"] == "老周面馆"
    assert run(answer="y\n").exit_code == 0
    with transaction() as tx:
        assert find_texts(tx, public_ids=[entry["id"]])[entry["id"]].removed_at is not None
    assert isinstance(run("--yes").exception, TextRemovedError)
    assert (tmp_path / "removed-texts").read_text() == f"{entry['id']}\n"
    get_settings.cache_clear()


FORGED = {
    "another name": (
        "UPDATE entry_text SET document = replace(document, '老周面馆', '老王面馆')",
        ["texts: entry {merchant}: the text beside it is not the one that was hashed", "names: merchant m_0001: "],
    ),
    "another salt": (
        "UPDATE entry_text SET salt = sha256('x') WHERE document LIKE '%credit_code%'",
        ["texts: entry {merchant}: the text beside it is not the one that was hashed"],
    ),
    "another spelling": (
        "UPDATE entry_text SET document = document || ' ' WHERE document LIKE '%credit_code%'",
        ["texts: entry {merchant}: the text beside it is not the one that was hashed"],
    ),
    "a text lost": (
        "DELETE FROM entry_text WHERE document LIKE '%credit_code%'",
        ["texts: entry {merchant}: the text beside it is gone, and nobody removed it"],
    ),
    "a text that was never hashed": (
        """INSERT INTO entry_text (entry_id, salt, document) SELECT id, sha256('x'), '{}' FROM entry
        WHERE type = 'budget' AND convert_from(body, 'UTF8') LIKE '%granted%'""",
        ["texts: entry {granted}: a text stands beside it, and it holds no hash of one", "names: budget lunch: "],
    ),
    "a merchant renamed unseen": (
        "UPDATE merchant SET name = '老王面馆'",
        ["names: merchant m_0001: it is called otherwise than the text beside its entry says"],
    ),
    "another business under the same code": (
        "UPDATE merchant SET credit_code = '91110108551385083N'",
        ["names: merchant m_0001: it is called otherwise than the text beside its entry says"],
    ),
    "a budget for something else": (
        "UPDATE budget SET title = '招待'",
        ["names: budget lunch: it is called otherwise than the text beside its entry says"],
    ),
    "an offer called otherwise": (
        "UPDATE offer_version SET title_en = 'Tea' WHERE offer = 'WEEKDAY1'",
        ["names: offer WEEKDAY1 version 1: it is called otherwise than the text beside its entry says"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_what_was_forged_is_found(world: World, name: str) -> None:
    statement, expected = FORGED[name]
    force(statement)
    ids = {"merchant": entries("merchant")[0]["id"], "granted": entries("budget")[1]["id"]}
    found = findings()
    assert len(found) == len(expected)
    for one, begins in zip(found, expected, strict=True):
        assert one.startswith(begins.format(**ids))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry_text SET document = 'x'",
        "UPDATE entry_text SET removed_at = now(), removed_by = 'me'",  # and the text stays
        "UPDATE entry_text SET salt = NULL, document = NULL",  # and nobody did it
        "UPDATE entry_text SET entry_id = (SELECT id FROM entry WHERE type = 'budget' LIMIT 1) WHERE document LIKE '%name%'",
        "DELETE FROM entry_text",
        "TRUNCATE entry_text",
        "INSERT INTO entry_text (entry_id, salt, document) SELECT id, 'short', '{}' FROM entry WHERE type = 'budget'",
    ],
)
def test_the_database_lets_a_text_only_be_taken_away(world: World, statement: str) -> None:
    with pytest.raises(DBAPIError), get_engine().begin() as connection:
        connection.execute(text(statement))


def test_a_removed_text_is_not_put_back(world: World) -> None:
    (entry,) = entries("merchant")
    with transaction() as tx:
        remove_text(tx, public_id=entry["id"], removed_by="ops (command line)", at=NOON)
    put_back = "UPDATE entry_text SET salt = sha256('x'), document = '{}', removed_at = NULL, removed_by = NULL"
    with pytest.raises(DBAPIError, match="taken away"), get_engine().begin() as connection:
        connection.execute(text(f"{put_back} WHERE removed_at IS NOT NULL"))


def test_categories_and_items_are_codes_where_they_are_entered(world: World) -> None:
    assert read(ROW.replace("noodles", "面馆"))[2] == [
        "row 2, category: is a code of small letters, digits, _ and -, such as food"
    ]
    item = {"merchant_id": world.merchant, "sku": "beef", "name": "牛肉面", "category": "noodles", "price_fen": 1600}
    for changes in ({"sku": "牛肉面"}, {"category": "面 食"}):
        with pytest.raises(DomainError) as refused, transaction() as tx:
            add_item(tx, **{**item, **changes})
        assert refused.value.code == "MERCHANT_TERMS_WRONG"
        assert refused.value.facts["field"] in changes
    with pytest.raises(DomainError) as refused, transaction() as tx:
        admit_merchant(tx, code="m_0002", name="老李", credit_code="91110108551385083N", category="面馆", at=NOON)
    assert refused.value.facts["field"] == "category"
