"""Pages that need no sign-in: the door, errors."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from api.pages.views.record import Checkpointed
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
    published: Checkpointed


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """`sign_in.html` at /sign-in: POST /sign-in with `login`, `password`, `back`."""

    login: str
    back: str
    error: str | None
    demo_doors: tuple[DemoDoor, ...]


@dataclass(frozen=True, kw_only=True)
class CheckStep:
    """One thing that was checked: `holds`, `differs`, or `open` where it cannot be said; `field` is its name in the file."""

    field: str
    state: Literal["holds", "differs", "open"]
    sentence: str


@dataclass(frozen=True, kw_only=True)
class CheckedReceipt:
    """What the check of a receipt came to. `public_id` is that of its entry, None where it has none of ours."""

    outcome: Literal["proved", "promised", "overdue", "unsigned", "differs"]
    sentence: str
    steps: tuple[CheckStep, ...]
    public_id: str | None


@dataclass(frozen=True, kw_only=True)
class CheckedEntry:
    """A published entry: its number in the record, its hash (hex), and what it says. `amounts` is None where it is about none.

    `count` purchases are in a batch. Of a purchase that is published in one (`is_inside`) the hash is its own, all else the batch's.
    """

    public_id: str
    entry_hash: str
    number: int
    kind: str
    on: date
    merchant: str | None
    amounts: Amounts | None
    count: int | None
    is_inside: bool


@dataclass(frozen=True, kw_only=True)
class ReceiptCheck:
    """`record_check.html` at /record/check?entry=ID#HASH; the form posts `file` (multipart) or `text` to the same address.

    `asked` is the entry id that was asked for, and `entry` what was found under it. `error` says why a file is no receipt.
    `vkeys` are the keys of the log and of its promises now, empty while no log is open.
    """

    asked: str
    entry: CheckedEntry | None
    receipt: CheckedReceipt | None
    error: str | None
    vkeys: tuple[str, ...]


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
