"""money for budgets as one person proposes it and another decides"""

import sqlalchemy as sa

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

MOVES_FORWARD = """
CREATE FUNCTION budget_proposal_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a proposal for a budget stays' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'waiting' THEN
      RAISE EXCEPTION 'a proposal for a budget waits first' USING ERRCODE = 'restrict_violation';
    END IF;
  ELSIF OLD.state <> 'waiting' OR to_jsonb(NEW) - ARRAY['state', 'decided_by', 'decided_at', 'reason']
     IS DISTINCT FROM to_jsonb(OLD) - ARRAY['state', 'decided_by', 'decided_at', 'reason'] THEN
    RAISE EXCEPTION 'what was proposed and how it ended stays' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "budget_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("sponsor", sa.Text(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'refused', 'withdrawn')", name=op.f("ck_budget_proposal_state_known")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_budget_proposal_amount_positive")),
        sa.CheckConstraint(
            "(title IS NULL) = (sponsor IS NULL)", name=op.f("ck_budget_proposal_new_names_its_sponsor")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_by IS NULL)", name=op.f("ck_budget_proposal_decided_by_somebody")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_budget_proposal_decided_at_some_moment")
        ),
        sa.CheckConstraint(
            "(decided_by = proposed_by) = (state = 'withdrawn')", name=op.f("ck_budget_proposal_two_persons")
        ),
        sa.CheckConstraint(
            "(reason <> '') = (state = 'refused')", name=op.f("ck_budget_proposal_refused_with_a_reason")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_proposal")),
    )
    op.create_index(
        "uq_budget_proposal_one_new",
        "budget_proposal",
        ["budget"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting' AND title IS NOT NULL"),
    )
    op.execute(MOVES_FORWARD)
    op.execute(
        "CREATE TRIGGER moves_forward BEFORE INSERT OR UPDATE OR DELETE ON budget_proposal "
        "FOR EACH ROW EXECUTE FUNCTION budget_proposal_moves_forward()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON budget_proposal "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("budget_proposal")
    op.execute("DROP FUNCTION budget_proposal_moves_forward()")
