"""Patches: the parts of an image's mask in which there is foreground."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from .runs import RLE, RleError, rle_runs

# RLEs are decompressed, and patches filled, together up to these sizes.
_MAX_BYTES = 2**20
_MAX_PIXELS = 2**22


# Not frozen: to make a frozen one takes four times as long, and each object has one.
@dataclass(slots=True)
class Patch:
    """A part of an image's mask; outside of it there is no foreground.

    Attributes:
        x: its first column
        y: its first row
        mask: a bool array of shape (h, w)
    """

    x: int
    y: int
    mask: np.ndarray

    @property
    def window(self) -> tuple[slice, slice]:
        """The rows and columns of the image that it covers."""
        h, w = self.mask.shape
        return slice(self.y, self.y + h), slice(self.x, self.x + w)

    @property
    def area(self) -> int:
        """The number of foreground pixels."""
        return int(np.count_nonzero(self.mask))


EMPTY_PATCH = Patch(0, 0, np.zeros((0, 0), bool))


def rle_patches(rles: Sequence[RLE], height: int, width: int) -> Iterator[Patch]:
    """Yields the patches of RLEs, each as small as its foreground.

    Many RLEs are decoded at a time, with few calls for all of them.

    Args:
        rles: compressed RLEs of the image's size
        height: the height of the image, in pixels
        width: its width

    Raises:
        RleError: if one is malformed or of another size
    """
    if not rles:
        return
    start = size = 0
    for index, rle in enumerate(rles):
        length = len(rle["counts"])
        if index > start and size + length > _MAX_BYTES:
            yield from _patches(rles[start:index], height, width)
            start, size = index, 0
        size += length
    yield from _patches(rles[start:], height, width)


def patch_rle(patch: Patch, height: int, width: int) -> RLE:
    """Returns the compressed RLE of an image whose foreground is a patch's.

    Args:
        patch: the foreground
        height: the height of the image, in pixels
        width: its width
    """
    rows, columns = patch.mask.shape
    # Column by column, with a row of background below, where runs end, and one pixel of
    # it before.
    pixels = np.zeros(columns * (rows + 1) + 1, bool)
    pixels[1:].reshape(columns, rows + 1)[:, :rows] = patch.mask.T
    places = np.flatnonzero(pixels[1:] != pixels[:-1])
    column, row = np.divmod(places, rows + 1)
    edges = (patch.x + column) * height + patch.y + row
    # A run that reaches the bottom goes on where the next column begins with one.
    is_edge = np.ones(len(edges), bool)
    is_edge[1:-1] = np.repeat(edges[1:-1:2] != edges[2:-1:2], 2)
    bounds = np.concatenate(([0], edges[is_edge], [height * width]))
    runs = bounds[1:] - bounds[:-1]
    if len(edges) and not runs[-1]:
        runs = runs[:-1]
    encoded: RLE = mask_utils.frPyObjects(
        {"size": [height, width], "counts": runs.tolist()}, height, width
    )
    return encoded


def patch_box(patch: Patch) -> tuple[int, int, int, int] | None:
    """Returns x, y, width and height around a patch's foreground; None without any."""
    rows = np.flatnonzero(patch.mask.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(patch.mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    width, height = int(columns[-1]) - x + 1, int(rows[-1]) - y + 1
    return patch.x + x, patch.y + y, width, height


@dataclass(frozen=True, slots=True)
class _Columns:
    """The foreground runs of n RLEs, cropped to the box around each RLE's foreground.

    Attributes:
        boxes: an int64 array of shape (n, 4): x, y, width, height, in pixels
        edges: where in their box, column by column, runs start and stop in turn
        edges_of: where in ``edges`` each RLE begins, n + 1 numbers
    """

    boxes: np.ndarray
    edges: np.ndarray
    edges_of: np.ndarray


def _patches(rles: Sequence[RLE], height: int, width: int) -> Iterator[Patch]:
    columns = _cropped(*_foreground(rles, height, width), height, width, len(rles))
    sizes = columns.boxes[:, 2] * columns.boxes[:, 3]
    start = 0
    while start < len(rles):
        fitting = int(np.searchsorted(np.cumsum(sizes[start:]), _MAX_PIXELS, "right"))
        stop = start + max(fitting, 1)
        yield from _filled(columns, sizes, start, stop)
        start = stop


def _foreground(
    rles: Sequence[RLE], height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns where the foreground runs of RLEs start and stop.

    Positions count pixels column by column as if the images stood side by side, so
    that a column's number times the height is the position of its first pixel.
    """
    size = [height, width]
    if any(list(rle["size"]) != size for rle in rles):
        raise RleError(f"its size is not that of the image, {width} x {height}")
    runs, numbers_of = rle_runs([rle["counts"] for rle in rles])
    edges = np.cumsum(runs).reshape(-1, 2)
    last = np.cumsum((numbers_of + 1) // 2)
    totals = np.concatenate([[0], edges[:, 1]])[last]
    if (totals != np.arange(1, len(rles) + 1) * (height * width)).any():
        raise RleError("its counts do not add up to the size of the image")
    filled = edges[runs[:, 1] > 0]
    return filled[:, 0], filled[:, 1]


def _cropped(
    starts: np.ndarray, stops: np.ndarray, height: int, width: int, count: int
) -> _Columns:
    """Crops foreground runs to the box around each RLE's foreground."""
    first_of = np.searchsorted(starts, np.arange(count + 1) * (height * width))
    lengths = np.diff(first_of)
    present = np.flatnonzero(lengths)
    boxes = np.zeros((count, 4), np.int64)
    edges = np.empty(2 * starts.size, np.int64)
    if present.size:
        first = first_of[present]
        columns = starts // height
        tops = starts - columns * height
        bottoms = stops - columns * height
        y0 = np.minimum.reduceat(tops, first)
        y1 = np.maximum.reduceat(bottoms, first)
        # A run that goes on in the next column takes the whole height.
        y0[y1 > height] = 0
        y1 = np.minimum(y1, height)
        x0 = columns[first]
        x1 = (stops[first_of[present + 1] - 1] - 1) // height + 1
        h = y1 - y0
        boxes[present] = np.stack([x0 - present * width, y0, x1 - x0, h], axis=1)
        shift, h_of = np.repeat([x0 * h + y0, h], lengths[present], axis=1)
        edges[0::2] = columns * h_of + tops - shift
        edges[1::2] = edges[0::2] + (stops - starts)
    return _Columns(boxes, edges, 2 * first_of)


def _filled(
    columns: _Columns, sizes: np.ndarray, start: int, stop: int
) -> Iterator[Patch]:
    """Yields the patches of the RLEs from ``start`` to ``stop``, filled at once."""
    ends = np.cumsum(sizes[start:stop])
    total = int(ends[-1])
    edges_of = columns.edges_of[start : stop + 1]
    edges = columns.edges[edges_of[0] : edges_of[-1]]
    edges = edges + np.repeat(ends - sizes[start:stop], np.diff(edges_of))
    lengths = np.diff(np.concatenate([[0], edges, [total]]))
    values = np.zeros(lengths.size, np.uint8)
    values[1::2] = 1
    pixels = np.repeat(values, lengths)
    begin = 0
    for (x, y, w, h), end in zip(
        columns.boxes[start:stop].tolist(), ends.tolist(), strict=True
    ):
        if end == begin:
            yield EMPTY_PATCH
            continue
        mask = cv2.transpose(pixels[begin:end].reshape(w, h))
        yield Patch(x, y, mask.view(bool))
        begin = end
