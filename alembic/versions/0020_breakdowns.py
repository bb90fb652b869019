"""published breakdowns: a closed month by an attribute of the members who bought"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "breakdown",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("k", sa.Integer(), nullable=False),
        sa.Column("groups", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name=op.f("ck_breakdown_month_format")),
        sa.CheckConstraint("attribute IN ('unit', 'retired', 'age')", name=op.f("ck_breakdown_attribute_known")),
        sa.CheckConstraint("k >= 5", name=op.f("ck_breakdown_k_large_enough")),
        sa.CheckConstraint(
            "NOT jsonb_path_exists(groups, '$[*].members ? (@ < $k)', jsonb_build_object('k', k))",
            name=op.f("ck_breakdown_groups_of_k"),
        ),
        sa.PrimaryKeyConstraint("month", "attribute", name=op.f("pk_breakdown")),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON breakdown FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER not_truncated BEFORE TRUNCATE ON breakdown FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("breakdown")
