"""A certificate for 127.0.0.1 that nobody but its holder vouches for."""

from __future__ import annotations

from pathlib import Path

from tests.servers.server import Server, ServerFailed, program_path


def make_certificate(server: Server) -> None:
    """Make cert.pem and key.pem in the server's folder, once; the server's user owns them, and reads the key alone."""
    if certificate(server).exists():
        return
    made = server.run([
        program_path("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=here",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem",
    ])  # fmt: skip
    if made.wait():
        raise ServerFailed(f"openssl failed:\n{server.log_tail()}")
    (server.directory / "key.pem").chmod(0o600)


def certificate(server: Server) -> Path:
    return server.directory / "cert.pem"


def key(server: Server) -> Path:
    return server.directory / "key.pem"
