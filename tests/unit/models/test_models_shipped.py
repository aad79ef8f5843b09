"""The models that come with the program: in production until another is, and held to the digests in the code."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import ArtefactError, UnsafeError, UsageError
from wetread.models import registry as registry_module
from wetread.models.artefact import ModelContents, save_artefact, verify_artefact
from wetread.models.card import Provenance
from wetread.models.registry import Registry
from wetread.models.shipped import ACCEPTED_AUDITS, SHIPPED, shipped_directory
from wetread.store.core.database import Database

Contents = Callable[..., ModelContents]


def test_the_shipped_model_is_production_until_another_is_promoted(
    registry: Registry, contents: Contents, ship: Callable[..., None], tmp_path: Path
) -> None:
    digest = save_artefact(tmp_path / "program" / "film", contents(name="film"), version=2).digest
    ship(film=digest)
    for reference in ("production", "shipped", "film", "film@2"):
        assert registry.resolve(reference).digest == digest
    assert registry.open(digest).card.name == "film"
    assert registry.models()[0].aliases == ("production", "shipped")
    assert not (tmp_path / "models").exists()

    registry.publish(contents(seed=1))
    registry.promote("phantom")
    assert registry.resolve("production").reference == "phantom@1"
    assert registry.resolve("shipped").digest == digest
    registry.rollback()
    assert registry.resolve("production").digest == digest


def test_a_shipped_model_that_was_altered_is_refused(
    registry: Registry, contents: Contents, ship: Callable[..., None], tmp_path: Path
) -> None:
    trusted = save_artefact(tmp_path / "elsewhere", contents(name="film")).digest
    save_artefact(tmp_path / "program" / "film", contents(seed=1, name="film"))
    ship(film=trusted)
    with pytest.raises(ArtefactError, match="as the registry says"):
        registry.resolve("production")


def test_a_site_that_used_the_shipped_name_keeps_its_versions(
    registry: Registry, contents: Contents, database: Database, ship: Callable[..., None], tmp_path: Path
) -> None:
    registry.publish(contents(seed=1, name="film"))
    digest = save_artefact(tmp_path / "program" / "film", contents(name="film"), version=1).digest
    ship(film=digest)
    upgraded = Registry(database, tmp_path / "models")
    assert upgraded.resolve("shipped").reference == "film@2"
    assert upgraded.open(digest).digest == digest
    assert upgraded.resolve("film@1").digest != digest


def test_a_model_that_is_no_longer_shipped_can_be_imported_again(
    registry: Registry, contents: Contents, database: Database, ship: Callable[..., None], tmp_path: Path
) -> None:
    old = save_artefact(tmp_path / "program" / "film", contents(name="film")).digest
    ship(film=old)
    registry.export("shipped", tmp_path / "kept")
    shutil.rmtree(tmp_path / "program" / "film")
    new = save_artefact(tmp_path / "program" / "film", contents(seed=1, name="film"), version=2).digest
    ship(film=new)
    upgraded = Registry(database, tmp_path / "models")
    assert upgraded.resolve("production").digest == new
    with pytest.raises(UsageError, match="expected its files"):
        upgraded.open(old)
    upgraded.register(tmp_path / "kept")
    assert upgraded.open(old).digest == old


def test_going_back_to_a_shipped_model_of_unsafe_data_counts_its_own_acceptance(
    registry: Registry, contents: Contents, ship: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = {"kind": "shortcut_source", "severity": "unsafe", "text": "the source alone predicts focal"}
    extra = {"audit": {"unsafe": True, "findings": [finding]}}
    provenance = Provenance("numpy", "cnn", 0, "2026-11-23T05:00:00+00:00", extra=extra)
    ship(film=save_artefact(tmp_path / "program" / "film", contents(name="film", provenance=provenance)).digest)
    registry.publish(contents(seed=1))
    registry.promote("phantom")
    with pytest.raises(UnsafeError, match="accept-audit"):
        registry.rollback()
    monkeypatch.setattr(registry_module, "ACCEPTED_AUDITS", {"film": "it came with the program"})
    assert registry.rollback().accepted_audit == "it came with the program"
    assert registry.promote("film", alias="candidate").accepted_audit == "it came with the program"


def test_what_ships_of_unsafe_data_says_why() -> None:
    for name in SHIPPED:
        card = verify_artefact(shipped_directory(name)).card
        assert not card.provenance.unsafe_findings or ACCEPTED_AUDITS[name]
    assert set(ACCEPTED_AUDITS) <= set(SHIPPED)


def test_what_ships_is_what_the_program_says() -> None:
    shipped = os.path.dirname(shipped_directory("any"))
    folders = sorted(os.listdir(shipped)) if os.path.isdir(shipped) else []
    assert folders == sorted(SHIPPED)
    for name, digest in SHIPPED.items():
        assert verify_artefact(shipped_directory(name), digest).card.name == name
