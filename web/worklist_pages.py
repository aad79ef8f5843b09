"""The worklist and the dashboard of runs."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import RedirectResponse, Response

from schemas.errors import UsageError
from schemas.states import RunState
from screening.cancel import cancel_run
from web.list_form import choices, list_of_form, production_of
from web.page_request import Asked
from wetread.clock import utc_now, utc_text
from wetread.path_text import path_text
from wetread.store.results.columns import ResultRow
from wetread.store.results.filters import Filters
from wetread.store.reviews.reading_lists import FilmList, find_list, keep_list
from wetread.store.reviews.reviews import ReviewRow, reviews_of_films
from wetread.store.reviews.worklist import FilmKey, page_of_films
from wetread.store.runs.accounts import list_accounts
from wetread.views.accounts import account_json, account_pace

PAGE = 24
RUNS = 30

_KEY = re.compile(r"(\d{1,19})-(\d{1,19})")


def begin(asked: Asked) -> Response:
    """Go to the list of all films that production read."""
    with asked.site.database.writing() as session:
        number = keep_list(session, FilmList(Filters(model_digest=production_of(session))), utc_now())
    return RedirectResponse(f"/lists/{number}", 303)


def make_list(asked: Asked) -> Response:
    """Go to the list that the form asks for."""
    with asked.site.database.writing() as session:
        number = keep_list(session, list_of_form(session, asked.form), utc_now())
    return RedirectResponse(f"/lists/{number}", 303)


def list_of_run(asked: Asked) -> Response:
    """Go to the list of what a run settled, or of what it could not read."""
    form = {"run": asked.form.get("run", ""), "state": asked.form.get("state", "")}
    with asked.site.database.writing() as session:
        films = list_of_form(session, form | {"order": "oldest" if form["state"] else "triage"})
        number = keep_list(session, films, utc_now())
    return RedirectResponse(f"/lists/{number}", 303)


def show_list(asked: Asked) -> Response:
    """Show a page of a list."""
    number = int(asked.path["list"])
    after = read_key(asked.query["after"]) if asked.query.get("after") else None
    with asked.site.database.reading() as session:
        films = find_list(session, number)
        if films.filters.model_digest is None and films.filters.run is None:
            rows: list[ResultRow] = []
        else:
            rows = page_of_films(session, films, limit=PAGE + 1, beside=after)
        said = reviews_of_films(session, [row.sha256 for row in rows])
        chosen = choices(session, films.filters)
    return asked.site.templates.page(
        "worklist.html", reader=asked.reader, csrf=asked.csrf, number=number, films=films, chosen=chosen,
        rows=[_row(row, said[row.sha256], films, asked.reader.id) for row in rows[:PAGE]],
        more=key_text(rows[PAGE - 1]) if len(rows) > PAGE else None, first=after is None,
        path="" if films.filters.path is None else path_text(films.filters.path),
    )  # fmt: skip


def show_runs(asked: Asked) -> Response:
    """Show the latest runs, and what is to be looked into."""
    with asked.site.database.reading() as session:
        accounts = list_accounts(session, limit=RUNS, running_first=True)
    shown: list[dict[str, Any]] = []
    for account in accounts:
        rate, seconds = account_pace(account)
        body = account_json(account, images_per_second=rate, seconds=seconds)
        shown.append(body | {"can_end": account.state in (RunState.RUNNING, RunState.PAUSED, RunState.INTERRUPTED)})
    now = utc_text(utc_now())
    return asked.site.templates.page("runs.html", reader=asked.reader, csrf=asked.csrf, runs=shown, now=now)


def cancel(asked: Asked) -> Response:
    """Cancel a run."""
    cancel_run(asked.site.database, int(asked.path["run"]))
    return RedirectResponse("/runs", 303)


def key_text(row: ResultRow) -> str:
    """Return a film's key as addresses hold it: RUN-IMAGE."""
    return f"{row.run}-{row.image_id}"


def read_key(text: str) -> FilmKey:
    """Return the key in an address; raise UsageError where it is none."""
    found = _KEY.fullmatch(text)
    if found is None or max(int(found[1]), int(found[2])) >= 2**63:
        raise UsageError("expected RUN-IMAGE in the address, found another; begin the list again")
    return FilmKey(int(found[1]), int(found[2]))


def hides_answer(films: FilmList, said: list[ReviewRow], reader: int) -> bool:
    """Return whether this reader is not to see the model's answer, and what others said, yet."""
    own = [one for one in said if one.reader_id == reader and one.verdict != "withdrawn"]
    return films.blinded and not own


def _row(row: ResultRow, said: list[ReviewRow], films: FilmList, reader: int) -> dict[str, Any]:
    hidden = hides_answer(films, said, reader)
    counting = [one for one in said if not one.superseded and one.verdict != "withdrawn"]
    names = [one.reader for one in counting if not hidden or one.reader_id == reader]
    return {
        "key": key_text(row), "film": row, "hidden": hidden, "name": path_text(row.path).rsplit("/", 1)[-1],
        "path": path_text(row.path), "reviewed_by": names,
    }  # fmt: skip
