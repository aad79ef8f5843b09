"""Signing in and out."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from web.page_request import COOKIE, Asked, fault_of, form_of, whole_body
from web.site import Site
from wetread.clock import utc_now
from wetread.store.readers.readers import Reader, reader_by_name, reader_by_password
from wetread.store.readers.sessions import begin_session, end_session

_AT_ONCE = asyncio.Semaphore(2)
"""Passwords that are tried at once: each takes 32 MiB and a tenth of a second."""


async def show_form(request: Request) -> Response:
    """Show the form; where a proxy says who it is, begin their session at once."""
    site: Site = request.app.state.site
    if site.doors.user_header is None:
        return site.templates.page("sign_in.html", fault=None, reader=None, csrf="")
    try:
        return await run_in_threadpool(_sign_in_as_told, request)
    except Exception as error:  # noqa: BLE001 - as of any page
        return _by_proxy(site, *fault_of(error))


def _sign_in_as_told(request: Request) -> Response:
    site: Site = request.app.state.site
    name = site.doors.told_name(request.headers.getlist(str(site.doors.user_header)))
    if name is None:
        return _by_proxy(site, "The proxy named nobody, or more than one; sign in there.", 403)
    with site.database.reading() as session:
        reader = reader_by_name(session, name)
    if reader is None:
        return _by_proxy(site, f"Nobody who may come in here is called {name!r}: `wetread readers add`.", 403)
    # A page, and no redirect: a browser sends no strict cookie along one that a link of another site began, and would
    # come round here for ever. What our own page opens has it.
    return _begun(site, reader, site.templates.page("signed_in.html", reader=None, csrf=""))


def _by_proxy(site: Site, fault: str | None, code: int) -> Response:
    return site.templates.page("signed_out.html", code, fault=fault, reader=None, csrf="")


async def sign_in(request: Request) -> Response:
    """Begin a session where name and password are right; the form again where they are not.

    The form's own requests carry no word of a session, since there is none yet: the doors hold that it is our page's.
    """
    site: Site = request.app.state.site
    if site.doors.user_header is not None:
        return _by_proxy(site, "Nobody signs in here by a password: the proxy says who it is.", 403)
    form = form_of(await whole_body(request))
    async with _AT_ONCE:
        try:
            return await run_in_threadpool(_sign_in, request, form.get("name", ""), form.get("password", ""))
        except Exception as error:  # noqa: BLE001 - as of any page
            fault, code = fault_of(error)
            return site.templates.page("sign_in.html", code, fault=fault, reader=None, csrf="")


def _sign_in(request: Request, name: str, password: str) -> Response:
    site: Site = request.app.state.site
    address = _caller(request, behind_proxy=site.doors.proxy is not None)
    if (left := site.throttle.seconds_left(name, address)) > 0:
        fault = f"Too many tries. The next one may come in {int(left // 60) + 1} minutes."
        return site.templates.page("sign_in.html", 429, fault=fault, reader=None, csrf="")
    with site.database.reading() as session:
        reader = reader_by_password(session, name, password)
    if reader is None:
        site.throttle.failed(name, address)
        fault = "Nobody signs in by this name and password."
        return site.templates.page("sign_in.html", 403, fault=fault, reader=None, csrf="")
    site.throttle.succeeded(name, address)
    return _begun(site, reader, RedirectResponse("/", 303))


def _begun(site: Site, reader: Reader, answer: Response) -> Response:
    with site.database.writing() as session:
        token = begin_session(session, reader, utc_now())
    answer.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="strict", path="/")
    return answer


def _caller(request: Request, *, behind_proxy: bool) -> str:
    """Return who calls; behind the named proxy, the last address of X-Forwarded-For, which is the one that it added."""
    direct = request.client.host if request.client else ""
    told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip() if behind_proxy else ""
    return told[:64] or direct


def sign_out(asked: Asked) -> Response:
    """End the session."""
    with asked.site.database.writing() as session:
        end_session(session, asked.token)
    by_proxy = asked.site.doors.user_header is not None
    answer = _by_proxy(asked.site, None, 200) if by_proxy else RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict", path="/")
    return answer
