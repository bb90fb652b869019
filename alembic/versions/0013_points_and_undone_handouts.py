"""pick-up points: when somebody is there, who did what to a point when; hand-outs that were taken back at once"""

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FOLLOWS = (
    ("placed", "paid cancelled"),
    ("paid", "ready collected delivered partly_returned returned"),
    ("ready", "collected delivered partly_returned returned"),
    ("collected", "paid ready closed partly_returned returned"),
    ("delivered", "paid ready closed partly_returned returned"),
    ("closed", "partly_returned returned"),
    ("partly_returned", "returned"),
)
PAIRS = ", ".join(f"('{state}', '{to}')" for state, follows in FOLLOWS for to in follows.split())
PAIRS_BEFORE = PAIRS.replace("('collected', 'paid'), ('collected', 'ready'), ", "").replace(
    "('delivered', 'paid'), ('delivered', 'ready'), ", ""
)

# As in 0009, and back from the hand-out only where one was taken back.
ORDER_MOVES_FORWARD = """
CREATE OR REPLACE FUNCTION order_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'placed' THEN
      RAISE EXCEPTION 'order %% does not begin as %%', NEW.number, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({pairs}) THEN
    RAISE EXCEPTION 'order %% cannot go from %% to %%', OLD.number, OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
  END IF;
  {back}IF OLD.state <> 'placed' AND NEW.payment_id IS DISTINCT FROM OLD.payment_id
     OR OLD.sale_id IS NOT NULL AND NEW.sale_id IS DISTINCT FROM OLD.sale_id
     OR OLD.ready_at IS NOT NULL AND NEW.ready_at IS DISTINCT FROM OLD.ready_at
     OR NEW.deliver_to IS NOT NULL AND NEW.deliver_to IS DISTINCT FROM OLD.deliver_to THEN
    RAISE EXCEPTION 'payment, sale, readiness and address of order %% stay as they are', OLD.number
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
""".replace("%%", "%")
BACK = """IF OLD.state IN ('collected', 'delivered') AND NEW.state IN ('paid', 'ready') AND NOT EXISTS (
    SELECT FROM handout AS h JOIN undone_handout AS u ON u.handout_id = h.id WHERE h.order_id = NEW.id
  ) THEN
    RAISE EXCEPTION 'no hand-out of order % was taken back', OLD.number USING ERRCODE = 'restrict_violation';
  END IF;
  """

# As in 0009, and less is handed out only as far as what stands of the hand-outs says so.
LINE_MOVES_FORWARD = """
CREATE OR REPLACE FUNCTION order_line_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.handed <> 0 OR NEW.returned <> 0 THEN
      RAISE EXCEPTION 'nothing of a new order was handed out or returned' USING ERRCODE = 'restrict_violation';
    END IF;
  ELSIF NEW.returned < OLD.returned OR NEW.handed < OLD.handed - (NEW.returned - OLD.returned){unless} THEN
    RAISE EXCEPTION 'pieces of line % were handed out or returned and stay so', OLD.line USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
UNLESS = """ AND NOT (
    EXISTS (SELECT FROM handout AS h JOIN undone_handout AS u ON u.handout_id = h.id
            WHERE h.order_id = NEW.order_id AND h.units ? NEW.line)
    AND NEW.handed + NEW.returned >= (
      SELECT coalesce(sum((h.units ->> NEW.line)::integer), 0) FROM handout AS h
      WHERE h.order_id = NEW.order_id AND NOT EXISTS (SELECT FROM undone_handout AS u WHERE u.handout_id = h.id)))"""

# Ten minutes: `market.sales.orders.undo.UNDO_WINDOW`.
UNDONE_IN_TIME = """
CREATE FUNCTION handout_undone_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.at > (SELECT at FROM handout WHERE id = NEW.handout_id) + interval '10 minutes' THEN
    RAISE EXCEPTION 'a hand-out is taken back within ten minutes' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.add_column("pickup_point", sa.Column("hours", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "point_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("point_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.CheckConstraint("act IN ('added', 'changed', 'closed', 'reopened')", name=op.f("ck_point_change_act_known")),
        sa.ForeignKeyConstraint(["point_id"], ["pickup_point.id"], name=op.f("fk_point_change_point_id_pickup_point")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_change")),
    )
    op.create_index(op.f("ix_point_change_point_id"), "point_change", ["point_id"])
    op.create_table(
        "undone_handout",
        sa.Column("handout_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["handout_id"], ["handout.id"], name=op.f("fk_undone_handout_handout_id_handout")),
        sa.PrimaryKeyConstraint("handout_id", name=op.f("pk_undone_handout")),
    )
    for table in ("point_change", "undone_handout"):
        op.execute(
            f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(UNDONE_IN_TIME)
    op.execute(
        "CREATE TRIGGER in_time BEFORE INSERT ON undone_handout FOR EACH ROW EXECUTE FUNCTION handout_undone_in_time()"
    )
    op.execute(ORDER_MOVES_FORWARD.format(pairs=PAIRS, back=BACK))
    op.execute(LINE_MOVES_FORWARD.format(unless=UNLESS))


def downgrade() -> None:
    op.execute(ORDER_MOVES_FORWARD.format(pairs=PAIRS_BEFORE, back=""))
    op.execute(LINE_MOVES_FORWARD.format(unless=""))
    op.drop_table("undone_handout")
    op.execute("DROP FUNCTION handout_undone_in_time()")
    op.drop_table("point_change")
    op.drop_column("pickup_point", "hours")
