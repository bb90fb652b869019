"""What a request brings to the door: its session, its language, its forms' token; and the `PageChrome` made of them."""

import re
import secrets
import tomllib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from collections.abc import Collection
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.identity import Principal, find_kind, find_principal
from api.identity.accounts import Role
from api.pages.chrome import PageChrome, resolve_theme
from api.pages.i18n import Language, resolve_language
from cards import find_union_name, get_subject
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.settings import get_settings
from market.sales.orders.baskets import count_basket

# Whose home a person sees who holds several roles: the one with most to answer for.
ROLE_ORDER: tuple[Role, ...] = ("officer", "auditor", "owner", "assistant", "member")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_COOKIE = "hg"
GUEST_COOKIE = "hg-guest"
NOTICE_COOKIE = "hg-notice"
GUEST_SECRET = re.compile("[0-9a-f]{64}")
YEAR_SECONDS = 365 * 24 * 3600
VERSION: str = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "version"
]

# What the last action did, said once on the page after it: code → (zh, en).
NOTICES = {
    "signed_out": ("已退出登录。", "You are signed out."),
    "session_revoked": ("那台设备已退出登录。", "That device is signed out."),
    "erasure_asked": (
        "已提出，等一位干部批准；之前可以撤回。",
        "You asked; an officer has to agree. Until then you can take it back.",
    ),
    "erasure_withdrawn": ("申请已撤回，什么都没有删。", "Taken back; nothing was deleted."),
    "budget_proposed": (
        "已提出，等另一位干部批准；之前可以撤回。",
        "Proposed; it waits for another officer. Until then you can take it back.",
    ),
    "budget_granted": (
        "钱已到预算里，马上写进公开台账。",
        "The money is in the budget and goes into the public record at once.",
    ),
    "budget_refused": ("已退回，提出人会看到理由。", "Sent back; whoever proposed it reads why."),
    "budget_withdrawn": ("申请已撤回，钱没有动。", "Taken back; no money moved."),
    "erasure_taken": ("已代收，等另一位干部批准。", "Taken; it waits for another officer."),
    "erasure_done": ("资料已删除，账目不变。", "Deleted; the books stay as they were."),
    "erasure_declined": ("已告诉会员不办理。", "The member reads that it was declined."),
    "card_frozen": ("卡已冻结，所有动态码立即失效。", "The card is frozen; its codes died at once."),
    "consent_given": ("好的，从下次算价起用这个优惠。", "From the next price on this offer is used."),
    "consent_withdrawn": ("好的，从下次算价起不用这个优惠。", "From the next price on this offer is not used."),
    "offer_approved": ("优惠已批准，从现在起可用。", "The offer is approved and usable from now on."),
    "offer_rejected": ("优惠已退回。", "The offer was sent back."),
    "offer_submitted": (
        "已提交，等商户签字和另一位干部审核。",
        "Submitted; it waits for signatures and for a second officer.",
    ),
    "offer_withdrawn": ("已收回这一版。", "This version was taken back."),
    "offer_signed": ("已签字，等另一方审核后生效。", "Signed; it comes into force once it is approved."),
    "offer_refused": ("已退回并写明理由。", "Sent back with your reason."),
    "draft_discarded": ("草稿已丢弃，可以恢复。", "The draft was put away; you can bring it back."),
    "basket_added": ("已放进购物篮。", "It is in your basket."),
    "basket_filled": ("已放进购物篮，价格按现在的算。", "It is in your basket, at today's prices."),
    "order_paid": ("付款成功。", "Paid."),
    "order_cancelled": ("订单已取消。", "The order is cancelled."),
    "sale_voided": ("这一笔已撤销。", "The sale is void."),
    "refunded": ("已退款。", "Refunded."),
    "order_ready": ("已备好，会员可以来取。", "It lies ready; the member can fetch it."),
    "orders_ready": ("清单上的订单都已备好。", "All orders on the list lie ready."),
    "order_delivered": ("已记为送达。", "Noted as delivered."),
    "handout_undone": ("发放已撤回，东西留着等会员来取。", "Taken back; the goods wait for the member again."),
    "order_called_off": ("订单已取消，款项原路退回。", "The order is cancelled; the money goes back the way it came."),
    "order_returned": ("已收回，款项原路退回。", "Taken back; the money goes back the way it came."),
    "return_asked": ("已申请退货，等商户答复。", "You asked for a return; the merchant will answer."),
    "return_withdrawn": ("退货申请已撤回。", "Your return request is withdrawn."),
    "return_declined": ("已答复会员。", "The member reads your answer."),
    "stock_kept": ("库存已更新。", "The stock is up to date."),
    "details_asked": ("已提交，等另一个人批准。", "Asked; it waits for another person to decide."),
    "details_withdrawn": ("申请已撤回。", "The request was taken back."),
    "details_refused": ("已退回，提申请的人会看到理由。", "Refused; whoever asked reads why."),
    "details_approved": (
        "已批准，公开台账记下了这一次；文件正在生成。",
        "Approved, and public; the file is being made.",
    ),
    "product_stopped": ("已停售，商户会看到理由。", "Stopped; the merchant reads the reason."),
    "product_lifted": ("已解除，商户可以重新上架。", "Lifted; the merchant may list it again."),
    "point_added": ("自提点已开，商户可以选它了。", "The point is open; merchants can choose it."),
    "point_changed": ("已保存，会员看到的是新的。", "Saved; members see it as it is now."),
    "point_closed": ("已关闭，新订单不再送到这里。", "Closed; no new order goes there."),
    "point_reopened": ("已重新开放。", "Open again."),
    "publication_chosen": (
        "从明天起成批公布；可以随时撤回。",
        "Published in batches from tomorrow on; you can take that back.",
    ),
    "publication_taken_back": (
        "已撤回，从明天起按近 28 天的销售公布。",
        "Taken back; from tomorrow on it is as its last 28 days have it.",
    ),
    "event_replayed": ("已重新处理。", "Worked once more."),
    "refund_repeated": ("已重新发出退款。", "The refund is sent once more."),
    "product_saved": ("商品已保存。", "The product is saved."),
    "product_listed": ("已上架，会员现在看得到。", "Listed; members see it now."),
    "product_withdrawn": ("已下架，随时可以再上架。", "Withdrawn; you can list it again at any time."),
    "picture_added": ("图片已加上。", "The picture is added."),
    "picture_restored": ("图片已恢复。", "The picture is back."),
    "file_entered": ("文件已录入。", "The file is entered."),
}


def is_api(request: Request) -> bool:
    """Whether a program asks, which gets JSON, or a person, who gets a page."""
    return request.url.path.startswith(("/api/", "/webhooks/"))


def is_picture(request: Request) -> bool:
    """Whether a page's picture is asked for: no page stands around it, no notice is said beside it."""
    return request.url.path.startswith("/pictures/")


def is_secure(request: Request) -> bool:
    """Whether people reach us by https: as the operator says, else as the request came."""
    public_url = get_settings().public_url
    return public_url.startswith("https:") if public_url else request.url.scheme == "https"


def own_origin(request: Request) -> str:
    """Scheme, host and port under which this page was asked for."""
    public_url = get_settings().public_url
    if public_url is None:
        return f"{request.url.scheme}://{request.headers.get('host', '')}"
    url = urlsplit(public_url)
    return f"{url.scheme}://{url.netloc}"


def client_address(request: Request) -> str:
    """Whose tries are counted together: an IPv4 address, or the /64 of an IPv6 one, which is what one household holds."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return address.exploded[:19] if address.version == 6 else host


# --- who ------------------------------------------------------------------------------------------------------------


def session_cookie(request: Request) -> str | None:
    """The session id the browser sent, if any."""
    return request.cookies.get(_cookie_name(request, SESSION_COOKIE))


def bearer_token(request: Request) -> str | None:
    """The session id of a program: `Authorization: Bearer …`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def identify(request: Request) -> Principal | None:
    """Who asks, looked up once per request; a bearer token goes before a cookie."""
    if not hasattr(request.state, "principal"):
        bearer = bearer_token(request)
        token = bearer or session_cookie(request)
        found = find_principal(token=token, at=now(), by_cookie=bearer is None) if token else None
        request.state.principal = found
    return cast("Principal | None", request.state.principal)


def acting_role(principal: Principal | None, admitted: Collection[str] | None = None) -> Role | None:
    """The role in which someone stands on this page: one that the page admits, by ROLE_ORDER."""
    held = principal.roles.keys() if principal else frozenset()
    return next((role for role in ROLE_ORDER if role in held and (admitted is None or role in admitted)), None)


def set_session_cookie(response: Response, request: Request, token: str) -> None:
    """Hand the session id to the browser, out of reach of scripts; it lives until the browser forgets it or the server does."""
    _set_cookie(response, request, SESSION_COOKIE, token, max_age=30 * 24 * 3600)


def drop_session_cookie(response: Response, request: Request) -> None:
    """Take the session id back, and whatever the browser kept of personal pages with it."""
    _set_cookie(response, request, SESSION_COOKIE, "", max_age=0)
    response.headers["Clear-Site-Data"] = '"cache"'


# --- forms ----------------------------------------------------------------------------------------------------------


def form_token(secret: bytes) -> str:
    """A token for one answer: the secret under a fresh mask, so that compression cannot leak it (BREACH)."""
    mask = secrets.token_bytes(len(secret))
    return urlsafe_b64encode(mask + _xor(mask, secret)).decode()


def fits_form_token(token: str, secret: bytes) -> bool:
    """Whether the token was made from this secret."""
    try:
        raw = urlsafe_b64decode(token.encode())
    except (NotBase64Error, ValueError):
        return False
    size = len(secret)
    return len(raw) == 2 * size and secrets.compare_digest(_xor(raw[:size], raw[size:]), secret)


def guest_secret(request: Request) -> bytes | None:
    """The form secret of a browser in which nobody is signed in."""
    kept = request.cookies.get(_cookie_name(request, GUEST_COOKIE), "")
    return bytes.fromhex(kept) if GUEST_SECRET.fullmatch(kept) else None


def safe_back(back: str | None, *, otherwise: str = "/") -> str:
    """A path of our own to go back to; anything that could lead elsewhere becomes `otherwise`."""
    if not back or not back.startswith("/") or back.startswith(("//", "/\\")) or not back.isprintable() or "\\" in back:
        return otherwise
    return back


def see_other(request: Request, path: str, *, notice: str | None = None) -> Response:
    """Send the browser on after a form; `notice` is a code of NOTICES said on the next page."""
    response = RedirectResponse(path, status_code=303)
    if notice is not None:
        _set_cookie(response, request, NOTICE_COOKIE, notice, max_age=60)
    return response


# --- the page around ------------------------------------------------------------------------------------------------


def language_of(request: Request) -> Language:
    """`?lang=`, then the cookie, then what the browser asks for, then Chinese."""
    asked = request.query_params.get("lang")
    return resolve_language(
        asked=asked, cookie=request.cookies.get("lang"), accept=request.headers.get("accept-language")
    )


def dress(request: Request, principal: Principal | None, *, admitted: Collection[str] | None = None) -> None:
    """Set `request.state.chrome`. A guest without a form secret gets one; the header middleware sends the cookie.

    A notice is said on the page that was gone on to, never beside a refusal.
    """
    language = language_of(request)
    secret = principal.csrf if principal else guest_secret(request)
    if secret is None:
        secret = secrets.token_bytes(32)
        _queue_cookie(request, GUEST_COOKIE, secret.hex())
    notice = NOTICES.get(request.cookies.get(_cookie_name(request, NOTICE_COOKIE), ""))
    if request.method not in SAFE_METHODS or hasattr(request.state, "problem"):
        notice = None
    if notice is not None:
        _queue_cookie(request, NOTICE_COOKIE, "", max_age=0)
    query = request.url.query
    role = acting_role(principal, admitted) or acting_role(principal)
    request.state.chrome = PageChrome(
        language=language,
        theme=resolve_theme(request.cookies.get("theme")),
        path=request.url.path + (f"?{query}" if query else ""),
        csrf_token=form_token(secret),
        name=principal.name if principal else None,
        role=role,
        demo=installation_kind(request) == "demo",
        installation=installation_name(request),
        now=now(),
        version=VERSION,
        notice=None if notice is None else notice[language == "en"],
        basket_count=_count_basket(principal) if role == "member" and principal else None,
    )


def recount_basket(request: Request, *, member_id: UUID) -> None:
    """The page that follows shows what lies in the basket now, not what lay there when it was asked for."""
    request.state.chrome = replace(request.state.chrome, basket_count=_count_pieces(member_id))


def _count_basket(principal: Principal) -> int | None:
    """Pieces in the basket of a member, for the sign of it on every page of his."""
    member_id = principal.roles.get("member")
    return None if member_id is None else _count_pieces(member_id)


def _count_pieces(member_id: UUID) -> int:
    with transaction() as tx:
        return count_basket(tx, subject=get_subject(tx, member_id=member_id))


def installation_kind(request: Request) -> str | None:
    """`demo`, `real`, or None for a database that is still new; asked of the database until it says."""
    state = request.app.state
    if getattr(state, "kind", None) is None:
        with transaction() as tx:
            state.kind = find_kind(tx)
    return cast("str | None", state.kind)


def installation_name(request: Request) -> str:
    """What this installation is called: as the operator says, else after its union; asked of the database until there is one."""
    state = request.app.state
    if getattr(state, "name", None) is None:
        state.name = get_settings().name
    if state.name is None:
        with transaction() as tx:
            state.name = find_union_name(tx)
    return state.name or "惠工"


# --- cookies --------------------------------------------------------------------------------------------------------


def _cookie_name(request: Request, name: str) -> str:
    """Over https with the prefix that keeps other hosts of the same domain from setting it."""
    return f"__Host-{name}" if is_secure(request) else name


def _set_cookie(response: Response, request: Request, name: str, value: str, *, max_age: int | None = None) -> None:
    response.set_cookie(
        _cookie_name(request, name),
        value,
        max_age=max_age,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )


def _queue_cookie(request: Request, name: str, value: str, *, max_age: int | None = None) -> None:
    """A cookie for an answer that does not exist yet."""
    carrier = Response()
    _set_cookie(carrier, request, name, value, max_age=max_age)
    cookies = request.scope.setdefault("huigong.cookies", [])
    cookies += [value for key, value in carrier.raw_headers if key == b"set-cookie"]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
