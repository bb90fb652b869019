"""Pages that need no sign-in: the door, errors."""

from dataclasses import dataclass
from datetime import date

from api.pages.views.shared import Amounts, DemoRole


@dataclass(frozen=True, kw_only=True)
class DemoDoor:
    """One demo sign-in button: POST /demo-sign-in with `role`; `name` is the demo person behind it."""

    role: DemoRole
    name: str


@dataclass(frozen=True, kw_only=True)
class Home:
    """`home.html` at / when nobody is signed in. `totals` are this month's of the public record.

    `demo_doors` is empty in a real installation.
    """

    month_on: date
    totals: Amounts
    sales_count: int
    shops_count: int
    demo_doors: tuple[DemoDoor, ...]


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """`sign_in.html` at /sign-in: POST /sign-in with `login`, `password`, `back`."""

    login: str
    back: str
    error: str | None
    demo_doors: tuple[DemoDoor, ...]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """`error.html`, block `problem` for htmx: what holds, what to do next, and where to go.

    `request_id` is given for 500 only, so that a person can quote it; None otherwise.
    """

    status: int
    code: str
    sentence: str
    next_step: str
    next_href: str
    request_id: str | None
