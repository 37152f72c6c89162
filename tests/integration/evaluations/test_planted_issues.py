"""Errors planted into a real export are found by a search, and no others."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import pytest

from fiftyone_cocomask import find_mask_issues, import_roboflow_coco

JSON_NAME = "_annotations.coco.json"
ISSUES = ("unfilled", "box_only", "leak", "ids_differ")
IN_VALID = 10


def write_splits(source: Path, folder: Path, *, planted: bool) -> dict[str, set[Any]]:
    """Writes an export's images as two splits; returns what was planted."""
    document = json.loads((source / JSON_NAME).read_text())
    sources = sorted({image["extra"]["name"] for image in document["images"]})
    in_valid = set(sources[-IN_VALID:])
    expected: dict[str, set[Any]] = {issue: set() for issue in ISSUES}
    largest = max(image["id"] for image in document["images"])
    for split in ("train", "valid"):
        own = {**document, "images": [], "annotations": []}
        for image in document["images"]:
            if (image["extra"]["name"] in in_valid) is (split == "valid"):
                own["images"].append(image)
        ids = {image["id"] for image in own["images"]}
        own["annotations"] = [
            json.loads(json.dumps(annotation))
            for annotation in document["annotations"]
            if annotation["image_id"] in ids
        ]
        (folder / split).mkdir(parents=True)
        for image in own["images"]:
            shutil.copy(source / image["file_name"], folder / split)
        if planted and split == "train":
            for annotation in own["annotations"][::7]:
                annotation["segmentation"] = []
                expected["box_only"].add((split, annotation["id"]))
        if planted and split == "valid":
            used = Counter(a["category_id"] for a in own["annotations"])
            (one, _), (other, _) = used.most_common(2)
            swapped = {one: other, other: one}
            own["categories"] = [
                {**c, "id": swapped.get(c["id"], c["id"])} for c in own["categories"]
            ]
            for annotation in own["annotations"]:
                old = annotation["category_id"]
                annotation["category_id"] = swapped.get(old, old)
                if old in swapped:
                    expected["ids_differ"].add((split, annotation["id"]))
            for number in range(5):
                name = sorted(p.name for p in (folder / "train").glob("*.jpg"))[number]
                picture = cv2.imread(str(folder / "train" / name))
                copy = f"copy{number}.jpg"
                path = str(folder / split / copy)
                cv2.imwrite(path, picture, [cv2.IMWRITE_JPEG_QUALITY, 60])
                height, width = picture.shape[:2]
                largest += 1
                own["images"].append(
                    {"id": largest, "file_name": copy, "height": height, "width": width}
                )
                expected["leak"] |= {("train", name), (split, copy)}
        (folder / split / JSON_NAME).write_text(json.dumps(own))
    return expected


def found(dataset: fo.Dataset) -> dict[str, set[Any]]:
    """Returns the issues of a dataset by annotation, and by image for `leak`."""
    found: dict[str, set[Any]] = {issue: set() for issue in ISSUES}
    for sample in dataset:
        if "mask_issues:leak" in sample.tags:
            found["leak"].add((sample.split, Path(sample.filepath).name))
        for label in (*sample.segmentations.polylines, *sample.detections.detections):
            for issue in ISSUES:
                if f"mask_issues:{issue}" in label.tags:
                    found[issue].add((sample.split, label.coco_id))
    return found


@pytest.mark.parametrize("planted", [True, False])
def test_planted_errors_are_found_and_no_others(
    new_dataset: Any, exports: Path, tmp_path: Path, planted: bool
) -> None:
    source = exports / "fetal_brain"
    expected = write_splits(source, tmp_path / "export", planted=planted)
    dataset, _ = import_roboflow_coco(tmp_path / "export")
    if planted:
        labels = dataset.values("segmentations.polylines")
        for group in labels[:8]:
            for label in group[:1]:
                label.filled = label.closed = False
        dataset.set_values("segmentations.polylines", labels)
        expected["unfilled"] = {
            (split, group[0].coco_id)
            for split, group in zip(dataset.values("split"), labels[:8], strict=False)
            if group
        }
        assert min(map(len, expected.values())) >= 8
    find_mask_issues(dataset, mask_field=None)
    assert found(dataset) == expected
