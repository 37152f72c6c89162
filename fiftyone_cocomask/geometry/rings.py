"""Rings: closed polygons of x, y in pixels, as float64 arrays of shape (n, 2).

Coordinates are COCO's continuous ones: the pixel in column c and row r is the square
``[c, c + 1) x [r, r + 1)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np

# A pair of floats in MessagePack.
_PAIR = np.dtype(
    {
        "names": ["kinds", "x", "y"],
        "formats": [("u1", 2), ">f8", ">f8"],
        "offsets": [0, 2, 11],
        "itemsize": 19,
    }
)
_FLOATS = np.array([0x92, 0xCB], np.uint8)
# pycocotools places vertices on a grid of this many steps a pixel (`rleFrPoly`).
_COCO_STEPS = 5.0


def to_relative(
    ring: np.ndarray, width: int | np.ndarray, height: int | np.ndarray
) -> np.ndarray:
    """Returns FiftyOne's relative coordinates of a ring, without moving a pixel.

    ``x / width * width`` can miss ``x`` by the last bit of a double, which moves a
    vertex where ``x`` lies just on a step of a rasterizer: 24.5 for pycocotools, 178
    for OpenCV. There the relative coordinate is nudged by its last bits until
    :func:`to_pixels` gives ``x`` again or, where no double does, a value on the same
    side of the step for both rasterizers.

    Args:
        ring: an array of shape (n, 2), in pixels
        width: the width of the image, in pixels; or for each point that of its image
        height: its height, likewise

    Returns:
        an array of shape (n, 2), 0..1 inside the image
    """
    size = np.stack([width, height], axis=-1).astype(np.float64)
    relative = ring / size
    moved = relative * size != ring
    moved &= _near_step(ring)
    # Few values are left, so a loop is faster than arrays.
    sizes = np.broadcast_to(size, ring.shape)
    for place in zip(*np.nonzero(moved), strict=True):
        relative[place] = _nudged(float(ring[place]), float(sizes[place]))
    return relative


def to_pixels(points: Sequence[Sequence[float]], width: int, height: int) -> np.ndarray:
    """Returns the pixel coordinates of FiftyOne's relative points.

    The inverse of :func:`to_relative`.

    Args:
        points: n pairs of x, y, 0..1 inside the image
        width: the width of the image, in pixels
        height: its height

    Returns:
        an array of shape (n, 2), in pixels

    Raises:
        ValueError: if the points are not pairs of numbers
    """
    array = np.array(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        if array.size:
            raise ValueError("points are not pairs of x and y")
        array = array.reshape(-1, 2)
    array *= (width, height)
    return array


def point_pairs(points: list[Any]) -> np.ndarray:
    """Returns many points as a float64 array of shape (n, 2).

    MessagePack writes a pair of floats in 19 bytes, which NumPy reads: several times as
    fast as from the lists.

    Args:
        points: pairs of numbers

    Raises:
        TypeError: if they are not pairs of numbers
        ValueError: likewise
    """
    data = msgspec.msgpack.encode(points)
    header = 1 if len(points) < 2**4 else 3 if len(points) < 2**16 else 5
    if len(data) == header + 19 * len(points):
        found = np.frombuffer(data, _PAIR, offset=header)
        if (found["kinds"] == _FLOATS).all():
            return np.stack([found["x"], found["y"]], axis=1).astype(np.float64)
    if any(len(point) != 2 for point in points):
        raise ValueError("points are not pairs of x and y")
    flat = np.fromiter(chain.from_iterable(points), np.float64)
    return flat.reshape(-1, 2)


def _near_step(values: np.ndarray) -> np.ndarray:
    """Returns which values lie on a step of a rasterizer, or very close to one.

    OpenCV's steps are the whole numbers, pycocotools' the odd tenths, so all are among
    the tenths. A tolerance of 1e-7 is far above the last bits of any coordinate.
    """
    tenths = values * (2 * _COCO_STEPS)
    return np.abs(tenths - np.rint(tenths)) < 1e-6


def _nudged(exact: float, size: float) -> float:
    """Returns the relative value that restores a coordinate, or at least its steps."""
    wanted = _steps(exact)
    best = up = down = exact / size
    best_fits = False
    for _ in range(3):
        up, down = math.nextafter(up, math.inf), math.nextafter(down, -math.inf)
        for candidate in (up, down):
            if candidate * size == exact:
                return candidate
            if not best_fits and _steps(candidate * size) == wanted:
                best, best_fits = candidate, True
    return exact / size if _steps(exact / size * size) == wanted else best


def _steps(value: float) -> tuple[int, int]:
    """Returns the steps that both rasterizers put a value on, cut off as C does."""
    return int(value), int(value * _COCO_STEPS + 0.5)
