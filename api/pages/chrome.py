"""What surrounds every page: who is signed in, language, theme, the way around. A page's own content is its view."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from api.pages.i18n import Language
from api.pages.pictures import N_

Theme: TypeAlias = Literal["light", "dark", "auto"]
Role: TypeAlias = Literal["member", "assistant", "owner", "officer", "auditor"]


@dataclass(frozen=True)
class NavItem:
    """One way to go; `label` is a Chinese source text, `current` marks the page one is on."""

    href: str
    label: str
    icon: str
    current: bool = False


# Longest prefix wins, so /till/scan marks 扫码 and not 收银.
WAYS: dict[Role | None, tuple[NavItem, ...]] = {
    None: (
        NavItem("/record", N_("公开台账"), "report-analytics"),
        NavItem("/record/offers", N_("优惠"), "ticket"),
        NavItem("/sign-in", N_("登录"), "login-2"),
    ),
    "member": (
        NavItem("/card", N_("会员卡"), "qrcode"),
        NavItem("/offers", N_("优惠"), "ticket"),
        NavItem("/shop", N_("内购"), "shopping-bag"),
        NavItem("/receipts", N_("小票"), "receipt"),
        NavItem("/record", N_("公开台账"), "report-analytics"),
        NavItem("/me", N_("我的"), "user"),
    ),
    "assistant": (
        NavItem("/till", N_("收银"), "building-store"),
        NavItem("/till/today", N_("今天"), "list-details"),
        NavItem("/merchant/handout", N_("发放"), "basket"),
        NavItem("/me", N_("我的"), "user"),
    ),
    "owner": (
        NavItem("/merchant", N_("商户"), "building-store"),
        NavItem("/merchant/orders", N_("订单"), "list-details"),
        NavItem("/merchant/handout", N_("发放"), "basket"),
        NavItem("/merchant/stock", N_("库存"), "chart-bar"),
        NavItem("/merchant/products", N_("商品管理"), "package"),
        NavItem("/merchant/offers", N_("签优惠"), "file-text"),
        NavItem("/record", N_("公开台账"), "report-analytics"),
        NavItem("/me", N_("我的"), "user"),
    ),
    "officer": (
        NavItem("/desk", N_("工作台"), "layout-dashboard"),
        NavItem("/desk/offers", N_("优惠"), "ticket"),
        NavItem("/desk/purchases", N_("内购"), "basket"),
        NavItem("/desk/payments", N_("收付"), "wallet"),
        NavItem("/record", N_("公开台账"), "report-analytics"),
        NavItem("/me", N_("我的"), "user"),
    ),
    "auditor": (
        NavItem("/audit", N_("经审"), "list-search"),
        NavItem("/audit/details", N_("明细导出"), "lock"),
        NavItem("/record", N_("公开台账"), "report-analytics"),
        NavItem("/me", N_("我的"), "user"),
    ),
}


@dataclass(frozen=True, kw_only=True)
class PageChrome:
    """The `page` of every template, set on `request.state.chrome` before a route renders.

    `path` is the path asked for, with its query: the preference forms bring the reader back to it. `name` and `role`
    are None when nobody is signed in. `notice` is one finished sentence about what the last action did. `offset` of the
    phone's clock is measured against `now`. `basket_count` are the pieces in a member's basket, None for everybody else.
    """

    language: Language
    theme: Theme
    path: str
    csrf_token: str
    name: str | None
    role: Role | None
    demo: bool
    installation: str
    now: datetime
    version: str
    notice: str | None = None
    basket_count: int | None = None

    @property
    def nav(self) -> tuple[NavItem, ...]:
        """The ways of this role, with the current one marked."""
        path = self.path.partition("?")[0]
        if path.startswith("/orders"):  # what was bought there
            path = "/shop"
        ways = WAYS[self.role]
        here = max(
            (way.href for way in ways if path == way.href or path.startswith(way.href + "/")), key=len, default=""
        )
        return tuple(NavItem(way.href, way.label, way.icon, way.href == here) for way in ways)

    @property
    def home(self) -> str:
        """Where the brand mark leads: the first page of the role."""
        return WAYS[self.role][0].href if self.role else "/"


def resolve_theme(cookie: str | None) -> Theme:
    """The theme from its cookie; anything unknown follows the device."""
    return cookie if cookie in {"light", "dark", "auto"} else "auto"  # type: ignore[return-value]
