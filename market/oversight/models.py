"""The table of oversight's own: what each run of the auditor found. It changes nothing that it watches."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base


class VerifyRun(Base):
    """One run of `huigong verify`: how many rules over how many rows, and every finding (rule, subject, problem); written once."""

    __tablename__ = "verify_run"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    rules: Mapped[int]
    rows_seen: Mapped[int]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
