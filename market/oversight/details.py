"""Details exports: an auditor asks, another person decides, a job seals the file, and it expires. docs/record.md says what is in it.

Who is an auditor or an officer is the door's question. That two persons are two is asked here, of the opaque ids the door gives.
"""

import secrets
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, Subquery, Uuid, delete, func, literal, select, tuple_, union_all, update
from sqlalchemy.orm import Session, aliased

from market.kit.canonical import canonical_json
from market.kit.database import transaction
from market.kit.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, invariant
from market.kit.ids import new_id
from market.kit.jobs import enqueue
from market.oversight.models import DETAILS_REASONS, DetailsDownload, DetailsPart, DetailsRequest, EntryIndex
from market.record.details.checks import Request
from market.record.details.keys import AuditorKeyError, parse_auditor_key
from market.record.entries import commit
from market.record.models import Entry
from market.record.operations import publish_event
from market.record.publishing.served import published_size
from market.sales.models import Sale

KEPT: Final = timedelta(days=7)
"""How long a file can be fetched."""

MOST_SALES: Final = 5_000
MOST_WORDS: Final = 500
SALES_AT_ONCE: Final = 200


class DetailsUnknownError(NotFoundError):
    """There is no such request."""

    code = "DETAILS_UNKNOWN"
    zh = "没有这个明细导出申请。请到“明细导出”里查看。"
    en = "There is no such request. Look for it under Details."


class DetailsAskedWrongError(InvalidError):
    """A field of a request is missing or cannot be: days the wrong way round, no reason in words."""

    code = "DETAILS_ASKED_WRONG"
    zh = "请填好起止日期（先后不能颠倒）、理由类别，并用一句话写明理由（不超过 {most} 字）。"
    en = "Give the days, the earlier one first, a kind of reason, and the reason in a sentence (at most {most} characters)."


class DetailsKeyError(InvalidError):
    """What was given as the auditor's public key is none."""

    code = "DETAILS_KEY"
    zh = "这不是经审的公钥。请运行 huigong key auditor，把它打印的那一行（以 huigong-auditor+ 开头）完整复制过来。"
    en = "This is no auditor's public key. Run huigong key auditor and copy the whole line that it prints (huigong-auditor+…)."


class DetailsNothingError(ConflictError):
    """No published sale lies on these days."""

    code = "DETAILS_NOTHING"
    zh = "这些日子里没有已公布的核销。请换日期或商户；当天的要等公布以后，成批公布的商户要等那一批公布以后。"
    en = (
        "No sale is published on these days. Choose other days or another merchant; today's sales, "
        "and those that wait for a batch, must be published first."
    )


class DetailsTooManyError(ConflictError):
    """More sales than one export opens."""

    code = "DETAILS_TOO_MANY"
    zh = "一次最多打开 {most} 笔，这些日子里不止。请缩短日期，或只选一家商户。"
    en = "One export opens at most {most} sales, and there are more on these days. Choose fewer days, or one merchant."


class DetailsEndedError(ConflictError):
    """The request was decided or withdrawn meanwhile."""

    code = "DETAILS_ENDED"
    zh = "这个申请已经有了结果。请刷新页面查看。"
    en = "This request has been decided or withdrawn. Reload the page to see how."


class DetailsOwnError(ForbiddenError):
    """Whoever asks does not decide."""

    code = "DETAILS_OWN"
    zh = "自己提的申请不能自己批，要由另一个人批准或退回。"
    en = "Nobody decides his own request: another person approves or refuses it."


class DetailsNotYoursError(ForbiddenError):
    """Only whoever asked may fetch or withdraw."""

    code = "DETAILS_NOT_YOURS"
    zh = "只有提申请的经审本人能下载或撤回。"
    en = "Only the auditor who asked may fetch it or take the request back."


class DetailsAnswerError(InvalidError):
    """A request is refused without a word, or with too many."""

    code = "DETAILS_ANSWER"
    zh = "请写一句退回的理由（不超过 {most} 字），提申请的人会看到。"
    en = "Say in a sentence why not (at most {most} characters); whoever asked will read it."


class DetailsNotThereError(ConflictError):
    """There is no file (yet, or any more)."""

    code = "DETAILS_NOT_THERE"
    zh = "现在没有可下载的文件：还没生成，或者已经过期删除。过期的请重新申请。"
    en = (
        "There is no file to fetch: it is not made yet, or has expired and was deleted. Ask again for one that expired."
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What an auditor asks for; days inclusive, `merchant` None for all."""

    merchant: str | None
    first_on: date
    last_on: date
    reason: str
    words: str
    key: str


@dataclass(frozen=True, slots=True)
class ChosenSale:
    """A sale of a request: its place in the log, its person, and its documents; of one in a batch the place is the batch's.

    `batch` is that batch, `batch_index` where in it the sale stands, `entry` its single entry, which is served nowhere.
    """

    leaf_index: int
    public_id: str
    subject: UUID
    basket: bytes
    facts: bytes
    entry: bytes
    batch: UUID | None
    batch_index: int


@dataclass(frozen=True, slots=True)
class ChosenBatch:
    """A batch that holds sales of a request, and how many."""

    public_id: str
    sales_count: int


def ask_details(tx: Session, *, asked: Asked, by: UUID, at: datetime) -> DetailsRequest:
    """Ask; the same asked again while it waits is the same request.

    Raises DetailsAskedWrongError, DetailsKeyError, DetailsNothingError, DetailsTooManyError, in this order.
    """
    words = _read_words(asked.words)
    if asked.last_on < asked.first_on or asked.reason not in DETAILS_REASONS or not 0 < len(words) <= MOST_WORDS:
        raise DetailsAskedWrongError(most=MOST_WORDS)
    try:
        key = parse_auditor_key(asked.key).text
    except AuditorKeyError:
        raise DetailsKeyError from None
    chosen = {
        "merchant": asked.merchant,
        "first_on": asked.first_on,
        "last_on": asked.last_on,
        "reason": asked.reason,
        "words": words,
        "key": key,
    }
    waiting = select(DetailsRequest).filter_by(state="waiting", asked_by=by, **chosen).limit(1)
    if (same := tx.scalar(waiting)) is not None:
        return same
    size = published_size(tx)
    found = select(_choose(asked, size=size, has_batches=True)).limit(MOST_SALES + 1).subquery()
    count, batched_count = tx.execute(select(func.count(), func.count(found.c.batch))).one()
    if not count:
        raise DetailsNothingError
    if count > MOST_SALES:
        raise DetailsTooManyError(most=MOST_SALES)
    request = DetailsRequest(
        id=new_id(),
        asked_by=by,
        asked_at=at,
        salt=secrets.token_bytes(32),
        size=size,
        sales_count=count,
        batched_count=batched_count,
        state="waiting",
        answer="",
        **chosen,
    )
    tx.add(request)
    tx.flush()
    return request


def withdraw_details(tx: Session, *, request_id: UUID, by: UUID, at: datetime) -> None:
    """Take one's own request back while it waits. Raises DetailsUnknownError, DetailsNotYoursError, DetailsEndedError."""
    request = _lock(tx, request_id)
    if request.asked_by != by:
        raise DetailsNotYoursError
    _need_waiting(request)
    request.state, request.decided_at = "withdrawn", at
    tx.flush()


def refuse_details(tx: Session, *, request_id: UUID, by: UUID, answer: str, at: datetime) -> None:
    """Another person refuses, and says why. Raises DetailsUnknownError, DetailsOwnError, DetailsEndedError, DetailsAnswerError."""
    request = _lock_to_decide(tx, request_id, by)
    answer = _read_words(answer)
    if not 0 < len(answer) <= MOST_WORDS:
        raise DetailsAnswerError(most=MOST_WORDS)
    request.state, request.decided_by, request.decided_at, request.answer = "refused", by, at, answer
    tx.flush()


def approve_details(tx: Session, *, request_id: UUID, by: UUID, at: datetime) -> None:
    """Another person approves: a public entry says so, and a job makes the file.

    Raises DetailsUnknownError, DetailsOwnError, DetailsEndedError.
    """
    request = _lock_to_decide(tx, request_id, by)
    fields = {
        "kind": "details",
        "entries": request.sales_count,
        "reason": request.reason,
        "request": commit(request.salt, request_document(request)),
        "first_day": request.first_on.isoformat(),
        "last_day": request.last_on.isoformat(),
    }
    request.entry_id = publish_event(tx, kind="access", fields=fields, at=at)
    request.state, request.decided_by, request.decided_at = "approved", by, at
    enqueue(tx, "details.build", {"request_id": str(request.id)})
    tx.flush()


def request_document(request: DetailsRequest) -> bytes:
    """What the public entry commits to: which sales, why, and whose key."""
    said = Request(
        key=request.key,
        merchant=request.merchant,
        first_day=request.first_on.isoformat(),
        last_day=request.last_on.isoformat(),
        reason=request.reason,
        words=request.words,
    )
    return canonical_json(said.to_json())


def list_details(tx: Session, *, limit: int) -> Sequence[DetailsRequest]:
    """Requests, those that wait first, then the newest first."""
    order = ((DetailsRequest.state != "waiting"), DetailsRequest.asked_at.desc())
    return tx.scalars(select(DetailsRequest).order_by(*order).limit(limit)).all()


def count_waiting_details(tx: Session, *, by: UUID) -> int:
    """How many requests of others wait for somebody to decide."""
    waiting = (DetailsRequest.state == "waiting", DetailsRequest.asked_by != by)
    return tx.scalar(select(func.count()).where(*waiting)) or 0


def get_details(tx: Session, *, request_id: UUID) -> DetailsRequest:
    """A request. Raises DetailsUnknownError."""
    request = tx.get(DetailsRequest, request_id)
    if request is None:
        raise DetailsUnknownError
    return request


def list_downloads(tx: Session, *, request_id: UUID) -> Sequence[DetailsDownload]:
    """Who fetched the file and when, the newest first."""
    found = select(DetailsDownload).where(DetailsDownload.request_id == request_id)
    return tx.scalars(found.order_by(DetailsDownload.id.desc())).all()


def lock_approved(tx: Session, *, request_id: UUID) -> DetailsRequest | None:
    """A request whose file is to be made, locked; None once it is made."""
    request = _lock(tx, request_id)
    return request if request.state == "approved" else None


def list_subjects(tx: Session, *, request: DetailsRequest) -> dict[UUID, int]:
    """The persons of the sales of a request, and how many sales of each there are."""
    chosen = _choose_of(request)
    found = select(Sale.subject, func.count()).join(chosen, chosen.c.id == Sale.entry_id).group_by(Sale.subject)
    return {row[0]: row[1] for row in tx.execute(found)}


def list_batches(tx: Session, *, request: DetailsRequest) -> dict[UUID, ChosenBatch]:
    """The batches that hold sales of a request."""
    chosen = _choose_of(request)
    found = select(Entry.id, Entry.public_id, func.count()).join(chosen, chosen.c.batch == Entry.id)
    return {row[0]: ChosenBatch(row[1], row[2]) for row in tx.execute(found.group_by(Entry.id))}


def read_sales(tx: Session, *, request: DetailsRequest) -> Iterator[ChosenSale]:
    """The sales of a request in the order of the log, those of a batch in its own, a few at a time."""
    chosen = _choose_of(request)
    place = tuple_(chosen.c.place, chosen.c.number)
    found = (
        select(chosen, Entry.public_id, Entry.body, Sale.subject, Sale.basket, Sale.facts)
        .join(Entry, Entry.id == chosen.c.id)
        .join(Sale, Sale.entry_id == chosen.c.id)
        .order_by(chosen.c.place, chosen.c.number)
        .limit(SALES_AT_ONCE)
    )
    before = (-1, -1)
    while True:
        rows = tx.execute(found.where(place > before)).all()
        for row in rows:
            documents = (row.subject, row.basket, row.facts, row.body)
            yield ChosenSale(row.place, row.public_id, *documents, row.batch, row.number)
        if len(rows) < SALES_AT_ONCE:
            return
        before = (rows[-1].place, rows[-1].number)


def keep_part(tx: Session, *, request: DetailsRequest, number: int, body: bytes) -> None:
    """Store a piece of the sealed file."""
    tx.execute(DetailsPart.__table__.insert(), {"request_id": request.id, "number": number, "body": body})  # type: ignore[attr-defined]


def end_file(
    tx: Session, *, request: DetailsRequest, bytes_count: int, sha256: bytes, erased_count: int, at: datetime
) -> None:
    """The file is whole; from now on it can be fetched, until it expires."""
    request.state, request.ready_at, request.expires_at = "ready", at, at + KEPT
    request.bytes_count, request.sha256, request.erased_count = bytes_count, sha256, erased_count
    tx.flush()


def begin_download(tx: Session, *, request_id: UUID, by: UUID, at: datetime) -> DetailsRequest:
    """Note that the file is fetched. Raises DetailsUnknownError, DetailsNotYoursError, DetailsNotThereError."""
    request = get_details(tx, request_id=request_id)
    if request.asked_by != by:
        raise DetailsNotYoursError
    if request.state != "ready" or request.expires_at is None or request.expires_at <= at:
        raise DetailsNotThereError
    tx.add(DetailsDownload(id=new_id(), request_id=request.id, by=by, at=at))
    tx.flush()
    return request


def read_parts(*, request_id: UUID) -> Iterator[bytes]:
    """The file piece by piece, each read in a transaction of its own: a slow reader holds nothing."""
    number = 0
    while True:
        with transaction() as tx:
            body = tx.scalar(select(DetailsPart.body).filter_by(request_id=request_id, number=number))
        if body is None:
            return
        yield body
        number += 1


def expire_details(tx: Session, *, at: datetime) -> int:
    """Delete the files whose time is over; how many."""
    over = (DetailsRequest.state == "ready", DetailsRequest.expires_at <= at)
    ids = tx.scalars(update(DetailsRequest).where(*over).values(state="expired").returning(DetailsRequest.id)).all()
    tx.execute(delete(DetailsPart).where(DetailsPart.request_id.in_(ids)))
    return len(ids)


def _read_words(typed: str) -> str:
    """A sentence without signs that nobody can see, which the database does not take either."""
    return "".join(sign for sign in typed if sign.isprintable() or sign == "\n").strip()


def _choose_of(request: DetailsRequest) -> Subquery:
    """The sales of a request, as many as were approved."""
    return _choose(request, size=request.size, has_batches=request.batched_count is not None)


def _choose(asked: Asked | DetailsRequest, *, size: int, has_batches: bool) -> Subquery:
    """The entries of the sales of these days that have a place below `size`, by themselves or in a batch: `place`, `batch`, `number` in it."""
    days = Entry.day.between(asked.first_on, asked.last_on)
    no_batch = literal(None, Uuid).label("batch")
    placed = _find_placed(asked, size=size)
    rows = select(Entry.id, Entry.leaf_index.label("place"), no_batch, literal(0).label("number"))
    chosen = rows.join(placed, placed.c.leaf_index == Entry.leaf_index)
    batch = aliased(Entry)
    _, length = monthrange(asked.last_on.year, asked.last_on.month)
    until = asked.last_on.replace(day=length)  # a batch is of no earlier day than its sales, in the same month
    batched = (
        select(Entry.id, batch.leaf_index, Entry.batch_id, Entry.batch_index)
        .join(batch, batch.id == Entry.batch_id)
        .where(batch.type == "batch", batch.day.between(asked.first_on, until), batch.leaf_index < size)
        .where(Entry.type == "sale", days)
    )
    if asked.merchant is not None:
        batched = batched.where(batch.merchant == asked.merchant)
    return union_all(chosen, batched).subquery() if has_batches else chosen.subquery()


def _find_placed(asked: Asked | DetailsRequest, *, size: int) -> Subquery:
    """The places below `size` of the sales of these days: from the index, and what that has not reached from the entries themselves."""
    indexed = select(func.coalesce(func.max(EntryIndex.leaf_index) + 1, 0)).scalar_subquery()

    def find(source: type[Entry | EntryIndex]) -> Select[int | None]:
        days = source.day.between(asked.first_on, asked.last_on)
        found = select(source.leaf_index).where(source.type == "sale", days, source.leaf_index < size)
        return found if asked.merchant is None else found.where(source.merchant == asked.merchant)

    fresh = find(Entry).where(Entry.leaf_index >= indexed)
    return union_all(find(EntryIndex), fresh).subquery()


def _lock(tx: Session, request_id: UUID) -> DetailsRequest:
    request = tx.scalar(select(DetailsRequest).where(DetailsRequest.id == request_id).with_for_update())
    if request is None:
        raise DetailsUnknownError
    return request


def _lock_to_decide(tx: Session, request_id: UUID, by: UUID) -> DetailsRequest:
    request = _lock(tx, request_id)
    if request.asked_by == by:
        raise DetailsOwnError
    _need_waiting(request)
    return request


def _need_waiting(request: DetailsRequest) -> None:
    if request.state != "waiting":
        raise DetailsEndedError
    invariant(request.decided_at is None, "who waits is undecided")
