"""The registry keeps every version, says which is in production, and trusts no file that changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from schemas.errors import ArtefactError, UnsafeError, UsageError, WetreadError
from schemas.tables import Model
from schemas.tables import StoredDecision as DecisionRow
from tests.measured import MEASURED
from wetread.models.artefact import ModelContents, save_artefact, verify_artefact
from wetread.models.card import Provenance
from wetread.models.registry import Registry
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.models.evaluations import StoredEvaluation, keep_evaluation

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


def test_production_moves_and_is_rolled_back(registry: Registry, contents: Contents) -> None:
    one, two = (registry.publish(contents(seed=seed)).digest for seed in (1, 2))
    with pytest.raises(UsageError, match="promote one"):
        registry.rollback()
    registry.promote("phantom@1")
    with pytest.raises(UsageError, match="promote one"):
        registry.rollback()
    registry.promote("phantom@2")
    registry.promote("phantom@2")  # no move: nothing to roll back to

    assert registry.rollback().model_digest == one
    assert registry.resolve("production").digest == one
    assert [(move.previous_digest, move.model_digest) for move in registry.moves()] == [
        (two, one),
        (one, two),
        (None, one),
    ]
    assert [model.aliases for model in registry.models()] == [("production",), ()]


def test_going_back_again_goes_further_back_and_never_to_what_was_left(registry: Registry, contents: Contents) -> None:
    one, two, three, four = (registry.publish(contents(seed=seed)).digest for seed in (1, 2, 3, 4))
    for version in (1, 2, 3):
        registry.promote(f"phantom@{version}")
    assert [registry.rollback().model_digest for _ in range(2)] == [two, one]
    with pytest.raises(UsageError, match="expected an earlier model"):
        registry.rollback()
    registry.promote("phantom@4")
    registry.promote("phantom@3")
    assert [registry.rollback().model_digest for _ in range(2)] == [four, one]
    assert registry.resolve("production").digest == one != three


@pytest.mark.parametrize(("accuracy", "asks"), [(0.404, True), (0.75, False), (0.9, False)])
def test_a_model_whose_card_is_below_that_of_what_serves_is_promoted_with_a_reason_only(
    registry: Registry, contents: Contents, accuracy: float, asks: bool
) -> None:
    registry.publish(contents(seed=1))
    lower = {**MEASURED["test"], "accuracy": {"value": accuracy, "low": accuracy - 0.1, "high": accuracy + 0.1}}
    registry.publish(contents(seed=2, metrics={"test": lower}))
    registry.promote("phantom@1")
    standing = registry.standing("phantom@2")
    assert standing.serving is not None and standing.serving_measured is not None
    assert standing.serving.reference == "phantom@1" and standing.serving_measured.figures["accuracy"]["value"] == 0.75
    if asks:
        with pytest.raises(UnsafeError, match=r"below those of phantom@1, found accuracy 0\.404 .* against 0\.750"):
            registry.promote("phantom@2")
    assert registry.promote("phantom@2", accept_evaluation="a pilot").accepted_evaluation == (
        "a pilot" if asks else None
    )


def test_a_comparison_on_the_same_films_counts_more_than_cards_of_different_films(
    registry: Registry, contents: Contents
) -> None:
    one = registry.publish(contents(seed=1)).digest
    lower = {**MEASURED["test"], "accuracy": {"value": 0.4, "low": 0.3, "high": 0.5}}
    two = registry.publish(contents(seed=2, metrics={"test": lower})).digest
    registry.promote("phantom@1")
    keep(registry, compared(two, one, -0.1, 0.2))
    assert registry.promote("phantom@2").accepted_evaluation is None


def unsafe(contents: Contents, seed: int = 0) -> ModelContents:
    """A model whose training data was audited and found unsafe."""
    findings = [
        {"kind": "shortcut_source", "severity": "unsafe", "text": "the source alone predicts focal"},
        {"kind": "shortcut_size", "severity": "warning", "text": "the size alone predicts clear"},
    ]
    extra = {"audit": {"unsafe": True, "findings": findings}}
    return contents(seed=seed, provenance=Provenance("numpy", "cnn", seed, "2026-11-23T05:00:00+00:00", extra=extra))


def test_a_model_of_unsafe_data_is_promoted_with_a_reason_only(registry: Registry, contents: Contents) -> None:
    registry.publish(unsafe(contents))
    for reason in (None, "", "  "):
        with pytest.raises(UnsafeError, match=r"the source alone predicts focal\. Mend it") as caught:
            registry.promote("phantom@1", accept_audit=reason)
        assert "size" not in str(caught.value), "a warning is no reason to refuse"
    assert registry.moves() == []
    move = registry.promote("phantom@1", accept_audit=" it serves a study ")
    assert move.accepted_audit == "it serves a study"
    assert registry.moves() == [move]


def test_a_reason_is_asked_for_each_alias_but_not_for_a_rollback(registry: Registry, contents: Contents) -> None:
    registry.publish(unsafe(contents))
    registry.publish(contents(seed=1))
    registry.promote("phantom@1", accept_audit="known")
    with pytest.raises(UnsafeError):
        registry.promote("phantom@1", alias="candidate")
    assert registry.promote("phantom@2", accept_audit="nothing to accept").accepted_audit is None
    assert registry.rollback().accepted_audit == "known"
    assert registry.accepted_audit(registry.resolve("phantom@2").digest) is None


def test_an_audit_that_found_nothing_unsafe_asks_for_nothing(registry: Registry, contents: Contents) -> None:
    for seed, audit in enumerate(({"unsafe": False, "findings": []}, None, "none")):
        provenance = Provenance("numpy", "cnn", seed, "2026-11-23T05:00:00+00:00", extra={"audit": audit})
        registry.publish(contents(seed=seed, provenance=provenance))
        registry.promote(f"phantom@{seed + 1}")


def compared(one: str, other: str | None, low: float, high: float, *, learned_from: bool = False) -> StoredEvaluation:
    figure = {"value": (low + high) / 2, "low": low, "high": high}
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return StoredEvaluation(one, other, "f" * 64, "test", learned_from, 20, 10, {"macro_auroc": figure}, now)


def keep(registry: Registry, evaluation: StoredEvaluation) -> None:
    with registry._database.writing() as session:
        keep_evaluation(session, evaluation)


def test_a_model_that_nobody_measured_is_promoted_with_a_reason_only(registry: Registry, contents: Contents) -> None:
    digest = registry.publish(contents(metrics={"train": MEASURED["test"]})).digest
    keep(registry, compared(digest, None, 0.7, 0.9, learned_from=True))
    with pytest.raises(UnsafeError, match=r"found none\. Measure it: wetread evaluate phantom@1 DATA") as caught:
        registry.promote("phantom@1", accept_evaluation=" ")
    assert caught.value.exit_code == 5
    move = registry.promote("phantom@1", accept_evaluation="a pilot")
    assert registry.moves() == [move]
    assert move.accepted_evaluation == "a pilot"
    keep(registry, compared(digest, None, 0.7, 0.9))
    assert registry.promote("phantom@1", alias="candidate").accepted_evaluation is None


@pytest.mark.parametrize("side", [{}, {"n": 0}, {"patients": None}, {"accuracy": 0.7}, {"accuracy": {"value": 0.7}}])
def test_figures_without_patients_or_interval_speak_for_no_model(
    registry: Registry, contents: Contents, side: dict[str, object]
) -> None:
    registry.publish(contents(metrics={"test": {**MEASURED["test"], **side} if side else {}}))
    with pytest.raises(UnsafeError, match="found none"):
        registry.promote("phantom@1")


def test_a_model_that_is_surely_worse_than_what_serves_is_promoted_with_a_reason_only(
    registry: Registry, contents: Contents
) -> None:
    one, two = (registry.publish(contents(seed=seed)).digest for seed in (1, 2))
    registry.promote("phantom@1")
    keep(registry, compared(two, one, -0.2, -0.01, learned_from=True))
    keep(registry, compared(one, two, 0.01, 0.2))
    with pytest.raises(UnsafeError, match=r"worse than phantom@1, .* 20 films of 10 .* -0\.105 \(-0\.200 to -0\.010\)"):
        registry.promote("phantom@2")
    registry.promote("phantom@2", alias="candidate")  # it is no worse than nothing
    assert registry.promote("phantom@2", accept_evaluation="cheaper").accepted_evaluation == "cheaper"
    registry.promote("phantom@1")
    assert registry.rollback().accepted_evaluation == "cheaper"
    assert registry.rollback().model_digest == one
    keep(registry, compared(two, one, -0.1, 0.1))  # the latest counts, and cannot tell them apart
    assert registry.promote("phantom@2").accepted_evaluation is None


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
