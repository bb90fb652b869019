"""A record that stands still says so where people look: the officer and the auditor what to do, everybody since when; sales go on."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.public_log import log_shelf, succeed_log
from api.publishing import publish
from api.witness import Watched
from market.kit.clock import now
from market.kit.database import get_engine, transaction
from market.record.operations import publish_event
from market.record.publishing.standing import note_done
from tests.web.ledger import Ledger, ask
from tests.web.market import flat

Enter = Callable[[str], TestClient]
PUBLIC = ("/record", "/record/check-it-yourself")
HEAD = {"zh-CN": "公开台账停着，没有公布新的记录", "en": "The public record stands still: nothing new is published"}


def appoint(minutes_ago: int = 2) -> None:
    with transaction() as tx:
        at = now() - timedelta(minutes=minutes_ago)
        publish_event(tx, kind="post", fields={"action": "appointed", "post": "officer"}, at=at)


def run(ledger: Ledger) -> bool:
    return publish(ledger.settings, Watched([]))


def lose_newest(ledger: Ledger) -> None:
    """The shelf has signed an entry more than the database holds."""
    run(ledger)
    size = ask("SELECT size FROM log_state")[0][0]
    appoint()
    run(ledger)
    with get_engine().begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for statement in (
            "DELETE FROM log_checkpoint WHERE size > :size",
            "DELETE FROM entry WHERE leaf_index >= :size",
            "UPDATE log_tile SET hashes = substring(hashes FOR 32 * :size)",
            "UPDATE log_state SET size = :size",
        ):
            connection.execute(text(statement), {"size": size})


def read(client: TestClient, path: str, language: str = "zh-CN") -> str:
    answer = client.get(path, params={"lang": language})
    assert answer.status_code == 200
    return flat(answer.text)


def test_a_refusal_is_shown_with_its_next_step_until_the_next_success(ledger: Ledger, enter: Enter) -> None:
    lose_newest(ledger)
    assert not run(ledger)
    began = ask("SELECT refused_since FROM log_standing")
    assert not run(ledger)
    assert ask("SELECT refused_since, code FROM log_standing") == [(*began[0], "LOG_FORK")], "since the first refusal"
    ledger.sell(1600, "sale-1600")  # sales go on
    for role, path in (("officer", "/desk"), ("auditor", "/audit")):
        client = enter(role)
        for language, head in HEAD.items():
            page = read(client, path, language)
            assert head in page
            assert "huigong key new --origin" in page
            assert "--after-loss" in page
        if role == "officer":
            client.cookies.clear()
    for path in PUBLIC:
        page = read(client, path)
        assert "起没有公布新的记录。 售卖照常" in page
        assert "--after-loss" not in page
        assert "Nothing new has been published since" in read(client, path, "en")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["publication"]) == (200, "LOG_FORK")

    succeed_log(ledger.settings, origin="test.example/log-2", at=now())
    assert run(ledger)
    assert ask("SELECT code, refused_since, facts FROM log_standing") == [(None, None, None)]
    assert HEAD["zh-CN"] not in read(client, "/audit")
    assert "没有公布新的记录" not in read(client, "/record")
    page = read(client, "/record/check-it-yourself")
    assert "这本账接着 test.example/log，上面是它最后的检查点。它签过 8 条，其中前 7 条在这里" in page
    assert ledger.policy.log.text in page


def test_a_sequencer_that_does_not_run_is_missed_only_when_something_is_due(ledger: Ledger, enter: Enter) -> None:
    run(ledger)
    client = enter("officer")
    past = now() - timedelta(hours=2)
    with transaction() as tx:
        tx.execute(text("DELETE FROM log_standing"))
        note_done(tx, at=past)
    assert client.get("/readyz").json()["publication"] == "ok", "nothing waits"
    appoint(minutes_ago=0)
    assert client.get("/readyz").json()["publication"] == "ok", "nothing is due"
    appoint(minutes_ago=3)
    assert client.get("/readyz").json()["publication"] == "SEQUENCER_SILENT"
    page = read(client, "/desk")
    assert HEAD["zh-CN"] in page
    assert "公布程序没有在运行" in page
    assert "The sequencer is not running" in read(client, "/desk", "en")
    assert "没有公布新的记录" in read(client, "/record")
    assert run(ledger)
    assert client.get("/readyz").json()["publication"] == "ok"


def test_one_that_never_ran_has_no_day_to_name(ledger: Ledger, client: TestClient) -> None:
    appoint()
    with get_engine().begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE entry SET created_at = created_at - interval '1 hour'"))
    assert "还没有公布过记录，到期的也没有。" in read(client, "/record")


def test_a_key_that_cannot_be_read_and_a_lost_memory_are_said_as_they_are(ledger: Ledger, enter: Enter) -> None:
    run(ledger)
    shelf = log_shelf(ledger.settings, ledger.policy)
    kept = (shelf.folder / "checkpoint").rename(shelf.folder / "away")
    client = enter("auditor")
    assert not run(ledger)
    assert str(shelf.folder) in read(client, "/audit")
    assert "huigong key keep" in read(client, "/audit")
    kept.rename(shelf.folder / "checkpoint")
    [key] = shelf.folder.glob("log-*.skey")
    key.rename(shelf.folder / "away")
    assert not run(ledger)
    assert "签名的私钥用不了" in read(client, "/audit")
    with get_engine().begin() as connection:
        connection.execute(text("UPDATE log_standing SET code = 'OF_ANOTHER_RELEASE'"))
    assert "OF_ANOTHER_RELEASE" in read(client, "/audit")
    (shelf.folder / "away").rename(key)
    assert run(ledger)


def test_what_is_noted_is_whole_or_not_there(ledger: Ledger) -> None:
    run(ledger)
    before = ask("SELECT done_at FROM log_standing")
    run(ledger)
    assert ask("SELECT done_at FROM log_standing") == before, "rounds are every second, and not each is noted"
    for statement in (
        "UPDATE log_standing SET code = 'X'",
        "INSERT INTO log_standing (id, tried_at) VALUES (2, now())",
    ):
        with pytest.raises(Exception, match="ck_log_standing"), get_engine().begin() as connection:
            connection.execute(text(statement))
