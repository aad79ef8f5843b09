from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import UsageError
from trainer.training.architectures import ARCHITECTURES, make_architecture
from wetread.models.shapes import network_shapes


def parameters(name: str, **options: int) -> int:
    shapes = network_shapes(make_architecture(name, 3, **({"size": 128} | options)))
    return sum(math.prod(shape) for shape in shapes.weights.values())


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(ARCHITECTURES)), st.integers(2, 14), st.integers(16, 300), st.integers(2, 40) | st.none())
def test_every_size_and_width_gives_a_network_with_a_logit_a_label(
    name: str, labels: int, size: int, width: int | None
) -> None:
    shapes = network_shapes(make_architecture(name, labels, size=size, width=width))
    assert shapes.logits == (labels,)


def test_the_convolutional_networks_look_at_a_small_map_at_the_end() -> None:
    for size in (32, 64, 128, 256):
        outputs = network_shapes(make_architecture("cnn", 3, size=size)).outputs
        last = [shape for name, shape in outputs.items() if name.startswith("relu")][-1]
        assert last[:2] == (8, 8)


def test_the_defaults_have_the_stated_number_of_parameters() -> None:
    assert parameters("cnn") == pytest.approx(98_000, rel=0.01)
    assert 0.25 < parameters("separable") / parameters("cnn") < 0.35
    assert parameters("cnn", width=8) < parameters("cnn") / 3


@pytest.mark.parametrize(
    ("name", "size", "width", "message"),
    [("resnet", 128, None, "cnn, dnn, separable"), ("cnn", 8, None, "size"), ("cnn", 128, 1, "width")],
)
def test_what_cannot_be_built_is_refused(name: str, size: int, width: int | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_architecture(name, 3, size=size, width=width)
