"""public accounts by kind, each with the place of its first movement"""

import sqlalchemy as sa

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "public_account",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_leaf", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_public_account")),
    )
    op.create_index("ix_public_account_kind", "public_account", ["kind", "account"], unique=False)
    op.execute(
        "INSERT INTO public_account SELECT account, split_part(account, ':', 1), min(leaf_index) FROM account_movement GROUP BY account"
    )


def downgrade() -> None:
    op.drop_index("ix_public_account_kind", table_name="public_account")
    op.drop_table("public_account")
