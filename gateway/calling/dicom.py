"""Calls a peer by DICOM: one association at a time, for queries, for fetching and for sending.

pynetdicom keeps the protocol. A guard closes the connection where a peer stalls within a message, for which it has no
limit of its own. Source: DICOM PS3.4, annexes B, C and J; PS3.7, annex D.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from gateway.calling.patience import CallPatience, NoAnswer
from schemas.errors import UsageError
from wetread.store.received.peers import Peer

PENDING = frozenset({0xFF00, 0xFF01})
WARNINGS = frozenset({0xB000, 0xB006, 0xB007})
SUCCESS = 0x0000
NO_STATUS = -1
_PDU_BYTES = 128 * 1024

Context = tuple[str, Sequence[str]]
"""A SOP class, and the transfer syntaxes that are proposed for it."""


class Caller:
    """Opens associations with one peer. title: by which we call. Raises UsageError where it cannot be called so."""

    def __init__(self, peer: Peer, title: str, patience: CallPatience) -> None:
        if peer.calls.port is None or peer.host is None:
            raise UsageError(f"expected a DICOM port of {peer.name}, found none; give it by `wetread peers edit`")
        self.peer, self.title, self.patience = peer, title, patience
        self._host, self._port = peer.host, peer.calls.port
        self._tls = _tls(peer)

    @contextmanager
    def association(
        self,
        contexts: Sequence[Context],
        *,
        received: Sequence[str] = (),
        on_store: Callable[[Any], int] | None = None,
        on_report: Callable[[Any], int] | None = None,
    ) -> Iterator[Any]:
        """Give an association in which at least one context is accepted.

        received: SOP classes whose objects the peer may send us in it, given to `on_store`; on_report: told of an
        N-EVENT-REPORT. Raises NoAnswer where there is none to be had.
        """
        from pynetdicom import AE, build_context, build_role, evt

        entity = AE(ae_title=self.title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = self.patience.silent
        entity.connection_timeout = self.patience.connect
        connected = threading.Event()
        handlers: list[Any] = [(evt.EVT_CONN_OPEN, lambda _: connected.set())]
        if on_store is not None:
            handlers.append((evt.EVT_C_STORE, on_store))
        if on_report is not None:
            handlers.append((evt.EVT_N_EVENT_REPORT, on_report))
        proposed = [build_context(name, list(syntaxes)) for name, syntaxes in contexts]
        try:
            found = entity.associate(
                self._host, self._port, contexts=proposed, ae_title=self.peer.title, max_pdu=_PDU_BYTES,
                ext_neg=[build_role(name, scp_role=True) for name in received], evt_handlers=handlers,
                tls_args=self._tls,
            )  # fmt: skip
        except (OSError, RuntimeError, ValueError) as error:
            raise NoAnswer(f"expected an association, found: {type(error).__name__}") from error
        if not found.is_established:
            raise NoAnswer(
                _why_not(found)
                if connected.is_set()
                else f"expected {self.peer.name} at {self._host}, port {self._port}, found no connection"
            )
        with suppress(
            AttributeError, OSError
        ):  # a command and its data set are two writes, and each would be waited for
            found.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            yield found
        finally:
            with guarded(found, self.patience.silent):
                if found.is_established:
                    found.release()
            _close(found)


@contextmanager
def guarded(association: Any, seconds: float) -> Iterator[None]:
    """Close the connection if the block takes longer: whoever waits in it finds that the peer is gone."""
    guard = threading.Timer(seconds, _close, (association,))
    guard.daemon = True
    guard.start()
    try:
        yield
    finally:
        guard.cancel()


def accepted(association: Any, sop_class: str) -> bool:
    """Return whether the peer takes this SOP class in this association."""
    return any(context.abstract_syntax == sop_class for context in association.accepted_contexts)


def status_of(answer: Any) -> int:
    """Return the status of an answer; NO_STATUS where none came."""
    return int(answer.Status) if answer is not None and "Status" in answer else NO_STATUS


def is_success(status: int) -> bool:
    """Return whether what was asked for was done, with a warning at most."""
    return status == SUCCESS or status in WARNINGS


def _close(association: Any) -> None:
    with suppress(AttributeError, OSError):
        connection = association.dul.socket.socket
        if connection is not None:
            # Not that of TLS: see Wire.wake in the receiver.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
            connection.close()


def _why_not(association: Any) -> str:
    if association.is_rejected:
        said = association.acceptor.primitive
        return f"expected an association, found it refused: {said.result_str}, {said.reason_str}"
    return "expected an association, found it aborted; does the peer take what is asked for?"


def _tls(peer: Peer) -> tuple[ssl.SSLContext, str] | None:
    calls = peer.calls
    if calls.authority is None:
        return None
    try:
        context = ssl.create_default_context(cafile=calls.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = (
            False  # a PACS's certificate names its title or nothing; the authority is the hospital's
        )
        if calls.certificate is not None and calls.key is not None:
            context.load_cert_chain(calls.certificate, calls.key, password="")
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"expected certificates in PEM files for {peer.name}, found: {error.strerror or error}"
        ) from error
    return context, ""
