"""Coordinates from 0 to 1: said as an error, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiftyone_cocomask.cli.main import main
from fiftyone_cocomask.coco.issues import IssueCode, Severity

from .exports import (
    ABSENT,
    HEIGHT,
    WIDTH,
    annotation,
    document,
    image_entry,
    read,
    write_export,
    write_image,
)

RING = [0.1, 0.125, 0.4, 0.125, 0.4, 0.375, 0.1, 0.375]
BOX = [0.1, 0.125, 0.3, 0.25]


@pytest.mark.parametrize(
    "changes",
    [
        {"segmentation": [RING], "bbox": BOX},
        {"segmentation": [RING], "bbox": [10, 10, 30, 20]},
        {"segmentation": [RING], "bbox": ABSENT},
        {"segmentation": [], "bbox": BOX},
        {"segmentation": ABSENT, "bbox": [0, 0, 1, 0.5]},
        {"segmentation": [[0, 0, 1, 0, 1, 0.9, 0, 1]], "bbox": [0, 0, 1, 0.9]},
    ],
    ids=range(6),
)
def test_coordinates_from_0_to_1_are_an_error(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    entries = [annotation(id=n, **changes) for n in range(3)]
    found = read(write_export(tmp_path, document(entries)))

    issue = found.issue(IssueCode.COORDINATES_NORMALIZED)
    assert issue.severity is Severity.ERROR
    assert "3 of 3 annotations" in issue.message
    assert "multiply every x by the image's width" in issue.message
    assert found.report.imported == 3
    assert main(["check", str(tmp_path)]) == 1


def test_coordinates_from_0_to_1_of_a_resized_image(tmp_path: Path) -> None:
    parts = document([annotation(segmentation=[RING], bbox=BOX)])
    write_export(tmp_path, parts, files=())
    write_image(tmp_path / "a.png", size=(3 * WIDTH, 3 * HEIGHT))

    read(tmp_path).issue(IssueCode.COORDINATES_NORMALIZED)


@pytest.mark.parametrize(
    "entries",
    [
        [annotation()],
        [],
        [annotation(id=1), annotation(id=2), annotation(id=3, segmentation=[RING])],
        # One pixel in the corner.
        [annotation(segmentation=[[0, 0, 1, 0, 1, 1, 0, 1]], bbox=[0, 0, 1, 1])],
    ],
    ids=range(4),
)
def test_coordinates_in_pixels_are_none(
    tmp_path: Path, entries: list[dict[str, object]]
) -> None:
    found = read(write_export(tmp_path, document(entries)))

    assert not found.issues(IssueCode.COORDINATES_NORMALIZED)


def test_tiny_image_has_objects_of_less_than_a_pixel(tmp_path: Path) -> None:
    parts = document(
        [annotation(segmentation=[RING], bbox=BOX)],
        images=[image_entry(width=2, height=2)],
    )
    write_export(tmp_path, parts, files=())
    write_image(tmp_path / "a.png", size=(2, 2))

    assert not read(tmp_path).issues(IssueCode.COORDINATES_NORMALIZED)
