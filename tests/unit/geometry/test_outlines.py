"""Outlines: exact polygons of a mask, and that an edit changes only what it touches."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from fiftyone_cocomask.geometry.outlines import (
    centre_outline,
    iou_with_rings,
    mask_outline,
    rle_outline,
)
from fiftyone_cocomask.geometry.rings import to_pixels, to_relative


def _noise(height: int, width: int, seed: int, share: float) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width)) < share


def _nested(height: int, width: int, seed: int, share: float) -> np.ndarray:
    """Frames within frames, with a few pixels flipped."""
    y, x = np.mgrid[:height, :width]
    depth = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    return (depth // (1 + seed % 3) % 2 == seed % 2) ^ _noise(
        height, width, seed, share / 10
    )


def _blobs(height: int, width: int, seed: int, share: float) -> np.ndarray:
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 2) < 0.4 + share / 5


masks = st.builds(
    lambda make, *arguments: make(*arguments),
    st.sampled_from([_noise, _nested, _blobs]),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
    st.floats(0, 1),
)


def rle_of(mask: np.ndarray) -> dict[str, Any]:
    encoded = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(mask.shape), "counts": encoded["counts"].decode()}


def drawn(rings: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """What pycocotools draws from rings, as a count of rings over each pixel."""
    total = np.zeros(shape, int)
    for rle in mask_utils.frPyObjects([ring.ravel() for ring in rings], *shape):
        total += mask_utils.decode(rle)
    return total


@given(masks)
@settings(max_examples=300)
def test_pycocotools_draws_the_mask_from_its_outline(mask: np.ndarray) -> None:
    rings = mask_outline(mask)
    if not mask.any():
        assert rings == []
        return
    height, width = mask.shape
    through = [
        to_pixels(to_relative(ring, width, height).tolist(), width, height)
        for ring in rings
    ]
    for kind in (rings, through):
        np.testing.assert_array_equal(drawn(kind, mask.shape), mask)
    assert iou_with_rings(rle_of(mask), through) == 1


@given(masks)
def test_parts_are_clockwise_and_holes_the_other_way_round(mask: np.ndarray) -> None:
    # So that their areas by the shoelace formula add up to the pixels, also where a
    # browser fills by the winding number.
    area = 0.0
    for ring in mask_outline(mask):
        x, y = ring.T
        area += float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert area == np.count_nonzero(mask)


@given(masks.filter(lambda mask: bool(mask.any())), st.data())
@settings(max_examples=50)
def test_a_moved_vertex_changes_only_pixels_beside_its_edges(
    mask: np.ndarray, data: st.DataObject
) -> None:
    rings = mask_outline(mask)
    ring = rings[data.draw(st.integers(0, len(rings) - 1))]
    place = data.draw(st.integers(0, len(ring) - 1))
    move = data.draw(st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
    touched = [ring[place - 1].copy(), ring[place].copy()]
    touched.append(ring[(place + 1) % len(ring)].copy())
    ring[place] += move
    touched.append(ring[place])
    changed = np.argwhere((drawn(rings, mask.shape) % 2).astype(bool) != mask)
    low, high = np.min(touched, axis=0), np.max(touched, axis=0)
    if len(changed):
        # A pixel is drawn where its centre is inside, to a fifth of a pixel.
        centres = changed[:, ::-1] + 0.5
        assert (centres >= low - 0.7).all()
        assert (centres <= high + 0.7).all()


def test_a_hole_is_joined_to_the_loop_on_its_left() -> None:
    mask = np.ones((5, 6), bool)
    mask[2, 3] = False
    (ring,) = mask_outline(mask, x=10, y=20)
    expected = [(10, 20), (16, 20), (16, 25), (10, 25)]
    expected += [(10, 22), (13, 22), (13, 23), (14, 23), (14, 22), (13, 22), (10, 22)]
    assert ring.tolist() == [list(vertex) for vertex in expected]


def test_pixels_that_touch_at_a_corner_are_two_parts() -> None:
    rings = mask_outline(np.eye(2, dtype=bool))
    assert [ring.tolist() for ring in rings] == [
        [[0, 0], [1, 0], [1, 1], [0, 1]],
        [[1, 1], [2, 1], [2, 2], [1, 2]],
    ]


def test_an_outline_with_too_many_vertices_is_simplified_and_says_how_well() -> None:
    y, x = np.mgrid[:400, :400]
    distance = np.hypot(x - 200, y - 200)
    mask = (distance < 180) & (distance > 90)
    rle = rle_of(mask)
    assert rle_outline(rle).iou == 1
    outline = rle_outline(rle, max_vertices=300)
    assert sum(map(len, outline.rings)) <= 300
    both = drawn(outline.rings, mask.shape) > 0
    union = np.count_nonzero(both | mask)
    assert outline.iou == pytest.approx(np.count_nonzero(both & mask) / union)
    assert outline.iou > 0.98


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9])
def test_an_outline_of_noise_keeps_to_its_vertices(share: float) -> None:
    mask = _noise(301, 199, 0, share)
    outline = rle_outline(rle_of(mask), max_vertices=50)
    vertices = np.concatenate(outline.rings)
    assert len(vertices) <= 50
    assert (vertices >= 0).all()
    assert (vertices <= (199, 301)).all()
    assert 0 <= outline.iou < 1


@given(masks)
@settings(max_examples=50)
def test_the_iou_is_that_of_the_pixels(mask: np.ndarray) -> None:
    ring = np.array([[2.0, 3.0], [17.0, 5.0], [9.0, 30.0]])
    triangle = drawn([ring], mask.shape) > 0
    union = np.count_nonzero(triangle | mask)
    expected = np.count_nonzero(triangle & mask) / union if union else 1
    assert iou_with_rings(rle_of(mask), [ring]) == pytest.approx(expected)


@given(masks)
@settings(max_examples=50)
def test_the_outline_of_earlier_versions_is_that_of_opencv(mask: np.ndarray) -> None:
    image = mask.astype(np.uint8)
    contours, _ = cv2.findContours(image, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    assert [ring.tolist() for ring in centre_outline(rle_of(mask))] == [
        contour.reshape(-1, 2).tolist() for contour in contours
    ]
