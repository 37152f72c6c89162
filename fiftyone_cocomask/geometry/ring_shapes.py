"""What the shapes of many rings say, a few NumPy calls for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Points closer than this to a side, in pixels, lie on it: a side that only touches
# another one does not cross it.
_ON_SIDE = 1e-6
# Pairs of sides, or boxes, that are looked at together.
_MAX_PAIRS = 2**20


@dataclass(frozen=True, slots=True)
class RingBatch:
    """Rings one after the other, without repeated points.

    Attributes:
        points: a float64 array of shape (n, 2), in pixels
        starts: where each ring begins in ``points``, and n: an int64 array of shape
            (rings + 1,)
    """

    points: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, rings: Sequence[np.ndarray]) -> RingBatch:
        """Returns the batch of some rings.

        Args:
            rings: arrays of shape (n, 2), n >= 1, closed or open; a point that repeats
                the one before it, or the first one at the end, is left out
        """
        if not rings:
            return cls(np.zeros((0, 2)), np.zeros(1, np.int64))
        points = np.concatenate(rings)
        lengths = np.array([len(ring) for ring in rings])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        differs = (points != points[_next(starts)]).any(axis=1)
        # A ring whose points are all one keeps its first.
        differs[starts[:-1]] |= np.add.reduceat(differs, starts[:-1]) == 0
        kept = np.add.reduceat(differs.astype(np.int64), starts[:-1])
        return cls(points[differs], np.concatenate([[0], np.cumsum(kept)]))

    @property
    def lengths(self) -> np.ndarray:
        """The number of points of each ring."""
        return np.diff(self.starts)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Returns the sum of each ring's values, given one for each point."""
        if not len(values):
            return np.zeros(0)
        return np.add.reduceat(values, self.starts[:-1])

    def any(self, flags: np.ndarray) -> np.ndarray:
        """Returns which rings have a flagged point."""
        return self.sums(flags.astype(np.int64)) > 0

    def sides(self) -> np.ndarray:
        """Returns the vector from each point to the next one of its ring."""
        sides: np.ndarray = self.points[_next(self.starts)] - self.points
        return sides

    def perimeters(self) -> np.ndarray:
        """Returns the length of each ring, in pixels."""
        return self.sums(np.hypot(*self.sides().T))

    def areas(self) -> np.ndarray:
        """Returns what each ring encloses by the shoelace formula, in square pixels."""
        # Relative to the first point, so that large coordinates cost no precision.
        local = self.points - np.repeat(
            self.points[self.starts[:-1]], self.lengths, axis=0
        )
        after = local[_next(self.starts)]
        doubled = self.sums(local[:, 0] * after[:, 1] - local[:, 1] * after[:, 0])
        areas: np.ndarray = np.abs(doubled) / 2
        return areas

    def boxes(self) -> np.ndarray:
        """Returns x0, y0, x1, y1 around each ring: an array of shape (rings, 4)."""
        if not len(self.points):
            return np.zeros((0, 4))
        first = self.starts[:-1]
        return np.hstack(
            [
                np.minimum.reduceat(self.points, first),
                np.maximum.reduceat(self.points, first),
            ]
        )


def have_spikes(rings: RingBatch, max_degrees: float, min_share: float) -> np.ndarray:
    """Returns which rings have a sharp angle between two long sides.

    Args:
        rings: the rings
        max_degrees: angles below this are sharp
        min_share: both sides are longer than this share of the ring's perimeter

    Returns:
        a bool array of shape (rings,)
    """
    return rings.any(spike_tips(rings, max_degrees, min_share))


def spike_tips(rings: RingBatch, max_degrees: float, min_share: float) -> np.ndarray:
    """Returns which points have such an angle, see :func:`have_spikes`.

    Returns:
        a bool array of shape (points,)
    """
    sides = rings.sides()
    lengths = np.hypot(*sides.T)
    before = _previous(rings.starts)
    long = lengths > min_share * np.repeat(rings.sums(lengths), rings.lengths)
    cosines = -(sides * sides[before]).sum(axis=1)
    sharp = cosines > np.cos(np.radians(max_degrees)) * lengths * lengths[before]
    enough = np.repeat(rings.lengths > 2, rings.lengths)
    tips: np.ndarray = sharp & long & long[before] & enough
    return tips


def cross_themselves(rings: RingBatch) -> np.ndarray:
    """Returns which rings have two sides that properly cross each other.

    Sides that only touch, or lie on each other, do not cross.

    Returns:
        a bool array of shape (rings,)
    """
    crossing = np.zeros(len(rings.lengths), bool)
    if not len(rings.points):
        return crossing
    start, side = rings.points, rings.sides()
    end = start + side
    ring_of = np.repeat(np.arange(len(rings.lengths)), rings.lengths)
    # Side by side, so that only sides of one ring overlap.
    apart = (np.ptp(start[:, 0]) + 1) * ring_of
    low, high = np.minimum(start, end), np.maximum(start, end)
    for one, other in overlapping_pairs(low[:, 0] + apart, high[:, 0] + apart):
        meet = (low[one, 1] <= high[other, 1]) & (low[other, 1] <= high[one, 1])
        one, other = one[meet], other[meet]
        proper = _separates(start, end, one, other) & _separates(start, end, other, one)
        crossing[ring_of[one[proper]]] = True
    return crossing


def are_rectangles(rings: RingBatch, min_side: float, max_cosine: float) -> np.ndarray:
    """Returns which rings are rectangles, in any rotation.

    Args:
        rings: the rings
        min_side: the shortest side, in pixels, that can be told from a rounded one
        max_cosine: the cosine of an angle that still passes as a right one

    Returns:
        a bool array of shape (rings,)
    """
    found = np.zeros(len(rings.lengths), bool)
    fours = np.flatnonzero(rings.lengths == 4)
    corners = rings.points[rings.starts[fours][:, None] + np.arange(4)]
    sides = np.roll(corners, -1, axis=1) - corners
    lengths = np.hypot(sides[..., 0], sides[..., 1])
    after = np.roll(sides, -1, axis=1)
    cosines = np.abs((sides * after).sum(axis=2)) / (
        lengths * np.roll(lengths, -1, axis=1)
    )
    found[fours] = (lengths.min(axis=1, initial=np.inf) >= min_side) & (
        cosines.max(axis=1, initial=0) <= max_cosine
    )
    return found


def overlapping_pairs(
    low: np.ndarray, high: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the pairs of intervals that have a point in common, some at a time.

    Args:
        low: where n intervals begin
        high: where they end

    Yields:
        the places of the first and of the second interval of each pair; each pair
        comes once
    """
    order = np.argsort(low, kind="stable")
    after = np.arange(1, len(order) + 1)
    counts = np.searchsorted(low[order], high[order], "right") - after
    ends = np.cumsum(counts)
    first = 0
    while first < len(order):
        done = ends[first] - counts[first]
        stop = max(int(np.searchsorted(ends, done + _MAX_PAIRS, "right")), first + 1)
        some = counts[first:stop]
        one = np.repeat(np.arange(first, stop), some)
        nth = np.arange(len(one)) - np.repeat(np.cumsum(some) - some, some)
        yield order[one], order[one + 1 + nth]
        first = stop


def _separates(
    start: np.ndarray, end: np.ndarray, side: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """Returns whether the ends of other sides lie on both sides of some sides."""
    vector = end[side] - start[side]
    reach = _ON_SIDE * np.hypot(*vector.T)
    a = _cross(vector, start[other] - start[side])
    b = _cross(vector, end[other] - start[side])
    between: np.ndarray = ((a > reach) & (b < -reach)) | ((a < -reach) & (b > reach))
    return between


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    product: np.ndarray = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return product


def _next(starts: np.ndarray) -> np.ndarray:
    """Returns the place of the next point of each point's ring."""
    places = np.arange(1, starts[-1] + 1)
    places[starts[1:] - 1] = starts[:-1]
    return places


def _previous(starts: np.ndarray) -> np.ndarray:
    """Returns the place of the point before each point of its ring."""
    places = np.arange(-1, starts[-1] - 1)
    places[starts[:-1]] = starts[1:] - 1
    return places
