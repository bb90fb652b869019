"""A witness as a small web application, and a log's side of the conversation. Neither needs the other's database.

What a witness cosigned last is on disk before it answers, one request after the other, so that two requests cannot overtake each other.
"""

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
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
from market.record.log.checkpoints import SignedCheckpoint, parse_checkpoint
from market.record.log.cosignatures import verify_cosignatures
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import SignerKey, VerifierKey
from market.record.log.notes import parse_note
from market.record.log.proofs import prove_consistency
from market.record.log.tiles import TiledTree
from market.record.policy import Policy
from market.record.publishing.models import LogCosignature
from market.record.publishing.sequencer import LogForkError
from market.record.publishing.served import find_newest_checkpoint, tile_reader
from market.record.publishing.shelf import Shelf
from market.record.witnessing import MAX_BYTES, SIZE_TYPE, Answer, Request, answer_request, encode_line, read_answer

TIMEOUT_SECONDS: Final = 5

log = structlog.get_logger("huigong.witness")


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


def create_witness(witness: Witness) -> Starlette:
    """The application: `POST /add-checkpoint`."""

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

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])


class Watched:
    """The log's side: asks the witnesses for cosignatures and remembers how far each has seen the log."""

    def __init__(self, addresses: Sequence[str]) -> None:
        """`addresses` are the witnesses' submission prefixes."""
        self._seen: dict[str, int] = dict.fromkeys(addresses, 0)

    def ask(self, policy: Policy) -> int:
        """Ask each witness for the newest checkpoint; how many cosigned. A witness that does not answer holds nothing up.

        Raises LogForkError when a witness has seen more than this database ever signed.
        """
        if not self._seen:
            return 0
        with transaction() as tx:
            note = find_newest_checkpoint(tx)
        if note is None:
            return 0
        opened = parse_note(note)
        signed = SignedCheckpoint(parse_checkpoint(opened.text), opened)
        return sum([self._ask(address, policy, signed, note) for address in self._seen])

    def _ask(self, address: str, policy: Policy, signed: SignedCheckpoint, note: bytes) -> bool:
        size = signed.checkpoint.size
        for _ in range(2):  # the first answer may only say how far it has seen the log
            if self._seen[address] == size:
                return False
            try:
                answer = self._send(address, signed, note)
            except urllib3.exceptions.HTTPError as error:
                log.warning("a witness does not answer", witness=address, problem=type(error).__name__)
                return False
            if answer.status == 409 and answer.headers.get("Content-Type", "").startswith(SIZE_TYPE):
                seen = int(answer.data) if answer.data.strip().isdigit() else 0
                if seen > size:
                    raise LogForkError(size=size, signed_size=seen, where=f"witness {address}")
                self._seen[address] = seen
                continue
            if answer.status == 200 and self._keep(answer.data, policy, signed):
                self._seen[address] = size
                return True
            words = answer.data[:200].decode(errors="replace")
            log.warning("a witness refuses", witness=address, status=answer.status, words=words)
            return False
        return False

    def _send(self, address: str, signed: SignedCheckpoint, note: bytes) -> urllib3.BaseHTTPResponse:
        old, size = self._seen[address], signed.checkpoint.size
        with transaction() as tx:
            tree = TiledTree(size, tile_reader(tx))
            proof = prove_consistency(old, size, tree.hash_range)
        body = Request(old, proof, note).encode()
        url = f"{address.rstrip('/')}/add-checkpoint"
        return urllib3.request("POST", url, body=body, timeout=TIMEOUT_SECONDS, retries=False, redirect=False)

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
