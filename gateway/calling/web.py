"""A peer's DICOMweb service: what is asked by GET and POST, with limits of size and time on every answer.

Source: DICOM PS3.18; RFC 9110 for 206, 413, 429, 503 and Retry-After.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, SSLError

from gateway.calling.credentials import authorization
from gateway.calling.patience import Busy, CallPatience, NoAnswer, retry_after
from schemas.errors import PeerAway, UsageError
from wetread.store.received.peers import Peer

JSON_BYTES = 64 * 1024 * 1024
"""Of an answer in JSON: a thousand studies have less than one MiB."""

_PART = 256 * 1024
_CHANGED = 206
_NOTHING = 204
_LET_IN = frozenset({401, 403})
_TOO_MUCH = 413
_BUSY = frozenset({429, 503})
_WARNING = "299"


class TooMuch(Exception):
    """The peer says that it was asked for too much at once."""


class Refused(Exception):
    """The peer answered, and not with what was asked for. status: its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Answered:
    """A response that is being read; no part may take longer than `silent`, and the whole no longer than `whole`."""

    def __init__(self, response: urllib3.BaseHTTPResponse, until: float) -> None:
        self._response, self._until = response, until
        self.status = response.status
        self.content_type = response.headers.get("Content-Type", "")
        self.is_partial = response.status == _CHANGED or _WARNING in response.headers.get("Warning", "")

    def parts(self, most: int) -> Iterator[bytes]:
        """Yield the body; raise NoAnswer where it breaks off, stalls, or is larger than `most` bytes."""
        size = 0
        try:
            while part := self._response.read1(_PART, decode_content=False):
                size += len(part)
                if size > most:
                    raise NoAnswer(f"expected at most {most:,} bytes, found more")
                if time.monotonic() > self._until:
                    raise NoAnswer("expected a whole answer in time, found one that goes on")
                yield part
        except (HTTPError, OSError) as error:
            raise NoAnswer(f"expected a whole answer, found that it breaks off: {type(error).__name__}") from error


class Web:
    """Calls one peer's service; used by several threads. Raises UsageError where its certificate or secret is amiss."""

    def __init__(self, peer: Peer, patience: CallPatience, connections: int = 1) -> None:
        calls = peer.calls
        if calls.web is None:
            raise UsageError(f"expected a DICOMweb service of {peer.name}, found none; give it by `wetread peers edit`")
        self.url, self._patience = calls.web, patience
        self._headers = {"User-Agent": "wetread", "Accept-Encoding": "identity"}
        if (secret := authorization(calls)) is not None:
            self._headers["Authorization"] = secret
        context = None
        if self.url.startswith("https:"):
            context = ssl.create_default_context(cafile=calls.authority)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if calls.certificate is not None and calls.key is not None:
                context.load_cert_chain(calls.certificate, calls.key, password="")
        self._pool = urllib3.PoolManager(
            num_pools=1, maxsize=max(1, connections), retries=False, ssl_context=context,
            timeout=urllib3.Timeout(connect=patience.connect, read=patience.silent),
        )  # fmt: skip

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()

    def listed(self, path: str, query: Mapping[str, str]) -> tuple[list[dict[str, Any]], bool]:
        """Return what a search answers, and whether it says itself that there is more; tried again as patience says.

        Raises TooMuch, PeerAway, and UsageError where we are not let in.
        """

        def ask() -> tuple[list[dict[str, Any]], bool]:
            with self.called("GET", path, query, {"Accept": "application/dicom+json"}) as answer:
                if answer.status == _NOTHING:
                    return [], False
                body = b"".join(answer.parts(JSON_BYTES))
                return _objects(body), answer.is_partial

        try:
            return self._patience.tried(ask)
        except Refused as refused:
            raise PeerAway(
                f"expected an answer to a search, found HTTP {refused.status}: look whether --web is the address of "
                "its DICOMweb service"
            ) from refused

    @contextmanager
    def called(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[Answered]:
        """Give the answer to one call, with a status below 300. Raises Busy, NoAnswer, TooMuch, Refused, UsageError."""
        until = time.monotonic() + self._patience.whole
        try:
            response = self._pool.request(
                method, self.url + path, fields=dict(query) if body is None else None, body=body,
                headers=self._headers | dict(headers), preload_content=False, redirect=False,
            )  # fmt: skip
        except SSLError as error:
            raise UsageError(
                "expected a peer with a certificate that we trust, found TLS that fails; see --tls-authority"
            ) from error
        except (HTTPError, OSError) as error:
            raise NoAnswer(f"expected an answer, found: {type(error).__name__}") from error
        whole = False
        try:
            _check(response)
            yield Answered(response, until)
            whole = True
        finally:
            # What was not read to its end would be taken for the beginning of the next answer.
            if whole:
                response.release_conn()
            else:
                response.close()


def _check(response: urllib3.BaseHTTPResponse) -> None:
    status = response.status
    if status in _BUSY:
        raise Busy(retry_after(response.headers.get("Retry-After")))
    if status == _TOO_MUCH:
        raise TooMuch
    if status in _LET_IN:
        raise UsageError(
            f"expected to be let in by the peer, found HTTP {status}: give what it asks for by --secret-file or "
            "--secret-env of `wetread peers edit`"
        )
    if status >= 500:
        raise NoAnswer(f"expected an answer, found HTTP {status}")
    if status >= 300:
        raise Refused(status)


def _objects(body: bytes) -> list[dict[str, Any]]:
    if not body.strip():
        return []
    try:
        found = json.loads(body)
    except ValueError as error:
        raise NoAnswer("expected JSON, found something else") from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise NoAnswer("expected a list of objects in JSON, found something else")
    return found
