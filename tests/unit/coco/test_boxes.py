"""Boxes: read as they are, taken from the segmentation where they are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fiftyone_cocomask.coco.issues import Action, IssueCode

from .exports import (
    ABSENT,
    annotation,
    document,
    pixels,
    read,
    read_annotation,
    write_export,
)

BROKEN = [
    (ABSENT, IssueCode.BOX_MISSING),
    (None, IssueCode.BOX_MISSING),
    ([], IssueCode.BOX_MISSING),
    ([0, 0, 0, 0], IssueCode.BOX_EMPTY),
    ([10, 10, 30, 0], IssueCode.BOX_EMPTY),
    ([40, 30, -30, -20], IssueCode.BOX_NEGATIVE),
    ([10, 10, 30], IssueCode.BOX_INVALID),
    ([10, 10, 30, 20, 5], IssueCode.BOX_INVALID),
    ([10, 10, None, 20], IssueCode.BOX_INVALID),
    ([10, 10, True, 20], IssueCode.BOX_INVALID),
    ([10, 10, "wide", 20], IssueCode.BOX_INVALID),
    ([10, 10, [30], 20], IssueCode.BOX_INVALID),
    ([10, 10, 1e30, 20], IssueCode.BOX_INVALID),
    ({"x": 10}, IssueCode.BOX_INVALID),
    ("10,10,30,20", IssueCode.BOX_INVALID),
    (7, IssueCode.BOX_INVALID),
]
IDS = [f"{code.value}-{number}" for number, (_, code) in enumerate(BROKEN)]


@pytest.mark.parametrize(("box", "code"), BROKEN, ids=IDS)
def test_box_is_taken_from_the_segmentation(
    tmp_path: Path, box: Any, code: IssueCode
) -> None:
    found = read_annotation(tmp_path, bbox=box)

    assert found.annotation.box == (10, 10, 30, 20)
    assert pixels(found.annotation) == 600
    assert found.actions() == {(code, Action.REPAIRED)}


@pytest.mark.parametrize(("box", "code"), BROKEN, ids=IDS)
def test_annotation_without_box_and_segmentation_is_dropped(
    tmp_path: Path, box: Any, code: IssueCode
) -> None:
    found = read_annotation(tmp_path, bbox=box, segmentation=[])

    assert found.record.annotations == []
    assert (found.report.imported, found.report.dropped) == (0, 1)
    assert found.actions() == {
        (code, Action.DROPPED),
        (IssueCode.SEGMENTATION_MISSING, Action.DROPPED),
    }
    assert found.issue(code).annotation_id == 1
    assert found.issue(code).file_name == "a.png"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_box_with_what_is_not_a_finite_number(tmp_path: Path, number: str) -> None:
    text = json.dumps(document([annotation(bbox=[10, 10, "?", 20])]))
    found = read(write_export(tmp_path, text.replace('"?"', number)))

    assert found.annotation.box == (10, 10, 30, 20)
    assert found.actions() == {(IssueCode.BOX_INVALID, Action.REPAIRED)}


def test_numbers_of_a_box_written_as_text_are_read(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, bbox=[10, 10, "30.00", "20"])

    assert found.annotation.box == (10, 10, 30, 20)
    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.BOX_NUMBERS_AS_TEXT, Action.REPAIRED)}


@pytest.mark.parametrize("box", [[50, 50, 10, 10], [10, 10, 90, 70], [12, 12, 10, 5]])
def test_box_elsewhere_is_made_to_fit(tmp_path: Path, box: list[float]) -> None:
    found = read_annotation(tmp_path, bbox=box)

    assert found.annotation.box == (10, 10, 30, 20)
    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.BOX_DIFFERS, Action.REPAIRED)}


def test_box_rounded_as_roboflow_does_is_kept(tmp_path: Path) -> None:
    ring = [9.6, 10.4, 40.1, 10.4, 40.1, 30.2, 9.6, 30.2]
    found = read_annotation(tmp_path, segmentation=[ring], bbox=[10, 10, 30.5, 19.8])

    assert found.annotation.box == (10, 10, 30.5, 19.8)
    assert found.actions() == set()


def test_box_counted_by_whole_pixels_is_kept(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, bbox=[10, 10, 31, 21])

    assert found.annotation.box == (10, 10, 31, 21)
    assert found.actions() == set()


def test_box_with_negative_corner_is_kept(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, bbox=[-0.5, 10, 30, 20], segmentation=[])

    assert found.annotation.box == (-0.5, 10, 30, 20)
    assert found.actions() == {(IssueCode.SEGMENTATION_MISSING, Action.BOX_ONLY)}


def test_box_outside_the_image_is_kept_and_reported(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, bbox=[200, 10, 30, 20], segmentation=[])

    assert found.annotation.box == (200, 10, 30, 20)
    assert found.actions() == {
        (IssueCode.SEGMENTATION_MISSING, Action.BOX_ONLY),
        (IssueCode.BOX_OUTSIDE_IMAGE, Action.KEPT),
    }


@pytest.mark.parametrize(
    ("area", "expected", "code"),
    [
        (ABSENT, None, None),
        (600.5, 600.5, None),
        (0, 0, IssueCode.AREA_DIFFERS),
        (90, 90, IssueCode.AREA_DIFFERS),
        (None, None, IssueCode.AREA_INVALID),
        (-5, -5, IssueCode.AREA_INVALID),
        (True, None, IssueCode.AREA_INVALID),
        ([600], None, IssueCode.AREA_INVALID),
        ("wide", None, IssueCode.AREA_INVALID),
        ("600", 600, IssueCode.AREA_INVALID),
    ],
)
def test_area_is_kept_as_found_and_never_believed(
    tmp_path: Path, area: Any, expected: float | None, code: IssueCode | None
) -> None:
    found = read_annotation(tmp_path, area=area)

    assert found.annotation.annotated_area == expected
    assert pixels(found.annotation) == 600
    codes = {issue.code for issue in found.report.issues}
    assert codes - {IssueCode.CATEGORY_UNUSED} == ({code} if code else set())


def test_area_of_the_box_is_told_once_for_a_split(tmp_path: Path) -> None:
    # A triangle: 300 of the 600 pixels of its box.
    triangle = [[10, 10, 40, 10, 10, 30]]
    entries = [annotation(id=n, segmentation=triangle, area=600) for n in (1, 2)]
    entries[1]["segmentation"] = [[10, 30, 40, 10, 40, 30]]
    found = read(write_export(tmp_path, document(entries)))

    issue = found.issue(IssueCode.AREA_IS_BOX_AREA)
    assert issue.message.startswith("'area' of 2 of 2 annotations is the box's area")
    # It is a fact of the split: what comes first is an example, not where it is.
    assert (issue.file_name, issue.image_id, issue.annotation_id) == (None,) * 3
    assert issue.message.endswith("; for example annotation 1 of a.png")


def test_area_of_the_box_is_counted_where_it_can_be_told(tmp_path: Path) -> None:
    # Triangles, a shape of 93% of its box, one of 99%, and the box itself.
    shapes = [
        [10, 10, 40, 10, 10, 30],
        [10, 10, 40, 10, 40, 30],
        [10, 10, 40, 10, 40, 30, 14.2, 30, 10, 10],
        [10, 10, 40, 10, 40, 30, 10.5, 30],
        [10, 10, 40, 10, 40, 30, 10, 30],
    ]
    entries = [
        annotation(id=n, segmentation=[ring], area=600) for n, ring in enumerate(shapes)
    ]
    # One that states its own area, and one without a shape.
    entries.append(annotation(id=8, segmentation=[shapes[0]], area=300))
    entries.append(annotation(id=9, segmentation=[], area=600))
    found = read(write_export(tmp_path, document(entries)))

    message = found.issue(IssueCode.AREA_IS_BOX_AREA).message
    assert message.startswith("'area' of 3 of 4 annotations is the box's area")
    more = "; 2 more fill their box, so that both areas are the same"
    assert message.endswith(f"{more}; for example annotation 0 of a.png")


# pycocotools' pixels of them are 800 and 900; their halves are of opposite direction.
BOW_TIES = {
    800: [10, 10, 50, 50, 50, 10, 10, 50],
    900: [60, 10, 90, 70, 90, 10, 60, 70],
}


@pytest.mark.parametrize("area", BOW_TIES)
def test_a_bow_tie_has_an_area(tmp_path: Path, area: int) -> None:
    ring = BOW_TIES[area]
    x, y = ring[::2], ring[1::2]
    box = [min(x), min(y), max(x) - min(x), max(y) - min(y)]
    found = read_annotation(tmp_path, segmentation=[ring], bbox=box, area=area)

    assert pixels(found.annotation) == area
    codes = {issue.code for issue in found.report.issues}
    assert codes == {IssueCode.CATEGORY_UNUSED}


def test_a_lopsided_bow_tie_states_its_own_area(tmp_path: Path) -> None:
    # Triangles of 10 x 20 and 30 x 60 about their common point: 100 + 900.
    ring = [10, 20, 50, 80, 50, 20, 10, 40]
    found = read_annotation(
        tmp_path, segmentation=[ring], bbox=[10, 20, 40, 60], area=1000
    )

    assert abs(pixels(found.annotation) - 1000) < 20
    assert not found.issues(IssueCode.AREA_DIFFERS)
    assert not found.issues(IssueCode.ZERO_AREA)


@pytest.mark.parametrize(
    ("ring", "code"),
    [
        ([10, 10, 30, 20, 20, 15], IssueCode.ZERO_AREA),
        ([3.3, 1, 40.7, 13, 22, 7], IssueCode.ZERO_AREA),
        ([10, 10, 30, 20, 50, 10, 30, 20], IssueCode.ZERO_AREA),
        ([10, 10, 10.5, 10, 10.5, 10.5, 10, 10.5], IssueCode.SMALLER_THAN_PIXEL),
        ([10, 10, 10.8, 10.8, 10.8, 10, 10, 10.8], IssueCode.SMALLER_THAN_PIXEL),
    ],
)
def test_lines_and_parts_of_a_pixel_are_told(
    tmp_path: Path, ring: list[float], code: IssueCode
) -> None:
    x, y = ring[::2], ring[1::2]
    box = [min(x), min(y), max(x) - min(x), max(y) - min(y)]
    found = read_annotation(tmp_path, segmentation=[ring], bbox=box)

    assert found.issue(code).action is Action.KEPT


def test_overlapping_parts_state_the_area_of_their_union(tmp_path: Path) -> None:
    second = [15, 10, 45, 10, 45, 30, 15, 30]
    found = read_annotation(
        tmp_path,
        segmentation=[[10, 10, 40, 10, 40, 30, 10, 30], second],
        bbox=[10, 10, 35, 20],
        area=700,
    )

    assert pixels(found.annotation) == 700
    codes = {issue.code for issue in found.report.issues}
    assert codes == {IssueCode.CATEGORY_UNUSED, IssueCode.MULTI_PART}
