"""The `.tlog-proof`: written and read, verified from the file alone, what is refused and where, flipped bits."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.record.log.checkpoints import Checkpoint, sign_checkpoint
from market.record.log.cosignatures import cosign, verify_cosignatures
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import Kind, SignerKey
from market.record.log.proof_files import ProofFile, parse_proof_file, verify_proof_file
from market.record.log.proofs import prove_inclusion
from market.record.log.tree import hash_leaf, hash_ranges_of, root_of

ORIGIN = "huigong.example/log"
KEY = SignerKey(ORIGIN, Kind.NOTE, bytes(range(32)))
WITNESS = SignerKey("witness.example/w1", Kind.COSIGNATURE, bytes(range(32, 64)))
ENTRIES = [b"entry %d" % number for number in range(11)]
LEAVES = [hash_leaf(entry) for entry in ENTRIES]
SIGNED = sign_checkpoint(Checkpoint(ORIGIN, len(LEAVES), root_of(LEAVES)), KEY)
NOTE = SIGNED.note.add([cosign(SIGNED, WITNESS, at_seconds=1_795_000_000)]).encode()
PROOF = ProofFile(6, prove_inclusion(6, len(LEAVES), hash_ranges_of(LEAVES)), NOTE)
# The head of the example of c2sp.org/tlog-proof; its extra data is shortened there, so that it is no base64, and left out here.
EXAMPLE_HEAD = """\
c2sp.org/tlog-proof@v1
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

"""
HASH = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ="


def verify(data: bytes, entry: bytes = ENTRIES[6]) -> None:
    verify_proof_file(parse_proof_file(data), entry=entry, key=KEY.verifier, origin=ORIGIN)


def test_a_proof_file_is_what_the_specification_shows() -> None:
    proof = parse_proof_file(EXAMPLE_HEAD.encode() + NOTE)
    assert (proof.index, len(proof.path), proof.path[0].hex()[:8], proof.extra) == (73_894, 5, "8122b25e", b"")
    assert proof.checkpoint == NOTE
    assert proof.encode() == EXAMPLE_HEAD.encode() + NOTE


def test_a_proof_file_proves_its_entry_and_says_who_saw_it() -> None:
    signed = verify_proof_file(parse_proof_file(PROOF.encode()), entry=ENTRIES[6], key=KEY.verifier, origin=ORIGIN)
    assert signed.checkpoint == SIGNED.checkpoint
    assert [found.at_seconds for found in verify_cosignatures(signed, [WITNESS.verifier])] == [1_795_000_000]


def test_a_proof_file_proves_no_other_entry_place_log_or_key() -> None:
    for wrong in (ENTRIES[5], ENTRIES[6] + b" "):
        with pytest.raises(NotProvedError):
            verify(PROOF.encode(), wrong)
    for index in (0, 5, 7, 10, 11, 10**18):
        with pytest.raises(NotProvedError):
            verify(dataclasses.replace(PROOF, index=index).encode())
    with pytest.raises(NotProvedError):
        verify_proof_file(PROOF, entry=ENTRIES[6], key=KEY.verifier, origin="other.example")
    other = SignerKey(ORIGIN, Kind.NOTE, bytes(32))
    with pytest.raises(NotProvedError):
        verify_proof_file(PROOF, entry=ENTRIES[6], key=other.verifier, origin=ORIGIN)


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.binary(max_size=60),
    st.binary(max_size=60),
)
def test_a_proof_file_is_read_as_it_was_written(index: int, path: list[bytes], note: bytes, extra: bytes) -> None:
    proof = ProofFile(index, tuple(path), note, extra)
    assert parse_proof_file(proof.encode()) == proof


def test_every_flipped_bit_that_counts_is_refused() -> None:
    data = dataclasses.replace(PROOF, checkpoint=SIGNED.note.encode()).encode()
    verify(data)
    for bit in range(8 * len(data)):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises((MalformedError, NotProvedError)):
            verify(bytes(wrong))


FIRST = "c2sp.org/tlog-proof@v1\n"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "end"),
        (f"{FIRST}index 0\n", "end"),
        ("c2sp.org/tlog-proof@v2\nindex 0\n\n", "line 1"),
        (f"\n{FIRST}index 0\n\n", "line 1"),
        (f"{FIRST}\n", "line 2"),
        (f"{FIRST}extra eA==\n\n", "line 3"),
        (f"{FIRST}index 0\nextra eA==\n\n", "line 3"),
        (f"{FIRST}extra \nindex 0\n\n", "line 2"),
        (f"{FIRST}extra e\nindex 0\n\n", "line 2"),
        (f"{FIRST}extra eB==\nindex 0\n\n", "line 2"),
        (f"{FIRST}index 00\n\n", "line 2"),
        (f"{FIRST}index -1\n\n", "line 2"),
        (f"{FIRST}index\n\n", "line 2"),
        (f"{FIRST}index  0\n\n", "line 2"),
        (f"{FIRST}index 9223372036854775808\n\n", "line 2"),
        (f"{FIRST}index 0\nAAAA\n\n", "line 3"),
        (f"{FIRST}extra eA==\nindex 0\n{HASH}\n{HASH[:-1]}\n\n", "line 5"),
        (f"{FIRST}index 0\n" + f"{HASH}\n" * 64 + "\n", "line 66"),
        (f"{FIRST}index 0\r\n\n", "line 2"),
        (f"{FIRST}" + "x" * 2_000_000, ""),
    ],
)
def test_a_malformed_proof_file_is_refused_with_its_place(text: str, where: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_proof_file(text.encode())
    assert (caught.value.part, caught.value.where) == ("tlog-proof", where)


def test_a_proof_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(MalformedError, match="byte 0"):
        parse_proof_file(b"\xff\n\n")
