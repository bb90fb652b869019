"""what the audits of each night found; entries that wait for a batch are read in the order of their rows; rebates are searched"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

REBATES = ("rebate_member_fen", "rebate_union_fen")


def upgrade() -> None:
    op.create_table(
        "nightly_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rules", sa.Integer(), nullable=True),
        sa.Column("rows_seen", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("checkpoint", sa.LargeBinary(), nullable=True),
        sa.Column("findings", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("more", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("state IN ('running', 'done', 'interrupted')", name=op.f("ck_nightly_run_state_known")),
        sa.CheckConstraint(
            "(state = 'running') = (ended_at IS NULL)", name=op.f("ck_nightly_run_ended_unless_running")
        ),
        sa.CheckConstraint(
            "num_nonnulls(rules, rows_seen, size) = CASE WHEN state = 'done' THEN 3 ELSE 0 END",
            name=op.f("ck_nightly_run_figures_when_done"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nightly_run")),
    )
    op.create_index("ix_nightly_run_night", "nightly_run", ["night"], unique=False)
    done, running = sa.text("state = 'done'"), sa.text("state = 'running'")
    op.create_index("uq_nightly_run_done", "nightly_run", ["night"], unique=True, postgresql_where=done)
    op.create_index("uq_nightly_run_running", "nightly_run", ["state"], unique=True, postgresql_where=running)
    op.execute(
        "CREATE TRIGGER ended_for_good BEFORE UPDATE OR DELETE ON nightly_run"
        " FOR EACH ROW WHEN (OLD.state <> 'running') EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER not_truncated BEFORE TRUNCATE ON nightly_run FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for name in REBATES:
        op.create_index(
            f"ix_entry_index_{name}", "entry_index", [name], unique=False, postgresql_where=sa.text(f"{name} > 0")
        )
    unbatched = sa.text("is_batched AND batch_id IS NULL")
    op.create_index("ix_entry_unbatched_id", "entry", ["id"], unique=False, postgresql_where=unbatched)


def downgrade() -> None:
    op.drop_index("ix_entry_unbatched_id", table_name="entry")
    for name in REBATES:
        op.drop_index(f"ix_entry_index_{name}", table_name="entry_index")
    op.drop_table("nightly_run")
