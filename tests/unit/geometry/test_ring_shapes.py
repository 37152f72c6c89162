"""Shapes of many rings at once: equal to what a loop over one ring says."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from fiftyone_cocomask.geometry.patches import Patch, patch_rle
from fiftyone_cocomask.geometry.ring_shapes import (
    RingBatch,
    are_rectangles,
    cross_themselves,
    have_spikes,
    overlapping_pairs,
)

points = st.tuples(st.integers(0, 7), st.integers(0, 7))
rings = st.lists(
    st.lists(points, min_size=1, max_size=7).map(lambda r: np.array(r, float)),
    max_size=5,
)


def cleaned(ring: np.ndarray) -> list[tuple[float, float]]:
    """A ring without points that repeat the next one, the first one after the last."""
    pairs = [(float(x), float(y)) for x, y in ring]
    kept = [p for i, p in enumerate(pairs) if p != pairs[(i + 1) % len(pairs)]]
    return kept or pairs[:1]


def orientation(a: tuple, b: tuple, c: tuple) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def crosses(ring: list[tuple[float, float]]) -> bool:
    sides = list(zip(ring, ring[1:] + ring[:1], strict=True))
    return any(
        orientation(a, b, c) * orientation(a, b, d) < 0
        and orientation(c, d, a) * orientation(c, d, b) < 0
        for i, (a, b) in enumerate(sides)
        for c, d in sides[i + 1 :]
    )


def has_spike(ring: list[tuple[float, float]]) -> bool:
    n = len(ring)
    perimeter = sum(math.dist(ring[i], ring[i - 1]) for i in range(n))
    for i in range(n if n > 2 else 0):
        before, at, after = ring[i - 1], ring[i], ring[(i + 1) % n]
        u = (before[0] - at[0], before[1] - at[1])
        v = (after[0] - at[0], after[1] - at[1])
        cross, dot = u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1]
        angle = math.degrees(math.atan2(abs(cross), dot))
        if angle < 20 and min(math.hypot(*u), math.hypot(*v)) > 0.05 * perimeter:
            return True
    return False


@settings(max_examples=150)
@given(rings)
def test_a_batch_says_of_each_ring_what_a_loop_says(some: list[np.ndarray]) -> None:
    batch = RingBatch.of(some)
    alone = [cleaned(ring) for ring in some]
    assert batch.lengths.tolist() == [len(ring) for ring in alone]
    assert cross_themselves(batch).tolist() == [crosses(ring) for ring in alone]
    assert have_spikes(batch, 20, 0.05).tolist() == [has_spike(ring) for ring in alone]
    lengths = [
        sum(math.dist(ring[i], ring[i - 1]) for i in range(len(ring))) for ring in alone
    ]
    np.testing.assert_allclose(batch.perimeters(), lengths)
    areas = [
        abs(
            sum(
                a[0] * b[1] - a[1] * b[0]
                for a, b in zip(ring, ring[1:] + ring[:1], strict=True)
            )
        )
        / 2
        for ring in alone
    ]
    np.testing.assert_allclose(batch.areas(), areas)
    boxes = [[*np.min(ring, axis=0), *np.max(ring, axis=0)] for ring in alone]
    np.testing.assert_array_equal(batch.boxes(), np.reshape(boxes, (-1, 4)))


def test_rectangles_may_be_turned_but_not_slanted_or_thin() -> None:
    def turned(corners: list[tuple[float, float]], degrees: float) -> np.ndarray:
        angle = math.radians(degrees)
        turn = [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
        return np.array(corners) @ np.array(turn)

    box = [(0.0, 0.0), (9.0, 0.0), (9.0, 5.0), (0.0, 5.0)]
    batch = RingBatch.of(
        [
            turned(box, 0),
            turned([*box, box[0]], 37),
            np.array([(0, 0), (9, 0), (12, 5), (3, 5)], float),
            np.array([(0, 0), (9, 0), (9, 2), (0, 2)], float),
            np.array([(0, 0), (9, 0), (9, 5)], float),
        ]
    )
    found = are_rectangles(batch, min_side=3, max_cosine=0.02)
    assert found.tolist() == [True, True, False, False, False]


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 3)), max_size=12))
def test_intervals_that_meet_are_paired_once(starts: list[tuple[float, float]]) -> None:
    low = np.array([start for start, _ in starts])
    high = np.array([start + length for start, length in starts])
    pairs = [
        tuple(sorted(pair))
        for one, other in overlapping_pairs(low, high)
        for pair in zip(one.tolist(), other.tolist(), strict=True)
    ]
    n = len(starts)
    expected = [
        (i, j)
        for i in range(n)
        for j in range(i + 1, n)
        if low[i] <= high[j] and low[j] <= high[i]
    ]
    assert sorted(pairs) == expected


@given(st.data())
def test_the_rle_of_a_patch_is_that_of_the_whole_mask(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    x, y = data.draw(st.integers(0, width)), data.draw(st.integers(0, height))
    w = data.draw(st.integers(0, width - x))
    h = data.draw(st.integers(0, height - y))
    bits = data.draw(st.lists(st.booleans(), min_size=h * w, max_size=h * w))
    patch = Patch(x, y, np.array(bits, bool).reshape(h, w))
    whole = np.zeros((height, width), np.uint8)
    whole[patch.window] = patch.mask
    expected = mask_utils.encode(np.asfortranarray(whole))
    assert patch_rle(patch, height, width) == expected
