"""Draws the sandbox's pay page, in the language and the colours that the reader chose at the shop."""

from starlette.requests import Request

from api.door import VERSION
from api.pages.chrome import PageChrome, resolve_theme
from api.pages.i18n import resolve_language, translate
from api.pages.kit import render_text
from api.pages.pictures import N_
from api.pages.views.sandbox import SandboxPay, TestCard
from market.kit.clock import now
from market.payments.sandbox.pay_page import PayPage

PROBLEMS = {
    "choose": N_("请选一种付款方式。"),
    "generic_decline": N_("银行拒绝了这张卡，没有扣款。换一张卡或换一种方式再试。"),
    "insufficient_funds": N_("这张卡余额不足，没有扣款。换一张卡或换一种方式再试。"),
    "incorrect_number": N_("没有这个卡号，没有扣款。演示请用下面列出的卡号。"),
}
CARDS = (
    TestCard(number="4242424242424242", is_good=True),
    TestCard(number="6200000000000005", is_good=True),
    TestCard(number="4000000000000002", is_good=False),
)


def render_pay_page(request: Request, shown: PayPage) -> str:
    """The HTML of the page; `?lang=` and the cookies of the shop, which is on the same host, decide the language and the theme."""
    language = resolve_language(
        asked=request.query_params.get("lang"),
        cookie=request.cookies.get("lang"),
        accept=request.headers.get("accept-language"),
    )
    chrome = PageChrome(
        language=language,
        theme=resolve_theme(request.cookies.get("theme")),
        path=request.url.path,
        csrf_token=shown.form_token,
        name=None,
        role=None,
        demo=True,
        installation="",
        now=now(),
        version=VERSION,
    )
    view = SandboxPay(
        title=shown.title,
        account=shown.account,
        amount_fen=shown.amount_fen,
        state=shown.state,
        expires_at=shown.expires_at,
        method=shown.method,
        card=shown.card,
        problem=translate(language, PROBLEMS[shown.problem]) if shown.problem else None,
        pay_href=request.url.path,
        back_href=shown.back_url,
        cards=CARDS,
    )
    return render_text("sandbox/pay.html", view, chrome)
