"""The posting table: what a sale moves, a return moves back; nothing is moved for nothing."""

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from market.ledger.postings import Posting, Rebates, post_return, post_sale

BUYER = UUID(int=7)
FEN = st.integers(0, 10**9)
PURSES = st.dictionaries(st.sampled_from(["budget:a", "budget:b", "allowance:g:anna"]), FEN)


def test_a_sale_with_subsidy_and_both_rebates() -> None:
    postings = post_sale(
        merchant="m_0042", subject=BUYER, sponsor_parts={"budget:b": 100, "budget:a": 0}, rebates=Rebates(67, 40)
    )
    assert postings == [
        Posting("budget:b", "payable:m_0042", 100),
        Posting("receivable:m_0042", f"rebates:member:{BUYER}", 67),
        Posting("receivable:m_0042", "rebates:union", 40),
    ]


@given(PURSES, FEN, FEN)
def test_a_return_of_everything_undoes_the_sale(parts: dict[str, int], member: int, union: int) -> None:
    asked = {"merchant": "m_1", "subject": BUYER, "sponsor_parts": parts, "rebates": Rebates(member, union)}
    balance: Counter[str] = Counter()
    for posting in (*post_sale(**asked), *post_return(**asked)):  # type: ignore[arg-type]
        assert posting.amount_fen > 0
        balance[posting.debit] -= posting.amount_fen
        balance[posting.credit] += posting.amount_fen
    assert set(balance.values()) <= {0}


@given(PURSES, FEN, FEN)
def test_subsidies_and_rebates_never_share_an_account(parts: dict[str, int], member: int, union: int) -> None:
    postings = post_sale(merchant="m_1", subject=BUYER, sponsor_parts=parts, rebates=Rebates(member, union))
    owed = [posting for posting in postings if posting.debit == "receivable:m_1"]
    assert sum(posting.amount_fen for posting in owed) == member + union
    assert sum(posting.amount_fen for posting in postings if posting.credit == "payable:m_1") == sum(parts.values())
    assert len(postings) == len(owed) + sum(1 for part in parts.values() if part)
