"""The documents that go with a model: its card, the card as a page, and its plots."""

from __future__ import annotations

from trainer.card.model_card import CardNotes, model_card
from trainer.card.page import model_page
from trainer.evaluation.files import evaluation_plots, shortcuts_plots
from trainer.evaluation.plots import history_plot
from trainer.studies.making import Made


def documents_of(made: Made, notes: CardNotes) -> dict[str, bytes]:
    """Return file name -> bytes: MODEL_CARD.md, model_card.html, and the plots of training and evaluation."""
    whom = f"{made.recipe.name}, {len(set(made.readings.patients))} {made.shown.value} patients"
    history = history_plot(made.trained.history, best_epoch=made.trained.best_epoch, title=made.recipe.name)
    metrics = made.metrics[made.shown.value]
    plots = {"history.png": history} | evaluation_plots(made.readings, title=whom)
    plots |= shortcuts_plots(made.panel, metrics, title=whom)
    card = model_card(made, notes)
    return {"MODEL_CARD.md": card.encode(), "model_card.html": model_page(card, plots)} | plots
