"""The geometry of one annotation, and the pixels it covers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from ..choices import Rasterizer
from ..limits import MAX_RING_LENGTH
from .patches import EMPTY_PATCH, Patch, patch_rle, rle_patches
from .runs import RLE

# pycocotools gets this many objects at a time.
_BATCH_SIZE = 256


# Not frozen: to make a frozen one takes four times as long, and each object is one.
@dataclass(slots=True)
class MaskObject:
    """The geometry of one annotation, in pixels of its image: one of three kinds.

    Attributes:
        rings: arrays of shape (n, 2); the object is the union of what they enclose.
            Rings of fewer than three points enclose nothing
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


def is_drawable(ring: np.ndarray) -> bool:
    """Whether a ring has finite coordinates of a size that images have."""
    reach = float(np.abs(ring).max()) if len(ring) else 0.0
    # No ring is longer than this, so most need no closer look; NaN fails it.
    if 4 * reach * len(ring) <= MAX_RING_LENGTH:
        return True
    if not reach <= MAX_RING_LENGTH:
        return False
    length = np.abs(np.diff(ring, axis=0, append=ring[:1])).sum()
    return bool(length <= MAX_RING_LENGTH)


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

    def patch(self, item: MaskObject) -> Patch:
        """Returns the pixels that an object covers."""
        return next(self.patches([item]))

    def patches(self, items: Sequence[MaskObject]) -> Iterator[Patch]:
        """Yields the pixels that each object covers, few objects ahead.

        Args:
            items: objects whose rings are drawable (:func:`is_drawable`)

        Raises:
            RleError: if an object's RLE is malformed or not of the image's size
        """
        for start in range(0, len(items), _BATCH_SIZE):
            batch = items[start : start + _BATCH_SIZE]
            rles = self._rles(batch)
            encoded = [rle for rle in rles if rle is not None]
            decoded = rle_patches(encoded, self.height, self.width)
            for item, rle in zip(batch, rles, strict=True):
                yield self._drawn(item) if rle is None else next(decoded)

    def rles(self, items: Sequence[MaskObject]) -> list[RLE]:
        """Returns the pixels that each object covers as a compressed RLE.

        Args:
            items: as for :meth:`patches`
        """
        return [
            patch_rle(self._drawn(item), self.height, self.width)
            if rle is None
            else rle
            for item, rle in zip(items, self._rles(items), strict=True)
        ]

    def areas(self, items: Sequence[MaskObject]) -> np.ndarray:
        """Returns the number of pixels that each object covers, as an int64 array.

        Args:
            items: as for :meth:`patches`
        """
        return np.array([patch.area for patch in self.patches(items)], np.int64)

    def _rles(self, items: Sequence[MaskObject]) -> list[RLE | None]:
        """Returns the RLE of each object that is one or that pycocotools draws."""
        rles = [item.rle for item in items]
        if self.rasterizer == "coco":
            rings_of = {
                place: rings
                for place, item in enumerate(items)
                if (rings := _filled_rings(item))
            }
            if rings_of:
                drawn = _union_rles(list(rings_of.values()), self.height, self.width)
                for place, rle in zip(rings_of, drawn, strict=True):
                    rles[place] = rle
        return rles

    def _drawn(self, item: MaskObject) -> Patch:
        if item.mask is not None:
            return self._clipped(item.mask, *item.offset)
        rings = _filled_rings(item)
        if rings:
            return self._filled(rings)
        if item.line_width > 0 and item.rings:
            return self._lines(item)
        return EMPTY_PATCH

    def _filled(self, rings: Sequence[np.ndarray]) -> Patch:
        vertices = [ring.astype(np.int32) for ring in rings]
        x, y, mask = self._zeros_around(vertices)
        if mask.size:
            # Ring by ring: several in one call would make holes where they overlap.
            for ring in vertices:
                cv2.fillPoly(mask, [ring], 1, offset=(-x, -y))
        return Patch(x, y, mask.view(bool))

    def _lines(self, item: MaskObject) -> Patch:
        # FiftyOne's way to draw a Polyline that is not filled.
        vertices = [np.rint(ring).astype(np.int32) for ring in item.rings]
        x, y, mask = self._zeros_around(vertices, item.line_width)
        if mask.size:
            lines = [line - np.array([x, y], np.int32) for line in vertices]
            cv2.polylines(mask, lines, item.closed, 1, thickness=item.line_width)
        return Patch(x, y, mask.view(bool))

    def _zeros_around(
        self, vertices: Sequence[np.ndarray], margin: int = 0
    ) -> tuple[int, int, np.ndarray]:
        """Returns where in the image vertices begin, and zeros for their pixels."""
        points = vertices[0] if len(vertices) == 1 else np.concatenate(vertices)
        left, top, width, height = cv2.boundingRect(points)
        x0, y0 = max(left - margin, 0), max(top - margin, 0)
        w = max(min(left + width + margin, self.width) - x0, 0)
        h = max(min(top + height + margin, self.height) - y0, 0)
        return x0, y0, np.zeros((h, w), np.uint8)

    def _clipped(self, mask: np.ndarray, x: int, y: int) -> Patch:
        x0, y0 = max(x, 0), max(y, 0)
        x1 = max(min(x + mask.shape[1], self.width), x0)
        y1 = max(min(y + mask.shape[0], self.height), y0)
        return Patch(x0, y0, mask[y0 - y : y1 - y, x0 - x : x1 - x])


def _filled_rings(item: MaskObject) -> list[np.ndarray]:
    """Returns the rings that enclose an object; none where it is no such object."""
    if item.line_width > 0 or item.rle is not None or item.mask is not None:
        return []
    return [ring for ring in item.rings if len(ring) > 2]


def _union_rles(
    objects: Sequence[Sequence[np.ndarray]], height: int, width: int
) -> list[RLE]:
    """Returns pycocotools' RLE of the union of each object's rings."""
    encoded: list[RLE] = mask_utils.frPyObjects(
        [ring.ravel() for rings in objects for ring in rings], height, width
    )
    if len(encoded) == len(objects):
        return encoded
    parts = iter(encoded)
    unions = []
    for rings in objects:
        own = [next(parts) for _ in rings]
        unions.append(own[0] if len(own) == 1 else mask_utils.merge(own))
    return unions
