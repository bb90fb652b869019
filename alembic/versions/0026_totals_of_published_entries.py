"""totals of published entries by day, month and offer; the next rounds of the sequencer fill them from the log's beginning on"""

import sqlalchemy as sa

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

FIGURES = (
    "sold_count",
    "voided_count",
    "list_fen",
    "concession_fen",
    "subsidy_fen",
    "paid_fen",
    "rebate_member_fen",
    "rebate_union_fen",
    "paid_declared_fen",
    "paid_provider_fen",
    "given_fen",
    "other_fen",
)


def upgrade() -> None:
    op.create_table(
        "day_total",
        *_bigints(*FIGURES),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_total")),
    )
    op.create_table(
        "month_total",
        *_bigints(*FIGURES),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("month", "merchant", name=op.f("pk_month_total")),
    )
    op.create_index("ix_month_total_merchant", "month_total", ["merchant", "month"], unique=False)
    op.create_table(
        "offer_total",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        *_bigints("sales_count", "batches_count", "borne_fen"),
        sa.PrimaryKeyConstraint("month", "offer", "version", name=op.f("pk_offer_total")),
    )
    op.create_table(
        "total_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_total_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_total_state")),
    )


def downgrade() -> None:
    for table in ("total_state", "offer_total", "month_total", "day_total"):
        op.drop_table(table)


def _bigints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]
