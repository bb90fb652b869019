"""details exports: asked for, approved by another person, sealed, expiring; and the log of looks at named members"""

import sqlalchemy as sa

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

STATES = "('waiting', 'withdrawn', 'refused', 'approved', 'ready', 'expired')"
REASONS = "('complaint', 'finding', 'sample', 'authority', 'other')"
LOOK_REASONS = "('asked', 'card', 'complaint', 'register', 'other')"

# What was asked, and what was decided, stays as it was.
REQUEST_MOVES_FORWARD = """
CREATE FUNCTION details_request_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'waiting' THEN
      RAISE EXCEPTION 'a request for details begins by waiting' USING ERRCODE = 'restrict_violation';
    END IF;
  ELSIF (OLD.state, NEW.state) NOT IN (
      ('waiting', 'withdrawn'), ('waiting', 'refused'), ('waiting', 'approved'), ('approved', 'ready'), ('ready', 'expired'))
    OR (NEW.id, NEW.asked_by, NEW.asked_at, NEW.merchant, NEW.first_on, NEW.last_on, NEW.reason, NEW.words, NEW.key, NEW.salt,
        NEW.size, NEW.sales_count)
     IS DISTINCT FROM
       (OLD.id, OLD.asked_by, OLD.asked_at, OLD.merchant, OLD.first_on, OLD.last_on, OLD.reason, OLD.words, OLD.key, OLD.salt,
        OLD.size, OLD.sales_count)
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

# A look stays as long as the member may ask for it, and goes with him when he is erased; one who looks again is counted up.
LOOK_IS_KEPT = """
CREATE FUNCTION look_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.last_at > now() - interval '3 years' AND EXISTS (SELECT FROM member WHERE id = OLD.member_id) THEN
      RAISE EXCEPTION 'a look is kept for three years' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
  END IF;
  IF NEW.times <> OLD.times + 1 OR NEW.last_at < OLD.last_at
    OR (NEW.id, NEW.person, NEW.post, NEW.unit_id, NEW.member_id, NEW.kind, NEW.reason, NEW.first_at)
     IS DISTINCT FROM (OLD.id, OLD.person, OLD.post, OLD.unit_id, OLD.member_id, OLD.kind, OLD.reason, OLD.first_at)
  THEN
    RAISE EXCEPTION 'a look is only ever counted up' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "details_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=True),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sales_count", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bytes_count", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("erased_count", sa.Integer(), nullable=True),
        sa.CheckConstraint(f"state IN {STATES}", name=op.f("ck_details_request_state_known")),
        sa.CheckConstraint(f"reason IN {REASONS}", name=op.f("ck_details_request_reason_known")),
        sa.CheckConstraint("words <> ''", name=op.f("ck_details_request_reason_in_words")),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_details_request_days_run_forward")),
        sa.CheckConstraint("sales_count > 0 AND size > 0", name=op.f("ck_details_request_something_asked")),
        sa.CheckConstraint("octet_length(salt) = 32", name=op.f("ck_details_request_salt_size")),
        sa.CheckConstraint("decided_by <> asked_by", name=op.f("ck_details_request_two_persons")),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_details_request_decided_at_some_moment")
        ),
        sa.CheckConstraint(
            "(state IN ('refused', 'approved', 'ready', 'expired')) = (decided_by IS NOT NULL)",
            name=op.f("ck_details_request_decided_by_somebody"),
        ),
        sa.CheckConstraint(
            "(state IN ('approved', 'ready', 'expired')) = (entry_id IS NOT NULL)",
            name=op.f("ck_details_request_approved_in_public"),
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (answer <> '')", name=op.f("ck_details_request_refused_with_a_reason")
        ),
        sa.CheckConstraint(
            "num_nonnulls(ready_at, expires_at, bytes_count, sha256, erased_count)"
            " = CASE WHEN state IN ('ready', 'expired') THEN 5 ELSE 0 END",
            name=op.f("ck_details_request_file_when_ready"),
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_details_request_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_details_request")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_details_request_entry_id")),
    )
    op.create_index("ix_details_request_asked_at", "details_request", ["asked_at"])
    op.create_table(
        "details_part",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["details_request.id"], name=op.f("fk_details_part_request_id_details_request")
        ),
        sa.PrimaryKeyConstraint("request_id", "number", name=op.f("pk_details_part")),
    )
    op.create_table(
        "details_download",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["details_request.id"], name=op.f("fk_details_download_request_id_details_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_details_download")),
    )
    op.create_index(op.f("ix_details_download_request_id"), "details_download", ["request_id"])
    op.create_table(
        "look",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.CheckConstraint("post IN ('officer', 'auditor')", name=op.f("ck_look_post_known")),
        sa.CheckConstraint("(post = 'officer') = (unit_id IS NOT NULL)", name=op.f("ck_look_officer_has_unit")),
        sa.CheckConstraint(f"reason IN {LOOK_REASONS}", name=op.f("ck_look_reason_known")),
        sa.CheckConstraint("times > 0 AND last_at >= first_at", name=op.f("ck_look_runs_forward")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_look_member_id_member"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_look_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_look")),
    )
    op.create_index("ix_look_member_last_at", "look", ["member_id", "last_at"])
    op.create_index(op.f("ix_look_last_at"), "look", ["last_at"])
    op.execute(REQUEST_MOVES_FORWARD)
    op.execute(
        "CREATE TRIGGER moves_forward BEFORE INSERT OR UPDATE ON details_request "
        "FOR EACH ROW EXECUTE FUNCTION details_request_moves_forward()"
    )
    op.execute(LOOK_IS_KEPT)
    op.execute("CREATE TRIGGER is_kept BEFORE UPDATE OR DELETE ON look FOR EACH ROW EXECUTE FUNCTION look_is_kept()")
    op.execute(
        "CREATE TRIGGER written_once BEFORE UPDATE ON details_part FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER written_once BEFORE UPDATE ON details_download FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    for table in ("details_request", "details_download"):
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for table in ("details_request", "details_download", "look"):
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    for table in ("look", "details_download", "details_part", "details_request"):
        op.drop_table(table)
    op.execute("DROP FUNCTION look_is_kept()")
    op.execute("DROP FUNCTION details_request_moves_forward()")
