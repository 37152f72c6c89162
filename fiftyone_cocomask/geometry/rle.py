"""Run-length encoded masks, as COCO writes them.

The format is pycocotools' (``maskApi.c``): run lengths of background and foreground
in turn, column by column; in a compressed RLE each is a number in base 32 with a
continuation bit, written as the difference to the one two places before. pycocotools
trusts what it is given, so everything is checked here before it gets there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as mask_utils

RLE = dict[str, Any]

# A decoded mask takes a byte a pixel; COCO's and Roboflow's images are far below.
MAX_PIXELS = 2**30


class RleError(ValueError):
    """An RLE that is malformed or does not fit its own size."""


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
        runs = _decompressed_runs(counts)
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


def rle_runs(rle: RLE) -> np.ndarray:
    """Returns the run lengths of a compressed RLE as an int64 array.

    Background and foreground in turn, background first, column by column.

    Raises:
        RleError: if the counts are malformed
    """
    return _decompressed_runs(rle["counts"])


def rle_outline(rle: RLE) -> list[np.ndarray]:
    """Returns the outlines of a checked RLE's parts and holes, for display.

    They run along the edges of the outermost pixels' centres, as ``cv2.findContours``
    gives them; the pixels themselves are those of the RLE.

    Returns:
        arrays of shape (n, 2), in pixels
    """
    mask = mask_utils.decode(rle)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [contour.reshape(-1, 2).astype(np.float64) for contour in contours]


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


def _decompressed_runs(counts: str | bytes) -> np.ndarray:
    """Returns the run lengths of a compressed RLE (``rleFrString`` in maskApi.c)."""
    try:
        data = counts.encode("ascii") if isinstance(counts, str) else bytes(counts)
    except UnicodeEncodeError:
        raise RleError("its counts hold characters that no RLE has") from None
    digits = np.frombuffer(data, np.uint8).astype(np.int64) - 48
    if digits.size and (digits.min() < 0 or digits.max() > 63):
        raise RleError("its counts hold characters that no RLE has")
    ends = np.flatnonzero((digits & 32) == 0)
    if digits.size and (not ends.size or ends[-1] != digits.size - 1):
        raise RleError("its counts are cut off in the middle of a number")
    starts = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
    lengths = ends - starts + 1
    if lengths.size and lengths.max() > 7:
        raise RleError("its counts hold a number that is too large")
    return _cumulated(_numbers(digits, starts, ends, lengths))


def _numbers(
    digits: np.ndarray, starts: np.ndarray, ends: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """Returns the signed numbers of base-32 digits, least significant first."""
    if not starts.size:
        return np.zeros(0, np.int64)
    places = np.arange(digits.size) - np.repeat(starts, lengths)
    values = np.add.reduceat((digits & 31) << (5 * places), starts)
    negative = (digits[ends] & 16) != 0
    return np.where(negative, values - (np.int64(1) << (5 * lengths)), values)


def _cumulated(numbers: np.ndarray) -> np.ndarray:
    """Undoes the differences: from the fourth number on, to the one two before."""
    runs = numbers.copy()
    if runs.size > 3:
        runs[2::2] = np.cumsum(runs[2::2])
        runs[1::2] = np.cumsum(runs[1::2])
    if runs.size and (runs.min() < 0 or runs.max() >= 2**32):
        raise RleError("its counts hold a run that is negative or too long")
    return runs
