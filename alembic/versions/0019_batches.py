"""batches: purchases that are published together, and how each merchant's are"""

import sqlalchemy as sa

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FIXED = ("id", "public_id", "type", "merchant", "day", "body", "created_at")


def _same(names: tuple[str, ...]) -> str:
    old, new = (", ".join(f"{row}.{name}" for name in names) for row in ("OLD", "NEW"))
    return f"({old}) IS NOT DISTINCT FROM ({new})"


# An entry gets its place, or its batch, once and for ever; nothing else of it changes.
PLACED_ONCE = (
    f"CREATE TRIGGER placed_once BEFORE UPDATE ON entry FOR EACH ROW WHEN (NOT ({_same((*FIXED, 'is_batched'))} AND ("
    f"(OLD.leaf_index IS NULL AND NEW.leaf_index IS NOT NULL AND {_same(('batch_id', 'batch_index'))})"
    f" OR (OLD.batch_id IS NULL AND NEW.batch_id IS NOT NULL AND {_same(('leaf_index',))}))))"
    " EXECUTE FUNCTION refuse_change()"
)
PLACED_ONCE_BEFORE = (
    "CREATE TRIGGER placed_once BEFORE UPDATE ON entry FOR EACH ROW WHEN (OLD.leaf_index IS NOT NULL OR NEW.leaf_index IS NULL"
    f" OR NOT {_same(FIXED)}) EXECUTE FUNCTION refuse_change()"
)


def upgrade() -> None:
    op.add_column("entry", sa.Column("is_batched", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("entry", sa.Column("batch_id", sa.Uuid(), nullable=True))
    op.add_column("entry", sa.Column("batch_index", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_entry_batch_id_entry"), "entry", "entry", ["batch_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_entry_batched_unplaced"),
        "entry",
        "NOT is_batched OR (leaf_index IS NULL AND type IN ('sale', 'void', 'refund'))",
    )
    op.create_check_constraint(
        op.f("ck_entry_batch_whole"),
        "entry",
        "num_nulls(batch_id, batch_index) <> 1 AND (batch_id IS NULL OR is_batched)",
    )
    op.drop_index("ix_entry_unsequenced", table_name="entry")
    op.create_index(
        "ix_entry_unsequenced", "entry", ["id"], postgresql_where=sa.text("leaf_index IS NULL AND NOT is_batched")
    )
    op.create_index(
        "ix_entry_unbatched",
        "entry",
        ["merchant", "day"],
        postgresql_where=sa.text("is_batched AND batch_id IS NULL"),
    )
    op.create_index(
        "uq_entry_batch",
        "entry",
        ["batch_id", "batch_index"],
        unique=True,
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    op.execute("DROP TRIGGER placed_once ON entry")
    op.execute(PLACED_ONCE)
    op.add_column("closed_balance", sa.Column("is_held", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "merchant_publication",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("publication", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("publication IN ('row', 'batched')", name=op.f("ck_merchant_publication_publication_known")),
        sa.CheckConstraint(
            "reason IN ('new', 'stated', 'sales', 'few', 'sensitive', 'chosen')",
            name=op.f("ck_merchant_publication_reason_known"),
        ),
        sa.CheckConstraint(
            "publication = CASE WHEN reason = 'sales' THEN 'row' WHEN reason = 'stated' THEN publication ELSE 'batched' END",
            name=op.f("ck_merchant_publication_reason_fits"),
        ),
        sa.CheckConstraint(
            "reason <> 'chosen' OR by IS NOT NULL", name=op.f("ck_merchant_publication_chosen_by_somebody")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchant_publication")),
    )
    op.create_index(
        "ix_merchant_publication_newest",
        "merchant_publication",
        ["merchant", sa.text("id DESC")],
    )
    op.create_table(
        "publication_review",
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("from_on", name=op.f("pk_publication_review")),
    )
    op.execute(
        "CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON merchant_publication FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON merchant_publication FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("publication_review")
    op.drop_table("merchant_publication")
    op.drop_column("closed_balance", "is_held")
    op.execute("DROP TRIGGER placed_once ON entry")
    op.drop_index("uq_entry_batch", table_name="entry")
    op.drop_index("ix_entry_unbatched", table_name="entry")
    op.drop_index("ix_entry_unsequenced", table_name="entry")
    op.create_index("ix_entry_unsequenced", "entry", ["id"], postgresql_where=sa.text("leaf_index IS NULL"))
    op.drop_constraint(op.f("ck_entry_batch_whole"), "entry", type_="check")
    op.drop_constraint(op.f("ck_entry_batched_unplaced"), "entry", type_="check")
    op.drop_constraint(op.f("fk_entry_batch_id_entry"), "entry", type_="foreignkey")
    for name in ("batch_index", "batch_id", "is_batched"):
        op.drop_column("entry", name)
    op.execute(PLACED_ONCE_BEFORE)
