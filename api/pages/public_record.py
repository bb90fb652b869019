"""Parts that the pages and files of the public record share: the month asked for, figures by category, how far it is published."""

import base64
from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import Query
from sqlalchemy.orm import Session

from api.errors import PageUnknownError
from api.pages.i18n import Language, translate
from api.pages.pictures import category
from api.pages.totals import show_amounts
from api.pages.views import AmountsRow, Checkpointed
from api.pages.views.shared import Stopped
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.oversight.counting import counted_size
from market.oversight.public_totals import TOTALLED, PublicTotals
from market.oversight.queries import month_days
from market.record.log.checkpoints import Checkpoint, parse_checkpoint
from market.record.log.notes import parse_note
from market.record.policy import Policy
from market.record.publishing.served import (
    count_newest_cosigners,
    find_newest_checkpoint,
    find_policy,
    newest_signed_at,
    published_size,
)
from market.record.publishing.standing import find_standstill
from merchants import MerchantMonth

# A form sends an empty field for "the newest" or "all".
Month = Annotated[str, Query(pattern="^([0-9]{4}-[0-9]{2})?$", description="YYYY-MM")]


def choose_month(month: str, months: Sequence[str]) -> str:
    """The month asked for, else the newest with anything, else this one. A month there never was is an unknown page."""
    if not month:
        return months[-1] if months else business_day(now()).isoformat()[:7]
    try:
        month_days(month)
    except ValueError:
        raise PageUnknownError from None
    return month


def write_figures(*rows: PublicTotals) -> dict[str, int]:
    """The figures of rows together as files name them, in fen."""
    return {name: sum(getattr(row, name) for row in rows) for name in TOTALLED}


def show_categories(rows: Iterable[PublicTotals], *, month: str, language: Language) -> list[AmountsRow]:
    """Sums by category (`label`), each leading to its merchants; `code` is the category's."""
    return [
        AmountsRow(
            name=translate(language, category(row.label).label),
            code=row.label,
            href=f"/record/merchants?category={row.label}&month={month}",
            amounts=show_amounts(row),
            sales_count=row.sales,
        )
        for row in rows
    ]


def show_rows(rows: Iterable[MerchantMonth]) -> list[AmountsRow]:
    """Months of merchants, each leading to its page."""
    return [
        AmountsRow(
            name=row.name,
            code=row.totals.label,
            href=f"/record/merchants/{row.totals.label}",
            amounts=show_amounts(row.totals),
            sales_count=row.totals.sales,
        )
        for row in rows
    ]


def newest_checkpoint() -> bytes | None:
    """The newest signed checkpoint, for a file that is made from it; None before the first one."""
    with transaction() as tx:
        return find_newest_checkpoint(tx)


def write_checkpoint(note: bytes | None) -> dict[str, object]:
    """What a file says of the checkpoint it was made from: of how many entries, and their root (base64; None before the first one)."""
    checkpoint = _read(note)
    root = None if checkpoint is None else base64.b64encode(checkpoint.root).decode()
    return {"log_size": size_of(note), "log_root": root}


def size_of(note: bytes | None) -> int:
    """How many entries a checkpoint covers; none where there is none."""
    checkpoint = _read(note)
    return 0 if checkpoint is None else checkpoint.size


def _read(note: bytes | None) -> Checkpoint | None:
    return None if note is None else parse_checkpoint(parse_note(note).text)


def show_published(tx: Session, policy: Policy | None = None) -> Checkpointed:
    """How far the record is published now, and counted in the public sums."""
    policy = policy or find_policy(tx)
    outside = () if policy is None else policy.witnesses
    stopped = find_standstill(tx, policy, at=now())
    return Checkpointed(
        entries_count=published_size(tx),
        counted_count=counted_size(tx),
        signed_at=newest_signed_at(tx),
        within_seconds=None if policy is None else policy.window_seconds + policy.delay_seconds,
        witnesses_count=len(outside),
        cosigned_count=count_newest_cosigners(tx, among=outside),
        stopped=None if stopped is None else Stopped(stopped.since),
    )
