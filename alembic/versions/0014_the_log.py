"""the log: tiles, checkpoints and cosignatures over the public entries"""

import sqlalchemy as sa

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# A tile only ever gets more hashes behind those it has; the size of the log only grows.
GUARDS = (
    """
CREATE FUNCTION log_tile_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.level <> OLD.level OR NEW.index <> OLD.index
     OR substring(NEW.hashes FOR octet_length(OLD.hashes)) <> OLD.hashes THEN
    RAISE EXCEPTION 'tile %/% keeps the hashes it has', OLD.level, OLD.index USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
""",
    """
CREATE FUNCTION log_state_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.size < OLD.size THEN
    RAISE EXCEPTION 'a log of % entries does not shrink to %', OLD.size, NEW.size USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
""",
)
# The same rule as before, as a condition that the server checks without calling a function for each of a window's entries.
ENTRY_COLUMNS = ("id", "public_id", "type", "merchant", "day", "body", "created_at")
PLACED_ONCE = (
    "CREATE TRIGGER placed_once BEFORE UPDATE ON entry FOR EACH ROW WHEN (OLD.leaf_index IS NOT NULL OR NEW.leaf_index IS NULL"
    f" OR ({', '.join(f'OLD.{name}' for name in ENTRY_COLUMNS)}) IS DISTINCT FROM ({', '.join(f'NEW.{name}' for name in ENTRY_COLUMNS)}))"
    " EXECUTE FUNCTION refuse_change()"
)
SEQUENCED_ONCE = """
CREATE FUNCTION entry_sequenced_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.leaf_index IS NOT NULL AND NEW.leaf_index IS DISTINCT FROM OLD.leaf_index THEN
    RAISE EXCEPTION 'entry % has its leaf index already', OLD.public_id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
NEVER_DELETED = ("log_state", "log_tile", "log_checkpoint", "log_cosignature")


def upgrade() -> None:
    op.create_table(
        "log_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_state_one_row")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_log_state_size_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_state")),
    )
    op.create_table(
        "log_tile",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0",
            name=op.f("ck_log_tile_whole_hashes"),
        ),
        sa.CheckConstraint("level BETWEEN 0 AND 63 AND index >= 0", name=op.f("ck_log_tile_place")),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("pk_log_tile")),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_log_checkpoint_size_positive")),
        sa.CheckConstraint("octet_length(root) = 32", name=op.f("ck_log_checkpoint_root_is_a_hash")),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoint")),
    )
    op.create_table(
        "log_cosignature",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoint.size"], name=op.f("fk_log_cosignature_size_log_checkpoint")),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("pk_log_cosignature")),
    )
    op.create_table(
        "closed_balance",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_closed_balance")),
    )
    op.create_index("ix_transfer_day", "transfer", ["day"], unique=False, postgresql_using="brin")
    for guard in GUARDS:
        op.execute(guard)
    for table, function in (("log_tile", "log_tile_grows()"), ("log_state", "log_state_grows()")):
        op.execute(f"CREATE TRIGGER moves_forward BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}")
    op.execute("DROP TRIGGER moves_forward ON entry")
    op.execute("DROP TRIGGER columns_fixed ON entry")
    op.execute("DROP FUNCTION entry_sequenced_once()")
    op.execute(PLACED_ONCE)
    for table in ("log_checkpoint", "log_cosignature"):
        op.execute(
            f"CREATE TRIGGER written_once BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for table in NEVER_DELETED:
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute("DROP TRIGGER placed_once ON entry")
    op.execute(SEQUENCED_ONCE)
    op.execute(
        "CREATE TRIGGER moves_forward BEFORE UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION entry_sequenced_once()"
    )
    op.execute(
        "CREATE TRIGGER columns_fixed BEFORE UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION allow_columns('leaf_index')"
    )
    op.drop_index("ix_transfer_day", table_name="transfer", postgresql_using="brin")
    op.drop_table("closed_balance")
    for table in reversed(NEVER_DELETED):
        op.drop_table(table)
    op.execute("DROP FUNCTION log_state_grows()")
    op.execute("DROP FUNCTION log_tile_grows()")
