"""The outlines of masks, along the edges of their pixels.

Pixel (column c, row r) is the square ``[c, c + 1) x [r, r + 1)``, so an outline has
whole numbers, and pycocotools draws from it the very mask that it was made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from .objects import MaskObject
from .patches import Patch, rle_patches
from .runs import RLE

# An outline with more vertices than this is simplified: with them a label is about
# 0.4 MB of the 16 MB that MongoDB takes for a sample, and an editor still moves them.
MAX_VERTICES = 10_000

# Corners are looked for in so many rows at a time, for the memory.
_STRIP_ROWS = 1024

# Noise has millions of corners: to follow more than these would take seconds.
_MAX_CORNERS = 200_000

# How far, in pixels, a simplified outline may be from the exact one; tried in turn. The
# staircase of any slanted edge stays within 1 of a straight line.
_TOLERANCES = (1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Outline:
    """Rings around a mask.

    Attributes:
        rings: float64 arrays of shape (n, 2), in pixels. They do not overlap: the
            mask is the union of what they enclose
        iou: the intersection over union of the mask and of what pycocotools draws
            from the rings: 1 unless the outline had to be simplified
    """

    rings: list[np.ndarray]
    iou: float = 1.0


def mask_outline(mask: np.ndarray, x: int = 0, y: int = 0) -> list[np.ndarray]:
    """Returns exact polygons of a mask.

    A ring goes round each part of the mask (pixels that touch at a corner only are two
    parts). A hole is joined to the loop on its left by a bridge of no width, there and
    back, so that no ring is a hole. ``pycocotools`` draws exactly the mask from the
    rings, also after they went through relative coordinates.

    Args:
        mask: an array of shape (height, width), 0 or False where there is background
        x: the column of the mask's first pixel
        y: its row

    Returns:
        float64 arrays of shape (n, 2), n >= 4, in pixels; none for an empty mask
    """
    pixels = np.pad(np.asarray(mask).astype(bool, copy=False), 1)
    corners = _Corners.of(pixels)
    if not corners.count:
        return []
    loops = _Loops.of(corners)
    columns, rows, after = corners.x, corners.y, loops.after
    if not all(loops.is_outer):
        columns, rows = _join_holes(loops, corners, pixels)
    rings = []
    for first, is_outer in zip(loops.firsts, loops.is_outer, strict=True):
        if is_outer:
            places = [first]
            while (place := after[places[-1]]) != first:
                places.append(place)
            ring = np.stack([columns[places], rows[places]], axis=1)
            rings.append((ring + np.array([x, y])).astype(np.float64))
    return rings


def rle_outline(rle: RLE, max_vertices: int = MAX_VERTICES) -> Outline:
    """Returns the outline of a checked RLE, simplified if it has too many vertices.

    The same RLE has the same outline each time.

    Args:
        rle: a compressed RLE
        max_vertices: the number of vertices to keep to, at least 4

    Raises:
        RleError: if the RLE is malformed
    """
    height, width = rle["size"]
    patch = next(rle_patches([rle], height, width))
    if _num_corners(patch.mask) <= _MAX_CORNERS:
        rings = mask_outline(patch.mask, patch.x, patch.y)
        if _num_vertices(rings) <= max_vertices:
            return Outline(rings)
        rings = _simplified(rings, patch, max_vertices)
    else:
        rings = _coarse(patch, max_vertices)
    return Outline(rings, iou_with_rings(rle, rings))


def centre_outline(rle: RLE) -> list[np.ndarray]:
    """Returns the outline that earlier versions stored beside an RLE.

    It runs through the centres of the outermost pixels, as ``cv2.findContours`` gives
    it, and holes are rings of their own.

    Raises:
        RleError: if the RLE is malformed
    """
    height, width = rle["size"]
    patch = next(rle_patches([rle], height, width))
    contours, _ = cv2.findContours(
        patch.mask.view(np.uint8),
        cv2.RETR_CCOMP,
        cv2.CHAIN_APPROX_SIMPLE,
        offset=(patch.x, patch.y),
    )
    return [contour.reshape(-1, 2).astype(np.float64) for contour in contours]


def iou_with_rings(rle: RLE, rings: Sequence[np.ndarray]) -> float:
    """Returns the IoU of an RLE and of what pycocotools draws from rings.

    It is 1 only where they are the same mask.

    Args:
        rle: a checked RLE
        rings: drawable rings (see :func:`~.objects.is_drawable`)
    """
    height, width = rle["size"]
    flat = [ring.ravel() for ring in rings if len(ring) > 2]
    drawn = mask_utils.merge(mask_utils.frPyObjects(flat, height, width)) if flat else 0
    if not flat or not mask_utils.area(drawn):
        return float(not mask_utils.area(rle))
    return float(mask_utils.iou([drawn], [rle], [0])[0, 0])


@dataclass(frozen=True, slots=True)
class _Corners:
    """The corners of the loops around a mask's pixels, row by row.

    Where two pixels touch at a corner only, the loops around them do not cross: such a
    place is two corners.

    Attributes:
        x: the columns of the corners, an int64 array
        y: their rows
        by_column: the corners' numbers, column by column
        is_outer: whether the pixel to the lower right of a corner is set
    """

    x: np.ndarray
    y: np.ndarray
    by_column: np.ndarray
    is_outer: np.ndarray

    @classmethod
    def of(cls, pixels: np.ndarray) -> _Corners:
        """Finds the corners of a bool array that is padded with False."""
        places = [
            _corner_places(pixels[row : row + _STRIP_ROWS + 1], row)
            for row in range(0, len(pixels) - 1, _STRIP_ROWS)
        ]
        y, x, number_of = (np.concatenate(part) for part in zip(*places, strict=True))
        place = np.repeat(np.arange(len(y)), number_of)
        second = np.zeros(len(place), np.int64)
        second[1:] = place[1:] == place[:-1]
        x, y = x[place], y[place]
        # Of two corners at a place, the first has the line to the left, the second that
        # to the right. The first has the line upwards as well, but where the pixels are
        # at the upper right and the lower left.
        rising = (number_of[place] == 2) & pixels[y, x + 1]
        order = np.argsort((x * pixels.shape[0] + y) * 2 + (second ^ rising))
        return cls(x, y, order, pixels[y + 1, x + 1])

    @property
    def count(self) -> int:
        """The number of corners."""
        return len(self.x)


def _corner_places(
    pixels: np.ndarray, row: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns rows and columns where there are corners, and how many: 1 or 2."""
    nw, ne = pixels[:-1, :-1], pixels[:-1, 1:]
    sw, se = pixels[1:, :-1], pixels[1:, 1:]
    # A corner has an odd number of pixels around it, or two on a diagonal.
    number = (nw ^ ne ^ sw ^ se).view(np.uint8)
    number += ((nw == se) & (ne == sw) & (nw != ne)).view(np.uint8) << 1
    y, x = np.nonzero(number)
    return y + row, x, number[y, x]


@dataclass(frozen=True, slots=True)
class _Loops:
    """The loops around a mask's pixels, which are on the right of who follows them.

    Attributes:
        after: the number of the corner after each corner
        loop_of: the number of each corner's loop
        firsts: each loop's first corner, in reading order
        is_outer: whether each loop goes round a part, and not round a hole
    """

    after: list[int]
    loop_of: list[int]
    firsts: list[int]
    is_outer: list[bool]

    @classmethod
    def of(cls, corners: _Corners) -> _Loops:
        """Follows the loops."""
        # Along a row, and along a column, corners are the two ends of lines in turn.
        upper, lower = corners.by_column[0::2], corners.by_column[1::2]
        partners = np.empty(corners.count, np.int64)
        partners[upper], partners[lower] = lower, upper
        vertical = partners.tolist()
        outer = corners.is_outer.tolist()
        loops = cls([-1] * corners.count, [0] * corners.count, [], [])
        after, loop_of = loops.after, loops.loop_of
        for first in range(corners.count):
            if after[first] >= 0:
                continue
            place, number = first, len(loops.firsts)
            # Clockwise round a part, against it round a hole.
            along_row = outer[first]
            while after[place] < 0:
                loop_of[place] = number
                after[place] = place = place ^ 1 if along_row else vertical[place]
                along_row = not along_row
            loops.firsts.append(first)
            loops.is_outer.append(outer[first])
        return loops


def _join_holes(
    loops: _Loops, corners: _Corners, pixels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Joins each hole to the loop that is met first straight to its left.

    Args:
        loops: the loops; ``after`` leads over the bridges afterwards
        corners: their corners
        pixels: the mask, padded

    Returns:
        the columns and rows of the corners, and behind them those of the bridges' ends
    """
    after = loops.after
    # The first corner of a loop, column by column, is its leftmost one.
    _, places = np.unique(np.array(loops.loop_of)[corners.by_column], return_index=True)
    starts = corners.by_column[places][~np.array(loops.is_outer)]
    x, y = corners.x[starts], corners.y[starts]
    met_x = np.array([_met(pixels, *start) for start in zip(x, y, strict=True)])
    met = _places_on_loops(met_x, y, corners, after)
    columns, rows = [corners.x, met_x], [corners.y, y]
    for place, start in zip(met, starts.tolist(), strict=True):
        # From `place` to the hole, round it, and back to where `place` is.
        first, last = len(after), len(after) + 1
        after += [after[start], after[place]]
        after[place], after[start] = first, last
    columns.append(np.stack([x, met_x], 1).ravel())
    rows.append(np.stack([y, y], 1).ravel())
    return np.concatenate(columns), np.concatenate(rows)


def _met(pixels: np.ndarray, x: int, y: int) -> int:
    """Returns where a loop is met on the way left from a hole's leftmost corner."""
    # Up to there the pixels above and below the way are set.
    inside = pixels[y, : x + 1] & pixels[y + 1, : x + 1]
    return int(x - np.argmin(inside[::-1]))


def _places_on_loops(
    x: np.ndarray, y: np.ndarray, corners: _Corners, after: list[int]
) -> list[int]:
    """Returns the number of each place on a loop, a corner or a new one on a line.

    Args:
        x: the columns of the places, all of them different places
        y: their rows
        corners: the corners of the loops
        after: the corner after each; the places are put between them, numbered on
    """
    height = int(corners.y.max()) + 1
    in_order = corners.by_column
    keys = corners.x[in_order] * height + corners.y[in_order]
    wanted = x * height + y
    found = np.searchsorted(keys, wanted)
    numbers: list[int] = np.where(keys[found] == wanted, in_order[found], -1).tolist()
    count = len(after)
    after += [-1] * len(numbers)
    above: dict[int, int] = {}
    # From the top down, so that each is put between its line's last one and the end.
    for place in np.argsort(wanted).tolist():
        if numbers[place] >= 0:
            continue
        numbers[place] = new = count + place
        bottom = int(in_order[found[place]])
        top = above.get(bottom, int(in_order[found[place] - 1]))
        if after[top] == bottom:
            after[top], after[new] = new, bottom
        else:
            after[bottom], after[new] = new, top
        above[bottom] = new
    return numbers


def _num_vertices(rings: Sequence[np.ndarray]) -> int:
    return sum(map(len, rings))


def _simplified(
    rings: list[np.ndarray], patch: Patch, max_vertices: int
) -> list[np.ndarray]:
    """Returns rings around about the same pixels with fewer vertices."""
    for tolerance in _TOLERANCES:
        fewer = [
            cv2.approxPolyDP(ring.astype(np.float32), tolerance, True).reshape(-1, 2)
            for ring in rings
        ]
        fewer = [ring.astype(np.float64) for ring in fewer if len(ring) > 2]
        if fewer and _num_vertices(fewer) <= max_vertices:
            return fewer
    # Noise, or a great many parts.
    return _coarse(patch, max_vertices)


def _coarse(patch: Patch, max_vertices: int) -> list[np.ndarray]:
    """Returns the outline of a patch in pixels so large that it fits."""
    step = 2
    while True:
        mask = _coarse_mask(patch, step)
        if _num_corners(mask) <= max_vertices:
            rings = mask_outline(mask)
            if _num_vertices(rings) <= max_vertices:
                break
        step *= 2
    height, width = patch.mask.shape
    start = np.array([patch.x, patch.y])
    return [np.minimum(ring * step, (width, height)) + start for ring in rings]


def _coarse_mask(patch: Patch, step: int) -> np.ndarray:
    """Returns the mask of a patch in pixels of ``step`` times the size."""
    height, width = patch.mask.shape
    padded = np.pad(patch.mask, ((0, -height % step), (0, -width % step)))
    blocks = padded.reshape(padded.shape[0] // step, step, -1, step)
    share = blocks.mean(axis=(1, 3), dtype=np.float32)
    mask: np.ndarray = share >= 0.5 if share.max() >= 0.5 else share > 0
    return mask


def _num_corners(mask: np.ndarray) -> int:
    """Returns about how many corners the loops around a mask's pixels have."""
    pixels = np.pad(mask, 1)
    return sum(
        len(_corner_places(pixels[row : row + _STRIP_ROWS + 1], row)[0])
        for row in range(0, len(pixels) - 1, _STRIP_ROWS)
    )


def object_rings(geometry: MaskObject) -> list[np.ndarray]:
    """Returns the rings of an object: its own, or those along its pixels' edges."""
    if geometry.rle is not None:
        return rle_outline(geometry.rle).rings
    if geometry.mask is not None:
        return mask_outline(geometry.mask, *geometry.offset)
    return list(geometry.rings)
