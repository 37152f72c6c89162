"""Boxes with an angle -> the rectangles that they are."""

from __future__ import annotations

import math
from typing import Any

from .records import Box
from .shapes import MAX_COORDINATE, number_of

Ring = list[float]
_OUTSIDE_PX = 2.0


def read_rotated_box(entry: dict[str, Any]) -> tuple[Ring, Box, str] | None:
    """Reads the box of an annotation if it has an angle.

    Two ways to write one are established: five numbers, which are the centre, width,
    height and a counter-clockwise angle (Detectron2), and a box beside a number
    ``rotation`` clockwise about its centre (CVAT); both in degrees. An angle of another
    name could go either way round.

    Args:
        entry: the annotation as the JSON has it

    Returns:
        the rectangle's ring, the upright box around it, and how it is written; None if
        the box has no angle, or cannot be read
    """
    bbox = entry.get("bbox")
    if not isinstance(bbox, list) or len(bbox) not in (4, 5):
        return None
    numbers = [number_of(value) for value in bbox]
    if any(n is None or abs(n) > MAX_COORDINATE for n in numbers):
        return None
    x, y, width, height, *rest = (float(n) for n in numbers if n is not None)
    if width <= 0 or height <= 0:
        return None
    if rest:
        angle = -rest[0]
        how = f"five numbers, with an angle of {rest[0]:g} degrees counter-clockwise"
    else:
        rotation = number_of(_rotation(entry))
        if rotation is None or abs(rotation) > 360 or rotation % 180 == 0:
            return None
        angle, x, y = rotation, x + width / 2, y + height / 2
        how = f"turned by a 'rotation' of {rotation:g} degrees clockwise"
    if abs(angle) > 360:
        return None
    ring = _rectangle(x, y, width, height, math.radians(angle))
    left, top = min(ring[::2]), min(ring[1::2])
    if rest and min(left, top) < -_OUTSIDE_PX:
        # Then its first two numbers are hardly the centre.
        return None
    return ring, (left, top, max(ring[::2]) - left, max(ring[1::2]) - top), how


def _rotation(entry: dict[str, Any]) -> Any:
    if "rotation" in entry:
        return entry["rotation"]
    nested = entry.get("attributes")
    return nested.get("rotation") if isinstance(nested, dict) else None


def _rectangle(x: float, y: float, width: float, height: float, angle: float) -> Ring:
    """Returns the corners of a rectangle about a centre, turned clockwise."""
    cos, sin = math.cos(angle), math.sin(angle)
    ring = []
    for right, down in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        dx, dy = right * width / 2, down * height / 2
        # Rounded, so that a quarter turn has whole numbers again.
        ring += [round(x + dx * cos - dy * sin, 6), round(y + dx * sin + dy * cos, 6)]
    return ring
