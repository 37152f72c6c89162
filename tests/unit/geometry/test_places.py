"""The share of each place that a mask covers, exactly, whatever the image's size."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fiftyone_cocomask.geometry.places import (
    covers_place,
    place_shares,
    shares_and_places,
)


def brute_force(mask: np.ndarray, size: int) -> np.ndarray:
    """Cuts each pixel into size x size equal parts, which places never cut again."""
    height, width = mask.shape
    fine = np.kron(mask != 0, np.ones((size, size)))
    return fine.reshape(size, height, size, width).mean(axis=(1, 3))


@settings(max_examples=40)
@given(
    height=st.integers(1, 23),
    width=st.integers(1, 23),
    size=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
)
def test_shares_are_exact_for_any_size(
    height: int, width: int, size: int, seed: int
) -> None:
    mask = np.random.default_rng(seed).integers(0, 3, (height, width)).astype(np.uint8)
    shares = place_shares(mask, size)
    np.testing.assert_allclose(shares, brute_force(mask, size), atol=1e-12)
    assert abs(shares.mean() - (mask != 0).mean()) < 1e-12
    same, covered = shares_and_places(mask, size)
    np.testing.assert_array_equal(same, shares)
    np.testing.assert_array_equal(covered, brute_force(mask, size) > 0)
    for row, column in np.ndindex(size, size):
        assert covers_place(mask, row, column, size) == covered[row, column]


def test_a_pixel_counts_in_the_places_that_it_lies_in() -> None:
    mask = np.array([[0, 255, 0]], np.uint8)
    np.testing.assert_allclose(place_shares(mask, 2), np.full((2, 2), 1 / 3))
