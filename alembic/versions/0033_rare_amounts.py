"""finer statistics of amounts, so that a search for the few dearest purchases of a long record begins at their index

Amounts have long tails: with the usual hundred steps the last one holds a hundredth of all entries, and the planner takes a few for thousands.
"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

AMOUNTS = ("list", "concession", "subsidy", "paid", "rebate_member", "rebate_union")


def upgrade() -> None:
    for amount in AMOUNTS:
        op.execute(f"ALTER TABLE entry_index ALTER COLUMN {amount}_fen SET STATISTICS 1000")


def downgrade() -> None:
    for amount in AMOUNTS:
        op.execute(f"ALTER TABLE entry_index ALTER COLUMN {amount}_fen SET STATISTICS -1")
