"""What the HTTP API answers: runs, predictions, films and reviews, as the command line's JSON has them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse, Response

from schemas.errors import UsageError
from web.api_asked import ApiAsked, refusal
from web.api_filters import asked_filters, whole_number
from wetread.clock import utc_now
from wetread.nearest import no_such
from wetread.store.core.locks import lock_reviews
from wetread.store.models.registrations import find_registration
from wetread.store.results.finding import Sort, find_results
from wetread.store.results.one_image import find_image
from wetread.store.reviews.film_facts import labels_of
from wetread.store.reviews.reviews import Said, add_review, all_reviews
from wetread.store.runs.accounts import RunAccount, list_accounts, run_account, shadow_accounts
from wetread.views.accounts import account_json, account_pace
from wetread.views.images import image_json, whole_hash
from wetread.views.result_pages import page_word, read_page_word
from wetread.views.results import result_json
from wetread.views.reviews import review_json
from worker.stages import BESIDE, IN_TURN

USUAL, MOST = 100, 1000
"""Of what is answered at once."""

SORTS = [str(sort) for sort in Sort]
_DIGITS = re.compile("[0-9a-f]{8,64}")


def runs(asked: ApiAsked) -> Response:
    """Answer the runs, the newest first."""
    limit = _limit(asked)
    before = whole_number("after", asked.query["after"]) if "after" in asked.query else None
    with asked.site.database.reading() as session:
        found = list_accounts(session, limit=limit + 1, before=before)
    shown = [run_json(account) for account in found[:limit]]
    return JSONResponse({"runs": shown, "next": str(shown[-1]["run"]) if len(found) > limit else None})


def one_run(asked: ApiAsked) -> Response:
    """Answer one run, with the run that shadows it."""
    number = int(asked.path["run"])
    with asked.site.database.reading() as session:
        try:
            account = run_account(session, number) if number < 2**63 else None
        except UsageError as error:
            return refusal(str(error), 404)
        if account is None:
            return refusal(f"expected a run, found no run {number}", 404)
        return JSONResponse(run_json(account, shadow_accounts(session, number)))


def predictions(asked: ApiAsked) -> Response:
    """Answer the readings that are asked for, and where the next page begins."""
    limit, filters = _limit(asked), asked_filters(asked.site.database, asked.query)
    if (word := asked.query.get("sort")) is not None and word not in SORTS:
        raise UsageError(f"sort: expected one of those that there are, {no_such(word, SORTS)}")
    sort = None if word is None else Sort(word)
    with asked.site.database.reading() as session:
        after = asked.query.get("after")
        begins = None if after is None else read_page_word(session, after, filters, sort, str)
        found = list(find_results(session, filters, limit=limit + 1, sort=sort, after=begins))
        of = None if filters.model_digest is None else find_registration(session, filters.model_digest)
    rows = found[:limit]
    return JSONResponse({
        "predictions": [result_json(row) for row in rows],
        "next": page_word(rows[-1], filters, sort) if len(found) > limit else None,
        "model": None if of is None else of.reference,
    })  # fmt: skip


def film(asked: ApiAsked) -> Response:
    """Answer everything that is known of the images with these bytes."""
    settings = asked.site.settings
    with asked.site.database.reading() as session:
        found = find_image(session, sha256=_sha256(session, asked))
        known = [
            image_json(str(settings.models_directory), one, (*IN_TURN, *BESIDE)) for one in found if one.items
        ]  # fmt: skip
    if not known:
        return refusal("expected the SHA-256 of an image that was screened, found another; see predictions", 404)
    return JSONResponse({"images": known})


def reviews(asked: ApiAsked) -> Response:
    """Answer all that was ever said, oldest first."""
    limit = _limit(asked)
    after = whole_number("after", asked.query["after"]) if "after" in asked.query else 0
    with asked.site.database.reading() as session:
        found = [review_json(*one) for one in all_reviews(session, after=after, limit=limit + 1)]
    shown = found[:limit]
    return JSONResponse({"reviews": shown, "next": str(shown[-1]["review"]) if len(found) > limit else None})


def add(asked: ApiAsked) -> Response:
    """Add what the token's reader says of a film, as the model that is asked for reads it; answer the review."""
    body = asked.body
    filters = asked_filters(asked.site.database, {"model": body["model"]} if "model" in body else {})
    with asked.site.database.writing() as session:
        lock_reviews(session)
        rows = list(find_results(session, replace(filters, sha256=_sha256(session, asked))))
        if not rows:
            return refusal("expected a film that this model has read, found none of this SHA-256", 404)
        if len(models := sorted({row.model for row in rows})) > 1:
            raise UsageError(f"model: expected whose reading was looked at, found none named of {', '.join(models)}")
        row = rows[0]
        said = Said(
            str(body["verdict"]), body.get("label"), body.get("comment", ""), seconds=float(body.get("seconds", 0))
        )
        review = add_review(session, row, labels_of(session, row), asked.reader.id, said, utc_now())
        session.flush()
        shown = review_json(review, asked.reader.name, False)
    return JSONResponse(shown, 201)


def run_json(account: RunAccount, shadows: list[RunAccount] | None = None) -> dict[str, Any]:
    """Return the accounts of a run, as `wetread status --json` prints them."""
    rate, seconds = account_pace(account)
    return account_json(account, shadows or [], images_per_second=rate, seconds=seconds)


def _sha256(session: Any, asked: ApiAsked) -> str:
    digits = str(asked.path["sha256"])
    if not _DIGITS.fullmatch(digits):
        raise UsageError(f"expected a SHA-256, or at least 8 of its digits, found {digits[:80]!r}")
    return whole_hash(session, digits)


def _limit(asked: ApiAsked) -> int:
    return whole_number("limit", asked.query.get("limit", str(USUAL)), least=1, most=MOST)
