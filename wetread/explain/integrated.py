"""Integrated gradients: what each place of a film adds to a label's logit on the straight way from a flat film to it.

With x the film, m the flat film of its mean and F the logit, a place i gets

    (x_i - m_i) ∫_0^1 ∂F/∂x_i (m + a (x - m)) da

so that all places add up to F(x) - F(m); with F(m) as the bias, to the logit, as far as the sum below is the integral.
Source: Sundararajan, Taly and Yan, Axiomatic attribution for deep networks, ICML 2017.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wetread.engine.network import Network
from wetread.explain.cells import sums_of_cells

FloatArray = npt.NDArray[np.float32]

STEPS, AT_ONCE = 32, 8
"""Of the midpoint rule, and as many of them as go through the network together."""


def integrated_gradients(network: Network, image: FloatArray, label: int) -> tuple[npt.NDArray[np.float64], float]:
    """Return what each cell adds to the logit of `label`, (CELLS, CELLS), and the logit of the flat film.

    image: preprocessed, (height, width, 1).
    """
    flat = np.full_like(image, image.mean())
    bias = float(network.forward(flat[None])[0, label])
    total = np.zeros(image.shape[:2])
    ways = (np.arange(STEPS, dtype=np.float32) + 0.5) / STEPS
    for begin in range(0, STEPS, AT_ONCE):
        share = ways[begin : begin + AT_ONCE, None, None, None]
        logits = network.forward(flat + share * (image - flat))
        wanted = np.zeros_like(logits)
        wanted[:, label] = 1
        gradients = network.backward(wanted, to_input=True)
        assert gradients is not None  # noqa: S101 - the input's were asked for
        total += gradients[..., 0].sum(0, dtype=np.float64)
    return sums_of_cells((image - flat)[..., 0] * total / STEPS), bias
