"""Who is let in: titles, addresses and certificates, asked by dcmtk's echoscu."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.receiving.limits import Limits
from gateway.receiving.listening_port import opened_port
from gateway.receiving.pdu import Kind
from gateway.receiving.tls import server_context
from gateway.receiving.wire import Wire
from schemas.errors import PeerGone, UsageError
from tests.associating import release
from tests.program import eventually
from tests.receiving import Receiving, echoscu, needs
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.received.peers import remove_peer

EVERYWHERE = "0.0.0.0"  # noqa: S104  it is this that is tested


def openssl(*arguments: object, at: Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], cwd=at, check=True, capture_output=True)


def authority(folder: Path, name: str) -> None:
    openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2, "-subj",
        f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", at=folder,
    )  # fmt: skip


def signed(folder: Path, name: str, by: str) -> None:
    openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out",
        f"{name}.csr", at=folder,
    )  # fmt: skip
    openssl(
        "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial", "-days", 2,
        "-out", f"{name}.pem", at=folder,
    )  # fmt: skip
    (folder / f"{name}.key").chmod(0o600)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("openssl", "echoscu")
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("hospital", "stranger"):
        authority(folder, name)
    for name, by in (("us", "hospital"), ("pacs", "hospital"), ("thief", "stranger")):
        signed(folder, name, by)
    return folder


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path_factory.mktemp('guards') / 'results.db'}")
    ensure_schema(opened)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def secured(database: Database, certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    files = tuple(str(certificates / name) for name in ("us.pem", "us.key", "hospital.pem"))
    receiving = Receiving(database, tmp_path_factory.mktemp("spool"), tls=(files[0], files[1], files[2])).start()
    yield receiving
    receiving.close()


def by_tls(folder: Path, name: str) -> list[str]:
    return ["+tls", str(folder / f"{name}.key"), str(folder / f"{name}.pem"), "+cf", str(folder / "hospital.pem")]


@pytest.mark.parametrize("calling", ["ECHOSCU", "UNKNOWN"])
@pytest.mark.parametrize("called", ["WETREAD", "OTHER"])
@pytest.mark.parametrize("certificate", ["pacs", "thief", "anonymous", "plain"])
def test_who_echoes_is_who_has_the_titles_and_a_certificate(
    secured: Receiving, certificates: Path, calling: str, called: str, certificate: str
) -> None:
    options = {
        "plain": [],
        "anonymous": ["+tla", "+cf", str(certificates / "hospital.pem")],
    }.get(certificate) or (by_tls(certificates, certificate) if certificate != "plain" else [])
    let_in = (calling, called, certificate) == ("ECHOSCU", "WETREAD", "pacs")
    assert echoscu(secured.port, "-to", "5", "-aet", calling, "-aec", called, *options) == let_in


def test_a_peer_that_is_removed_may_send_no_more(secured: Receiving, certificates: Path, database: Database) -> None:
    options = ["-aet", "ORTHANC", "-aec", "WETREAD", *by_tls(certificates, "pacs")]
    assert echoscu(secured.port, *options)
    with database.writing() as session:
        remove_peer(session, "orthanc")
    eventually(lambda: not echoscu(secured.port, *options), seconds=180, what="it was refused")


def test_beyond_this_machine_tls_or_a_word_is_wanted() -> None:
    with pytest.raises(UsageError, match="--plain"):
        opened_port(EVERYWHERE, 0, tls=False, plain=False)
    opened_port(EVERYWHERE, 0, tls=True, plain=False).close()
    opened_port(EVERYWHERE, 0, tls=False, plain=True).close()
    opened_port("localhost", 0, tls=False, plain=False).close()
    with pytest.raises(UsageError, match="address to listen on"):
        opened_port("no such host.invalid", 0, tls=False, plain=False)


def test_a_key_that_anybody_can_read_is_refused(certificates: Path) -> None:
    key = certificates / "thief.key"
    key.chmod(0o644)
    with pytest.raises(UsageError, match="others cannot read"):
        server_context(str(certificates / "thief.pem"), str(key), str(certificates / "hospital.pem"))
    key.chmod(0o600)
    with pytest.raises(UsageError, match="expected a certificate"):
        server_context(str(certificates / "us.pem"), str(key), str(certificates / "hospital.pem"))


def test_a_read_that_is_woken_never_takes_what_is_enciphered_for_a_pdu(certificates: Path) -> None:
    authority = str(certificates / "hospital.pem")
    ours = server_context(str(certificates / "us.pem"), str(certificates / "us.key"), authority)
    theirs = ssl.create_default_context(cafile=authority)
    theirs.check_hostname = False
    theirs.load_cert_chain(certificates / "pacs.pem", certificates / "pacs.key")
    one, other = socket.socketpair()
    with ThreadPoolExecutor() as threads:
        peer_made = threads.submit(theirs.wrap_socket, other)
        wire = Wire(ours.wrap_socket(one, server_side=True), Limits(pdu_seconds=5))
        with peer_made.result() as peer:
            peer.sendall(release())
            wire.wake()
            assert wire.read(time.monotonic() + 5)[0] == Kind.RELEASE_REQUEST
            with pytest.raises(PeerGone):
                wire.read(time.monotonic() + 5)
            wire.end(0.0)
