"""how the sequencer fares: its last round, and why it refuses"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_standing",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_standing_one_row")),
        sa.CheckConstraint(
            "num_nulls(refused_since, code, facts) IN (0, 3)", name=op.f("ck_log_standing_refusal_whole")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_standing")),
    )


def downgrade() -> None:
    op.drop_table("log_standing")
