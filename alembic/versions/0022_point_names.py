"""no two open pick-up points have one name"""

import sqlalchemy as sa

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of points that already had one name, all but the first say their code too.
    op.execute("""
        UPDATE pickup_point SET name = left(name, 38 - length(code)) || '（' || code || '）'
        WHERE state = 'open' AND EXISTS (
            SELECT FROM pickup_point AS earlier
            WHERE earlier.state = 'open' AND lower(earlier.name) = lower(pickup_point.name) AND earlier.code < pickup_point.code)
    """)
    op.create_index(
        "uq_pickup_point_open_name",
        "pickup_point",
        [sa.text("lower(name)")],
        unique=True,
        postgresql_where="state = 'open'",
    )


def downgrade() -> None:
    op.drop_index("uq_pickup_point_open_name", table_name="pickup_point")
