"""Receipts through the whole application: the promise at the sale, the file of its member, and the page where anybody checks it."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from starlette.testclient import TestClient
from typer.testing import CliRunner

import cards
from api import till as till_door
from api.cli import app
from api.logs import configure_logs
from api.public_log import open_log, promise_folder, renew_key, run_round
from api.receipts import get_sale_entry
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.settings import get_settings
from market.record.models import Entry
from market.record.policy import Policy
from market.record.publishing.keyring import key_path
from market.record.publishing.served import find_policy
from market.record.receipts import Keys, Receipt, parse_receipt, verify_receipt
from tests.unit.market.record import noodles
from tests.web.conftest import Works, browse, csrf_in
from tests.web.market import add_member, flat, issue, open_market
from tests.web.test_member_pages import card_of, sell

Enter = Callable[[str], TestClient]
WINDOW_SECONDS = 5


@pytest.fixture
def folder(app_settings: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where this installation keeps the keys of its record."""
    app_settings.setenv("HUIGONG_RECORD_FOLDER", str(tmp_path))
    get_settings.cache_clear()
    return tmp_path


@pytest.fixture
def market(works: Works, folder: Path) -> Works:
    """Offers in force; nobody has opened the log."""
    open_market()
    return works


@pytest.fixture
def policy(market: Works) -> Policy:
    """The same with an open log."""
    return open_log(get_settings(), origin="test.example/log", window_seconds=WINDOW_SECONDS, at=now())


@pytest.fixture
def member(policy: Policy, enter: Enter) -> Iterator[TestClient]:
    """The member in his browser."""
    return enter("member")


def publish() -> None:
    """A round of the sequencer, when the windows of everything until now are over."""
    run_round(get_settings(), at=now() + timedelta(seconds=WINDOW_SECONDS))


def fetch(member: TestClient, sale: str, query: str = "") -> Receipt:
    answer = member.get(f"/receipts/{sale}/file{query}")
    assert answer.status_code == 200, answer.text
    return parse_receipt(answer.content)


def check(policy: Policy, receipt: Receipt, at: datetime | None = None) -> Any:
    return verify_receipt(receipt, keys=Keys((policy.log,), (policy.promise,)), at=at or now())


def post(client: TestClient, *, file: bytes | None = None, text: str = "", lang: str = "zh-CN") -> Any:
    token = csrf_in(client.get("/record/check").text)
    files = {"file": ("receipt.json", file or b"", "application/json")}
    return client.post(f"/record/check?lang={lang}", data={"csrf_token": token, "text": text}, files=files)


def holds_under(policy: Policy, note: str, entry: bytes) -> datetime:
    """The promise checked with nothing of ours: RFC 8032 over the text, RFC 6962's leaf hash, C2SP's key id."""
    text, _, line = note.partition("\n\n")
    name, signature = re.fullmatch(r"— (\S+) (\S+)\n", line).groups()
    key = policy.promise.public
    raw = base64.b64decode(signature)
    assert name == "test.example/log/promise"
    assert raw[:4] == hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]
    Ed25519PublicKey.from_public_bytes(key).verify(raw[4:], f"{text}\n".encode())
    origin, leaf, by = text.split("\n")
    assert origin == "test.example/log/promise"
    assert base64.b64decode(leaf) == hashlib.sha256(b"\0" + entry).digest()
    return datetime.strptime(by, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


# --- the promise at the sale ------------------------------------------------------------------------------------------


@pytest.fixture
def till(client: TestClient, new_token: Callable[[str | None], str]) -> TestClient:
    """A till of another maker, at a market of which nobody has said yet whether its log is open."""
    client.headers["authorization"] = f"Bearer {new_token('assistant')}"
    return client


def redeem(till: TestClient, works: Works, key: str = "one-intent", visit: str = "") -> tuple[Any, str]:
    """The till's answer to a sale, and the visit it was made in."""
    visit = visit or till.post("/api/till/visits", json={"code": issue(works).code}).json()["visit"]
    body = {"visit": visit, "basket": {"joining_fen": 1600, "other_fen": 200}}
    answer = till.post("/api/till/sales", json=body, headers={"idempotency-key": key})
    assert answer.status_code == 201, answer.text
    return answer.json(), visit


def entry_of(sale: str) -> bytes:
    with transaction() as tx:
        return get_sale_entry(tx, public_id=sale).body


def leaf_of(sale: str) -> str:
    return hashlib.sha256(b"\0" + entry_of(sale)).hexdigest()


def test_the_till_is_answered_with_a_promise_that_holds(till: TestClient, policy: Policy, works: Works) -> None:
    before = now()
    sale, visit = redeem(till, works)
    by = holds_under(policy, sale["promise"], entry_of(sale["sale"]))
    assert timedelta(seconds=60) <= by - before.replace(microsecond=0) <= timedelta(seconds=60 + WINDOW_SECONDS + 5)
    assert redeem(till, works, visit=visit)[0] == sale
    assert till.get(f"/api/till/sales/{sale['sale']}").json()["promise"] == sale["promise"]


def test_no_promise_is_said_to_be_none_while_the_log_is_not_open(till: TestClient, market: Works) -> None:
    sale, _ = redeem(till, market)
    assert sale["promise"] is None


def test_a_promise_key_that_cannot_be_read_stops_no_sale(till: TestClient, policy: Policy, works: Works) -> None:
    key_path(promise_folder(get_settings(), policy.origin), "promise", policy.promise).unlink()
    sale, _ = redeem(till, works)
    assert sale["promise"] is None


def test_a_sale_keeps_its_promise_when_the_keys_change(till: TestClient, policy: Policy, works: Works) -> None:
    sale, _ = redeem(till, works)
    renew_key(get_settings(), which="promise", at=now())
    later, _ = redeem(till, works, "another-intent")
    assert till.get(f"/api/till/sales/{sale['sale']}").json()["promise"] == sale["promise"]
    with transaction() as tx:
        renewed = find_policy(tx)
    assert renewed.promise != policy.promise
    holds_under(renewed, later["promise"], entry_of(later["sale"]))


def test_the_tills_page_shows_the_promise_and_that_there_is_none(
    market: Works, enter: Enter, client: TestClient
) -> None:
    page = f"/till/sales/{sell(market, 1600, 200)}/done"
    assert "现在给不出签名的承诺" in enter("assistant").get(page).text
    open_log(get_settings(), origin="test.example/log", window_seconds=WINDOW_SECONDS, at=now())
    shown = client.get(page).text
    assert "已签名承诺：最迟" in shown
    assert "test.example/log/promise" in shown


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_file_holds_a_promise_at_once_and_a_proof_after_a_round(
    member: TestClient, policy: Policy, works: Works
) -> None:
    sale = sell(works, 1600, 200)
    young = fetch(member, sale)
    assert young.proof is None
    assert check(policy, young).outcome == "promised"
    publish()
    grown = fetch(member, sale)
    verdict = check(policy, grown)
    assert verdict.outcome == "proved"
    assert {step.state for step in verdict.steps} == {"holds"}, verdict.steps
    assert (grown.promise, grown.entry) == (young.promise, young.entry)
    assert len(grown.offers) == 2


def test_what_was_made_before_the_log_was_opened_is_promised_from_then_on(market: Works, enter: Enter) -> None:
    sale = sell(market, 1600, 200)
    member = enter("member")
    assert "现在给不出签名的承诺" in member.get(f"/receipts/{sale}").text
    refused = member.get(f"/receipts/{sale}/file")
    assert refused.status_code == 409
    assert "公开台账还没有开启" in refused.text
    policy = open_log(get_settings(), origin="test.example/log", window_seconds=WINDOW_SECONDS, at=now())
    assert check(policy, fetch(member, sale)).outcome == "promised"


def test_another_members_receipt_is_as_unknown_as_none(member: TestClient, works: Works) -> None:
    sale = sell(works, 1600, member_id=add_member(works))
    for path in (f"/receipts/{sale}/file", f"/receipts/{'0' * 32}/file"):
        answer = member.get(path)
        assert answer.status_code == 404
        assert "您没有这张小票" in answer.text


def test_the_one_to_show_tells_neither_the_person_nor_the_facts(
    member: TestClient, policy: Policy, works: Works
) -> None:
    sale = sell(works, 1600, 200)
    publish()
    whole, shown = fetch(member, sale), fetch(member, sale, "?facts=0&subject=0")
    assert set(whole.documents) == {"subject", "basket", "facts"}
    assert (set(shown.documents), shown.offers) == ({"basket"}, ())
    assert set(fetch(member, sale, "?facts=0").documents) == {"subject", "basket"}
    assert check(policy, shown).outcome == "proved"
    secrets = [*json.loads(whole.documents["subject"].body), "UNION1", "now"]
    assert not [secret for secret in secrets if f'"{secret}' in shown.encode().decode().replace("\\", "")]


def test_the_file_is_a_download_that_nobody_keeps(member: TestClient, works: Works) -> None:
    sale = sell(works, 1600)
    headers = member.get(f"/receipts/{sale}/file").headers
    assert headers["content-disposition"] == f'attachment; filename="huigong-receipt-{sale[:8]}.json"'
    assert headers["cache-control"] == "no-store"


def test_a_receipt_holds_after_the_keys_were_changed(member: TestClient, policy: Policy, works: Works) -> None:
    sale = sell(works, 1600, 200)
    publish()
    renew_key(get_settings(), which="log", at=now())
    renew_key(get_settings(), which="promise", at=now())
    assert check(policy, fetch(member, sale)).outcome == "proved"  # the newest checkpoint is still the old key's
    publish()
    receipt = fetch(member, sale)
    assert receipt.log != policy.log
    assert receipt.promise_key == policy.promise
    assert verify_receipt(receipt, keys=None, at=now()).outcome == "proved"
    assert "is-good" in post(member, file=receipt.encode()).text


def test_the_page_of_a_receipt_follows_its_entry(member: TestClient, policy: Policy, works: Works) -> None:
    sale = sell(works, 1600, 200)
    page = member.get(f"/receipts/{sale}").text
    assert "已签名承诺，等待入账" in page
    assert f'href="/receipts/{sale}/file?facts=0&amp;subject=0"' in page
    assert f'href="http://testserver/record/check?entry={sale}#{leaf_of(sale)}"' in page
    publish()
    assert re.search(r"已入公开台账</strong>第 \d+ 条", flat(member.get(f"/receipts/{sale}").text))


def test_an_overdue_promise_is_said_on_the_receipt_and_by_the_check(market: Works, enter: Enter) -> None:
    """Nobody runs the sequencer of a log that was opened an hour ago."""
    ago = now() - timedelta(hours=1)
    open_log(get_settings(), origin="test.example/log", window_seconds=WINDOW_SECONDS, at=ago)
    with transaction() as tx:  # the sale's own clock is that of the till
        code = cards.issue_code(tx, card_id=card_of(market.member_id), at=ago).code
    visit = till_door.open_visit_at_till(staff_id=market.staff_id, scanned=code, at=ago).visit_id
    sale = till_door.redeem_at_till(
        staff_id=market.staff_id, visit_id=visit, keyed=till_door.AmountsKeyed(1600, 0), key="an-hour-ago", at=ago
    ).public_id
    member = enter("member")
    assert "过了承诺的时间，还没有入账" in member.get(f"/receipts/{sale}").text
    answer = post(member, file=fetch(member, sale).encode())
    assert "承诺过期，没有入账" in answer.text
    assert "它就是漏记的证据" in answer.text


# --- the page where anybody checks ------------------------------------------------------------------------------------


@pytest.fixture
def files(member: TestClient, works: Works) -> tuple[bytes, bytes]:
    """The file of one sale before and after it was published; the browser is a stranger's afterwards."""
    sale = sell(works, 1600, 200)
    young = fetch(member, sale).encode()
    publish()
    grown = fetch(member, sale).encode()
    member.cookies.clear()
    return young, grown


def test_anybody_checks_a_file_or_what_is_in_it(client: TestClient, files: tuple[bytes, bytes]) -> None:
    _, grown = files
    for answer in (post(client, file=grown), post(client, text=f"\n {grown.decode()}\r\n")):
        assert answer.status_code == 200
        assert "对得上：这一笔是公开台账的第" in answer.text
        assert "is-good" in answer.text
    assert "It holds: this is entry" in post(client, file=grown, lang="en").text


def test_a_file_from_before_publication_gets_its_proof_from_the_record(
    client: TestClient, files: tuple[bytes, bytes]
) -> None:
    young, _ = files
    assert "对得上：这一笔是公开台账的第" in post(client, file=young).text


def test_the_field_that_differs_is_named(client: TestClient, files: tuple[bytes, bytes]) -> None:
    changed = files[1].replace(b'\\"unit_price\\":1600', b'\\"unit_price\\":1500')
    assert changed != files[1]
    answer = post(client, file=changed)
    assert answer.status_code == 200
    assert "“documents.basket”不符" in answer.text
    assert "对不上" in answer.text


def test_a_receipt_of_another_log_is_not_ours(client: TestClient, files: tuple[bytes, bytes]) -> None:
    answer = post(client, file=noodles.make().encode())
    assert "“log”不符" in answer.text


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b"[" * 100_000, b"x" * 950_000])
def test_what_is_no_receipt_is_refused_in_one_sentence(client: TestClient, policy: Policy, data: bytes) -> None:
    answer = post(client, file=data)
    assert answer.status_code == 422
    assert "这不是一份原样的小票文件" in answer.text


def test_a_body_that_is_too_large_is_not_read(client: TestClient, policy: Policy) -> None:
    assert post(client, file=b"x" * 1_100_000).status_code == 413


def test_an_id_shows_what_is_published_and_nothing_earlier(client: TestClient, policy: Policy, works: Works) -> None:
    sale = sell(works, 1600, 200)
    waiting = client.get(f"/record/check?entry={sale}").text
    unknown = client.get(f"/record/check?entry={'0' * 32}").text
    assert "台账里还没有这一条" in waiting
    assert browse(waiting).replace(sale, "") == browse(unknown).replace("0" * 32, "")
    publish()
    shown = client.get(f"/record/check?entry={sale}").text
    assert f'id="{leaf_of(sale)}"' in shown
    assert "老王面馆" in shown
    assert "¥15<small>.40" in shown
    assert client.get("/record/check?entry=?").status_code == 422


def test_entries_of_every_type_can_be_looked_up(client: TestClient, policy: Policy) -> None:
    publish()
    with transaction() as tx:
        entries = dict(tx.execute(select(Entry.type, Entry.public_id)).all())
    assert set(entries) >= {"offer", "policy"}
    for entry in entries.values():
        assert "公开台账第" in client.get(f"/record/check?entry={entry}").text


def test_nothing_uploaded_is_logged(
    client: TestClient, files: tuple[bytes, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logs("json")  # to the streams of this test
    post(client, file=files[1])
    post(client, text=files[1].decode().replace("1600", "1500"))
    said = capfd.readouterr().err
    assert '"route": "/record/check"' in said
    assert json.loads(files[1])["leaf"] not in said
    assert parse_receipt(files[1]).public_id not in said


def test_without_a_log_the_page_says_so(client: TestClient, market: Works) -> None:
    assert "公开台账还没有开启" in client.get("/record/check").text
    assert "证明不了" in post(client, file=noodles.make().encode()).text


def test_the_record_leads_to_the_check(client: TestClient, market: Works) -> None:
    for path in ("/record/check-it-yourself", "/record/offers"):
        assert 'href="/record/check"' in client.get(path).text


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_reads_what_the_member_downloaded(
    files: tuple[bytes, bytes], policy: Policy, tmp_path: Path
) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(files[1])
    vkeys = ["--vkey", policy.log.text, "--vkey", policy.promise.text]
    done = CliRunner().invoke(app, ["verify", "receipt", str(file), *vkeys])
    assert (done.exit_code, "It holds: this is entry" in done.output) == (0, True)
