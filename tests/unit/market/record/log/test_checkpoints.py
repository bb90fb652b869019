"""Checkpoints and cosignatures: published ones, another program's reading of ours, what is refused and where, flipped bits."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales import signing, tlog

from market.kit.errors import InvariantError
from market.record.log.checkpoints import (
    Checkpoint,
    SignedCheckpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from market.record.log.cosignatures import Cosignature, cosign, verify_cosignatures
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import Kind, SignerKey, parse_vkey
from market.record.log.notes import Signature, parse_note

# A real checkpoint of a Certificate Transparency log, with a signature of another type above the log's own, and cosignatures below.
ORIGIN = "arche2025h1.staging.ct.transparency.dev"
REAL = f"""\
{ORIGIN}
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— {ORIGIN} zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— {ORIGIN} ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
""".encode()
LOG = parse_vkey(f"{ORIGIN}+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f")
WITNESSES = [
    parse_vkey("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"),
    parse_vkey("witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv"),
    parse_vkey("witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO"),
]
ABSENT = parse_vkey("rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG")
# The example of c2sp.org/tlog-cosignature; its keys are not published.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()

KEY = SignerKey("huigong.example/log", Kind.NOTE, bytes(range(32)))
WITNESS = SignerKey("witness.example/w1", Kind.COSIGNATURE, bytes(range(32, 64)))
PLAIN = Checkpoint("huigong.example/log", 300, bytes(range(32)))
AT = 1_795_000_000

lines = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=20)
hashes = st.binary(min_size=32, max_size=32)
sizes = st.integers(0, 2**63 - 1)


def flip(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def reopen(data: bytes) -> SignedCheckpoint:
    return open_checkpoint(data, key=KEY.verifier, origin="huigong.example/log")


def test_a_real_checkpoint_and_the_cosignatures_of_its_witnesses_hold() -> None:
    signed = open_checkpoint(REAL, key=LOG, origin=ORIGIN)
    assert signed.checkpoint.size == 1_432_088_532
    assert signed.note.encode() == REAL
    found = verify_cosignatures(signed, [ABSENT, *WITNESSES])
    assert found == tuple(Cosignature(key, 0x6A122120) for key in WITNESSES)
    assert verify_cosignatures(signed, [ABSENT]) == ()


def test_a_real_checkpoint_with_another_size_holds_for_nobody() -> None:
    with pytest.raises(NotProvedError, match=ORIGIN):
        open_checkpoint(REAL.replace(b"1432088532", b"1432088533"), key=LOG, origin=ORIGIN)
    signed = open_checkpoint(REAL, key=LOG, origin=ORIGIN)
    moved = dataclasses.replace(signed, note=dataclasses.replace(signed.note, text=signed.note.text + "more\n"))
    for witness in WITNESSES:
        with pytest.raises(NotProvedError, match=witness.name):
            verify_cosignatures(moved, [witness])


def test_the_example_of_the_specification_is_read_and_written_back() -> None:
    note = parse_note(SOFA)
    assert note.encode() == SOFA
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.text == note.text
    assert int.from_bytes(note.signatures[1].data[:8]) == 1_679_315_147


def test_an_empty_log_has_size_nought() -> None:
    checkpoint = Checkpoint("o", 0, bytes(32))
    assert checkpoint.text == "o\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    assert parse_checkpoint(checkpoint.text) == checkpoint


@given(lines, sizes, hashes, st.lists(lines, max_size=3))
def test_a_checkpoint_is_read_as_it_was_signed(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    signed = sign_checkpoint(checkpoint, KEY)
    assert open_checkpoint(signed.note.encode(), key=KEY.verifier, origin=origin) == signed
    assert parse_checkpoint(checkpoint.text) == checkpoint


@given(sizes, hashes, st.integers(0, 2**63 - 1))
def test_another_program_verifies_our_checkpoints_and_cosignatures(size: int, root: bytes, at: int) -> None:
    signed = sign_checkpoint(Checkpoint("huigong.example/log", size, root), KEY)
    note = signed.note.add([cosign(signed, WITNESS, at_seconds=at)])
    read = tlog.Checkpoint.from_text(note.encode().decode())
    assert (read.origin, read.size, read.root_hash) == ("huigong.example/log", size, root)
    for key in (KEY, WITNESS):
        read.verify(signing.Vkey.from_string(key.verifier.text))


@given(sizes, hashes, st.binary(min_size=32, max_size=32))
def test_we_verify_another_program_s_checkpoints(size: int, root: bytes, seed: bytes) -> None:
    signer = signing.PlainEd25519Signer("example.com/log", seed)
    data = tlog.Checkpoint.make_signed("example.com/log", size, root, [signer]).serialize().encode()
    signed = open_checkpoint(data, key=parse_vkey(signer.vkey.serialize()), origin="example.com/log")
    assert signed.checkpoint == Checkpoint("example.com/log", size, root)


def test_every_flipped_bit_of_a_checkpoint_is_refused() -> None:
    data = sign_checkpoint(PLAIN, KEY).note.encode()
    assert reopen(data).checkpoint == PLAIN
    for bit in range(8 * len(data)):
        with pytest.raises((MalformedError, NotProvedError)):
            reopen(flip(data, bit))


def test_a_flipped_bit_of_a_cosignature_is_refused_or_makes_it_a_stranger_s() -> None:
    signed = sign_checkpoint(PLAIN, KEY)
    line = cosign(signed, WITNESS, at_seconds=AT)
    for bit in range(8 * len(line.data)):
        wrong = dataclasses.replace(line, data=flip(line.data, bit))
        with pytest.raises(NotProvedError):
            verify_cosignatures(dataclasses.replace(signed, note=signed.note.add([wrong])), [WITNESS.verifier])
    for wrong in (dataclasses.replace(line, key_id=flip(line.key_id, 0)), dataclasses.replace(line, name="w2")):
        assert verify_cosignatures(SignedCheckpoint(PLAIN, signed.note.add([wrong])), [WITNESS.verifier]) == ()


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\0" * 8, b"\0" * 71, b"\xff" * 72])
def test_a_cosignature_of_another_length_or_time_is_refused(data: bytes) -> None:
    signed = sign_checkpoint(PLAIN, KEY)
    note = signed.note.add([Signature(WITNESS.name, WITNESS.verifier.id, data)])
    with pytest.raises(NotProvedError):
        verify_cosignatures(SignedCheckpoint(PLAIN, note), [WITNESS.verifier])


def test_a_time_beyond_63_bits_is_refused_though_the_witness_signed_it() -> None:
    signed = sign_checkpoint(PLAIN, KEY)
    signature = WITNESS.sign(f"cosignature/v1\ntime {2**63}\n{PLAIN.text}".encode())
    line = Signature(WITNESS.name, WITNESS.verifier.id, (2**63).to_bytes(8) + signature)
    with pytest.raises(NotProvedError):
        verify_cosignatures(SignedCheckpoint(PLAIN, signed.note.add([line])), [WITNESS.verifier])


def test_a_witness_that_signed_twice_counts_once_with_its_latest_time() -> None:
    signed = sign_checkpoint(PLAIN, KEY)
    note = signed.note.add(cosign(signed, WITNESS, at_seconds=at) for at in (AT, AT + 60, AT - 60))
    assert verify_cosignatures(SignedCheckpoint(PLAIN, note), [WITNESS.verifier]) == (
        Cosignature(WITNESS.verifier, AT + 60),
    )


def test_the_log_s_key_is_no_witness_and_a_witness_s_no_log_key() -> None:
    signed = sign_checkpoint(PLAIN, KEY)
    with pytest.raises(InvariantError):
        cosign(signed, KEY, at_seconds=AT)
    with pytest.raises(InvariantError):
        verify_cosignatures(signed, [KEY.verifier])
    with pytest.raises(InvariantError):
        sign_checkpoint(PLAIN, WITNESS)
    with pytest.raises(InvariantError):
        cosign(signed, WITNESS, at_seconds=2**63)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    data = sign_checkpoint(dataclasses.replace(PLAIN, origin="other.example"), KEY).note.encode()
    with pytest.raises(NotProvedError, match=r"of other\.example, not of huigong"):
        reopen(data)


ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", ""),
        ("origin\n1\n", ""),
        (f"origin\n1\n{ROOT}", ""),
        (f"\n1\n{ROOT}\n", ""),
        (f"origin\n1\n{ROOT}\n\n", ""),
        (f"origin\n1\n{ROOT}\n\nmore\n", ""),
        (f"origin\n01\n{ROOT}\n", "line 2"),
        (f"origin\n+1\n{ROOT}\n", "line 2"),
        (f"origin\n-1\n{ROOT}\n", "line 2"),
        (f"origin\n1 \n{ROOT}\n", "line 2"),
        (f"origin\n１\n{ROOT}\n", "line 2"),
        (f"origin\n1_0\n{ROOT}\n", "line 2"),
        (f"origin\n{2**63}\n{ROOT}\n", "line 2"),
        (f"origin\n1\n{ROOT[:-1]}\n", "line 3"),
        (f"origin\n1\n{ROOT[:-2]}J=\n", "line 3"),
        (f"origin\n1\n {ROOT}\n", "line 3"),
        ("origin\n1\nAAAA\n", "line 3"),
        (f"ori\tgin\n1\n{ROOT}\n", "line 1"),
        (f"origin\n1\n{ROOT}\nmo\tre\n", "line 4"),
    ],
)
def test_a_malformed_checkpoint_is_refused_with_its_place(text: str, where: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_checkpoint(text)
    assert (caught.value.part, caught.value.where) == ("checkpoint", where)


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": ""},
        {"origin": "a\nb"},
        {"size": -1},
        {"size": 2**63},
        {"root": b""},
        {"extensions": ("",)},
        {"extensions": ("a\nb",)},
    ],
)
def test_a_checkpoint_that_no_text_could_say_cannot_be_made(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedError):
        dataclasses.replace(PLAIN, **changes)
