"""Where in an image a mask lies, on a grid of places that all image sizes share."""

from __future__ import annotations

import math

import cv2
import numpy as np

# Masks are summed up in strips of at most about so many pixels.
_MAX_PIXELS = 2**22


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
    covered = np.ascontiguousarray(mask != 0).view(np.uint8)
    shares = np.empty((size, size))
    places = np.empty((size, size), bool)
    # So many rows of places that large masks need no large arrays beside them.
    step = max(_MAX_PIXELS * size // max(height * width, 1), 1)
    for first in range(0, size, step):
        rows = np.arange(first, min(first + step, size) + 1) * height / size
        top = math.floor(rows[0])
        strip = covered[top : math.ceil(rows[-1])]
        # The covered pixels above and left of each corner of a pixel.
        sums = cv2.integral(strip)
        at_edges = _between(sums, rows - top, axis=0)
        columns = np.arange(size + 1) * width / size
        at_corners = _between(at_edges, columns, axis=1)
        some = slice(first, first + len(rows) - 1)
        shares[some] = np.diff(np.diff(at_corners, axis=0), axis=1)
        y, x = (np.array(_pixels(length, size)) for length in mask.shape)
        above, below = y[some].T - top
        over = sums[above] - sums[below]
        places[some] = over[:, x[:, 0]] > over[:, x[:, 1]]
    shares *= (size / height) * (size / width)
    return np.clip(shares, 0.0, 1.0), places


def _between(sums: np.ndarray, edges: np.ndarray, axis: int) -> np.ndarray:
    """Returns sums at edges that may lie between two of them."""
    before = np.minimum(edges.astype(np.int64), sums.shape[axis] - 2)
    part = edges - before
    if axis == 0:
        part = part[:, None]
    low, high = (np.take(sums, before + more, axis=axis) for more in (0, 1))
    between: np.ndarray = low * (1 - part) + high * part
    return between


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
