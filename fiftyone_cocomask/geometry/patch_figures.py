"""Figures of an object's pixels: its size, parts, holes and solidity."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .patches import Patch, patch_box


@dataclass(frozen=True, slots=True)
class PatchFigures:
    """What is counted on the pixels of an object.

    Attributes:
        area: the number of its pixels
        width: the number of columns from its first to its last
        height: the number of rows
        parts: the number of its parts; pixels that touch at a corner are of one
        holes: the number of holes; pixels of a hole touch along an edge
        solidity: its area / the area of the convex hull of its pixels, 0..1
    """

    area: int
    width: int
    height: int
    parts: int
    holes: int
    solidity: float


def patch_figures(patch: Patch) -> PatchFigures | None:
    """Returns the figures of an object; None if it has no pixel."""
    box = patch_box(patch)
    if box is None:
        return None
    mask = patch.mask.view(np.uint8)
    parts, holes = _parts_and_holes(mask)
    return PatchFigures(
        patch.area, box[2], box[3], parts, holes, patch.area / _hull_area(mask)
    )


def _parts_and_holes(mask: np.ndarray) -> tuple[int, int]:
    _, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if hierarchy is None:
        return 0, 0
    # The last number of each contour is its parent: that of a hole is a part.
    is_hole = hierarchy[0, :, 3] >= 0
    return int((~is_hole).sum()), int(is_hole.sum())


def _hull_area(mask: np.ndarray) -> float:
    """Returns the area of the convex hull of the pixels, as squares."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    ends = np.concatenate([first, last])
    # Both corners of each row's first and last pixel.
    corners = [np.stack([ends, np.tile(rows + edge, 2)], axis=1) for edge in (0, 1)]
    hull = cv2.convexHull(np.concatenate(corners).astype(np.int32))
    return float(cv2.contourArea(hull))
