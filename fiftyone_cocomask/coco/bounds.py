"""The bounds of shapes and boxes, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..geometry.objects import Canvas, MaskObject
from ..geometry.rle import rle_box
from ..limits import size_problem
from .frames import Frame

# Roboflow rounds a box's corner but not its size, others count pixels inclusively.
BOX_TOLERANCE_PX = 2.0
BOX_TOLERANCE = 0.02

# The smallest x and y, and the largest.
Bounds = tuple[float, float, float, float]


def is_within(
    inner: Bounds,
    outer: Bounds,
    tolerance_px: float = BOX_TOLERANCE_PX,
    tolerance: float = BOX_TOLERANCE,
) -> bool:
    """Whether bounds lie within others, give or take some pixels and a share."""
    x0, y0, x1, y1 = outer
    x_margin = tolerance_px + tolerance * (x1 - x0)
    y_margin = tolerance_px + tolerance * (y1 - y0)
    return (
        inner[0] >= x0 - x_margin
        and inner[1] >= y0 - y_margin
        and inner[2] <= x1 + x_margin
        and inner[3] <= y1 + y_margin
    )


def passes_image(bounds: Bounds, frame: Frame, part: float) -> bool:
    """Whether bounds reach beyond the image by more than a part of its size."""
    x_margin, y_margin = part * frame.width, part * frame.height
    return (
        bounds[0] < -x_margin
        or bounds[1] < -y_margin
        or bounds[2] > frame.width + x_margin
        or bounds[3] > frame.height + y_margin
    )


def pixel_bounds(rings: Sequence[np.ndarray], frame: Frame) -> Bounds | None:
    """Returns where pixels of drawable rings are in the image; None if there are none.

    As pycocotools draws them; exports have it as the box of such rings.
    """
    width, height = frame.width, frame.height
    if size_problem(width, height) is not None:
        return None
    (rle,) = Canvas(height, width, "coco").rles([MaskObject(rings=tuple(rings))])
    x, y, box_width, box_height = rle_box(rle)
    return (x, y, x + box_width, y + box_height) if box_width else None


def are_same_bounds(first: Bounds, second: Bounds) -> bool:
    """Whether bounds are the same, apart from how boxes are rounded."""
    return is_within(first, second) and is_within(second, first)


def bounds_text(bounds: Bounds) -> str:
    """Returns bounds for a person to read."""
    x0, y0, x1, y1 = (f"{number:.6g}" for number in bounds)
    return f"x {x0} to {x1}, y {y0} to {y1}"
