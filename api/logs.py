"""One line per request and per fault, with the request's id, without people: names of fields and shapes of numbers are redacted."""

import logging
import re
import secrets
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import Processor

SECRET_KEYS = re.compile(
    r"phone|mobile|national|id_?(number|card)|card|code$|password|passwd|secret|token|csrf|cookie|authori[sz]ation|_key$|^key$|login|person|surname",
    re.IGNORECASE,
)
# An id of 18, a card of 16, a phone of 11 and a typed code of 8 digits, however it is spaced.
SECRET_NUMBERS = re.compile(
    r"(?<![0-9A-Za-z-])(?:[0-9]{17}[0-9Xx]|[0-9]{4}(?:[ -]?[0-9]{4}){3}|1[0-9]{2}[ -]?[0-9]{4}[ -]?[0-9]{4}|[0-9]{4} ?[0-9]{4})(?![0-9A-Za-z-])"
)
CARD_TEXT = re.compile(r"HG1\.[A-Za-z0-9._-]+")
ROW_VALUES = re.compile(r"(?:DETAIL:|CONTEXT:|\[parameters:).*")  # PostgreSQL and SQLAlchemy quote rows
HIDDEN = "[redacted]"

log = structlog.get_logger("huigong.request")


def configure_logs(log_format: str) -> None:
    """Write the logs of the process, ours and the warnings of libraries, to stderr: as JSON lines, or for a terminal."""
    pretty = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared], processors=last
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)  # what libraries say below a warning, our own lines say


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values under telling names and numbers of telling shapes, at any depth, in texts and tracebacks too."""
    for key, value in event.items():
        event[key] = HIDDEN if SECRET_KEYS.search(key) and value is not None else _clean(value)
    return event


def _clean(value: Any) -> Any:  # noqa: ANN401  a log line holds anything
    if isinstance(value, str):
        return SECRET_NUMBERS.sub(HIDDEN, CARD_TEXT.sub(HIDDEN, ROW_VALUES.sub(HIDDEN, value)))
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return HIDDEN if SECRET_NUMBERS.fullmatch(str(value)) else value
    if isinstance(value, dict):
        return redact(None, "", {str(key): part for key, part in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(part) for part in value]
    return value if isinstance(value, logging.LogRecord) else _clean(str(value))


class RequestLog:
    """Gives every request an id, which its answer and every log line of it carry, and writes one line when it is done.

    The line names the route's template, never the address itself: it may hold what nobody should read.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the next application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = "r" + secrets.token_hex(8)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)
        status = 0
        began = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            if not scope["path"].startswith(("/static/", "/healthz")):
                log.info(
                    "request",
                    method=scope["method"],
                    route=route,
                    status=status,
                    ms=round((time.perf_counter() - began) * 1000, 1),
                    problem=state.get("problem"),
                )
