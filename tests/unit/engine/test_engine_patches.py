from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.engine.layers.correlation import correlate, kernel_gradient
from wetread.engine.patches import patches_in_place


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 20), st.integers(1, 5), st.integers(1, 3))
def test_every_patch_of_a_run_is_shown_once_and_none_is_a_copy(length: int, width: int, channels: int) -> None:
    pixels = np.arange(float(length * channels)).reshape(length, channels)
    shown: dict[int, list[float]] = {}
    for patches, places in patches_in_place(pixels, width):
        assert np.shares_memory(patches, pixels)
        for place, patch in zip(range(length)[places], patches, strict=True):
            assert place not in shown
            shown[place] = list(patch)
    expected = {place: list(pixels[place : place + width].reshape(-1)) for place in range(length - width + 1)}
    assert shown == expected


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 3),
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_correlation_is_its_formula(
    n: int, beyond: tuple[int, int], kernel_size: tuple[int, int], channels: int, filters: int
) -> None:
    rng = np.random.default_rng(0)
    (kh, kw), rows, columns = kernel_size, beyond[0] + 1, beyond[1] + 1
    X = rng.normal(size=(n, rows + kh - 1, columns + kw - 1, channels))
    kernel, dY = rng.normal(size=(kh, kw, channels, filters)), rng.normal(size=(n, rows, columns, filters))
    windows = np.lib.stride_tricks.sliding_window_view(X, (kh, kw), axis=(1, 2))  # (n, rows, columns, c, kh, kw)
    np.testing.assert_allclose(correlate(X, kernel), np.einsum("nyxcij,ijcf->nyxf", windows, kernel), atol=1e-12)
    gradient = np.full_like(kernel, 7)
    kernel_gradient(X, dY, gradient)
    np.testing.assert_allclose(gradient, np.einsum("nyxcij,nyxf->ijcf", windows, dY), atol=1e-12)
