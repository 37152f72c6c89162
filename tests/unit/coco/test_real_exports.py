"""Exports by other people: everything in them is read, and what stands out is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fiftyone_cocomask.coco.check import ExportReader, check_export
from fiftyone_cocomask.coco.issues import IssueCode
from fiftyone_cocomask.coco.records import ImageRecord

from .exports import read


@pytest.mark.parametrize(
    ("name", "splits"),
    [
        ("mushrooms", {"test": (3, 594), "train": (78, 10_335), "valid": (6, 702)}),
        ("bacteria", {"default": (15, 40)}),
        ("fetal_brain", {"default": (34, 143)}),
        ("leaf_veins", {"test": (2, 18), "train": (2, 20), "valid": (2, 19)}),
    ],
)
def test_all_of_a_real_export_is_read_as_it_is(
    exports: Path, name: str, splits: dict[str, tuple[int, int]]
) -> None:
    found = read(exports / name)
    report = found.report

    assert report.splits == {
        split: {"images": images, "annotations": annotations}
        for split, (images, annotations) in splits.items()
    }
    assert report.dropped == 0
    assert report.usable_images == report.images
    # fetal_brain has 66 'cerebelo', one 'cerebelo_1' and one 'cerebelo-2'.
    findings = {IssueCode.CATEGORY_NAMES_SIMILAR, IssueCode.CATEGORY_SINGLETON}
    assert {issue.code for issue in report.issues} == {
        IssueCode.AREA_IS_BOX_AREA,
        IssueCode.CATEGORY_UNUSED,
        *(findings if name == "fetal_brain" else ()),
    }
    for split in splits:
        folder = exports / name / ("" if split == "default" else split)
        _assert_same_as_json(found.records, split, folder / "_annotations.coco.json")


def _assert_same_as_json(records: list[ImageRecord], split: str, path: Path) -> None:
    """Rings, boxes, areas and ids are those that the standard library reads."""
    parts = json.loads(path.read_text())
    by_image: dict[Any, list[Any]] = {image["id"]: [] for image in parts["images"]}
    for entry in parts["annotations"]:
        by_image[entry["image_id"]].append(entry)
    names = {image["id"]: image["file_name"] for image in parts["images"]}
    of_split = [record for record in records if record.split == split]
    assert {record.coco_id: record.file_name for record in of_split} == names
    for record in of_split:
        entries = by_image[record.coco_id]
        assert [a.coco_id for a in record.annotations] == [e["id"] for e in entries]
        for found, entry in zip(record.annotations, entries, strict=True):
            assert [r.ravel().tolist() for r in found.rings] == entry["segmentation"]
            assert found.box == tuple(entry["bbox"])
            assert found.annotated_area == entry["area"]
            assert found.category_id == entry["category_id"]


def test_mushrooms_keep_what_roboflow_knows(exports: Path) -> None:
    with ExportReader(exports / "mushrooms") as reader:
        records = list(reader.images())

    assert reader.roboflow["version"] == "2"
    assert reader.roboflow["exported"] == "January 30, 2025 at 10:18 AM GMT"
    assert reader.roboflow["license"] == "CC BY 4.0"
    assert reader.classes == ["Mushroom"]
    assert any("Mature" in record.user_tags for record in records)
    train = [record.source_name for record in records if record.split == "train"]
    names, counts = np.unique(train, return_counts=True)
    assert (len(names), set(counts.tolist())) == (26, {3})


def test_fetal_brain_has_the_sources_own_names(exports: Path) -> None:
    found = read(exports / "fetal_brain")

    assert "97.21_20250324_1_1.jpg" in {r.source_name for r in found.records}


def test_butterflies_without_images_are_checked(exports: Path) -> None:
    report = check_export(exports / "butterflies")

    assert (report.images, report.annotations, report.categories) == (21, 33, 2)
    assert (report.usable_images, report.dropped, report.accounted) == (0, 33, 33)
    assert report.counts() == {
        "category_unused": 1,
        "image_missing": 21,
        "annotation_of_dropped_image": 33,
    }
    with ExportReader(exports / "butterflies") as reader:
        assert reader.classes == ["butterfly"]
        root, butterfly = reader.categories["default"]
    assert (root.id, root.used) == (0, False)
    assert (butterfly.id, butterfly.name, butterfly.used) == (1, "butterfly", True)
