"""Figures on real exports equal those of pycocotools, object by object."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

import fiftyone_cocomask as fcm


@dataclass
class ImageReference:
    """What pycocotools says of one image, its objects laid on each other here."""

    image_px: int
    areas: dict[int, int]
    visible: dict[int, int]
    foreground_px: int
    overlap_px: int
    by_class: Counter[int]


def image_reference(coco: COCO, annotations: list[dict[str, Any]]) -> ImageReference:
    image = coco.imgs[annotations[0]["image_id"]]
    rles = [coco.annToRLE(item) for item in annotations]
    areas = [int(mask_utils.area(rle)) for rle in rles]
    visible = [0] * len(rles)
    hidden = []
    above = None
    # Largest first, and otherwise in their order: `sorted` is stable. The last is on
    # top, so this goes down.
    for index in sorted(range(len(rles)), key=lambda i: -areas[i])[::-1]:
        visible[index] = areas[index]
        if above is None:
            above = rles[index]
            continue
        hidden.append(mask_utils.merge([rles[index], above], intersect=True))
        visible[index] -= int(mask_utils.area(hidden[-1]))
        above = mask_utils.merge([rles[index], above])
    ids = [item["id"] for item in annotations]
    by_class: Counter[int] = Counter()
    for item, pixels in zip(annotations, visible, strict=True):
        by_class[item["category_id"]] += pixels
    overlap = mask_utils.merge(hidden) if hidden else None
    return ImageReference(
        image_px=image["height"] * image["width"],
        areas=dict(zip(ids, areas, strict=True)),
        visible=dict(zip(ids, visible, strict=True)),
        foreground_px=int(mask_utils.area(above)),
        overlap_px=int(mask_utils.area(overlap)) if overlap else 0,
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
def test_figures_equal_those_of_pycocotools_to_the_last_pixel(
    exports: Path, name: str
) -> None:
    dataset, _ = fcm.import_roboflow_coco(exports / name, f"eval-{name}")
    try:
        fcm.compute_masks(dataset)
        expected = references(exports / name)
        evaluate_and_check(dataset, expected)
        # Once more like masks of others, of which nothing is known.
        dataset._sample_collection.update_many({}, {"$unset": {"mask.drawn": ""}})
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
    path = "segmentations.polylines"
    read = ("filepath", "file_name", "area_px", "coverage_ratio", "coverage_overlap")
    of_labels = (f"{path}.{n}" for n in ("coco_id", "area_px", "area_visible_px"))
    for filepath, name, area_px, covered, overlap, ids, areas, visible in zip(
        *with_labels.values([*read, *of_labels]), strict=True
    ):
        reference = expected[Path(filepath).parent.name, name]
        objects += len(ids)
        assert dict(zip(ids, areas, strict=True)) == reference.areas
        assert dict(zip(ids, visible, strict=True)) == reference.visible
        assert area_px == reference.foreground_px
        assert covered == reference.foreground_px / reference.image_px
        assert overlap == reference.overlap_px / reference.foreground_px
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
