"""Money for budgets: proposed by one person, decided once by another, in the purse and in the record, whatever comes at the same moment."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from market.kit.database import get_engine, transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from market.ledger.operations import TwoPersonsError
from market.record.budget_proposals import (
    MOST_FEN,
    BudgetAmountError,
    BudgetCodeError,
    BudgetSponsorError,
    BudgetTakenError,
    BudgetTitleError,
    BudgetUnknownError,
    Proposal,
    ProposalSentError,
    ProposalUnknownError,
    RefusalReasonError,
    approve_proposal,
    count_proposals,
    list_proposals,
    propose_budget,
    propose_grant,
    refuse_proposal,
    withdraw_proposal,
)
from tests.world import FIRST, NOON, SECOND, findings, left

pytestmark = pytest.mark.usefixtures("world")
NEW = {"code": "spring", "title": " 春节  慰问 ", "sponsor": "xg", "amount_fen": 30_001}


def ask(proposal: UUID | None = None, *, by: UUID = FIRST, **said: object) -> UUID:
    """A new budget is asked for."""
    proposal = proposal or new_id()
    with transaction() as tx:
        propose_budget(tx, proposal=proposal, by=by, at=NOON, **NEW | said)  # type: ignore[arg-type]
    return proposal


def ask_more(budget: str = "lunch", fen: int = 500, *, by: UUID = FIRST, proposal: UUID | None = None) -> UUID:
    proposal = proposal or new_id()
    with transaction() as tx:
        propose_grant(tx, proposal=proposal, budget=budget, amount_fen=fen, by=by, at=NOON)
    return proposal


def approve(proposal: UUID, *, by: UUID = SECOND) -> str:
    with transaction() as tx:
        return approve_proposal(tx, proposal=proposal, by=by, at=NOON)


def refuse(proposal: UUID, *, by: UUID = SECOND, reason: str = "太多") -> None:
    with transaction() as tx:
        refuse_proposal(tx, proposal=proposal, by=by, reason=reason, at=NOON)


def withdraw(proposal: UUID, *, by: UUID = FIRST) -> None:
    with transaction() as tx:
        withdraw_proposal(tx, proposal=proposal, by=by, at=NOON)


def listed(*, waiting: bool) -> list[Proposal]:
    with transaction() as tx:
        return list(list_proposals(tx, waiting=waiting, limit=50))


def said_in_public(budget: str) -> list[tuple[str, list[list[object]]]]:
    with get_engine().connect() as connection:
        rows = connection.execute(text("SELECT body FROM entry WHERE type = 'budget' ORDER BY id"))
        bodies = [json.loads(row.body) for row in rows]
    return [(body["action"], body.get("transfers", [])) for body in bodies if body["budget"] == budget]


def test_a_new_budget_waits_and_then_holds_its_first_money() -> None:
    proposal = ask()
    [waiting] = listed(waiting=True)
    assert (waiting.id, waiting.budget, waiting.title, waiting.known_as) == (
        proposal,
        "spring",
        "春节 慰问",
        "春节 慰问",
    )
    assert said_in_public("spring") == []
    with pytest.raises(TwoPersonsError):
        approve(proposal, by=FIRST)
    assert approve(proposal) == "spring"
    assert left("budget:spring") == 30_001
    granted = ("granted", [["union:fund", "budget:spring", 30_001]])
    assert said_in_public("spring") == [("opened", []), granted]
    [decided] = listed(waiting=False)
    assert (decided.state, decided.decided_by, decided.decided_at) == ("approved", SECOND, NOON)
    assert approve(ask_more("spring", 9)) == "spring"
    assert left("budget:spring") == 30_010
    assert said_in_public("spring")[2:] == [("granted", [["union:fund", "budget:spring", 9]])]
    assert findings() == []


def test_a_form_sent_twice_is_one_proposal_and_another_form_is_none() -> None:
    first = ask()
    ask(first)
    more = ask_more()
    ask_more(proposal=more)
    with transaction() as tx:
        assert count_proposals(tx) == 2
    with pytest.raises(ProposalSentError):
        ask(first, amount_fen=30_002)
    with pytest.raises(ProposalSentError):
        ask_more(proposal=more, by=SECOND)
    approve(first)
    ask(first)  # the button pressed once more after that: nothing to do
    with pytest.raises(BudgetTakenError):
        ask()
    assert left("budget:spring") == 30_001


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"code": "Spring"}, BudgetCodeError),
        ({"code": "s"}, BudgetCodeError),
        ({"code": "1st"}, BudgetCodeError),
        ({"code": "spring-2027"}, BudgetCodeError),
        ({"code": "春节"}, BudgetCodeError),
        ({"code": "s" * 33}, BudgetCodeError),
        ({"code": "lunch"}, BudgetTakenError),
        ({"title": "  "}, BudgetTitleError),
        ({"title": "春" * 41}, BudgetTitleError),
        ({"title": "春\u202e节"}, BudgetTitleError),
        ({"sponsor": "星钢"}, BudgetSponsorError),
        ({"amount_fen": 0}, BudgetAmountError),
        ({"amount_fen": -5}, BudgetAmountError),
        ({"amount_fen": MOST_FEN + 1}, BudgetAmountError),
    ],
)
def test_what_no_budget_can_be_is_refused(said: dict[str, object], refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        ask(**said)
    assert listed(waiting=True) == []


def test_one_code_is_asked_for_once_at_a_time() -> None:
    first = ask()
    with pytest.raises(BudgetTakenError):
        ask(by=SECOND)
    refuse(first)
    second = ask(by=SECOND)
    withdraw(second, by=SECOND)
    approve(ask())
    assert sorted(each.state for each in listed(waiting=False)) == ["approved", "refused", "withdrawn"]
    assert [each.reason for each in listed(waiting=False) if each.state == "refused"] == ["太多"]
    with pytest.raises(BudgetUnknownError):
        ask_more("summer")


def test_what_was_decided_stays_so() -> None:
    for decide in (approve, refuse):
        proposal = ask_more()
        decide(proposal)
        for again in (approve, refuse, withdraw):
            with pytest.raises(ProposalUnknownError):
                again(proposal)
    gone = ask_more()
    with pytest.raises(ProposalUnknownError):
        withdraw(gone, by=SECOND)  # somebody else's
    with pytest.raises(TwoPersonsError):
        refuse(gone, by=FIRST)
    for reason in ("  ", "很" * 201):
        with pytest.raises(RefusalReasonError):
            refuse(gone, reason=reason)
    withdraw(gone)
    with pytest.raises(ProposalUnknownError):
        approve(gone)
    with pytest.raises(ProposalUnknownError):
        approve(new_id())
    assert findings() == []


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE budget_proposal SET amount_fen = 1",
        "UPDATE budget_proposal SET state = 'approved', decided_by = proposed_by, decided_at = now()",
        "UPDATE budget_proposal SET state = 'refused', decided_by = gen_random_uuid(), decided_at = now()",
        "UPDATE budget_proposal SET proposed_by = gen_random_uuid()",
        "DELETE FROM budget_proposal",
        "TRUNCATE budget_proposal",
    ],
)
def test_the_database_lets_nobody_write_it_otherwise(forged: str) -> None:
    ask_more()
    with pytest.raises(IntegrityError), get_engine().begin() as connection:
        connection.execute(text(forged))


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE budget_proposal SET state = 'approved', decided_by = gen_random_uuid(), decided_at = now() WHERE state = 'waiting'",
        "UPDATE budget_grant SET amount_fen = amount_fen + 1 WHERE key LIKE 'proposal/%'",
        "UPDATE budget_grant SET key = 'proposal/none' WHERE key LIKE 'proposal/%'",
    ],
)
def test_an_approval_without_its_grant_is_found(forged: str) -> None:
    approve(ask_more())
    ask_more()
    assert findings() == []
    with get_engine().begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(forged))
    assert any(found.startswith("grants: lunch") and "proposal" in found for found in findings())


def test_of_all_who_decide_at_once_one_decides() -> None:
    start = Barrier(8)

    def at_once(decide: Callable[[UUID], object]) -> bool:
        start.wait(10)
        try:
            decide(proposal)
        except ProposalUnknownError:
            return False
        return True

    before = left("budget:lunch")
    granted = 0
    for _ in range(10):
        proposal = ask_more(fen=700)
        with ThreadPoolExecutor(8) as officers:
            assert sum(officers.map(at_once, [approve, refuse, withdraw, approve] * 2)) == 1
        granted += sum(each.id == proposal and each.state == "approved" for each in listed(waiting=False))
    assert left("budget:lunch") == before + 700 * granted
    assert findings() == []


def test_of_all_who_ask_for_one_code_at_once_one_does() -> None:
    start = Barrier(8)

    def at_once(number: int) -> bool:
        start.wait(10)
        try:
            ask(by=FIRST if number % 2 else SECOND, title=f"春节 {number}")
        except BudgetTakenError:
            return False
        return True

    with ThreadPoolExecutor(8) as officers:
        assert sum(officers.map(at_once, range(8))) == 1
    assert len(listed(waiting=True)) == 1
