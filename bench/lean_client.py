"""A closed-loop HTTP/1.1 client that costs the measured machine little: raw sockets, one thread, requests written beforehand."""

import selectors
import socket
import time
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

HOST = "127.0.0.1"
PATIENCE_SECONDS = 30
CONNECT_SECONDS = 0.01  # one after another, as tills do, so that both processes take some
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and body of one answer, the seconds from the first byte sent to the last received, and since the drive began."""

    status: int
    body: bytes
    seconds: float
    since_begin: float


@dataclass(frozen=True, slots=True)
class Drive:
    """Answers by client in the order of its requests, and how long all of it took."""

    answers: list[list[Answer]]
    seconds: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return sum(map(len, self.answers)) / self.seconds

    def percentile_ms(self, percent: int) -> float:
        """The latency that so many percent of the answers do not exceed, in milliseconds."""
        times = sorted(answer.seconds for answers in self.answers for answer in answers)
        return times[min(len(times) - 1, len(times) * percent // 100)] * 1000


class UnexpectedAnswerError(RuntimeError):
    """The server answered something else than was hoped for, or not at all."""


def write_request(path: str, body: bytes, *, token: str, key: str | None = None) -> bytes:
    """A POST of JSON with a bearer token, ready to send."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    )
    if key is not None:
        head += f"Idempotency-Key: {key}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def write_get(path: str, *, token: str | None = None) -> bytes:
    """A GET, with a bearer token or of somebody who is not signed in, ready to send."""
    own = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{own}\r\n".encode()


def drive(
    port: int, queues: Sequence[Sequence[bytes]], *, expect: Collection[int], per_second: float | None = None
) -> Drive:
    """Send the requests of all clients over as many connections, each its next when its last is answered.

    Connections take from one common queue, in turn through the clients: how the system spreads them over the server's processes is
    chance, and a process that has fewer of them shall not stand idle at the end. With `per_second` no request is
    sent before its turn at that rate. Raises UnexpectedAnswerError at the first status that is none of `expect`.
    """
    turns = max(map(len, queues), default=0)
    waiting = deque(
        (client, turn, queue[turn]) for turn in range(turns) for client, queue in enumerate(queues) if turn < len(queue)
    )
    answers: list[dict[int, Answer]] = [{} for _ in queues]
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        idle: deque[_Connection] = deque()
        for _ in range(min(len(queues), len(waiting))):
            idle.append(line := _Connection(port))
            stack.callback(line.socket.close)
            selector.register(line.socket, selectors.EVENT_READ, line)
            time.sleep(CONNECT_SECONDS)
        begun, sent, busy = time.perf_counter(), 0, 0
        while waiting or busy:
            due_seconds = 0 if per_second is None else begun + sent / per_second - time.perf_counter()
            if idle and waiting and due_seconds <= 0:
                idle.popleft().send(*waiting.popleft())
                sent, busy = sent + 1, busy + 1
                continue
            is_early = bool(idle and waiting)
            ready = selector.select(due_seconds if is_early else PATIENCE_SECONDS)
            if not ready and not is_early:
                raise UnexpectedAnswerError(f"no answer for {PATIENCE_SECONDS} s")
            for key, _ in ready:
                line = key.data
                answer = line.receive(expect, begun)
                if answer is not None:
                    answers[line.client][line.turn] = answer
                    idle.append(line)
                    busy -= 1
        seconds = time.perf_counter() - begun
    return Drive([[taken[turn] for turn in sorted(taken)] for taken in answers], seconds)


class _Connection:
    """One connection and what it waits for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client = self.turn = 0
        self._received = b""
        self._sent_at = 0.0

    def send(self, client: int, turn: int, request: bytes) -> None:
        """Send a request of a client."""
        self.client, self.turn = client, turn
        self._sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self, expect: Collection[int], begun: float) -> Answer | None:
        """Take what has come; the answer when it is complete."""
        part = self.socket.recv(65_536)
        if not part:
            raise UnexpectedAnswerError("the server closed the connection")
        self._received += part
        head, found, body = self._received.partition(_END_OF_HEAD)
        if not found:
            return None
        length = int(head.lower().split(_LENGTH, 1)[1].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
        status = int(head[9:12])
        if status not in expect:
            raise UnexpectedAnswerError(f"{status}, none of {sorted(expect)}: {body[:500].decode(errors='replace')}")
        self._received = b""
        received_at = time.perf_counter()
        return Answer(status, body, received_at - self._sent_at, received_at - begun)
