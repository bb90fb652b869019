"""basket: what a member has put aside and not ordered"""

import sqlalchemy as sa

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "basket_line",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("qty", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("qty BETWEEN 1 AND 9999", name=op.f("ck_basket_line_qty_in_range")),
        sa.PrimaryKeyConstraint("subject", "item_id", name=op.f("pk_basket_line")),
    )


def downgrade() -> None:
    op.drop_table("basket_line")
