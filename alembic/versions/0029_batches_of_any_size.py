"""batches of any size: waiting purchases by day, the day before which all are batched, entries that could not be made"""

import sqlalchemy as sa

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

WAITING = sa.text("is_batched AND batch_id IS NULL")


def upgrade() -> None:
    op.drop_index("ix_entry_unbatched", table_name="entry")
    op.create_index("ix_entry_unbatched", "entry", ["day", "merchant"], postgresql_where=WAITING)
    op.add_column("log_state", sa.Column("batched_before", sa.Date(), nullable=True))
    op.create_table(
        "unmade_entry",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.CheckConstraint("times > 0", name=op.f("ck_unmade_entry_tried")),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_unmade_entry")),
    )


def downgrade() -> None:
    op.drop_table("unmade_entry")
    op.drop_column("log_state", "batched_before")
    op.drop_index("ix_entry_unbatched", table_name="entry")
    op.create_index("ix_entry_unbatched", "entry", ["merchant", "day"], postgresql_where=WAITING)
