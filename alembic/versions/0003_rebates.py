"""rebates stand apart: to the member and to the union, on sales and returns, with what went back of each"""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PARTS = ("rebate_member_fen", "rebate_union_fen")
CHECKS = (
    ("rebate_not_negative", "sale", "rebate_member_fen >= 0 AND rebate_union_fen >= 0"),
    ("rebate_not_negative", "reversal", "rebate_member_fen >= 0 AND rebate_union_fen >= 0"),
    ("rebate_within_paid", "sale", "rebate_member_fen + rebate_union_fen <= paid_fen"),
    ("back_rebate_member_bounded", "sale", "back_rebate_member_fen BETWEEN 0 AND rebate_member_fen"),
    ("back_rebate_union_bounded", "sale", "back_rebate_union_fen BETWEEN 0 AND rebate_union_fen"),
)
AMOUNTS = ["list_fen", "concession_fen", "subsidy_fen", "paid_fen"]

# No offer could give a rebate before this migration: a sum that is not 0 has no owner that we could name, so we stop and ask.
NO_REBATE_YET = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM sale WHERE rebate_fen <> 0) OR EXISTS (SELECT FROM reversal WHERE rebate_fen <> 0) THEN
    RAISE EXCEPTION 'rebates were booked before they had an owner; see rebate_fen in sale and reversal';
  END IF;
END $$
"""

SALE_GIVES_BACK_FORWARD = """
CREATE OR REPLACE FUNCTION sale_gives_back_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.back_concession_fen < OLD.back_concession_fen OR NEW.back_subsidy_fen < OLD.back_subsidy_fen
     OR NEW.back_paid_fen < OLD.back_paid_fen {rebates} THEN
    RAISE EXCEPTION 'what went back of sale % cannot be taken again', OLD.public_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.execute(NO_REBATE_YET)
    op.drop_index("ix_sale_day_merchant", table_name="sale")
    op.drop_constraint(op.f("ck_sale_rebate_not_negative"), "sale", type_="check")
    for table in ("sale", "reversal"):
        op.drop_column(table, "rebate_fen")
        for part in PARTS:
            # The default fills the rows there are; new ones always say what they give.
            op.add_column(table, sa.Column(part, sa.BigInteger(), server_default="0", nullable=False))
            op.alter_column(table, part, server_default=None)
    for part in PARTS:
        op.add_column("sale", sa.Column(f"back_{part}", sa.BigInteger(), server_default="0", nullable=False))
    for name, table, rule in CHECKS:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    op.create_index("ix_sale_day_merchant", "sale", ["day", "merchant"], postgresql_include=[*AMOUNTS, *PARTS])
    op.execute(
        SALE_GIVES_BACK_FORWARD.format(
            rebates="OR NEW.back_rebate_member_fen < OLD.back_rebate_member_fen OR NEW.back_rebate_union_fen < OLD.back_rebate_union_fen"
        )
    )
    _allow("sale", *(f"back_{name}" for name in (*AMOUNTS, *PARTS)))


def downgrade() -> None:
    _allow("sale", *(f"back_{name}" for name in AMOUNTS))
    op.execute(SALE_GIVES_BACK_FORWARD.format(rebates=""))
    for name, table, _ in CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.drop_index("ix_sale_day_merchant", table_name="sale")
    for table in ("sale", "reversal"):
        for part in PARTS:
            op.drop_column(table, part)
        op.add_column(table, sa.Column("rebate_fen", sa.BigInteger(), server_default="0", nullable=False))
        op.alter_column(table, "rebate_fen", server_default=None)
    for part in PARTS:
        op.drop_column("sale", f"back_{part}")
    op.create_check_constraint(op.f("ck_sale_rebate_not_negative"), "sale", "rebate_fen >= 0")
    op.create_index("ix_sale_day_merchant", "sale", ["day", "merchant"], postgresql_include=[*AMOUNTS, "rebate_fen"])


def _allow(table: str, *columns: str) -> None:
    """Of a row of the table only these columns may change."""
    names = ", ".join(f"'{column}'" for column in columns)
    op.execute(f"DROP TRIGGER columns_fixed ON {table}")
    op.execute(
        f"CREATE TRIGGER columns_fixed BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION allow_columns({names})"
    )
