"""Drawing, against pycocotools itself and a literal fillPoly loop."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from fiftyone_cocomask.geometry.draw import draw_objects, drawing_order
from fiftyone_cocomask.geometry.objects import MaskObject, is_drawable
from fiftyone_cocomask.geometry.rings import to_pixels, to_relative

HEIGHT, WIDTH = 48, 64


def ring_of(*numbers: float) -> np.ndarray:
    return np.array(numbers, float).reshape(-1, 2)


def by_pycocotools(parts: list[np.ndarray], height: int, width: int) -> np.ndarray:
    flat = [part.ravel().tolist() for part in parts]
    return mask_utils.decode(
        mask_utils.merge(mask_utils.frPyObjects(flat, height, width))
    )


def by_fill_poly(parts: list[np.ndarray], height: int, width: int) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    for part in parts:
        cv2.fillPoly(mask, [part.astype(np.int32)], 1)
    return mask


REFERENCES = {"coco": by_pycocotools, "opencv": by_fill_poly}

coordinates = st.one_of(
    st.integers(-20, 90).map(float),
    st.integers(-200, 900).map(lambda tenths: tenths / 10),
    st.floats(-20, 90),
)
rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=12).map(
    lambda points: np.array(points, float)
)
objects = st.lists(st.lists(rings, min_size=1, max_size=3), max_size=5)


def drawn(parts: list[list[np.ndarray]], **options: Any) -> Any:
    items = [MaskObject(rings=tuple(rings)) for rings in parts]
    options = {"values": [1] * len(items), "rasterizer": "coco", **options}
    return draw_objects(items, HEIGHT, WIDTH, **options)


@pytest.mark.parametrize("rasterizer", ["coco", "opencv"])
@given(parts=objects)
@settings(max_examples=300)
def test_pixels_areas_and_overlap_are_those_of_the_reference(
    rasterizer: str, parts: list[list[np.ndarray]]
) -> None:
    drawing = drawn(parts, rasterizer=rasterizer)
    masks = [REFERENCES[rasterizer](rings, HEIGHT, WIDTH) for rings in parts]
    count = np.sum(masks, axis=0) if masks else np.zeros((HEIGHT, WIDTH), int)
    np.testing.assert_array_equal(drawing.mask, count > 0)
    assert drawing.areas.tolist() == [int(mask.sum()) for mask in masks]
    assert drawing.overlap_px == np.count_nonzero(count > 1)
    assert drawing.visible.sum() == np.count_nonzero(count)


@pytest.mark.parametrize("rasterizer", ["coco", "opencv"])
def test_ten_thousand_random_rings_keep_their_pixels_through_relative_coordinates(
    rasterizer: str,
) -> None:
    random = np.random.default_rng(5)
    for number in range(10_000):
        points = int(random.integers(3, 12))
        ring = random.uniform(-10, 74, (points, 2))
        # Plain numbers, tenths, halves and whole ones in turn.
        ring = (ring, ring.round(1), (ring * 2).round() / 2, ring.round())[number % 4]
        width, height = (int(side) for side in random.integers(20, 90, 2))
        restored = to_pixels(to_relative(ring, width, height).tolist(), width, height)
        drawing = draw_objects(
            [MaskObject(rings=(restored,))],
            height,
            width,
            rasterizer=rasterizer,
            values=[1],
        )
        expected = REFERENCES[rasterizer]([ring], height, width)
        np.testing.assert_array_equal(drawing.mask, expected)


@given(parts=objects, overlap=st.sampled_from(["largest_first", "annotation_order"]))
def test_the_object_on_top_owns_each_shared_pixel(
    parts: list[list[np.ndarray]], overlap: str
) -> None:
    values = list(range(1, len(parts) + 1))
    drawing = drawn(parts, values=values, overlap=overlap)
    masks = [by_pycocotools(rings, HEIGHT, WIDTH) for rings in parts]
    order = list(range(len(parts)))
    if overlap == "largest_first":
        order.sort(key=lambda index: -int(masks[index].sum()))
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    for index in order:
        expected[masks[index] == 1] = values[index]
    np.testing.assert_array_equal(drawing.mask, expected)
    assert drawing.visible.tolist() == [
        int(np.count_nonzero(expected == value)) for value in values
    ]


def test_overlapping_parts_are_united_and_make_no_hole() -> None:
    left, right = (
        ring_of(0, 0, 10, 0, 10, 10, 0, 10),
        ring_of(5, 0, 15, 0, 15, 10, 5, 10),
    )
    assert drawn([[left, right]]).areas.tolist() == [150]


def test_rle_and_instance_masks_are_drawn_where_they_are() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[10:20, 5:9] = 1
    mask[12:14, 6:8] = 0
    encoded = mask_utils.encode(np.asfortranarray(mask))
    rle = {"size": [HEIGHT, WIDTH], "counts": encoded["counts"].decode()}
    crop = np.ones((4, 6), bool)
    items = [
        MaskObject(rle=rle),
        # Partly outside the image, at its right and lower edge.
        MaskObject(mask=crop, offset=(WIDTH - 3, HEIGHT - 2)),
        MaskObject(mask=crop, offset=(-5, -3)),
    ]
    drawing = draw_objects(items, HEIGHT, WIDTH, rasterizer="coco", values=[1, 2, 3])
    assert drawing.areas.tolist() == [36, 6, 1]
    np.testing.assert_array_equal(drawing.mask == 1, mask == 1)
    assert drawing.mask[0, 0] == 3


def test_lines_that_are_not_filled_have_their_width() -> None:
    line = ring_of(5, 10, 15, 10)
    item = MaskObject(rings=(line,), line_width=1, closed=False)
    drawing = draw_objects([item], HEIGHT, WIDTH, rasterizer="coco", values=[1])
    assert drawing.areas.tolist() == [11]
    assert drawing.mask[10, 5:16].all()


def test_values_past_255_need_16_bits() -> None:
    square = ring_of(0, 0, 4, 0, 4, 4, 0, 4)
    assert drawn([[square]], values=[255]).mask.dtype == np.uint8
    drawing = drawn([[square]], values=[256])
    assert (drawing.mask.dtype, int(drawing.mask.max())) == (np.dtype(np.uint16), 256)


def test_no_objects_make_an_empty_mask() -> None:
    drawing = drawn([])
    assert drawing.mask.shape == (HEIGHT, WIDTH)
    assert not drawing.mask.any()


def test_thousands_of_objects_take_the_memory_of_the_mask_only() -> None:
    # Without it, the patches of these objects alone would be 2 GB.
    square = ring_of(0, 0, 1000, 0, 1000, 1000, 0, 1000)
    items = [MaskObject(rings=(square,))] * 2000
    drawing = draw_objects(items, 1000, 1000, rasterizer="opencv", values=[1] * 2000)
    assert drawing.areas.tolist() == [1_000_000] * 2000
    assert drawing.visible.sum() == 1_000_000


@pytest.mark.parametrize(
    ("overlap", "order"),
    [
        ("annotation_order", [0, 1, 2, 3]),
        ("largest_first", [1, 0, 2, 3]),
        ("smallest_first", [3, 0, 2, 1]),
        (["b", "a"], [3, 1, 0, 2]),
    ],
)
def test_order_from_bottom_to_top(overlap: Any, order: list[int]) -> None:
    areas = np.array([5, 9, 5, 1])
    assert drawing_order(areas, overlap, ["a", "b", "a", None]) == order


def test_a_class_that_is_called_none_is_not_that_of_labels_without_one() -> None:
    areas = np.array([1, 1, 1])
    assert drawing_order(areas, ["a", "None"], ["None", "a", None]) == [2, 1, 0]


def test_an_unknown_overlap_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap cannot be 'random'"):
        drawing_order(np.array([1]), "random")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e7, -1e300])
def test_rings_that_no_image_has_are_not_drawable(bad: float) -> None:
    assert is_drawable(ring_of(0, 0, 10, 0, 10, 10))
    assert not is_drawable(ring_of(0, 0, 10, 0, 10, bad))
