"""The recipe of a model: everything that decides its training, apart from the films themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from schemas.architecture import Architecture
from schemas.errors import UsageError
from trainer.data.dataset import Dataset
from trainer.data.dealing import split_patients
from trainer.data.splits import Split
from trainer.statistics.operating_points import SPECIFICITY
from trainer.training.architectures import make_architecture
from trainer.training.options import TrainingOptions
from wetread.imaging.preprocess import Preprocess


@dataclass(frozen=True)
class Recipe:
    """A model's name, network, preprocessing, training and split.

    preprocess: its height and width are replaced by `size`.
    split: who trains, validates and tests; None to share the data set's patients by these fractions.
    validation, test: fractions of the patients, where there is no split.
    split_seed: deals the patients; apart from the training's seed, so that another seed is another
        training on the same patients.
    open_test: whether the test patients are read at the end; False leaves them for later.
    specificity: that each label's threshold keeps on the validation patients; 0 for no threshold.
    gate: whether the input gate is fitted too.
    balance: an attribute of films, such as view: every label then counts alike in each of its values.
    panel: whether the shortcut panel is made too, which trains four small networks besides.
    """

    name: str
    arch: str = "cnn"
    size: int = 128
    width: int | None = None
    preprocess: Preprocess = field(default_factory=Preprocess)
    options: TrainingOptions = field(default_factory=TrainingOptions)
    split: Split | None = None
    validation: float = 0.15
    test: float = 0.2
    split_seed: int = 0
    open_test: bool = True
    specificity: float = SPECIFICITY
    gate: bool = True
    panel: bool = False
    balance: str | None = None

    @property
    def input_preprocess(self) -> Preprocess:
        """The preprocessing at the network's size."""
        working_size = self.preprocess.working_size
        if working_size is not None and working_size < self.size:
            raise UsageError(f"expected a working size of at least the network's {self.size}, found {working_size}")
        return replace(self.preprocess, height=self.size, width=self.size)

    def split_of(self, dataset: Dataset) -> Split:
        """Return the recipe's split, or one dealt by its fractions; raise DataError when they cannot be dealt."""
        return self.split or split_patients(dataset, validation=self.validation, test=self.test, seed=self.split_seed)

    def architecture(self, labels: int) -> Architecture:
        """Return the network for so many labels; raise UsageError when it cannot be built."""
        return make_architecture(self.arch, labels, size=self.size, width=self.width)

    def to_json(self) -> dict[str, Any]:
        """Return what of it a model's provenance keeps beside its own fields."""
        return {
            "size": self.size,
            "width": self.width,
            "training": self.options.to_json(),
            "specificity": self.specificity,
            "gate": self.gate,
            "split_seed": None if self.split is not None else self.split_seed,
            **({} if self.balance is None else {"balance": self.balance}),
            "fractions": None if self.split is not None else {"validation": self.validation, "test": self.test},
        }
