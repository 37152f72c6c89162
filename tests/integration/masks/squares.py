"""Samples whose objects are rectangles of whole pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone as fo
import numpy as np

WIDTH, HEIGHT = 40, 30
# Two squares that meet in [15, 20) x [5, 15): 15 x 10 and 15 x 10 pixels.
LEFT = [(5, 5), (20, 5), (20, 15), (5, 15)]
RIGHT = [(15, 5), (30, 5), (30, 15), (15, 15)]
SMALL = [(6, 6), (8, 6), (8, 8), (6, 8)]


def polyline(
    ring: Sequence[tuple[float, float]], label: str, **kwargs: Any
) -> fo.Polyline:
    points = [(x / WIDTH, y / HEIGHT) for x, y in ring]
    return fo.Polyline(label=label, points=[points], closed=True, filled=True, **kwargs)


def square_mask(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def add(
    dataset: fo.Dataset, path: str, *lines: fo.Polyline, **fields: Any
) -> fo.Sample:
    labels = fo.Polylines(polylines=list(lines))
    sample = fo.Sample(filepath=path, segmentations=labels, **fields)
    dataset.add_sample(sample)
    return sample


def mask_of(sample: fo.Sample, field: str = "mask") -> np.ndarray:
    sample.reload()
    return sample[field].get_mask()
