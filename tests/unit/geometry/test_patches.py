"""Patches: many objects decoded at a time, against pycocotools one by one."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from fiftyone_cocomask.geometry.draw import draw_objects, object_areas
from fiftyone_cocomask.geometry.objects import Canvas, MaskObject
from fiftyone_cocomask.geometry.patches import Patch, rle_patches
from fiftyone_cocomask.geometry.rle import check_rle
from fiftyone_cocomask.geometry.runs import RleError

HEIGHT, WIDTH = 13, 17

# Blocks rather than noise: full columns and rows, and objects at each edge.
blocks = st.lists(
    st.tuples(
        st.integers(0, WIDTH - 1),
        st.integers(0, HEIGHT - 1),
        st.integers(1, WIDTH),
        st.integers(1, HEIGHT),
    ),
    max_size=4,
)


def mask_of(rectangles: list[tuple[int, int, int, int]]) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y, w, h in rectangles:
        mask[y : y + h, x : x + w] ^= 1
    return mask


def rle_of(mask: np.ndarray) -> dict[str, Any]:
    encoded = mask_utils.encode(np.asfortranarray(mask))
    return {"size": list(mask.shape), "counts": encoded["counts"].decode()}


def whole(patch: Patch, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[patch.window] = patch.mask
    return mask


@given(st.lists(blocks, max_size=8))
def test_each_rle_of_many_becomes_its_own_mask(
    images: list[list[tuple[int, int, int, int]]],
) -> None:
    masks = [mask_of(rectangles) for rectangles in images]
    patches = list(rle_patches([rle_of(mask) for mask in masks], HEIGHT, WIDTH))
    assert len(patches) == len(masks)
    for patch, mask in zip(patches, masks, strict=True):
        np.testing.assert_array_equal(whole(patch), mask)
        assert patch.area == mask.sum()
        # As small as the foreground in its columns and rows, or the whole height.
        if mask.any():
            columns = np.flatnonzero(mask.any(axis=0))
            assert patch.x == columns[0]
            assert patch.mask.shape[1] == columns[-1] - columns[0] + 1


@given(st.lists(st.integers(0, 5), max_size=80))
def test_runs_of_no_length_are_as_pycocotools_reads_them(runs: list[int]) -> None:
    rest = HEIGHT * WIDTH - sum(runs)
    rle = check_rle({"size": [HEIGHT, WIDTH], "counts": [*runs, rest]})
    patch = next(rle_patches([rle], HEIGHT, WIDTH))
    np.testing.assert_array_equal(whole(patch), mask_utils.decode(rle))


def test_more_objects_than_are_decoded_at_a_time_keep_their_order() -> None:
    random = np.random.default_rng(3)
    height, width = 90, 120
    items = []
    expected = []
    for number in range(700):
        ring = random.uniform(-10, 120, (4, 2))
        mask = np.zeros((height, width), np.uint8)
        mask[number % 90, number % 120] = 1
        if number % 3 == 0:
            items.append(MaskObject(rle=rle_of(mask)))
        elif number % 3 == 1:
            items.append(MaskObject(mask=np.ones((1, 1), bool), offset=(number, 3)))
            mask[:] = 0
            mask[3, number : number + 1] = 1
        else:
            items.append(MaskObject(rings=(ring, ring[:2])))
            flat = [ring.ravel().tolist()]
            mask = mask_utils.decode(mask_utils.frPyObjects(flat, height, width))[
                ..., 0
            ]
        expected.append(mask)
    for patch, mask in zip(
        Canvas(height, width, "coco").patches(items), expected, strict=True
    ):
        np.testing.assert_array_equal(whole(patch, height, width), mask)
    areas = object_areas(items, height, width, "coco")
    assert areas.tolist() == [int(mask.sum()) for mask in expected]


def test_large_objects_are_filled_apart_and_alike() -> None:
    # 40 of these are more pixels than are filled together.
    side = 600
    ring = np.array([(3.3, 2.2), (590.1, 20.0), (580.0, 595.5), (0.0, 600.0)])
    expected = mask_utils.decode(
        mask_utils.frPyObjects([ring.ravel().tolist()], side, side)
    )[..., 0]
    items = [MaskObject(rings=(ring,))] * 40
    for patch in Canvas(side, side, "coco").patches(items):
        np.testing.assert_array_equal(whole(patch, side, side), expected)


@given(
    corners=st.lists(
        st.tuples(st.integers(-4000, 4000), st.integers(-4000, 4000)),
        min_size=3,
        max_size=6,
    )
)
def test_fill_poly_into_a_patch_is_fill_poly_into_the_image(
    corners: list[tuple[int, int]],
) -> None:
    ring = np.array(corners, float)
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(expected, [ring.astype(np.int32)], 1)
    patch = Canvas(HEIGHT, WIDTH, "opencv").patch(MaskObject(rings=(ring,)))
    np.testing.assert_array_equal(whole(patch), expected)


@pytest.mark.parametrize("width", [1, 2, 5])
@given(
    points=st.lists(
        st.tuples(st.floats(-30, 40), st.floats(-30, 40)), min_size=1, max_size=5
    ),
    closed=st.booleans(),
)
def test_lines_in_a_patch_are_lines_in_the_image(
    width: int, points: list[tuple[float, float]], closed: bool
) -> None:
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    # As FiftyOne's `Polylines.to_segmentation` draws what is not filled.
    rounded = np.array([(round(x), round(y)) for x, y in points], np.int32)
    cv2.polylines(expected, [rounded], closed, 1, thickness=width)
    item = MaskObject(rings=(np.array(points),), line_width=width, closed=closed)
    patch = Canvas(HEIGHT, WIDTH, "coco").patch(item)
    np.testing.assert_array_equal(whole(patch), expected)


@pytest.mark.parametrize("rasterizer", ["coco", "opencv"])
def test_objects_that_enclose_nothing_are_empty(rasterizer: Any) -> None:
    line = np.array([(1.0, 1.0), (9.0, 9.0)])
    items = [
        MaskObject(),
        MaskObject(rings=(line,)),
        MaskObject(rings=(np.zeros((0, 2)),)),
        MaskObject(mask=np.zeros((0, 0), bool), offset=(3, 3)),
        MaskObject(rle={"size": [HEIGHT, WIDTH], "counts": "m6"}),
    ]
    assert mask_utils.decode(items[-1].rle).sum() == 0
    drawing = draw_objects(
        items, HEIGHT, WIDTH, rasterizer=rasterizer, values=[1, 2, 3, 4, 5]
    )
    assert drawing.areas.tolist() == drawing.visible.tolist() == [0] * 5
    assert not drawing.mask.any()


@pytest.mark.parametrize(
    ("rle", "reason"),
    [
        ({"size": [WIDTH, HEIGHT], "counts": "m6"}, "not that of the image"),
        ({"size": [HEIGHT, WIDTH], "counts": "m7"}, "do not add up"),
        ({"size": [HEIGHT, WIDTH], "counts": ""}, "do not add up"),
        ({"size": [HEIGHT, WIDTH], "counts": "m"}, "cut off"),
        ({"size": [HEIGHT, WIDTH], "counts": "O"}, "negative"),
        ({"size": [HEIGHT, WIDTH], "counts": "ooooooo0"}, "too large"),
    ],
)
def test_a_broken_rle_is_refused_also_among_good_ones(
    rle: dict[str, Any], reason: str
) -> None:
    good = rle_of(np.ones((HEIGHT, WIDTH), np.uint8))
    with pytest.raises(RleError, match=reason):
        list(rle_patches([good, rle, good], HEIGHT, WIDTH))
