"""Whether a peer answers when it is called: by C-ECHO, and by a search of its DICOMweb service for one study.

Source: DICOM PS3.4, annex A (Verification).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.calling.dicom import Caller, guarded, is_success, status_of
from gateway.calling.patience import CallPatience, NoAnswer
from gateway.calling.web import TooMuch, Web
from schemas.errors import PeerAway, UsageError
from wetread.store.received.peers import Peer

VERIFICATION = "1.2.840.10008.1.1"
_PLAIN = "1.2.840.10008.1.2"


def echoes(peer: Peer, title: str, patience: CallPatience) -> Iterator[tuple[str, str | None]]:
    """Yield (way, why there is no answer; None where there is one) for each way in which the peer can be called.

    Raises UsageError where it can be called in none.
    """
    if peer.calls.port is None and peer.calls.web is None:
        raise UsageError(
            f"expected a DICOM port or a DICOMweb service of {peer.name}, found none: `wetread peers edit {peer.name} "
            "--port … --web …`"
        )
    if peer.calls.port is not None:
        yield "C-ECHO", _why_not(lambda: _c_echo(Caller(peer, title, patience)))
    if peer.calls.web is not None:
        yield "QIDO-RS", _why_not(lambda: _search(Web(peer, patience)))


def _why_not(call: Callable[[], None]) -> str | None:
    try:
        call()
    except (NoAnswer, PeerAway, UsageError) as error:
        return str(error)
    return None


def _c_echo(caller: Caller) -> None:
    with caller.association([(VERIFICATION, (_PLAIN,))]) as association, guarded(association, caller.patience.silent):
        status = status_of(association.send_c_echo())
    if not is_success(status):
        raise NoAnswer("expected success of C-ECHO, found another status, or none")


def _search(web: Web) -> None:
    try:
        web.listed("/studies", {"limit": "1"})
    except TooMuch:
        pass  # an answer all the same
    finally:
        web.close()
