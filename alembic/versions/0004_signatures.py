"""merchants sign the versions they bear a part of; drafts; who closed a version and why"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MAY_CHANGE = ("state", "approved_by", "approved_at", "ended_at", "entry_id")
CLOSED = ("closed_by", "closed_at", "closed_reason")

MOVES_BEFORE = """('draft', 'submitted'), ('draft', 'rejected'), ('submitted', 'approved'), ('submitted', 'rejected'), ('approved', 'ended')"""
MOVES_NOW = (
    """('submitted', 'approved'), ('submitted', 'rejected'), ('submitted', 'withdrawn'), ('approved', 'ended')"""
)

MOVES_FORWARD = """
CREATE OR REPLACE FUNCTION offer_version_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({moves}) THEN
    RAISE EXCEPTION 'offer % version % cannot go from % to %', OLD.offer, OLD.version, OLD.state, NEW.state
      USING ERRCODE = 'restrict_violation';
  END IF;
  {closing}
  RETURN NEW;
END $$
"""

CLOSED_BY_SOMEONE = """
  IF NEW.state IN ('rejected', 'withdrawn') AND OLD.state = 'submitted' AND (NEW.closed_by IS NULL OR NEW.closed_at IS NULL) THEN
    RAISE EXCEPTION 'offer % version % is closed by someone', OLD.offer, OLD.version USING ERRCODE = 'restrict_violation';
  END IF;
"""

# A signature is to the very terms of the version, by a merchant that the version asks, while it waits; a load writes both at once.
SIGNATURE_FITS = """
CREATE FUNCTION signature_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  signed offer_version;
BEGIN
  SELECT * INTO signed FROM offer_version v WHERE v.offer = NEW.offer AND v.version = NEW.version;
  IF signed.terms_hash IS DISTINCT FROM NEW.terms_hash OR NOT NEW.merchant = ANY (signed.merchants) THEN
    RAISE EXCEPTION 'signature of % does not fit offer % version %', NEW.merchant, NEW.offer, NEW.version
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF signed.state <> 'submitted' AND NEW.way <> 'declared' THEN
    RAISE EXCEPTION 'offer % version % waits for no signature', NEW.offer, NEW.version USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""

# The invariant: whoever bears a part of what is in force has signed exactly that. Read from the terms, not from what the code wrote
# beside them; asked at the end of the transaction, because a load writes versions before their signatures.
APPROVED_IS_SIGNED = """
CREATE FUNCTION approved_is_signed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bearers jsonb := coalesce(NEW.terms #> '{match,merchants}', '[]');
BEGIN
  IF NEW.terms ->> 'stage' <> 'rebate' AND coalesce((NEW.terms ->> 'sponsor_share_bp')::int, 0) = 10000 THEN
    RETURN NULL;
  END IF;
  IF jsonb_array_length(bearers) = 0 OR EXISTS (
    SELECT FROM jsonb_array_elements_text(bearers) bearer WHERE NOT EXISTS (
      SELECT FROM offer_signature s WHERE s.offer = NEW.offer AND s.version = NEW.version AND s.merchant = bearer
        AND s.is_signed AND s.terms_hash = NEW.terms_hash)) THEN
    RAISE EXCEPTION 'offer % version % is not signed by all who bear it', NEW.offer, NEW.version USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column("offer_version", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("offer_version", sa.Column("closed_by", sa.Uuid(), nullable=True))
    op.add_column("offer_version", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("offer_version", sa.Column("closed_reason", sa.Text(), server_default="", nullable=False))
    op.drop_constraint(op.f("ck_offer_version_state_known"), "offer_version", type_="check")
    op.create_check_constraint(
        op.f("ck_offer_version_state_known"),
        "offer_version",
        "state IN ('submitted', 'approved', 'rejected', 'withdrawn', 'ended')",
    )
    op.create_table(
        "offer_signature",
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("terms_hash", sa.LargeBinary(), nullable=False),
        sa.Column("is_signed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(terms_hash) = 32", name=op.f("ck_offer_signature_hash_size")),
        sa.CheckConstraint("way IN ('owner', 'declared', 'carried')", name=op.f("ck_offer_signature_way_known")),
        sa.CheckConstraint(
            "is_signed OR (way = 'owner' AND length(reason) > 0)", name=op.f("ck_offer_signature_refused_with_reason")
        ),
        sa.ForeignKeyConstraint(
            ["offer", "version"],
            ["offer_version.offer", "offer_version.version"],
            name=op.f("fk_offer_signature_offer_offer_version"),
        ),
        sa.PrimaryKeyConstraint("offer", "version", "merchant", name=op.f("pk_offer_signature")),
    )
    op.create_table(
        "offer_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("form", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_draft")),
    )
    op.create_index(op.f("ix_offer_draft_changed_at"), "offer_draft", ["changed_at"], unique=False)
    fix_columns((*MAY_CHANGE, *CLOSED))
    op.execute(MOVES_FORWARD.format(moves=MOVES_NOW, closing=CLOSED_BY_SOMEONE))
    op.execute(SIGNATURE_FITS)
    op.execute(APPROVED_IS_SIGNED)
    op.execute("CREATE TRIGGER fits BEFORE INSERT ON offer_signature FOR EACH ROW EXECUTE FUNCTION signature_fits()")
    op.execute(
        "CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON offer_signature FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON offer_signature FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER signed_when_approved AFTER INSERT OR UPDATE OF state ON offer_version DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW WHEN (NEW.state = 'approved') EXECUTE FUNCTION approved_is_signed()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER signed_when_approved ON offer_version")
    op.drop_table("offer_draft")
    op.drop_table("offer_signature")
    op.execute("DROP FUNCTION approved_is_signed()")
    op.execute("DROP FUNCTION signature_fits()")
    op.execute(MOVES_FORWARD.format(moves=MOVES_BEFORE, closing=""))
    fix_columns(MAY_CHANGE)
    op.drop_constraint(op.f("ck_offer_version_state_known"), "offer_version", type_="check")
    op.create_check_constraint(
        op.f("ck_offer_version_state_known"),
        "offer_version",
        "state IN ('draft', 'submitted', 'approved', 'rejected', 'ended')",
    )
    for column in (*CLOSED, "note"):
        op.drop_column("offer_version", column)


def fix_columns(names: tuple[str, ...]) -> None:
    """Of a version only these columns may change."""
    listed = ", ".join(f"'{name}'" for name in names)
    op.execute("DROP TRIGGER columns_fixed ON offer_version")
    op.execute(
        f"CREATE TRIGGER columns_fixed BEFORE UPDATE ON offer_version FOR EACH ROW EXECUTE FUNCTION allow_columns({listed})"
    )
