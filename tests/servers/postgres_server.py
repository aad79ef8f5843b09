"""A PostgreSQL of the tests' own."""

from __future__ import annotations

import signal
from typing import ClassVar

import psycopg
from psycopg import sql

from tests.servers.server import Server, ServerFailed, program_path


class PostgresServer(Server):
    """PostgreSQL that does not sync: what it committed survives kill(), not the loss of the machine's power."""

    programs: ClassVar[tuple[str, ...]] = ("initdb", "postgres")
    polite_stop = signal.SIGINT  # its "fast" shutdown: clients are sent away

    @property
    def url(self) -> str:
        """postgresql+psycopg://… of the database that is always there."""
        return self.database_url("postgres")

    @property
    def command(self) -> list[str]:
        """The server; synchronous_commit stays on, so that a commit is written before it is answered."""
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [program_path("postgres"), "-D", str(self.directory / "data"), *options]

    def prepare(self) -> None:
        """Make the cluster, once."""
        if (self.directory / "data" / "PG_VERSION").exists():
            return
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        if self.run([program_path("initdb"), "-D", str(self.directory / "data"), *options]).wait():
            raise ServerFailed(f"initdb failed:\n{self.log_tail()}")

    def answering(self) -> str | None:
        """Return the data folder of the server that answers at the port."""
        try:
            with self._connect() as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.Error:
            return None
        return None if row is None else str(row[0])

    @property
    def identity(self) -> str:
        """Our data folder."""
        return str(self.directory / "data")

    def database_url(self, name: str) -> str:
        """The URL of the database `name`."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database, empty or a copy of one that nobody is connected to, and return its URL."""
        words = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with self._connect() as connection:
            connection.execute(words)
        return self.database_url(name)

    def has_database(self, name: str) -> bool:
        """Return whether there is a database of this name."""
        with self._connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        return found is not None

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def standby(self) -> PostgresServer:
        """Return a started server that follows this one, until it is promoted."""
        follower = PostgresServer()
        source = f"host=127.0.0.1 port={self.port} user=postgres"
        copy = [program_path("pg_basebackup"), "--dbname", source, "--pgdata", str(follower.directory / "data")]
        if follower.run([*copy, "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast"]).wait():
            raise ServerFailed(f"pg_basebackup failed:\n{follower.log_tail()}")
        return follower.start()

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True, connect_timeout=2)
