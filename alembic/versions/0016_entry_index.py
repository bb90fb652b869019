"""what placed entries say: amounts, offers and account movements, to be looked for"""

import sqlalchemy as sa

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

AMOUNTS = ("list_fen", "concession_fen", "subsidy_fen", "paid_fen", "rebate_member_fen", "rebate_union_fen")
RETURNS = ("back_leaf", "whole_leaf", "void_leaf")


def upgrade() -> None:
    op.create_table(
        "entry_index",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("post", sa.Text(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in AMOUNTS),
        sa.Column("back_fen", sa.BigInteger(), server_default="0", nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in RETURNS),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_entry_index")),
    )
    for column in ("type", "merchant", "day"):
        op.create_index(f"ix_entry_index_{column}", "entry_index", [column, "leaf_index"], unique=False)
    for column in AMOUNTS[:4]:
        op.create_index(f"ix_entry_index_{column}", "entry_index", [column], unique=False)
    op.create_index(
        "ix_entry_index_post",
        "entry_index",
        ["post", "leaf_index"],
        unique=False,
        postgresql_where="post IS NOT NULL",
    )
    op.create_index(
        "ix_entry_index_returned",
        "entry_index",
        ["leaf_index"],
        unique=False,
        postgresql_where="back_leaf IS NOT NULL",
    )
    op.create_table(
        "entry_offer",
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("offer", "leaf_index", name=op.f("pk_entry_offer")),
    )
    op.create_table(
        "account_movement",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "leaf_index", "number", name=op.f("pk_account_movement")),
    )


def downgrade() -> None:
    for table in ("account_movement", "entry_offer", "entry_index"):
        op.drop_table(table)
