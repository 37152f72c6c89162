"""The rules that need one image only: its labels' shapes, alone and in pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from ...geometry.objects import Canvas, MaskObject
from ...geometry.ring_shapes import (
    RingBatch,
    are_rectangles,
    cross_themselves,
    have_spikes,
    overlapping_pairs,
)
from ...geometry.runs import RLE
from ..labels import LabelObject
from ..measuring.measure import LabelFigures
from .rules import IssueLimits, MaskIssue

# A side this long, in pixels, can be told from a rounded one.
_MIN_SIDE = 3
# The cosine of an angle that still passes as a right one: about 1 degree off.
_RIGHT_ANGLE = 0.02
# How far from its vertices, in pixels, a rasterizer may fill, and rounding in an export
# may move a vertex out of its image.
_MARGIN = 1


@dataclass(frozen=True, slots=True)
class Outline:
    """The outline of an object, for comparison with others of its class.

    Attributes:
        vertices: how many points its rings have
        perimeter: how long they are, in pixels
    """

    vertices: int
    perimeter: float


class ImageLabels:
    """The labels of one image, and what is found in them.

    Args:
        objects: the labels that have a geometry
        figures: the areas of all labels
        canvas: draws them
        limits: the numbers in the rules

    Attributes:
        issues: the issues of each label that has a geometry, by its index
        pairs: the labels that are too much alike: the issue, and their indexes
        cut_by_edge: how many labels cover pixels at the edge of the image
    """

    def __init__(
        self,
        objects: list[LabelObject],
        figures: LabelFigures,
        canvas: Canvas,
        limits: IssueLimits,
    ) -> None:
        self._objects = objects
        self._canvas = canvas
        self._limits = limits
        self._px = np.array([figures.px[item.index] or 0 for item in objects], np.int64)
        self._visible = [figures.visible_px[item.index] for item in objects]
        self._rings = RingBatch.of([r for o in objects for r in o.geometry.rings])
        counts = [len(item.geometry.rings) for item in objects]
        self._owner = np.repeat(np.arange(len(objects)), counts)
        self._rles: dict[int, RLE] = {}
        self.issues: dict[int, set[MaskIssue]] = {o.index: set() for o in objects}
        self.pairs: list[tuple[MaskIssue, int, int]] = []
        self.cut_by_edge = 0

    def look(self) -> None:
        """Applies all rules."""
        self._look_at_areas()
        boxes = self._boxes()
        self._look_at_pixel_boxes(boxes)
        self._look_at_rings()
        self._look_at_parts()
        self._look_at_pairs(boxes)

    def outlines(self) -> Iterator[tuple[LabelObject, Outline]]:
        """Yields the labels that are polygons, with their outlines."""
        count = len(self._objects)
        vertices = np.bincount(self._owner, self._rings.lengths, count)
        perimeters = np.bincount(self._owner, self._rings.perimeters(), count)
        for item, number, length in zip(
            self._objects, vertices.tolist(), perimeters.tolist(), strict=True
        ):
            if length > 0:
                yield item, Outline(int(number), length)

    def _add(self, places: np.ndarray | list[int], issue: MaskIssue) -> None:
        for place in places:
            self.issues[self._objects[int(place)].index].add(issue)

    def _look_at_areas(self) -> None:
        px, limits = self._px, self._limits
        image_px = self._canvas.height * self._canvas.width
        self._add(np.flatnonzero(px == 0), MaskIssue.EMPTY)
        self._add(np.flatnonzero((px > 0) & (px < limits.tiny_px)), MaskIssue.TINY)
        huge = px >= max(limits.huge_share * image_px, 1)
        self._add(np.flatnonzero(huge), MaskIssue.HUGE)
        hidden = [i for i, px in enumerate(self._visible) if px == 0 and self._px[i]]
        self._add(hidden, MaskIssue.HIDDEN)

    def _boxes(self) -> np.ndarray:
        """Returns x0, y0, x1, y1 around each object, a little too large or exact."""
        boxes = np.full((len(self._objects), 4), np.nan)
        around = self._rings.boxes()
        if len(around):
            first = np.flatnonzero(np.diff(self._owner, prepend=-1))
            owners = self._owner[first]
            boxes[owners, :2] = np.minimum.reduceat(around[:, :2], first) - _MARGIN
            boxes[owners, 2:] = np.maximum.reduceat(around[:, 2:], first) + _MARGIN
        for place in np.flatnonzero(np.isnan(boxes[:, 0])):
            boxes[place] = _pixel_box(self._rle(int(place)))
        return boxes

    def _look_at_pixel_boxes(self, boxes: np.ndarray) -> None:
        """Looks at what the exact box around an object's pixels tells.

        The exact box is only drawn where the rough one leaves it open.
        """
        height, width = self._canvas.height, self._canvas.width
        least = np.maximum(boxes[:, 2:] - boxes[:, :2] - 4 * _MARGIN, 1).prod(axis=1)
        may_be_full = self._px >= least
        may_touch = (boxes[:, :2] < 1).any(axis=1)
        may_touch |= (boxes[:, 2] > width - 1) | (boxes[:, 3] > height - 1)
        full = []
        candidates = np.flatnonzero((may_be_full | may_touch) & (self._px > 0))
        self._draw(candidates)
        for place in candidates.tolist():
            x0, y0, x1, y1 = _pixel_box(self._rles[place])
            w, h = x1 - x0, y1 - y0
            if self._px[place] == w * h and min(w, h) >= _MIN_SIDE:
                full.append(place)
            self.cut_by_edge += x0 == 0 or y0 == 0 or x1 == width or y1 == height
        self._add(full, MaskIssue.RECTANGLE)

    def _look_at_rings(self) -> None:
        rings, limits = self._rings, self._limits
        drawn = self._px[self._owner] > 0
        alone = np.bincount(self._owner, minlength=len(self._objects))[self._owner] == 1
        rectangles = alone & are_rectangles(rings, _MIN_SIDE, _RIGHT_ANGLE)
        self._add(self._owner[rectangles & drawn], MaskIssue.RECTANGLE)
        crossing = cross_themselves(rings)
        self._add(self._owner[crossing & drawn], MaskIssue.SELF_CROSSING)
        spikes = have_spikes(rings, limits.spike_degrees, limits.spike_side)
        self._add(self._owner[spikes & drawn], MaskIssue.SPIKE)

        boxes = rings.boxes()
        size = (self._canvas.width, self._canvas.height)
        outside = (boxes[:, :2] < -_MARGIN).any(axis=1)
        outside |= (boxes[:, 2:] - size > _MARGIN).any(axis=1)
        self._add(self._owner[outside], MaskIssue.OUTSIDE)

    def _look_at_parts(self) -> None:
        """Looks at rings, or at the parts of a mask, that are small in their object."""
        share = self._limits.stray_share
        parts = np.bincount(self._owner, minlength=len(self._objects))
        limits = share * self._px[self._owner]
        small = covered_by_rings(self._rings, self._canvas, limits) < limits
        small &= (parts[self._owner] > 1) & (self._px[self._owner] > 0)
        # A crowd is made of many parts, of any size.
        crowds = {p for p, item in enumerate(self._objects) if item.iscrowd}
        stray = set(self._owner[small].tolist()) - crowds
        for place, item in enumerate(self._objects):
            if place not in crowds and not item.geometry.rings and self._px[place]:
                areas = _part_areas(item.geometry, self._canvas)
                if len(areas) > 1 and min(areas) < share * self._px[place]:
                    stray.add(place)
        self._add(sorted(stray), MaskIssue.STRAY_PART)

    def _look_at_pairs(self, boxes: np.ndarray) -> None:
        """Compares the labels whose boxes let them share nearly all pixels."""
        usable = np.array(
            [
                bool(px) and not item.iscrowd
                for px, item in zip(self._px, self._objects, strict=True)
            ],
            bool,
        )
        places = np.flatnonzero(usable)
        boxes, px = boxes[places], self._px[places]
        least = min(
            self._limits.near_iou,
            self._limits.near_iou_across,
            self._limits.contained_share,
        )
        others: dict[int, list[int]] = {}
        for one, other in overlapping_pairs(boxes[:, 0], boxes[:, 2]):
            shared = np.minimum(boxes[one, 2:], boxes[other, 2:])
            shared = shared - np.maximum(boxes[one, :2], boxes[other, :2])
            fits = shared.clip(0).prod(axis=1) >= least * np.minimum(px[one], px[other])
            pairs = np.sort(places[np.stack([one[fits], other[fits]], axis=1)], axis=1)
            for a, b in pairs.tolist():
                if self._may_match(a, b):
                    others.setdefault(a, []).append(b)
        self._draw(
            np.array(sorted({*others, *(b for bs in others.values() for b in bs)}), int)
        )
        for a, bs in sorted(others.items()):
            inside = mask_utils.iou(
                [self._rles[a]], [self._rles[b] for b in bs], [1] * len(bs)
            )
            for b, part in zip(bs, inside[0].tolist(), strict=True):
                self._compare(a, b, round(part * int(self._px[a])))

    def _may_match(self, a: int, b: int) -> bool:
        """Whether two labels could be found to be one, by class and area."""
        one, other = self._objects[a].label, self._objects[b].label
        if self._limits.are_exempt(one, other):
            return False
        if one == other:
            return True
        small, large = sorted((int(self._px[a]), int(self._px[b])))
        return small >= self._limits.near_iou_across * large

    def _compare(self, a: int, b: int, shared: int) -> None:
        """Judges a pair by the number of pixels that it shares; ``a`` is earlier."""
        limits = self._limits
        px_a, px_b = int(self._px[a]), int(self._px[b])
        same_class = self._objects[a].label == self._objects[b].label
        iou = shared / (px_a + px_b - shared)
        if shared == px_a == px_b:
            if same_class:
                self._add_pair(MaskIssue.DUPLICATE, a, b, [b])
            else:
                self._add_pair(MaskIssue.TWO_CLASSES, a, b, [a, b])
        elif same_class and iou >= limits.near_iou:
            self._add_pair(MaskIssue.NEAR_DUPLICATE, a, b, [b])
        elif not same_class and iou >= limits.near_iou_across:
            self._add_pair(MaskIssue.NEAR_DUPLICATE, a, b, [a, b])
        elif same_class and shared >= limits.contained_share * min(px_a, px_b):
            self._add_pair(MaskIssue.CONTAINED, a, b, [a if px_a < px_b else b])

    def _add_pair(self, issue: MaskIssue, a: int, b: int, at_fault: list[int]) -> None:
        self._add(at_fault, issue)
        self.pairs.append((issue, self._objects[a].index, self._objects[b].index))

    def _draw(self, places: np.ndarray) -> None:
        """Draws objects that have not been drawn yet, all at once."""
        missing = [p for p in places.tolist() if p not in self._rles]
        drawn = self._canvas.rles([self._objects[p].geometry for p in missing])
        self._rles.update(zip(missing, drawn, strict=True))

    def _rle(self, place: int) -> RLE:
        self._draw(np.array([place]))
        return self._rles[place]


def _pixel_box(rle: RLE) -> tuple[int, int, int, int]:
    """Returns x0, y0, x1, y1 of the pixels that an RLE covers."""
    x, y, width, height = (int(value) for value in mask_utils.toBbox(rle).tolist())
    return x, y, x + width, y + height


def covered_by_rings(
    rings: RingBatch, canvas: Canvas, limits: np.ndarray | float = np.inf
) -> np.ndarray:
    """Returns what each ring covers, in pixels: its area, or its pixels if more.

    The area of a ring that crosses itself is the difference of its halves.

    Args:
        rings: the rings
        canvas: draws them
        limits: rings of a larger area are not drawn
    """
    areas = rings.areas()
    small = np.flatnonzero(areas < limits)
    parts = [rings.points[slice(*rings.starts[place : place + 2])] for place in small]
    pixels = canvas.areas([MaskObject(rings=(part,)) for part in parts])
    areas[small] = np.maximum(areas[small], pixels)
    return areas


def _part_areas(geometry: MaskObject, canvas: Canvas) -> list[int]:
    """Returns the pixels of each connected part, corners included, of an object."""
    patch = canvas.patch(geometry)
    if not patch.mask.size:
        return []
    _, _, stats, _ = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(patch.mask).view(np.uint8), connectivity=8
    )
    return [int(area) for area in stats[1:, cv2.CC_STAT_AREA]]
