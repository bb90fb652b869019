"""product stops: an officer takes a product off sale, with a reason, until an officer lets it go again"""

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A stop is told once, and lifted once.
STOP_MOVES_FORWARD = """
CREATE FUNCTION product_stop_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.lifted_at IS NOT NULL OR (NEW.id, NEW.product_id, NEW.reason, NEW.by_id, NEW.at)
     IS DISTINCT FROM (OLD.id, OLD.product_id, OLD.reason, OLD.by_id, OLD.at) THEN
    RAISE EXCEPTION 'what was said of a stopped product stays' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "product_stop",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_product_stop_reason_given")),
        sa.CheckConstraint(
            "(lifted_by IS NULL) = (lifted_at IS NULL)", name=op.f("ck_product_stop_lifted_by_somebody")
        ),
        sa.CheckConstraint("lifted_at >= at", name=op.f("ck_product_stop_runs_forward")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_stop_product_id_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_stop")),
    )
    op.create_index(
        "uq_product_stop_one",
        "product_stop",
        ["product_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.execute(STOP_MOVES_FORWARD)
    op.execute(
        "CREATE TRIGGER moves_forward BEFORE UPDATE ON product_stop "
        "FOR EACH ROW EXECUTE FUNCTION product_stop_moves_forward()"
    )
    op.execute(
        "CREATE TRIGGER written_once BEFORE DELETE ON product_stop FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON product_stop "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("product_stop")
    op.execute("DROP FUNCTION product_stop_moves_forward()")
