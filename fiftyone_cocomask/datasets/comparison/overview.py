"""What the objects of a comparison say in sum, and its worst pairs."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ...fiftyone_types import SampleCollection
from ..documents import Document
from .objects import ObjectMatcher, Outcome

OBJECTS = "objects"
# So many of the worst pairs are kept, and so many labels of each outcome.
_WORST = 50
_MAX_LABELS = 10_000


class ObjectsOverview:
    """Sums of the matched objects of two fields.

    Args:
        matcher: matches them
    """

    def __init__(self, matcher: ObjectMatcher) -> None:
        self._matcher = matcher
        self._counts: Counter[tuple[str, str]] = Counter()
        self._ious: dict[str, list[float]] = {}
        self._labels: dict[str, dict[str, None]] = {o.value: {} for o in Outcome}
        # The greatest first: the best of the worst is what a worse one replaces.
        self._worst: list[tuple[float, int, Document]] = []
        self._number = 0

    def read(self) -> Iterator[int]:
        """Adds the images; yields 1 after each."""
        for rows in self._matcher.images():
            for row in rows:
                self._add(row)
            yield 1

    def sums(self) -> dict[str, Any]:
        """Returns what is kept, by name."""
        worst = sorted(self._worst, key=lambda each: (-each[0], -each[1]))
        names = sorted({name for name, _ in self._counts})
        return {
            OBJECTS: {
                "classes": [self._class(name) for name in names],
                "worst": [row for *_, row in worst],
                "labels": {name: list(ids) for name, ids in self._labels.items()},
            }
        }

    def _add(self, row: Document) -> None:
        name, outcome = row["class"], row["outcome"]
        self._counts[name, outcome] += 1
        labels = self._labels[outcome]
        for label_id in (row["gt_label_id"], row["pred_label_id"]):
            if label_id is not None and len(labels) < _MAX_LABELS:
                labels[label_id] = None
        if row["iou"] is None:
            return
        self._ious.setdefault(name, [0.0, 0.0])
        self._ious[name][0] += row["iou"]
        self._ious[name][1] += row["boundary_iou"]
        self._number += 1
        heapq.heappush(self._worst, (-row["iou"], -self._number, row))
        if len(self._worst) > _WORST:
            heapq.heappop(self._worst)

    def _class(self, name: str) -> Document:
        numbers = {o.value: self._counts[name, o.value] for o in Outcome}
        pairs = numbers[Outcome.FOUND.value] + numbers[Outcome.CONFUSED.value]
        iou, boundary_iou = self._ious.get(name, (0.0, 0.0))
        return {
            "class": name,
            **numbers,
            "mean_iou": iou / pairs if pairs else None,
            "mean_boundary_iou": boundary_iou / pairs if pairs else None,
        }


def has_objects(samples: SampleCollection, *mask_fields: str) -> bool:
    """Whether all of some fields of masks were drawn from labels."""
    from ..masks.field import mask_options

    return all(mask_options(samples, name) is not None for name in mask_fields)
