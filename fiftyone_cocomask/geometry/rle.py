"""Run-length encoded masks, as COCO writes them.

pycocotools trusts what it is given, so everything is checked here before it gets
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

from ..limits import MAX_PIXELS
from .runs import RLE, RleError, rle_runs

# Pixels that are looked up at a time, for the memory.
_SAMPLES = 2**21


def check_rle(segmentation: Mapping[str, Any]) -> RLE:
    """Checks an RLE and returns it compressed.

    Args:
        segmentation: ``{"size": [height, width], "counts": ...}`` with counts as a
            list of run lengths, or compressed as a string or bytes

    Returns:
        ``{"size": [height, width], "counts": str}``

    Raises:
        RleError: if the size or the counts are malformed, or the counts are negative,
            cut off or do not add up to the size
    """
    height, width = _checked_size(segmentation.get("size"))
    runs = _runs(segmentation.get("counts"))
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


def rle_of_rows(segmentation: Mapping[str, Any]) -> RLE:
    """Returns an RLE whose counts have a few rows more or less than its size says.

    Args:
        segmentation: as :func:`check_rle` takes it

    Raises:
        RleError: if its counts are not those of whole rows, or of far more or less
    """
    height, width = _checked_size(segmentation.get("size"))
    rows, rest = divmod(int(_runs(segmentation.get("counts")).sum()), width)
    if rest or abs(rows - height) > max(2, height // 20):
        raise RleError("its counts are not those of whole rows")
    return check_rle({**segmentation, "size": [rows, width]})


def sampled_mask(rle: RLE, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Returns some of an RLE's rows and columns, without decoding the others.

    Args:
        rle: a checked RLE, of any size
        rows: ascending numbers of rows
        columns: ascending numbers of columns

    Returns:
        a 0/1 uint8 array of shape (len(rows), len(columns))
    """
    height = rle["size"][0]
    mask = np.zeros((len(rows), len(columns)), np.uint8, order="F")
    pairs, _ = rle_runs([rle["counts"]])
    edges = np.cumsum(pairs)
    filled = np.flatnonzero(pairs[:, 1])
    if not len(filled) or not mask.size:
        return mask
    # Only the columns in which there is foreground.
    first = int(edges[2 * filled[0]]) // height
    last = int(edges[2 * filled[-1] + 1] - 1) // height
    start, stop = np.searchsorted(columns, [first, last + 1])
    at_once = max(1, _SAMPLES // len(rows))
    for place in range(int(start), int(stop), at_once):
        block = columns[place : min(place + at_once, int(stop))]
        pixels = (block[:, None] * height + rows).ravel()
        # A pixel is foreground if an odd number of runs ends before it.
        inside = np.searchsorted(edges, pixels, "right") & 1
        mask[:, place : place + len(block)] = inside.reshape(len(block), -1).T
    return mask


def encoded(mask: np.ndarray) -> RLE:
    """Returns a mask, 0 or False where there is background, as a compressed RLE."""
    rle = mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))
    height, width = mask.shape
    return {"size": [height, width], "counts": rle["counts"].decode("ascii")}


def rle_area(rle: RLE) -> int:
    """Returns the number of foreground pixels of a checked RLE."""
    return int(mask_utils.area(rle))


def rle_box(rle: RLE) -> tuple[float, float, float, float]:
    """Returns the x, y, width and height around a checked RLE's foreground."""
    x, y, width, height = mask_utils.toBbox(rle).tolist()
    return x, y, width, height


def _checked_size(size: Any) -> tuple[int, int]:
    if (
        not isinstance(size, (list, tuple))
        or len(size) != 2
        or not all(type(side) is int and side > 0 for side in size)
    ):
        raise RleError(f"its size is {size!r} and not [height, width]")
    height, width = size
    if height * width > MAX_PIXELS:
        raise RleError(f"its size {width} x {height} is more than {MAX_PIXELS} pixels")
    return height, width


def _runs(counts: Any) -> np.ndarray:
    if isinstance(counts, list):
        return _checked_runs(counts)
    if isinstance(counts, (str, bytes)):
        pairs, number = rle_runs([counts])
        return pairs.ravel()[: number[0]]
    raise RleError("its counts are neither a list of run lengths nor a string")


def _checked_runs(counts: list[Any]) -> np.ndarray:
    if not all(type(run) is int and 0 <= run < 2**32 for run in counts):
        raise RleError("its counts are not all whole numbers from 0 to 2^32 - 1")
    return np.array(counts, dtype=np.int64)
