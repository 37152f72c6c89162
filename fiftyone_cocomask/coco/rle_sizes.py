"""RLEs of a few rows or columns more or less than their image has.

Some tools count a row too many. Where that is background, and the rest fits the
annotation's box, there is one way to read the RLE.
"""

from __future__ import annotations

import numpy as np

from ..geometry.rle import encoded, rle_box, sampled_mask
from ..geometry.runs import RLE
from .records import Box

# So many rows or columns may be too many or missing: without a box to ask, and, as a
# part of the image's, with one.
_FEW = 2
_PART = 0.05
_TOLERANCE_PX = 2.0


def fits_without_background(
    rle: RLE, size: tuple[int, int], box: Box | None, needs_box: bool
) -> bool:
    """Whether an RLE differs from a size only by background at the far edges.

    Args:
        rle: a checked RLE
        size: the width and height that it should have
        box: the annotation's box, in the same pixels
        needs_box: whether only a box that agrees can say so
    """
    height, width = rle["size"]
    few = max(abs(width - size[0]), abs(height - size[1])) <= _FEW
    if not few and (box is None or (width != size[0] and height != size[1])):
        return False
    if any(
        abs(side - wanted) > max(_FEW, _PART * wanted)
        for side, wanted in ((width, size[0]), (height, size[1]))
    ):
        return False
    x, y, box_width, box_height = rle_box(rle)
    if box is None or not (box_width and box_height):
        agrees = not needs_box
    else:
        found = (x, y, x + box_width, y + box_height)
        stated = (box[0], box[1], box[0] + box[2], box[1] + box[3])
        agrees = all(
            abs(a - b) <= _TOLERANCE_PX for a, b in zip(found, stated, strict=True)
        )
    return agrees and all(
        _is_background_apart(end, side, wanted)
        for end, side, wanted in (
            (x + box_width, width, size[0]),
            (y + box_height, height, size[1]),
        )
    )


def with_size(rle: RLE, size: tuple[int, int]) -> RLE:
    """Returns an RLE with its far edges cut off, or background added there."""
    height, width = rle["size"]
    rows, columns = np.arange(min(height, size[1])), np.arange(min(width, size[0]))
    mask = np.zeros((size[1], size[0]), np.uint8, order="F")
    mask[: len(rows), : len(columns)] = sampled_mask(rle, rows, columns)
    return encoded(mask)


def _is_background_apart(end: float, side: int, wanted: int) -> bool:
    """Whether what is cut, or what lies beside what is missing, is background.

    Args:
        end: where the foreground ends
        side: how long a side of the RLE is
        wanted: how long it should be
    """
    if side == wanted:
        return True
    return end <= wanted if side > wanted else end < side
