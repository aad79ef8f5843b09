from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import DataError, UnsafeError, UsageError
from trainer.audit.findings import Audit
from trainer.card.model_card import CardNotes, model_card
from trainer.card.origins import digest_of
from trainer.data.dataset import Dataset, load_dataset
from trainer.data.side import Side
from trainer.studies.making import Made, make_model, source_commit
from trainer.training.augment import Augmentation
from trainer.training.options import TrainingOptions
from trainer.training.recipe import Recipe
from wetread.imaging.decode import decode
from wetread.imaging.opencv import cv2
from wetread.models.artefact import load_artefact, save_artefact, verify_artefact
from wetread.models.decision import probabilities
from wetread.models.loading import load_classifier

OPTIONS = TrainingOptions(
    engine="numpy", epochs=20, batch_size=8, learning_rate=0.01, augmentation=Augmentation(contrast=0.1, gamma=0.1)
)
RECIPE = Recipe(name="spots", size=16, width=8, options=OPTIONS, test=0.4, panel=True)


def draw_data(root: Path, *, with_sources: bool = True) -> Dataset:
    """Films with a bright spot or without, two a patient; all of `sick` from one source."""
    generator = np.random.default_rng(0)
    rows = ["path,label,patient_id,source,license"]
    for number in range(120):
        patient, sick = number // 2, (number // 2) % 2 == 0
        picture = generator.integers(60, 140, (80, 80), dtype=np.uint8)
        picture[20 : 20 + 30 * sick, 30:60] = 230
        (root / f"{number}.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
        source = ("north" if sick or patient % 4 == 3 else "south") if with_sources else ""
        rows.append(f"{number}.png,{'sick' if sick else 'well'},p{patient},{source},CC BY 4.0 | share")
    (root / "manifest.csv").write_text("\n".join(rows))
    return load_dataset(os.fsencode(root))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_model(draw_data(tmp_path_factory.mktemp("data")), RECIPE, processes=1)


def test_a_model_is_made_and_judged_on_patients_it_never_saw(made: Made) -> None:
    assert made.shown is Side.TEST
    assert set(made.metrics) == {"validation", "test"}
    assert made.metrics["test"]["patients"] == made.split.counts()["test"] == 24
    assert made.metrics["test"]["accuracy"]["value"] > 0.9
    assert {film.patient_id for film in made.readings.films} == {
        patient for patient, side in made.split.sides.items() if side is Side.TEST
    }


def test_the_artefact_holds_the_model_and_reads_as_it_was_measured(made: Made, tmp_path: Path) -> None:
    contents = made.contents({"MODEL_CARD.md": b"# a card"})
    artefact = save_artefact(tmp_path / "model", contents)
    verify_artefact(tmp_path / "model")
    assert artefact.card.provenance.data_manifest_digest == made.dataset.digest
    assert artefact.card.provenance.split_digest == made.split.digest
    assert artefact.digest == digest_of(made)
    classifier = load_classifier(load_artefact(tmp_path / "model"), "numpy")
    root = Path(os.fsdecode(made.dataset.root))
    films = [decode((root / film.name).read_bytes()).pixels for film in made.readings.films]
    served = classifier.read(classifier.preprocess.apply_many(films)).logits
    assert probabilities(served, artefact.decision.temperature) == pytest.approx(made.readings.probabilities, abs=1e-5)


def test_one_recipe_gives_one_model(made: Made) -> None:
    again = make_model(made.dataset, RECIPE, processes=1)
    assert digest_of(again) == digest_of(made)
    assert again.decision == made.decision and again.metrics == made.metrics
    other = make_model(made.dataset, replace(RECIPE, options=replace(RECIPE.options, seed=1)), processes=1)
    assert digest_of(other) != digest_of(made)
    assert other.split.digest == made.split.digest


def test_the_test_patients_can_be_left_unread(made: Made) -> None:
    closed = make_model(made.dataset, replace(RECIPE, open_test=False), processes=1)
    assert closed.shown is Side.VALIDATION and set(closed.metrics) == {"validation"}
    assert closed.metrics["validation"] == made.metrics["validation"]
    card = model_card(closed, CardNotes("wetread train data"))
    assert "No test patients were read" in card


def test_the_gate_is_in_the_artefact_and_its_figures_are_where_people_look(made: Made, tmp_path: Path) -> None:
    assert made.gate is not None
    gate, figures = made.gate
    contents = made.contents({})
    artefact = save_artefact(tmp_path / "model", contents)
    assert artefact.card.gate == gate.to_json()
    assert contents.metrics["gate"] == figures
    assert (figures["side"], figures["patients"]) == ("test", 24)
    shown = model_card(made, CardNotes("wetread train data"))
    assert "## The input gate" in shown
    assert "| upside down | made of the films | 48 |" in shown
    assert "no gate" not in shown


def test_a_model_without_a_gate_says_so(made: Made, tmp_path: Path) -> None:
    options = replace(RECIPE.options, epochs=1)
    bare = make_model(made.dataset, replace(RECIPE, gate=False, panel=False, options=options), processes=1)
    artefact = save_artefact(tmp_path / "model", bare.contents({}))
    assert artefact.card.gate is None
    assert artefact.digest == digest_of(bare)
    assert "gate" not in bare.contents({}).metrics
    shown = model_card(bare, CardNotes("wetread train data --no-gate"))
    assert "It has no gate" in shown
    assert "## The input gate" not in shown


def test_the_card_says_first_what_makes_the_figures_look_better(made: Made) -> None:
    card = model_card(made, CardNotes("wetread train data --name spots", data="The films are drawn.", openings=3))
    assert card.startswith("# spots\n\n> Research software: **not for diagnostic use**.")
    first = card.index("Read this first")
    assert first < card.index("The source gives sick away") < card.index("## Intended use")
    assert "60 of its 60 films come from north, against 30 of 60 other films" in card
    assert "sick against well within north" in card
    assert "read 3 times" in card
    for said in (
        "wetread train data --name spots",
        "The films are drawn.",
        made.split.digest,
        made.dataset.digest,
        digest_of(made),
        "CC BY 4.0 \\| share",
        "bootstrap over patients",
        "## Calibration",
        "sensitivity at specificity 0.95",
        "PPV at prevalence 0.05",
        "## Leaving films to a person",
        "## Limits",
    ):
        assert said in card


def test_the_card_says_loudly_that_the_patients_are_unknown(made: Made) -> None:
    unknown = replace(made, dataset=replace(made.dataset, patients_known=False))
    assert "**The data names no patients**" in model_card(unknown, CardNotes("x"))
    assert "names no patients" not in model_card(made, CardNotes("x"))


def test_no_source_is_blamed_where_none_is_named(tmp_path: Path) -> None:
    dataset = draw_data(tmp_path, with_sources=False)
    card = model_card(make_model(dataset, RECIPE, processes=1), CardNotes("x"))
    assert "away**" not in card and "the source alone" not in card


def test_the_model_and_its_card_carry_the_audit_of_its_data(made: Made, tmp_path: Path) -> None:
    """A bright spot is so plain that a thumbnail shows it: easier than films of sick people can be."""
    audit = made.provenance.extra["audit"]
    assert audit["unsafe"] and audit["split_checked"] and audit["data_digest"] == made.dataset.digest
    assert "shortcut_thumbnail" in {finding["kind"] for finding in audit["findings"]}
    artefact = save_artefact(tmp_path / "model", made.contents({}))
    assert artefact.card.provenance.unsafe_findings[0] == made.audit.findings[0].text
    card = model_card(made, CardNotes("x"))
    assert f"- **The audit found the data unsafe**: {made.audit.findings[0].text}" in card
    assert "- unsafe: a thumbnail of 16 x 16 alone predicts sick with AUROC 1.000" in card
    assert "## Audit of the data" in card and "| the source | 0." in card


def test_unsafe_data_is_not_trained_on_where_that_is_forbidden(made: Made) -> None:
    def must_not_train(_step: object) -> None:
        raise AssertionError("it trained")

    said: list[Audit] = []
    with pytest.raises(UnsafeError, match="without --strict"):
        make_model(made.dataset, RECIPE, processes=1, strict=True, audited=said.append, training=must_not_train)
    assert said == [made.audit]


def test_what_cannot_be_made_is_refused_before_any_film_is_read(made: Made) -> None:
    def must_not_read(_done: int, _total: int) -> None:
        raise AssertionError("a film was read")

    for recipe, error in (
        (replace(RECIPE, name="No Name"), UsageError),
        (replace(RECIPE, arch="resnet"), UsageError),
        (replace(RECIPE, size=500), UsageError),
        (replace(RECIPE, test=0.9), DataError),
    ):
        with pytest.raises(error):
            make_model(made.dataset, recipe, reading=must_not_read)


def test_the_commit_is_that_of_this_source() -> None:
    commit = source_commit()
    assert commit is None or len(commit.removesuffix("+")) == 40


def test_documents_are_a_card_and_readable_plots(made: Made) -> None:
    pytest.importorskip("matplotlib")
    from trainer.card.documents import documents_of

    documents = documents_of(made, CardNotes("wetread train data"))
    plots = {"history.png", "confusion.png", "roc.png", "reliability.png", "risk-coverage.png", "shortcuts.png"}
    assert set(documents) == {"MODEL_CARD.md", "model_card.html"} | plots
    assert set(re.findall(r"\]\((\S+\.png)\)", documents["MODEL_CARD.md"].decode())) == plots
    assert documents["model_card.html"].count(b"data:image/png;base64,") == len(plots)
    assert all(data.startswith(b"\x89PNG") for name, data in documents.items() if name.endswith(".png"))
    bare = documents_of(replace(made, panel=None), CardNotes("wetread train data"))
    assert set(documents) - set(bare) == {"shortcuts.png"}
    assert "shortcuts.png" not in bare["MODEL_CARD.md"].decode()


def test_what_shortcuts_alone_reach_is_first_in_the_card(made: Made) -> None:
    card = model_card(made, CardNotes("wetread train spots"))
    headings = re.findall(r"^## (.*)$", card, re.MULTILINE)
    assert headings[:2] == ["What shortcuts alone reach", "Read this first"]
    assert made.panel is not None
    for view, figures in made.panel["views"].items():
        row = next(line for line in card.splitlines() if line.startswith(f"| {view} |"))
        for figure in (figures["accuracy"], figures["model_above"]["accuracy"]):
            assert f" {figure['value']:.3f} (" in row
    assert made.contents({}).metrics["shortcuts"] == made.panel


def test_the_panel_is_left_away_where_it_was_not_made(made: Made) -> None:
    assert "What shortcuts alone reach" not in model_card(replace(made, panel=None), CardNotes("wetread train spots"))
