"""the salt of the commitment that stands in the public record for an audience of few members"""

import sqlalchemy as sa

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MAY_CHANGE = ("state", "approved_by", "approved_at", "ended_at", "entry_id", "closed_by", "closed_at", "closed_reason")


def upgrade() -> None:
    op.add_column("offer_version", sa.Column("audience_salt", sa.LargeBinary(), nullable=True))
    op.create_check_constraint(
        op.f("ck_offer_version_salt_size"), "offer_version", "audience_salt IS NULL OR length(audience_salt) = 32"
    )
    fix_columns((*MAY_CHANGE, "audience_salt"))


def downgrade() -> None:
    fix_columns(MAY_CHANGE)
    op.drop_column("offer_version", "audience_salt")


def fix_columns(names: tuple[str, ...]) -> None:
    """Of a version only these columns may change."""
    listed = ", ".join(f"'{name}'" for name in names)
    op.execute("DROP TRIGGER columns_fixed ON offer_version")
    op.execute(
        f"CREATE TRIGGER columns_fixed BEFORE UPDATE ON offer_version FOR EACH ROW EXECUTE FUNCTION allow_columns({listed})"
    )
