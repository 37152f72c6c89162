"""The whole job on real Roboflow exports, against the references themselves."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

import fiftyone_cocomask as fcm

# Images and annotations, as counted in the JSON files by hand.
COUNTS = {
    "mushrooms": (87, 11_631),
    "bacteria": (15, 40),
    "fetal_brain": (34, 143),
    "leaf_veins": (6, 57),
}
# Of images with more annotations, the notebook's loop draws one in eight.
MANY = 100


@pytest.fixture(scope="module")
def imported(exports: Path) -> Iterator[Any]:
    """Imports each export once: ``imported(name)`` is the dataset and the report."""
    done: dict[str, tuple[fo.Dataset, fcm.ExportReport]] = {}

    def get(name: str) -> tuple[fo.Dataset, fcm.ExportReport]:
        if name not in done:
            dataset, report = fcm.import_roboflow_coco(
                exports / name, f"real-{name}", persistent=False
            )
            done[name] = dataset, report
        return done[name]

    yield get
    for dataset, _ in done.values():
        dataset.delete()


def json_paths(folder: Path) -> dict[str, Path]:
    """Returns the COCO JSON of each split, by the split's folder name."""
    return {path.parent.name: path for path in folder.rglob("_annotations.coco.json")}


def coco_union(coco: COCO, annotations: list[dict[str, Any]], image: Any) -> np.ndarray:
    rles = [coco.annToRLE(item) for item in annotations if item["segmentation"]]
    if not rles:
        return np.zeros((image["height"], image["width"]), np.uint8)
    return mask_utils.decode(mask_utils.merge(rles)) * np.uint8(255)


def notebook_mask(annotations: list[dict[str, Any]], image: Any) -> np.ndarray:
    """The notebook's loop, literally."""
    combined = np.zeros((image["height"], image["width"]), np.uint8)
    for annotation in annotations:
        mask = np.zeros((image["height"], image["width"]), np.uint8)
        if isinstance(annotation["segmentation"], dict):
            mask = mask_utils.decode(annotation["segmentation"])
        else:
            for ring in annotation["segmentation"]:
                points = np.array(ring).reshape(-1, 2).astype(np.int32)
                cv2.fillPoly(mask, [points], 1)
        combined = np.maximum(combined, mask)
    return combined * np.uint8(255)


def painted_mask(annotations: list[dict[str, Any]], image: Any) -> np.ndarray:
    """The same on one canvas: for images of hundreds of polygons."""
    mask = np.zeros((image["height"], image["width"]), np.uint8)
    for annotation in annotations:
        for ring in annotation["segmentation"]:
            points = np.array(ring).reshape(-1, 2).astype(np.int32)
            cv2.fillPoly(mask, [points], 255)
    return mask


def references(folder: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yields each image's file name with its mask by pycocotools and the notebook."""
    for path in json_paths(folder).values():
        coco = COCO(str(path))
        by_image = defaultdict(list)
        for annotation in json.loads(path.read_text())["annotations"]:
            by_image[annotation["image_id"]].append(annotation)
        for image_id, image in coco.imgs.items():
            annotations = by_image[image_id]
            union = coco_union(coco, annotations, image)
            has_many = len(annotations) > MANY
            notebook = painted_mask if has_many and image_id % 8 else notebook_mask
            yield image["file_name"], union, notebook(annotations, image)


@pytest.mark.parametrize("name", COUNTS)
def test_every_annotation_is_imported_or_accounted_for(
    imported: Any, name: str
) -> None:
    dataset, report = imported(name)
    images, annotations = COUNTS[name]
    assert (report.images, report.annotations) == (images, annotations)
    assert report.accounted == annotations
    assert len(dataset) == images
    assert dataset.count("detections.detections") + report.dropped == annotations
    assert len(json_paths(Path(dataset.first().filepath).parents[1])) >= 1


def test_splits_are_those_of_the_export(imported: Any) -> None:
    dataset, report = imported("mushrooms")
    assert set(report.splits) == {"train", "valid", "test"}
    assert dataset.count_values("split") == {
        name: counts["images"] for name, counts in report.splits.items()
    }
    assert sum(counts["annotations"] for counts in report.splits.values()) == 11_631


def test_the_unused_root_category_is_told_apart_from_its_namesake(
    exports: Path,
) -> None:
    report = fcm.check_export(exports / "butterflies")
    assert (report.images, report.annotations) == (21, 33)
    assert report.accounted == 33
    (path,) = (exports / "butterflies").glob("*.json")
    names = [
        category["name"] for category in json.loads(path.read_text())["categories"]
    ]
    assert names.count("butterfly") == 2
    assert fcm.IssueCode.DUPLICATE_CATEGORY_NAME not in {i.code for i in report.issues}


@pytest.mark.parametrize("name", COUNTS)
def test_masks_equal_their_references_bit_for_bit(
    imported: Any, exports: Path, name: str
) -> None:
    dataset, _ = imported(name)
    for rasterizer, field in (("coco", "mask"), ("opencv", "mask_opencv")):
        report = fcm.compute_masks(
            dataset, "segmentations", field, rasterizer=rasterizer
        )
        assert report.images == len(dataset)
    # Thousands of labels would take longer to read than all masks to draw.
    view = dataset.select_fields(["file_name", "mask", "mask_opencv"])
    samples = {sample.file_name: sample for sample in view}
    compared = 0
    for file_name, union, literal in references(exports / name):
        sample = samples.pop(file_name)
        np.testing.assert_array_equal(sample.mask.get_mask(), union)
        np.testing.assert_array_equal(sample.mask_opencv.get_mask(), literal)
        compared += 1
    assert compared == COUNTS[name][0]
    assert not samples
