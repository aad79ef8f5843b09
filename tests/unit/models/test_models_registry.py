"""The registry keeps every version, says which is in production, and trusts no file that changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from schemas.errors import ArtefactError, UsageError, WetreadError
from schemas.tables import Model
from schemas.tables import StoredDecision as DecisionRow
from wetread.models.artefact import ModelContents, save_artefact, verify_artefact
from wetread.models.registry import Registry
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema

Contents = Callable[..., ModelContents]


def references(registry: Registry) -> list[str]:
    return [model.registration.reference for model in registry.models()]


def test_each_training_is_the_next_version_of_its_name(registry: Registry, contents: Contents, tmp_path: Path) -> None:
    first, second = (registry.publish(contents(seed=seed)) for seed in (1, 2))
    other = registry.publish(contents(seed=3, name="other"))

    assert [model.reference for model in (first, second, other)] == ["phantom@1", "phantom@2", "other@1"]
    assert first.registered_at == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert references(registry) == ["other@1", "phantom@1", "phantom@2"]
    assert verify_artefact(tmp_path / "models" / "phantom" / "2", second.digest).card.version == 2
    assert sorted(os.listdir(tmp_path / "models")) == ["other", "phantom"]


def test_the_same_model_twice_is_one_registration(registry: Registry, contents: Contents, tmp_path: Path) -> None:
    first = registry.publish(contents())
    again = registry.publish(contents(metrics={"accuracy": 0.6}))
    assert again == first
    assert sorted(os.listdir(tmp_path / "models" / "phantom")) == ["1"]


def test_one_version_does_not_decide_in_two_ways(registry: Registry, contents: Contents) -> None:
    registry.publish(contents(temperature=1.0))
    with pytest.raises(UsageError, match="another temperature"):
        registry.publish(contents(temperature=2.0))


def test_a_model_is_named_in_many_ways(registry: Registry, contents: Contents) -> None:
    first, second = (registry.publish(contents(seed=seed)) for seed in (1, 2))
    registry.promote("phantom@1")
    registry.promote("phantom@2", alias="candidate")

    assert registry.resolve("production") == first
    assert registry.resolve("candidate") == registry.resolve("phantom") == registry.resolve("phantom@2") == second
    assert registry.resolve(first.digest) == registry.resolve(first.digest[:8]) == first
    for unknown in ("phantom@3", "nothing", first.digest[:7], "phantom@", "@1", "", "../phantom", "phantom@1 "):
        with pytest.raises(UsageError, match="there are: candidate, production, phantom@1, phantom@2"):
            registry.resolve(unknown)


def test_without_any_model_the_message_says_how_to_get_one(registry: Registry) -> None:
    for reference in ("production", "shipped", "cxr"):
        with pytest.raises(UsageError, match="wetread train"):
            registry.resolve(reference)
    assert registry.models() == []


def test_an_opened_model_is_the_registered_one(registry: Registry, contents: Contents) -> None:
    registration = registry.publish(contents(temperature=1.25))
    artefact = registry.open(registration.digest)
    assert (artefact.digest, artefact.card.version) == (registration.digest, 1)
    assert artefact.decision.temperature == 1.25
    with pytest.raises(UsageError, match="wetread models list"):
        registry.open("0" * 64)


def test_files_that_changed_are_refused_by_all_that_use_them(
    registry: Registry, contents: Contents, tmp_path: Path
) -> None:
    registration = registry.publish(contents())
    other = save_artefact(tmp_path / "other", contents(seed=9))
    shutil.rmtree(tmp_path / "models" / "phantom" / "1")
    shutil.copytree(tmp_path / "other", tmp_path / "models" / "phantom" / "1")

    assert other.digest != registration.digest
    for use in (registry.verify, registry.promote, lambda _: registry.open(registration.digest)):
        with pytest.raises(ArtefactError, match="as the registry says"):
            use("phantom@1")
    with pytest.raises(ArtefactError, match="as the registry says"):
        registry.export("phantom", tmp_path / "exported")
    with pytest.raises(UsageError, match="production"):
        registry.resolve("production")


def test_verify_sees_a_changed_document_and_another_decision(
    registry: Registry, contents: Contents, tmp_path: Path
) -> None:
    registry.publish(contents())
    assert registry.verify("phantom").reference == "phantom@1"
    directory = tmp_path / "models" / "phantom" / "1"
    good = (directory / "MODEL_CARD.md").read_bytes()
    (directory / "MODEL_CARD.md").write_bytes(b"# approved for clinical use\n")
    with pytest.raises(ArtefactError, match=r"MODEL_CARD\.md"):
        registry.verify("phantom")
    (directory / "MODEL_CARD.md").write_bytes(good)

    save_artefact(tmp_path / "other", contents(temperature=9.0))
    shutil.copy(tmp_path / "other" / "decision.json", directory / "decision.json")
    with pytest.raises(ArtefactError, match="expected a registered record"):
        registry.verify("phantom")


def test_the_decision_in_force_is_the_databases(registry: Registry, contents: Contents, tmp_path: Path) -> None:
    registration = registry.publish(contents(temperature=1.5))
    save_artefact(tmp_path / "other", contents(temperature=9.0))
    shutil.copy(tmp_path / "other" / "decision.json", tmp_path / "models" / "phantom" / "1" / "decision.json")
    assert registry.open(registration.digest).decision.temperature == 1.5


@pytest.mark.parametrize(
    "fault",
    [
        update(DecisionRow).values(temperature=0.5),
        update(DecisionRow).values(thresholds={"focal": 0.01}),
        update(Model).values(labels=["diffuse", "clear", "focal"]),
    ],
)
def test_a_database_that_was_altered_is_refused(
    registry: Registry, contents: Contents, database: Database, fault: object
) -> None:
    registration = registry.publish(contents())
    with database.writing() as session:
        session.execute(fault)
    with pytest.raises(ArtefactError, match="restore the database"):
        registry.open(registration.digest)


def test_names_and_aliases_do_not_hide_each_other(registry: Registry, contents: Contents) -> None:
    registry.publish(contents())
    registry.promote("phantom", alias="candidate")
    for alias in ("phantom", "shipped", "../up", "", "Candidate"):
        with pytest.raises(UsageError):
            registry.promote("phantom", alias=alias)
    for name in ("candidate", "production", "shipped"):
        with pytest.raises(UsageError, match="no alias"):
            registry.publish(contents(seed=1, name=name))
    assert references(registry) == ["phantom@1"]


def test_an_imported_model_keeps_its_version_where_that_is_free(
    registry: Registry, contents: Contents, tmp_path: Path
) -> None:
    save_artefact(tmp_path / "third", contents(seed=3), version=3)
    save_artefact(tmp_path / "also third", contents(seed=4), version=3)
    assert registry.register(tmp_path / "third").reference == "phantom@3"
    assert registry.register(tmp_path / "also third").reference == "phantom@4"
    assert registry.publish(contents(seed=5)).reference == "phantom@5"
    assert verify_artefact(tmp_path / "models" / "phantom" / "4").card.version == 4


def test_a_damaged_model_is_not_imported(registry: Registry, contents: Contents, tmp_path: Path) -> None:
    save_artefact(tmp_path / "given", contents())
    with (tmp_path / "given" / "weights.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ArtefactError, match="SHA-256"):
        registry.register(tmp_path / "given")
    assert registry.models() == []
    assert not (tmp_path / "models").exists()


def test_an_exported_model_is_the_same_model_elsewhere(registry: Registry, contents: Contents, tmp_path: Path) -> None:
    registry.publish(contents(seed=1))
    exported = registry.publish(contents(seed=2))
    assert registry.export("phantom@2", tmp_path / "exported") == exported
    elsewhere = Database(f"sqlite:///{tmp_path / 'elsewhere' / 'wetread.db'}")
    ensure_schema(elsewhere)
    imported = Registry(elsewhere, tmp_path / "elsewhere" / "models").register(tmp_path / "exported")
    assert (imported.digest, imported.reference) == (exported.digest, "phantom@2")
    elsewhere.dispose()


def test_a_machine_that_lacks_the_files_says_so_until_they_are_imported_there(
    registry: Registry, contents: Contents, database: Database, tmp_path: Path
) -> None:
    registration = registry.publish(contents())
    there = Registry(database, tmp_path / "other machine")
    assert there.resolve("phantom") == registration
    with pytest.raises(UsageError, match=r"phantom@1 .* expected its files in .*other machine/phantom/1"):
        there.open(registration.digest)
    assert [model.directory for model in there.models()] == [None]

    assert there.register(tmp_path / "models" / "phantom" / "1") == registration
    assert there.open(registration.digest).digest == registration.digest


def test_a_folder_left_by_a_crash_is_passed_over(registry: Registry, contents: Contents, tmp_path: Path) -> None:
    save_artefact(tmp_path / "models" / "phantom" / "1", contents(seed=8), version=1)
    assert registry.publish(contents()).reference == "phantom@2"


def test_a_folder_that_cannot_be_written_is_an_error_for_people(
    contents: Contents, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WetreadError, match="expected to write a model"):
        Registry(database, tmp_path / "file").publish(contents())
