"""published entries by type, merchant and day, in the order of the log"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# None of them holds an entry that has no place yet, so that a sale writes into none.
INDEXES = {
    "ix_entry_type_leaf": ["type", "leaf_index"],
    "ix_entry_merchant_type_leaf": ["merchant", "type", "leaf_index"],
    "ix_entry_day_type_leaf": ["day", "type", "leaf_index"],
    "ix_entry_merchant_day_type_leaf": ["merchant", "day", "type", "leaf_index"],
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.create_index(name, "entry", columns, unique=False, postgresql_where="leaf_index IS NOT NULL")


def downgrade() -> None:
    for name in reversed(INDEXES):
        op.drop_index(name, table_name="entry", postgresql_where="leaf_index IS NOT NULL")
