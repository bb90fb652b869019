"""payments: what is to be paid, what went back, every event of the provider; and the tables of jobs, which are procrastinate's

Those are its own schema file, kept here as it was in this release of it: a newer procrastinate needs a migration of its own
that runs its scripts from here on (tests/db/kit/test_jobs.py tells when).
"""

from pathlib import Path

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JOBS = Path(__file__).parents[1] / "procrastinate-3.10.0.sql"

# Its functions name its tables without a schema: each looks into its own, whoever calls it.
FUNCTIONS_AT_HOME = """
DO $$
DECLARE
  each record;
BEGIN
  FOR each IN SELECT oid::regprocedure AS signature FROM pg_proc WHERE pronamespace = 'jobs'::regnamespace LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = jobs, pg_temp', each.signature);
  END LOOP;
END $$
"""

# Of these only the named columns may change, and nothing may be deleted.
MOSTLY_FIXED = {
    "payment": (
        "state",
        "checkout_id",
        "checkout_url",
        "intent_id",
        "paid_at",
        "asked_back_fen",
        "refunded_fen",
        "poll_at",
        "polls",
    ),
    "payment_refund": ("state", "provider_id", "ended_at", "poll_at", "polls"),
    "payment_event": ("worked_at", "works", "outcome", "problem", "payment_id"),
}

# What the provider calls it never changes; what was paid stays paid.
PAYMENT_MOVES_FORWARD = """
CREATE FUNCTION payment_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.checkout_id <> NEW.checkout_id OR OLD.intent_id <> NEW.intent_id OR OLD.paid_at <> NEW.paid_at
     OR (OLD.paid_at IS NOT NULL AND NEW.paid_at IS NULL) THEN
    RAISE EXCEPTION 'payment % is settled in that', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose_id", sa.Uuid(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), server_default="cny", nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column("checkout_id", sa.Text(), nullable=True),
        sa.Column("checkout_url", sa.Text(), nullable=True),
        sa.Column("intent_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_back_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polls", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(state IN ('paid', 'refunded_part', 'refunded')) = (paid_at IS NOT NULL)",
            name=op.f("ck_payment_paid_when_paid"),
        ),
        sa.CheckConstraint(
            "CASE state WHEN 'refunded' THEN refunded_fen = amount_fen WHEN 'refunded_part' THEN refunded_fen > 0 AND refunded_fen < amount_fen ELSE refunded_fen = 0 END",
            name=op.f("ck_payment_state_tells_what_went_back"),
        ),
        sa.CheckConstraint("currency = 'cny'", name=op.f("ck_payment_currency_known")),
        sa.CheckConstraint("state <> 'open' OR checkout_id IS NOT NULL", name=op.f("ck_payment_open_with_a_checkout")),
        sa.CheckConstraint(
            "state IN ('created', 'open', 'paid', 'cancelled', 'failed', 'refunded_part', 'refunded')",
            name=op.f("ck_payment_state_known"),
        ),
        sa.CheckConstraint(
            "0 <= refunded_fen AND refunded_fen <= asked_back_fen AND asked_back_fen <= amount_fen",
            name=op.f("ck_payment_never_more_back_than_paid"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_amount_positive")),
        sa.CheckConstraint("paid_at IS NULL OR intent_id IS NOT NULL", name=op.f("ck_payment_paid_by_an_intent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("checkout_id", name=op.f("uq_payment_checkout_id")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_payment_intent_id")),
    )
    op.create_index(
        "ix_payment_poll_at", "payment", ["poll_at"], unique=False, postgresql_where=sa.text("poll_at IS NOT NULL")
    )
    op.create_index("ix_payment_purpose_id", "payment", ["purpose_id"], unique=False)
    op.create_index(
        "uq_payment_one_waiting",
        "payment",
        ["purpose_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('created', 'open')"),
    )
    op.create_table(
        "payment_event",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("worked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("works", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'mismatch') = (problem IS NOT NULL)", name=op.f("ck_payment_event_mismatch_says_why")
        ),
        sa.CheckConstraint(
            "outcome IN ('applied', 'unchanged', 'mismatch', 'foreign', 'ignored')",
            name=op.f("ck_payment_event_outcome_known"),
        ),
        sa.CheckConstraint(
            "(outcome IS NULL) = (worked_at IS NULL)", name=op.f("ck_payment_event_outcome_when_worked")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_event_payment_id_payment")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_payment_event")),
    )
    op.create_index(op.f("ix_payment_event_payment_id"), "payment_event", ["payment_id"], unique=False)
    op.create_index("ix_payment_event_received_at", "payment_event", ["received_at"], unique=False)
    op.create_index(
        "ix_payment_event_waiting",
        "payment_event",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("worked_at IS NULL"),
    )
    op.create_table(
        "payment_refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polls", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(state IN ('done', 'failed')) = (ended_at IS NOT NULL)", name=op.f("ck_payment_refund_ended_when_ended")
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'pending', 'done', 'failed')", name=op.f("ck_payment_refund_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('pending', 'done') OR provider_id IS NOT NULL",
            name=op.f("ck_payment_refund_known_to_the_provider"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_refund_amount_positive")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_refund_payment_id_payment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_refund")),
        sa.UniqueConstraint("key", name=op.f("uq_payment_refund_key")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_payment_refund_provider_id")),
    )
    op.create_index(op.f("ix_payment_refund_payment_id"), "payment_refund", ["payment_id"], unique=False)
    op.create_index(
        "ix_payment_refund_poll_at",
        "payment_refund",
        ["poll_at"],
        unique=False,
        postgresql_where=sa.text("poll_at IS NOT NULL"),
    )
    op.execute(PAYMENT_MOVES_FORWARD)
    op.execute(
        "CREATE TRIGGER moves_forward BEFORE UPDATE ON payment FOR EACH ROW EXECUTE FUNCTION payment_moves_forward()"
    )
    for table, columns in MOSTLY_FIXED.items():
        names = ", ".join(f"'{column}'" for column in columns)
        op.execute(
            f"CREATE TRIGGER columns_fixed BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION allow_columns({names})"
        )
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute("CREATE SCHEMA jobs")
    op.execute("SET LOCAL search_path = jobs")
    with (
        op.get_bind().connection.cursor() as cursor
    ):  # past SQLAlchemy: many statements, with percent signs of their own
        cursor.execute(JOBS.read_text(encoding="utf-8"))
    op.execute("SET LOCAL search_path TO DEFAULT")
    op.execute(FUNCTIONS_AT_HOME)


def downgrade() -> None:
    op.execute("DROP SCHEMA jobs CASCADE")
    for table in ("payment_refund", "payment_event", "payment"):
        op.drop_table(table)
    op.execute("DROP FUNCTION payment_moves_forward()")
