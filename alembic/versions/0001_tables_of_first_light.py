"""tables of first light"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA vault")
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
    )
    op.create_table(
        "balance",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("left_over", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("left_over >= 0", name=op.f("ck_balance_never_below_zero")),
        sa.PrimaryKeyConstraint("id", "slot", name=op.f("pk_balance")),
    )
    op.create_table(
        "budget",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sponsor", sa.Text(), nullable=False),
        sa.Column("slots", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_budget")),
    )
    op.create_table(
        "budget_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_budget_grant_amount_positive")),
        sa.CheckConstraint("approved_by <> proposed_by", name=op.f("ck_budget_grant_two_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_grant")),
        sa.UniqueConstraint("key", name=op.f("uq_budget_grant_key")),
    )
    op.create_index(op.f("ix_budget_grant_budget"), "budget_grant", ["budget"], unique=False)
    op.create_table(
        "effect_key",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "key", name=op.f("pk_effect_key")),
    )
    op.create_table(
        "entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(body) BETWEEN 2 AND 65535", name=op.f("ck_entry_body_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("leaf_index", name=op.f("uq_entry_leaf_index")),
        sa.UniqueConstraint("public_id", name=op.f("uq_entry_public_id")),
    )
    op.create_index("ix_entry_type_id", "entry", ["type", "id"], unique=False)
    op.create_index("ix_entry_unsequenced", "entry", ["id"], unique=False, postgresql_where="leaf_index IS NULL")
    op.create_table(
        "import_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_hash", sa.LargeBinary(), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_added", sa.Integer(), nullable=False),
        sa.Column("rows_changed", sa.Integer(), nullable=False),
        sa.Column("rows_same", sa.Integer(), nullable=False),
        sa.Column("rows_refused", sa.Integer(), nullable=False),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('units', 'members')", name=op.f("ck_import_run_kind_known")),
        sa.CheckConstraint(
            "rows_read = rows_added + rows_changed + rows_same + rows_refused", name=op.f("ck_import_run_rows_add_up")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('demo', 'real')", name=op.f("ck_installation_kind_known")),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "merchant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("credit_code", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("code ~ '^[A-Za-z0-9_]{1,32}$'", name=op.f("ck_merchant_code_format")),
        sa.CheckConstraint("state IN ('admitted', 'suspended')", name=op.f("ck_merchant_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchant")),
        sa.UniqueConstraint("code", name=op.f("uq_merchant_code")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_merchant_credit_code")),
    )
    op.create_table(
        "offer_book_number",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_offer_book_number_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_book_number")),
    )
    op.create_table(
        "refusal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
    )
    op.create_index("ix_refusal_at", "refusal", ["at"], unique=False)
    op.create_index(
        "uq_refusal_shop_id_key",
        "refusal",
        ["shop_id", "key"],
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL"),
    )
    op.create_table(
        "throttle",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )
    op.create_index(op.f("ix_throttle_window_started_at"), "throttle", ["window_started_at"], unique=False)
    op.create_table(
        "transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "credit ~ '^(union:fund|rebates:union|bank|(budget|payable|receivable|allowance|reserved|rebates):[A-Za-z0-9_:.-]{1,120})$'",
            name=op.f("ck_transfer_credit_known"),
        ),
        sa.CheckConstraint(
            "debit ~ '^(union:fund|rebates:union|bank|(budget|payable|receivable|allowance|reserved|rebates):[A-Za-z0-9_:.-]{1,120})$'",
            name=op.f("ck_transfer_debit_known"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_transfer_amount_positive")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_transfer_accounts_differ")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    op.create_index("ix_transfer_credit_day", "transfer", ["credit", "day"], unique=False)
    op.create_index("ix_transfer_debit_day", "transfer", ["debit", "day"], unique=False)
    op.create_index(op.f("ix_transfer_event_id"), "transfer", ["event_id"], unique=False)
    op.create_table(
        "unit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("path", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_unit_code")),
    )
    op.create_index(op.f("ix_unit_parent_id"), "unit", ["parent_id"], unique=False)
    op.create_index("ix_unit_path", "unit", ["path"], unique=False, postgresql_using="gin")
    op.create_table(
        "person_key",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_person_key")),
        schema="vault",
    )
    op.create_table(
        "verify_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.Column("rows_seen", sa.Integer(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verify_run")),
    )
    op.create_table(
        "item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('sold', 'withdrawn')", name=op.f("ck_item_state_known")),
        sa.CheckConstraint("price_fen BETWEEN 0 AND 100000000", name=op.f("ck_item_price_bounded")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_item_merchant_id_merchant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("merchant_id", "sku", name=op.f("uq_item_merchant_id_sku")),
    )
    op.create_index(op.f("ix_item_merchant_id"), "item", ["merchant_id"], unique=False)
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("staff_number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("national_id_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("national_id_fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'retired', 'left')", name=op.f("ck_member_state_known")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_member_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("national_id_fingerprint", name=op.f("uq_member_national_id_fingerprint")),
        sa.UniqueConstraint("staff_number", name=op.f("uq_member_staff_number")),
        sa.UniqueConstraint("subject", name=op.f("uq_member_subject")),
    )
    op.create_index(op.f("ix_member_unit_id"), "member", ["unit_id"], unique=False)
    op.create_table(
        "offer_version",
        sa.Column("offer", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("limits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("merchants", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("terms_hash", sa.LargeBinary(), nullable=False),
        sa.Column("live_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("live_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('approved', 'ended')) = (approved_by IS NOT NULL)",
            name=op.f("ck_offer_version_approved_by_someone"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'rejected', 'ended')",
            name=op.f("ck_offer_version_state_known"),
        ),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> proposed_by", name=op.f("ck_offer_version_two_persons")
        ),
        sa.CheckConstraint("length(terms_hash) = 32", name=op.f("ck_offer_version_hash_size")),
        sa.CheckConstraint(
            "live_until IS NULL OR live_from IS NULL OR live_until > live_from",
            name=op.f("ck_offer_version_window_runs_forward"),
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_offer_version_entry_id_entry")),
        sa.PrimaryKeyConstraint("offer", "version", name=op.f("pk_offer_version")),
    )
    op.create_index("ix_offer_version_state_live", "offer_version", ["state", "live_until"], unique=False)
    op.create_table(
        "sale",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("list_fen", sa.BigInteger(), nullable=False),
        sa.Column("concession_fen", sa.BigInteger(), nullable=False),
        sa.Column("subsidy_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("rebate_fen", sa.BigInteger(), nullable=False),
        sa.Column("basket", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("back_list_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("back_concession_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("back_subsidy_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("back_paid_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "back_concession_fen BETWEEN 0 AND concession_fen", name=op.f("ck_sale_back_concession_bounded")
        ),
        sa.CheckConstraint(
            "back_list_fen = back_concession_fen + back_subsidy_fen + back_paid_fen",
            name=op.f("ck_sale_back_four_amounts"),
        ),
        sa.CheckConstraint("back_paid_fen BETWEEN 0 AND paid_fen", name=op.f("ck_sale_back_paid_bounded")),
        sa.CheckConstraint("back_subsidy_fen BETWEEN 0 AND subsidy_fen", name=op.f("ck_sale_back_subsidy_bounded")),
        sa.CheckConstraint("list_fen = concession_fen + subsidy_fen + paid_fen", name=op.f("ck_sale_four_amounts")),
        sa.CheckConstraint(
            "list_fen >= 0 AND concession_fen >= 0 AND subsidy_fen >= 0 AND paid_fen >= 0",
            name=op.f("ck_sale_not_negative"),
        ),
        sa.CheckConstraint("rebate_fen >= 0", name=op.f("ck_sale_rebate_not_negative")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_sale_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_sale_entry_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sale_public_id")),
        sa.UniqueConstraint("shop_id", "key", name=op.f("uq_sale_shop_id_key")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_sale_visit_id")),
    )
    op.create_index(
        "ix_sale_day_merchant",
        "sale",
        ["day", "merchant"],
        unique=False,
        postgresql_include=["list_fen", "concession_fen", "subsidy_fen", "paid_fen", "rebate_fen"],
    )
    op.create_index("ix_sale_shop_day", "sale", ["shop_id", "day"], unique=False)
    op.create_index("ix_sale_subject_at", "sale", ["subject", sa.literal_column("at DESC")], unique=False)
    op.create_table(
        "shop",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_shop_state_known")),
        sa.CheckConstraint("till IN ('amounts', 'items', 'register')", name=op.f("ck_shop_till_known")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_shop_merchant_id_merchant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop")),
        sa.UniqueConstraint("code", name=op.f("uq_shop_code")),
        sa.UniqueConstraint("merchant_id", "id", name=op.f("uq_shop_merchant_id_id")),
    )
    op.create_index(op.f("ix_shop_merchant_id"), "shop", ["merchant_id"], unique=False)
    op.create_table(
        "sign_in_session",
        sa.Column("id_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("csrf", sa.LargeBinary(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sign_in_session_account_id_account")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_sign_in_session")),
    )
    op.create_index(op.f("ix_sign_in_session_account_id"), "sign_in_session", ["account_id"], unique=False)
    op.create_table(
        "card",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("generation", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.CheckConstraint("number ~ '^[0-9]{16}$'", name=op.f("ck_card_number_format")),
        sa.CheckConstraint("state IN ('active', 'frozen', 'lost', 'replaced')", name=op.f("ck_card_state_known")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_card_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        sa.UniqueConstraint("number", name=op.f("uq_card_number")),
        sa.UniqueConstraint("reference", name=op.f("uq_card_reference")),
    )
    op.create_index(op.f("ix_card_member_id"), "card", ["member_id"], unique=False)
    op.create_index(
        "uq_card_one_usable", "card", ["member_id"], unique=True, postgresql_where=sa.text("state <> 'replaced'")
    )
    op.create_table(
        "reversal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("list_fen", sa.BigInteger(), nullable=False),
        sa.Column("concession_fen", sa.BigInteger(), nullable=False),
        sa.Column("subsidy_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("rebate_fen", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(kind = 'refund') = (visit_id IS NOT NULL)", name=op.f("ck_reversal_refund_has_visit")),
        sa.CheckConstraint("kind IN ('void', 'refund')", name=op.f("ck_reversal_kind_known")),
        sa.CheckConstraint("list_fen = concession_fen + subsidy_fen + paid_fen", name=op.f("ck_reversal_four_amounts")),
        sa.CheckConstraint(
            "list_fen >= 0 AND concession_fen >= 0 AND subsidy_fen >= 0 AND paid_fen >= 0",
            name=op.f("ck_reversal_not_negative"),
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_reversal_entry_id_entry")),
        sa.ForeignKeyConstraint(["sale_id"], ["sale.id"], name=op.f("fk_reversal_sale_id_sale")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reversal")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_reversal_entry_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reversal_public_id")),
        sa.UniqueConstraint("shop_id", "key", name=op.f("uq_reversal_shop_id_key")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_reversal_visit_id")),
    )
    op.create_index("ix_reversal_day_merchant", "reversal", ["day", "merchant"], unique=False)
    op.create_index(op.f("ix_reversal_sale_id"), "reversal", ["sale_id"], unique=False)
    op.create_index("ix_reversal_shop_day", "reversal", ["shop_id", "day"], unique=False)
    op.create_index(
        "uq_reversal_one_void", "reversal", ["sale_id"], unique=True, postgresql_where=sa.text("kind = 'void'")
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(role = 'owner' AND shop_id IS NULL) OR (role = 'assistant' AND shop_id IS NOT NULL)",
            name=op.f("ck_staff_role_place"),
        ),
        sa.CheckConstraint("state IN ('active', 'left')", name=op.f("ck_staff_state_known")),
        sa.ForeignKeyConstraint(
            ["merchant_id", "shop_id"], ["shop.merchant_id", "shop.id"], name=op.f("fk_staff_merchant_id_shop_id_shop")
        ),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_staff_merchant_id_merchant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
    )
    op.create_index(op.f("ix_staff_merchant_id"), "staff", ["merchant_id"], unique=False)
    op.create_index(op.f("ix_staff_shop_id"), "staff", ["shop_id"], unique=False)
    op.create_table(
        "account_role",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(role = 'member') = (member_id IS NOT NULL) AND (role IN ('assistant', 'owner')) = (staff_id IS NOT NULL) AND (role = 'officer') = (unit_id IS NOT NULL)",
            name=op.f("ck_account_role_role_scope"),
        ),
        sa.CheckConstraint(
            "role IN ('member', 'assistant', 'owner', 'officer', 'auditor')", name=op.f("ck_account_role_role_known")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_role_account_id_account")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_account_role_member_id_member")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_account_role_staff_id_staff")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_account_role_unit_id_unit")),
        sa.PrimaryKeyConstraint("account_id", "role", name=op.f("pk_account_role")),
    )
    op.create_table(
        "card_code",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("code ~ '^[0-9]{8}$'", name=op.f("ck_card_code_code_format")),
        sa.CheckConstraint("visit_id IS NULL OR ended_at IS NOT NULL", name=op.f("ck_card_code_used_is_ended")),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_card_code_card_id_card")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_card_code")),
    )
    op.create_index(op.f("ix_card_code_issued_at"), "card_code", ["issued_at"], unique=False)
    op.create_index(
        "uq_card_code_one_live", "card_code", ["card_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("expires_at > opened_at", name=op.f("ck_visit_runs_forward")),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_visit_card_id_card")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("card_id", "device", "step", name=op.f("uq_visit_card_id_device_step")),
    )
    op.create_index(op.f("ix_visit_opened_at"), "visit", ["opened_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_visit_opened_at"), table_name="visit")
    op.drop_table("visit")
    op.drop_index("uq_card_code_one_live", table_name="card_code", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index(op.f("ix_card_code_issued_at"), table_name="card_code")
    op.drop_table("card_code")
    op.drop_table("account_role")
    op.drop_index(op.f("ix_staff_shop_id"), table_name="staff")
    op.drop_index(op.f("ix_staff_merchant_id"), table_name="staff")
    op.drop_table("staff")
    op.drop_index("uq_reversal_one_void", table_name="reversal", postgresql_where=sa.text("kind = 'void'"))
    op.drop_index("ix_reversal_shop_day", table_name="reversal")
    op.drop_index(op.f("ix_reversal_sale_id"), table_name="reversal")
    op.drop_index("ix_reversal_day_merchant", table_name="reversal")
    op.drop_table("reversal")
    op.drop_index("uq_card_one_usable", table_name="card", postgresql_where=sa.text("state <> 'replaced'"))
    op.drop_index(op.f("ix_card_member_id"), table_name="card")
    op.drop_table("card")
    op.drop_index(op.f("ix_sign_in_session_account_id"), table_name="sign_in_session")
    op.drop_table("sign_in_session")
    op.drop_index(op.f("ix_shop_merchant_id"), table_name="shop")
    op.drop_table("shop")
    op.drop_index("ix_sale_subject_at", table_name="sale")
    op.drop_index("ix_sale_shop_day", table_name="sale")
    op.drop_index(
        "ix_sale_day_merchant",
        table_name="sale",
        postgresql_include=["list_fen", "concession_fen", "subsidy_fen", "paid_fen", "rebate_fen"],
    )
    op.drop_table("sale")
    op.drop_index("ix_offer_version_state_live", table_name="offer_version")
    op.drop_table("offer_version")
    op.drop_index(op.f("ix_member_unit_id"), table_name="member")
    op.drop_table("member")
    op.drop_index(op.f("ix_item_merchant_id"), table_name="item")
    op.drop_table("item")
    op.drop_table("verify_run")
    op.drop_table("person_key", schema="vault")
    op.drop_index("ix_unit_path", table_name="unit", postgresql_using="gin")
    op.drop_index(op.f("ix_unit_parent_id"), table_name="unit")
    op.drop_table("unit")
    op.drop_index(op.f("ix_transfer_event_id"), table_name="transfer")
    op.drop_index("ix_transfer_debit_day", table_name="transfer")
    op.drop_index("ix_transfer_credit_day", table_name="transfer")
    op.drop_table("transfer")
    op.drop_index(op.f("ix_throttle_window_started_at"), table_name="throttle")
    op.drop_table("throttle")
    op.drop_index("uq_refusal_shop_id_key", table_name="refusal", postgresql_where=sa.text("key IS NOT NULL"))
    op.drop_index("ix_refusal_at", table_name="refusal")
    op.drop_table("refusal")
    op.drop_table("offer_book_number")
    op.drop_table("merchant")
    op.drop_table("installation")
    op.drop_table("import_run")
    op.drop_index("ix_entry_unsequenced", table_name="entry", postgresql_where="leaf_index IS NULL")
    op.drop_index("ix_entry_type_id", table_name="entry")
    op.drop_table("entry")
    op.drop_table("effect_key")
    op.drop_index(op.f("ix_budget_grant_budget"), table_name="budget_grant")
    op.drop_table("budget_grant")
    op.drop_table("budget")
    op.drop_table("balance")
    op.drop_table("account")
    op.execute("DROP SCHEMA vault")
