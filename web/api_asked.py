"""What the HTTP API is asked: by whose token, with which values; what is mistyped is refused, and never passed over."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from schemas.errors import UsageError
from web.page_request import fault_of, whole_body
from web.site import Site
from wetread.clock import utc_now
from wetread.nearest import no_such
from wetread.store.readers.readers import Reader
from wetread.store.readers.tokens import reader_of_token

_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class ApiAsked:
    """A question of a program. path: of the address; query: what is behind ?; body: of a POST."""

    site: Site
    reader: Reader
    path: Mapping[str, Any]
    query: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ApiValue:
    """A value that is behind ? or in a body. schema: JSON Schema of it, as OpenAPI has it."""

    text: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """One thing that the API does. role: that a reader needs; query, body: the values that it takes, and no others."""

    method: str
    path: str
    handler: Callable[[ApiAsked], Response]
    says: str
    answer: str
    role: str = "look"
    query: Mapping[str, ApiValue] = field(default_factory=dict)
    body: Mapping[str, ApiValue] = field(default_factory=dict)


def refusal(why: str, code: int) -> Response:
    """Return an answer that says what was expected, and what was found."""
    headers = {"www-authenticate": "Bearer"} if code == 401 else None
    return JSONResponse({"error": why}, code, headers)


def endpoint_of(operation: ApiOperation) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers `operation`."""

    async def endpoint(request: Request) -> Response:
        body = await whole_body(request)
        return await run_in_threadpool(_answer, operation, request, body)

    return endpoint


async def nothing_there(request: Request) -> Response:
    """Answer an address, or a method, that there is not."""
    return refusal(f"expected an address of /api/v1/openapi.json, found none for {request.method}", 404)


def _answer(operation: ApiOperation, request: Request, body: bytes) -> Response:
    site: Site = request.app.state.site
    try:
        scheme, secret = request.headers.get("authorization", "")[:7], request.headers.get("authorization", "")[7:]
        if scheme.lower() != _SCHEME or not secret:
            return refusal("expected a token in Authorization: Bearer, found none; see `wetread tokens add`", 401)
        with site.database.reading() as session:
            reader = reader_of_token(session, secret.strip(), utc_now())
        if reader is None:
            return refusal("expected a token that counts, found another: it was revoked, ended or never given", 401)
        if not reader.may(operation.role):
            return refusal(f"expected a token that may {operation.role}, found one that may {reader.role}", 403)
        query = _query(operation, request)
        return operation.handler(ApiAsked(site, reader, request.path_params, query, _body(operation, request, body)))
    except UsageError as error:
        return refusal(str(error), 400)
    except Exception as error:  # noqa: BLE001 - a fault of one answer is none of the room
        return refusal(*fault_of(error))


def _query(operation: ApiOperation, request: Request) -> Mapping[str, str]:
    given = request.query_params.multi_items()
    for name, value in given:
        if name not in operation.query:
            raise UsageError(f"expected one of the filters that there are, {no_such(name, list(operation.query))}")
        if not value:
            raise UsageError(f"{name}: expected a value, found none; leave the name out to ask for any")
    names = [name for name, _ in given]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{twice[0]}: expected one value, found {names.count(twice[0])}")
    return dict(given)


def _body(operation: ApiOperation, request: Request, body: bytes) -> Mapping[str, Any]:
    if request.method != "POST":
        return {}
    if not operation.body and not body:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise UsageError("expected a body of Content-Type: application/json, found another")
    try:
        found = json.loads(body)
    except ValueError as error:
        raise UsageError("expected a JSON object, found what is no JSON") from error
    if not isinstance(found, dict):
        raise UsageError(f"expected a JSON object, found {type(found).__name__}")
    for name, value in found.items():
        if name not in operation.body:
            raise UsageError(f"expected one of the names that there are, {no_such(name, list(operation.body))}")
        check_value(name, value, operation.body[name].schema)
    if missing := [name for name, value in operation.body.items() if value.required and name not in found]:
        raise UsageError(f"{missing[0]}: expected a value, found none")
    return found


_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "number": (int, float), "boolean": (bool,), "array": (list,)
}  # fmt: skip


def check_value(name: str, value: Any, schema: Mapping[str, Any]) -> None:
    """Raise UsageError where a value of a body is of another kind than `schema` says, or none of its words."""
    kind, words = schema["type"], list(schema.get("enum", ()))
    fits = isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not fits:
        raise UsageError(f"{name}: expected {kind}, found {json.dumps(value)[:40]}")
    if words and value not in words:
        raise UsageError(f"{name}: expected one of those that there are, {no_such(value, words)}")
    if kind == "array":
        for one in value:
            check_value(name, one, schema["items"])
