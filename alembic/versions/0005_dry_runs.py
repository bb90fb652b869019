"""dry runs: a draft tried on the sales of a month, with its progress and what came of it"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATES = "('waiting', 'running', 'done', 'cancelled', 'interrupted', 'failed')"


def upgrade() -> None:
    op.create_table(
        "dry_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("budget_fen", sa.BigInteger(), nullable=True),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("beyond_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done_count", sa.Integer(), nullable=False),
        sa.Column("whole_count", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(f"state IN {STATES}", name=op.f("ck_dry_run_state_known")),
        sa.CheckConstraint("beyond_on > first_on", name=op.f("ck_dry_run_days_run_forward")),
        sa.CheckConstraint("(state = 'done') = (result IS NOT NULL)", name=op.f("ck_dry_run_result_when_done")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dry_run")),
    )
    op.create_index("ix_dry_run_asked_at", "dry_run", ["asked_at"])


def downgrade() -> None:
    op.drop_table("dry_run")
