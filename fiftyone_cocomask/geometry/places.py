"""Where in an image a mask lies, on a grid of places that all image sizes share."""

from __future__ import annotations

import math

import numpy as np


def place_shares(mask: np.ndarray, size: int) -> np.ndarray:
    """Returns the share of each place of an image that a mask covers.

    The image is cut into ``size`` by ``size`` places of equal width and height. A pixel
    at the border of two places counts in each with the part of it that lies there, so
    the mean of the shares is the mask's share of the image.

    Args:
        mask: an array of shape (height, width); what is not 0 is covered
        size: the number of places in each direction

    Returns:
        a float64 array of shape (size, size): rows from the top, columns from the left
    """
    return shares_and_places(mask, size)[0]


def shares_and_places(mask: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the shares, see :func:`place_shares`, and which places are covered.

    A share may come out as almost 0 where nothing is covered, so both are counted.

    Args:
        mask: an array of shape (height, width); what is not 0 is covered
        size: the number of places in each direction

    Returns:
        a float64 and a bool array of shape (size, size)
    """
    height, width = mask.shape
    columns = np.zeros((size, width))
    # One more than there are, as no place may begin behind the last.
    bands = np.zeros((size, width + 1), bool)
    for place in range(size):
        # Row by row of places, so that large masks need no large arrays beside them.
        begin, end = place * height / size, (place + 1) * height / size
        first, last = math.floor(begin), min(math.ceil(end), height)
        band = mask[first:last]
        band.any(axis=0, out=bands[place, :-1])
        covered = np.flatnonzero(bands[place])
        if not len(covered):
            continue
        # Where it covers nothing there is nothing to sum.
        window = slice(covered[0], covered[-1] + 1)
        rows = np.arange(first, last)
        parts = np.minimum(rows + 1, end) - np.maximum(rows, begin)
        columns[place, window] = parts @ (band[:, window] != 0).astype(np.float64)
    # The covered area left of each pixel's edge, and left of each place's.
    left = np.pad(columns.cumsum(axis=1), ((0, 0), (1, 0)))
    edges = np.linspace(0, width, size + 1)
    before = np.minimum(edges.astype(np.int64), width - 1)
    part = edges - before
    left = left[:, before] * (1 - part) + left[:, before + 1] * part
    shares = np.diff(left, axis=1) * (size / height) * (size / width)
    # From the first pixel of each place to its last; what is between is left out.
    pixels = np.array(_pixels(width, size)).ravel()
    places = np.logical_or.reduceat(bands, pixels, axis=1)[:, ::2]
    return np.clip(shares, 0.0, 1.0), places


def covers_place(mask: np.ndarray, row: int, column: int, size: int) -> bool:
    """Whether a mask covers anything of a place."""
    rows, columns = (
        slice(*_pixels(length, size)[place])
        for place, length in zip((row, column), mask.shape, strict=True)
    )
    return bool(mask[rows, columns].any())


def position_moments(covered: np.ndarray) -> np.ndarray:
    """Returns the sums that the centre and the spread of a mask come from.

    Positions are shares of the image's width and height; a pixel counts with its whole
    square, not with its middle alone.

    Args:
        covered: a bool array of shape (height, width)

    Returns:
        the covered share of the image, and the integrals over it of x, y, x squared
        and y squared
    """
    height, width = covered.shape
    along = [
        _moments(np.count_nonzero(covered, axis=axis), length) / (height * width)
        for axis, length in ((0, width), (1, height))
    ]
    (whole, x, xx), (_, y, yy) = along
    return np.array([whole, x, y, xx, yy])


def _pixels(length: int, size: int) -> list[tuple[int, int]]:
    """Returns the first pixel of each place along an axis, and the one after it."""
    return [
        (place * length // size, -(-(place + 1) * length // size))
        for place in range(size)
    ]


def _moments(counts: np.ndarray, length: int) -> np.ndarray:
    """Returns the sums of pixels along an axis, of their places and of the squares."""
    middles = (np.arange(length) + 0.5) / length
    squares = middles**2 + 1 / (12 * length**2)
    return np.array([counts.sum(), counts @ middles, counts @ squares], np.float64)
