"""A witness as a small web application, and a log's side of the conversation. Neither needs the other's database.

What a witness cosigned last is on disk before it answers, one request after the other, so that two requests cannot overtake each other.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from threading import Lock, Thread
from time import monotonic
from typing import Final

import structlog
import urllib3
from sqlalchemy.dialects.postgresql import insert
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from market.kit.database import transaction
from market.record.log.checkpoints import SignedCheckpoint, parse_checkpoint, read_checkpoint
from market.record.log.cosignatures import verify_cosignatures
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import SignerKey, VerifierKey
from market.record.log.notes import parse_note
from market.record.log.proofs import prove_consistency
from market.record.log.texts import decode_number
from market.record.log.tiles import TiledTree
from market.record.policy import Policy
from market.record.publishing.models import LogCosignature
from market.record.publishing.sequencer import LogForkError, check_continued, check_log, list_signers
from market.record.publishing.served import find_newest_checkpoint, tile_reader
from market.record.publishing.shelf import Shelf
from market.record.witnessing import MAX_BYTES, SIZE_TYPE, Answer, Request, answer_request, encode_line, read_answer

TIMEOUT_SECONDS: Final = 5
REST_SECONDS: Final = 30
"""How long a witness that did not cosign is left in peace."""

log = structlog.get_logger("huigong.witness")

_WAITING: dict[str, Thread] = {}


def latest_path(origin: str) -> str:
    """Where a witness shows the checkpoint it cosigned last of a log, as that log signed it."""
    return f"latest/{hashlib.sha256(origin.encode()).hexdigest()}"


class Witness:
    """One key, the logs it watches, and a folder in which it remembers what it cosigned last of each."""

    def __init__(self, *, key: SignerKey, logs: Sequence[VerifierKey], folder: Path) -> None:
        """`logs` are named as their origins."""
        self._key, self._logs = key, logs
        self._shelves = {one.name: Shelf(folder / hashlib.sha256(one.name.encode()).hexdigest()[:16]) for one in logs}
        self._turn = Lock()

    def answer(self, body: bytes, *, at_seconds: int) -> Answer:
        """Cosign or refuse; what was cosigned is on disk when this returns."""
        with self._turn:
            kept = {origin: note for origin, shelf in self._shelves.items() if (note := shelf.read()) is not None}
            answer = answer_request(body, logs=self._logs, known=kept, key=self._key, at_seconds=at_seconds)
            if answer.kept is not None:
                origin = parse_checkpoint(parse_note(answer.kept).text).origin
                self._shelves[origin].keep(answer.kept)
            return answer

    def find_latest(self, path: str) -> bytes | None:
        """The checkpoint it cosigned last of the log whose `latest_path` this is; None where there is none."""
        shelves = [shelf for origin, shelf in self._shelves.items() if latest_path(origin) == path]
        return shelves[0].read() if shelves else None


def create_witness(witness: Witness) -> Starlette:
    """The application: `POST /add-checkpoint`, and `GET /latest/<sha256 of an origin>`."""

    async def add_checkpoint(request: HttpRequest) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_BYTES:
                return Response(b"too long\n", 413)
        answer = await run_in_threadpool(witness.answer, body, at_seconds=int(time.time()))
        return Response(
            answer.body, answer.status, headers={"Content-Type": answer.kind}
        )  # without a charset of its own

    def latest(request: HttpRequest) -> Response:
        note = witness.find_latest(request.url.path.removeprefix("/"))
        if note is None:
            return Response("nothing was cosigned of such a log here\n", HTTPStatus.NOT_FOUND, media_type="text/plain")
        return Response(note, media_type="text/plain")

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/latest/{origin}", latest, methods=["GET"]),
        ]
    )


class Watched:
    """The log's side: asks the witnesses for cosignatures and remembers how far each has seen the log.

    What stops the log is only a checkpoint that the log's own key signed and that this database does not continue; a witness that says
    anything else, or nothing, is worth a warning.
    """

    def __init__(self, addresses: Sequence[str], *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """`addresses` are the witnesses' submission prefixes; `timeout_seconds` is for each request as a whole."""
        self._timeout_seconds = timeout_seconds
        self._seen: dict[str, int] = dict.fromkeys(addresses, 0)
        self._cosigned: dict[str, int] = {}
        self._rests_until: dict[str, float] = {}

    def ask(self, policy: Policy, *, shelf: Shelf) -> int:
        """Ask each witness for the newest checkpoint; how many cosigned. A witness that does not answer holds nothing up.

        Raises LogForkError when a witness shows what the log signed and this database does not continue; the shelf remembers it.
        """
        if not self._seen:
            return 0
        with transaction() as tx:
            note = find_newest_checkpoint(tx)
        if note is None:
            return 0
        opened = parse_note(note)
        signed = SignedCheckpoint(parse_checkpoint(opened.text), opened)
        cosigned = 0
        for address in self._seen:
            if self._cosigned.get(address) == signed.checkpoint.size or self._rests_until.get(address, 0) > monotonic():
                continue
            has_cosigned = self._ask(address, policy, signed, note)
            if has_cosigned:
                self._cosigned[address] = signed.checkpoint.size
                cosigned += 1
            else:
                if has_cosigned is not None:
                    self._look(address, policy, shelf)
                self._rests_until[address] = monotonic() + REST_SECONDS
        return cosigned

    def _ask(self, address: str, policy: Policy, signed: SignedCheckpoint, note: bytes) -> bool | None:
        """Whether it cosigned, None where it did not answer; what else it said is in the operator's log."""
        size = signed.checkpoint.size
        for _ in range(2):  # the first answer may only say how far it has seen the log
            answer = self._send(address, signed, note)
            if answer is None:
                return None
            if answer.status == HTTPStatus.OK and self._keep(answer.body, policy, signed):
                self._seen[address] = size
                return True
            seen = _read_size(answer)
            if seen is None or seen > size or seen == self._seen[address]:
                log.warning("a witness refuses", witness=address, status=answer.status, words=answer.words)
                return False
            self._seen[address] = seen
        return False

    def _look(self, address: str, policy: Policy, shelf: Shelf) -> None:
        """Ask a witness that did not cosign what it saw last. Its word counts for nothing, our own signature does."""
        answer = _fetch(f"{address.rstrip('/')}/{latest_path(policy.origin)}", timeout_seconds=self._timeout_seconds)
        if answer is None or answer.status != HTTPStatus.OK:
            return
        with transaction() as tx:
            keys = list_signers(tx, shelf)
            try:
                shown = read_checkpoint(answer.body, keys=keys)
            except (MalformedError, NotProvedError) as error:
                log.warning("a witness shows no checkpoint of this log", witness=address, problem=str(error))
                return
            if shown.checkpoint.origin != policy.origin:
                return
            tree = check_log(tx, shelf=shelf)
            try:
                check_continued(tree, answer.body, keys=keys, where=f"witness {address}")
            except LogForkError:
                shelf.keep_shown(shown.note.encode(), by=address)
                raise

    def _send(self, address: str, signed: SignedCheckpoint, note: bytes) -> "_Answer | None":
        old, size = self._seen[address], signed.checkpoint.size
        with transaction() as tx:
            tree = TiledTree(size, tile_reader(tx))
            proof = prove_consistency(old, size, tree.hash_range)
        body = Request(old, proof, note).encode()
        return _fetch(f"{address.rstrip('/')}/add-checkpoint", body, timeout_seconds=self._timeout_seconds)

    @staticmethod
    def _keep(data: bytes, policy: Policy, signed: SignedCheckpoint) -> bool:
        """Store the cosignatures of known witnesses; whether there was one."""
        keys = (*policy.witnesses, *policy.own_witnesses)
        try:
            cosigned = read_answer(data, signed)
            found = verify_cosignatures(cosigned, keys)
        except (MalformedError, NotProvedError) as error:
            log.warning("a witness's answer does not hold", problem=str(error))
            return False
        rows = [
            {
                "size": signed.checkpoint.size,
                "witness": one.key.name,
                "line": next(encode_line(line) for line in cosigned.note.signatures if line.is_by(one.key)),
                "at": datetime.fromtimestamp(one.at_seconds, UTC),
            }
            for one in found
        ]
        if rows:
            with transaction() as tx:
                tx.execute(insert(LogCosignature).on_conflict_do_nothing(), rows)
        return bool(rows)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a witness answered, as far as it is read."""

    status: int
    kind: str
    body: bytes

    @property
    def words(self) -> str:
        """The beginning, for the operator's log."""
        return self.body[:200].decode(errors="replace")


def _read_size(answer: _Answer) -> int | None:
    """How far the witness says that it has seen the log; None where it does not say so in the form of the protocol."""
    if answer.status != HTTPStatus.CONFLICT or not answer.kind.startswith(SIZE_TYPE):
        return None
    try:
        return decode_number(answer.body.decode().removesuffix("\n"), "answer", "size")
    except ValueError:
        return None


def _fetch(url: str, body: bytes | None = None, *, timeout_seconds: float) -> _Answer | None:
    """One request; None, and a warning, where no whole answer of a decent length comes in time.

    The time of a socket begins anew with each byte that arrives, so a thread waits in our place, and is left behind: one for each address.
    """
    if url in _WAITING and _WAITING[url].is_alive():
        return None
    answers: list[_Answer] = []
    problems: list[str] = []

    def fetch() -> None:
        try:
            answer = urllib3.request(
                "GET" if body is None else "POST",
                url,
                body=body,
                timeout=timeout_seconds,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            data = answer.read(MAX_BYTES + 1)
            answer.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            problems.append(type(error).__name__)
            return
        if len(data) > MAX_BYTES:
            problems.append("the answer is too long")
            return
        answers.append(_Answer(answer.status, answer.headers.get("Content-Type", ""), data))

    _WAITING[url] = Thread(target=fetch, name="witness", daemon=True)
    _WAITING[url].start()
    _WAITING[url].join(timeout_seconds)
    if not answers:
        log.warning("a witness does not answer", url=url, problem=(problems or ["too slow"])[0])
        return None
    return answers[0]
