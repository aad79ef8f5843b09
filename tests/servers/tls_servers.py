"""Redis and PostgreSQL that speak TLS alone, with certificates of their own."""

from __future__ import annotations

from tests.servers.certificate import certificate, key, make_certificate
from tests.servers.postgres_server import PostgresServer
from tests.servers.redis_server import RedisServer

HBA = "hostssl all all 127.0.0.1/32 trust\n"


class TlsRedis(RedisServer):
    """Redis with no port but that of TLS."""

    programs = ("redis-server", "openssl")

    @property
    def url(self) -> str:
        """rediss://… that names who vouches for the certificate."""
        return f"rediss://:{self.password}@127.0.0.1:{self.port}/0?ssl_ca_certs={certificate(self)}"

    @property
    def command(self) -> list[str]:
        return [
            *super().command, "--port", "0", "--tls-port", str(self.port), "--tls-cert-file", str(certificate(self)),
            "--tls-key-file", str(key(self)), "--tls-auth-clients", "no",
        ]  # fmt: skip

    def prepare(self) -> None:
        make_certificate(self)


class TlsPostgres(PostgresServer):
    """PostgreSQL that takes nobody without TLS."""

    programs = (*PostgresServer.programs, "openssl")

    @property
    def command(self) -> list[str]:
        return [
            *super().command, "-c", "ssl=on", "-c", f"ssl_cert_file={certificate(self)}",
            "-c", f"ssl_key_file={key(self)}",
        ]  # fmt: skip

    def prepare(self) -> None:
        super().prepare()
        make_certificate(self)
        (self.directory / "data" / "pg_hba.conf").write_text(HBA)

    def checked_url(self, name: str) -> str:
        """Return the URL of the database `name`, which has its server's name and certificate looked at."""
        return f"{self.database_url(name)}?sslmode=verify-full&sslrootcert={certificate(self)}"
