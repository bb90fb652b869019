"""Coming in and going out: by form for people, by JSON for tills of other makers."""

from datetime import datetime
from typing import Annotated

from fastapi import Form, Request, Response
from pydantic import BaseModel, Field

from api.access import Doors, MaybeWho
from api.door import (
    bearer_token,
    client_address,
    drop_session_cookie,
    language_of,
    safe_back,
    see_other,
    session_cookie,
    set_session_cookie,
)
from api.identity import NewSession, demo_sign_in, end_session, list_demo_people, sign_in
from api.identity.passwords import BusyError
from api.identity.sign_in import SignInRefusedError
from api.identity.throttle import TooManyTriesError
from api.pages.kit import render
from api.pages.views import DemoRole, SignIn
from api.routes.home import doors_of
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError

doors = Doors()


class Credentials(BaseModel):
    """A login and its password."""

    login: str = Field(max_length=200)
    password: str = Field(max_length=1000)


class Token(BaseModel):
    """A session for a program: send `Authorization: Bearer <token>`. It also ends when idle."""

    token: str
    expires_at: datetime
    roles: list[str]


@doors.post("/api/sign-in", tags=["sign-in"])
def sign_in_by_json(request: Request, given: Credentials) -> Token:
    """Prove who you are and get a token. 401 for an unknown login and a wrong password alike; 429 after five wrong tries."""
    session = sign_in(
        request.app.state.login_provider,
        login=given.login,
        secret=given.password,
        address=client_address(request),
        agent=_agent(request),
        at=now(),
    )
    return Token(token=session.token, expires_at=session.expires_at, roles=list(session.roles))


@doors.post("/api/sign-out", status_code=204, tags=["sign-in"])
def sign_out_by_json(request: Request) -> Response:
    """End the session of this token."""
    token = bearer_token(request) or session_cookie(request) or ""
    with transaction() as tx:
        end_session(tx, token=token, at=now())
    return Response(status_code=204)


@doors.get("/sign-in", include_in_schema=False)
def sign_in_page(request: Request, who: MaybeWho, back: str = "/") -> Response:
    """The form; who is signed in already goes on."""
    if who is not None:
        return see_other(request, safe_back(back))
    return _form(request, login="", back=back, error=None)


@doors.post("/sign-in", include_in_schema=False)
def sign_in_by_form(
    request: Request,
    login: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Sign in, under a new session id whatever the browser held before, and go where one wanted to."""
    try:
        session = sign_in(
            request.app.state.login_provider,
            login=login,
            secret=password,
            address=client_address(request),
            agent=_agent(request),
            at=now(),
            replaces=session_cookie(request),
        )
    except (SignInRefusedError, TooManyTriesError, BusyError) as refusal:
        return _form(request, login=login, back=back, error=refusal)
    return _welcome(request, session, back=back)


@doors.post("/demo-sign-in", include_in_schema=False)
def sign_in_for_demo(
    request: Request,
    role: Annotated[DemoRole, Form()],
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Step into a role of the demo works, or be its second officer; a real database has no such door."""
    session = demo_sign_in(role=role, agent=_agent(request), at=now(), replaces=session_cookie(request))
    return _welcome(request, session, back=back)


@doors.post("/sign-out", include_in_schema=False)
def sign_out_by_form(request: Request, who: MaybeWho) -> Response:
    """End this session; done twice it is done once."""
    if who is not None and (token := session_cookie(request)):
        with transaction() as tx:
            end_session(tx, token=token, at=now())
    response = see_other(request, "/", notice="signed_out")
    drop_session_cookie(response, request)
    return response


def _form(request: Request, *, login: str, back: str, error: DomainError | None) -> Response:
    with transaction() as tx:
        people = list_demo_people(tx)
    sentence = error.sentence(language_of(request)) if error else None
    view = SignIn(login=login, back=safe_back(back), error=sentence, demo_doors=doors_of(people))
    return render(request, "sign_in.html", view, status=error.status if error else 200)


def _welcome(request: Request, session: NewSession, *, back: str) -> Response:
    response = see_other(request, safe_back(back))
    set_session_cookie(response, request, session.token)
    return response


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")
