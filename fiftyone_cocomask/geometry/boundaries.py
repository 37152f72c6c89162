"""How well two objects agree: mask IoU, and the IoU of their boundaries."""

from __future__ import annotations

import cv2
import numpy as np

from .patches import Patch

# The width of a boundary, as a part of the image's diagonal (Cheng et al., "Boundary
# IoU", CVPR 2021).
BOUNDARY_WIDTH = 0.02


def boundary_px(height: int, width: int) -> int:
    """Returns the width of a boundary in an image, in pixels: at least 1."""
    diagonal = float(np.hypot(height, width))
    return max(round(BOUNDARY_WIDTH * diagonal), 1)


def overlap_of(old: Patch, new: Patch, distance: int) -> tuple[float, float]:
    """Returns the IoU of two objects, and their Boundary IoU.

    The boundary of an object is what an erosion by so many pixels takes away; beyond
    the image there is background. Both are 0 for objects without a pixel in common,
    and 1 for two without any pixel.

    Args:
        old: one object's pixels
        new: the other's
        distance: the width of a boundary, in pixels
    """
    first, second = _together(old, new)
    iou = _iou(first, second)
    if iou in (0.0, 1.0):
        return iou, iou
    return iou, _iou(_boundary(first, distance), _boundary(second, distance))


def _together(old: Patch, new: Patch) -> tuple[np.ndarray, np.ndarray]:
    """Returns two patches as masks of one window."""
    patches = [patch for patch in (old, new) if patch.mask.size]
    if not patches:
        return np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.uint8)
    x0, y0 = min(p.x for p in patches), min(p.y for p in patches)
    x1 = max(p.x + p.mask.shape[1] for p in patches)
    y1 = max(p.y + p.mask.shape[0] for p in patches)
    masks = []
    for patch in (old, new):
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        if patch.mask.size:
            h, w = patch.mask.shape
            top, left = patch.y - y0, patch.x - x0
            mask[top : top + h, left : left + w] = patch.mask
        masks.append(mask)
    return masks[0], masks[1]


def _boundary(mask: np.ndarray, distance: int) -> np.ndarray:
    side = 2 * distance + 1
    if side > min(mask.shape):
        # Nothing is left; and images of one long side have kernels larger than memory.
        return mask
    kernel = np.ones((side, side), np.uint8)
    inner = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask - inner


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    union = int(np.count_nonzero(first | second))
    if not union:
        return 1.0
    return int(np.count_nonzero(first & second)) / union
