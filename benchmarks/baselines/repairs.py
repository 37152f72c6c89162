"""The repairs of issues that generated exports have, label by label."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..stages import LABELS, Case
from . import Baseline
from .objects import decoded, drawn, size_of
from .search import spikes

_REMOVED = {"mask_issues:empty", "mask_issues:tiny"}
_SPIKE = "mask_issues:spike"
# What has other repairs, which the loop does not know: a few labels in a thousand.
_OTHERS = {
    f"mask_issues:{name}"
    for name in (
        "duplicate",
        "near_duplicate",
        "two_classes",
        "self_crossing",
        "outside",
    )
}


def _fix(case: Case, dataset: Any) -> set[int]:
    """Returns the annotations that the loop leaves as they are."""
    left = set()
    for sample in dataset.iter_samples(autosave=True):
        boxes = {box["coco_id"]: box for box in sample.detections.detections}
        kept = []
        for line in sample[LABELS].polylines:
            if _OTHERS & set(line.tags):
                left.add(line["coco_id"])
                kept.append(line)
                continue
            if _REMOVED & set(line.tags):
                del boxes[line["coco_id"]]
                continue
            kept.append(line)
            if _SPIKE in line.tags:
                _without_spikes(line, boxes[line["coco_id"]], *size_of(sample))
        sample[LABELS].polylines = kept
        sample.detections.detections = list(boxes.values())
    return left


def _without_spikes(line: Any, box: Any, width: int, height: int) -> None:
    """Takes the tips of spikes away, unless that changes more than 1% of the label."""
    before = drawn(line, width, height)
    (ring,) = before.rings
    ring = ring[(ring != np.roll(ring, 1, axis=0)).any(axis=1)]
    while len(tips := spikes(ring)):
        without = [np.delete(ring, tip, axis=0) for tip in tips]
        area = _area(ring)
        ring = min(without, key=lambda other: abs(_area(other) - area))
    mask = decoded([ring], width, height)
    if np.count_nonzero(mask != before.mask) > 0.01 * before.px:
        return
    line.points = [[tuple(point) for point in ring / (width, height)]]
    line.tags = [tag for tag in line.tags if tag != _SPIKE]
    rows, columns = np.nonzero(mask)
    x, y = columns.min(), rows.min()
    size = np.ptp(columns) + 1, np.ptp(rows) + 1
    box.bounding_box = [
        float(x / width),
        float(y / height),
        float(size[0] / width),
        float(size[1] / height),
    ]


def _area(ring: np.ndarray) -> float:
    x, y = (ring - ring[0]).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _same_repairs(case: Case, dataset: Any, found: set[int]) -> None:
    ours = case.dataset().limit(len(dataset))
    for one, other in zip(ours, dataset, strict=True):
        lines = (one[LABELS].polylines, other[LABELS].polylines)
        for a, b in zip(*(_without(found, labels) for labels in lines), strict=True):
            assert (a["coco_id"], set(a.tags)) == (b["coco_id"], set(b.tags))
            assert np.allclose(a.points, b.points)
        boxes = (one.detections.detections, other.detections.detections)
        for a, b in zip(*(_without(found, labels) for labels in boxes), strict=True):
            assert np.allclose(a.bounding_box, b.bounding_box)


def _without(annotations: set[int], labels: list[Any]) -> list[Any]:
    return [label for label in labels if label["coco_id"] not in annotations]


REPAIRS = Baseline("a loop over the labels that are tagged", _fix, _same_repairs)
