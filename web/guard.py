"""What stands before every page: limits, doors, and the headers that keep a browser from doing more than it shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from web.request_checks import Doors

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_BYTES = 64 * 1024
"""Of a form or a review; no page sends more."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Refuses what comes from elsewhere, before any page sees it, and gives every answer its headers."""

    def __init__(self, inner: Application, doors: Doors) -> None:
        self._inner = inner
        self._doors = doors
        self._headers = dict(_HEADERS)
        if doors.scheme == "https":
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in self._headers.items()]
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        headers = Headers(scope=scope)
        caller = scope.get("client") or ("", 0)
        fault = self._doors.fault_of_caller(headers.get("host", ""), caller[0])
        fault, code = (
            (fault, 421) if fault else (self._doors.fault_of_source(scope["method"], scope["path"], headers), 403)
        )
        length = headers.get("content-length", "0")
        if fault is None and (not length.isdigit() or int(length) > BODY_BYTES or "transfer-encoding" in headers):
            fault, code = f"expected at most {BODY_BYTES} bytes, of a length that is told", 413
        if fault is not None:
            await PlainTextResponse(f"{fault}\n", code)(scope, receive, sent)
            return
        await self._inner(scope, receive, sent)
