"""From an optimizer's name to the optimizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from schemas.errors import UsageError
from wetread.engine.optimizers.adadelta import Adadelta
from wetread.engine.optimizers.adagrad import Adagrad
from wetread.engine.optimizers.adam import Adam
from wetread.engine.optimizers.optimizer import Optimizer
from wetread.engine.optimizers.rmsprop import RMSprop
from wetread.engine.optimizers.sgd import SGD

OPTIMIZERS: Mapping[str, Callable[..., Optimizer]] = MappingProxyType(
    {"rmsprop": RMSprop, "sgd": SGD, "adadelta": Adadelta, "adagrad": Adagrad, "adam": Adam}
)
"""Name -> class, in the order of the paper's table."""


def make_optimizer(name: str, **settings: float | bool) -> Optimizer:
    """Return the optimizer of this name; settings are its class's. Raises UsageError for an unknown name."""
    if name not in OPTIMIZERS:
        raise UsageError(f"unknown optimizer {name!r}; choose one of {', '.join(OPTIMIZERS)}")
    try:
        return OPTIMIZERS[name](**settings)
    except TypeError as error:
        raise UsageError(f"optimizer {name!r} cannot be made with {settings}: {error}") from error
