"""The geometry of one annotation, and the pixels it covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from .rle import RLE, rle_runs

Rasterizer = Literal["coco", "opencv"]

# Both rasterizers walk along a ring, pycocotools in memory: a longer one is no
# object of an image but a broken number, and would take gigabytes.
MAX_RING_LENGTH = 4e6


@dataclass(frozen=True, slots=True)
class MaskObject:
    """The geometry of one annotation, in pixels of its image: one of three kinds.

    Attributes:
        rings: arrays of shape (n, 2); the object is the union of what they enclose
        rle: a checked, compressed RLE of the image's size
        mask: a bool array of shape (h, w), whose top left pixel is at ``offset``
        offset: the column and row of ``mask``'s first pixel
        line_width: where above 0, the rings are lines of that width in pixels
        closed: whether such lines return to their first point
    """

    rings: tuple[np.ndarray, ...] = ()
    rle: RLE | None = None
    mask: np.ndarray | None = None
    offset: tuple[int, int] = (0, 0)
    line_width: int = 0
    closed: bool = True


@dataclass(frozen=True, slots=True)
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


def is_drawable(ring: np.ndarray) -> bool:
    """Whether a ring has finite coordinates of a size that images have."""
    if not np.isfinite(ring).all():
        return False
    length = np.abs(np.diff(ring, axis=0, append=ring[:1])).sum()
    return bool(length <= MAX_RING_LENGTH and np.abs(ring).max() <= MAX_RING_LENGTH)


class Canvas:
    """Draws the objects of one image, each into a patch of its own.

    Args:
        height: the height of the image, in pixels
        width: its width
        rasterizer: ``"coco"`` gives the pixels of pycocotools' ``frPyObjects``,
            ``merge`` and ``decode``; ``"opencv"`` those of ``cv2.fillPoly`` on
            coordinates truncated to int32, ring by ring, united
    """

    def __init__(self, height: int, width: int, rasterizer: Rasterizer) -> None:
        self.height = height
        self.width = width
        self.rasterizer = rasterizer
        self._scratch: np.ndarray | None = None

    def patch(self, item: MaskObject) -> Patch:
        """Returns the pixels that an object covers."""
        if item.mask is not None:
            return self._clipped(item.mask, *item.offset)
        if item.rle is not None:
            return self._rle_patch(item.rle)
        if item.line_width > 0:
            return self._line_patch(item)
        rings = [ring for ring in item.rings if len(ring) > 2]
        if not rings:
            return EMPTY_PATCH
        if self.rasterizer == "coco":
            return self._rle_patch(rings_to_rle(rings, self.height, self.width))
        return self._filled_patch(rings)

    def _filled_patch(self, rings: Sequence[np.ndarray]) -> Patch:
        # Ring by ring: several in one call would make holes where they overlap.
        vertices = [ring.astype(np.int32) for ring in rings]
        scratch = self._zeros()
        for ring in vertices:
            cv2.fillPoly(scratch, [ring], 1)
        return self._lift(vertices, margin=0)

    def _line_patch(self, item: MaskObject) -> Patch:
        vertices = [np.rint(ring).astype(np.int32) for ring in item.rings]
        scratch = self._zeros()
        cv2.polylines(scratch, vertices, item.closed, 1, thickness=item.line_width)
        return self._lift(vertices, margin=item.line_width)

    def _zeros(self) -> np.ndarray:
        if self._scratch is None:
            self._scratch = np.zeros((self.height, self.width), np.uint8)
        return self._scratch

    def _lift(self, vertices: Sequence[np.ndarray], margin: int) -> Patch:
        """Returns what was drawn on the scratch canvas and clears it again."""
        points = vertices[0] if len(vertices) == 1 else np.concatenate(vertices)
        x0, y0 = np.maximum(points.min(axis=0) - margin, 0).tolist()
        x1, y1 = (points.max(axis=0) + margin + 1).tolist()
        drawn = self._zeros()[y0 : max(y1, y0), x0 : max(x1, x0)]
        mask = drawn.astype(bool)
        drawn[:] = 0
        return Patch(x0, y0, mask)

    def _rle_patch(self, rle: RLE) -> Patch:
        """Decodes the columns of an RLE between its first and last foreground."""
        runs = rle_runs(rle)
        if runs.size < 2:
            return EMPTY_PATCH
        height = rle["size"][0]
        ends = np.cumsum(runs)
        first = int(ends[0])
        last = int(ends[(runs.size // 2) * 2 - 1])
        if last == first:
            return EMPTY_PATCH
        x0, x1 = first // height, (last - 1) // height + 1
        runs = runs[: (runs.size // 2) * 2 + 1].copy()
        if runs.size % 2 == 0:
            runs = np.append(runs, 0)
        runs[0] -= x0 * height
        runs[-1] = x1 * height - last
        values = np.zeros(runs.size, bool)
        values[1::2] = True
        columns = np.repeat(values, runs).reshape(x1 - x0, height)
        return Patch(x0, 0, columns.T)

    def _clipped(self, mask: np.ndarray, x: int, y: int) -> Patch:
        x0, y0 = max(x, 0), max(y, 0)
        x1 = max(min(x + mask.shape[1], self.width), x0)
        y1 = max(min(y + mask.shape[0], self.height), y0)
        return Patch(x0, y0, mask[y0 - y : y1 - y, x0 - x : x1 - x])


def rings_to_rle(rings: Sequence[np.ndarray], height: int, width: int) -> RLE:
    """Returns pycocotools' RLE of the union of some rings, of 3 points or more.

    Args:
        rings: arrays of shape (n, 2), drawable ones (:func:`is_drawable`)
        height: the height of the image, in pixels
        width: its width
    """
    encoded = mask_utils.frPyObjects([ring.ravel() for ring in rings], height, width)
    return encoded[0] if len(encoded) == 1 else mask_utils.merge(encoded)
