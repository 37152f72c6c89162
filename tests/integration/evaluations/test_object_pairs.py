"""Objects of two fields of masks, matched: planted changes are counted exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask.errors import CocoMaskError
from tests.integration.small_export import HEIGHT, WIDTH, annotation, write_split

from .conftest import Box, Samples, mask_of_boxes, polyline

CROWD: Box = (25, 20, 40, 30)
GT: list[tuple[Box, str]] = [
    ((0, 0, 10, 10), "cat"),
    ((12, 0, 20, 10), "cat"),
    ((0, 15, 10, 25), "dog"),
    ((30, 0, 36, 6), "dog"),
]
PRED: list[tuple[Box, str]] = [
    # Moved by 2 of 10 pixels, and beside it a closer one of another class.
    ((2, 0, 12, 10), "cat"),
    ((1, 0, 11, 10), "dog"),
    # Another class; the third and fourth object are missed.
    ((12, 0, 20, 10), "dog"),
    # Too far: an IoU of 1/3.
    ((5, 15, 15, 25), "dog"),
    # In the crowd, and nowhere.
    ((28, 22, 32, 26), "cat"),
    ((14, 20, 18, 28), "cat"),
]


@pytest.fixture
def compared(samples: Samples) -> Any:
    gt = [polyline(box, label) for box, label in GT]
    gt.append(polyline(CROWD, "cat", iscrowd=1))
    pred = [polyline(box, label) for box, label in PRED]
    sample = samples.add("a.png", None, gt)
    sample["predicted"] = fo.Polylines(polylines=pred)
    sample.save()
    fcm.compute_masks(samples.dataset)
    fcm.compute_masks(samples.dataset, "predicted", "pred_mask")
    return fcm.compare_masks(samples.dataset, "pred_mask", eval_key="objects_of_two")


def _iou(a: Box, b: Box) -> float:
    first, second = (mask_of_boxes(box) > 0 for box in (a, b))
    return float((first & second).sum() / (first | second).sum())


def test_each_object_is_found_confused_missed_or_extra(compared: Any) -> None:
    table = compared.objects()
    columns = ["outcome", "class", "pred_class", "gt_px", "pred_px"]
    known = table.astype(object).where(table.notna(), None)
    rows = [tuple(row) for row in known[columns].to_dict("split")["data"]]
    assert rows == [
        ("found", "cat", "cat", 100, 100),
        ("confused", "cat", "dog", 80, 80),
        ("missed", "dog", None, 100, None),
        ("missed", "dog", None, 36, None),
        ("extra", "dog", "dog", None, 100),
        ("extra", "dog", "dog", None, 100),
        ("extra", "cat", "cat", None, 32),
    ]
    assert table["iou"][0] == pytest.approx(_iou(GT[0][0], PRED[0][0]))
    # The diagonal is 50 pixels, so that a boundary is one pixel wide.
    ring = [mask_of_boxes(GT[0][0]) > 0, mask_of_boxes(PRED[0][0]) > 0]
    inner = [
        mask_of_boxes((x0 + 1, y0 + 1, x1 - 1, y1 - 1)) > 0
        for x0, y0, x1, y1 in (GT[0][0], PRED[0][0])
    ]
    a, b = (whole & ~within for whole, within in zip(ring, inner, strict=True))
    expected = (a & b).sum() / (a | b).sum()
    assert table["boundary_iou"][0] == pytest.approx(expected)
    sample = compared.samples.first()
    assert table["gt_label_id"][0] == sample["segmentations"].polylines[0].id
    assert table["pred_label_id"][0] == sample["predicted"].polylines[0].id


def test_outcomes_are_counted_by_class_and_by_size(compared: Any) -> None:
    by_class = compared.object_counts().set_index("class")
    outcomes = ["found", "confused", "missed", "extra"]
    assert by_class.loc["cat", outcomes].tolist() == [1, 1, 0, 1]
    assert by_class.loc["dog", outcomes].tolist() == [0, 0, 2, 2]
    by_size = compared.object_counts("bucket").set_index("bucket")
    assert by_size.loc["small", outcomes].tolist() == [1, 1, 2, 3]
    mean = np.mean([_iou(GT[0][0], PRED[0][0]), 1.0])
    assert by_size.loc["small", "mean_iou"] == pytest.approx(mean)


def test_the_overview_has_the_counts_and_the_worst_pairs_first(compared: Any) -> None:
    overview = compared.objects_overview()
    outcomes = ["found", "confused", "missed", "extra"]
    rows = {
        row["class"]: [row[name] for name in outcomes] for row in overview["classes"]
    }
    assert rows == {"cat": [1, 1, 0, 1], "dog": [0, 0, 2, 2]}
    (cat, _) = overview["classes"]
    assert cat["mean_iou"] == pytest.approx(np.mean([_iou(GT[0][0], PRED[0][0]), 1.0]))
    assert [row["outcome"] for row in overview["worst"]] == ["found", "confused"]
    sample = compared.samples.first()
    gt = [line.id for line in sample["segmentations"].polylines]
    pred = [line.id for line in sample["predicted"].polylines]
    assert overview["labels"] == {
        "found": [gt[0], pred[0]],
        "confused": [gt[1], pred[2]],
        "missed": gt[2:4],
        "extra": [pred[1], pred[3], pred[5]],
    }
    assert compared.are_objects_kept()
    worst = overview["worst"][0]
    ids = (worst["gt_label_id"], worst["pred_label_id"])
    view = compared.pair_view(worst["sample_id"], *ids)
    shown = [view.values(f"{f}.polylines.id") for f in ("segmentations", "predicted")]
    assert shown == [[[gt[0]]], [[pred[0]]]]


def test_objects_have_the_pixels_that_their_masks_have(samples: Samples) -> None:
    samples.add("a.png", None, [polyline((5, 5, 20, 15), "cat")])
    fcm.compute_masks(samples.dataset)
    fcm.compute_masks(samples.dataset, mask_field="opencv", rasterizer="opencv")
    compared = fcm.compare_masks(samples.dataset, "opencv", eval_key="two")
    (row,) = compared.objects().to_dict("records")
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    corners = np.array([[5, 5], [20, 5], [20, 15], [5, 15]], np.int32)
    cv2.fillPoly(drawn, [corners], 1)
    assert int(drawn.sum()) == 176
    assert (row["gt_px"], row["pred_px"]) == (150, 176)
    assert row["iou"] == pytest.approx(150 / 176)
    assert compared.summary()["pred_px"] == 176


def test_boxes_that_masks_show_are_objects(
    new_dataset: Callable[..., fo.Dataset], tmp_path: Path
) -> None:
    box = {"category_id": 2, "segmentation": [], "bbox": [25, 5, 10, 4]}
    crowd = {**box, "bbox": [0, 20, 30, 10], "iscrowd": 1}
    names = ["a.jpg"]
    export = write_split(
        tmp_path / "export",
        names,
        [annotation(0, 0), annotation(1, 0, **box), annotation(2, 0, **crowd)],
    )
    dataset = fcm.import_roboflow_coco(export, new_dataset())[0]
    fcm.compute_masks(dataset, boxes="draw")
    fcm.compute_masks(dataset, mask_field="polygons")
    compared = fcm.compare_masks(dataset, "polygons", eval_key="boxes")
    table = compared.objects()
    assert table["outcome"].tolist() == ["found", "missed"]
    assert table["gt_px"].tolist() == [150, 40]
    assert compared.summary()["gt_px"] == 150 + 40 + 300
    # And the view of such an object shows it.
    sample = dataset.first()
    missed = table["gt_label_id"][1]
    assert missed == sample.detections.detections[1].id
    view = compared.pair_view(sample.id, missed, None)
    assert view.values("detections.detections.id") == [[missed]]
    assert view.values("segmentations.polylines.id", unwind=True) == []
    assert compared.label_fields() == ("segmentations", "segmentations")


def test_a_lower_limit_matches_more(compared: Any) -> None:
    outcomes = compared.objects(min_iou=0.3)["outcome"].value_counts().to_dict()
    assert outcomes == {"found": 2, "confused": 1, "missed": 1, "extra": 2}
    with pytest.raises(CocoMaskError, match="min_iou must be above 0"):
        compared.objects(min_iou=0)


def test_planted_changes_of_mushrooms_are_counted(
    exports: Path, new_dataset: Callable[..., fo.Dataset]
) -> None:
    dataset = new_dataset()
    fcm.import_roboflow_coco(exports / "mushrooms", dataset, splits=["test"])
    dataset = dataset.limit(2).clone(f"{dataset.name}-planted")
    random = np.random.default_rng(4)
    planted: Counter[str] = Counter()
    for sample in dataset.iter_samples(autosave=True):
        scale = np.array([sample.metadata.width, sample.metadata.height])
        lines: list[fo.Polyline] = []
        pred: list[fo.Polyline] = []
        for line in sample["segmentations"].polylines:
            ring = np.array(line.points[0]) * scale
            # A pixel or two of a small object would be half of it.
            if len(line.points) > 1 or np.ptp(ring, axis=0).min() < 20:
                continue
            moved = (ring + random.uniform(-1, 1, 2)) / scale
            change = ("missed", "confused", "extra", *["found"] * 7)[len(lines) % 10]
            lines.append(line)
            planted[change] += 1
            copies = {"missed": 0, "extra": 2}.get(change, 1)
            label = "other" if change == "confused" else line.label
            pred += [
                fo.Polyline(label=label, points=[moved], closed=True, filled=True)
                for _ in range(copies)
            ]
        sample["segmentations"] = fo.Polylines(polylines=lines)
        sample["predicted"] = fo.Polylines(polylines=pred)
    # Each object that is there twice is also found once.
    planted["found"] += planted["extra"]
    fcm.compute_masks(dataset)
    fcm.compute_masks(dataset, "predicted", "pred_mask")
    compared = fcm.compare_masks(dataset, "pred_mask", eval_key="planted")
    assert compared.objects()["outcome"].value_counts().to_dict() == planted
    assert planted["found"] > 50
    dataset.delete()


def test_masks_that_nobody_drew_have_no_objects(samples: Samples) -> None:
    mask = mask_of_boxes((0, 0, 5, 5))
    path = samples.mask_file("other.png", mask)
    samples.add("a.png", mask, other=fo.Segmentation(mask_path=path))
    compared = fcm.compare_masks(samples.dataset, "other", eval_key="foreign")
    with pytest.raises(CocoMaskError, match="not drawn from labels"):
        compared.objects()


def test_a_field_that_is_gone_and_an_unknown_group_are_said(compared: Any) -> None:
    with pytest.raises(CocoMaskError, match="by must be 'class' or 'bucket'"):
        compared.object_counts("outcome")
    dataset = compared.samples._root_dataset
    dataset.rename_sample_field("mask", "renamed")
    for figures in (
        compared.objects,
        compared.label_fields,
        lambda: compared.per_sample(by_class=True),
    ):
        with pytest.raises(CocoMaskError, match="'mask', which the dataset does not"):
            figures()
    assert len(compared.per_sample()) == 1
    dataset.rename_sample_field("renamed", "mask")
    assert len(compared.per_sample(by_class=True)) == 1
