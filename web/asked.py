"""What a page is asked: by whom, what, and with which form; handlers are plain functions that run in threads."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from schemas.errors import ServiceUnavailable, UsageError
from web.guard import BODY_BYTES
from web.site import Site
from wetread.clock import utc_now
from wetread.store.readers.readers import Reader
from wetread.store.readers.sessions import note_seen, reader_of

COOKIE = "__Host-wetread"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a reader who signed in. form: of a POST; path: what the address holds; query: what is behind ?."""

    site: Site
    reader: Reader
    token: str = field(repr=False)
    path: Mapping[str, Any]
    query: Mapping[str, str]
    form: Mapping[str, str]

    @property
    def csrf(self) -> str:
        """Return the word that forms of this session carry."""
        return csrf_word(self.token)


Handler = Callable[[Asked], Response]


def csrf_word(token: str) -> str:
    """Return the word that forms of the session `token` carry; the secret cannot be told from it."""
    return hmac.new(token.encode(), b"wetread forms", hashlib.sha256).hexdigest()


def answering(handler: Handler, role: str = "look", *, page: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that calls `handler` for readers who may what `role` may.

    page: who did not sign in is sent to the form for it; a program's request is answered 401.
    """

    async def endpoint(request: Request) -> Response:
        body = await whole_body(request)
        return await run_in_threadpool(_answer, handler, role, page, request, body)

    return endpoint


async def whole_body(request: Request) -> bytes:
    """Return the body of a request, at most BODY_BYTES of it."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES:
            return b""
    return body


def form_of(body: bytes) -> dict[str, str]:
    """Return the fields of a form; of those that come twice the last."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100))


def _answer(handler: Handler, role: str, page: bool, request: Request, body: bytes) -> Response:
    site: Site = request.app.state.site
    token, now = request.cookies.get(COOKIE, ""), utc_now()
    try:
        with site.database.reading() as session:
            found = reader_of(session, token, now) if token else None
        if found is None:
            return RedirectResponse("/sign-in", 303) if page else _refused("sign in first", 401)
        reader, due = found
        if due:
            with site.database.writing() as session:
                note_seen(session, token, now)
        if not reader.may(role):
            return _refused(f"expected a reader who may {role}, found one who may {reader.role}", 403)
        form = form_of(body) if request.method == "POST" else {}
        if request.method == "POST":
            given = request.headers.get("x-csrf-word") or form.get("csrf", "")
            if not hmac.compare_digest(given.encode(), csrf_word(token).encode()):
                return _refused("expected the word of this session's forms, found another; load the page anew", 403)
        return handler(Asked(site, reader, token, request.path_params, dict(request.query_params), form))
    except UsageError as error:
        return _refused(str(error), 400)
    except ServiceUnavailable as error:
        return _refused(str(error), 503)


def _refused(why: str, code: int) -> Response:
    return JSONResponse({"error": why}, code)
