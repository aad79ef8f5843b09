"""All that the HTTP API does, as a table: its routes, and its description as OpenAPI, come from it."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.predictions import ENGINES
from schemas.review_tables import VERDICTS
from web import api_answers, api_orders
from web.api_asked import ApiAsked, ApiOperation, ApiValue, endpoint_of, nothing_there
from web.api_filters import FILTERS
from web.page_request import Asked

BASE = "/api/v1"
_LIMIT = ApiValue("At most so many.", {"type": "integer", "minimum": 1, "maximum": api_answers.MOST})
_AFTER = ApiValue("The word `next` of the page before.")
_PAGE = {"limit": _LIMIT, "after": _AFTER}
_SEEN = "{sha256}: 8 digits are enough where they are one film's."


def describe(asked: ApiAsked) -> Response:  # noqa: ARG001 - it is the same for everybody
    """Answer this API's description."""
    return JSONResponse(document())


def show_page(asked: Asked) -> Response:
    """Show the description as a page, without scripts."""
    return asked.site.templates.page(
        "api.html", reader=asked.reader, csrf=asked.csrf, operations=OPERATIONS, base=BASE
    )  # fmt: skip


OPERATIONS = (
    ApiOperation("GET", "/openapi.json", describe, "This description, as OpenAPI 3.1.", "the description"),
    ApiOperation(
        "GET", "/runs", api_answers.runs, "Runs, the newest first.",
        "runs: as `wetread runs list --json`; next: of the next page, or null", query=_PAGE,
    ),
    ApiOperation(
        "GET", "/runs/{run:int}", api_answers.one_run, "One run, with the run that shadows it.",
        "as `wetread status --json`",
    ),
    ApiOperation(
        "POST", "/runs", api_orders.start,
        "Start a run, or go on with the unfinished one of the same directories. It is read by workers where there is a "
        "broker, else by this room, one run at a time; it answers before the run has ended.",
        "202, and the run's accounts", "manage",
        body={
            "directories": ApiValue(
                "Absolute, at or below a root that was screened before.",
                {"type": "array", "items": {"type": "string"}}, required=True,
            ),
            "model": ApiValue("NAME, NAME@VERSION or a digest; without it, production."),
            "shadow": ApiValue("Another model, which reads the same films beside it."),
            "engine": ApiValue("What computes; without it, numpy.", {"type": "string", "enum": list(ENGINES)}),
            "force": ApiValue("Read again what this model has read.", {"type": "boolean"}),
        },
    ),
    ApiOperation(
        "POST", "/runs/{run:int}/cancel", api_orders.cancel, "Cancel what is pending in a run and in its shadows.",
        "the run's accounts", "manage",
    ),
    ApiOperation(
        "GET", "/predictions", api_answers.predictions, "Readings, by the filters of `wetread results list`.",
        "predictions: each as of `wetread results list --format jsonl`; next; model: whose, where it is one's",
        query=FILTERS | {"sort": ApiValue("In which order.", {"type": "string", "enum": api_answers.SORTS})} | _PAGE,
    ),
    ApiOperation(
        "GET", "/films/{sha256}", api_answers.film, f"Everything known of one film. {_SEEN}",
        "images: as `wetread results show --json`",
    ),
    ApiOperation(
        "GET", "/reviews", api_answers.reviews, "All that readers ever said, oldest first.",
        "reviews: as `wetread reviews list --json`; next", query=_PAGE,
    ),
    ApiOperation(
        "POST", "/films/{sha256}/reviews", api_answers.add,
        f"Say what the token's reader sees; it supersedes what they said of this film before. {_SEEN}",
        "201, and the review", "review",
        body={
            "verdict": ApiValue("What is said.", {"type": "string", "enum": list(VERDICTS)}, required=True),
            "label": ApiValue("Of the model's labels; of disagree it must be there."),
            "comment": ApiValue("At most 4000 characters."),
            "seconds": ApiValue("How long the film was looked at.", {"type": "number", "minimum": 0}),
            "model": ApiValue("Whose reading was looked at; without it, production's."),
        },
    ),
)  # fmt: skip


def api_routes() -> list[Route]:
    """Return the routes of the API; behind them, what answers addresses and methods that there are not."""
    found = [Route(BASE + one.path, endpoint_of(one), methods=[one.method]) for one in OPERATIONS]
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return [*found, Route(BASE + "/{rest:path}", nothing_there, methods=methods), Route(BASE, nothing_there)]


def document() -> dict[str, Any]:
    """Return the description, as OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path.replace(":int", ""), {})[one.method.lower()] = _described(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "wetread", "version": "1",
            "description": "Runs, readings, films and reviews. Research software: not for diagnostic use.",
        },
        "servers": [{"url": BASE}],
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Refusal": {
                "type": "object", "required": ["error"],
                "properties": {"error": {"type": "string", "description": "what was expected, and what was found"}},
            }},
        },
        "paths": paths,
    }  # fmt: skip


def _described(one: ApiOperation) -> dict[str, Any]:
    refused = {"$ref": "#/components/schemas/Refusal"}
    code = next((word for word in ("201", "202") if one.answer.startswith(word)), "200")
    parameters = [
        {
            "name": name, "in": "path", "required": True,
            "schema": {"type": "integer" if kind else "string"},
        }
        for name, kind in re.findall(r"\{(\w+)(:int)?\}", one.path)
    ]  # fmt: skip
    parameters += [
        {"name": name, "in": "query", "required": value.required, "description": value.text, "schema": value.schema}
        for name, value in one.query.items()
    ]
    body: dict[str, Any] = {
        "summary": one.says, "description": f"The token may {one.role}.", "parameters": parameters,
        "responses": {
            code: {"description": one.answer, "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"description": "refused", "content": {"application/json": {"schema": refused}}},
        },
    }  # fmt: skip
    if one.body:
        schema = {
            "type": "object", "additionalProperties": False,
            "required": [name for name, value in one.body.items() if value.required],
            "properties": {name: {**value.schema, "description": value.text} for name, value in one.body.items()},
        }  # fmt: skip
        body["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return body
