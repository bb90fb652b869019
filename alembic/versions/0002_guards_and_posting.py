"""guards that refuse changes, and the posting function of the ledger"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A row of these tables is written once. Corrections are new rows that refer back.
APPEND_ONLY = ("transfer", "reversal", "budget_grant", "installation", "verify_run", "effect_key")

# Of these only the named columns may change, and nothing may be deleted.
MOSTLY_FIXED = {
    "entry": ("leaf_index",),
    "sale": ("back_list_fen", "back_concession_fen", "back_subsidy_fen", "back_paid_fen"),
    "offer_version": ("state", "approved_by", "approved_at", "ended_at", "entry_id"),
}

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: its rows are written once', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

ALLOW_COLUMNS = """
CREATE FUNCTION allow_columns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF to_jsonb(NEW) - TG_ARGV <> to_jsonb(OLD) - TG_ARGV THEN
    RAISE EXCEPTION 'of % only % may change', TG_TABLE_NAME, TG_ARGV USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""

# An index, once given, stays; sums of what went back only grow; a version only moves forward.
ENTRY_SEQUENCED_ONCE = """
CREATE FUNCTION entry_sequenced_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.leaf_index IS NOT NULL AND NEW.leaf_index IS DISTINCT FROM OLD.leaf_index THEN
    RAISE EXCEPTION 'entry % has its leaf index already', OLD.public_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""

SALE_GIVES_BACK_FORWARD = """
CREATE FUNCTION sale_gives_back_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.back_concession_fen < OLD.back_concession_fen OR NEW.back_subsidy_fen < OLD.back_subsidy_fen
     OR NEW.back_paid_fen < OLD.back_paid_fen THEN
    RAISE EXCEPTION 'what went back of sale % cannot be taken again', OLD.public_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""

OFFER_VERSION_MOVES_FORWARD = """
CREATE FUNCTION offer_version_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
       ('draft', 'submitted'), ('draft', 'rejected'), ('submitted', 'approved'), ('submitted', 'rejected'), ('approved', 'ended')) THEN
    RAISE EXCEPTION 'offer % version % cannot go from % to %', OLD.offer, OLD.version, OLD.state, NEW.state
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""

# A key stands for one effect of a shop, be it a sale or a return: the second of two at the same moment fails and is tried again.
ONE_EFFECT_PER_KEY = """
CREATE FUNCTION one_effect_per_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO effect_key (shop_id, key) VALUES (NEW.shop_id, NEW.key);
  RETURN NEW;
END $$
"""

# Writes transfers and moves bounded balances, in one statement, balances last and in id order (so that no two can deadlock).
# A draw takes from any free slot that holds enough, else waits for one that does; when none does it waits for all of them, in order, and
# draws across: never over, and the last unit can be drawn. A slot that was locked and then found too small stays locked by PostgreSQL;
# leaving the inner block by an exception gives it free again, so that the second way locks in order from the first slot on. A draw with `initial` makes its balance on first use (quotas of a person);
# a negative draw gives back. Answers the id of the first balance that does not suffice, or null when all is written;
# the caller rolls back on an id.
LEDGER_POST = """
CREATE FUNCTION ledger_post(transfers jsonb, draws jsonb) RETURNS text LANGUAGE plpgsql AS $$
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
    for function in (
        REFUSE_CHANGE,
        ALLOW_COLUMNS,
        ENTRY_SEQUENCED_ONCE,
        SALE_GIVES_BACK_FORWARD,
        OFFER_VERSION_MOVES_FORWARD,
        ONE_EFFECT_PER_KEY,
        LEDGER_POST,
    ):
        op.execute(function)
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
    for table, function in (
        ("entry", "entry_sequenced_once"),
        ("sale", "sale_gives_back_forward"),
        ("offer_version", "offer_version_moves_forward"),
    ):
        op.execute(f"CREATE TRIGGER moves_forward BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    for table in ("sale", "reversal"):
        op.execute(
            f"CREATE TRIGGER one_effect BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION one_effect_per_key()"
        )
    op.execute("INSERT INTO offer_book_number (id, number) VALUES (1, 0)")


def downgrade() -> None:
    for table in (*APPEND_ONLY, *MOSTLY_FIXED):
        op.execute(f"DROP TRIGGER never_emptied ON {table}")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER written_once ON {table}")
    for table in MOSTLY_FIXED:
        for trigger in ("columns_fixed", "never_deleted", "moves_forward"):
            op.execute(f"DROP TRIGGER {trigger} ON {table}")
    for table in ("sale", "reversal"):
        op.execute(f"DROP TRIGGER one_effect ON {table}")
    op.execute("DELETE FROM offer_book_number")
    for function in (
        "ledger_post(jsonb, jsonb)",
        "one_effect_per_key()",
        "offer_version_moves_forward()",
        "sale_gives_back_forward()",
        "entry_sequenced_once()",
        "allow_columns()",
        "refuse_change()",
    ):
        op.execute(f"DROP FUNCTION {function}")
