"""What the HTTP API is told to do: start a run, and cancel one."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from schemas.errors import UsageError
from screening.cancel import cancel_run
from web.api_answers import run_json
from web.api_asked import ApiAsked, refusal
from wetread.store.runs.accounts import run_account, shadow_accounts


def start(asked: ApiAsked) -> Response:
    """Start a run, or go on with the one of the same directories that is unfinished; answer its accounts, 202."""
    body, runs = asked.body, asked.site.runs
    if not body["directories"]:
        raise UsageError("directories: expected at least one, found none")
    if (going := runs.going) is not None:
        return refusal(f"expected no run going on here, found run {going}; wait, or cancel it", 409)
    number = runs.start(
        body["directories"], body.get("model", "production"), body.get("engine", "numpy"),
        force=body.get("force", False), shadow=body.get("shadow"),
    )  # fmt: skip
    with asked.site.database.reading() as session:
        shown = run_json(run_account(session, number), shadow_accounts(session, number))
    return JSONResponse(shown, 202)


def cancel(asked: ApiAsked) -> Response:
    """Cancel what is pending in a run and in its shadows; answer its accounts."""
    number = int(asked.path["run"])
    with asked.site.database.reading() as session:
        try:
            run_account(session, min(number, 2**63 - 1))
        except UsageError as error:
            return refusal(str(error), 404)
    account, *shadows = cancel_run(asked.site.database, number)
    return JSONResponse(run_json(account, shadows))
