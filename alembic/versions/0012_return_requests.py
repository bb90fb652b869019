"""return requests: a member asks to give pieces back; the merchant accepts or declines, or he withdraws"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# What was asked stays as it was asked; it ends once. More than lies in the member's hands cannot be asked for.
REQUEST_MOVES_FORWARD = """
CREATE FUNCTION return_request_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'open' THEN
      RAISE EXCEPTION 'a return request begins open' USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (
      SELECT FROM jsonb_each_text(NEW.units) AS asked(line, pieces)
      LEFT JOIN order_line AS l ON l.order_id = NEW.order_id AND l.line = asked.line
      WHERE NOT coalesce(asked.pieces::integer BETWEEN 1 AND l.handed, FALSE)
    ) THEN
      RAISE EXCEPTION 'only pieces that were handed out can be asked back' USING ERRCODE = 'restrict_violation';
    END IF;
  ELSIF OLD.state <> 'open' OR (NEW.id, NEW.order_id, NEW.key, NEW.at, NEW.units, NEW.cause, NEW.words)
     IS DISTINCT FROM (OLD.id, OLD.order_id, OLD.key, OLD.at, OLD.units, OLD.cause, OLD.words) THEN
    RAISE EXCEPTION 'what was asked and how it ended stays' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "return_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("units", postgresql.JSONB(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("reversal_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "jsonb_typeof(units) = 'object' AND units <> '{}'", name=op.f("ck_return_request_something_asked")
        ),
        sa.CheckConstraint(
            "cause IN ('faulty', 'wrong', 'unsuited', 'other')", name=op.f("ck_return_request_cause_known")
        ),
        sa.CheckConstraint("cause <> 'other' OR words <> ''", name=op.f("ck_return_request_other_cause_told")),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'declined', 'withdrawn')", name=op.f("ck_return_request_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (ended_at IS NULL)", name=op.f("ck_return_request_ended_at_some_moment")
        ),
        sa.CheckConstraint("(state = 'open') = (ended_by IS NULL)", name=op.f("ck_return_request_ended_by_somebody")),
        sa.CheckConstraint(
            "(state = 'accepted') = (reversal_id IS NOT NULL)", name=op.f("ck_return_request_accepted_has_return")
        ),
        sa.CheckConstraint(
            "(state = 'declined') = (answer <> '')", name=op.f("ck_return_request_declined_with_a_reason")
        ),
        sa.CheckConstraint("ended_at >= at", name=op.f("ck_return_request_runs_forward")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["member_order.id"], name=op.f("fk_return_request_order_id_member_order")
        ),
        sa.ForeignKeyConstraint(["reversal_id"], ["reversal.id"], name=op.f("fk_return_request_reversal_id_reversal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_request")),
        sa.UniqueConstraint("order_id", "key", name=op.f("uq_return_request_order_id_key")),
        sa.UniqueConstraint("reversal_id", name=op.f("uq_return_request_reversal_id")),
    )
    op.create_index(
        "uq_return_request_one_open",
        "return_request",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.execute(REQUEST_MOVES_FORWARD)
    op.execute(
        "CREATE TRIGGER moves_forward BEFORE INSERT OR UPDATE ON return_request "
        "FOR EACH ROW EXECUTE FUNCTION return_request_moves_forward()"
    )
    op.execute(
        "CREATE TRIGGER never_deleted BEFORE DELETE ON return_request FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON return_request "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("return_request")
    op.execute("DROP FUNCTION return_request_moves_forward()")
