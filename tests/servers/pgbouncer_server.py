"""A PgBouncer of the tests' own, in transaction mode, before a PostgreSQL of theirs."""

from __future__ import annotations

import signal

import psycopg

from tests.servers.postgres_server import PostgresServer
from tests.servers.server import Server, program_path

CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={behind}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
pidfile = {directory}/pgbouncer.pid
auth_type = trust
auth_file = {directory}/users.txt
admin_users = postgres
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
"""
"""What it forbids by default stays forbidden: settings at the start of a connection, for one."""

USERS = ("postgres", "wetread_owner", "wetread_worker", "wetread_reader")
"""Who may come: PgBouncer knows no others, and trusts these as the server behind it does."""


class PgBouncerServer(Server):
    """PgBouncer, which gives each transaction any of its connections to the server."""

    programs = ("pgbouncer",)
    polite_stop = signal.SIGTERM

    def __init__(self, behind: PostgresServer) -> None:
        super().__init__()
        self.behind = behind

    @property
    def url(self) -> str:
        """postgresql+psycopg://… of the database that is always there."""
        return self.before(self.behind.url)

    def before(self, url: str) -> str:
        """Return how a database of the server, by its URL, is reached through this."""
        return url.replace(f":{self.behind.port}/", f":{self.port}/")

    @property
    def command(self) -> list[str]:
        """The program in the foreground."""
        return [program_path("pgbouncer"), str(self.directory / "pgbouncer.ini")]

    def prepare(self) -> None:
        """Write its configuration, with the port that it has now."""
        (self.directory / "users.txt").write_text("".join(f'"{user}" ""\n' for user in USERS))
        (self.directory / "pgbouncer.ini").write_text(
            CONFIGURATION.format(behind=self.behind.port, port=self.port, directory=self.directory)
        )

    def answering(self) -> str | None:
        """Return the pid file of the one that answers at the port."""
        url = self.before(self.behind.database_url("pgbouncer")).replace("+psycopg", "")
        try:
            with psycopg.connect(url, autocommit=True, connect_timeout=2) as console:
                rows = console.execute("SHOW CONFIG").fetchall()
        except psycopg.Error:
            return None
        return next((str(row[1]) for row in rows if row[0] == "pidfile"), None)

    @property
    def identity(self) -> str:
        """Our pid file."""
        return str(self.directory / "pgbouncer.pid")
