"""Figures on real exports equal those of a reference that decodes and counts all."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from pycocotools.coco import COCO

import fiftyone_cocomask as fcm


@dataclass
class ImageReference:
    """What pycocotools says of one image, painted and counted here."""

    image_px: int
    areas: dict[int, int]
    visible: dict[int, int]
    foreground_px: int
    overlap_px: int
    by_class: Counter[int]


def image_reference(coco: COCO, annotations: list[dict[str, Any]]) -> ImageReference:
    image = coco.imgs[annotations[0]["image_id"]]
    masks = [coco.annToMask(item).astype(bool) for item in annotations]
    areas = [int(mask.sum()) for mask in masks]
    canvas = np.full((image["height"], image["width"]), -1)
    covered = np.zeros(canvas.shape, int)
    # Largest first, and otherwise in their order: `sorted` is stable.
    for index in sorted(range(len(masks)), key=lambda i: -areas[i]):
        canvas[masks[index]] = index
        covered += masks[index]
    ids = [item["id"] for item in annotations]
    visible = np.bincount(canvas[canvas >= 0], minlength=len(masks)).tolist()
    by_class: Counter[int] = Counter()
    for item, pixels in zip(annotations, visible, strict=True):
        by_class[item["category_id"]] += pixels
    return ImageReference(
        image_px=canvas.size,
        areas=dict(zip(ids, areas, strict=True)),
        visible=dict(zip(ids, visible, strict=True)),
        foreground_px=int((canvas >= 0).sum()),
        overlap_px=int((covered > 1).sum()),
        by_class=by_class,
    )


def references(export: Path) -> dict[tuple[str, str], ImageReference]:
    found = {}
    for path in export.rglob("_annotations.coco.json"):
        coco = COCO(str(path))
        by_image = defaultdict(list)
        for item in json.loads(path.read_text())["annotations"]:
            if item["segmentation"]:
                by_image[item["image_id"]].append(item)
        for image_id, items in by_image.items():
            name = coco.imgs[image_id]["file_name"]
            found[path.parent.name, name] = image_reference(coco, items)
    return found


@pytest.mark.parametrize("name", ["bacteria", "fetal_brain", "leaf_veins", "mushrooms"])
def test_figures_equal_a_naive_reference_to_the_last_pixel(
    exports: Path, name: str
) -> None:
    dataset, _ = fcm.import_roboflow_coco(exports / name, f"eval-{name}")
    try:
        fcm.compute_masks(dataset)
        expected = references(exports / name)
        evaluate_and_check(dataset, expected)
        # Once more like masks of others, of which nothing is known.
        dataset._sample_collection.update_many(
            {}, {"$unset": {"mask.file_state": "", "mask.drawn": ""}}
        )
        for key in fcm.list_mask_evaluations(dataset):
            fcm.delete_mask_evaluation(dataset, key)
        evaluate_and_check(dataset, expected)
    finally:
        dataset.delete()


def evaluate_and_check(
    dataset: fo.Dataset, expected: dict[tuple[str, str], ImageReference]
) -> None:
    labels = {"label_field": "segmentations"}
    area = fcm.evaluate_mask_area(dataset, eval_key="area", **labels)
    coverage = fcm.evaluate_mask_coverage(dataset, eval_key="coverage", **labels)
    check(dataset, area.summary(), coverage, expected)


def check(
    dataset: fo.Dataset,
    area: dict[str, Any],
    coverage: Any,
    expected: dict[tuple[str, str], ImageReference],
) -> None:
    objects = 0
    with_labels = dataset.match({"segmentations.polylines.0": {"$exists": True}})
    assert len(with_labels) == len(expected) > 0
    for sample in with_labels:
        folder = Path(sample.filepath).parent.name
        reference = expected[folder, sample.file_name]
        labels = sample.segmentations.polylines
        objects += len(labels)
        assert {x.coco_id: x.area_px for x in labels} == reference.areas
        assert {x.coco_id: x.area_visible_px for x in labels} == reference.visible
        assert sample.area_px == reference.foreground_px
        assert sample.coverage_ratio == reference.foreground_px / reference.image_px
        overlap = reference.overlap_px / reference.foreground_px
        assert sample.coverage_overlap == overlap
    total = sum(item.foreground_px for item in expected.values())
    assert (area["foreground_px"], area["objects"]) == (total, objects)
    summary = coverage.summary()
    assert summary["foreground_px"] == total
    ratios = [item.foreground_px / item.image_px for item in expected.values()]
    mean = sum(ratios) / len(dataset)
    assert summary["mean_coverage_over_images"] == pytest.approx(mean)
    by_class: Counter[int] = Counter()
    for item in expected.values():
        by_class.update(item.by_class)
    assert sorted(coverage.per_class()["visible_px"]) == sorted(by_class.values())
