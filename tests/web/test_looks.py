"""Every look of an officer or auditor at a named member is written with it and shown to that member; no route shows one without."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

import cards
from api.access import ACCESS
from api.housekeeping import tidy
from api.identity import find_principal, note_look
from market.kit.clock import now
from market.kit.database import get_engine, transaction
from tests.web.opening import Opening
from tests.web.test_access import fill
from tests.world import count


def looks() -> list[tuple[Any, ...]]:
    with get_engine().connect() as connection:
        found = connection.execute(text("SELECT member_id, post, reason, times FROM look ORDER BY id"))
        return [tuple(row) for row in found]


def look_up(opening: Opening, number: str = "10001", reason: str = "card") -> Any:
    return opening.go("officer", "POST", "/desk/members", staff_number=number, reason=reason)


def test_a_look_is_written_and_the_member_sees_the_post_and_the_reason(opening: Opening) -> None:
    assert "还没有人看过" in opening.go("member", "GET", "/me/looks").text
    page = look_up(opening).text
    assert "王小明" in page
    assert "13800138000" not in page
    assert looks() == [(opening.works.member_id, "officer", "card", 1)]
    seen = opening.go("member", "GET", "/me/looks").text
    assert "星钢的干部" in seen
    assert "办卡、挂失或补卡" in seen
    assert "officer 某" not in seen, "an officer appears by post"
    assert "/me/looks" in opening.go("member", "GET", "/me").text


def test_looks_within_minutes_are_one_row_with_a_count(opening: Opening) -> None:
    for _ in range(3):
        look_up(opening)
    look_up(opening, reason="asked")
    assert sorted((reason, times) for _, _, reason, times in looks()) == [("asked", 1), ("card", 3)]
    assert "连着看了 3 次" in opening.go("member", "GET", "/me/looks").text
    who = find_principal(token=opening.tokens["officer"], at=now(), by_cookie=False)
    assert who is not None
    with transaction() as tx:
        later = now() + timedelta(minutes=11)
        note_look(tx, who, member_id=opening.works.member_id, kind="record", reason="card", at=later)
    assert len(looks()) == 3


def test_a_member_sees_looks_at_himself_only(opening: Opening) -> None:
    look_up(opening, number="10002")
    assert looks()[0][0] == opening.other_member
    assert "还没有人看过" in opening.go("member", "GET", "/me/looks").text


def test_without_a_reason_or_outside_his_units_nobody_is_shown(opening: Opening) -> None:
    with transaction() as tx:
        elsewhere = cards.add_unit(tx, code="tx", name="铁钢")
        tx.execute(text("UPDATE account_role SET unit_id = :unit WHERE role = 'officer'"), {"unit": elsewhere})
    outside, unknown = look_up(opening), look_up(opening, number="99999\0")
    assert outside.status_code == unknown.status_code == 404
    assert "王小明" not in outside.text
    with transaction() as tx:
        tx.execute(
            text("UPDATE account_role SET unit_id = :unit WHERE role = 'officer'"), {"unit": opening.works.unit_id}
        )
    for reason in ("", "curiosity"):
        refused = look_up(opening, reason=reason)
        assert (refused.status_code, "王小明" in refused.text) == (422, False)
    assert looks() == []


def test_what_cannot_be_written_down_is_not_shown(opening: Opening) -> None:
    with transaction() as tx:
        tx.execute(text("ALTER TABLE look ADD CONSTRAINT nobody CHECK (times > 9) NOT VALID"))
    answer = look_up(opening)
    assert (answer.status_code, "王小明" in answer.text) == (500, False)


def test_a_look_is_kept_and_never_changed(opening: Opening) -> None:
    look_up(opening)
    for change in (
        "UPDATE look SET times = 0",
        "UPDATE look SET reason = 'asked', times = times + 1",
        "UPDATE look SET last_at = last_at - interval '1 day', times = times + 1",
        "DELETE FROM look",
        "TRUNCATE look",
    ):
        with pytest.raises(IntegrityError), transaction() as tx:
            tx.execute(text(change))
    tidy(at=now())
    assert count("look") == 1
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO look SELECT gen_random_uuid(), person, post, unit_id, member_id, kind, reason, "
                "now() - interval '4 years', now() - interval '4 years', 1 FROM look"
            )
        )
    assert tidy(at=now())["looks"] == 1
    assert count("look") == 1


def named_in(page: str) -> set[str]:
    """The members whose name, number or phone stands in an answer."""
    with get_engine().connect() as connection:
        members = connection.execute(text("SELECT id, name, staff_number, phone FROM member")).all()
    words = set(re.findall(r"[\w]+", page))
    return {str(row.id) for row in members if row.name in page or {row.staff_number, row.phone} & words}


def times_of() -> dict[str, int]:
    """How often each member was looked at."""
    times: dict[str, int] = {}
    for member, _, _, counted in looks():
        times[str(member)] = times.get(str(member), 0) + int(counted)
    return times


def test_looks_go_with_a_member_who_is_erased_and_with_nobody_else(opening: Opening) -> None:
    look_up(opening)
    look_up(opening, number="10002")
    assert opening.go("member", "POST", "/me/erasure").status_code == 303
    assert opening.go("officer", "GET", "/desk/erasures").status_code == 200
    assert sorted(reason for _, _, reason, _ in looks()) == ["asked", "card", "card"]
    assert "看了删除资料的申请" in opening.go("member", "GET", "/me/looks").text
    with transaction() as tx:
        erasure = tx.execute(text("SELECT id FROM erasure")).scalar_one()
    answer = opening.go("officer", "POST", f"/desk/erasures/{erasure}/approve")
    assert answer.status_code == 303, answer.text
    assert [member for member, _, _, _ in looks()] == [opening.other_member]
    with pytest.raises(IntegrityError), transaction() as tx:
        tx.execute(text("DELETE FROM look"))


def test_no_route_shows_a_named_member_without_a_look(opening: Opening) -> None:
    """Every page of officers and auditors, with addresses that lead somewhere; forms that show somebody among them."""
    details = opening.approved()
    assert opening.go("member", "POST", "/me/erasure").status_code == 303
    places = {"request_id": details.rpartition("/")[2], "entry": opening.sales[0], "offer": "NOODLE10", "version": "1"}
    forms = {"/desk/members": {"staff_number": "10001", "reason": "asked"}}
    shown = 0
    for (method, path), admitted in ACCESS.items():
        for role in sorted(admitted & {"officer", "auditor"}):
            if method != "GET" and path not in forms:
                continue  # they lead on to a page of these by a redirect
            before = times_of()
            address = fill(re.sub(r"\{(\w+)\}", lambda part: places.get(part[1], part[0]), path))
            answer = opening.go(role, method, address, **forms.get(path, {}))
            after = times_of()
            for member in named_in(answer.content.decode(errors="replace")):
                shown += 1
                assert after.get(member, 0) > before.get(member, 0), f"{method} {address} shows a member unlogged"
    assert shown == 2, "the member who is looked up, and the one who asks to be deleted"
