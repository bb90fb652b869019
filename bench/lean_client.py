"""A closed-loop HTTP/1.1 client that costs the measured machine little: raw sockets, one thread, requests written beforehand."""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

HOST = "127.0.0.1"
PATIENCE_SECONDS = 30
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and body of one answer, and the seconds from the first byte sent to the last received."""

    status: int
    body: bytes
    seconds: float


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


def drive(port: int, queues: Sequence[Sequence[bytes]], *, expect: int) -> Drive:
    """Send the requests of each client over a connection of its own, the next when the last is answered.

    Raises UnexpectedAnswerError at the first status other than `expect`.
    """
    with selectors.DefaultSelector() as selector:
        clients = [_Client(port, list(queue)) for queue in queues if queue]
        begun = time.perf_counter()
        for client in clients:
            selector.register(client.line, selectors.EVENT_READ, client)
            client.send()
        waiting = len(clients)
        while waiting:
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise UnexpectedAnswerError(f"no answer for {PATIENCE_SECONDS} s")
            for key, _ in ready:
                client = key.data
                if client.receive(expect) and not client.send():
                    selector.unregister(client.line)
                    client.line.close()
                    waiting -= 1
        seconds = time.perf_counter() - begun
    return Drive([client.answers for client in clients], seconds)


@dataclass(slots=True)
class _Client:
    """One connection with what is still to be sent over it."""

    port: int
    queue: list[bytes]
    answers: list[Answer] = field(default_factory=list)
    line: socket.socket = field(init=False)
    received: bytes = b""
    sent_at: float = 0.0

    def __post_init__(self) -> None:
        self.line = socket.create_connection((HOST, self.port))
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.queue.reverse()

    def send(self) -> bool:
        """Send the next request, if there is one."""
        if not self.queue:
            return False
        self.sent_at = time.perf_counter()
        self.line.sendall(self.queue.pop())
        return True

    def receive(self, expect: int) -> bool:
        """Take what has come; True when the answer is complete."""
        part = self.line.recv(65_536)
        if not part:
            raise UnexpectedAnswerError("the server closed the connection")
        self.received += part
        head, found, body = self.received.partition(_END_OF_HEAD)
        if not found:
            return False
        length = int(head.lower().split(_LENGTH, 1)[1].split(b"\r\n", 1)[0])
        if len(body) < length:
            return False
        status = int(head[9:12])
        if status != expect:
            raise UnexpectedAnswerError(f"{status} instead of {expect}: {body[:500].decode(errors='replace')}")
        self.answers.append(Answer(status, body, time.perf_counter() - self.sent_at))
        self.received = b""
        return True
