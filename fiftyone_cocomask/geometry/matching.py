"""Which object of one set is which of another: Hungarian assignment on mask IoU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as mask_utils
from scipy.optimize import linear_sum_assignment

from .runs import RLE

# Objects of one class are preferred where two overlap an object equally well.
_SAME_CLASS = 1e-6


def match_objects(
    ious: np.ndarray, is_same_class: np.ndarray, allowed: np.ndarray
) -> list[tuple[int, int]]:
    """Returns the pairs that together overlap best, each object in at most one.

    Args:
        ious: an array of shape (n, m): the IoU of each old with each new object
        is_same_class: a bool array of the same shape
        allowed: a bool array of the same shape: which pairs may be matched

    Returns:
        the numbers of an old and a new object, ordered
    """
    if not ious.size:
        return []
    scores = np.where(allowed, ious + _SAME_CLASS * is_same_class, 0.0)
    rows, columns = linear_sum_assignment(scores, maximize=True)
    return [
        (row, column)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if allowed[row, column]
    ]


def mask_ious(
    old: Sequence[RLE], new: Sequence[RLE], is_crowd: Sequence[bool] | None = None
) -> np.ndarray:
    """Returns the IoU of each of some RLEs with each of others, of shape (n, m).

    Args:
        old: RLEs of one image
        new: RLEs of the same image
        is_crowd: for each new one, whether the intersection is divided by the area of
            the old one instead of the union
    """
    if not old or not new:
        return np.zeros((len(old), len(new)))
    flags = [bool(flag) for flag in is_crowd or [False] * len(new)]
    return np.asarray(mask_utils.iou(list(old), list(new), flags), np.float64)
