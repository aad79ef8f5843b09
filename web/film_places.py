"""Where a film lies, by its number, and how a model prepares it: what the processes that read films are told."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from schemas.errors import UsageError
from schemas.films import Accepted
from web.film_reader import FilmPlace
from web.site import Site
from wetread.models.artefact import load_artefact
from wetread.models.folder import ModelsFolder
from wetread.store.models.registrations import find_registration
from wetread.store.reviews.film_facts import where_it_lies
from wetread.store.reviews.worklist import FilmKey


def place_of(site: Site, key: FilmKey) -> FilmPlace:
    """Return where the film lies; raise UsageError where there is no such film."""
    with site.database.reading() as session:
        root, path, accepts = where_it_lies(session, key)
    return FilmPlace(site.settings.local_root(root), path, site.settings.accepted | Accepted.from_json(accepts))


def files_of(site: Site, digest: str) -> str:
    """Return the folder of a model's files; raise UsageError where they are not here."""
    with site.database.reading() as session:
        registration = find_registration(session, digest)
    if registration is None:
        raise UsageError("expected a registered model, found none")
    return ModelsFolder(str(site.settings.models_directory)).locate(registration)


def preprocess_of(site: Site, digest: str) -> Mapping[str, Any]:
    """Return a model's record of preprocessing; raise UsageError or ArtefactError where its files are not here."""
    return _preprocess(files_of(site, digest), digest)


@lru_cache(maxsize=8)
def _preprocess(directory: str, digest: str) -> Mapping[str, Any]:
    return load_artefact(directory, trusted_digest=digest).card.preprocess.to_json()
