"""Segmentations and boxes as a JSON has them -> rings, RLEs and boxes of numbers.

Nothing is judged here against the image or other parts of the annotation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..arguments import is_number
from ..geometry.runs import RleError
from ..words import count, type_name
from .issues import Action, IssueCode
from .records import Box
from .rle_texts import read_rle
from .unusual_rings import AmbiguousRingsError, as_rings, ring_of_arrays

# Takes a code, a message, and the action: None where it depends on what is left of the
# annotation in the end.
Tell = Callable[[IssueCode, str, Action | None], None]

# Far beyond any image; pycocotools and OpenCV fail on much larger ones.
MAX_COORDINATE = 1e6
_RINGS = list[list[float]]
_BOX = tuple[float, float, float, float]


@dataclass(slots=True)
class Shape:
    """What a segmentation holds.

    Attributes:
        rings: flat lists x, y, x, y, ... of at least three points
        rle: a checked, compressed RLE
        lost: the number of rings that had to be left out
        from_text: the places in ``rings`` of those with numbers written as text, which
            only count if the box agrees
        is_size_of_counts: whether the RLE's size is that of its counts and not the one
            that it states
    """

    rings: list[list[float]] = field(default_factory=list)
    rle: dict[str, Any] | None = None
    lost: int = 0
    from_text: frozenset[int] = frozenset()
    is_size_of_counts: bool = False


def read_shape(segmentation: Any, tell: Tell) -> Shape:
    """Reads a segmentation: a list of rings, or an RLE.

    Args:
        segmentation: the JSON's value
        tell: takes what is wrong with it
    """
    try:
        # Strict: no text, no true and false; whole numbers become floats.
        rings = msgspec.convert(segmentation, _RINGS)
    except msgspec.ValidationError:
        return _read_unusual_shape(segmentation, tell)
    for ring in rings:
        if len(ring) < 6 or len(ring) % 2:
            return _read_unusual_shape(segmentation, tell)
    if not rings:
        tell(IssueCode.SEGMENTATION_MISSING, "its segmentation is empty", None)
    return Shape(rings)


def read_box(bbox: Any, tell: Tell) -> Box | None:
    """Reads a box: x, y, width and height, the last two above 0.

    Args:
        bbox: the JSON's value
        tell: takes what is wrong with it

    Returns:
        the box, or None if it cannot be used
    """
    try:
        box = msgspec.convert(bbox, _BOX)
    except msgspec.ValidationError:
        return _read_unusual_box(bbox, tell)
    return _checked_box(box, tell)


def number_of(value: Any) -> float | None:
    """Returns a finite number, also where it is written as text; None for others."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value) if len(value) < 50 and "_" not in value else None
        except ValueError:
            return None
    if not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _checked_box(box: Box, tell: Tell) -> Box | None:
    x, y, width, height = box
    most = MAX_COORDINATE
    if not (abs(x) <= most and abs(y) <= most and abs(width) <= most >= abs(height)):
        tell(
            IssueCode.BOX_INVALID,
            f"its box {_listed(box)} is out of range for any image",
            Action.REPAIRED,
        )
        return None
    if width > 0 and height > 0:
        return box
    code = IssueCode.BOX_EMPTY
    if width < 0 or height < 0:
        code = IssueCode.BOX_NEGATIVE
    tell(code, f"its box is {width:g} x {height:g} pixels", Action.REPAIRED)
    return None


def _read_unusual_box(bbox: Any, tell: Tell) -> Box | None:
    if bbox is None or bbox == []:
        tell(IssueCode.BOX_MISSING, "it has no box", Action.REPAIRED)
        return None
    if not isinstance(bbox, list) or len(bbox) != 4:
        what = type_name(bbox)
        if isinstance(bbox, list):
            what = f"a list of {len(bbox)}"
        tell(
            IssueCode.BOX_INVALID,
            f"its box is {what}, not x, y, width and height",
            Action.REPAIRED,
        )
        return None
    numbers = [number_of(value) for value in bbox]
    x, y, width, height = numbers
    if x is None or y is None or width is None or height is None:
        bad = next(v for v, n in zip(bbox, numbers, strict=True) if n is None)
        tell(
            IssueCode.BOX_INVALID,
            f"its box holds {_described(bad)}, which is not a finite number",
            Action.REPAIRED,
        )
        return None
    box = _checked_box((x, y, width, height), tell)
    if box is not None:
        tell(
            IssueCode.BOX_NUMBERS_AS_TEXT,
            f"its box has numbers written as text; read as {_listed(box)}",
            Action.REPAIRED,
        )
    return box


def _read_unusual_shape(segmentation: Any, tell: Tell) -> Shape:
    if isinstance(segmentation, dict):
        ring = ring_of_arrays(segmentation)
        if ring is None:
            return _read_rle(segmentation, tell)
        tell(
            IssueCode.SEGMENTATION_POINT_OBJECTS,
            "its segmentation is an object with all x and all y",
            Action.REPAIRED,
        )
        return _read_rings([ring], tell)
    if segmentation is None:
        tell(IssueCode.SEGMENTATION_MISSING, "it has no segmentation", None)
        return Shape()
    if not isinstance(segmentation, list):
        tell(
            IssueCode.SEGMENTATION_INVALID,
            f"its segmentation is {type_name(segmentation)}, not a list of rings",
            None,
        )
        return Shape()
    if len(segmentation) == 1 and _is_rle(segmentation[0]):
        tell(
            IssueCode.SEGMENTATION_NESTED,
            "its RLE is wrapped in a list; the list was dropped",
            Action.REPAIRED,
        )
        return _read_rle(segmentation[0], tell)
    findings: dict[IssueCode, str] = {}
    try:
        rings = as_rings(segmentation, findings)
    except AmbiguousRingsError as error:
        tell(IssueCode.SEGMENTATION_NESTED, str(error), None)
        return Shape(lost=1)
    for code, message in findings.items():
        tell(code, message, Action.REPAIRED)
    return _read_rings(rings, tell)


def _is_rle(value: Any) -> bool:
    return isinstance(value, dict) and {"size", "counts"} <= value.keys()


def _read_rle(segmentation: dict[str, Any], tell: Tell) -> Shape:
    try:
        rle, how, is_size_of_counts = read_rle(segmentation)
    except RleError as error:
        tell(IssueCode.RLE_INVALID, f"its RLE is unusable: {error}", None)
        return Shape()
    if how is not None:
        tell(IssueCode.RLE_COUNTS_REWRITTEN, f"its RLE has {how}", Action.REPAIRED)
    return Shape(rle=rle, is_size_of_counts=is_size_of_counts)


def _read_rings(rings: list[Any], tell: Tell) -> Shape:
    shape = Shape()
    from_text = set()
    for place, ring in enumerate(rings):
        problem = _problem_of_ring(ring)
        if problem is not None:
            code, reason = problem
            part = "its ring" if len(rings) == 1 else f"its ring {place + 1}"
            tell(code, f"{part} {reason}", None)
            shape.lost += 1
            continue
        if any(isinstance(value, str) for value in ring):
            from_text.add(len(shape.rings))
        shape.rings.append([float(value) for value in ring])
    shape.from_text = frozenset(from_text)
    return shape


def _problem_of_ring(ring: Any) -> tuple[IssueCode, str] | None:
    """Returns why a ring cannot be used; None where it can."""
    if not isinstance(ring, list):
        return IssueCode.RING_NOT_NUMBERS, f"is {type_name(ring)}, not a list"
    for value in ring:
        if number_of(value) is None:
            code = IssueCode.RING_NOT_NUMBERS
            if _means_number(value):
                code = IssueCode.RING_NOT_FINITE
            return code, f"holds {_described(value)}, which is not a finite number"
    if len(ring) % 2:
        return IssueCode.RING_ODD_LENGTH, f"has an odd count of numbers, {len(ring)}"
    if len(ring) < 6:
        number = len(ring) // 2
        points = count(number, "point") if number else "no points"
        return IssueCode.RING_TOO_SHORT, f"has {points}; a polygon has three or more"
    return None


def _means_number(value: Any) -> bool:
    """Whether a value means a number, even if it is NaN, infinite or too large."""
    if isinstance(value, str):
        return value.strip().lstrip("+-").lower() in ("nan", "inf", "infinity")
    return is_number(value)


def _described(value: Any) -> str:
    if isinstance(value, str):
        if value in ("NaN", "Infinity", "-Infinity"):
            # Numbers of these names are read as text: JSON has none.
            return value
        return f"the text '{value[:20]}'"
    if isinstance(value, float):
        return str(value)
    return type_name(value)


def _listed(box: Box) -> str:
    return "[" + ", ".join(f"{number:g}" for number in box) + "]"
