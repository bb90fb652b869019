"""Who may come in where: one table, enforced for every route, closed by default.

`Doors` is the router of every route file. A route that is not in `ACCESS` cannot be made; one that is there and does not
exist fails the tests. The door looks up who asks in the same thread in which the handler then runs: a hop less per request.
"""

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from api.door import SAFE_METHODS, dress, fits_form_token, guest_secret, identify, is_api, is_picture
from api.identity import Principal
from market.kit.errors import DomainError, ForbiddenError, invariant

# What a handler may ask for; the door fills it in.
Who: TypeAlias = Annotated[Principal, "who acts"]
MaybeWho: TypeAlias = Annotated[Principal | None, "who acts, if anybody is signed in"]
Fields: TypeAlias = Annotated[FormData, "the form as it was sent"]
Raw: TypeAlias = Annotated[bytes, "the body, byte by byte as it was sent: a signature is over it"]

PUBLIC: frozenset[str] = frozenset({"public"})
MEMBER = frozenset({"member"})
ASSISTANT = frozenset({"assistant"})
OWNER = frozenset({"owner"})
STAFF = ASSISTANT | OWNER
OFFICER = frozenset({"officer"})
AUDITOR = frozenset({"auditor"})
SUPERVISORS = OFFICER | AUDITOR
ANYONE_SIGNED_IN = MEMBER | ASSISTANT | OWNER | OFFICER | AUDITOR

ACCESS: dict[tuple[str, str], frozenset[str]] = {
    # the till, for programs
    ("POST", "/api/till/visits"): ASSISTANT,
    ("POST", "/api/till/visits/{visit}/quote"): ASSISTANT,
    ("POST", "/api/till/sales"): ASSISTANT,
    ("GET", "/api/till/sales/{sale}"): ASSISTANT,
    ("POST", "/api/till/sales/{sale}/void"): ASSISTANT,
    ("POST", "/api/till/sales/{sale}/refunds"): ASSISTANT,
    ("GET", "/api/till/today"): ASSISTANT,
    # the member
    ("GET", "/card"): MEMBER,
    ("GET", "/card/code"): MEMBER,
    ("POST", "/card/freeze"): MEMBER,
    ("GET", "/offers"): MEMBER,
    ("POST", "/offers/{offer}/consent"): MEMBER,
    ("GET", "/shops/{shop}"): MEMBER,
    ("GET", "/receipts"): MEMBER,
    ("GET", "/receipts/{receipt}"): MEMBER,
    ("GET", "/receipts/{receipt}/file"): MEMBER,
    # the member's basket and orders
    ("GET", "/shop/basket"): MEMBER,
    ("POST", "/shop/basket"): MEMBER,
    ("POST", "/shop/basket/lines"): MEMBER,
    ("POST", "/shop/basket/place"): MEMBER,
    ("GET", "/shop/{merchant}/{code}/wait"): PUBLIC,
    ("GET", "/shop/{merchant}/{code}/enter"): MEMBER,
    ("POST", "/shop/{merchant}/{code}/enter"): MEMBER,
    ("GET", "/orders"): MEMBER,
    ("GET", "/orders/b/{basket}"): MEMBER,
    ("GET", "/orders/{number}"): MEMBER,
    ("POST", "/orders/{number}/pay"): MEMBER,
    ("GET", "/orders/{number}/return"): MEMBER,
    ("POST", "/orders/{number}/cancel"): MEMBER,
    ("POST", "/orders/{number}/again"): MEMBER,
    ("GET", "/orders/{number}/request"): MEMBER,
    ("POST", "/orders/{number}/request"): MEMBER,
    ("POST", "/orders/{number}/request/preview"): MEMBER,
    ("POST", "/orders/{number}/request/withdraw"): MEMBER,
    # the same for programs
    ("POST", "/api/shop/products/{merchant}/{code}/entry"): MEMBER,
    ("GET", "/api/basket"): MEMBER,
    ("PUT", "/api/basket"): MEMBER,
    ("POST", "/api/orders"): MEMBER,
    ("GET", "/api/orders"): MEMBER,
    ("GET", "/api/orders/{number}"): MEMBER,
    ("POST", "/api/orders/{number}/payment"): MEMBER,
    ("POST", "/api/orders/{number}/cancel"): MEMBER,
    ("POST", "/api/orders/{number}/request"): MEMBER,
    ("POST", "/api/orders/{number}/request/withdraw"): MEMBER,
    # the shop
    ("GET", "/shop"): MEMBER,
    ("GET", "/shop/{merchant}/{code}"): MEMBER,
    ("GET", "/pictures/{picture}/{size}.webp"): ANYONE_SIGNED_IN,
    ("GET", "/api/shop/products"): MEMBER,
    ("GET", "/api/shop/products/{merchant}/{code}"): MEMBER,
    ("GET", "/api/shop/points"): ANYONE_SIGNED_IN,
    # the till
    ("GET", "/till"): ASSISTANT,
    ("GET", "/till/scan"): ASSISTANT,
    ("POST", "/till/scan"): ASSISTANT,
    ("GET", "/till/code"): ASSISTANT,
    ("POST", "/till/visits"): ASSISTANT,
    ("GET", "/till/visits/{visit}"): ASSISTANT,
    ("POST", "/till/visits/{visit}/quote"): ASSISTANT,
    ("POST", "/till/visits/{visit}/redeem"): ASSISTANT,
    ("GET", "/till/today"): ASSISTANT,
    ("GET", "/till/sales/{sale}"): ASSISTANT,
    ("GET", "/till/sales/{sale}/done"): ASSISTANT,
    ("POST", "/till/sales/{sale}/void"): ASSISTANT,
    ("POST", "/till/sales/{sale}/refund/preview"): ASSISTANT,
    ("POST", "/till/sales/{sale}/refund"): ASSISTANT,
    # the desks
    ("GET", "/merchant"): OWNER,
    ("GET", "/merchant/offers"): OWNER,
    ("POST", "/merchant/offers/{offer}/{version}/sign"): OWNER,
    ("POST", "/merchant/offers/{offer}/{version}/refuse"): OWNER,
    # ordered goods: staff hand out and take back, the owner answers for stock, cancellations and files
    ("GET", "/merchant/orders"): STAFF,
    ("GET", "/merchant/orders.csv"): OWNER,
    ("GET", "/merchant/orders/{number}"): STAFF,
    ("POST", "/merchant/orders/{number}/ready"): STAFF,
    ("POST", "/merchant/orders/{number}/deliver"): STAFF,
    ("POST", "/merchant/orders/{number}/cancel"): OWNER,
    ("GET", "/merchant/orders/{number}/return"): STAFF,
    ("POST", "/merchant/orders/{number}/return/preview"): STAFF,
    ("POST", "/merchant/orders/{number}/return"): STAFF,
    ("POST", "/merchant/orders/{number}/request/accept"): STAFF,
    ("POST", "/merchant/orders/{number}/request/decline"): STAFF,
    ("GET", "/merchant/handout/picks"): STAFF,
    ("POST", "/merchant/handout/picks/ready"): STAFF,
    ("GET", "/merchant/handout"): STAFF,
    ("GET", "/merchant/handout/scan"): STAFF,
    ("POST", "/merchant/handout/scan"): STAFF,
    ("GET", "/merchant/handout/code"): STAFF,
    ("POST", "/merchant/handout/cards"): STAFF,
    ("GET", "/merchant/handout/cards/{visit}"): STAFF,
    ("POST", "/merchant/handout/cards/{visit}/{number}"): STAFF,
    ("GET", "/merchant/handout/slip"): STAFF,
    ("GET", "/merchant/handout/orders/{number}"): STAFF,
    ("POST", "/merchant/handout/orders/{number}"): STAFF,
    ("POST", "/merchant/handout/orders/{number}/undo"): STAFF,
    ("GET", "/merchant/handout/orders/{number}/done"): STAFF,
    ("GET", "/merchant/stock"): OWNER,
    ("GET", "/merchant/stock.csv"): OWNER,
    ("GET", "/merchant/stock/{item}"): OWNER,
    ("POST", "/merchant/stock/{item}/receive"): OWNER,
    ("POST", "/merchant/stock/{item}/count"): OWNER,
    ("POST", "/merchant/stock/{item}/write-off"): OWNER,
    ("GET", "/merchant/products"): OWNER,
    ("POST", "/merchant/products"): OWNER,
    ("GET", "/merchant/products/new"): OWNER,
    ("GET", "/merchant/products/export.csv"): OWNER,
    ("GET", "/merchant/products/export.xlsx"): OWNER,
    ("GET", "/merchant/products/import"): OWNER,
    ("POST", "/merchant/products/import"): OWNER,
    ("POST", "/merchant/products/import/{file}"): OWNER,
    ("GET", "/merchant/products/{code}"): OWNER,
    ("POST", "/merchant/products/{code}"): OWNER,
    ("POST", "/merchant/products/{code}/list"): OWNER,
    ("POST", "/merchant/products/{code}/withdraw"): OWNER,
    ("POST", "/merchant/products/{code}/pictures"): OWNER,
    ("POST", "/merchant/products/{code}/pictures/{picture}/move"): OWNER,
    ("POST", "/merchant/products/{code}/pictures/{picture}/remove"): OWNER,
    ("POST", "/merchant/products/{code}/pictures/{picture}/restore"): OWNER,
    ("GET", "/api/merchant/products"): OWNER,
    ("GET", "/api/merchant/products/{code}"): OWNER,
    ("PUT", "/api/merchant/products/{code}"): OWNER,
    ("POST", "/api/merchant/products/{code}/state"): OWNER,
    ("GET", "/desk"): OFFICER,
    ("GET", "/desk/purchases"): OFFICER,
    ("GET", "/desk/purchases.csv"): OFFICER,
    ("GET", "/desk/purchases/products"): OFFICER,
    ("POST", "/desk/purchases/products/{product}/stop"): OFFICER,
    ("POST", "/desk/purchases/products/{product}/lift"): OFFICER,
    ("GET", "/desk/purchases/points"): OFFICER,
    ("POST", "/desk/purchases/points"): OFFICER,
    ("POST", "/desk/purchases/points/{code}"): OFFICER,
    ("POST", "/desk/purchases/points/{code}/close"): OFFICER,
    ("POST", "/desk/purchases/points/{code}/open"): OFFICER,
    ("GET", "/desk/budgets"): OFFICER,
    ("POST", "/desk/budgets"): OFFICER,
    ("POST", "/desk/budgets/grants"): OFFICER,
    ("POST", "/desk/budgets/{proposal}/approve"): OFFICER,
    ("POST", "/desk/budgets/{proposal}/refuse"): OFFICER,
    ("POST", "/desk/budgets/{proposal}/withdraw"): OFFICER,
    ("GET", "/desk/erasures"): OFFICER,
    ("POST", "/desk/erasures"): OFFICER,
    ("POST", "/desk/erasures/{erasure}/approve"): OFFICER,
    ("POST", "/desk/erasures/{erasure}/decline"): OFFICER,
    ("GET", "/desk/publication"): OFFICER,
    ("POST", "/desk/publication/{code}/choose"): OFFICER,
    ("POST", "/desk/publication/{code}/take-back"): OFFICER,
    ("GET", "/desk/payments"): OFFICER,
    ("GET", "/desk/payments/events/{event}"): OFFICER,
    ("POST", "/desk/payments/events/{event}/replay"): OFFICER,
    ("POST", "/desk/payments/refunds/{refund}/repeat"): OFFICER,
    ("GET", "/desk/offers"): OFFICER,
    ("GET", "/desk/offers/new"): OFFICER,
    ("POST", "/desk/drafts"): OFFICER,
    ("GET", "/desk/drafts/{draft}"): OFFICER,
    ("POST", "/desk/drafts/{draft}"): OFFICER,
    ("POST", "/desk/drafts/{draft}/submit"): OFFICER,
    ("POST", "/desk/drafts/{draft}/discard"): OFFICER,
    ("POST", "/desk/drafts/{draft}/restore"): OFFICER,
    ("GET", "/desk/offers/{offer}/{version}"): OFFICER,
    ("POST", "/desk/offers/{offer}/{version}/approve"): OFFICER,
    ("POST", "/desk/offers/{offer}/{version}/reject"): OFFICER,
    ("POST", "/desk/offers/{offer}/{version}/withdraw"): OFFICER,
    ("POST", "/desk/offers/{offer}/{version}/end"): OFFICER,
    ("GET", "/desk/dry-runs"): OFFICER,
    ("POST", "/desk/dry-runs"): OFFICER,
    ("GET", "/desk/dry-runs/{run}"): OFFICER,
    ("POST", "/desk/dry-runs/{run}/cancel"): OFFICER,
    # a named member: every look is logged and shown to him
    ("GET", "/desk/members"): OFFICER,
    ("POST", "/desk/members"): OFFICER,
    ("POST", "/api/offers/check"): OFFICER,
    ("POST", "/api/offers"): OFFICER,
    ("GET", "/audit"): AUDITOR,
    ("GET", "/audit/entries"): AUDITOR,
    ("GET", "/audit/exports/{form}.zip"): AUDITOR,
    ("GET", "/audit/entries/{entry}"): AUDITOR,
    ("GET", "/audit/entries/{entry}/price"): AUDITOR,
    # details exports: an auditor asks and fetches, another auditor or an officer decides
    ("GET", "/audit/details"): SUPERVISORS,
    ("POST", "/audit/details"): AUDITOR,
    ("GET", "/audit/details/{request_id}"): SUPERVISORS,
    ("POST", "/audit/details/{request_id}/withdraw"): AUDITOR,
    ("POST", "/audit/details/{request_id}/approve"): SUPERVISORS,
    ("POST", "/audit/details/{request_id}/refuse"): SUPERVISORS,
    ("GET", "/audit/details/{request_id}/file"): AUDITOR,
    # the public record
    ("GET", "/record"): PUBLIC,
    ("GET", "/record/check-it-yourself"): PUBLIC,
    ("GET", "/record/witnesses.csv"): PUBLIC,
    ("GET", "/record/witnesses.json"): PUBLIC,
    ("GET", "/record/checkpoint"): PUBLIC,
    ("GET", "/record/tile/{path:path}"): PUBLIC,
    ("GET", "/record/policy"): PUBLIC,
    ("GET", "/record/entries/{entry}.json"): PUBLIC,
    ("GET", "/record/entries/{entry}.tlog-proof"): PUBLIC,
    ("GET", "/record/entries/{entry}.text"): PUBLIC,
    ("GET", "/record/check"): PUBLIC,
    ("POST", "/record/check"): PUBLIC,
    ("GET", "/record/months"): PUBLIC,
    ("GET", "/record/months.csv"): PUBLIC,
    ("GET", "/record/months.json"): PUBLIC,
    ("GET", "/record/months/offers"): PUBLIC,
    ("GET", "/record/months/offers.csv"): PUBLIC,
    ("GET", "/record/months/offers.json"): PUBLIC,
    ("GET", "/record/rebates"): PUBLIC,
    ("GET", "/record/rebates.csv"): PUBLIC,
    ("GET", "/record/rebates.json"): PUBLIC,
    ("GET", "/record/breakdowns"): PUBLIC,
    ("GET", "/record/breakdowns.csv"): PUBLIC,
    ("GET", "/record/breakdowns.json"): PUBLIC,
    ("GET", "/record/poster.pdf"): PUBLIC,
    ("GET", "/record/merchants"): PUBLIC,
    ("GET", "/record/merchants.csv"): PUBLIC,
    ("GET", "/record/merchants.json"): PUBLIC,
    ("GET", "/record/merchants/{code}.csv"): PUBLIC,
    ("GET", "/record/merchants/{code}.json"): PUBLIC,
    ("GET", "/record/merchants/{code}/months.csv"): PUBLIC,
    ("GET", "/record/merchants/{code}/months.json"): PUBLIC,
    ("GET", "/record/merchants/{code}"): PUBLIC,
    ("GET", "/record/accounts"): PUBLIC,
    ("GET", "/record/accounts.csv"): PUBLIC,
    ("GET", "/record/accounts.json"): PUBLIC,
    ("GET", "/record/accounts/{account}.csv"): PUBLIC,
    ("GET", "/record/accounts/{account}.json"): PUBLIC,
    ("GET", "/record/accounts/{account}"): PUBLIC,
    ("GET", "/record/entries"): PUBLIC,
    ("GET", "/record/entries.csv"): PUBLIC,
    ("GET", "/record/entries.json"): PUBLIC,
    ("GET", "/record/entries/{entry}"): PUBLIC,
    ("GET", "/record/offers"): PUBLIC,
    ("GET", "/record/offers.csv"): PUBLIC,
    ("GET", "/record/offers.json"): PUBLIC,
    ("GET", "/record/offers/{offer}.csv"): PUBLIC,
    ("GET", "/record/offers/{offer}.json"): PUBLIC,
    ("GET", "/record/offers/{offer}"): PUBLIC,
    # the payment provider, which signs what it says
    ("POST", "/webhooks/stripe"): PUBLIC,
    # the machine
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/api/openapi.json"): PUBLIC,
    # coming and going
    ("GET", "/"): PUBLIC,
    ("GET", "/sign-in"): PUBLIC,
    ("POST", "/sign-in"): PUBLIC,
    ("POST", "/demo-sign-in"): PUBLIC,
    ("POST", "/sign-out"): PUBLIC,
    ("POST", "/preferences"): PUBLIC,
    ("POST", "/api/sign-in"): PUBLIC,
    ("POST", "/api/sign-out"): ANYONE_SIGNED_IN,
    ("GET", "/me"): ANYONE_SIGNED_IN,
    ("POST", "/me/sessions/revoke"): ANYONE_SIGNED_IN,
    ("GET", "/me/looks"): MEMBER,
    ("GET", "/me/erasure"): MEMBER,
    ("POST", "/me/erasure"): MEMBER,
    ("POST", "/me/erasure/withdraw"): MEMBER,
}

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "x-csrf-token"


class SignInNeededError(DomainError):
    """Nobody is signed in, or the session has ended."""

    status = 401
    code = "SIGN_IN_NEEDED"
    zh = "登录已失效或尚未登录，请先登录。"
    en = "You are not signed in, or your session has ended; sign in first."


class FormTokenError(ForbiddenError):
    """A form without the token of this session: an old page, or another site."""

    code = "FORM_TOKEN"
    zh = "这个页面已经过期，请刷新后再提交一次。"
    en = "This page is out of date; reload it and send the form again."


def admit(request: Request, admitted: frozenset[str]) -> Principal | None:
    """Let someone through, or raise SignInNeededError, ForbiddenError, FormTokenError."""
    principal = identify(request)
    if admitted is not PUBLIC:
        if principal is None:
            raise SignInNeededError
        if not admitted & principal.roles.keys():
            raise ForbiddenError
    if request.method not in SAFE_METHODS and _needs_form_token(request, principal):
        secret = principal.csrf if principal else guest_secret(request)
        if secret is None or not fits_form_token(request.state.csrf_sent, secret):
            raise FormTokenError
    if not is_api(request) and not is_picture(request):
        dress(request, principal, admitted=None if admitted is PUBLIC else admitted)
    return principal


class DoorRoute(APIRoute):
    """A route that checks `ACCESS` before its handler runs."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401  FastAPI's own options
        """Raise InvariantError for a route that `ACCESS` does not name."""
        (method,) = options.get("methods") or {"GET"}
        invariant((method, path) in ACCESS, f"{method} {path} is not declared in api/access.py")
        self.admitted = ACCESS[method, path]
        self.wants_raw = Raw in (
            part.annotation for part in inspect.signature(endpoint, eval_str=True).parameters.values()
        )
        super().__init__(path, _guarded(endpoint, self.admitted, is_safe=method in SAFE_METHODS), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read the form's token first; tell someone who may not come in just that, not which field is wrong."""
        handle = super().get_route_handler()

        async def at_the_door(request: Request) -> Response:
            if request.method not in SAFE_METHODS:
                request.state.csrf_sent = request.headers.get(CSRF_HEADER, "")
                if self.wants_raw:
                    request.state.raw = await request.body()
                elif request.headers.get("content-type", "").startswith(FORM_TYPES):
                    request.state.form = await _read_form(request)
                    request.state.csrf_sent = request.state.csrf_sent or str(request.state.form.get(CSRF_FIELD, ""))
            try:
                return await handle(request)
            except RequestValidationError:
                await run_in_threadpool(admit, request, self.admitted)
                raise
            finally:
                await request.close()

        return at_the_door


class Doors(APIRouter):
    """The router for route files."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  as above
        """Routes made here pass the door."""
        super().__init__(route_class=DoorRoute, **options)


def _guarded(endpoint: Callable[..., Any], admitted: frozenset[str], *, is_safe: bool) -> Callable[..., Any]:
    """The handler behind its door. FastAPI sees the handler's parameters without those the door fills in.

    A public handler that only reads and asks for nothing of the request gets nobody looked up: such an answer costs no query.
    """
    invariant(not inspect.iscoroutinefunction(endpoint), f"{endpoint.__name__}: handlers are plain functions")
    signature = inspect.signature(endpoint, eval_str=True)
    fillable = (Request, Who, MaybeWho, Fields, Raw)
    filled = {name: part.annotation for name, part in signature.parameters.items() if part.annotation in fillable}
    invariant(admitted is not PUBLIC or Who not in filled.values(), f"{endpoint.__name__} is public: ask for MaybeWho")
    kept = [part for name, part in signature.parameters.items() if name not in filled]
    asked = inspect.Parameter("request_at_door", inspect.Parameter.KEYWORD_ONLY, annotation=Request)

    @functools.wraps(endpoint)
    def guarded(*, request_at_door: Request, **given: Any) -> Any:  # noqa: ANN401  whatever the handler takes and gives
        principal = None if is_safe and admitted is PUBLIC and not filled else admit(request_at_door, admitted)
        for name, wanted in filled.items():
            if wanted is Request:
                given[name] = request_at_door
            elif wanted is Fields:
                given[name] = getattr(request_at_door.state, "form", FormData())
            elif wanted is Raw:
                given[name] = request_at_door.state.raw
            else:
                given[name] = principal
        return endpoint(**given)

    guarded.__signature__ = signature.replace(parameters=[*kept, asked])  # type: ignore[attr-defined]
    return guarded


async def _read_form(request: Request) -> FormData:
    """The form, or the refusal of a body that cannot be read; the parser trusts a `charset` that names no encoding, or a useless one."""
    try:
        return await request.form()
    except (UnicodeError, LookupError) as error:
        raise HTTPException(400) from error


def _needs_form_token(request: Request, principal: Principal | None) -> bool:
    """A browser sends cookies by itself, so what it sends must also carry the token; a bearer token is never sent by itself."""
    return principal.by_cookie if principal else not is_api(request)
