"""catalogue: products, variants, dated list prices, pictures, pick-up points, files of products"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOST_FEN = 100_000_000


def upgrade() -> None:
    op.add_column("merchant", sa.Column("payment_account", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_merchant_payment_account_format"), "merchant", "payment_account ~ '^acct_[A-Za-z0-9]{1,64}$'"
    )
    op.create_table(
        "product",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("limit_per_member", sa.Integer(), nullable=True),
        sa.Column("sale_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sale_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_flash", sa.Boolean(), nullable=False),
        sa.Column("handover", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("code ~ '^[A-Za-z0-9_-]{1,32}$'", name=op.f("ck_product_code_format")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_product_name_given")),
        sa.CheckConstraint("state IN ('draft', 'listed', 'withdrawn')", name=op.f("ck_product_state_known")),
        sa.CheckConstraint("handover IN ('pickup', 'delivery', 'both')", name=op.f("ck_product_handover_known")),
        sa.CheckConstraint("limit_per_member BETWEEN 1 AND 9999", name=op.f("ck_product_limit_bounded")),
        sa.CheckConstraint("sale_from < sale_to", name=op.f("ck_product_window_runs_forward")),
        sa.CheckConstraint(
            "NOT is_flash OR (sale_from IS NOT NULL AND limit_per_member IS NOT NULL)",
            name=op.f("ck_product_flash_is_bounded"),
        ),
        sa.CheckConstraint(f"price_fen BETWEEN 0 AND {MOST_FEN}", name=op.f("ck_product_price_bounded")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_product_merchant_id_merchant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("merchant_id", "code", name=op.f("uq_product_merchant_id_code")),
        sa.UniqueConstraint("merchant_id", "id", name=op.f("uq_product_merchant_id_id")),
    )
    op.create_index("ix_product_words", "product", ["words"], postgresql_using="gin")
    listed = sa.text("state = 'listed'")
    op.create_index("ix_product_newest", "product", ["created_at", "id"], postgresql_where=listed)
    op.create_index("ix_product_price", "product", ["price_fen", "id"], postgresql_where=listed)
    op.add_column("item", sa.Column("product_id", sa.Uuid(), nullable=True))
    op.add_column("item", sa.Column("variant", sa.Text(), server_default="", nullable=False))
    op.create_unique_constraint(op.f("uq_item_product_id_variant"), "item", ["product_id", "variant"])
    op.create_foreign_key(
        op.f("fk_item_merchant_id_product_id_product"),
        "item",
        "product",
        ["merchant_id", "product_id"],
        ["merchant_id", "id"],
    )
    op.create_check_constraint(op.f("ck_item_variant_of_product"), "item", "product_id IS NOT NULL OR variant = ''")
    op.create_table(
        "item_price",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(f"price_fen BETWEEN 0 AND {MOST_FEN}", name=op.f("ck_item_price_price_bounded")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_price_item_id_item")),
        sa.PrimaryKeyConstraint("item_id", "from_at", name=op.f("pk_item_price")),
    )
    # What stood in the catalogue so far was entered with its merchant, as far as anybody knows.
    op.execute(
        "INSERT INTO item_price (item_id, from_at, price_fen) "
        "SELECT item.id, merchant.admitted_at, item.price_fen FROM item JOIN merchant ON merchant.id = item.merchant_id"
    )
    op.execute(
        "CREATE TRIGGER written_once BEFORE UPDATE OR DELETE ON item_price FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON item_price FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.create_table(
        "picture",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("large", sa.LargeBinary(), nullable=False),
        sa.Column("small", sa.LargeBinary(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("position >= 0", name=op.f("ck_picture_position_counts")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_picture_product_id_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture")),
        sa.UniqueConstraint("product_id", "sha256", name=op.f("uq_picture_product_id_sha256")),
    )
    # They are WebP already: trying to compress them again costs time and gives nothing.
    for column in ("large", "small"):
        op.execute(f"ALTER TABLE picture ALTER COLUMN {column} SET STORAGE EXTERNAL")
    op.create_table(
        "pickup_point",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_pickup_point_state_known")),
        sa.CheckConstraint("code ~ '^[A-Za-z0-9_-]{1,32}$'", name=op.f("ck_pickup_point_code_format")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pickup_point")),
        sa.UniqueConstraint("code", name=op.f("uq_pickup_point_code")),
    )
    op.create_table(
        "product_point",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("point_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_point_product_id_product")),
        sa.ForeignKeyConstraint(["point_id"], ["pickup_point.id"], name=op.f("fk_product_point_point_id_pickup_point")),
        sa.PrimaryKeyConstraint("product_id", "point_id", name=op.f("pk_product_point")),
    )
    op.create_index(op.f("ix_product_point_point_id"), "product_point", ["point_id"])
    op.create_table(
        "product_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sent_by", sa.Uuid(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("(entered_at IS NULL) = (result IS NULL)", name=op.f("ck_product_file_result_when_entered")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_product_file_merchant_id_merchant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_file")),
    )
    op.create_index(op.f("ix_product_file_merchant_id"), "product_file", ["merchant_id"])


def downgrade() -> None:
    for table in ("product_file", "product_point", "pickup_point", "picture", "item_price"):
        op.drop_table(table)
    op.drop_constraint("ck_item_variant_of_product", "item")
    op.drop_constraint("fk_item_merchant_id_product_id_product", "item")
    op.drop_constraint("uq_item_product_id_variant", "item")
    op.drop_column("item", "variant")
    op.drop_column("item", "product_id")
    op.drop_table("product")
    op.drop_constraint("ck_merchant_payment_account_format", "merchant")
    op.drop_column("merchant", "payment_account")
