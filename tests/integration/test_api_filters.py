"""What the HTTP API's filters refuse, in words, and that a path asks nothing of the server's file systems."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.errors import UsageError
from schemas.tables import Model, ModelAlias
from tests.screened import DIGEST, LABELS, RunKit
from web.api_filters import asked_filters
from wetread.clock import utc_now
from wetread.store.core.database import Database

OTHER = "e" * 64


@pytest.fixture
def read(kit: RunKit, database: Database) -> int:
    """A run of cnn@1 that was read; other@1 has read nothing. Returns the run."""
    run, recorded = kit.filled([b"a.png"])
    kit.settle_all(recorded)
    with database.writing() as session:
        session.add(
            Model(
                digest=OTHER, name="other", version=1, directory="other/1", labels=list(LABELS),
                decision_digest="d" * 64, registered_at=utc_now(),
            )
        )  # fmt: skip
    return run


def production_is(database: Database, digest: str) -> None:
    with database.writing() as session:
        session.merge(ModelAlias(alias="production", model_digest=digest))


def test_without_a_model_it_is_production_s_or_refused(read: int, database: Database) -> None:
    production_is(database, DIGEST)
    assert asked_filters(database, {}).model_digest == DIGEST
    assert asked_filters(database, {"run": str(read)}).model_digest is None
    production_is(database, OTHER)
    with pytest.raises(UsageError, match=r"found production's.*there are: cnn@1"):
        asked_filters(database, {})
    assert asked_filters(database, {"model": "any"}).model_digest is None
    assert asked_filters(database, {"model": "cnn"}).model_digest == DIGEST


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"model": "other"}, "expected one that has readings, found 'other'; there are: cnn@1"),
        ({"model": "other", "run": "1"}, "expected that of run 1, cnn@1, found 'other'"),
        ({"since": "2026-11-30", "until": "2026-11-30"}, "since: expected a time before until"),
        ({"since": "today", "until": "yesterday"}, "since: expected a time before until"),
        ({"acquired_since": "2026-11-30", "acquired_until": "2026-11-30"}, "acquired_since: expected a time before"),
        ({"min_probability": "0.9", "max_probability": "0.1"}, "min_probability: expected at most max_probability"),
    ],
)
def test_what_nothing_can_be_is_refused(read: int, database: Database, query: dict[str, str], said: str) -> None:
    assert read == 1
    production_is(database, DIGEST)
    with pytest.raises(UsageError) as refused:
        asked_filters(database, query)
    assert said in str(refused.value)
    asked_filters(database, {"min_probability": "0.5", "max_probability": "0.5"})
    assert asked_filters(database, {"run": "1", "model": "cnn@1"}).model_digest == DIGEST


def test_a_path_is_looked_up_in_the_database_alone(
    read: int, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    production_is(database, DIGEST)
    link = tmp_path / "link"
    link.symlink_to("/secret")
    monkeypatch.setattr(os.path, "realpath", lambda *_: pytest.fail("it asked the file system"))
    for path in ("/archive", "/archive/a", "a.p"):
        assert path.encode().endswith(asked_filters(database, {"path": path}).path or b"?")
    with pytest.raises(UsageError) as refused:
        asked_filters(database, {"path": str(link)})
    assert "secret" not in str(refused.value) and "/archive" not in str(refused.value)
