"""Migrations make exactly the tables, on both databases, whoever else migrates at the same time."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from schemas.errors import ServiceUnavailable, UsageError, WetreadError
from schemas.table_base import Base, UtcDateTime
from schemas.tables import Image
from tests.screened import RunKit
from wetread.store.core.database import Database
from wetread.store.core.migrating import HEAD, alembic_config, ensure_schema, schema_revision

PATHS = [b"a.png", b"b/\xff.png", b"c.png"]


# PostgreSQL's alone, and an expression, which SQLite's dialect does not compare.
@pytest.mark.filterwarnings("ignore:autogenerate skipping .*'ix_images_path'.*:UserWarning")
def test_migrations_equal_tables(database: Database) -> None:
    def same_type(_context: object, _column: object, _meta: object, found: object, wanted: object) -> bool | None:
        # A decorator is compared by what it stores.
        return False if isinstance(wanted, UtcDateTime) else None

    def compared(_object: object, name: str | None, *_: object) -> bool:
        # SQLite cannot drop the constraint of the first revision (see 0003), and is better off with it.
        return (database.dialect, name) != ("sqlite", "uq_images_root_id_path")

    with database.connecting() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": same_type, "include_object": compared})
        assert compare_metadata(context, Base.metadata) == []


def test_every_column_comment_is_in_the_database(database: Database) -> None:
    if database.dialect == "sqlite":
        pytest.skip("SQLite keeps no comments")
    with database.connecting() as connection:
        for table in Base.metadata.tables.values():
            found = {column["name"]: column["comment"] for column in inspect(connection).get_columns(table.name)}
            assert found == {column.name: column.comment for column in table.columns}


def test_accounts_that_do_not_add_up_are_refused_by_the_database(database: Database) -> None:
    with pytest.raises(Exception, match="accounts"), database.connecting() as connection:
        connection.execute(
            text(
                "INSERT INTO runs (state, model_digest, engine, root_ids, force, created_at, found, pending, done,"
                " rejected, dead, cancelled, skipped)"
                " VALUES ('running', 'x', 'numpy', '[]', false, '2026-01-01', 2, 0, 1, 0, 0, 0, 0)"
            )
        )


def test_head_is_the_newest_revision(database: Database) -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD
    assert schema_revision(database) == HEAD


def test_what_goes_up_comes_down(database: Database) -> None:
    with database.connecting() as connection:
        command.downgrade(alembic_config(connection), "base")
    with database.connecting() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    ensure_schema(database)
    assert schema_revision(database) == HEAD


def test_a_database_of_the_first_revision_is_brought_up_with_what_is_in_it(database: Database) -> None:
    with database.connecting() as connection:
        command.downgrade(alembic_config(connection), "0001")
    with database.connecting() as connection:
        connection.execute(
            text("INSERT INTO alias_changes (alias, model_digest, changed_at) VALUES ('production', 'x', '2026-01-01')")
        )
    ensure_schema(database)
    with database.connecting() as connection:
        assert connection.execute(text("SELECT alias, accepted_audit FROM alias_changes")).all() == [
            ("production", None)
        ]


def test_images_of_the_second_revision_get_the_hash_of_their_path(kit: RunKit, database: Database) -> None:
    _, recorded = kit.filled(PATHS)
    kit.settle_all(recorded)
    with database.connecting() as connection:
        command.downgrade(alembic_config(connection), "0002")
    with database.connecting() as connection:
        # As after a rest of ids that conflicts used up: between two images lie more than are filled at once.
        connection.execute(
            text("INSERT INTO images (id, root_id, path, size, mtime_ns) VALUES (120001, :r, :p, 1, 1)"),
            {"r": kit.root, "p": b"far.png"},
        )
    ensure_schema(database)
    assert hashes(database) == {path: hashlib.sha256(path).digest() for path in [*PATHS, b"far.png"]}
    again, recorded = kit.filled([*PATHS, b"far.png", b"new.png"])
    assert (recorded.skipped, recorded.pending) == (len(PATHS), 2)
    assert len(hashes(database)) == len(PATHS) + 2
    assert kit.account(again).found == len(PATHS) + 2


def test_an_image_that_the_version_before_inserts_is_the_same_image_to_this_one(
    kit: RunKit, database: Database
) -> None:
    with database.connecting() as connection:
        for _ in range(2):
            connection.execute(
                text(
                    "INSERT INTO images (root_id, path, size, mtime_ns) VALUES (:root, :path, 1, 1)"
                    " ON CONFLICT DO NOTHING"
                ),
                {"root": kit.root, "path": PATHS[0]},
            )
    _, recorded = kit.filled(PATHS)
    assert recorded.pending == len(PATHS)
    assert hashes(database) == {path: hashlib.sha256(path).digest() for path in PATHS}
    with database.connecting() as connection:
        assert connection.execute(text("SELECT count(*) FROM images")).scalar_one() == len(PATHS)


def hashes(database: Database) -> dict[bytes, bytes | None]:
    with database.reading() as session:
        return {row.path: row.path_hash for row in session.execute(select(Image.path, Image.path_hash))}


def test_many_processes_may_start_on_an_empty_database(database_url: str) -> None:
    faults: list[Exception] = []
    barrier = threading.Barrier(4)

    def start() -> None:
        opened = Database(database_url)
        try:
            barrier.wait()
            ensure_schema(opened)
        except (WetreadError, SQLAlchemyError) as error:
            faults.append(error)
        finally:
            opened.dispose()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_many_connections_may_open_a_new_sqlite_file_at_once(tmp_path: Path) -> None:
    # Without a wait of our own, one in thirty of these files was answered "database is locked".
    faults: list[Exception] = []

    def start(url: str, barrier: threading.Barrier) -> None:
        opened = Database(url)
        try:
            barrier.wait()
            with opened.reading() as session:
                session.execute(text("SELECT 1"))
        except (WetreadError, SQLAlchemyError) as error:
            faults.append(error)
        finally:
            opened.dispose()

    for number in range(50):
        barrier = threading.Barrier(8)
        url = f"sqlite:///{tmp_path / str(number)}.db"
        threads = [threading.Thread(target=start, args=(url, barrier)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert faults == []


def test_a_newer_database_is_refused_with_what_to_do(database: Database) -> None:
    with database.connecting() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ServiceUnavailable, match="upgrade this program"):
        ensure_schema(database)


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("sqlite:////proc/no/such/results.db", ServiceUnavailable, "expected to open a database"),
        ("sqlite://", UsageError, "in memory"),
        ("mysql://localhost/x", UsageError, "sqlite or postgresql"),
        ("no url", UsageError, "sqlite:///FILE"),
        ("postgresql+psycopg://user:secret@127.0.0.1:1/x", ServiceUnavailable, "user:\\*\\*\\*@127.0.0.1:1"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(
    url: str, kind: type[WetreadError], said: str
) -> None:
    with pytest.raises(kind, match=said) as caught:
        ensure_schema(Database(url))
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "results.db"
    file.write_bytes(b"this is a text, and long enough to be read as a header" * 10)
    with pytest.raises(ServiceUnavailable, match="not a database"):
        ensure_schema(Database(f"sqlite:///{file}"))


def test_sqlite_is_in_wal_mode(tmp_path: Path) -> None:
    ensure_schema(Database(f"sqlite:///{tmp_path / 'results.db'}"))
    with sqlite3.connect(tmp_path / "results.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
