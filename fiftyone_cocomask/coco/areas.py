"""What rings enclose, also where they cross themselves; whose area a JSON states."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pycocotools import mask as mask_utils

from .issues import IssueCode

# Small rings are drawn at this many pixels along their longer side.
_PIXELS = 512
_TOLERANCE = 0.1
_TOLERANCE_PX = 2.0
# A segmentation that covers nearly all of its box has the box's area: it tells nothing.
MIN_DIFFERENCE = 0.05


def enclosed_area(rings: Sequence[np.ndarray], fine: bool = False) -> float:
    """Returns the area of what pycocotools draws of rings, in square pixels.

    The shoelace formula is exact for a ring that does not cross itself. Of a bow-tie
    it is the difference of its two halves, which may be nothing.

    Args:
        rings: arrays of shape (n, 2), in pixels
        fine: whether to draw small rings larger, for parts of a pixel
    """
    points = np.concatenate(rings)
    start = points.min(axis=0)
    width, height = (points.max(axis=0) - start).tolist()
    if width <= 0 or height <= 0 or _is_line(points):
        return 0.0
    scale = max(_PIXELS / max(width, height), 1.0) if fine else 1.0
    # On the same part of a pixel as in the image.
    start = start if fine else np.floor(start)
    flat = [((ring - start) * scale).ravel().tolist() for ring in rings]
    size = (math.ceil(side * scale) + 2 for side in (height, width))
    drawn = mask_utils.merge(mask_utils.frPyObjects(flat, *size))
    return float(mask_utils.area(drawn)) / scale**2


def fills_box(area: float, box_area: float) -> bool:
    """Whether an object covers so much of its box that a stated area tells nothing.

    Args:
        area: the object's area
        box_area: the area of its box
    """
    return abs(box_area - area) <= MIN_DIFFERENCE * box_area


def code_of_area(
    stated: float, area: float, box_area: float | None
) -> IssueCode | None:
    """Returns what is to say of the area that a JSON states; None for nothing.

    Args:
        stated: the JSON's ``area``
        area: the segmentation's area
        box_area: the area of its box, if it has one and does not fill it
    """
    if (
        box_area is not None
        and abs(stated - box_area) <= 0.01 * box_area + _TOLERANCE_PX
    ):
        is_closer = abs(stated - box_area) < abs(stated - area)
        return IssueCode.AREA_IS_BOX_AREA if is_closer else None
    if abs(stated - area) <= _TOLERANCE * area + _TOLERANCE_PX:
        return None
    return IssueCode.AREA_DIFFERS


def _is_line(points: np.ndarray) -> bool:
    """Whether points lie on one line."""
    lengths = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(lengths[1] <= 1e-6 * lengths[0])
