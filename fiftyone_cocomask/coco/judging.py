"""An annotation's box and shape held against each other and against its image.

Broken numbers make plausible, wrong shapes: 178 and 0.60 joined as text are 1780.60.
Where box and ring contradict each other, the ring is left out if it reaches far beyond
the image, was written as text or looks joined; otherwise it is the box that is wrong.
A box around the pixels that a ring has in the image contradicts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..geometry.outlines import Outline
from ..geometry.rle import rle_area, rle_box
from ..limits import MAX_RING_LENGTH
from .areas import enclosed_area
from .bounds import (
    BOX_TOLERANCE_PX,
    Bounds,
    are_same_bounds,
    bounds_text,
    is_within,
    passes_image,
    pixel_bounds,
)
from .drafts import Draft
from .frames import Frame, is_scaled
from .issues import Action, IssueCode
from .records import Box
from .ring_figures import RingArrays, RingFigures
from .rle_sizes import fits_without_background, with_size
from .shapes import MAX_COORDINATE

# Coordinates may pass the image's edge by this without being worth a word.
_EDGE_TOLERANCE_PX = 1.0
# A ring that contradicts its box and reaches beyond the image by this part of its size
# is broken; without a box to ask, it has to do so by all of its size.
_FAR = 0.1
_FAR_WITHOUT_BOX = 1.0
_NO_AREA = 1e-6


@dataclass(slots=True)
class Geometry:
    """What of an annotation can be used, in pixels of the file as shown.

    Attributes:
        box: x, y, width and height; None if there is none and no shape to have one
        rings: arrays of shape (n, 2)
        rle: a compressed RLE of the file's size
        area: the area of rings (added up) or RLE in the JSON's pixels; None if there is
            no shape
        outline: what to show of the RLE where its own outline has too many vertices
    """

    box: Box | None
    rings: list[np.ndarray] = field(default_factory=list)
    rle: dict[str, Any] | None = None
    area: float | None = None
    outline: Outline | None = None

    @property
    def has_shape(self) -> bool:
        """Whether there are rings or an RLE."""
        return bool(self.rings) or self.rle is not None


def judge(draft: Draft, figures: RingFigures, first: int, frame: Frame) -> Geometry:
    """Returns what of an annotation can be used, and adds to its findings.

    Args:
        draft: the annotation
        figures: figures of rings, the annotation's among them
        first: the place of its first ring in ``figures``
        frame: how its coordinates map to the image
    """
    count = len(draft.shape.rings)
    is_plain = count == 1 and not draft.findings and not draft.shape.from_text
    if is_plain and _is_usual(draft, figures, first, frame):
        ring = frame.points(figures.ring(first))
        assert draft.box is not None
        return Geometry(frame.box(draft.box), [ring], None, figures.areas[first])
    if draft.shape.rle is not None:
        return _judge_rle(draft, draft.shape.rle, frame)
    if count:
        return _judge_rings(draft, figures, range(first, first + count), frame)
    return _judge_box(draft, frame)


def _is_usual(draft: Draft, figures: RingFigures, place: int, frame: Frame) -> bool:
    """Whether there is nothing to say of a single ring: true for nearly all."""
    if draft.box is None:
        return False
    x0, y0 = figures.x0[place], figures.y0[place]
    x1, y1 = figures.x1[place], figures.y1[place]
    x, y, width, height = draft.box
    tolerance = BOX_TOLERANCE_PX
    points = figures.ends[place] - figures.starts[place]
    return (
        x0 >= -_EDGE_TOLERANCE_PX
        and y0 >= -_EDGE_TOLERANCE_PX
        and x1 <= frame.width + _EDGE_TOLERANCE_PX
        and y1 <= frame.height + _EDGE_TOLERANCE_PX
        and -tolerance <= x - x0 <= tolerance
        and -tolerance <= y - y0 <= tolerance
        and -tolerance <= x + width - x1 <= tolerance
        and -tolerance <= y + height - y1 <= tolerance
        and figures.areas[place] >= 1
        and points * (x1 - x0 + y1 - y0) <= MAX_RING_LENGTH
        and x0 < frame.width
        and y0 < frame.height
        and x1 > 0
        and y1 > 0
    )


def are_usual(rings: RingArrays, boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Returns which rings there is nothing to say of, as :func:`judge` finds it.

    Args:
        rings: the only ring of each of some annotations
        boxes: their boxes: x, y, width and height, the last two above 0
        sizes: the widths and heights of their images
    """
    lows, highs, starts = rings.lows, rings.highs, boxes[:, :2]
    tolerance = BOX_TOLERANCE_PX
    lengths = (rings.ends - rings.starts) * (highs - lows).sum(axis=1)
    within = (
        (lows >= -_EDGE_TOLERANCE_PX)
        & (highs <= sizes + _EDGE_TOLERANCE_PX)
        & (np.abs(starts - lows) <= tolerance)
        & (np.abs(starts + boxes[:, 2:] - highs) <= tolerance)
        & (lows < sizes)
        & (highs > 0)
    )
    usual: np.ndarray = (
        within.all(axis=1) & (rings.areas >= 1) & (lengths <= MAX_RING_LENGTH)
    )
    return usual


def _judge_rings(
    draft: Draft, figures: RingFigures, places: range, frame: Frame
) -> Geometry:
    usable = []
    for number, place in enumerate(places):
        from_text = number in draft.shape.from_text
        problem = _problem_of_ring(figures, place, draft.box, frame, from_text)
        part = "its ring" if len(places) == 1 else f"its ring {number + 1}"
        if problem is not None:
            code, reason = problem
            draft.tell(code, f"{part} {reason}", None)
            draft.shape.lost += 1
            continue
        usable.append(place)
        if from_text:
            draft.tell(
                IssueCode.RING_NUMBERS_AS_TEXT,
                f"{part} has numbers written as text, which fit its box",
                Action.REPAIRED,
            )
    if not usable:
        return _judge_box(draft, frame)
    bounds = (
        min(figures.x0[place] for place in usable),
        min(figures.y0[place] for place in usable),
        max(figures.x1[place] for place in usable),
        max(figures.y1[place] for place in usable),
    )
    area = sum(figures.areas[place] for place in usable)
    rings = [figures.ring(place) for place in usable]
    if area < 1:
        # Of a bow-tie the formula gives the difference of its halves.
        area = max(area, enclosed_area(rings, fine=True))
    _tell_extent(draft, bounds, area, frame)
    return Geometry(
        frame.box(_box_around(draft, draft.box, bounds, rings, frame)),
        [frame.points(ring) for ring in rings],
        None,
        area,
    )


def _problem_of_ring(
    figures: RingFigures, place: int, box: Box | None, frame: Frame, from_text: bool
) -> tuple[IssueCode, str] | None:
    """Returns why a ring must not be drawn; None where it may."""
    x1, y1 = figures.x1[place], figures.y1[place]
    bounds = (figures.x0[place], figures.y0[place], x1, y1)
    if not all(map(math.isfinite, bounds)):
        return IssueCode.RING_NOT_FINITE, "holds NaN, infinity or too large a number"
    if max(map(abs, bounds)) > MAX_COORDINATE:
        return (
            IssueCode.RING_TOO_LARGE,
            f"spans {bounds_text(bounds)}, which is larger than any image",
        )
    if figures.length(place) > MAX_RING_LENGTH:
        return IssueCode.RING_TOO_LARGE, "is longer than any outline in an image"
    reach = f"spans {bounds_text(bounds)}"
    if box is None:
        if from_text:
            return (
                IssueCode.RING_JOINED_NUMBERS,
                "has numbers written as text, and there is no box to check them by",
            )
        if passes_image(bounds, frame, _FAR_WITHOUT_BOX):
            return IssueCode.RING_FAR_OUTSIDE, f"{reach}, far outside the image"
        return None
    edges = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    if is_within(bounds, edges):
        return None
    if from_text or _is_joined(x1, box[0], box[2]) or _is_joined(y1, box[1], box[3]):
        return (
            IssueCode.RING_JOINED_NUMBERS,
            f"{reach}, outside its own box {bounds_text(edges)}: its numbers seem to "
            "be joined as text",
        )
    if passes_image(bounds, frame, _FAR) and not passes_image(edges, frame, _FAR):
        pixels = pixel_bounds([figures.ring(place)], frame)
        if pixels is not None and is_within(pixels, edges):
            return None
        return (
            IssueCode.RING_FAR_OUTSIDE,
            f"{reach}, far outside its own box {bounds_text(edges)} and the image",
        )
    return None


def _judge_rle(draft: Draft, rle: dict[str, Any], frame: Frame) -> Geometry:
    shown = [frame.shown_height, frame.shown_width]
    if rle["size"] == shown and shown != [frame.height, frame.width]:
        frame = Frame(shown[1], shown[0], shown[1], shown[0])
    fitted = _fitted_rle(draft, rle, frame)
    if fitted is None:
        height, width = rle["size"]
        draft.tell(
            IssueCode.RLE_SIZE_DIFFERS,
            f"its RLE is {width} x {height}, the image {shown[1]} x {shown[0]}",
            None,
        )
        return _judge_box(draft, frame)
    area = rle_area(fitted) * frame.area_factor
    if area == 0:
        draft.tell(IssueCode.ZERO_AREA, "its RLE has no foreground pixel", Action.KEPT)
        box = None if draft.box is None else frame.box(draft.box)
        return Geometry(box, [], fitted, area)
    x, y, box_width, box_height = rle_box(fitted)
    shown_frame = Frame(shown[1], shown[0], shown[1], shown[0])
    stated = None if draft.box is None else frame.box(draft.box)
    box = _box_around(draft, stated, (x, y, x + box_width, y + box_height))
    return Geometry(shown_frame.box(box), [], fitted, area)


def _fitted_rle(
    draft: Draft, rle: dict[str, Any], frame: Frame
) -> dict[str, Any] | None:
    """Returns an RLE in the size of the image as shown; None if nothing tells how."""
    height, width = rle["size"]
    size, wanted = (width, height), (frame.width, frame.height)
    if size == wanted and not draft.shape.is_size_of_counts:
        return frame.rle(rle)
    if fits_without_background(rle, wanted, draft.box, draft.shape.is_size_of_counts):
        draft.tell(
            IssueCode.RLE_ROWS_FITTED,
            f"its RLE has {width} x {height} pixels, the image {wanted[0]} x "
            f"{wanted[1]}: the difference is background at the right or lower edge, "
            f"and was {'added' if height < wanted[1] or width < wanted[0] else 'cut'}",
            Action.REPAIRED,
        )
        return frame.rle(with_size(rle, wanted))
    shown = (frame.shown_width, frame.shown_height)
    if draft.shape.is_size_of_counts or not is_scaled(size, shown):
        return None
    resized = Frame(width, height, *shown).rle(rle)
    if resized is not None:
        draft.tell(
            IssueCode.RLE_RESIZED,
            f"its RLE is {width} x {height} and was scaled to the image's "
            f"{shown[0]} x {shown[1]}",
            Action.REPAIRED,
        )
    return resized


def _judge_box(draft: Draft, frame: Frame) -> Geometry:
    """Returns the box of an annotation that has no usable shape."""
    box = draft.box
    if box is None:
        return Geometry(None)
    x, y, width, height = box
    if x + width <= 0 or y + height <= 0 or x >= frame.width or y >= frame.height:
        edges = (x, y, x + width, y + height)
        draft.tell(
            IssueCode.BOX_OUTSIDE_IMAGE,
            f"its box {bounds_text(edges)} lies outside the image",
            Action.KEPT,
        )
    return Geometry(frame.box(box))


def _box_around(
    draft: Draft,
    box: Box | None,
    bounds: Bounds,
    rings: Sequence[np.ndarray] = (),
    frame: Frame | None = None,
) -> Box:
    """Returns the box of an annotation whose shape is good.

    The shape's own where there is none or a contradicting one; after the loss of a ring
    the box is the better witness. It may be the box of the pixels in the image, of
    which thin rings, and those that reach out of it, have fewer.
    """
    x0, y0, x1, y1 = bounds
    own = (x0, y0, x1 - x0, y1 - y0)
    if box is None:
        return own
    x, y, width, height = box
    edges = (x, y, x + width, y + height)
    if draft.shape.lost or are_same_bounds(bounds, edges):
        return box
    if frame is not None:
        pixels = pixel_bounds(rings, frame)
        if pixels is not None and are_same_bounds(pixels, edges):
            return box
    draft.tell(
        IssueCode.BOX_DIFFERS,
        f"its box spans {bounds_text(edges)} and its segmentation "
        f"{bounds_text(bounds)}; the box was made to fit",
        Action.REPAIRED,
    )
    return own


def _tell_extent(draft: Draft, bounds: Bounds, area: float, frame: Frame) -> None:
    x0, y0, x1, y1 = bounds
    if x1 <= 0 or y1 <= 0 or x0 >= frame.width or y0 >= frame.height:
        draft.tell(
            IssueCode.OUTSIDE_IMAGE,
            f"its segmentation spans {bounds_text(bounds)}, outside the image "
            f"({frame.width} x {frame.height}): it has no pixel",
            Action.KEPT,
        )
    elif not is_within(
        bounds, (0, 0, frame.width, frame.height), _EDGE_TOLERANCE_PX, 0
    ):
        draft.tell(
            IssueCode.PARTLY_OUTSIDE,
            f"its segmentation spans {bounds_text(bounds)}, in part outside the image "
            f"({frame.width} x {frame.height})",
            Action.KEPT,
        )
    if area < _NO_AREA:
        draft.tell(
            IssueCode.ZERO_AREA, "its segmentation encloses no area", Action.KEPT
        )
    elif area < 1:
        draft.tell(
            IssueCode.SMALLER_THAN_PIXEL,
            f"its segmentation encloses {area:.3g} of a pixel",
            Action.KEPT,
        )


def _is_joined(value: float, start: float, size: float) -> bool:
    """Whether a number is a box's corner and size written one behind the other."""
    text = f"{value:.10g}"
    for cut in range(1, len(text)):
        try:
            left, right = float(text[:cut]), float(text[cut:])
        except ValueError:
            continue
        if abs(left - start) <= 1 and abs(right - size) <= max(1, 0.05 * size):
            return value > start + size + BOX_TOLERANCE_PX
    return False
