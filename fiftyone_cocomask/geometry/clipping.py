"""Rings cut to the size of their image."""

from __future__ import annotations

import numpy as np


def clip_ring(ring: np.ndarray, width: float, height: float) -> np.ndarray:
    """Returns the part of a ring that lies in an image.

    Sutherland and Hodgman, "Reentrant polygon clipping", 1974. Parts that the image's
    edge tells apart stay joined along that edge, where they enclose nothing.

    Args:
        ring: an array of shape (n, 2), in pixels
        width: the width of the image, in pixels
        height: its height

    Returns:
        an array of shape (m, 2); m is 0 where nothing lies in the image
    """
    for axis, limit, sign in (
        (0, 0.0, 1),
        (0, width, -1),
        (1, 0.0, 1),
        (1, height, -1),
    ):
        if not len(ring):
            break
        ring = _clipped(ring, axis, limit, sign)
    return ring


def _clipped(ring: np.ndarray, axis: int, limit: float, sign: int) -> np.ndarray:
    """Returns the part of a ring on one side of a line along the other axis."""
    inside = sign * (ring[:, axis] - limit) >= 0
    points = []
    for place, point in enumerate(ring):
        before = ring[place - 1]
        if inside[place] != inside[place - 1]:
            share = (limit - before[axis]) / (point[axis] - before[axis])
            crossing = before + share * (point - before)
            crossing[axis] = limit
            points.append(crossing)
        if inside[place]:
            points.append(point)
    return np.array(points, np.float64).reshape(-1, 2)
