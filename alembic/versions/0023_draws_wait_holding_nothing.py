"""a draw that waits for a slot of a balance holds no other slot of it"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

HEAD = """
CREATE OR REPLACE FUNCTION ledger_post(transfers jsonb, draws jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  wanted record;
  part record;
  taken bigint;
  missing bigint;
BEGIN
  INSERT INTO transfer (id, event, event_id, reverses_id, debit, credit, amount_fen, day, created_at)
  SELECT t.id, t.event, t.event_id, t.reverses_id, t.debit, t.credit, t.amount_fen, t.day, t.created_at
  FROM jsonb_to_recordset(transfers) AS t(
    id uuid, event text, event_id uuid, reverses_id uuid, debit text, credit text, amount_fen bigint, day date, created_at timestamptz);
  FOR wanted IN
    SELECT d.id, d.amount, d.initial, d.unit FROM jsonb_to_recordset(draws) AS d(id text, amount bigint, initial bigint, unit text)
    ORDER BY d.id
  LOOP
    IF wanted.initial IS NOT NULL THEN
      INSERT INTO balance (id, slot, unit, left_over) VALUES (wanted.id, 0, wanted.unit, wanted.initial) ON CONFLICT DO NOTHING;
    END IF;
    IF EXISTS (SELECT FROM balance b WHERE b.id = wanted.id AND b.slot = 1) THEN
      BEGIN
        UPDATE balance SET left_over = left_over - wanted.amount
        WHERE (id, slot) = (
          SELECT b.id, b.slot FROM balance b WHERE b.id = wanted.id AND b.left_over >= wanted.amount
          ORDER BY random() LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF FOUND THEN
          CONTINUE;
        END IF;
"""
# Slots that were locked and then found too small stay locked until the block is left by an exception: so before anything waits.
LET_GO = """
        RAISE no_data_found;
      EXCEPTION WHEN no_data_found THEN
        NULL;
      END;
      BEGIN
"""
TAIL = """
        UPDATE balance SET left_over = left_over - wanted.amount
        WHERE id = wanted.id AND left_over >= wanted.amount AND slot = (
          SELECT b.slot FROM balance b WHERE b.id = wanted.id AND b.left_over >= wanted.amount ORDER BY random() LIMIT 1);
        IF FOUND THEN
          CONTINUE;
        END IF;
        RAISE no_data_found;
      EXCEPTION WHEN no_data_found THEN
        NULL;
      END;
    END IF;
    missing := wanted.amount;
    FOR part IN SELECT b.slot, b.left_over FROM balance b WHERE b.id = wanted.id ORDER BY b.slot FOR NO KEY UPDATE LOOP
      taken := least(missing, part.left_over);
      IF taken <> 0 THEN
        UPDATE balance SET left_over = left_over - taken WHERE id = wanted.id AND slot = part.slot;
        missing := missing - taken;
      END IF;
    END LOOP;
    IF missing <> 0 THEN
      RETURN wanted.id;
    END IF;
  END LOOP;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute(HEAD + LET_GO + TAIL)


def downgrade() -> None:
    op.execute(HEAD + TAIL)
