"""Which model an alias means: promoted with a reason where one is wanted, and rolled back along its own moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from schemas.errors import UnsafeError, UsageError
from tests.measured import MEASURED
from wetread.models.artefact import ModelContents
from wetread.models.card import Provenance
from wetread.models.registry import Registry
from wetread.store.models.evaluations import StoredEvaluation, keep_evaluation

Contents = Callable[..., ModelContents]


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
