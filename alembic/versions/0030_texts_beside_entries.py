"""the texts beside public entries, which hold their hashes"""

import sqlalchemy as sa

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TAKEN_AWAY_ONCE = """
CREATE FUNCTION text_taken_away_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.entry_id <> OLD.entry_id OR OLD.removed_at IS NOT NULL OR NEW.removed_at IS NULL THEN
    RAISE EXCEPTION 'a text beside an entry is only ever taken away, once' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "entry_text",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("removed_by", sa.Text(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("octet_length(salt) = 32", name=op.f("ck_entry_text_salt_size")),
        sa.CheckConstraint("num_nulls(salt, document) IN (0, 2)", name=op.f("ck_entry_text_text_whole")),
        sa.CheckConstraint("num_nulls(removed_at, removed_by) IN (0, 2)", name=op.f("ck_entry_text_removal_whole")),
        sa.CheckConstraint("(document IS NULL) = (removed_at IS NOT NULL)", name=op.f("ck_entry_text_kept_or_removed")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_entry_text_entry_id_entry")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_entry_text")),
    )
    op.execute(TAKEN_AWAY_ONCE)
    op.execute(
        "CREATE TRIGGER taken_away_once BEFORE UPDATE ON entry_text FOR EACH ROW EXECUTE FUNCTION text_taken_away_once()"
    )
    op.execute("CREATE TRIGGER never_deleted BEFORE DELETE ON entry_text FOR EACH ROW EXECUTE FUNCTION refuse_change()")
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON entry_text FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("entry_text")
    op.execute("DROP FUNCTION text_taken_away_once()")
