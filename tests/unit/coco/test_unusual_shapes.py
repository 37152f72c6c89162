"""Shapes as other tools write them: read where there is one way to read them."""

from __future__ import annotations

import base64
import math
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from fiftyone_cocomask.coco.issues import Action, IssueCode, Severity

from .exports import (
    ABSENT,
    HEIGHT,
    SQUARE,
    WIDTH,
    annotation,
    document,
    image_entry,
    mask_of,
    pixels,
    read,
    read_annotation,
    write_export,
    write_image,
)
from .test_rles import RECTANGLE, compressed, uncompressed

PAIRS = [[10, 10], [40, 10], [40, 30], [10, 30]]
OBJECTS = [{"x": x, "y": y} for x, y in PAIRS]
SECOND = [60, 40, 70, 40, 70, 50, 60, 50]
NESTED = IssueCode.SEGMENTATION_NESTED
POINT_OBJECTS = IssueCode.SEGMENTATION_POINT_OBJECTS
PAIRED = IssueCode.SEGMENTATION_PAIRS

# 30 x 20 pixels each; that of two parts 600 + 10 x 10.
SHAPES: dict[str, tuple[Any, int, set[IssueCode]]] = {
    "nested": ([[SQUARE]], 600, {NESTED}),
    "nested twice": ([[[SQUARE]]], 600, {NESTED}),
    "nested pairs": ([[PAIRS]], 600, {NESTED, PAIRED}),
    "parts nested one by one": ([[SQUARE], [SECOND]], 700, {NESTED}),
    "parts nested together": ([[SQUARE, SECOND]], 700, {NESTED}),
    "parts of which one is nested": ([SQUARE, [SECOND]], 700, {NESTED}),
    "objects": (OBJECTS, 600, {POINT_OBJECTS}),
    "ring of objects": ([OBJECTS], 600, {POINT_OBJECTS}),
    "objects with more": (
        [[{**point, "id": "p", "y2": 3} for point in OBJECTS]],
        600,
        {POINT_OBJECTS},
    ),
    "nested objects": ([[OBJECTS]], 600, {POINT_OBJECTS, NESTED}),
    "a flat part and one of objects": ([SECOND, OBJECTS], 700, {POINT_OBJECTS}),
    "all x and all y": (
        {"all_points_x": SQUARE[::2], "all_points_y": SQUARE[1::2]},
        600,
        {POINT_OBJECTS},
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_unusual_rings_are_read(tmp_path: Path, name: str) -> None:
    segmentation, area, codes = SHAPES[name]
    box = [10, 10, 30, 20] if area == 600 else [10, 10, 60, 40]
    found = read_annotation(tmp_path, segmentation=segmentation, bbox=box)

    assert pixels(found.annotation) == area
    assert found.annotation.box == tuple(box)
    assert {(c, a) for c, a in found.actions() if c is not IssueCode.MULTI_PART} == {
        (code, Action.REPAIRED) for code in codes
    }


HOLE = [15, 15, 25, 15, 25, 25, 15, 25]


@pytest.mark.parametrize(
    "segmentation",
    [[[SQUARE, HOLE]], [[[SQUARE], [HOLE]]], [[SQUARE, SECOND, HOLE]]],
    ids=["GeoJSON", "nested", "with another part"],
)
def test_a_ring_that_may_be_a_hole_leaves_a_box(
    tmp_path: Path, segmentation: Any
) -> None:
    box = [10, 10, 60, 40] if SECOND in segmentation[0] else [10, 10, 30, 20]
    found = read_annotation(tmp_path, segmentation=segmentation, bbox=box)

    assert found.annotation.rings == []
    assert found.annotation.box == tuple(box)
    issue = found.issue(NESTED)
    assert (issue.action, issue.severity) == (Action.BOX_ONLY, Severity.ERROR)
    assert "hole" in issue.message


@pytest.mark.parametrize(
    "segmentation",
    [
        [[{"x": 1, "y": "a"}, {"x": 2, "y": 3}, {"x": 4, "y": 5}]],
        [[{"x": 1}, {"x": 2}, {"x": 3}]],
        [[[SQUARE, [1, 2]]]],
        {"x": [1, 2, 3], "y": [1, 2]},
        [[[[[[[[[SQUARE]]]]]]]]],
    ],
)
def test_what_is_still_not_a_ring_leaves_a_box(
    tmp_path: Path, segmentation: Any
) -> None:
    found = read_annotation(tmp_path, segmentation=segmentation)

    assert found.annotation.rings == []
    assert found.annotation.box == (10, 10, 30, 20)
    assert Action.BOX_ONLY in {action for _, action in found.actions()}


COUNTS = compressed(RECTANGLE)["counts"]
SIZE = [HEIGHT, WIDTH]
COUNTS_AS_BYTES = COUNTS.encode()
REWRITTEN: dict[str, dict[str, Any]] = {
    "bytes": {"size": SIZE, "counts": repr(COUNTS_AS_BYTES)},
    "bytes in double quotes": {"size": SIZE, "counts": f'b"{COUNTS}"'},
    "base64": {"size": SIZE, "counts": base64.b64encode(COUNTS_AS_BYTES).decode()},
    "base64 in lines": {
        "size": SIZE,
        "counts": base64.encodebytes(COUNTS_AS_BYTES).decode(),
    },
    "base64 of zlib": {
        "size": SIZE,
        "counts": base64.b64encode(zlib.compress(COUNTS_AS_BYTES)).decode(),
    },
    "floats": {
        "size": SIZE,
        "counts": [float(run) for run in uncompressed(RECTANGLE)["counts"]],
    },
    "base64 without padding": {
        "size": SIZE,
        "counts": base64.b64encode(COUNTS_AS_BYTES).decode().rstrip("="),
    },
    "a size of floats": {"size": [80.0, 100.0], "counts": COUNTS},
    "a line break": {"size": SIZE, "counts": f"{COUNTS}\n"},
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_unusual_counts_are_read(tmp_path: Path, name: str) -> None:
    found = read_annotation(tmp_path, segmentation=REWRITTEN[name])

    assert np.array_equal(mask_of(found.annotation), RECTANGLE)
    assert found.actions() == {(IssueCode.RLE_COUNTS_REWRITTEN, Action.REPAIRED)}


def test_an_rle_in_a_list_is_read(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, segmentation=[compressed(RECTANGLE)])

    assert np.array_equal(mask_of(found.annotation), RECTANGLE)
    assert found.actions() == {(NESTED, Action.REPAIRED)}


def test_bytes_with_a_backslash_are_read(tmp_path: Path) -> None:
    # The character of 44, which an RLE of whole columns of 44 rows has.
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[10:54, 20:60] = 1
    counts = compressed(mask)["counts"]
    assert "\\" in counts
    rle = {"size": SIZE, "counts": str(counts.encode())}
    found = read_annotation(tmp_path, segmentation=rle, bbox=[20, 10, 40, 44])

    assert np.array_equal(mask_of(found.annotation), mask)


@pytest.mark.parametrize(
    "counts",
    [
        "b'", "b'x", "b'\\xff'", "b''.join([])", "b'0' + b'1'", "AAAA", "eJwDAAAAAAE=",
        [7999.5, 0.5], [math.pi], [8000.0, True],
    ],
)  # fmt: skip
def test_counts_that_are_none_leave_a_box(tmp_path: Path, counts: Any) -> None:
    found = read_annotation(tmp_path, segmentation={"size": SIZE, "counts": counts})

    assert found.annotation.rle is None
    assert found.actions() == {(IssueCode.RLE_INVALID, Action.BOX_ONLY)}


def test_counts_that_unpack_to_gigabytes_take_no_memory(tmp_path: Path) -> None:
    # 87 KB of text: 2^26 runs, each of which takes dozens of bytes to be read.
    packed = base64.b64encode(zlib.compress(b"0" * 2**26, 9)).decode()
    folder = tmp_path / "export"
    entry = annotation(segmentation={"size": SIZE, "counts": packed})
    write_export(folder, document([entry]))
    tracemalloc.start()
    try:
        found = read(folder)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found.actions() == {(IssueCode.RLE_INVALID, Action.BOX_ONLY)}
    assert peak < 2**27


def test_counts_of_a_wide_rectangle_are_unpacked(tmp_path: Path) -> None:
    # Those of each column are the same, so they are packed 200 to 1.
    mask = np.zeros((HEIGHT, 20_000), np.uint8)
    mask[10:30, 10:19_990] = 1
    counts = compressed(mask)["counts"]
    packed = base64.b64encode(zlib.compress(counts.encode(), 9)).decode()
    assert len(counts) > 200 * len(packed)
    rle = {"size": [HEIGHT, 20_000], "counts": packed}
    entry = annotation(segmentation=rle, bbox=[10, 10, 19_980, 20])
    images = [image_entry(width=20_000)]
    folder = write_export(tmp_path, document([entry], images=images))
    write_image(folder / "a.png", size=(20_000, HEIGHT))

    assert np.array_equal(mask_of(read(folder).annotation), mask)


def with_shape(height: int, width: int) -> np.ndarray:
    """Returns the rectangle in an image of another size."""
    mask = np.zeros((height, width), np.uint8)
    rows, columns = min(height, HEIGHT), min(width, WIDTH)
    mask[:rows, :columns] = RECTANGLE[:rows, :columns]
    return mask


@pytest.mark.parametrize("box", [[10, 10, 30, 20], None], ids=["box", "no box"])
@pytest.mark.parametrize("form", [compressed, uncompressed])
@pytest.mark.parametrize("size", [(81, 100), (79, 100), (80, 101), (80, 98), (81, 101)])
def test_rows_of_background_too_many_or_missing(
    tmp_path: Path, size: tuple[int, int], form: Any, box: Any
) -> None:
    rle = form(with_shape(*size))
    found = read_annotation(tmp_path, segmentation=rle, bbox=box)

    assert np.array_equal(mask_of(found.annotation), RECTANGLE)
    assert found.annotation.box == (10, 10, 30, 20)
    fitted = {(IssueCode.RLE_ROWS_FITTED, Action.REPAIRED)}
    assert found.actions() - {(IssueCode.BOX_MISSING, Action.REPAIRED)} == fitted


def test_four_rows_too_many_need_a_box_that_agrees(tmp_path: Path) -> None:
    rle = compressed(with_shape(HEIGHT + 4, WIDTH))
    for place, (box, kept) in enumerate(
        [([10, 10, 30, 20], True), ([10, 14, 30, 20], False), (None, None)]
    ):
        found = read_annotation(tmp_path / str(place), segmentation=rle, bbox=box)
        if kept is None:
            assert found.record.annotations == []
        else:
            assert (found.annotation.rle is not None) is kept


@pytest.mark.parametrize("size", [(HEIGHT + 1, WIDTH), (HEIGHT, WIDTH + 1)])
def test_foreground_in_a_row_too_many_leaves_a_box(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    mask = with_shape(*size)
    mask[-1, -1] = 1
    box = [10, 10, size[1] - 10, size[0] - 10]
    found = read_annotation(tmp_path, segmentation=compressed(mask), bbox=box)

    assert found.annotation.rle is None
    assert found.actions() == {(IssueCode.RLE_SIZE_DIFFERS, Action.BOX_ONLY)}


def test_counts_of_a_row_more_than_the_size_says(tmp_path: Path) -> None:
    counts = compressed(with_shape(HEIGHT + 1, WIDTH))["counts"]
    rle = {"size": SIZE, "counts": counts}
    agreeing = read_annotation(tmp_path / "a", segmentation=rle)
    other = read_annotation(tmp_path / "b", segmentation=rle, bbox=[50, 10, 30, 20])

    assert np.array_equal(mask_of(agreeing.annotation), RECTANGLE)
    assert agreeing.actions() == {(IssueCode.RLE_ROWS_FITTED, Action.REPAIRED)}
    assert other.annotation.rle is None
    assert other.annotation.box == (50, 10, 30, 20)


def test_rle_of_a_huge_size_is_scaled_without_being_decoded(tmp_path: Path) -> None:
    # A gigapixel: the left half of the image, twenty times.
    side = 2**15
    counts = [0, side * side // 2, side * side // 2]
    rle = {"size": [side, side], "counts": counts}
    entries = [annotation(id=n, segmentation=rle, bbox=None) for n in range(20)]
    images = [image_entry(width=64, height=64)]
    folder = write_export(tmp_path, document(entries, images=images))
    write_image(folder / "a.png", size=(64, 64))
    found = read(folder)

    assert len(found.record.annotations) == 20
    for kept in found.record.annotations:
        assert kept.box == (0, 0, 32, 64)
        assert mask_utils.area(kept.rle) == 32 * 64


ROOT = 2**0.5
# Width 20, height 10, centre 50, 40.
ROTATED: dict[str, tuple[dict[str, Any], list[float]]] = {
    "five numbers": (
        {"bbox": [50, 40, 20, 10, 90], "segmentation": []},
        [45, 30, 10, 20],
    ),
    "five numbers, against the clock": (
        {"bbox": [50, 40, 20, 10, 45], "segmentation": ABSENT},
        [50 - 7.5 * ROOT, 40 - 7.5 * ROOT, 15 * ROOT, 15 * ROOT],
    ),
    "rotation": (
        {"bbox": [40, 35, 20, 10], "segmentation": None, "rotation": 90},
        [45, 30, 10, 20],
    ),
    "rotation of CVAT": (
        {
            "bbox": [40, 35, 20, 10],
            "segmentation": [],
            "attributes": {"occluded": False, "rotation": 270.0},
        },
        [45, 30, 10, 20],
    ),
}


@pytest.mark.parametrize("name", ROTATED)
def test_boxes_with_an_angle_are_rectangles(tmp_path: Path, name: str) -> None:
    changes, box = ROTATED[name]
    found = read_annotation(tmp_path, **changes)

    assert found.annotation.box == pytest.approx(box, abs=1e-5)
    assert pixels(found.annotation) == pytest.approx(200, abs=12)
    assert (IssueCode.BOX_ROTATED, Action.REPAIRED) in found.actions()


def test_five_numbers_turn_against_the_clock(tmp_path: Path) -> None:
    # A long bar that rises to the right: its upper end is right of its lower one.
    found = read_annotation(tmp_path, bbox=[50, 40, 40, 2, 30], segmentation=[])

    (ring,) = found.annotation.rings
    upper, lower = ring[ring[:, 1].argmin()], ring[ring[:, 1].argmax()]
    assert upper[0] > 50 > lower[0]


def test_a_rotation_turns_with_the_clock(tmp_path: Path) -> None:
    found = read_annotation(
        tmp_path, bbox=[30, 39, 40, 2], segmentation=[], rotation=30
    )

    (ring,) = found.annotation.rings
    upper, lower = ring[ring[:, 1].argmin()], ring[ring[:, 1].argmax()]
    assert upper[0] < 50 < lower[0]


@pytest.mark.parametrize("rotation", [0, 0.0, 180, None, "x", [1]])
def test_boxes_without_an_angle_stay_boxes(tmp_path: Path, rotation: Any) -> None:
    found = read_annotation(tmp_path, segmentation=[], rotation=rotation)

    assert found.annotation.rings == []
    assert found.annotation.box == (10, 10, 30, 20)
    assert found.actions() == {(IssueCode.SEGMENTATION_MISSING, Action.BOX_ONLY)}


def test_a_polygon_counts_more_than_an_angle(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, rotation=45)

    assert pixels(found.annotation) == 600
    assert found.actions() == set()
