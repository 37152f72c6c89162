"""Small inputs from other people's work, where they are present."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from fiftyone_cocomask.coco.issues import IssueCode, Severity

from .exports import Reading, mask_of, pixels, read


def files(found: Reading) -> list[str]:
    return sorted(record.path.name for record in found.records)


def has_error(found: Reading) -> bool:
    return any(issue.severity is Severity.ERROR for issue in found.report.issues)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("01-ls-climbing-names", ["cb06-a.png", "ff12-b.png"]),
        ("02-ls-absolute-names", ["a.jpg", "b.jpg"]),
        ("03-ls-percent", ["a b.jpg", "c%20d.jpg", "x:y.jpg", "\u00fc#1.jpg"]),
        ("05-capital-folders", ["DJI_1.png"]),
        ("30-extension-differs", ["Dog.jpg", "a.jpg", "b.png", "c.jpeg"]),
        (
            "34-second-json-ignored",
            ["000000.jpg", "000000.jpg", "000001.jpg", "000001.jpg"],
        ),
    ],
)
def test_all_images_are_found(cases: Path, case: str, expected: list[str]) -> None:
    found = read(cases / case)

    assert files(found) == expected
    assert found.report.imported == len(expected)
    assert not has_error(found)


def test_image_dir_of_absolute_names(cases: Path) -> None:
    case = cases / "02-ls-absolute-names"
    found = read(case / "result.json", image_dir=case / "images")

    assert files(found) == ["a.jpg", "b.jpg"]


def test_split_without_annotations(cases: Path) -> None:
    found = read(cases / "13-empty-split")

    assert files(found) == ["a.jpg", "b.jpg"]
    assert found.issue(IssueCode.ANNOTATIONS_MISSING).split == "test"


def test_normalized_coordinates(cases: Path) -> None:
    found = read(cases / "26-normalised-coordinates")

    assert found.issue(IssueCode.COORDINATES_NORMALIZED).severity is Severity.ERROR


def test_duplicate_keys(cases: Path) -> None:
    found = read(cases / "39-duplicate-json-keys")

    assert found.issue(IssueCode.DUPLICATE_KEY).severity is Severity.ERROR
    assert found.report.imported == found.report.annotations == 1


def test_tiffs_of_many_bands(cases: Path) -> None:
    found = read(cases / "20-multiband-tiff")

    assert len(found.records) == 7
    assert {(record.width, record.height) for record in found.records} == {(100, 80)}
    message = found.issue(IssueCode.IMAGE_UNREADABLE).message
    assert message == "it is a NumPy array, not an image"


def test_rows_too_many(cases: Path) -> None:
    found = read(cases / "07-rle-one-row-off")

    masks = {a.coco_id: mask_of(a) for a in found.record.annotations}
    expected = np.zeros((219, 264), np.uint8)
    expected[100:150, 50:120] = 1
    assert np.array_equal(masks[1], expected)
    assert int(masks[2].sum()) == 70 * 20
    assert found.issue(IssueCode.RLE_ROWS_FITTED).annotation_id == 1


def test_names_that_are_numbers(cases: Path) -> None:
    found = read(cases / "14-number-names")

    assert [a.label for a in found.record.annotations] == ["7", "3.5", "true"]


def test_bow_ties(cases: Path) -> None:
    found = read(cases / "27-bowtie-no-area")

    assert [pixels(a) for a in found.record.annotations] == [800, 900]
    assert not found.issues(IssueCode.ZERO_AREA)
    assert not any("no area" in issue.message for issue in found.report.issues)


def test_ragged_rle(cases: Path) -> None:
    case = cases / "29-ragged-rle"
    found = read(case)
    json_path = case / "train" / "_annotations.coco.json"
    (entry,) = json.loads(json_path.read_text())["annotations"]

    assert np.array_equal(
        mask_of(found.annotation), mask_utils.decode(entry["segmentation"])
    )
    assert found.annotation.box == (0, 0, 2000, 1500)
    assert found.report.dropped == 0
    assert found.issue(IssueCode.OUTLINE_SIMPLIFIED).annotation_id == entry["id"]
