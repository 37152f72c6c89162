"""Rings: the way through relative coordinates and back."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fiftyone_cocomask.geometry.rings import to_pixels, to_relative

sizes = st.integers(1, 20_000)
# What exports hold: steps of both rasterizers, their neighbours, and anything else.
steps = st.integers(-50_000, 200_000).map(lambda tenths: tenths / 10)
neighbours = st.builds(math.nextafter, steps, st.sampled_from([-math.inf, math.inf]))
coordinates = st.one_of(steps, neighbours, st.floats(-20_000, 20_000))
rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=30)


def pixel_steps(values: np.ndarray) -> np.ndarray:
    """Returns where the rasterizers put values: ``np.int32``, and maskApi.c's grid."""
    grid = np.trunc(5.0 * values + 0.5)
    return np.stack([values.astype(np.int32).astype(float), grid])


@given(ring=rings, width=sizes, height=sizes)
@settings(max_examples=500)
def test_relative_coordinates_move_no_vertex_over_a_step(
    ring: list[tuple[float, float]], width: int, height: int
) -> None:
    array = np.array(ring, float)
    relative = to_relative(array, width, height)
    restored = to_pixels(relative.tolist(), width, height)
    np.testing.assert_array_equal(pixel_steps(restored), pixel_steps(array))


@given(ring=rings, width=sizes, height=sizes)
def test_relative_coordinates_differ_from_the_quotient_by_last_bits_only(
    ring: list[tuple[float, float]], width: int, height: int
) -> None:
    array = np.array(ring, float)
    relative = to_relative(array, width, height)
    np.testing.assert_allclose(relative, array / (width, height), rtol=1e-15, atol=0)


@given(of_images=st.lists(st.tuples(rings, sizes, sizes), min_size=1, max_size=4))
def test_rings_of_several_images_come_to_the_same_together(
    of_images: list[tuple[list[tuple[float, float]], int, int]],
) -> None:
    arrays = [np.array(ring, float) for ring, _, _ in of_images]
    by_point = np.repeat([i[1:] for i in of_images], list(map(len, arrays)), axis=0)
    together = to_relative(np.concatenate(arrays), by_point[:, 0], by_point[:, 1])
    alone = [
        to_relative(array, width, height)
        for array, (_, width, height) in zip(arrays, of_images, strict=True)
    ]
    np.testing.assert_array_equal(together, np.concatenate(alone))
