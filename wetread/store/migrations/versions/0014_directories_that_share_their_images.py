"""directories that share their images

A film that a command on /archive and another on /archive/2024 found was two images, counted twice, each with a
current reading. A root inside another lists no images from now on: home_id names the outermost root around it, and
inside is what the paths of its images begin with there.

Two images of one film become one. Every run keeps its item, so that its accounts stay as they are: no run has both,
since a command never kept a directory inside another one of its own. Of two current readings by one model the later
stays current, and one that the world kept from being made never before one that was made. The image keeps the size and
time of whichever a later run has an item of.

Only names are compared here. The same directory by another name is found when a command is next given it.

Processes of the version before that still run go on listing images under the inner root; the next command on it moves
them. The way down leaves images where they are.
"""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

HOME = "the root that lists its images; empty where it does itself"
INSIDE = "what their paths begin with in that root, as bytes: 2024/"
WORLD = "'vanished', 'permission', 'io_error', 'changed', 'not_a_file'"
RANK = "(CASE WHEN {0}.reason IN (" + WORLD + ") THEN 0 ELSE 1 END, {0}.settled_at, {0}.run_id)"
TWINS = (
    "INSERT INTO joined_twins SELECT d.id, k.id FROM images d JOIN images k ON k.root_id = :home"
    " AND k.path_hash = sha256({path}) WHERE d.root_id = :root"
)
LATER_IS_CURRENT = (
    'UPDATE work_items SET "current" = false WHERE "current" AND EXISTS (SELECT 1 FROM joined_twins t JOIN work_items o'
    ' ON o.image_id = t.{other} AND o."current" AND o.model_digest = work_items.model_digest'
    " WHERE t.{mine} = work_items.image_id {and_earlier})"
)
FOUND_LATER = (
    "UPDATE images SET"
    " size = (SELECT d.size FROM joined_twins t JOIN images d ON d.id = t.double_id WHERE t.kept_id = images.id),"
    " mtime_ns = (SELECT d.mtime_ns FROM joined_twins t JOIN images d ON d.id = t.double_id"
    " WHERE t.kept_id = images.id)"
    " WHERE id IN (SELECT t.kept_id FROM joined_twins t"
    " WHERE coalesce((SELECT max(run_id) FROM work_items WHERE image_id = t.double_id), 0)"
    " > coalesce((SELECT max(run_id) FROM work_items WHERE image_id = t.kept_id), 0))"
)
GIVE_ITEMS = (
    "UPDATE work_items SET image_id = (SELECT kept_id FROM joined_twins WHERE double_id = work_items.image_id)"
    " WHERE image_id IN (SELECT double_id FROM joined_twins)"
)
MOVE = "UPDATE images SET root_id = :home, path = {path}, path_hash = sha256({path}) WHERE root_id = :root"


def upgrade() -> None:
    op.add_column("roots", sa.Column("home_id", sa.BigInteger(), nullable=True, comment=HOME))
    op.add_column("roots", sa.Column("inside", sa.LargeBinary(), nullable=True, comment=INSIDE))
    connection = op.get_bind()
    roots = connection.execute(sa.text("SELECT id, path FROM roots")).all()
    homes: dict[int, bytes] = {}
    shared: list[tuple[int, int, bytes]] = []
    for root, path in sorted(((row.id, bytes(row.path)) for row in roots), key=lambda row: len(row[1])):
        around = [home for home, top in homes.items() if path.startswith(top)]
        if around:
            shared.append((root, around[0], path[len(homes[around[0]]) :] + b"/"))
        else:
            homes[root] = path.rstrip(b"/") + b"/"
    if not shared:
        return
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.create_function("sha256", 1, lambda path: hashlib.sha256(path).digest(), deterministic=True)
        driver.create_function("within", 2, lambda inside, path: inside + path, deterministic=True)
        connection.execute(sa.text("UPDATE images SET path_hash = sha256(path) WHERE path_hash IS NULL"))
    op.create_index("ix_joined_items", "work_items", ["image_id"])
    for root, home, inside in shared:
        _move(connection, root, home, inside)
    op.drop_index("ix_joined_items", "work_items")


def _move(connection: sa.Connection, root: int, home: int, inside: bytes) -> None:
    values = {"root": root, "home": home, "inside": inside}
    within = "within(:inside, {0})" if connection.dialect.name == "sqlite" else "(CAST(:inside AS bytea) || {0})"

    def run(statement: str, **given: object) -> None:
        connection.execute(sa.text(statement), given)

    run("UPDATE roots SET home_id = :home, inside = :inside WHERE id = :root", **values)
    run("CREATE TABLE joined_twins (double_id BIGINT PRIMARY KEY, kept_id BIGINT NOT NULL UNIQUE)")
    run(TWINS.format(path=within.format("d.path")), **values)
    earlier = f"AND {RANK.format('work_items')} < {RANK.format('o')}"
    for mine, other, and_earlier in (
        ("double_id", "kept_id", earlier), ("kept_id", "double_id", earlier), ("double_id", "kept_id", ""),
    ):  # fmt: skip
        run(LATER_IS_CURRENT.format(mine=mine, other=other, and_earlier=and_earlier))
    run(FOUND_LATER)
    run(GIVE_ITEMS)
    run("DELETE FROM images WHERE id IN (SELECT double_id FROM joined_twins)")
    run(MOVE.format(path=within.format("path")), **values)
    run("DROP TABLE joined_twins")


def downgrade() -> None:
    # Written out: alembic would make the table anew on SQLite.
    op.execute("ALTER TABLE roots DROP COLUMN inside")
    op.execute("ALTER TABLE roots DROP COLUMN home_id")
