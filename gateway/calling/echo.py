"""Asks a peer whether it answers, by each way that it can be called, and what it would take.

DICOM: one association, C-ECHO (PS3.7, 9.1.5), and which services it accepts. DICOMweb: one study at most by QIDO-RS.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from gateway.calling.dicom import SUCCESS, Caller, Context, accepted, guarded, status_of
from gateway.calling.patience import Busy, CallPatience, NoAnswer
from gateway.calling.web import Refused, TooMuch, Web
from schemas.errors import PeerAway, UsageError
from wetread.store.received.peers import Peer

Way = Literal["dicom", "web"]

_SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
_VERIFICATION = "1.2.840.10008.1.1"
_SERVICES = {
    "C-FIND": "1.2.840.10008.5.1.4.1.2.2.1",
    "C-MOVE": "1.2.840.10008.5.1.4.1.2.2.2",
    "C-GET": "1.2.840.10008.5.1.4.1.2.2.3",
    "reports": "1.2.840.10008.5.1.4.1.1.88.33",
    "storage commitment": "1.2.840.10008.1.20.1",
}
"""What `wetread pull` and `send` use, by its SOP class: PS3.4, C.6.2, B.5 and J.3."""


@dataclass(frozen=True, slots=True)
class Echo:
    """What a peer answered by one way. why: what hindered it; takes: the services that it accepts."""

    way: Way
    seconds: float
    why: str | None = None
    takes: tuple[str, ...] = ()


def echo(peer: Peer, title: str, stop: threading.Event, *, seconds: float = 10.0) -> list[Echo]:
    """Return what the peer answers, a row a way, within `seconds` each; raise UsageError where none is known."""
    import pynetdicom  # noqa: F401 - importing it takes longer than any peer

    patience = CallPatience(stop, connect=seconds, silent=seconds, whole=seconds, tries=1, busy_seconds=0.0)
    ways: dict[Way, Callable[[], tuple[str, ...]]] = {}
    if peer.calls.port is not None:
        ways["dicom"] = lambda: _by_dicom(Caller(peer, title, patience))
    if peer.calls.web is not None:
        ways["web"] = lambda: _by_web(Web(peer, patience))
    if not ways:
        raise UsageError(
            f"expected a way to call {peer.name}, found none: give --port or --web by `wetread peers edit {peer.name}`"
        )
    return [_timed(way, ask) for way, ask in ways.items()]


def _timed(way: Way, ask: Callable[[], tuple[str, ...]]) -> Echo:
    began = time.monotonic()
    try:
        takes = ask()
    except (NoAnswer, PeerAway, UsageError, Busy, TooMuch, Refused) as error:
        return Echo(way, time.monotonic() - began, str(error))
    return Echo(way, time.monotonic() - began, None, takes)


def _by_dicom(caller: Caller) -> tuple[str, ...]:
    contexts: list[Context] = [(name, _SYNTAXES) for name in (_VERIFICATION, *_SERVICES.values())]
    with caller.association(contexts) as association:
        with guarded(association, caller.patience.silent):
            answer: Any = association.send_c_echo() if accepted(association, _VERIFICATION) else None
        if (status := status_of(answer)) != SUCCESS:
            raise NoAnswer(
                f"expected success to C-ECHO, found {f'status {status:04X}' if status >= 0 else 'no answer'}"
            )
        return tuple(name for name, sop_class in _SERVICES.items() if accepted(association, sop_class))


def _by_web(web: Web) -> tuple[str, ...]:
    try:
        web.listed("/studies", {"limit": "1"})
    finally:
        web.close()
    return ("QIDO-RS",)
