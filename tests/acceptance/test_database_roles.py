"""deploy/postgres-roles.sql, applied to a real server: each role can do its work, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.errors import InsufficientPrivilege

from cli.main import wetread
from schemas.errors import RightsMissing
from tests.program import REPOSITORY, Program, films
from tests.servers.postgres_server import PostgresServer
from tests.servers.reading_room import PASSWORD, Client, opened_room
from tests.tiny_model import publish_tiny_model
from wetread.settings import load_settings
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema

FILE = REPOSITORY / "deploy" / "postgres-roles.sql"
ROLES = ("wetread_owner", "wetread_worker", "wetread_web", "wetread_reader")


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(statement.encode())


def as_role(url: str, role: str) -> str:
    return url.replace("://postgres@", f"://{role}@")


@pytest.fixture
def url(postgres_url: str, postgres_server: PostgresServer) -> Iterator[str]:
    """A database that the file was applied to."""
    execute(postgres_url, FILE.read_text())
    yield postgres_url
    for role in ROLES:
        execute(postgres_url, f"DROP OWNED BY {role} CASCADE")
        execute(postgres_server.url, f"DROP ROLE {role}")


def call(url: str, monkeypatch: pytest.MonkeyPatch, *words: object) -> Result:
    monkeypatch.setenv("WETREAD_DATABASE_URL", url)
    load_settings.cache_clear()
    return CliRunner().invoke(wetread, list(map(str, words)), standalone_mode=False)


def test_each_role_can_do_its_work_and_no_more(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    films(tmp_path / "archive", patients=3)
    publish_tiny_model(as_role(url, "wetread_owner"), tmp_path)
    execute(url, FILE.read_text())

    worker = Program(tmp_path, {"WETREAD_DATABASE_URL": as_role(url, "wetread_worker")})
    account = worker.json("screen", tmp_path / "archive", "--workers", "1")
    assert (account["state"], account["found"], account["done"], account["rejected"]) == ("finished", 4, 3, 1)
    for forbidden in (
        "DROP TABLE predictions",
        "ALTER TABLE runs DROP COLUMN note",
        "CREATE TABLE mine (id int)",
        "DELETE FROM predictions",
        "TRUNCATE work_items",
        "UPDATE models SET directory = '/tmp'",
        "INSERT INTO model_aliases (alias, model_digest) SELECT 'evil', digest FROM models",
        "UPDATE alembic_version SET version_num = '9999'",
    ):
        with pytest.raises(InsufficientPrivilege):
            execute(as_role(url, "wetread_worker"), forbidden)

    reader = as_role(url, "wetread_reader")
    listed = call(reader, monkeypatch, "results", "list", "--model", "tiny", "--format", "csv")
    assert len(listed.stdout.splitlines()) == 1 + 4
    (query,) = re.findall(r"query: >-\n((?: {10}.*\n)+)", (FILE.parent / "kubernetes" / "keda.yaml").read_text())
    execute(reader, query)
    for words in (["results", "summary"], ["errors", "list"], ["runs", "list"], ["models", "list"], ["status"]):
        assert call(reader, monkeypatch, *words).exception is None, words
    report = call(reader, monkeypatch, "report", "--json", "--max-failure-rate", "1")
    assert (report.exception, json.loads(report.stdout)["done"]) == (None, 3)
    added = worker.run("schedule", "add", "nightly", tmp_path / "archive", "--cron", "0 22 * * *")
    assert added.returncode == 0, added.stderr
    nightly = call(reader, monkeypatch, "report", "--nightly").exception
    assert "a run of 'nightly' that is over, found none yet" in str(nightly)
    refused = call(reader, monkeypatch, "errors", "retry").exception
    assert isinstance(refused, RightsMissing)
    assert "permission denied" in str(refused)
    assert "docs/operations.md" in str(refused)
    for forbidden in ("INSERT INTO roots (path, created_at) VALUES ('/', now())", "UPDATE runs SET note = ''"):
        with pytest.raises(InsufficientPrivilege):
            execute(reader, forbidden)

    owner = as_role(url, "wetread_owner")
    deleted = call(owner, monkeypatch, "results", "delete", "--path", f"{tmp_path}/archive/", "--yes")
    assert "deleted 4 images, 4 items of runs and 3 readings" in deleted.stderr


def test_tables_that_another_role_made_become_the_owners(url: str) -> None:
    database = Database(url)
    ensure_schema(database)
    database.dispose()
    with pytest.raises(InsufficientPrivilege):
        execute(as_role(url, "wetread_owner"), "ALTER TABLE runs ADD COLUMN more int")
    execute(url, FILE.read_text())
    execute(as_role(url, "wetread_owner"), "ALTER TABLE runs ADD COLUMN more int; CREATE TABLE next (id bigserial)")
    execute(as_role(url, "wetread_worker"), "INSERT INTO next DEFAULT VALUES; UPDATE next SET id = 7")
    execute(as_role(url, "wetread_reader"), "SELECT * FROM next; SELECT * FROM readings; SELECT * FROM failures")
    execute(as_role(url, "wetread_owner"), "DROP VIEW readings")  # as a later version's migration may


def test_the_reading_rooms_role_adds_reviews_and_nobody_else_opens_the_room(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films(tmp_path / "archive", patients=2)
    publish_tiny_model(as_role(url, "wetread_owner"), tmp_path)
    execute(url, FILE.read_text())
    worker = Program(tmp_path, {"WETREAD_DATABASE_URL": as_role(url, "wetread_worker")})
    assert worker.run("screen", tmp_path / "archive", "--workers", "1").returncode in (0, 3)
    owner = Program(tmp_path, {"WETREAD_DATABASE_URL": as_role(url, "wetread_owner")})
    room = Program(tmp_path, {"WETREAD_DATABASE_URL": as_role(url, "wetread_web")})
    added = owner.run("readers", "add", "roe", "--password-stdin", given=PASSWORD + "\n")
    assert added.returncode == 0, added.stderr
    with opened_room(room, readers={}) as port:
        client = Client(port)
        assert client.sign_in("roe").code == 303
        client.get("/")
        facts = json.loads(client.get("/lists/1/films/1-1/facts").body)
        said = {"verdict": "unsure", "sha256": facts["sha256"]}
        assert client.post("/lists/1/films/1-1/reviews", said).code == 200
        client.post("/sign-out", {})
    for role, forbidden in (
        ("wetread_web", "UPDATE reviews SET comment = 'x'"),
        ("wetread_web", "DELETE FROM reviews"),
        ("wetread_web", "UPDATE readers SET role = 'manage'"),
        ("wetread_web", "UPDATE predictions SET label = 'normal'"),
        ("wetread_worker", "UPDATE reviews SET comment = 'x'"),
        ("wetread_worker", "SELECT password_hash FROM readers"),
        (
            "wetread_worker",
            "INSERT INTO readers (name, role, password_hash, created_at) VALUES ('x', 'look', '', now())",
        ),
        ("wetread_worker", "SELECT token_hash FROM reader_sessions"),
        ("wetread_reader", "SELECT password_hash FROM readers"),
    ):
        with pytest.raises(InsufficientPrivilege):
            execute(as_role(url, role), forbidden)
    reader = as_role(url, "wetread_reader")
    for words in (["reviews", "verify"], ["reviews", "agreement"]):
        assert call(reader, monkeypatch, *words).exception is None, words
