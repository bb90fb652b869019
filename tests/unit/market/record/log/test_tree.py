"""The Merkle tree: published roots and proofs, every size to 300 against RFC 6962's own recursion and against another program."""

import hashlib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales import tlog

from market.kit.errors import InvariantError
from market.record.entries import entry_hash
from market.record.log.errors import NotProvedError
from market.record.log.proofs import prove_consistency, prove_inclusion, verify_consistency, verify_inclusion
from market.record.log.tree import (
    EMPTY_ROOT,
    CompactRange,
    hash_leaf,
    hash_ranges_of,
    read_compact_range,
    root_of,
)

SIZES = 300
LEAVES = [hash_leaf(b"entry %d" % number) for number in range(SIZES)]

# The reference leaves and roots that Certificate Transparency's implementations have in common, by size.
REFERENCE = [bytes.fromhex(leaf) for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
REFERENCE.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
REFERENCE_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
REFERENCE_INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
REFERENCE_CONSISTENCY = {
    (1, 1): [],
    (1, 8): REFERENCE_INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


@cache
def mth(start: int, end: int) -> bytes:
    """MTH(D[start:end]) word by word from RFC 6962, section 2.1."""
    if start == end:
        return hashlib.sha256().digest()
    if end - start == 1:
        return LEAVES[start]
    k = power_below(end - start)
    return hashlib.sha256(b"\x01" + mth(start, start + k) + mth(start + k, end)).digest()


def path(m: int, start: int, end: int) -> list[bytes]:
    """PATH(m, D[n]) from section 2.1.1."""
    if end - start == 1:
        return []
    k = power_below(end - start)
    if m < k:
        return [*path(m, start, start + k), mth(start + k, end)]
    return [*path(m - k, start + k, end), mth(start, start + k)]


def subproof(m: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) from section 2.1.2."""
    if m == end - start:
        return [] if whole else [mth(start, end)]
    k = power_below(end - start)
    if m <= k:
        return [*subproof(m, start, start + k, whole=whole), mth(start + k, end)]
    return [*subproof(m - k, start + k, end, whole=False), mth(start, start + k)]


def flip(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def test_the_reference_roots_come_out() -> None:
    leaves = [hash_leaf(entry) for entry in REFERENCE]
    assert [root_of(leaves[:size]).hex() for size in range(9)] == REFERENCE_ROOTS
    assert EMPTY_ROOT.hex() == REFERENCE_ROOTS[0]


def test_the_reference_proofs_come_out() -> None:
    ranges = hash_ranges_of([hash_leaf(entry) for entry in REFERENCE])
    for (index, size), proof in REFERENCE_INCLUSION.items():
        assert [part.hex() for part in prove_inclusion(index, size, ranges)] == proof
    for (old, new), proof in REFERENCE_CONSISTENCY.items():
        assert [part.hex() for part in prove_consistency(old, new, ranges)] == proof


def test_an_entry_of_the_record_is_a_leaf() -> None:
    assert entry_hash(b"{}") == hash_leaf(b"{}") == hashlib.sha256(b"\x00{}").digest()


def test_a_tree_grows_leaf_by_leaf_to_the_recursive_root() -> None:
    grown = CompactRange()
    for size in range(SIZES + 1):
        assert grown == read_compact_range(size, mth)
        assert grown.root == mth(0, size)
        grown = grown.extend(LEAVES[size : size + 1])


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=20), st.integers(0, 20))
def test_growing_in_two_steps_is_growing_in_one(leaves: list[bytes], cut: int) -> None:
    assert CompactRange().extend(leaves[:cut]).extend(leaves[cut:]) == CompactRange().extend(leaves)


def test_a_compact_range_has_the_hashes_of_its_size() -> None:
    with pytest.raises(InvariantError):
        CompactRange(3, (EMPTY_ROOT,))


def test_every_inclusion_proof_is_the_recursive_one_and_holds_for_both_programs() -> None:
    for size in range(1, SIZES + 1):
        root = mth(0, size)
        for index in range(size):
            proof = prove_inclusion(index, size, mth)
            assert list(proof) == path(index, 0, size)
            verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=root)
            if size % 19 == 0 or size < 34:
                tlog.InclusionProof(index, size, list(proof)).check(LEAVES[index], root)


def test_every_consistency_proof_is_the_recursive_one_and_holds_for_both_programs() -> None:
    for new in range(SIZES + 1):
        for old in range(new + 1):
            proof = prove_consistency(old, new, mth)
            assert list(proof) == (subproof(old, 0, new, whole=True) if old else [])
            verify_consistency(old=old, old_root=mth(0, old), new=new, new_root=mth(0, new), proof=proof)
            if new % 19 == 0 or new < 34:
                tlog.ConsistencyProof(old, new, list(proof)).check(mth(0, old), mth(0, new))


@given(st.data())
def test_an_inclusion_proof_with_one_bit_flipped_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, SIZES))
    index = data.draw(st.integers(0, size - 1))
    parts = [LEAVES[index], mth(0, size), *path(index, 0, size)]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flip(parts[which], data.draw(st.integers(0, 255)))
    with pytest.raises(NotProvedError):
        verify_inclusion(leaf=parts[0], index=index, size=size, proof=parts[2:], root=parts[1])


@given(st.data())
def test_a_consistency_proof_with_one_bit_flipped_is_refused(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, SIZES))
    old = data.draw(st.integers(1, new))
    parts = [mth(0, old), mth(0, new), *subproof(old, 0, new, whole=True)]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flip(parts[which], data.draw(st.integers(0, 255)))
    with pytest.raises(NotProvedError):
        verify_consistency(old=old, old_root=parts[0], new=new, new_root=parts[1], proof=parts[2:])


@given(st.integers(2, SIZES), st.data())
def test_a_proof_holds_at_its_own_place_and_size_alone(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-1, size + 1).filter(lambda number: number != index))
    proof, root = path(index, 0, size), mth(0, size)
    with pytest.raises(NotProvedError):
        verify_inclusion(leaf=LEAVES[index], index=other, size=size, proof=proof, root=root)
    for wrong in ([*proof, EMPTY_ROOT], proof[:-1]):
        with pytest.raises(NotProvedError):
            verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=wrong, root=root)


def test_a_shrunken_tree_and_a_false_empty_root_are_refused() -> None:
    with pytest.raises(NotProvedError, match="does not continue"):
        verify_consistency(old=2, old_root=mth(0, 2), new=1, new_root=mth(0, 1), proof=[])
    with pytest.raises(NotProvedError, match="empty tree"):
        verify_consistency(old=0, old_root=mth(0, 1), new=1, new_root=mth(0, 1), proof=[])
    with pytest.raises(NotProvedError, match="1 hashes where 0"):
        verify_consistency(old=1, old_root=mth(0, 1), new=1, new_root=mth(0, 1), proof=[EMPTY_ROOT])
    with pytest.raises(InvariantError):
        prove_inclusion(1, 1, mth)
    with pytest.raises(InvariantError):
        prove_consistency(2, 1, mth)
