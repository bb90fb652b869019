"""A stateless answerer in the manner of stripe-mock: takes a call only as Stripe's published description has it, answers canned objects.

`stripe_calls.json` holds the calls of the adapter out of Stripe's OpenAPI description (its version stands inside), the forms of objects
closed: a parameter that is not described is refused. Forms are read here, apart from the SDK and from the sandbox.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs

CALLS = json.loads((Path(__file__).parent / "stripe_calls.json").read_text())["calls"]


def nest(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0][c]=1` as {"a": {"b": [{"c": "1"}]}}."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        first, *keys = re.findall(r"[^\[\]]+", name)
        place = tree
        for key, following in zip([first, *keys], keys, strict=False):
            place = place.setdefault(key, {})
            assert isinstance(place, dict), following
        place[[first, *keys][-1]] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(inner) for key, inner in value.items()}


def coerce(value: Any, schema: dict[str, Any]) -> Any:
    """A form knows texts only: numbers and truth values are read where the description has them."""
    for choice in schema.get("anyOf", ()):
        if isinstance(value, dict) == (choice.get("type") == "object"):
            return coerce(value, choice)
    if isinstance(value, dict):
        inner, other = schema.get("properties", {}), schema.get("additionalProperties")
        rest = other if isinstance(other, dict) else {}
        return {name: coerce(one, inner.get(name, rest)) for name, one in value.items()}
    if isinstance(value, list):
        return [coerce(one, schema.get("items", {})) for one in value]
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", value):
        return int(value)
    return {"true": True, "false": False}.get(value, value) if schema.get("type") == "boolean" else value


def problem_of(method: str, path: str, query: str, form: str) -> tuple[dict[str, Any] | None, str]:
    """The call's description, and what is wrong with how it is made; nothing is when that is empty."""
    for call in CALLS:
        pattern = re.sub(r"\{\w+\}", "[^/]+", call["path"])
        if call["method"] == method and re.fullmatch(pattern, path):
            asked = nest(parse_qsl(query, keep_blank_values=True))
            described = {one["name"]: one["schema"] for one in call["query"]}
            for schema, given in (
                ({"type": "object", "properties": described, "additionalProperties": False}, asked),
                (call["form"], nest(parse_qsl(form, keep_blank_values=True))),
            ):
                errors = jsonschema_rs.validator_for(schema).iter_errors(coerce(given, schema))
                told = "; ".join(f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in errors)
                if told:
                    return call, told
            return call, ""
    return None, f"no such call: {method} {path}"


class _Answerer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        address = urlsplit(self.path)
        form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        call, problem = problem_of(self.command, address.path, address.query, form)
        status, document = 200, call["answer"] if call else {}
        if problem:
            status, document = 400, {"error": {"type": "invalid_request_error", "code": problem, "message": problem}}
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the test's output."""


@contextmanager
def answerer() -> Iterator[str]:
    """The address of one, while it runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answerer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
