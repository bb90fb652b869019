"""A witness cosigns what continues what it has seen, and nothing else; the log collects what it says. Over real HTTP."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import uvicorn

from api.public_log import add_witness
from api.witness import Watched, Witness, create_witness
from market.kit.database import transaction
from market.record.log.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from market.record.log.cosignatures import verify_cosignatures
from market.record.log.keys import Kind, SignerKey
from market.record.log.proofs import prove_consistency
from market.record.log.tiles import TiledTree
from market.record.publishing.keyring import new_key
from market.record.publishing.sequencer import LogForkError
from market.record.publishing.served import find_checkpoint, find_newest_checkpoint, tile_reader
from market.record.witnessing import Request, answer_request
from tests.db.record.conftest import LATER, OPENED, Log

WITNESS = new_key("witness.example", Kind.COSIGNATURE)


@pytest.fixture
def address(log: Log, tmp_path: Path) -> Iterator[str]:
    """A witness of this log, listening."""
    witness = Witness(key=WITNESS, logs=[log.policy.log], folder=tmp_path / "witness")
    server = uvicorn.Server(uvicorn.Config(create_witness(witness), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def proof(old: int, new: int) -> tuple[bytes, ...]:
    with transaction() as tx:
        return prove_consistency(old, new, TiledTree(new, tile_reader(tx)).hash_range)


def newest() -> bytes:
    with transaction() as tx:
        note = find_newest_checkpoint(tx)
    assert note is not None
    return note


def post(address: str, request: Request | bytes) -> requests.Response:
    body = request if isinstance(request, bytes) else request.encode()
    return requests.post(f"{address}/add-checkpoint", data=body, timeout=5)


def signed_otherwise(log: Log, size: int) -> bytes:
    """What a forking operator would sign: another tree of that size, with the log's own key."""
    from api.public_log import read_log_key  # noqa: PLC0415

    key: SignerKey = read_log_key(log.settings, log.policy)
    return sign_checkpoint(Checkpoint(log.policy.origin, size, b"\x07" * 32), key).note.encode()


def test_the_log_collects_what_the_witness_says(log: Log, address: str) -> None:
    policy = add_witness(WITNESS.verifier, is_own=False, at=LATER)
    watched = Watched([address])
    assert watched.ask(policy) == 0, "nothing is signed yet"
    for _ in range(3):
        log.write()
        log.run()
        assert watched.ask(policy) == 1
        assert watched.ask(policy) == 0, "once for each checkpoint"
        with transaction() as tx:
            note = find_checkpoint(tx)
        assert note is not None
        signed = open_checkpoint(note, key=log.policy.log, origin=log.policy.origin)
        [said] = verify_cosignatures(signed, [WITNESS.verifier])
        assert abs(said.at_seconds - time.time()) < 60
    log.write()
    log.run()
    assert Watched([address]).ask(policy) == 1, "a sequencer that begins anew learns how far the witness is"


def test_an_unknown_witness_s_line_is_not_kept(log: Log, address: str) -> None:
    log.run()
    assert Watched([address]).ask(log.policy) == 0
    with transaction() as tx:
        assert find_checkpoint(tx) == find_newest_checkpoint(tx)


def test_a_witness_that_is_down_holds_nothing_up(log: Log) -> None:
    log.run()
    assert Watched(["http://127.0.0.1:9"]).ask(log.policy) == 0


def test_each_refusal_has_its_status(log: Log, address: str) -> None:
    log.run()
    first = newest()
    assert post(address, Request(0, (), first)).status_code == 200
    log.write()
    log.run()
    second, more = newest(), proof(OPENED, OPENED + 1)
    other = sign_checkpoint(Checkpoint("other.example/log", 5, b"\x01" * 32), new_key("other.example/log"))
    forged = sign_checkpoint(Checkpoint(log.policy.origin, OPENED + 1, b"\x01" * 32), new_key(log.policy.origin))
    assert post(address, b"old 0\n").status_code == 400
    assert post(address, b"old 01\n\n" + second).status_code == 400
    assert post(address, Request(9, (), second)).status_code == 400
    assert post(address, b"x" * 70_000).status_code == 413
    assert post(address, Request(OPENED, more, other.note.encode())).status_code == 404
    assert post(address, Request(OPENED, more, forged.note.encode())).status_code == 403
    assert post(address, Request(OPENED, (), second)).status_code == 422
    assert post(address, Request(OPENED, (b"\x00" * 32,), second)).status_code == 422
    behind = post(address, Request(0, (), second))
    assert (behind.status_code, behind.text, behind.headers["content-type"]) == (409, f"{OPENED}\n", "text/x.tlog.size")
    assert post(address, Request(OPENED, more, second)).status_code == 200


def test_two_histories_are_not_both_cosigned(log: Log, address: str) -> None:
    size = OPENED + 4
    for _ in range(4):
        log.write()
    log.run()
    assert post(address, Request(0, (), newest())).status_code == 200
    same_size = post(address, Request(size, (), signed_otherwise(log, size)))
    assert (same_size.status_code, same_size.text) == (409, f"{size}\n")
    assert post(address, Request(size, (b"\x07" * 32,), signed_otherwise(log, size + 1))).status_code == 422
    assert post(address, Request(size, (), newest())).status_code == 200, "the same again is no harm"


def test_a_witness_that_has_seen_more_stops_the_signing(log: Log, address: str) -> None:
    log.run()
    assert post(address, Request(0, (), signed_otherwise(log, 40))).status_code == 200
    with pytest.raises(LogForkError) as refusal:
        Watched([address]).ask(log.policy)
    assert refusal.value.facts["signed_size"] == 40


def test_requests_do_not_overtake_each_other(log: Log, tmp_path: Path) -> None:
    """Whatever the order of many requests at once, what the witness remembers only grows."""
    notes, first = [], OPENED + 1
    for _ in range(20):
        log.write()
        log.run()
        notes.append(newest())
    witness = Witness(key=WITNESS, logs=[log.policy.log], folder=tmp_path / "racing")
    witness.answer(Request(0, (), notes[0]).encode(), at_seconds=1)
    requests_ = [
        Request(first + old, proof(first + old, first + new), notes[new]).encode()
        for old in range(20)
        for new in range(old, 20)
    ]
    cosigned: list[int] = []

    def send(bodies: list[bytes]) -> None:
        for body in bodies:
            answer = witness.answer(body, at_seconds=1)
            if answer.kept is not None:
                cosigned.append(int(answer.kept.split(b"\n")[1]))

    threads = [threading.Thread(target=send, args=(requests_[part::8],)) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cosigned) >= 1
    known = {log.policy.origin: notes[max(cosigned) - first]}
    again = answer_request(
        Request(max(cosigned), (), notes[max(cosigned) - first]).encode(),
        logs=[log.policy.log],
        known=known,
        key=WITNESS,
        at_seconds=2,
    )
    assert again.status == 200
    last = witness.answer(Request(0, (), notes[-1]).encode(), at_seconds=3)
    assert (last.status, last.body) == (409, f"{max(cosigned)}\n".encode()), "nothing was rolled back"
