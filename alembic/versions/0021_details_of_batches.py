"""details exports open sales in batches too: how many of a request's sales stand in one"""

import sqlalchemy as sa

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# What was asked, and what was decided, stays as it was.
REQUEST_MOVES_FORWARD = """
CREATE OR REPLACE FUNCTION details_request_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'waiting' THEN
      RAISE EXCEPTION 'a request for details begins by waiting' USING ERRCODE = 'restrict_violation';
    END IF;
  ELSIF (OLD.state, NEW.state) NOT IN (
      ('waiting', 'withdrawn'), ('waiting', 'refused'), ('waiting', 'approved'), ('approved', 'ready'), ('ready', 'expired'))
    OR (NEW.id, NEW.asked_by, NEW.asked_at, NEW.merchant, NEW.first_on, NEW.last_on, NEW.reason, NEW.words, NEW.key, NEW.salt,
        NEW.size, NEW.sales_count, NEW.batched_count)
     IS DISTINCT FROM
       (OLD.id, OLD.asked_by, OLD.asked_at, OLD.merchant, OLD.first_on, OLD.last_on, OLD.reason, OLD.words, OLD.key, OLD.salt,
        OLD.size, OLD.sales_count, OLD.batched_count)
    OR (OLD.state <> 'waiting' AND (NEW.decided_by, NEW.decided_at, NEW.answer, NEW.entry_id)
     IS DISTINCT FROM (OLD.decided_by, OLD.decided_at, OLD.answer, OLD.entry_id))
    OR (OLD.state = 'ready' AND (NEW.ready_at, NEW.expires_at, NEW.bytes_count, NEW.sha256, NEW.erased_count)
     IS DISTINCT FROM (OLD.ready_at, OLD.expires_at, OLD.bytes_count, OLD.sha256, OLD.erased_count))
  THEN
    RAISE EXCEPTION 'what was asked and decided about details stays' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.add_column("details_request", sa.Column("batched_count", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_details_request_batched_within"), "details_request", "batched_count BETWEEN 0 AND sales_count"
    )
    op.execute(REQUEST_MOVES_FORWARD)


def downgrade() -> None:
    op.execute(REQUEST_MOVES_FORWARD.replace(", NEW.batched_count", "").replace(", OLD.batched_count", ""))
    op.drop_constraint(op.f("ck_details_request_batched_within"), "details_request", type_="check")
    op.drop_column("details_request", "batched_count")
