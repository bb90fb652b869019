"""orders: placed, paid or released, handed out, returned; stock moves; sales and returns without a shop"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

APPEND_ONLY = ("order_change", "handout", "stock_move")
MOSTLY_FIXED = {
    "member_order": ("state", "payment_id", "sale_id", "ready_at", "unclaimed_at", "deliver_to"),
    "order_line": ("handed", "returned"),
}
FOLLOWS = (
    ("placed", "paid cancelled"),
    ("paid", "ready collected delivered partly_returned returned"),
    ("ready", "collected delivered partly_returned returned"),
    ("collected", "closed partly_returned returned"),
    ("delivered", "closed partly_returned returned"),
    ("closed", "partly_returned returned"),
    ("partly_returned", "returned"),
)
PAIRS = ", ".join(f"('{state}', '{to}')" for state, follows in FOLLOWS for to in follows.split())

# Only a placed order may change its payment; a sale, once there, stays, and so does the moment at which it lay ready.
ORDER_MOVES_FORWARD = f"""
CREATE FUNCTION order_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'placed' THEN
      RAISE EXCEPTION 'order % does not begin as %', NEW.number, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({PAIRS}) THEN
    RAISE EXCEPTION 'order % cannot go from % to %', OLD.number, OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state <> 'placed' AND NEW.payment_id IS DISTINCT FROM OLD.payment_id
     OR OLD.sale_id IS NOT NULL AND NEW.sale_id IS DISTINCT FROM OLD.sale_id
     OR OLD.ready_at IS NOT NULL AND NEW.ready_at IS DISTINCT FROM OLD.ready_at
     OR NEW.deliver_to IS NOT NULL AND NEW.deliver_to IS DISTINCT FROM OLD.deliver_to THEN
    RAISE EXCEPTION 'payment, sale, readiness and address of order % stay as they are', OLD.number
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""

LINE_MOVES_FORWARD = """
CREATE FUNCTION order_line_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.handed <> 0 OR NEW.returned <> 0 THEN
      RAISE EXCEPTION 'nothing of a new order was handed out or returned' USING ERRCODE = 'restrict_violation';
    END IF;
  ELSIF NEW.returned < OLD.returned OR NEW.handed < OLD.handed - (NEW.returned - OLD.returned) THEN
    RAISE EXCEPTION 'pieces of line % were handed out or returned and stay so', OLD.line USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""

# Online the key of a sale is its order's number and that of a return is unique within its sale: no shop shares keys with it.
ONE_EFFECT_PER_KEY = """
CREATE OR REPLACE FUNCTION one_effect_per_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {online}INSERT INTO effect_key (shop_id, key) VALUES (NEW.shop_id, NEW.key);
  RETURN NEW;
END $$
"""

SALE_PLACE = (
    "CASE channel WHEN 'shop' THEN num_nonnulls(shop_id, staff_id, visit_id) = 3 AND order_id IS NULL"
    " WHEN 'online' THEN num_nulls(shop_id, staff_id, visit_id) = 3 AND order_id IS NOT NULL ELSE FALSE END"
)
REVERSAL_PLACE = (
    "CASE WHEN shop_id IS NULL THEN kind = 'refund' AND num_nulls(staff_id, visit_id) = 2"
    " ELSE staff_id IS NOT NULL AND (kind = 'refund') = (visit_id IS NOT NULL) END"
)


def upgrade() -> None:
    op.create_table(
        "member_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("basket_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("handover", sa.Text(), nullable=False),
        sa.Column("point", sa.Text(), nullable=True),
        sa.Column("deliver_to", sa.Text(), nullable=True),
        sa.Column("slip", sa.Text(), nullable=False),
        sa.Column("list_fen", sa.BigInteger(), nullable=False),
        sa.Column("concession_fen", sa.BigInteger(), nullable=False),
        sa.Column("subsidy_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("rebate_member_fen", sa.BigInteger(), nullable=False),
        sa.Column("rebate_union_fen", sa.BigInteger(), nullable=False),
        sa.Column("basket", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("draws", postgresql.JSONB(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("commitments", postgresql.JSONB(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("sale_id", sa.Uuid(), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unclaimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "list_fen = concession_fen + subsidy_fen + paid_fen", name=op.f("ck_member_order_four_amounts")
        ),
        sa.CheckConstraint(
            "list_fen > 0 AND concession_fen >= 0 AND subsidy_fen >= 0 AND paid_fen >= 0",
            name=op.f("ck_member_order_not_negative"),
        ),
        sa.CheckConstraint(
            "rebate_member_fen >= 0 AND rebate_union_fen >= 0", name=op.f("ck_member_order_rebate_not_negative")
        ),
        sa.CheckConstraint(
            "state IN ('placed', 'paid', 'ready', 'collected', 'delivered', 'closed', 'cancelled', 'partly_returned', 'returned')",
            name=op.f("ck_member_order_state_known"),
        ),
        sa.CheckConstraint(
            "(state IN ('placed', 'cancelled')) = (sale_id IS NULL)", name=op.f("ck_member_order_sold_has_sale")
        ),
        sa.CheckConstraint("payment_id IS NULL OR paid_fen > 0", name=op.f("ck_member_order_nothing_to_pay")),
        sa.CheckConstraint(
            "(handover = 'pickup') = (point IS NOT NULL)", name=op.f("ck_member_order_pickup_has_point")
        ),
        sa.CheckConstraint("handover IN ('pickup', 'delivery')", name=op.f("ck_member_order_handover_known")),
        sa.CheckConstraint(
            "handover = 'delivery' OR deliver_to IS NULL", name=op.f("ck_member_order_pickup_has_no_address")
        ),
        sa.CheckConstraint("expires_at > at", name=op.f("ck_member_order_runs_forward")),
        sa.ForeignKeyConstraint(["sale_id"], ["sale.id"], name=op.f("fk_member_order_sale_id_sale")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_order")),
        sa.UniqueConstraint("number", name=op.f("uq_member_order_number")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_member_order_payment_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_member_order_public_id")),
        sa.UniqueConstraint("sale_id", name=op.f("uq_member_order_sale_id")),
        sa.UniqueConstraint("subject", "key", "place", name=op.f("uq_member_order_subject_key_place")),
    )
    op.create_index("ix_member_order_basket_id", "member_order", ["basket_id"])
    op.create_index("ix_member_order_subject_at", "member_order", ["subject", sa.text("at DESC")])
    op.create_index(
        "ix_member_order_open", "member_order", ["expires_at"], postgresql_where=sa.text("state = 'placed'")
    )
    op.create_index("ix_member_order_merchant_state", "member_order", ["merchant", "state", sa.text("at DESC")])
    op.create_table(
        "order_line",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("qty", sa.Integer(), nullable=False),
        sa.Column("handed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("returned", sa.Integer(), server_default="0", nullable=False),
        sa.Column("limit_balance", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "qty >= 1 AND handed >= 0 AND returned >= 0 AND handed + returned <= qty",
            name=op.f("ck_order_line_pieces_add_up"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["member_order.id"], name=op.f("fk_order_line_order_id_member_order")),
        sa.PrimaryKeyConstraint("order_id", "line", name=op.f("pk_order_line")),
    )
    op.create_index("ix_order_line_item", "order_line", ["item_id"])
    op.create_table(
        "order_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("by_kind", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "by_kind IN ('member', 'staff', 'officer', 'job', 'provider')", name=op.f("ck_order_change_by_known")
        ),
        sa.CheckConstraint(
            "(by_kind IN ('job', 'provider')) = (by_id IS NULL)", name=op.f("ck_order_change_person_named")
        ),
        sa.CheckConstraint("from_state IS DISTINCT FROM to_state", name=op.f("ck_order_change_states_differ")),
        sa.ForeignKeyConstraint(["order_id"], ["member_order.id"], name=op.f("fk_order_change_order_id_member_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_change")),
    )
    op.create_index("ix_order_change_order", "order_change", ["order_id", "id"])
    op.create_table(
        "handout",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("units", postgresql.JSONB(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("collected_by", sa.Text(), nullable=False),
        sa.Column("member_name", sa.Text(), nullable=False),
        sa.Column("proxy_name", sa.Text(), nullable=True),
        sa.CheckConstraint("proof IN ('card', 'slip', 'delivery')", name=op.f("ck_handout_proof_known")),
        sa.CheckConstraint("(proof = 'card') = (visit_id IS NOT NULL)", name=op.f("ck_handout_card_has_visit")),
        sa.CheckConstraint("collected_by IN ('member', 'proxy')", name=op.f("ck_handout_collector_known")),
        sa.CheckConstraint("(collected_by = 'proxy') = (proxy_name IS NOT NULL)", name=op.f("ck_handout_proxy_named")),
        sa.ForeignKeyConstraint(["order_id"], ["member_order.id"], name=op.f("fk_handout_order_id_member_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handout")),
        sa.UniqueConstraint("order_id", "key", name=op.f("uq_handout_order_id_key")),
    )
    op.create_table(
        "stock_move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('received', 'counted', 'written_off')", name=op.f("ck_stock_move_kind_known")),
        sa.CheckConstraint(
            "CASE kind WHEN 'received' THEN pieces > 0 WHEN 'written_off' THEN pieces < 0 ELSE TRUE END",
            name=op.f("ck_stock_move_way"),
        ),
        sa.CheckConstraint("order_id IS NULL OR kind = 'written_off'", name=op.f("ck_stock_move_order_is_written_off")),
        sa.CheckConstraint("kind = 'received' OR reason <> ''", name=op.f("ck_stock_move_reason_given")),
        sa.ForeignKeyConstraint(["order_id"], ["member_order.id"], name=op.f("fk_stock_move_order_id_member_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move")),
        sa.UniqueConstraint("item_id", "key", name=op.f("uq_stock_move_item_id_key")),
    )
    op.create_index("ix_stock_move_item_at", "stock_move", ["item_id", sa.text("at DESC")])
    _let_sales_be_online()
    op.execute(ORDER_MOVES_FORWARD)
    op.execute(LINE_MOVES_FORWARD)
    op.execute(ONE_EFFECT_PER_KEY.format(online="IF NEW.shop_id IS NULL THEN\n    RETURN NEW;\n  END IF;\n  "))
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for table, columns in MOSTLY_FIXED.items():
        names = ", ".join(f"'{column}'" for column in columns)
        op.execute(
            f"CREATE TRIGGER columns_fixed BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION allow_columns({names})"
        )
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for table in (*APPEND_ONLY, *MOSTLY_FIXED):
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table in MOSTLY_FIXED:
        function = "order_moves_forward" if table == "member_order" else "order_line_moves_forward"
        op.execute(
            f"CREATE TRIGGER moves_forward BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    op.execute(ONE_EFFECT_PER_KEY.format(online=""))
    op.drop_index("uq_reversal_online_key", table_name="reversal")
    op.drop_constraint(op.f("ck_reversal_refund_has_visit"), "reversal", type_="check")
    op.create_check_constraint(
        op.f("ck_reversal_refund_has_visit"), "reversal", "(kind = 'refund') = (visit_id IS NOT NULL)"
    )
    op.drop_constraint(op.f("ck_sale_channel_place"), "sale", type_="check")
    op.drop_constraint(op.f("fk_sale_order_id_member_order"), "sale", type_="foreignkey")
    for column in ("order_id", "channel"):
        op.drop_column("sale", column)
    for table, columns in (("sale", ("shop_id", "staff_id", "visit_id")), ("reversal", ("shop_id", "staff_id"))):
        for column in columns:
            op.alter_column(table, column, nullable=False)
    for table in ("stock_move", "handout", "order_change", "order_line", "member_order"):
        op.drop_table(table)
    for function in ("order_line_moves_forward()", "order_moves_forward()"):
        op.execute(f"DROP FUNCTION {function}")


def _let_sales_be_online() -> None:
    """Sales say on which channel they were made, and those of orders have no shop, no staff and no visit."""
    # The default fills the rows there are; new ones always say it.
    op.add_column("sale", sa.Column("channel", sa.Text(), server_default="shop", nullable=False))
    op.alter_column("sale", "channel", server_default=None)
    op.add_column("sale", sa.Column("order_id", sa.Uuid(), nullable=True))
    op.create_unique_constraint(op.f("uq_sale_order_id"), "sale", ["order_id"])
    op.create_foreign_key(op.f("fk_sale_order_id_member_order"), "sale", "member_order", ["order_id"], ["id"])
    for table, columns in (("sale", ("shop_id", "staff_id", "visit_id")), ("reversal", ("shop_id", "staff_id"))):
        for column in columns:
            op.alter_column(table, column, nullable=True)
    op.create_check_constraint(op.f("ck_sale_channel_place"), "sale", SALE_PLACE)
    op.drop_constraint(op.f("ck_reversal_refund_has_visit"), "reversal", type_="check")
    op.create_check_constraint(op.f("ck_reversal_refund_has_visit"), "reversal", REVERSAL_PLACE)
    op.create_index(
        "uq_reversal_online_key",
        "reversal",
        ["sale_id", "key"],
        unique=True,
        postgresql_where=sa.text("shop_id IS NULL"),
    )
