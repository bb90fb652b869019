"""One effect per key: a repeat of `(shop, key)` gets the stored answer, be it a sale, a return or a refusal."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, cast, literal, null, select, union_all
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from market.kit.errors import DomainError, InvalidError
from market.kit.ids import new_id
from market.sales.models import Refusal, Reversal, Sale

_NOTHING = cast(null(), JSONB)
_ANSWERED = union_all(
    *(
        select(table.id, code.label("code"), facts.label("facts"), table.request).where(
            table.shop_id == bindparam("shop_id"), table.key == bindparam("key")
        )
        for table, code, facts in (
            (Sale, literal(""), _NOTHING),
            (Reversal, literal(""), _NOTHING),
            (Refusal, Refusal.code, Refusal.facts),
        )
    )
)


class KeyReusedError(InvalidError):
    """The key was used before with another body."""

    code = "KEY_REUSED"
    zh = "这个请求编号已用于另一笔内容不同的操作（{field} 不同），请换一个新的编号。"
    en = "This key was used for another request ({field} differs); use a new key."


def find_answered(tx: Session, *, shop_id: UUID, key: str, request: Mapping[str, Any]) -> UUID | None:
    """The row id of the sale or reversal that this key made, or None when the key is new.

    Raises KeyReusedError when the body differs, and the stored refusal again when the key was refused. One statement.
    """
    found = tx.connection().execute(_ANSWERED, {"shop_id": shop_id, "key": key}).first()
    if found is None:
        return None
    id_, code, facts, first = found
    sent = json.loads(json.dumps(dict(request)))
    if first != sent:
        differing = min(name for name in {*first, *sent} if first.get(name) != sent.get(name))
        raise KeyReusedError(field=differing)
    if code:
        raise _error_class(code)(**facts)
    return UUID(str(id_))


def is_answered(tx: Session, *, shop_id: UUID, key: str) -> bool:
    """Whether a sale or a return was made under this key."""
    found = tx.execute(_ANSWERED, {"shop_id": shop_id, "key": key}).first()
    return found is not None and not found.code


def store_refusal(
    tx: Session,
    *,
    act: str,
    shop_id: UUID,
    staff_id: UUID,
    key: str | None,
    request: Mapping[str, Any],
    error: DomainError,
    at: datetime,
) -> None:
    """Keep a refusal for the audit, and as the answer to a repeat of its key; a second one under the same key changes nothing."""
    tx.execute(
        upsert(Refusal)
        .values(
            id=new_id(),
            shop_id=shop_id,
            staff_id=staff_id,
            act=act,
            key=key,
            request=dict(request),
            code=error.code,
            facts=error.facts,
            at=at,
        )
        .on_conflict_do_nothing(index_elements=["shop_id", "key"], index_where=Refusal.key.is_not(None))
    )


def _error_class(code: str) -> type[DomainError]:
    """The class of a stored refusal."""
    waiting = [DomainError]
    while waiting:
        candidate = waiting.pop()
        if candidate.code == code:
            return candidate
        waiting.extend(candidate.__subclasses__())
    raise LookupError(f"no error has the code {code}")
