"""what giving a place writes: fewer and narrower indexes of entries; published ones are looked for in entry_index"""

import sqlalchemy as sa

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

RANK_OF_TYPE = (
    "CASE type WHEN 'account' THEN 0 WHEN 'key' THEN 0 WHEN 'policy' THEN 0 WHEN 'sale' THEN 2 WHEN 'void' THEN 3 WHEN 'refund' THEN 3 WHEN 'rebate' THEN 3"
    " WHEN 'batch' THEN 4 WHEN 'settlement' THEN 4 WHEN 'close' THEN 5 ELSE 1 END"
)
LISTED = {
    "ix_entry_type_leaf": ["type", "leaf_index"],
    "ix_entry_merchant_type_leaf": ["merchant", "type", "leaf_index"],
    "ix_entry_day_type_leaf": ["day", "type", "leaf_index"],
    "ix_entry_merchant_day_type_leaf": ["merchant", "day", "type", "leaf_index"],
}
SEARCHED = {
    "ix_entry_index_merchant_type": ["merchant", "type", "leaf_index"],
    "ix_entry_index_day_type": ["day", "type", "leaf_index"],
    "ix_entry_index_merchant_day_type": ["merchant", "day", "type", "leaf_index"],
}
WAITING = sa.text("leaf_index IS NULL AND NOT is_batched")
PLACED = sa.text("leaf_index IS NOT NULL")


def upgrade() -> None:
    for name, columns in SEARCHED.items():
        op.create_index(name, "entry_index", columns, unique=False)
    for name in LISTED:
        op.drop_index(name, table_name="entry")
    op.drop_index("ix_entry_type_id", table_name="entry")
    no_purchase = sa.text("type NOT IN ('sale', 'void', 'refund')")
    op.create_index("ix_entry_type_id", "entry", ["type", "id"], unique=False, postgresql_where=no_purchase)
    op.drop_index("ix_entry_unsequenced", table_name="entry")
    rank = sa.text(f"({RANK_OF_TYPE})")
    op.create_index("ix_entry_unsequenced", "entry", [rank, "id"], unique=False, postgresql_where=WAITING)
    op.drop_constraint("uq_entry_leaf_index", "entry", type_="unique")
    op.create_index("uq_entry_leaf_index", "entry", ["leaf_index"], unique=True, postgresql_where=PLACED)


def downgrade() -> None:
    op.drop_index("uq_entry_leaf_index", table_name="entry")
    op.create_unique_constraint("uq_entry_leaf_index", "entry", ["leaf_index"])
    op.drop_index("ix_entry_unsequenced", table_name="entry")
    op.create_index("ix_entry_unsequenced", "entry", ["id"], unique=False, postgresql_where=WAITING)
    op.drop_index("ix_entry_type_id", table_name="entry")
    op.create_index("ix_entry_type_id", "entry", ["type", "id"], unique=False)
    for name, columns in LISTED.items():
        op.create_index(name, "entry", columns, unique=False, postgresql_where=PLACED)
    for name in SEARCHED:
        op.drop_index(name, table_name="entry_index")
