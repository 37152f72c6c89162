"""Polygons: which rings are drawn, which are not, and what the report says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from fiftyone_cocomask.coco.issues import Action, IssueCode

from .exports import (
    ABSENT,
    SQUARE,
    annotation,
    document,
    pixels,
    read,
    read_annotation,
    write_export,
)


@pytest.mark.parametrize("ring", [SQUARE, [*SQUARE, 10, 10]], ids=["open", "closed"])
def test_ring_is_kept_as_it_is_whether_closed_or_open(
    tmp_path: Path, ring: list[float]
) -> None:
    found = read_annotation(tmp_path, segmentation=[ring])

    assert found.annotation.rings[0].ravel().tolist() == ring
    assert found.annotation.rings[0].dtype == np.float64
    assert pixels(found.annotation) == 30 * 20
    assert found.actions() == set()
    assert found.annotation.issues == []


def test_whole_numbers_and_fractions_mix_within_a_ring(tmp_path: Path) -> None:
    found = read_annotation(
        tmp_path, segmentation=[[10, 10.0, 40.0, 10, 40, 30, 10.0, 30]]
    )

    assert pixels(found.annotation) == 600
    assert found.actions() == set()


def test_disjoint_parts_are_one_object(tmp_path: Path) -> None:
    second = [60, 40, 70, 40, 70, 50, 60, 50]
    found = read_annotation(
        tmp_path, segmentation=[SQUARE, second], bbox=[10, 10, 60, 40]
    )

    assert len(found.annotation.rings) == 2
    assert pixels(found.annotation) == 600 + 100
    assert found.actions() == {(IssueCode.MULTI_PART, Action.KEPT)}


def test_overlapping_parts_are_a_union(tmp_path: Path) -> None:
    # 30 x 20 and 30 x 20, of which 10 x 20 is in both.
    second = [30, 10, 60, 10, 60, 30, 30, 30]
    found = read_annotation(
        tmp_path, segmentation=[SQUARE, second], bbox=[10, 10, 50, 20]
    )

    assert pixels(found.annotation) == 1000
    assert found.actions() == {(IssueCode.MULTI_PART, Action.KEPT)}


def test_one_flat_ring_counts_as_a_list_of_one(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, segmentation=SQUARE)

    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.SEGMENTATION_FLAT, Action.REPAIRED)}


@pytest.mark.parametrize("depth", [1, 2], ids=["points", "rings of points"])
def test_points_count_as_a_ring(tmp_path: Path, depth: int) -> None:
    points: Any = [[10, 10], [40, 10], [40, 30], [10, 30]]
    found = read_annotation(tmp_path, segmentation=points if depth == 1 else [points])

    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.SEGMENTATION_PAIRS, Action.REPAIRED)}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ('"x"', IssueCode.RING_NOT_NUMBERS),
        ("null", IssueCode.RING_NOT_NUMBERS),
        ("true", IssueCode.RING_NOT_NUMBERS),
        ("{}", IssueCode.RING_NOT_NUMBERS),
        ("[]", IssueCode.RING_NOT_NUMBERS),
        ("NaN", IssueCode.RING_NOT_FINITE),
        ("-Infinity", IssueCode.RING_NOT_FINITE),
        ("1e400", IssueCode.RING_NOT_FINITE),
        ("9" * 5000, IssueCode.RING_NOT_FINITE),
        ("1e300", IssueCode.RING_TOO_LARGE),
        ("-99999999", IssueCode.RING_TOO_LARGE),
        ("9" * 22, IssueCode.RING_TOO_LARGE),
    ],
)
def test_ring_with_what_is_not_a_coordinate_is_not_drawn(
    tmp_path: Path, value: str, code: IssueCode
) -> None:
    text = json.dumps(
        document([annotation(segmentation=[[10, 10, 40, 10, 40, "?", 10, 30]])])
    )
    found = read(write_export(tmp_path, text.replace('"?"', value)))

    assert found.annotation.rings == []
    assert found.annotation.box == (10, 10, 30, 20)
    assert found.actions() == {(code, Action.BOX_ONLY)}
    assert found.annotation.issues == [code]


def test_ring_of_text_that_fits_its_box_is_read(tmp_path: Path) -> None:
    ring = ["10", "10", "40", 10, 40, "30.0", 10, "30"]
    found = read_annotation(tmp_path, segmentation=[ring])

    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.RING_NUMBERS_AS_TEXT, Action.REPAIRED)}


# As one real export writes it: x + width and y + height joined as text.
JOINED: list[Any] = [178, 442, "1780.60", 442, "1780.60", "4422.01", 178, "4422.01"]


@pytest.mark.parametrize("as_text", [True, False])
def test_ring_of_numbers_joined_as_text_is_not_drawn(
    tmp_path: Path, as_text: bool
) -> None:
    ring = JOINED if as_text else [float(number) for number in JOINED]
    box = [178, 442, "0.60", "2.01"] if as_text else [178, 442, 0.60, 2.01]
    parts = document([annotation(segmentation=[ring], bbox=box)])
    # In so large an image the wrong ring would lie inside.
    parts["images"][0].update(width=5000, height=5000)
    found = read(write_export(tmp_path, parts))

    assert found.annotation.rings == []
    assert found.annotation.box == (178, 442, 0.60, 2.01)
    assert found.issue(IssueCode.RING_JOINED_NUMBERS).action is Action.BOX_ONLY


def test_ring_of_text_without_a_box_to_compare_is_not_drawn(tmp_path: Path) -> None:
    found = read_annotation(
        tmp_path, segmentation=[[str(n) for n in SQUARE]], bbox=None
    )

    assert found.record.annotations == []
    assert found.report.dropped == 1
    assert found.actions() == {
        (IssueCode.RING_JOINED_NUMBERS, Action.DROPPED),
        (IssueCode.BOX_MISSING, Action.DROPPED),
    }
    # The sample tells what it lost.
    assert set(found.record.all_issue_codes()) == {
        IssueCode.RING_JOINED_NUMBERS,
        IssueCode.BOX_MISSING,
    }


def test_ring_far_outside_its_box_and_the_image_is_not_drawn(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, segmentation=[[10, 10, 150, 10, 150, 30, 10, 30]])

    assert found.annotation.rings == []
    assert found.annotation.box == (10, 10, 30, 20)
    assert found.actions() == {(IssueCode.RING_FAR_OUTSIDE, Action.BOX_ONLY)}


@pytest.mark.parametrize("reach", [8, 40, 400])
def test_a_ring_that_leaves_the_image_where_its_box_ends_is_good(
    tmp_path: Path, reach: int
) -> None:
    # The box is around its pixels in the image, which is 100 x 80, as exports have it.
    ring = [60, 10, 100 + reach, 50, 60, 30]
    rle = mask_utils.frPyObjects([ring], 80, 100)[0]
    box = mask_utils.toBbox(rle).tolist()
    found = read_annotation(
        tmp_path, segmentation=[ring], bbox=box, area=int(mask_utils.area(rle))
    )
    assert [x.ravel().tolist() for x in found.annotation.rings] == [ring]
    assert found.annotation.box == tuple(box)
    assert found.actions() == {(IssueCode.PARTLY_OUTSIDE, Action.KEPT)}


def test_broken_ring_costs_only_itself(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, segmentation=[[1, 2, 3, 4], SQUARE])

    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.RING_TOO_SHORT, Action.REPAIRED)}
    assert "its ring 1 has 2 points" in found.issue(IssueCode.RING_TOO_SHORT).message


def test_broken_annotation_costs_only_itself(tmp_path: Path) -> None:
    entries = [annotation(), annotation(id=2, segmentation="?", bbox=[]), 7, None]
    entries.append(
        annotation(
            id=3, segmentation=[[60, 40, 70, 40, 70, 50, 60, 50]], bbox=[60, 40, 10, 10]
        )
    )
    found = read(write_export(tmp_path, document(entries)))

    assert [pixels(each) for each in found.record.annotations] == [600, 100]
    assert found.report.annotations == 5
    assert found.report.dropped == 3


def test_ring_of_odd_length_is_not_drawn(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, segmentation=[[*SQUARE, 10]])

    assert found.annotation.rings == []
    assert found.actions() == {(IssueCode.RING_ODD_LENGTH, Action.BOX_ONLY)}


@pytest.mark.parametrize("ring", [[], [10, 10], [10, 10, 40, 30]], ids=len)
def test_ring_of_fewer_than_three_points_is_not_drawn(
    tmp_path: Path, ring: list[float]
) -> None:
    found = read_annotation(tmp_path, segmentation=[ring])

    assert found.annotation.rings == []
    assert found.annotation.box == (10, 10, 30, 20)
    assert found.actions() == {(IssueCode.RING_TOO_SHORT, Action.BOX_ONLY)}


@pytest.mark.parametrize("value", [ABSENT, None, []], ids=["absent", "null", "empty"])
def test_annotation_without_segmentation_is_a_box(tmp_path: Path, value: Any) -> None:
    found = read_annotation(tmp_path, segmentation=value)

    assert found.annotation.rings == []
    assert found.annotation.rle is None
    assert found.annotation.box == (10, 10, 30, 20)
    assert found.actions() == {(IssueCode.SEGMENTATION_MISSING, Action.BOX_ONLY)}


@pytest.mark.parametrize("value", ["[[1,2,3,4,5,6]]", 7, True, 1.5])
def test_segmentation_of_another_kind_leaves_a_box(tmp_path: Path, value: Any) -> None:
    found = read_annotation(tmp_path, segmentation=value)

    assert found.annotation.rings == []
    assert found.actions() == {(IssueCode.SEGMENTATION_INVALID, Action.BOX_ONLY)}


def test_ring_without_area_is_kept(tmp_path: Path) -> None:
    found = read_annotation(
        tmp_path, segmentation=[[10, 10, 40, 10, 20, 10]], bbox=[10, 10, 30, 0]
    )

    assert len(found.annotation.rings) == 1
    assert found.annotation.box == (10, 10, 30, 0)
    assert found.actions() == {
        (IssueCode.ZERO_AREA, Action.KEPT),
        (IssueCode.BOX_EMPTY, Action.REPAIRED),
    }


def test_ring_smaller_than_a_pixel_is_kept(tmp_path: Path) -> None:
    # A right triangle with legs of 1: half a pixel.
    found = read_annotation(
        tmp_path, segmentation=[[10, 10, 11, 10, 10, 11]], bbox=[10, 10, 1, 1]
    )

    assert len(found.annotation.rings) == 1
    assert found.actions() == {(IssueCode.SMALLER_THAN_PIXEL, Action.KEPT)}
    assert "0.5 of a pixel" in found.issue(IssueCode.SMALLER_THAN_PIXEL).message


def test_ring_partly_outside_is_kept_with_the_pixels_inside(tmp_path: Path) -> None:
    # x -10 to 20 and y 70 to 90: 20 x 10 of it lies inside 100 x 80.
    ring = [-10, 70, 20, 70, 20, 90, -10, 90]
    found = read_annotation(tmp_path, segmentation=[ring], bbox=[-10, 70, 30, 20])

    assert found.annotation.rings[0].ravel().tolist() == ring
    assert pixels(found.annotation) == 20 * 10
    assert found.annotation.box == (-10, 70, 30, 20)
    assert found.actions() == {(IssueCode.PARTLY_OUTSIDE, Action.KEPT)}


@pytest.mark.parametrize(
    "ring",
    [[120, 10, 150, 10, 150, 30, 120, 30], [-50, 10, -20, 10, -20, 30, -50, 30]],
    ids=["right", "left"],
)
def test_ring_wholly_outside_is_kept_without_pixels(
    tmp_path: Path, ring: list[float]
) -> None:
    found = read_annotation(tmp_path, segmentation=[ring], bbox=[ring[0], 10, 30, 20])

    assert pixels(found.annotation) == 0
    assert found.actions() == {(IssueCode.OUTSIDE_IMAGE, Action.KEPT)}


@pytest.mark.parametrize("shift", [-0.5, -1.0, 70.5, 71.0])
def test_passing_the_edge_by_a_pixel_is_not_worth_a_word(
    tmp_path: Path, shift: float
) -> None:
    # Roboflow's boxes and rings pass the edge by up to half a pixel.
    ring = [shift, 10, shift + 30, 10, shift + 30, 30, shift, 30]
    found = read_annotation(tmp_path, segmentation=[ring], bbox=[shift, 10, 30, 20])

    assert found.actions() == set()


def test_long_zigzag_is_not_drawn(tmp_path: Path) -> None:
    # 100,000 times across the image and back: rasterizers need memory by the length.
    zigzag = [0, 0, 99, 79] * 100_000
    found = read_annotation(tmp_path, segmentation=[zigzag], bbox=[0, 0, 99, 79])

    assert found.annotation.rings == []
    assert found.actions() == {(IssueCode.RING_TOO_LARGE, Action.BOX_ONLY)}


def test_ring_of_very_many_points_is_kept(tmp_path: Path) -> None:
    angles = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    ring = np.column_stack([50 + 30 * np.cos(angles), 40 + 30 * np.sin(angles)])
    found = read_annotation(
        tmp_path, segmentation=[ring.ravel().tolist()], bbox=[20, 10, 60, 60]
    )

    # A circle of radius 30: 2,827 square pixels.
    assert pixels(found.annotation) == pytest.approx(np.pi * 900, rel=0.01)
    assert found.actions() == set()


def test_the_same_segmentation_twice_is_reported(tmp_path: Path) -> None:
    entries = [annotation(), annotation(id=2), annotation(id=3, category_id=2)]
    found = read(write_export(tmp_path, document(entries)))

    assert len(found.record.annotations) == 3
    issues = found.issues(IssueCode.DUPLICATE_OBJECT)
    assert [(i.annotation_id, i.action) for i in issues] == [
        (2, Action.KEPT),
        (3, Action.KEPT),
    ]
    assert "annotation 1, which is 'cat'" in issues[1].message


def test_box_is_not_asked_after_the_loss_of_a_ring(tmp_path: Path) -> None:
    # The box is around both rings; one of them is broken.
    found = read_annotation(
        tmp_path, segmentation=[SQUARE, [60, 60, None, 70]], bbox=[10, 10, 60, 60]
    )

    assert found.annotation.box == (10, 10, 60, 60)
    assert found.actions() == {(IssueCode.RING_NOT_NUMBERS, Action.REPAIRED)}
