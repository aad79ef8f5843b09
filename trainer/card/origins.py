"""The origins section of a model card: data, protocol, preprocessing and identity."""

from __future__ import annotations

from collections import Counter
from math import prod

from trainer.data.side import Side
from trainer.data.splits import side_counts
from trainer.evaluation.markdown import table
from trainer.studies.making import Made
from wetread.models.digest import model_digest, sha256_hex
from wetread.models.shapes import network_shapes
from wetread.models.weights import encode_weights


def data_section(made: Made, notes: str) -> str:
    """Return what the films are; notes: markdown of what they cannot say of themselves."""
    dataset = made.dataset
    sources = Counter((film.source or "unstated", film.label) for film in dataset.films)
    names = sorted({source for source, _ in sources})
    rows = [(source, *(sources[source, label] for label in dataset.labels)) for source in names]
    lines = [
        "## Data",
        f"{len(dataset)} films of {len(dataset.patients)} patients; manifest digest `{dataset.digest}`.",
        table(("source", *dataset.labels), rows),
    ]
    if licences := Counter(film.attributes["license"] for film in dataset.films if "license" in film.attributes):
        lines.append("Licences of the films, as their manifest states them:")
        lines.append(table(("licence", "films"), licences.most_common()))
    if notes:
        lines.append(notes.strip())
    return "\n\n".join(lines)


def protocol_section(made: Made) -> str:
    """Return how the patients were split and the network was trained."""
    options, trained = made.recipe.options, made.trained
    counts, patients = side_counts(made.dataset, made.split), made.split.counts()
    rows = [(side.value, patients[side.value], *counts[side.value].values()) for side in Side if patients[side.value]]
    settings = ", ".join(
        name if value is True else f"{name} {value:g}"
        for name, value in options.optimizer_settings.items()
        if value is not False
    )
    stopping = (
        "the last one kept"
        if options.patience is None
        else f"epoch {trained.best_epoch} kept, of the least validation loss (patience {options.patience})"
    )
    averaging = "" if options.average is None else f"; weights averaged over the steps, decay {options.average:g}"
    augmentation = ", ".join(f"{name} {value:g}" for name, value in options.augmentation.to_json().items())
    return "\n\n".join(
        [
            "## Protocol",
            _sides(made),
            table(("side", "patients", *(f"{label} films" for label in made.dataset.labels)), rows),
            "\n".join(
                [
                    f"- Split digest `{made.split.digest}`.",
                    f"- Trained on {options.engine}, {trained.history.epochs} of {options.epochs} epochs: {stopping}"
                    f"{averaging}.",
                    f"- {options.optimizer} ({settings}), {options.schedule} schedule, batches of "
                    f"{options.batch_size}, label smoothing {options.label_smoothing:g}, "
                    f"{'every label weighted the same' if options.class_weights else 'every film weighted the same'}.",
                    f"- Training films changed anew each epoch, by at most: {augmentation}.",
                    f"- Temperature {made.decision.temperature:.3f}"
                    f"{' and thresholds' if any(made.decision.thresholds.values()) else ''}, fitted on the validation "
                    "patients.",
                ]
            ),
            "![Loss and accuracy by epoch](history.png)",
        ]
    )


def _sides(made: Made) -> str:
    """Return how the patients came to their sides, and why there may be fewer people than ids."""
    given = made.recipe.split is not None
    lines = [
        "Split by patient id, as a file said; no id is on two sides."
        if given
        else "Split by patient, stratified by label and source; no patient is on two sides."
    ]
    if people := made.audit.people_with_several_ids:
        whom = "1 person has" if people == 1 else f"{people} people have"
        where = "counted" if given else "kept on one side, and counted"
        lines.append(
            f"{whom} several patient ids, by films that are the same: each is {where} once in the figures, while the "
            "table counts ids."
        )
    return " ".join(lines)


def preprocessing_section(made: Made) -> str:
    """Return the preprocessing record."""
    steps = made.recipe.input_preprocess.to_json()
    rows = [(name, "native" if value is None else value) for name, value in steps.items()]
    return "## Preprocessing\n\nThe same record for training and serving.\n\n" + table(("setting", "value"), rows)


def identity_section(made: Made, command: str) -> str:
    """Return what tells this model from any other, and how to train it again."""
    architecture, provenance = made.recipe.architecture(len(made.dataset.labels)), made.provenance
    parameters = sum(prod(shape) for shape in network_shapes(architecture).weights.values())
    libraries = ", ".join(f"{name} {version}" for name, version in provenance.libraries.items())
    return "\n\n".join(
        [
            "## Identity",
            "\n".join(
                [
                    f"- Model digest `{digest_of(made)}`.",
                    f"- Architecture {made.recipe.arch}, {made.recipe.size} x {made.recipe.size} pixels, "
                    f"{parameters:,} parameters.",
                    f"- Seed {provenance.seed}; commit `{provenance.commit or 'unknown'}`; {libraries}.",
                    f"- Made {provenance.created_at}.",
                ]
            ),
            f"Train it again:\n\n```\n{command}\n```",
        ]
    )


def digest_of(made: Made) -> str:
    """Return the digest that the model will have."""
    architecture = made.recipe.architecture(len(made.dataset.labels))
    return model_digest(
        architecture=architecture.to_json(),
        weights_sha256=sha256_hex(encode_weights(architecture, made.trained.weights)),
        labels=made.dataset.labels,
        preprocessing=made.recipe.input_preprocess.to_json(),
        gate=None if made.gate is None else made.gate[0].to_json(),
    )
