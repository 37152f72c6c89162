"""Run-length encoded masks, as COCO writes them.

pycocotools trusts what it is given, so everything is checked here before it gets
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

from .runs import RLE, RleError, rle_runs

# A decoded mask takes a byte a pixel; COCO's and Roboflow's images are far below.
MAX_PIXELS = 2**30


def check_rle(segmentation: Mapping[str, Any], max_pixels: int = MAX_PIXELS) -> RLE:
    """Checks an RLE and returns it compressed.

    Args:
        segmentation: ``{"size": [height, width], "counts": ...}`` with counts as a
            list of run lengths, or compressed as a string or bytes
        max_pixels: the largest number of pixels to accept

    Returns:
        ``{"size": [height, width], "counts": str}``

    Raises:
        RleError: if the size is none, or the counts are malformed, negative, cut off
            or do not add up to the size
    """
    height, width = _checked_size(segmentation.get("size"), max_pixels)
    counts = segmentation.get("counts")
    if isinstance(counts, list):
        runs = _checked_runs(counts)
    elif isinstance(counts, (str, bytes)):
        pairs, number = rle_runs([counts])
        runs = pairs.ravel()[: number[0]]
    else:
        raise RleError("its counts are neither a list of run lengths nor a string")
    total = int(runs.sum())
    if total != height * width:
        raise RleError(
            f"its counts add up to {total} pixels, but its size {width} x {height} "
            f"has {height * width}"
        )
    encoded = mask_utils.frPyObjects(
        {"size": [height, width], "counts": runs.tolist()}, height, width
    )
    return {"size": [height, width], "counts": encoded["counts"].decode("ascii")}


def rle_area(rle: RLE) -> int:
    """Returns the number of foreground pixels of a checked RLE."""
    return int(mask_utils.area(rle))


def rle_box(rle: RLE) -> tuple[float, float, float, float]:
    """Returns the x, y, width and height around a checked RLE's foreground."""
    x, y, width, height = mask_utils.toBbox(rle).tolist()
    return x, y, width, height


def _checked_size(size: Any, max_pixels: int) -> tuple[int, int]:
    if (
        not isinstance(size, (list, tuple))
        or len(size) != 2
        or not all(type(side) is int and side > 0 for side in size)
    ):
        raise RleError(f"its size is {size!r} and not [height, width]")
    height, width = size
    if height * width > max_pixels:
        raise RleError(f"its size {width} x {height} is more than {max_pixels} pixels")
    return height, width


def _checked_runs(counts: list[Any]) -> np.ndarray:
    if not all(type(run) is int and 0 <= run < 2**32 for run in counts):
        raise RleError("its counts are not all whole numbers from 0 to 2^32 - 1")
    return np.array(counts, dtype=np.int64)
