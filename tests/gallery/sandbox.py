"""The sandbox's pay page, as it is met: to choose, after a decline, paid, over."""

from dataclasses import replace
from datetime import timedelta

from api.pages import views as v
from api.pages.sandbox import CARDS
from tests.gallery.frame import NOW, Sample

OPEN = v.SandboxPay(
    title="临江家电 内购订单 8K3F",
    account="acct_m_0007",
    amount_fen=23_900,
    state="open",
    expires_at=NOW + timedelta(minutes=15),
    method="wechat_pay",
    card="4242424242424242",
    problem=None,
    pay_href="/pay/cs_test_1",
    back_href="/shop/orders",
    cards=CARDS,
)
DECLINED = replace(
    OPEN, method="card", card="4000000000000002", problem="银行拒绝了这张卡，没有扣款。换一张卡或换一种方式再试。"
)

SANDBOX: tuple[Sample, ...] = (
    Sample("pay", "sandbox/pay.html", OPEN, None, "/pay/cs_test_1"),
    Sample("pay-declined", "sandbox/pay.html", DECLINED, None, "/pay/cs_test_1", 402),
    Sample("pay-paid", "sandbox/pay.html", replace(OPEN, state="complete"), None, "/pay/cs_test_1"),
    Sample("pay-expired", "sandbox/pay.html", replace(OPEN, state="expired"), None, "/pay/cs_test_1"),
)
