"""Training on the project's own engine."""

from __future__ import annotations

from trainer.training.epochs import fit_epochs
from trainer.training.lesson import Lesson, Trained
from wetread.engine.network import Network
from wetread.engine.network_learner import NetworkLearner
from wetread.engine.optimizers.build import make_optimizer


def fit_numpy(lesson: Lesson) -> Trained:
    """Train as `lesson` says; raises as `trainer.training.train.train` does."""
    options = lesson.options
    network = Network(lesson.architecture, lesson.first_weights, seed=options.seed)
    optimizer = make_optimizer(options.optimizer, **options.optimizer_settings)
    return fit_epochs(lesson, NetworkLearner(network, optimizer, lesson.loss))
