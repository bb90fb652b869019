"""A witness cosigns what continues what it has seen, and nothing else; the log collects what it says. Over real HTTP."""

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import uvicorn
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from api.public_log import add_witness, read_log_key, succeed_log
from api.witness import Watched, Witness, create_witness, latest_path
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


@contextmanager
def listening(app: Starlette) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@dataclass
class Liar:
    """A witness that says whatever somebody likes; `latest` is what it shows, None: nothing."""

    status: int = 422
    body: bytes = b"no\n"
    kind: str = "text/plain"
    latest: bytes | None = None

    @property
    def app(self) -> Starlette:
        async def add_checkpoint(request: HttpRequest) -> Response:
            await request.body()
            return Response(self.body, self.status, headers={"Content-Type": self.kind})

        async def latest(_request: HttpRequest) -> Response:
            return Response(b"nothing", 404) if self.latest is None else Response(self.latest)

        return Starlette(
            routes=[
                Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
                Route("/latest/{origin}", latest),
            ]
        )


@pytest.fixture
def address(log: Log, tmp_path: Path) -> Iterator[str]:
    """A witness of this log, listening."""
    witness = Witness(key=WITNESS, logs=[log.policy.log], folder=tmp_path / "witness")
    with listening(create_witness(witness)) as url:
        yield url


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
    key: SignerKey = read_log_key(log.settings, log.policy)
    return sign_checkpoint(Checkpoint(log.policy.origin, size, b"\x07" * 32), key).note.encode()


def test_the_log_collects_what_the_witness_says(log: Log, address: str) -> None:
    policy = add_witness(WITNESS.verifier, is_own=False, at=LATER)
    watched = Watched([address])
    assert watched.ask(policy, shelf=log.shelf) == 0, "nothing is signed yet"
    for _ in range(3):
        log.write()
        log.run()
        assert watched.ask(policy, shelf=log.shelf) == 1
        assert watched.ask(policy, shelf=log.shelf) == 0, "once for each checkpoint"
        with transaction() as tx:
            note = find_checkpoint(tx)
        assert note is not None
        signed = open_checkpoint(note, key=log.policy.log, origin=log.policy.origin)
        [said] = verify_cosignatures(signed, [WITNESS.verifier])
        assert abs(said.at_seconds - time.time()) < 60
    log.write()
    log.run()
    assert Watched([address]).ask(policy, shelf=log.shelf) == 1, (
        "a sequencer that begins anew learns how far the witness is"
    )


def test_an_unknown_witness_s_line_is_not_kept(log: Log, address: str) -> None:
    log.run()
    assert Watched([address]).ask(log.policy, shelf=log.shelf) == 0
    with transaction() as tx:
        assert find_checkpoint(tx) == find_newest_checkpoint(tx)


def test_a_witness_that_is_down_holds_nothing_up(log: Log) -> None:
    log.run()
    assert Watched(["http://127.0.0.1:9"]).ask(log.policy, shelf=log.shelf) == 0


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


@pytest.mark.parametrize("size", [OPENED, 40, OPENED - 1], ids=["as far", "further", "less far"])
def test_a_witness_that_shows_another_history_of_ours_stops_the_log(log: Log, address: str, size: int) -> None:
    """Our own signature over another tree: as far as the log, 409; further, 409; less far, 422."""
    log.run()
    other = signed_otherwise(log, size)
    assert post(address, Request(0, (), other)).status_code == 200
    shown = requests.get(f"{address}/{latest_path(log.policy.origin)}", timeout=5)
    assert shown.content == other
    for _ in range(2):
        with pytest.raises(LogForkError) as refusal:
            Watched([address]).ask(log.policy, shelf=log.shelf)
    assert refusal.value.facts == {"size": OPENED, "signed_size": size, "where": f"witness {address}"}
    waiting = log.write()
    with pytest.raises(LogForkError, match=address):
        log.run()  # whether the witness answers or not
    assert waiting not in log.places()


def test_what_a_witness_adds_to_our_checkpoint_is_left_out_when_the_log_is_given_up(log: Log) -> None:
    """It may add lines until no entry could hold them."""
    log.run()
    note = signed_otherwise(log, 40)
    noise = b"".join(b"\xe2\x80\x94 w.example/%d %s\n" % (n, base64.b64encode(b"\x00" * 400)) for n in range(99))
    with listening(Liar(latest=note + noise).app) as url, pytest.raises(LogForkError):
        Watched([url]).ask(log.policy, shelf=log.shelf)
    said = succeed_log(log.settings, origin="test.example/log-2", at=LATER).succeeds
    assert said is not None
    assert (said.checkpoint.encode(), said.continued) == (note, OPENED)
    assert log.run() is not None


def test_what_a_witness_showed_is_forgiven_once_it_is_continued(log: Log, address: str, database: Engine) -> None:
    """A backup that is too old, without the shelf: the witness knows better; a newer one goes on."""
    log.run()
    old, kept = newest(), log.shelf.folder / "checkpoint"
    log.write("offer")
    log.run()
    assert post(address, Request(0, (), newest())).status_code == 200
    kept.write_bytes(old)
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for table in ("entry", "log_tile", "log_state", "log_checkpoint"):
            connection.execute(text(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}"))
        connection.execute(text("DELETE FROM entry WHERE leaf_index >= :size"), {"size": OPENED})
        connection.execute(text("DELETE FROM log_checkpoint WHERE size > :size"), {"size": OPENED})
        connection.execute(text("UPDATE log_tile SET hashes = substring(hashes FOR 32 * :size)"), {"size": OPENED})
        connection.execute(text("UPDATE log_state SET size = :size"), {"size": OPENED})
    with pytest.raises(LogForkError):
        Watched([address]).ask(log.policy, shelf=log.shelf)
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for table in ("entry", "log_tile", "log_state", "log_checkpoint"):
            connection.execute(text(f"DELETE FROM {table}"))
            connection.execute(text(f"INSERT INTO {table} SELECT * FROM kept_{table}"))
    log.write("offer")
    assert log.run() is not None
    assert Watched([address]).ask(add_witness(WITNESS.verifier, is_own=False, at=LATER), shelf=log.shelf) == 1


def test_a_witness_s_word_alone_stops_nothing(log: Log) -> None:
    """Whatever it says, and whatever it shows that our key did not sign, or that the log continues."""
    log.run()
    policy = add_witness(WITNESS.verifier, is_own=False, at=LATER)
    forged = sign_checkpoint(Checkpoint(log.policy.origin, 999, b"\x01" * 32), new_key(log.policy.origin))
    liar, size = Liar(), "text/x.tlog.size"
    with listening(liar.app) as url:
        for liar.status, liar.body, liar.kind in (
            (409, b"999\n", size),
            (409, b"%d\n" % OPENED, size),
            (409, b"9" * 5_000, size),
            (409, "४\n".encode(), size),
            (409, b"\xff\n", size),
            (409, b"999\n", "text/plain"),
            (422, b"no\n", "text/plain"),
            (404, b"", "text/plain"),
            (500, b"x" * 200_000, "text/plain"),
            (200, b"\xff\xfe", "text/plain"),
            (200, b"\xe2\x80\x94 witness.example AAAA\n", "text/plain"),
            (302, b"", "text/plain"),
        ):
            for liar.latest in (None, forged.note.encode(), newest(), b"\xff" * 100_000):
                assert Watched([url]).ask(policy, shelf=log.shelf) == 0
    log.write()
    assert log.run() is not None
    assert log.shelf.list_shown() == []


def test_the_last_word_of_a_log_that_was_given_up_stops_not_the_next_one(log: Log) -> None:
    """Its checkpoint is signed by a key of this log, under another name."""
    log.run()
    note = sign_checkpoint(
        Checkpoint("test.example/before", 999, b"\x01" * 32), read_log_key(log.settings, log.policy)
    ).note
    with listening(Liar(latest=note.encode()).app) as url:
        assert Watched([url]).ask(log.policy, shelf=log.shelf) == 0


def test_a_witness_that_drips_is_left_alone(log: Log) -> None:
    """A byte now and then keeps a socket open for ever; the round goes on, and the witness rests."""
    log.run()
    with socket.socket() as ear:
        ear.bind(("127.0.0.1", 0))
        ear.listen()
        over, connections = threading.Event(), list[socket.socket]()

        def drip() -> None:
            connections.append(ear.accept()[0])
            connections[0].sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not over.wait(0.2):
                connections[0].sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        watched = Watched([f"http://127.0.0.1:{ear.getsockname()[1]}"], timeout_seconds=1)
        begun = time.monotonic()
        assert watched.ask(log.policy, shelf=log.shelf) == 0
        assert watched.ask(log.policy, shelf=log.shelf) == 0, "it rests"
        assert time.monotonic() - begun < 2
        over.set()
        thread.join()
        connections[0].close()


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
