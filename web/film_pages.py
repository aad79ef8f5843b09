"""One film: the page, the facts that it shows, and the pictures."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse, Response

from schemas.errors import UsageError, WetreadError
from web.film_places import files_of, place_of, preprocess_of
from web.film_reader import FilmToShow
from web.page_request import Asked
from web.worklist_pages import hides_answer, key_text, read_key
from wetread.clock import utc_now, utc_text
from wetread.path_text import path_text
from wetread.store.core.locks import lock_reviews
from wetread.store.models.map_checks import latest_map_checks
from wetread.store.results.columns import ResultRow
from wetread.store.reviews.film_facts import labels_of, of_its_study, said_by_others, thresholds_of
from wetread.store.reviews.reading_lists import FilmList, find_list
from wetread.store.reviews.reviews import ReviewRow, Said, add_review, reviews_of
from wetread.store.reviews.worklist import FilmKey, one_film, page_of_films

_FACTS = ("view", "modality", "acquired_on", "pixel_spacing", "study_uid", "series_uid", "patient_hash")


def show_film(asked: Asked) -> Response:
    """Show the page; its script fetches the rest."""
    number, key = int(asked.path["list"]), asked.path["film"]
    read_key(key)
    return asked.site.templates.page("film.html", reader=asked.reader, csrf=asked.csrf, number=number, key=key)


def film_facts(asked: Asked) -> Response:
    """Answer what the page says of a film, and which films are before and behind it."""
    with asked.site.database.reading() as session:
        films = find_list(session, int(asked.path["list"]))
        row = _film(session, read_key(asked.path["film"]))
        return JSONResponse(_facts(session, asked, films, row) | _beside(session, films, row))


def add(asked: Asked) -> Response:
    """Add what a reader says of a film; answer what the page says then."""
    with asked.site.database.writing() as session:
        lock_reviews(session)
        films = find_list(session, int(asked.path["list"]))
        row, form = _film(session, read_key(asked.path["film"])), asked.form
        if form.get("sha256") != row.sha256:
            raise UsageError("the film has changed since it was read; screen it again")
        said = reviews_of(session, row.sha256)
        verdict, label = form.get("verdict", ""), form.get("label") or None
        if verdict == "label":
            verdict = "agree" if label == row.label else "disagree"
        blinded = hides_answer(films, said, asked.reader.id)
        if blinded and verdict == "agree" and form.get("verdict") == "agree":
            raise UsageError("expected your own label first: the model's answer is not shown yet")
        own = Said(verdict, label, form.get("comment", ""), blinded, _seconds(form.get("seconds", "")))
        add_review(session, row, labels_of(session, row), asked.reader.id, own, utc_now())
        session.flush()
        return JSONResponse(_facts(session, asked, films, row))


def film_values(asked: Asked) -> Response:
    """Answer the whole film's values."""
    return _answer(asked.site.films.film(place_of(asked.site, read_key(asked.path["film"]))), "gzip")


def film_thumb(asked: Asked) -> Response:
    """Answer a small picture of what was read."""
    key = read_key(asked.path["film"])
    with asked.site.database.reading() as session:
        row = _film(session, key)
    return _answer(asked.site.films.thumb(place_of(asked.site, key), row.sha256), None)


def film_as_read(asked: Asked) -> Response:
    """Answer the film as the model sees it: after CLAHE and brightness, or its lung field."""
    key = read_key(asked.path["film"])
    with asked.site.database.reading() as session:
        digest = _film(session, key).model_digest
    try:
        preprocess, files = preprocess_of(asked.site, digest), files_of(asked.site, digest)
    except WetreadError as error:
        return JSONResponse({"error": str(error)}, 404)
    return _answer(asked.site.films.as_read(place_of(asked.site, key), preprocess, files, digest), None)


def film_map(asked: Asked) -> Response:
    """Answer where the model looks for its most probable label; nothing of a film whose answer is not shown yet."""
    key = read_key(asked.path["film"])
    with asked.site.database.reading() as session:
        films, row = find_list(session, int(asked.path["list"])), _film(session, key)
        if row.label is None or hides_answer(films, reviews_of(session, row.sha256), asked.reader.id):
            raise UsageError("expected a film whose answer is shown, found one whose is not")
        checks = latest_map_checks(session, row.model_digest)
    refused = [one.method for one in checks.values() if one.refused is not None]
    try:
        files = files_of(asked.site, row.model_digest)
    except WetreadError as error:
        return JSONResponse({"error": str(error)}, 404)
    shown = asked.site.films.where_it_looks(place_of(asked.site, key), files, row.model_digest, row.label, refused)
    return _answer(shown, None)


def _answer(shown: FilmToShow, encoding: str | None) -> Response:
    if shown.fault is not None:
        return JSONResponse({"error": shown.fault}, 422)
    kind = "image/png" if encoding is None else "application/octet-stream"
    headers = {"x-film": json.dumps(dict(shown.facts))}
    return Response(shown.data, media_type=kind, headers=headers | ({"content-encoding": encoding} if encoding else {}))


def _film(session: Any, key: FilmKey) -> ResultRow:
    row = one_film(session, key)
    if row is None:
        raise UsageError("expected a film that was settled, found none of this number; begin the list again")
    return row


def _seconds(text: str) -> float:
    try:
        return float(text or 0)
    except ValueError as error:
        raise UsageError("seconds: expected a number") from error


def _beside(session: Any, films: FilmList, row: ResultRow) -> dict[str, Any]:
    here = FilmKey(row.run, row.image_id)
    found: dict[str, Any] = {"next": None, "previous": None}
    for name, backwards in (("next", False), ("previous", True)):
        try:
            rows = page_of_films(session, films, limit=1, beside=here, backwards=backwards)
        except UsageError:  # reached from elsewhere: this film is none of the list's
            continue
        found[name] = key_text(rows[0]) if rows else None
    return found


def _facts(session: Any, asked: Asked, films: FilmList, row: ResultRow) -> dict[str, Any]:
    said = reviews_of(session, row.sha256)
    hidden = hides_answer(films, said, asked.reader.id)
    own = next((one for one in said if one.reader_id == asked.reader.id and not one.superseded), None)
    body: dict[str, Any] = {
        "key": key_text(row), "path": path_text(row.path), "sha256": row.sha256, "state": row.state,
        "reason": row.reason, "detail": row.detail, "run": row.run, "labels": labels_of(session, row),
        "notes": [note for note in (row.display_note or "").split(",") if note],
        "facts": {name: _text(getattr(row, name)) for name in _FACTS if getattr(row, name) is not None},
        "study": [
            {"key": key_text(one), "view": one.view, "label": None if films.blinded else one.label}
            for one in of_its_study(session, row)
        ],
        "hidden": hidden, "may_review": asked.reader.may("review") and row.sha256 is not None,
        "own": None if own is None or own.verdict == "withdrawn" else _review(own),
    }  # fmt: skip
    if not hidden:
        thresholds = thresholds_of(session, row.decision_digest)
        body |= {
            "model": row.model, "label": row.label, "decision": row.decision, "probability": row.probability,
            "bars": [
                {"label": label, "probability": share, "threshold": thresholds.get(label, 0.0)}
                for label, share in (row.probabilities or {}).items()
            ],
            "others": [
                {"model": model, "label": label, "probability": share, "decision": decision}
                for model, label, share, decision in said_by_others(session, row)
            ],
            "reviews": [_review(one) for one in said],
        }  # fmt: skip
    return body


def _review(one: ReviewRow) -> dict[str, Any]:
    return {
        "reader": one.reader, "verdict": one.verdict, "label": one.label, "comment": one.comment,
        "blinded": one.blinded, "superseded": one.superseded, "at": utc_text(one.created_at),
    }  # fmt: skip


def _text(value: Any) -> str:
    return " x ".join(f"{one:g}" for one in value) + " mm" if isinstance(value, list | tuple) else str(value)
