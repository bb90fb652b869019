"""Every refusal and every fault answered once for all: problem+json (RFC 9457) for programs, a page for people.

What was sent is never repeated in an answer, and a fault shows nothing but the id under which it was logged.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import SignInNeededError
from api.door import dress, identify, is_api, language_of, own_origin, safe_back
from api.pages.kit import render
from api.pages.views import Problem
from market.kit.errors import DomainError, NotFoundError

log = structlog.get_logger("huigong")

TITLES = {
    400: "Unreadable request",
    401: "Sign-in needed",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Removed",
    413: "Too large",
    422: "Malformed input",
    429: "Too many tries",
    500: "Fault",
    503: "Busy",
}

# What is wrong with a field, by pydantic's kind of error; `{…}` are the rule's own limits, never the value.
FIELD_PROBLEMS: Mapping[str, tuple[str, str]] = {
    "missing": ("没有填", "is missing"),
    "extra_forbidden": ("不认识这一项", "is not known here"),
    "int_type": ("须是整数", "must be an integer"),
    "int_parsing": ("须是整数", "must be an integer"),
    "int_parsing_size": ("数字过大", "is too large a number"),
    "int_from_float": ("须是整数", "must be an integer"),
    "bool_type": ("须是 true 或 false", "must be true or false"),
    "string_type": ("须是文字", "must be text"),
    "string_too_short": ("至少 {min_length} 个字符", "must have at least {min_length} characters"),
    "string_too_long": ("最多 {max_length} 个字符", "must have at most {max_length} characters"),
    "string_pattern_mismatch": ("格式不对", "does not have the right form"),
    "greater_than": ("须大于 {gt}", "must be greater than {gt}"),
    "greater_than_equal": ("不能小于 {ge}", "must be at least {ge}"),
    "less_than": ("须小于 {lt}", "must be less than {lt}"),
    "less_than_equal": ("不能大于 {le}", "must be at most {le}"),
    "too_short": ("至少 {min_length} 项", "must have at least {min_length} entries"),
    "too_long": ("最多 {max_length} 项", "must have at most {max_length} entries"),
    "list_type": ("须是列表", "must be a list"),
    "dict_type": ("须是对象", "must be an object"),
    "model_attributes_type": ("须是对象", "must be an object"),
    "literal_error": ("须是 {expected}", "must be {expected}"),
    "json_invalid": ("不是正确的 JSON", "is not valid JSON"),
}
OTHER_PROBLEM = ("格式不对", "does not have the right form")


class MalformedError(DomainError):
    """The request does not have the form that the address asks for."""

    status = 422
    code = "MALFORMED"
    zh = "{field}：{problem}，请改正后重新提交。"
    en = "{field} {problem}; correct it and send again."


class PageUnknownError(NotFoundError):
    """No such address."""

    code = "PAGE_UNKNOWN"
    zh = "没有这个页面，请检查地址或从首页进入。"
    en = "There is no such page; check the address or start from the first page."


class MethodNotAllowedError(DomainError):
    """The address exists, but not for this method."""

    status = 405
    code = "METHOD_NOT_ALLOWED"
    zh = "这个地址不接受这种操作，请从页面上的按钮进入。"
    en = "This address does not take that method; use the buttons of the page."


class BodyUnreadableError(DomainError):
    """The body could not be read as what it says it is."""

    status = 400
    code = "BODY_UNREADABLE"
    zh = "提交的内容无法读取，请重新提交。"
    en = "What was sent could not be read; send it again."


class FaultError(DomainError):
    """Ours, not the caller's."""

    status = 500
    code = "FAULT"
    zh = "系统出错，这一步没有完成，请稍后再试；仍然不行，请把编号告诉管理员。"
    en = "Something failed here and this step was not completed; try again later, and tell the operator the number if it stays."


def install(app: FastAPI) -> None:
    """Answer domain errors, malformed input and unknown addresses. These are plain functions: they may read the database."""
    app.add_exception_handler(DomainError, _answer_domain)
    app.add_exception_handler(RequestValidationError, _answer_malformed)
    app.add_exception_handler(DataError, _answer_unstorable)
    app.add_exception_handler(HTTPException, _answer_http)


def refuse(request: Request, error: DomainError, *, fields: list[dict[str, str]] | None = None) -> Response:
    """The answer to a refusal, in the language and form of the request."""
    request.state.problem = error.code
    headers = _headers(error)
    if is_api(request):
        return JSONResponse(problem(request, error, fields=fields), error.status, headers, "application/problem+json")
    if isinstance(error, SignInNeededError):
        return _to_sign_in(request)
    dress(request, identify(request))
    response = _page(request, error)
    response.headers.update(headers)
    return response


def problem(request: Request, error: DomainError, *, fields: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The problem document: what holds, the next step, and the numbers in it, for programs."""
    sentence = error.sentence(language_of(request))
    document: dict[str, Any] = {
        "type": f"urn:huigong:problem:{error.code}",
        "title": TITLES.get(error.status, "Refused"),
        "status": error.status,
        "code": error.code,
        "detail": sentence,
        "next": split_sentence(sentence)[1],
        "facts": error.facts,
        "request_id": request.state.request_id,
    }
    return document if fields is None else document | {"errors": fields}


def split_sentence(sentence: str) -> tuple[str, str]:
    """What holds and the next step, for pages that set them apart; the step is empty when the sentence has none."""
    for mark, stop, start in (
        ("；", "。", ""),
        ("，请", "。", "请"),
        ("。请", "。", "请"),
        ("; ", ".", ""),
        (". ", ".", ""),
    ):
        holds, found, step = sentence.partition(mark)
        if found:
            step = start + step
            return holds + stop, step[:1].upper() + step[1:]
    return sentence, ""


async def answer_refusal(scope: Scope, receive: Receive, send: Send, error: DomainError) -> None:
    """Answer from a middleware, where no handler has run."""
    response = await run_in_threadpool(refuse, Request(scope), error)
    await response(scope, receive, send)


class Faults:
    """Turns what nobody foresaw into a 500 that is logged with its traceback and shows only its id."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the next application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            log.exception("fault")
            if started:
                raise
            response = await run_in_threadpool(_answer_fault, Request(scope))
            await response(scope, receive, send)


def _answer_fault(request: Request) -> Response:
    """Asks the database nothing: it may be what failed."""
    error = FaultError()
    request.state.problem = error.code
    if is_api(request):
        return JSONResponse(problem(request, error), error.status, media_type="application/problem+json")
    try:
        if not hasattr(request.state, "chrome"):
            dress(request, getattr(request.state, "principal", None))
        return _page(request, error)
    except Exception:
        log.exception("fault in the page that tells of a fault")
        return Response(
            f"{error.sentence('zh')} {error.sentence('en')} {request.state.request_id}",
            error.status,
            media_type="text/plain",
        )


def _answer_domain(request: Request, error: Exception) -> Response:
    return refuse(request, error if isinstance(error, DomainError) else FaultError())


def _answer_malformed(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    if any(part["loc"][0] == "path" for part in found):
        return refuse(request, PageUnknownError())
    english = language_of(request) == "en"
    fields = [{"field": _field(part["loc"]), "problem": _problem_of(part, english=english)} for part in found[:20]]
    first = fields[0]
    return refuse(request, MalformedError(field=first["field"], problem=first["problem"]), fields=fields)


def _answer_unstorable(request: Request, error: Exception) -> Response:
    """Something sent is no value the database can hold: a NUL in a text, a number out of its range."""
    log.warning("unstorable", exc_info=error)
    what = OTHER_PROBLEM[language_of(request) == "en"]
    return refuse(
        request, MalformedError(field="request", problem=what), fields=[{"field": "request", "problem": what}]
    )


def _answer_http(request: Request, error: Exception) -> Response:
    if isinstance(error.__cause__, DomainError):  # a refusal raised while FastAPI read the body
        return refuse(request, error.__cause__)
    status = error.status_code if isinstance(error, HTTPException) else 500
    known: dict[int, DomainError] = {404: PageUnknownError(), 405: MethodNotAllowedError(), 400: BodyUnreadableError()}
    response = refuse(request, known.get(status, FaultError()))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def _field(loc: tuple[int | str, ...]) -> str:
    """`body.lines.3.qty` without where it came from; a whole body is called so."""
    inner = loc[1:] if loc[0] in {"body", "query", "header", "cookie"} else loc
    return (
        ".".join(str(part) for part in inner if isinstance(part, str) or loc[0] != "body" or len(inner) > 1) or "body"
    )


def _problem_of(part: Mapping[str, Any], *, english: bool) -> str:
    words = FIELD_PROBLEMS.get(part["type"], OTHER_PROBLEM)[english]
    return words.format(**part.get("ctx", {}))


def _page(request: Request, error: DomainError) -> Response:
    sentence, step = split_sentence(error.sentence(request.state.chrome.language))
    view = Problem(
        status=error.status,
        code=error.code,
        sentence=sentence,
        next_step=step,
        next_href=_way_out(request, error),
        request_id=request.state.request_id if error.status >= FaultError.status else None,
    )
    return render(request, "error.html", view, block="problem", status=error.status)


def _way_out(request: Request, error: DomainError) -> str:
    """Back to the page the form stood on; else home."""
    referer = request.headers.get("referer", "")
    home = str(request.state.chrome.home)
    if error.status in {403, 404, 405} or not referer.startswith(own_origin(request) + "/"):
        return home
    url = urlsplit(referer)
    return safe_back(url.path + (f"?{url.query}" if url.query else ""), otherwise=home)


def _to_sign_in(request: Request) -> Response:
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = "/sign-in" + (f"?back={quote(here)}" if request.method == "GET" else "")
    if request.headers.get("hx-request"):
        return Response(status_code=SignInNeededError.status, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse(target, status_code=303)


def _headers(error: DomainError) -> dict[str, str]:
    match error.status:
        case 401:
            return {"WWW-Authenticate": "Bearer"}
        case 429:
            return {"Retry-After": str(60 * int(error.facts.get("minutes", 1)))}
        case 503:
            return {"Retry-After": "5"}
    return {}
