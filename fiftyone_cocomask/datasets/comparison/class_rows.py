"""The figures of each class in two fields of masks, from counted pairs of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..documents import Document
from ..figures.ratios import percent

CLASS_COLUMNS = (
    "class",
    "gt_px",
    "pred_px",
    "area_error_px",
    "area_error_percent",
    "iou",
    "dice",
)


class ClassRows:
    """The rows of classes, one for each that is in either field.

    Args:
        results: FiftyOne's ``SegmentationResults``

    Attributes:
        background: the row of the background in confusion matrices
    """

    def __init__(self, results: Any) -> None:
        self._results = results
        self._names = [str(name) for name in results.classes]
        self._place = {name: place for place, name in enumerate(self._names)}
        self.background = self._place[str(results.missing)]

    def of_matrix(self, matrix: np.ndarray) -> list[Document]:
        """Returns the rows of a confusion matrix, of shape (classes, classes)."""
        all_gt_px, all_pred_px = matrix.sum(axis=1), matrix.sum(axis=0)
        rows = []
        for place in np.flatnonzero(all_gt_px + all_pred_px).tolist():
            if place == self.background:
                continue
            gt_px, pred_px = int(all_gt_px[place]), int(all_pred_px[place])
            both = int(matrix[place, place])
            rows.append(
                {
                    "class": self._names[place],
                    "gt_px": gt_px,
                    "pred_px": pred_px,
                    "area_error_px": pred_px - gt_px,
                    "area_error_percent": percent(pred_px - gt_px, gt_px),
                    "iou": both / (gt_px + pred_px - both),
                    "dice": 2 * both / (gt_px + pred_px),
                }
            )
        return rows

    def pairs_by_mask(self) -> dict[str, list[int]]:
        """Returns which of the results' pairs each ground truth mask has, by its id."""
        pairs: dict[str, list[int]] = {}
        for place, mask_id in enumerate(self._results.ytrue_ids):
            pairs.setdefault(str(mask_id), []).append(place)
        return pairs

    def of_pairs(self, pairs: list[int]) -> list[Document]:
        """Returns the rows of one sample, whose pairs in the results are given."""
        results, number = self._results, len(self._names)
        # One at a time: with as many values as objects, a matrix can have 32 MB.
        matrix = np.zeros((number, number), np.int64)
        rows = [self._place[str(name)] for name in results.ytrue[pairs]]
        columns = [self._place[str(name)] for name in results.ypred[pairs]]
        np.add.at(matrix, (rows, columns), results.weights[pairs])
        return self.of_matrix(matrix)
