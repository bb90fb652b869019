"""Public entries: canonical bytes, public account names, commitments that open only with their own salt."""

import json
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from market.record.entries import (
    Amounts,
    PublicTransfer,
    commit,
    commit_documents,
    get_salt,
    offer_entry,
    return_entry,
    sale_entry,
)

KEY = bytes(range(32))
DAY = date(2026, 12, 1)


def make(**changes: object) -> bytes:
    given_ = {
        "public_id": "8f" * 16,
        "day": DAY,
        "channel": "shop",
        "merchant": "m_0042",
        "tender": "declared",
        "amounts": Amounts(list=1800, concession=160, subsidy=100, paid=1540),
        "offers": [("WEEKDAY1", 1, 0), ("NOODLE10", 3, 160)],
        "transfers": [PublicTransfer("budget:b_12", "payable:m_0042", 100)],
        **changes,
    }
    documents = {"subject": b"a", "basket": b"b", "facts": b"c"}
    commitments = commit_documents(documents, commit_key=KEY, public_id=given_["public_id"])
    return sale_entry(**given_, commitments=commitments)


def test_the_entry_of_the_noodle_shop() -> None:
    entry = json.loads(make())
    assert entry["offers"] == [["NOODLE10", 3, 160]]
    assert entry["transfers"] == [["budget:b_12", "payable:m_0042", 100]]
    assert (entry["v"], entry["type"], entry["day"], entry["ccy"]) == (1, "sale", "2026-12-01", "CNY")


def test_accounts_of_single_persons_stand_as_one() -> None:
    transfers = [
        PublicTransfer("allowance:g1:anna", "payable:m_0042", 30),
        PublicTransfer("allowance:g2:bert", "payable:m_0042", 20),
        PublicTransfer("budget:b_12", "payable:m_0042", 50),
    ]
    assert json.loads(make(transfers=transfers))["transfers"] == [
        ["allowances", "payable:m_0042", 50],
        ["budget:b_12", "payable:m_0042", 50],
    ]


def test_the_same_basket_twice_has_two_commitments() -> None:
    first, second = json.loads(make()), json.loads(make(public_id="9e" * 16))
    assert first["basket"] != second["basket"]
    assert len({first["subject"], first["basket"], first["facts"]}) == 3


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=64), st.binary(max_size=64))
def test_a_commitment_opens_with_its_document_alone(key: bytes, document: bytes, other: bytes) -> None:
    salt = get_salt(key, "basket", "8f" * 16)
    assert (commit(salt, document) == commit(salt, other)) == (document == other)
    assert commit(get_salt(key, "facts", "8f" * 16), document) != commit(salt, document)


def test_an_offer_s_entry_names_the_merchants_that_signed_in_order() -> None:
    terms, limits = {"id": "A", "rate_bp": 1000}, {"uses": 1}
    entry = json.loads(offer_entry(public_id="2b" * 16, day=DAY, terms=terms, limits=limits, signed=["m_2", "m_1"]))
    assert (entry["terms"], entry["limits"], entry["signed"]) == (terms, limits, ["m_1", "m_2"])
    assert json.loads(offer_entry(public_id="2b" * 16, day=DAY, terms=terms, limits=limits))["signed"] == []


def test_every_entry_is_small_sorted_and_without_spaces() -> None:
    entries = [
        make(),
        return_entry(
            kind="void",
            public_id="1a" * 16,
            of="8f" * 16,
            day=DAY,
            merchant="m_0042",
            amounts=Amounts(list=1800, concession=160, subsidy=100, paid=1540),
            transfers=[PublicTransfer("payable:m_0042", "budget:b_12", 100)],
        ),
        offer_entry(public_id="2b" * 16, day=DAY, terms={"id": "A", "rate_bp": 1000}, limits={}),
    ]
    for body in entries:
        value = json.loads(body)
        assert body == json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        assert len(body) < 2_000
