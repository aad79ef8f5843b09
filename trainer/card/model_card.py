"""MODEL_CARD.md: what a model is for, how good it is, how certain that is, and its known faults.

Written from the same record that the artefact carries, so that card and model cannot disagree. What makes
a figure look better than it is comes first. The headings follow Mitchell et al. 2019, "Model Cards for
Model Reporting".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from trainer.audit.findings import Severity
from trainer.card.audit import audit_section
from trainer.card.confidence import abstention_section, calibration_section, calls_section, decision_section
from trainer.card.figures import figures_section, parts_section, within_section, within_view_section
from trainer.card.gate import gate_section
from trainer.card.origins import data_section, identity_section, preprocessing_section, protocol_section
from trainer.card.shortcuts import shortcuts_section
from trainer.data.side import Side
from trainer.evaluation.markdown import estimate, times
from trainer.studies.making import Made

GIVEN_AWAY = 0.95
"""A label with at least this share of its films from one source, from which few others are, is given away by it."""


@dataclass(frozen=True, slots=True)
class CardNotes:
    """What the data cannot say of itself.

    command: the command that trains the model again.
    data: markdown about the data, its licences and what is known to be wrong with it.
    openings: how many times the test patients of this split were read for a model, this one included.
    """

    command: str
    data: str = ""
    openings: int = 1


def model_card(made: Made, notes: CardNotes) -> str:
    """Return MODEL_CARD.md."""
    sections = (
        _head(made),
        shortcuts_section(made),
        _warnings(made, notes),
        _use(made),
        figures_section(made, notes.openings),
        within_section(made),
        within_view_section(made),
        audit_section(made),
        parts_section(made),
        calibration_section(made),
        decision_section(made),
        calls_section(made),
        abstention_section(made),
        gate_section(made),
        data_section(made, notes.data),
        protocol_section(made),
        _limits(made),
        preprocessing_section(made),
        identity_section(made, notes.command),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def warnings_of(made: Made) -> list[str]:
    """Return what makes the figures look better than they are, in sentences."""
    found = []
    if not made.dataset.patients_known:
        found.append(
            "**The data names no patients**: each file was taken for a patient of its own. Where one patient has "
            "several films, some were learned and others tested on, and every figure here is too high."
        )
    found += [
        f"**The source gives {label} away**: {count} of its {films} films come from {source or 'an unnamed source'}, "
        f"against {rest} of {others} other films. A figure for {label} against the rest shows that sources differ, "
        "not that disease was seen."
        for label, source, count, films, rest, others in _given_away(made)
    ]
    if unsafe := [finding.text for finding in made.audit.findings if finding.severity is Severity.UNSAFE]:
        found.append(f"**The audit found the data unsafe**: {'; '.join(unsafe)}.")
    if made.shown is Side.VALIDATION:
        found.append(
            "**No test patients were read**: the figures are of the validation patients, on whom "
            f"{_chosen_on_validation(made)}, and are too high for that."
        )
    return found


def _chosen_on_validation(made: Made) -> str:
    fitted = "the temperature and the thresholds were fitted"
    return fitted if made.recipe.options.patience is None else f"the epoch was chosen and {fitted}"


def _given_away(made: Made) -> Iterable[tuple[str, str, int, int, int, int]]:
    """Yield label, source, films of the label from it, films of the label, other films from it, other films."""
    films = made.dataset.films
    if len({film.source for film in films}) < 2:
        return
    for label in made.dataset.labels:
        own = Counter(film.source for film in films if film.label == label)
        others = Counter(film.source for film in films if film.label != label)
        source, count = own.most_common(1)[0]
        if count >= GIVEN_AWAY * own.total() and others[source] <= 0.5 * others.total():
            yield label, source, count, own.total(), others[source], others.total()


def _head(made: Made) -> str:
    metrics = made.metrics[made.shown.value]
    whom = f"{metrics['patients']} {made.shown.value} patients ({metrics['n']} films)"
    lines = [
        f"# {made.recipe.name}",
        "> Research software: **not for diagnostic use**.",
        f"{', '.join(made.dataset.labels)}: on {whom}, accuracy {estimate(metrics['accuracy'])}, "
        f"macro AUROC {estimate(metrics['macro_auroc'])} (95% intervals, by patient).",
    ]
    return "\n\n".join(lines)


def _warnings(made: Made, notes: CardNotes) -> str:
    lines = []
    if warnings := warnings_of(made):
        lines.append("## Read this first\n\n" + "\n".join(f"- {warning}" for warning in warnings))
        if pair := _largest_pair(made):
            lines.append(pair)
    if notes.openings > 1 and made.shown is Side.TEST:
        lines.append(
            f"The test patients were read {times(notes.openings)}, for as many models: the more often, the less a good "
            "figure means."
        )
    return "\n\n".join(lines)


def _largest_pair(made: Made) -> str:
    """Return the largest comparison within one source as a sentence, and do not call it fair."""
    within = made.metrics[made.shown.value]["within_source"]
    pairs = [(pair["n"], source, name, pair) for source, named in within.items() for name, pair in named.items()]
    if not pairs:
        return ""
    n, source, name, pair = max(pairs, key=lambda found: found[0])
    return (
        f"The largest comparison within one source, {name} within {source} ({n} films, {pair['patients']} patients): "
        f"accuracy {estimate(pair['accuracy'])}, AUROC {estimate(pair['auroc'])}. "
        "There the source cannot help; how the films were taken, and who labelled them how, still can."
    )


def _use(made: Made) -> str:
    uncertain = ", or calls it `uncertain`" if any(made.decision.thresholds.values()) else ""
    return (
        "## Intended use\n\n"
        "Research on, and demonstration of, bulk screening of frontal chest X-rays. It sorts films for a person to "
        "look at; it does not diagnose, does not exclude disease, and has not been tested on any hospital's own films. "
        f"It knows {len(made.dataset.labels)} labels ({', '.join(made.dataset.labels)}) and nothing else: it gives a "
        f"chest film one of them{uncertain}, also where the film shows another disease."
    )


def _limits(made: Made) -> str:
    gate = (
        "It has no gate: an image that is no chest film is read as if it were one."
        if made.gate is None
        else "Its gate knows the layout of a chest, not what a film is: what is laid out alike is read."
    )
    return (
        "## Limits\n\n"
        "- Films of another hospital, another machine, children, or lateral views: not tested, and likely worse; "
        "models of this kind are known to lose much of their accuracy there (Roberts et al. 2021, DeGrave et al. "
        "2021).\n"
        "- A probability is calibrated for films like the validation patients', with their shares of each label.\n"
        f"- {gate}\n"
        "- An interval is of these patients; it does not cover what another data set would give. One without width, "
        "such as 1.000 (1.000 to 1.000), says that no film here is an exception, not that none is: where that holds "
        "for n patients, up to 3 in n others may be one (95%)."
    )
