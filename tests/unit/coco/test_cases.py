"""Small inputs from other people's work, where they are present."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiftyone_cocomask.coco.issues import IssueCode, Severity

from .exports import Reading, read


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
