"""images unique by the hash of their path

An index row of PostgreSQL holds about 2,700 bytes, so a longer path stopped a run. A root's images are unique by
(root_id, path_hash) now, and path_hash is the SHA-256 of the path's bytes, which we compute.

Processes of the version before that still run:
- PostgreSQL: they wait while `images` is migrated, which holds it alone. They insert without path_hash, and a trigger
  fills it, so that an image stays unique whoever finds it. They look for paths without an index from then on, which is
  slow and right; one of them that meets a path too long for the old index now records it.
- SQLite: they wait as for any write. SQLite has no SHA-256 for a trigger, and cannot drop the old constraint without
  making anew a table that others refer to; its indexes take long paths, so the old constraint stays and keeps what
  they insert unique. path_hash is therefore nullable, and the next walk fills what they left empty.

Started anew, the version before refuses this schema. The way down fails on PostgreSQL while a long path is in it.
"""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FILLED_AT_ONCE = 50_000
"""Ids filled by one statement, well within a server's statement_timeout."""


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column(
        "images",
        sa.Column(
            "path_hash", sa.LargeBinary(32), nullable=True, comment="SHA-256 of path, since an index takes no long path"
        ),
    )
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.create_function("sha256", 1, lambda path: hashlib.sha256(path).digest(), deterministic=True)
    fill = sa.text("UPDATE images SET path_hash = sha256(path) WHERE id >= :first AND id < :after")
    first, last = connection.execute(sa.text("SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM images")).one()
    for start in range(first, last + 1, FILLED_AT_ONCE):
        connection.execute(fill, {"first": start, "after": start + FILLED_AT_ONCE})
    op.create_index("uq_images_root_id_path_hash", "images", ["root_id", "path_hash"], unique=True)
    if connection.dialect.name == "postgresql":
        op.drop_constraint("uq_images_root_id_path", "images", type_="unique")
        op.execute(
            "CREATE FUNCTION images_fill_path_hash() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.path_hash := sha256(NEW.path); RETURN NEW; END $$"
        )
        op.execute(
            "CREATE TRIGGER images_fill_path_hash BEFORE INSERT ON images FOR EACH ROW"
            " WHEN (NEW.path_hash IS NULL) EXECUTE FUNCTION images_fill_path_hash()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_unique_constraint("uq_images_root_id_path", "images", ["root_id", "path"])
        op.execute("DROP TRIGGER images_fill_path_hash ON images")
        op.execute("DROP FUNCTION images_fill_path_hash()")
    op.drop_index("uq_images_root_id_path_hash", "images")
    # Written out: alembic would make the table anew on SQLite, which rows that refer to it forbid.
    op.execute("ALTER TABLE images DROP COLUMN path_hash")
