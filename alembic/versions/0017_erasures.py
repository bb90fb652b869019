"""erasures: who asked to be deleted and what became of it; what may be blanked of a person once his key is gone"""

import sqlalchemy as sa

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# A person is erased when he was known and his key is gone: only then may what others keep of him be blanked.
IS_ERASED = """
CREATE FUNCTION is_erased(person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT person IS NOT NULL AND NOT EXISTS (SELECT FROM vault.person_key AS k WHERE k.subject = person)
$$
"""

# Arguments: the columns that may always change, those that may change of somebody erased (lists with commas), and how the row
# leads to the person. Of somebody erased no card is named again, and no fact of him is stored again.
ALLOW_OR_ERASE = """
CREATE FUNCTION allow_columns_or_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before jsonb := to_jsonb(OLD) - string_to_array(TG_ARGV[0], ',');
  beyond jsonb := to_jsonb(NEW) - string_to_array(TG_ARGV[0], ',');
  person uuid;
BEGIN
  IF before = beyond THEN
    RETURN NEW;
  END IF;
  CASE TG_ARGV[2]
    WHEN 'subject' THEN person := OLD.subject;
    WHEN 'order' THEN person := (SELECT o.subject FROM member_order AS o WHERE o.id = OLD.order_id);
    WHEN 'payment' THEN person := (
      SELECT o.subject FROM payment AS p JOIN member_order AS o ON o.id = p.purpose_id WHERE p.id = OLD.payment_id);
  END CASE;
  IF NOT is_erased(person) OR before - string_to_array(TG_ARGV[1], ',') <> beyond - string_to_array(TG_ARGV[1], ',')
     OR beyond ->> 'card_id' IS NOT NULL OR beyond ->> 'payload' <> '\\x'
     OR convert_from(decode(substr(beyond ->> 'facts', 3), 'hex'), 'UTF8')::jsonb ? 'member' THEN
    RAISE EXCEPTION 'of % only % may change, and of somebody erased %', TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[1]
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""

BACK = ",".join(
    f"back_{name}_fen" for name in ("list", "concession", "subsidy", "paid", "rebate_member", "rebate_union")
)
ORDER = "state,payment_id,sale_id,ready_at,unclaimed_at,deliver_to"
EVENT = "worked_at,works,outcome,problem,payment_id"
# table: (trigger as it was, columns that may always change, columns of somebody erased, way to the person)
GUARDED = {
    "sale": ("columns_fixed", BACK, "card_id,facts,request", "subject"),
    "member_order": ("columns_fixed", ORDER, "card_id,facts,request,slip", "subject"),
    "order_change": ("written_once", "", "reason", "order"),
    "handout": ("written_once", "", "member_name,proxy_name", "order"),
    "stock_move": ("written_once", "", "reason", "order"),
    "payment_event": ("columns_fixed", EVENT, "payload", "payment"),
}

REQUEST_MOVES_FORWARD = """
CREATE OR REPLACE FUNCTION return_request_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
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
  {erased}ELSIF OLD.state <> 'open' OR (NEW.id, NEW.order_id, NEW.key, NEW.at, NEW.units, NEW.cause, NEW.words)
     IS DISTINCT FROM (OLD.id, OLD.order_id, OLD.key, OLD.at, OLD.units, OLD.cause, OLD.words) THEN
    RAISE EXCEPTION 'what was asked and how it ended stays' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
ERASED_REQUEST = """ELSIF to_jsonb(NEW) - ARRAY['words', 'answer'] = to_jsonb(OLD) - ARRAY['words', 'answer']
     AND is_erased((SELECT o.subject FROM member_order AS o WHERE o.id = OLD.order_id)) THEN
    RETURN NEW;
  """

# A request ends once. Of one that was carried out only the public entry that counts it is still to come; of all that a person asked
# before, his place in the register goes with him, and what was written about him.
ERASURE_MOVES_FORWARD = """
CREATE FUNCTION erasure_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a request for erasure stays' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.entry_id IS NOT NULL OR (NEW.state = 'done' AND NOT is_erased(NEW.subject)) THEN
      RAISE EXCEPTION 'an erasure is carried out first, and then counted' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.id, NEW.subject, NEW.asked_as, NEW.asked_at) IS DISTINCT FROM (OLD.id, OLD.subject, OLD.asked_as, OLD.asked_at)
     OR (OLD.state <> 'waiting' AND (NEW.state, NEW.ended_by, NEW.ended_at) IS DISTINCT FROM (OLD.state, OLD.ended_by, OLD.ended_at))
     OR (OLD.entry_id IS NOT NULL AND NEW.entry_id IS DISTINCT FROM OLD.entry_id)
     OR ((NEW.member_id, NEW.asked_by, NEW.reason) IS DISTINCT FROM (OLD.member_id, OLD.asked_by, OLD.reason)
         AND OLD.state <> 'waiting' AND NOT is_erased(OLD.subject))
     OR (NEW.state = 'done' AND NOT is_erased(OLD.subject)) THEN
    RAISE EXCEPTION 'what was asked and how it ended stays' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_as", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'withdrawn', 'declined', 'done')", name=op.f("ck_erasure_state_known")
        ),
        sa.CheckConstraint("asked_as IN ('member', 'officer', 'restore')", name=op.f("ck_erasure_asked_as_known")),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_erasure_ended_at_some_moment")),
        sa.CheckConstraint("ended_by <> asked_by OR state = 'withdrawn'", name=op.f("ck_erasure_two_persons")),
        sa.CheckConstraint("state <> 'waiting' OR asked_by IS NOT NULL", name=op.f("ck_erasure_somebody_asked")),
        sa.CheckConstraint(
            "state <> 'done' OR (member_id IS NULL AND (ended_by IS NOT NULL OR asked_as = 'restore'))",
            name=op.f("ck_erasure_done_names_nobody"),
        ),
        sa.CheckConstraint(
            "state <> 'waiting' OR member_id IS NOT NULL", name=op.f("ck_erasure_waiting_names_somebody")
        ),
        sa.CheckConstraint("entry_id IS NULL OR state = 'done'", name=op.f("ck_erasure_done_is_counted")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_erasure_member_id_member")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_erasure_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index("ix_erasure_subject", "erasure", ["subject"])
    op.create_index(
        "uq_erasure_one_waiting", "erasure", ["member_id"], unique=True, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index(
        "uq_erasure_one_done", "erasure", ["subject"], unique=True, postgresql_where=sa.text("state = 'done'")
    )
    for table in ("sale", "member_order", "visit"):
        op.alter_column(table, "card_id", nullable=True)
    for function in (IS_ERASED, ALLOW_OR_ERASE, ERASURE_MOVES_FORWARD):
        op.execute(function)
    op.execute(REQUEST_MOVES_FORWARD.format(erased=ERASED_REQUEST))
    op.execute(
        "CREATE TRIGGER moves_forward BEFORE INSERT OR UPDATE OR DELETE ON erasure "
        "FOR EACH ROW EXECUTE FUNCTION erasure_moves_forward()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON erasure FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for table, (trigger, *arguments) in GUARDED.items():
        listed = ", ".join(f"'{argument}'" for argument in arguments)
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
        op.execute(
            f"CREATE TRIGGER columns_fixed BEFORE UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION allow_columns_or_erasure({listed})"
        )
        if trigger == "written_once":
            op.execute(
                f"CREATE TRIGGER never_deleted BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )


def downgrade() -> None:
    for table, (trigger, always, _, _) in GUARDED.items():
        op.execute(f"DROP TRIGGER columns_fixed ON {table}")
        if trigger == "written_once":
            op.execute(f"DROP TRIGGER never_deleted ON {table}")
            op.execute(
                f"CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        else:
            listed = ", ".join(f"'{name}'" for name in always.split(","))
            op.execute(
                f"CREATE TRIGGER columns_fixed BEFORE UPDATE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION allow_columns({listed})"
            )
    op.execute(REQUEST_MOVES_FORWARD.format(erased=""))
    op.drop_table("erasure")
    for table in ("sale", "member_order", "visit"):
        op.alter_column(table, "card_id", nullable=False)
    for function in ("erasure_moves_forward()", "allow_columns_or_erasure()", "is_erased(uuid)"):
        op.execute(f"DROP FUNCTION {function}")
