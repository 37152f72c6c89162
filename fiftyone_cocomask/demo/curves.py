"""Smooth closed curves, as rings of x, y."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Points = Sequence[tuple[float, float]]
# Points of a curve per given one.
_STEPS = 10


def smooth_ring(points: Points) -> np.ndarray:
    """Returns a closed Catmull-Rom curve through some points.

    Args:
        points: the points, in order around the ring

    Returns:
        an array of shape (10 * len(points), 2)
    """
    knots = np.array(points, float)
    before, start, end, after = (
        np.roll(knots, shift, axis=0) for shift in (1, 0, -1, -2)
    )
    t = np.linspace(0, 1, _STEPS, endpoint=False)[:, None, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return curve.transpose(1, 0, 2).reshape(-1, 2)


def clip_ring(ring: np.ndarray, width: int, height: int) -> np.ndarray:
    """Returns the part of a ring inside an image (Sutherland and Hodgman, 1974).

    Returns:
        an array of shape (n, 2), with n = 0 if nothing is inside
    """
    for axis, limit, sign in ((0, 0, 1), (0, width, -1), (1, 0, 1), (1, height, -1)):
        kept: list[np.ndarray] = []
        inside = sign * (ring[:, axis] - limit) >= 0
        for index in range(len(ring)):
            start, end = ring[index - 1], ring[index]
            if inside[index - 1] != inside[index]:
                share = (limit - start[axis]) / (end[axis] - start[axis])
                kept.append(start + share * (end - start))
            if inside[index]:
                kept.append(end)
        ring = np.array(kept).reshape(-1, 2)
        if not len(ring):
            break
    return ring
