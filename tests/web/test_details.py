"""Details exports through the whole application: asked, decided by another, sealed, fetched once and again, expired; and attacked."""

import base64
import hashlib
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, InternalError

import cards
from api.details import build_details
from api.housekeeping import tidy
from api.identity import create_account, grant_role, open_session
from api.jobs import run_worker
from market.kit.clock import business_day, now
from market.kit.database import get_engine, transaction
from market.oversight.details import read_sales
from market.oversight.models import DetailsRequest
from market.record.details.sealing import unseal
from market.record.entries import commit
from market.record.operations import publish_event
from tests.web.opening import ASKED, SECRET, Opening, add_auditor, publish
from tests.world import count, findings


def lines_of(data: bytes) -> list[dict[str, object]]:
    plain = b"".join(unseal(SECRET, io.BytesIO(data)))
    assert plain.endswith(b"\n")
    return [json.loads(line) for line in plain.splitlines()]


def rows(query: str, **values: object) -> list[tuple[object, ...]]:
    with get_engine().connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def entry_of(public_id: str) -> dict[str, str]:
    [(body,)] = rows("SELECT body FROM entry WHERE public_id = :id", id=public_id)
    return json.loads(bytes(body))  # type: ignore[arg-type]


def test_an_export_is_asked_for_decided_by_another_and_opens_what_was_asked(
    opening: Opening, database_url: str
) -> None:
    page = opening.asked()
    assert "3 笔核销" in opening.go("auditor", "GET", page).text
    waiting = opening.go("officer", "GET", page).text
    assert SECRET.key.id in waiting
    assert ASKED["words"] in waiting
    assert "1 个明细导出申请" in opening.go("officer", "GET", "/desk").text
    assert opening.go("officer", "POST", f"{page}/approve").status_code == 303
    assert rows(
        "SELECT task_name, args->>'request_id' FROM jobs.procrastinate_jobs WHERE task_name = 'details.build'"
    ) == [("details.build", page.rpartition("/")[2])]
    assert "文件正在生成" in opening.go("auditor", "GET", page).text
    with ThreadPoolExecutor(max_workers=1) as worker:  # a loop of its own: this thread's may be a browser's
        worker.submit(run_worker, database_url, wait=False).result()
    answer = opening.go("auditor", "GET", f"{page}/file")
    assert hashlib.sha256(answer.content).hexdigest() in opening.go("auditor", "GET", page).text
    head, *rest = lines_of(answer.content)
    sales = {line["sale"]: line for line in rest if "sale" in line}
    assert set(sales) == set(opening.sales)
    for public_id, line in sales.items():
        entry = entry_of(str(public_id))
        assert set(line) == {"index", "sale", "basket", "facts"}, "no subject"
        for name in ("basket", "facts"):
            opened = line[name]
            salt = base64.b64decode(opened["salt"])  # type: ignore[index]
            assert commit(salt, opened["text"].encode()) == entry[name]  # type: ignore[index]
    assert {json.loads(str(line["offer"]))["terms"]["id"] for line in rest if "offer" in line} == {"NOODLE10", "UNION1"}
    access = entry_of(str(head["access"]))
    day = business_day(now()).isoformat()
    assert {name: access[name] for name in ("type", "kind", "entries", "reason", "first_day", "last_day")} == {
        "type": "access",
        "kind": "details",
        "entries": 3,
        "reason": "finding",
        "first_day": day,
        "last_day": day,
    }
    assert ASKED["words"] not in json.dumps(access, ensure_ascii=False)


def test_an_export_is_whole_however_far_the_index_has_come(opening: Opening) -> None:
    page = opening.asked()
    assert opening.go("officer", "POST", f"{page}/approve").status_code == 303
    for indexed in (2, 0):
        with transaction() as tx:
            tx.execute(text("DELETE FROM entry_index WHERE leaf_index >= :indexed"), {"indexed": indexed})
            request = tx.scalars(select(DetailsRequest)).one()
            assert len(list(read_sales(tx, request=request))) == 3


def test_no_export_holds_a_person_or_a_card(opening: Opening) -> None:
    plain = b"".join(unseal(SECRET, io.BytesIO(opening.file()))).decode()
    private = rows(
        "SELECT m.id, m.subject, m.name, m.staff_number, m.phone, c.id, c.number, c.reference FROM member m JOIN card c ON c.member_id = m.id"
    )
    assert len(private) == 2
    assert [str(value) for row in private for value in row if str(value) in plain] == []


def test_nothing_is_stored_or_sent_in_the_clear(opening: Opening) -> None:
    data = opening.file()
    assert b"basket" not in data
    assert not rows("SELECT 1 FROM details_part WHERE position('basket'::bytea IN body) > 0")


def test_nobody_decides_his_own_request(opening: Opening) -> None:
    page = opening.asked()
    for act in ("approve", "refuse"):
        answer = opening.go("auditor", "POST", f"{page}/{act}", answer="x")
        assert (answer.status_code, "DETAILS_OWN" in answer.text or "自己批" in answer.text) == (403, True)
    [(person,)] = rows("SELECT person FROM account WHERE login = 'demo-auditor'")
    opening.tokens["again"] = add_auditor("auditor-again", person=UUID(str(person)))
    assert opening.go("again", "POST", f"{page}/approve").status_code == 403
    assert rows("SELECT state FROM details_request") == [("waiting",)]
    assert count("details_request") == 1
    assert rows("SELECT 1 FROM entry WHERE type = 'access'") == []


def test_one_member_with_two_accounts_is_one_person(opening: Opening) -> None:
    """The accounts were made as of two persons, and both say that they are the same member of the register."""
    page = opening.asked()
    with transaction() as tx:
        account = create_account(tx, login="double", name="同一个人", at=now())
        grant_role(tx, account_id=account, role="auditor", at=now())
        for each in (account, opening.works.accounts["auditor"]):
            grant_role(tx, account_id=each, role="member", scope_id=opening.works.member_id, at=now())
        opening.tokens["double"] = open_session(tx, account_id=account, roles=["auditor"], agent="t", at=now()).token
    assert opening.go("double", "POST", f"{page}/approve").status_code == 403
    assert "批准打开" not in opening.go("double", "GET", page).text


def test_the_database_knows_two_persons_too(opening: Opening) -> None:
    opening.asked()
    with pytest.raises(IntegrityError, match="two_persons"), transaction() as tx:
        tx.execute(
            text(
                "UPDATE details_request SET state = 'refused', answer = 'x', decided_by = asked_by, decided_at = now()"
            )
        )


def test_what_was_asked_stays(opening: Opening) -> None:
    opening.asked()
    for change in (
        "UPDATE details_request SET sales_count = 1",
        "UPDATE details_request SET key = 'x', state = 'withdrawn', decided_at = now()",
        "UPDATE details_request SET state = 'ready'",
        "DELETE FROM details_request",
        "TRUNCATE details_request CASCADE",
    ):
        with pytest.raises((IntegrityError, InternalError)), transaction() as tx:
            tx.execute(text(change))


def test_only_who_asked_fetches_and_every_time_is_written_down(opening: Opening) -> None:
    page = opening.approved()
    for who in ("auditor-2", "officer", "owner", "member"):
        assert opening.go(who, "GET", f"{page}/file").status_code == 403, who
    assert count("details_download") == 0
    assert opening.go("auditor", "GET", f"{page}/file").content == opening.go("auditor", "GET", f"{page}/file").content
    assert count("details_download") == 2
    assert opening.go("auditor", "GET", page).text.count("<strong>下载</strong>") == 2
    for forged in (f"/audit/details/{uuid4()}", "/audit/details/1", "/audit/details/%2e%2e"):
        assert opening.go("auditor", "GET", f"{forged}/file").status_code in {404, 422}, forged


def test_an_expired_file_is_refused_and_then_deleted(opening: Opening) -> None:
    page = opening.approved()
    at = now() + timedelta(days=7, minutes=1)
    assert tidy(at=at - timedelta(minutes=2))["details"] == 0
    assert opening.go("auditor", "GET", f"{page}/file").status_code == 200
    with transaction() as tx:  # the clock of the door is the real one: the file was made a week ago
        tx.execute(text("ALTER TABLE details_request DISABLE TRIGGER moves_forward"))
        tx.execute(
            text(
                "UPDATE details_request SET ready_at = now() - interval '8 days', expires_at = now() - interval '1 day'"
            )
        )
        tx.execute(text("ALTER TABLE details_request ENABLE TRIGGER moves_forward"))
    answer = opening.go("auditor", "GET", f"{page}/file")
    assert answer.status_code == 409
    assert tidy(at=now())["details"] == 1
    assert (count("details_part"), rows("SELECT state FROM details_request")) == (0, [("expired",)])
    assert opening.go("auditor", "GET", f"{page}/file").status_code == 409
    assert "已过期" in opening.go("auditor", "GET", page).text


def test_a_request_is_taken_back_while_it_waits_by_who_asked(opening: Opening) -> None:
    page = opening.asked()
    assert opening.asked() == page, "asked twice is asked once"
    assert opening.go("auditor-2", "POST", f"{page}/withdraw").status_code == 403
    assert opening.go("auditor", "POST", f"{page}/withdraw").status_code == 303
    assert opening.go("officer", "POST", f"{page}/approve").status_code == 409
    assert opening.go("auditor", "POST", f"{page}/withdraw").status_code == 409
    assert "撤回" in opening.go("auditor", "GET", page).text


def test_a_refusal_needs_a_reason_and_is_final(opening: Opening) -> None:
    page = opening.asked()
    answer = opening.go("auditor-2", "POST", f"{page}/refuse", answer=" ")
    assert answer.status_code == 422
    assert opening.go("auditor-2", "POST", f"{page}/refuse", answer="先看公开的").status_code == 303
    assert "先看公开的" in opening.go("auditor", "GET", page).text
    assert opening.go("officer", "POST", f"{page}/approve").status_code == 409
    assert rows("SELECT 1 FROM entry WHERE type = 'access'") == []


def test_of_many_who_approve_at_once_one_does(opening: Opening) -> None:
    page = opening.asked()
    statuses: list[int] = []

    def approve(who: str) -> None:
        statuses.append(opening.go(who, "POST", f"{page}/approve").status_code)

    threads = [threading.Thread(target=approve, args=(who,)) for who in ("officer", "auditor-2") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, *[409] * 5]
    assert len(rows("SELECT 1 FROM entry WHERE type = 'access'")) == 1
    build = UUID(page.rpartition("/")[2])
    build_details(request_id=build, at=now())
    [(digest,)] = rows("SELECT sha256 FROM details_request")
    build_details(request_id=build, at=now())
    assert rows("SELECT sha256 FROM details_request") == [(digest,)]


def test_what_cannot_be_opened_is_refused_and_nothing_typed_is_lost(opening: Opening) -> None:
    for changes, status, said in (
        ({"key": "huigong-auditor+x"}, 422, "公钥"),
        ({"words": "  "}, 422, "理由"),
        ({"reason": "curiosity"}, 422, "理由"),
        ({"first_day": "2026-13-01"}, 422, "日期"),
        ({"last_day": "2001-01-01"}, 422, "日期"),
        ({"first_day": "2001-01-01", "last_day": "2001-01-02"}, 409, "没有已公布的核销"),
        ({"merchant": "m_9999"}, 409, "没有已公布的核销"),
    ):
        answer = opening.ask(**changes)
        assert (answer.status_code, said in answer.text) == (status, True), changes
        assert (changes.get("words") or ASKED["words"]) in answer.text
    assert count("details_request") == 0
    assert opening.ask(merchant="m_0001\0", words="signs\0 that\x07 nobody sees").status_code == 303
    assert rows("SELECT merchant, words FROM details_request") == [("m_0001", "signs that nobody sees")]


def test_an_officer_decides_and_does_not_ask(opening: Opening) -> None:
    assert opening.ask("officer").status_code == 403
    page = opening.go("officer", "GET", "/audit/details")
    assert page.status_code == 200
    assert "申请打开" not in page.text


def test_sales_of_who_was_erased_stay_closed_and_are_counted(opening: Opening) -> None:
    page = opening.asked()
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=opening.other_member)
        tx.execute(text("DELETE FROM vault.person_key WHERE subject = :subject"), {"subject": subject})
    opening.go("officer", "POST", f"{page}/approve")
    build_details(request_id=UUID(page.rpartition("/")[2]), at=now())
    answer = opening.go("auditor", "GET", page)
    assert "其中 1 笔打不开" in answer.text
    head, *rest = lines_of(opening.go("auditor", "GET", f"{page}/file").content)
    assert (head["sales"], head["erased"]) == (3, 1)
    assert {line["sale"] for line in rest if "sale" in line} == {opening.sales[0], opening.sales[2]}


def test_the_public_page_of_the_approval_names_no_person(opening: Opening) -> None:
    page = opening.approved()
    publish()
    [(public_id,)] = rows("SELECT public_id FROM entry WHERE type = 'access'")
    shown = opening.client.get(f"/record/entries/{public_id}").text
    assert "明细导出" in shown
    assert "核查疑点" in shown
    names = [str(name) for (name,) in rows("SELECT name FROM account")]
    assert [name for name in names if name in shown] == []
    assert str(public_id)[:8] in opening.go("auditor", "GET", page).text


def test_what_was_approved_is_what_is_published(opening: Opening) -> None:
    opening.approved()
    assert findings() == []
    with transaction() as tx:
        fields = {"kind": "details", "entries": 9, "reason": "other", "request": "x", "first_day": "2026-12-01"}
        publish_event(tx, kind="access", fields=fields, at=now())
    assert [found.split(":")[0] for found in findings()] == ["openings"]
