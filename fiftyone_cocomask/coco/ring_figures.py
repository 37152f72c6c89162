"""Figures of many rings at once: one pass of numpy for all the rings of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np


class RingArrays(NamedTuple):
    """Points, bounds and areas of some rings, as :class:`RingFigures`.

    Attributes:
        points: the points of all rings, one ring after another, of shape (n, 2)
        starts: for each ring the place of its first point
        ends: for each ring the place behind its last point
        lows: for each ring its smallest x and y
        highs: its largest x and y
        areas: the area that it encloses
    """

    points: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    areas: np.ndarray


@dataclass(frozen=True, slots=True)
class RingFigures:
    """Points, bounds and areas of some rings.

    Attributes:
        points: the points of all rings, one ring after another, of shape (n, 2)
        starts: for each ring the place of its first point
        ends: for each ring the place behind its last point
        x0: for each ring its smallest x; NaN if one of its x is
        y0: its smallest y
        x1: its largest x
        y1: its largest y
        areas: the area that it encloses (shoelace)
    """

    points: np.ndarray
    starts: list[int]
    ends: list[int]
    x0: list[float]
    y0: list[float]
    x1: list[float]
    y1: list[float]
    areas: list[float]

    def ring(self, place: int) -> np.ndarray:
        """Returns the points of a ring."""
        return self.points[self.starts[place] : self.ends[place]]

    def length(self, place: int) -> float:
        """Returns the length of a ring along its edges, x and y added, in pixels."""
        ring = self.ring(place)
        return float(np.abs(np.diff(ring, axis=0, append=ring[:1])).sum())


def measure_rings(rings: Sequence[Sequence[float]]) -> RingFigures:
    """Measures rings.

    Args:
        rings: flat lists x, y, x, y, ... of one point or more
    """
    if not rings:
        return RingFigures(np.empty((0, 2)), [], [], [], [], [], [], [])
    points, starts, ends, lows, highs, areas = ring_arrays(rings)
    return RingFigures(
        points,
        starts.tolist(),
        ends.tolist(),
        lows[:, 0].tolist(),
        lows[:, 1].tolist(),
        highs[:, 0].tolist(),
        highs[:, 1].tolist(),
        areas.tolist(),
    )


def ring_arrays(rings: Sequence[Sequence[float]]) -> RingArrays:
    """Measures rings as :func:`measure_rings` does; there must be one."""
    counts = np.fromiter(map(len, rings), np.intp, len(rings)) // 2
    ends = np.cumsum(counts)
    starts = ends - counts
    count = int(ends[-1])
    points = np.fromiter(chain.from_iterable(rings), np.float64, 2 * count)
    points = points.reshape(count, 2)
    # Infinite and huge coordinates are found by their bounds: no need to warn here.
    with np.errstate(all="ignore"):
        lows = np.minimum.reduceat(points, starts, axis=0)
        highs = np.maximum.reduceat(points, starts, axis=0)
        areas = _areas(points, starts, ends, counts)
    return RingArrays(points, starts, ends, lows, highs, areas)


def _areas(
    points: np.ndarray, starts: np.ndarray, ends: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    # Relative to each ring's first point, so that large coordinates cost no precision.
    relative = points - np.repeat(points[starts], counts, axis=0)
    x, y = relative[:, 0], relative[:, 1]
    following = np.arange(1, len(points) + 1)
    following[ends - 1] = starts
    cross = x * y[following] - x[following] * y
    return np.abs(np.add.reduceat(cross, starts)) / 2
