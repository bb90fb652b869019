"""an approved version of an offer starts when a checkpoint covers its entry"""

import sqlalchemy as sa

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

MAY_CHANGE = (
    *("state", "approved_by", "approved_at", "ended_at", "entry_id", "closed_by", "closed_at", "closed_reason"),
    "audience_salt",
)
UNSTARTED = sa.text("state = 'approved' AND started_at IS NULL")


def upgrade() -> None:
    op.add_column("offer_version", sa.Column("started_at", sa.DateTime(timezone=True), nullable=True))
    fix_columns((*MAY_CHANGE, "started_at"))
    op.execute("UPDATE offer_version SET started_at = approved_at WHERE approved_at IS NOT NULL")
    op.create_index(
        "ix_offer_version_unstarted", "offer_version", ["entry_id"], unique=False, postgresql_where=UNSTARTED
    )


def downgrade() -> None:
    op.drop_index("ix_offer_version_unstarted", table_name="offer_version")
    fix_columns(MAY_CHANGE)
    op.drop_column("offer_version", "started_at")


def fix_columns(names: tuple[str, ...]) -> None:
    """Of a version only these columns may change."""
    listed = ", ".join(f"'{name}'" for name in names)
    op.execute("DROP TRIGGER columns_fixed ON offer_version")
    op.execute(
        f"CREATE TRIGGER columns_fixed BEFORE UPDATE ON offer_version FOR EACH ROW EXECUTE FUNCTION allow_columns({listed})"
    )
