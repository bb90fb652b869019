"""What the log says of itself: its keys and its chart of accounts are entries, each once, in the transaction that makes them true."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from api.cli import app
from api.public_log import LogOpenError, WitnessKeyError, add_witness, open_log, remove_witness, renew_key
from market.kit.database import connect, get_engine, transaction
from market.kit.settings import get_settings
from market.oversight.record_audits import check_unmade
from market.record.auditing.audit import Audited, audit_log
from market.record.chart import CHART, VERSION
from market.record.log.keys import Kind
from market.record.publishing.keyring import new_key
from market.record.publishing.opening import publish_chart
from market.record.publishing.served import find_policy, record_reader
from tests.db.record.conftest import AT, LATER, OPENED, Log

THREADS = 8


def entries(*kinds: str) -> list[dict[str, Any]]:
    with get_engine().connect() as connection:
        rows = connection.execute(
            text("SELECT body FROM entry WHERE type = ANY(:kinds) ORDER BY leaf_index, id"), {"kinds": list(kinds)}
        )
        return [json.loads(row.body) for row in rows]


def past_triggers(statement: str, **values: object) -> None:
    with get_engine().begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement), values)


def audit() -> Audited:
    with transaction() as tx:
        return audit_log(record_reader(tx))


def at_once(act: Callable[[int], object], url: str) -> None:
    connect(url, pool_size=THREADS)
    failures: list[Exception] = []

    def run(number: int) -> None:
        try:
            act(number)
        except Exception as error:  # noqa: BLE001  whatever it is, the test names it
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.fixture
def url(database: Engine) -> str:
    return database.url.render_as_string(hide_password=False)


def test_a_log_opens_with_its_keys_its_policy_and_its_chart(log: Log) -> None:
    log.run()
    first, second, policy, chart = entries("key", "policy", "account")
    assert [first["type"], second["type"], policy["type"], chart["type"]] == ["key", "key", "policy", "account"]
    assert (first["action"], first["use"], first["vkey"]) == ("added", "log", policy["log"])
    assert (second["action"], second["use"], second["vkey"]) == ("added", "promise", policy["promise"])
    assert chart["version"] == VERSION
    assert [tuple(row) for row in chart["accounts"]] == list(CHART)
    assert audit().findings == []


def test_the_chart_is_published_once_whatever_the_rounds(log: Log) -> None:
    for _ in range(3):
        log.write("post")
        log.run()
    assert len(entries("account")) == 1


def test_an_older_log_gets_its_chart_in_the_next_round(log: Log) -> None:
    past_triggers("DELETE FROM entry WHERE type IN ('account', 'key')")
    log.run()
    assert [entry["type"] for entry in entries("policy", "account")] == ["policy", "account"]
    log.run()
    assert len(entries("account")) == 1
    renew_key(log.settings, which="promise", at=LATER)
    log.run(LATER)
    assert audit().findings == []
    assert [(one["action"], one["use"]) for one in entries("key")] == [("replaced", "promise")]


@pytest.mark.parametrize(("held", "expected"), [(VERSION - 1, [VERSION - 1, VERSION]), (VERSION + 1, [VERSION + 1])])
def test_a_release_publishes_a_newer_chart_and_leaves_one_that_is_newer_still(
    log: Log, held: int, expected: list[int]
) -> None:
    """What is held is that of another release."""
    replaced = json.dumps({**entries("account")[0], "version": held}, sort_keys=True, separators=(",", ":"))
    past_triggers("UPDATE entry SET body = :body WHERE type = 'account'", body=replaced.encode())
    for _ in range(2):
        log.run()
    assert [entry["version"] for entry in entries("account")] == expected


def test_many_at_once_publish_one_chart(log: Log, url: str) -> None:
    past_triggers("DELETE FROM entry WHERE type = 'account'")

    def publish(_number: int) -> None:
        with transaction() as tx:
            publish_chart(tx, at=AT)

    at_once(publish, url)
    assert len(entries("account")) == 1


def test_each_rotation_says_which_key_it_replaces(log: Log) -> None:
    renewed = renew_key(log.settings, which="log", at=LATER)
    log.run(LATER)
    said = entries("key")[-1]
    assert (said["action"], said["use"]) == ("replaced", "log")
    assert (said["vkey"], said["replaces"]) == (renewed.log.text, log.policy.log.text)
    assert audit().findings == []


def test_rotations_at_once_are_one_after_the_other(log: Log, url: str) -> None:
    """Each stands on the one before: no key is taken back by somebody who had not seen it yet."""
    at_once(lambda number: renew_key(log.settings, which="log" if number % 2 else "promise", at=LATER), url)
    log.run(LATER)
    assert audit().findings == []
    held = {"log": log.policy.log.text, "promise": log.policy.promise.text}
    for said in entries("key")[2:]:
        assert said["replaces"] == held[said["use"]]
        held[said["use"]] = said["vkey"]
    assert len(entries("key")) == 2 + THREADS
    with transaction() as tx:
        newest = find_policy(tx)
    assert newest is not None
    assert held == {"log": newest.log.text, "promise": newest.promise.text}


def test_openings_at_once_make_one_log(log: Log, url: str) -> None:
    past_triggers("DELETE FROM entry")
    past_triggers("DELETE FROM log_state")
    opened: list[str] = []

    def try_to_open(number: int) -> None:
        try:
            opened.append(open_log(log.settings, origin=f"test.example/{number}", window_seconds=5, at=AT).origin)
        except LogOpenError:
            return

    at_once(try_to_open, url)
    assert [entry["origin"] for entry in entries("policy")] == opened
    assert (len(opened), len(entries("key")), len(entries("account"))) == (1, 2, 1)


def test_witnesses_that_come_change_and_turn_out_to_be_the_operators_own_are_entries(log: Log) -> None:
    first, second = (new_key("w.example/city", Kind.COSIGNATURE).verifier for _ in range(2))
    add_witness(first, is_own=False, at=LATER)
    add_witness(first, is_own=False, at=LATER)
    add_witness(second, is_own=False, at=LATER)
    add_witness(second, is_own=True, at=LATER)
    log.run(LATER)
    assert len(entries("policy")) == 4, "one for each change"
    assert [(one["action"], one["use"], one["vkey"], one.get("replaces")) for one in entries("key")[2:]] == [
        ("added", "witness", first.text, None),
        ("replaced", "witness", second.text, first.text),
        ("replaced", "own_witness", second.text, second.text),
    ]
    assert audit().findings == []


def test_a_witness_is_removed_once_and_its_key_is_named(log: Log) -> None:
    city, other, own = (
        new_key(name, Kind.COSIGNATURE).verifier for name in ("w.example/city", "w.example/city", "w.example/own")
    )
    add_witness(city, is_own=False, at=LATER)
    add_witness(own, is_own=True, at=LATER)
    count = len(entries("policy"))
    with pytest.raises(WitnessKeyError) as refusal:
        remove_witness(other, at=LATER)
    assert refusal.value.facts == {"name": city.name, "vkey": city.text}
    assert remove_witness(new_key("w.example/none", Kind.COSIGNATURE).verifier, at=LATER).witnesses == (city,)
    assert len(entries("policy")) == count
    for _ in range(2):
        assert remove_witness(city, at=LATER).witnesses == ()
    assert remove_witness(own, at=LATER).own_witnesses == ()
    log.run(LATER)
    assert [(one["action"], one["use"], one["vkey"]) for one in entries("key")[4:]] == [
        ("removed", "witness", city.text),
        ("removed", "own_witness", own.text),
    ]
    assert len(entries("policy")) == count + 2, "what changes nothing is no entry"
    assert audit().findings == []


def test_the_command_adds_replaces_and_removes_a_witness(log: Log, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUIGONG_DATABASE_URL", url)
    get_settings.cache_clear()

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["key", "witness", *words])

    first, second = (new_key("w.example/city", Kind.COSIGNATURE).verifier.text for _ in range(2))
    assert run(first).stdout.split() == [first]
    assert run(second).stdout.split() == [second]
    assert "names another key" in str(run("--remove", first).exception)
    for words in (["--remove", log.policy.log.text], ["--remove", "--own", second], ["nobody"]):
        assert run(*words).exit_code == 2
    for _ in range(2):
        done = run("--remove", second)
        assert (done.exit_code, done.stdout) == (0, "")
    connect(url)
    log.run(LATER)
    assert [one["action"] for one in entries("key")[2:]] == ["added", "replaced", "removed"]
    get_settings.cache_clear()


def test_a_rotation_whose_key_entry_is_taken_away_is_found(log: Log) -> None:
    renew_key(log.settings, which="log", at=LATER)
    past_triggers("DELETE FROM entry WHERE body LIKE :what", what=b'{"action":"replaced"%')
    log.run(LATER)
    [found] = audit().findings
    assert (found.rule, found.public_id, found.field) == ("keys", entries("policy")[-1]["id"], "log")


def test_a_chart_that_cannot_be_read_is_noted_and_holds_up_nothing_else(log: Log) -> None:
    log.run()
    past_triggers("UPDATE entry SET body = 'no JSON' WHERE type = 'account'")
    log.write(at=LATER)
    log.run(LATER + timedelta(minutes=1))
    assert log.published.checkpoint.size == OPENED + 1
    with get_engine().connect() as connection:
        [found] = check_unmade(connection)
    assert found.subject == "account chart"
