"""Keys and signed notes: published keys and notes, what is refused and where, unknown signatures, flipped bits."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales import signing

from market.kit.errors import InvariantError
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import Kind, SignerKey, VerifierKey, parse_skey, parse_vkey
from market.record.log.notes import MAX_SIGNATURES, Note, Signature, parse_note, sign_note, verify_note

# The example of c2sp.org/signed-note.
EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
# The example of an earlier version: its text has empty lines and is not ASCII.
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
).encode()
# The keys, text and signatures of Go's sumdb/note.
PETER_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH_VKEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
SIGNED_BY_BOTH = f"{TEXT}\n{PETER}{ENOCH}".encode()
VKEYS = [
    EXAMPLE_VKEY,
    PETER_VKEY,
    ENOCH_VKEY,
    "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
]

seeds = st.binary(min_size=32, max_size=32)
texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n"), max_size=60)


def flip(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


@pytest.mark.parametrize("vkey", VKEYS)
def test_a_published_key_is_read_and_written_back(vkey: str) -> None:
    key = parse_vkey(vkey)
    assert key.text == vkey
    assert key.kind == (Kind.COSIGNATURE if vkey.startswith("remora") else Kind.NOTE)


def test_peter_s_secret_key_gives_his_public_key_and_his_signature() -> None:
    key = parse_skey(PETER_SKEY)
    assert (key.text, key.verifier.text) == (PETER_SKEY, PETER_VKEY)
    assert sign_note(TEXT, key).encode() == f"{TEXT}\n{PETER}".encode()
    assert PETER_SKEY.rsplit("+", 1)[1] not in repr(key)
    assert "seed" not in repr(key)


@given(seeds, st.sampled_from([*Kind]))
def test_another_program_reads_our_keys(seed: bytes, kind: Kind) -> None:
    key = SignerKey("example.com/log", kind, seed)
    assert parse_skey(key.text) == key
    vkey = key.verifier
    assert parse_vkey(vkey.text) == vkey
    read = signing.Vkey.from_string(vkey.text)
    assert (read.name, read.key_id.to_bytes(4), read.pubkey) == (vkey.name, vkey.id, vkey.public)
    assert signing.Vkey(vkey.name, None, kind, vkey.public).serialize() == vkey.text


@pytest.mark.parametrize("vkey", [EXAMPLE_VKEY, PETER_VKEY])
def test_no_part_of_a_key_and_no_changed_character_is_a_key(vkey: str) -> None:
    parts = {vkey[start:end] for start in range(len(vkey)) for end in range(start, len(vkey) + 1)} - {vkey}
    changed = [vkey[:at] + chr(ord(vkey[at]) + 1) + vkey[at + 1 :] for at in range(len(vkey))]
    for wrong in [*parts, *changed]:
        with pytest.raises(MalformedError):
            parse_vkey(wrong)


@pytest.mark.parametrize(
    ("vkey", "where"),
    [
        ("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", "key"),  # too long
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "key"),  # an unknown type
        ("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "key id"),
        ("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "key id"),
        ("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "name"),
        ("Peter\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "line 1"),
        ("PeterNeumann+c74f20a3+!!!!", "key"),
        ("PeterNeumann+c74f20a3+", "key"),
        ("PeterNeumann+c74f20a3", ""),
    ],
)
def test_a_malformed_key_is_refused_with_its_place(vkey: str, where: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_vkey(vkey)
    assert (caught.value.part, caught.value.where) == ("vkey", where)


def test_a_malformed_secret_key_is_refused_and_not_repeated() -> None:
    wrong = [PETER_VKEY, PETER_SKEY.replace("c74f20a3", "c74f20a4"), PETER_SKEY[:-4], PETER_SKEY.replace("+AY", "+BY")]
    for skey in wrong:
        with pytest.raises(MalformedError) as caught:
            parse_skey(skey)
        assert skey[-20:] not in str(caught.value)


@pytest.mark.parametrize(("data", "vkey"), [(EXAMPLE_NOTE, EXAMPLE_VKEY), (SIGNED_BY_BOTH, PETER_VKEY)])
def test_a_published_note_holds_and_is_written_back(data: bytes, vkey: str) -> None:
    note = parse_note(data)
    assert verify_note(note, [parse_vkey(vkey)]) == (parse_vkey(vkey),)
    assert note.encode() == data


def test_the_poem_is_split_at_its_last_empty_line() -> None:
    note = parse_note(POEM)
    assert note.text.endswith(":\n\ned è subito sera.\n")
    assert note.encode() == POEM
    assert [signature.name for signature in note.signatures] == ["quasimodo.example/salvatore"]


def test_both_signers_are_found_and_strangers_are_ignored() -> None:
    peter, enoch, stranger = parse_vkey(PETER_VKEY), parse_vkey(ENOCH_VKEY), parse_vkey(EXAMPLE_VKEY)
    note = parse_note(SIGNED_BY_BOTH)
    assert verify_note(note, [stranger, enoch, peter]) == (enoch, peter)
    with pytest.raises(NotProvedError, match="No known key"):
        verify_note(note, [stranger])


def test_a_signature_under_a_known_name_or_id_but_not_both_is_a_stranger_s() -> None:
    note = parse_note(SIGNED_BY_BOTH)
    peter = parse_vkey(PETER_VKEY)
    same_name = Signature(peter.name, b"\0\0\0\0", b"x")
    same_id = Signature("someone", peter.id, b"x")
    assert verify_note(note.add([same_name, same_id]), [peter]) == (peter,)


@pytest.mark.parametrize("data", [b"x", bytes(64), bytes(65)])
def test_a_false_signature_of_a_known_key_refuses_the_whole_note(data: bytes) -> None:
    peter, enoch = parse_vkey(PETER_VKEY), parse_vkey(ENOCH_VKEY)
    note = parse_note(SIGNED_BY_BOTH).add([Signature(peter.name, peter.id, data)])
    with pytest.raises(NotProvedError, match="PeterNeumann"):
        verify_note(note, [enoch, peter])


def test_a_signature_is_added_once() -> None:
    note = parse_note(SIGNED_BY_BOTH)
    assert note.add([*note.signatures, *note.signatures]) == note
    peter = parse_note(f"{TEXT}\n{PETER}".encode())
    assert peter.add([note.signatures[1]] * 2) == note


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "end"),
        (b"text\n", "end"),
        (b"text\n\n", "end"),
        (SIGNED_BY_BOTH[:-1], "end"),
        (SIGNED_BY_BOTH.replace(b"\n\n", b"\n"), "end"),
        (SIGNED_BY_BOTH + b"\n", "end"),
        (EXAMPLE_NOTE.replace(b"This", b"Th\xffs"), "byte 2"),
        (EXAMPLE_NOTE.replace(b"This", b"Th\ts"), "line 1"),
        (EXAMPLE_NOTE.replace(b"\n", b"\r\n"), "line 1"),
        (EXAMPLE_NOTE.replace("—".encode(), b"-"), "line 3"),
        (SIGNED_BY_BOTH.replace("— Enoch".encode(), "—  Enoch".encode()), "line 5"),
        (SIGNED_BY_BOTH.replace(b"EnochRoot ", b"EnochRoot"), "line 5"),
        (SIGNED_BY_BOTH.replace(b"EnochRoot", b"Enoch+Root"), "line 5"),
        (SIGNED_BY_BOTH.replace(b"EnochRoot", "Enoch\u2003Root".encode()), "line 5"),
        (SIGNED_BY_BOTH.replace(b"rwz+", b"rwz-"), "line 5"),
        (SIGNED_BY_BOTH.replace(b"+QQ=\n", b"+QQ\n"), "line 5"),
        (SIGNED_BY_BOTH.replace(b"+QQ=\n", b"+QR=\n"), "line 5"),
        (b"text\n\n\xe2\x80\x94 name AAAAAA==\n", "line 3"),
        (b"text\n\n" + "— name AAAAAAA=\n".encode() * (MAX_SIGNATURES + 1), "end"),
        (b"x" * 1_000_001, ""),
    ],
)
def test_a_malformed_note_is_refused_with_its_place(data: bytes, where: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_note(data)
    assert (caught.value.part, caught.value.where) == ("note", where)


def test_sixteen_signatures_and_more_are_read() -> None:
    data = b"text\n\n" + b"".join(f"— name{number} AAAAAAA=\n".encode() for number in range(MAX_SIGNATURES))
    assert parse_note(data).encode() == data


@given(texts, seeds)
def test_what_was_signed_is_read_and_holds_for_its_own_key_alone(text: str, seed: bytes) -> None:
    key = SignerKey("example.com/log", Kind.NOTE, seed)
    data = sign_note(text + "\n", key).encode()
    note = parse_note(data)
    assert (note.text, note.encode()) == (text + "\n", data)
    assert verify_note(note, [key.verifier]) == (key.verifier,)
    other = SignerKey(key.name, Kind.NOTE, flip(seed, 0)).verifier
    with pytest.raises(NotProvedError):
        verify_note(note, [other])


def test_every_flipped_bit_of_a_note_is_refused() -> None:
    key = parse_vkey(EXAMPLE_VKEY)
    for bit in range(8 * len(EXAMPLE_NOTE)):
        with pytest.raises((MalformedError, NotProvedError)):
            verify_note(parse_note(flip(EXAMPLE_NOTE, bit)), [key])


@given(st.binary(max_size=80))
def test_any_bytes_are_a_note_or_refused(data: bytes) -> None:
    for attempt in (data, EXAMPLE_NOTE[:30] + data):
        with suppress(MalformedError):
            assert parse_note(attempt).encode() == attempt


def test_a_text_that_no_note_can_carry_is_not_signed() -> None:
    key = parse_skey(PETER_SKEY)
    for text in ("no newline", "tab\t\n", "half \udc00 pair\n"):
        with pytest.raises(MalformedError):
            sign_note(text, key)
    witness = SignerKey("w", Kind.COSIGNATURE, key.seed)
    with pytest.raises(InvariantError):
        sign_note(TEXT, witness)
    with pytest.raises(InvariantError):
        verify_note(Note(TEXT, ()), [witness.verifier])


def test_keys_of_another_length_or_a_bad_name_cannot_be_made() -> None:
    for make in (SignerKey, VerifierKey):
        for name, key in (("name", bytes(31)), ("two words", bytes(32)), ("", bytes(32)), ("a+b", bytes(32))):
            with pytest.raises(MalformedError):
                make(name, Kind.NOTE, key)
