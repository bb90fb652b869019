"""How Stripe speaks: nested form parameters in, JSON out, errors in one shape. Written from its public API documentation."""

import re
import secrets
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl

API_VERSION = "2026-10-28.endive"
PART = re.compile(r"\[([^\[\]]*)\]")

Params = Mapping[str, Any]


class RefusalError(Exception):
    """An answer that is an error, in Stripe's shape."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """`kind` is what Stripe calls type."""
        super().__init__(message)
        self.status = status
        named = {"type": kind, "message": message, "code": code, "param": param, **(extra or {})}
        self.body = {"error": {name: value for name, value in named.items() if value is not None}}


def missing(kind: str, id_: str) -> RefusalError:
    """There is no such object, or it belongs to another account."""
    return RefusalError(f"No such {kind}: '{id_}'", status=404, code="resource_missing", param="id")


def read_params(text: str) -> dict[str, Any]:
    """`a[b]=1&c[0][d]=2` as `{"a": {"b": "1"}, "c": {"0": {"d": "2"}}}`; lists stay keyed by their places."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first = name.partition("[")[0]
        places = [first, *PART.findall(name[len(first) :])]
        at = found
        for place in places[:-1]:
            at = at.setdefault(place, {})
            if not isinstance(at, dict):
                raise RefusalError(f"Invalid {first}", param=first)
        at[places[-1] or str(len(at))] = value
    return found


def check_names(params: Params, allowed: Collection[str]) -> None:
    """Refuse a parameter that does not exist."""
    for name in params:
        if name not in allowed:
            raise RefusalError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def get_text(params: Params, name: str) -> str:
    """A parameter that must be there."""
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise RefusalError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return value


def get_whole(params: Params, name: str, *, otherwise: int | None = None) -> int:
    """A whole number above zero."""
    if otherwise is not None and name not in params:
        return otherwise
    text = get_text(params, name)
    if re.fullmatch("[0-9]{1,12}", text) is None or int(text) < 1:
        raise RefusalError(f"Invalid positive integer: {name}", code="parameter_invalid_integer", param=name)
    return int(text)


def get_table(params: Params, name: str) -> dict[str, Any]:
    """A nested parameter, empty if absent."""
    value = params.get(name) or {}
    if not isinstance(value, dict):
        raise RefusalError(f"Invalid object: {name}", param=name)
    return value


def new_name(prefix: str) -> str:
    """An id as Stripe makes them: what it is, and 24 random characters."""
    return f"{prefix}_{secrets.token_hex(12)}"
