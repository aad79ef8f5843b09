"""What every layer is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wetread.engine.array import Array, Shape


class Layer:
    """One step of a network: Y = f(X; parameters), and its gradients.

    A layer is made with its settings and then built once for its input's shape, which makes its weights.
    `forward` keeps what `backward` needs, so a backward pass belongs to the forward pass before it.

    parameters: the weights that are trained, by Keras's names.
    gradients: dLoss/dparameter of the last backward pass, same names and shapes.
    state: what is learnt without a gradient, such as moving statistics.
    output_shape: shape of Y without the batch, known once built.
    """

    parameters: dict[str, Array]
    gradients: dict[str, Array]
    state: dict[str, Array]
    output_shape: Shape

    def build(self, input_shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> None:
        """Make the weights for inputs of `input_shape`; raise ArtefactError when it does not fit the layer."""
        self.parameters = self.initial_parameters(input_shape, rng, dtype)
        self.gradients = {name: np.zeros_like(weight) for name, weight in self.parameters.items()}
        self.state = self.initial_state(input_shape, dtype)
        self.output_shape = self.shape_after(input_shape)

    def bind(self, parameters: dict[str, Array], gradients: dict[str, Array]) -> None:
        """Keep the weights and their gradients in these arrays from now on, which a network owns."""
        self.parameters = parameters
        self.gradients = gradients

    def shape_after(self, input_shape: Shape) -> Shape:
        """Return the shape of Y for inputs of `input_shape`, both without the batch."""
        return input_shape

    def initial_parameters(
        self,
        input_shape: Shape,
        rng: np.random.Generator,
        dtype: npt.DTypeLike,
    ) -> dict[str, Array]:
        """Return the first weights; most layers have none."""
        return {}

    def initial_state(self, input_shape: Shape, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return the first state; most layers have none."""
        return {}

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y for the batch X."""
        raise NotImplementedError

    def backward(self, dY: Array) -> Array:
        """Set `gradients` and return dLoss/dX for dLoss/dY of the last forward pass."""
        self.parameter_gradients(dY)
        return self.input_gradient(dY)

    def parameter_gradients(self, dY: Array) -> None:
        """Set `gradients` for dLoss/dY."""

    def input_gradient(self, dY: Array) -> Array:
        """Return dLoss/dX for dLoss/dY; called after `parameter_gradients`, and not at all where nobody asks."""
        raise NotImplementedError
