"""What a page is asked: by whom, what, and with which form; handlers are plain functions that run in threads."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from schemas.errors import ServiceUnavailable, UsageError, WetreadError
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


PICTURES_AT_ONCE = 12
_PICTURES = asyncio.Semaphore(PICTURES_AT_ONCE)

Handler = Callable[[Asked], Response]


def csrf_word(token: str) -> str:
    """Return the word that forms of the session `token` carry; the secret cannot be told from it."""
    return hmac.new(token.encode(), b"wetread forms", hashlib.sha256).hexdigest()


def answering(
    handler: Handler, role: str = "look", *, page: bool = True, picture: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that calls `handler` for readers who may what `role` may.

    page: who did not sign in is sent to the form for it; a program's request is answered 401.
    picture: it waits for a process that reads films; PICTURES_AT_ONCE do, so that pages never want for a thread.
    """

    async def endpoint(request: Request) -> Response:
        body = await whole_body(request)
        async with _PICTURES if picture else nullcontext():
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
    try:
        return _answered(site, handler, role, page, request, body)
    except UsageError as error:
        return _refused(site, str(error), 400, page)
    except Exception as error:  # noqa: BLE001 - a fault of one page is none of the room
        return _refused(site, *fault_of(error), page)


def fault_of(error: Exception) -> tuple[str, int]:
    """Return what a page says of a fault, and its code; what nobody foresaw is logged by kind and place."""
    if isinstance(error, ServiceUnavailable):
        return str(error), 503
    if isinstance(error, WetreadError):
        return str(error), 500
    # Where it happened, and not its words, which can hold a path or what somebody wrote.
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
    structlog.get_logger().error("a page failed", kind=type(error).__name__, at=where)
    return "this page failed; the log of the reading room says where", 500


def _answered(site: Site, handler: Handler, role: str, page: bool, request: Request, body: bytes) -> Response:
    token, now = request.cookies.get(COOKIE, ""), utc_now()
    with site.database.reading() as session:
        found = reader_of(session, token, now) if token else None
    header = site.doors.user_header
    if found is not None and header is not None:
        # Whoever the proxy names by now may be another than the one whose session this is.
        found = found if site.doors.told_name(request.headers.getlist(header)) == found[0].name else None
    if found is None:
        return RedirectResponse("/sign-in", 303) if page else JSONResponse({"error": "sign in first"}, 401)
    reader, due = found
    if due:
        with site.database.writing() as session:
            note_seen(session, token, now)
    if not reader.may(role):
        return _refused(site, f"expected a reader who may {role}, found one who may {reader.role}", 403, page)
    form = form_of(body) if request.method == "POST" else {}
    if request.method == "POST":
        given = request.headers.get("x-csrf-word") or form.get("csrf", "")
        if not hmac.compare_digest(given.encode(), csrf_word(token).encode()):
            why = "expected the word of this session's forms, found another; load the page anew"
            return _refused(site, why, 403, page)
    return handler(Asked(site, reader, token, request.path_params, dict(request.query_params), form))


def _refused(site: Site, why: str, code: int, page: bool) -> Response:
    if page:
        return site.templates.page("fault.html", code, why=why, reader=None, csrf="")
    return JSONResponse({"error": why}, code)
