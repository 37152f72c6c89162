"""How well an outline lies on an edge of its image.

The measure needs no model: a boundary that somebody drew with care lies where the
image's brightness changes across it, and a few pixels beside it changes less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

# The image is smoothed by a Gaussian of this many pixels before its gradient is taken.
_SIGMA = 1.5
# The outline is looked at every so many pixels, at no more places than this.
_STEP = 2.0
_MAX_PLACES = 256
# How far beside the outline, in pixels, it is compared with, and moved to.
_NEAR, _FAR = 4, 8
# The width, in pixels, of the rings inside and outside whose brightness is compared.
_RING = 6
# Keeps ratios finite where an image is of one brightness.
_EPSILON = 1e-3

_ALONG_NORMAL = np.arange(-_FAR, _FAR + 1)
_BESIDE = np.abs(_ALONG_NORMAL) >= _NEAR
# The shortest moves first: of equally good ones, that is taken.
_DISC = np.array(
    sorted(
        (
            (x, y)
            for y in range(-_FAR, _FAR + 1)
            for x in range(-_FAR, _FAR + 1)
            if x * x + y * y <= _FAR * _FAR
        ),
        key=lambda move: math.hypot(*move),
    ),
    np.int32,
)
# How far beside an image it is looked at: a place may lie on its very end.
_MARGIN = _FAR + 1


@dataclass(frozen=True, slots=True)
class OutlineFit:
    """What an image says of an outline.

    Attributes:
        edge: the mean absolute gradient along the outline's normal, on the outline
            divided by that 4 to 8 pixels beside it; 1 where the outline lies on nothing
        offset: how far, in pixels, the outline would have to be moved to lie best on
            edges; at most 8
        contrast: the difference of the mean brightness, 0..255, of rings of 6 pixels
            inside and outside
    """

    edge: float
    offset: float
    contrast: float


class EdgeImage:
    """An image prepared for measuring outlines.

    Args:
        gray: a uint8 array of shape (height, width)
    """

    def __init__(self, gray: np.ndarray) -> None:
        smooth = cv2.GaussianBlur(gray, (0, 0), _SIGMA).astype(np.float32)
        self._height, self._width = gray.shape
        self._stride = self._width + 2 * _MARGIN
        self._smooth = _padded(smooth)
        self._dx = _padded(cv2.Sobel(smooth, cv2.CV_32F, 1, 0))
        self._dy = _padded(cv2.Sobel(smooth, cv2.CV_32F, 0, 1))

    def fit(self, rings: Sequence[np.ndarray]) -> OutlineFit | None:
        """Measures the outline of one object.

        Args:
            rings: arrays of shape (n, 2), in pixels

        Returns:
            the fit, None where no part of the outline lies in the image
        """
        places, normals = _places([ring for ring in rings if len(ring) > 2])
        size = (self._width, self._height)
        inside = ((places >= 0) & (places <= size)).all(axis=1)
        places, normals = places[inside], normals[inside]
        if not len(places):
            return None
        across = self._pixels(places + _ALONG_NORMAL[:, None, None] * normals)
        strength = self._strength(across, normals)
        edge = strength[_FAR] + _EPSILON
        # A move by whole pixels is the same step for all places.
        steps = _DISC[:, 1] * self._stride + _DISC[:, 0]
        fits = self._strength(self._pixels(places) + steps[:, None], normals)
        brightness = self._smooth[across].mean(axis=1)
        side = brightness[_FAR - _RING : _FAR], brightness[_FAR + 1 : _FAR + 1 + _RING]
        return OutlineFit(
            edge=float(edge / (strength[_BESIDE].mean() + _EPSILON)),
            offset=math.hypot(*_DISC[int(np.argmax(fits))]),
            contrast=float(abs(side[0].mean() - side[1].mean())),
        )

    def _strength(self, pixels: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Returns the mean absolute gradient along the normals, of each row."""
        x, y = normals.T.astype(np.float32)
        along = self._dx[pixels] * x
        along += self._dy[pixels] * y
        strength: np.ndarray = np.abs(along, out=along).mean(axis=1, dtype=np.float64)
        return strength

    def _pixels(self, places: np.ndarray) -> np.ndarray:
        """Returns where in the padded images the pixels of places are."""
        pixels = np.floor(places).astype(np.int32) + _MARGIN
        found: np.ndarray = pixels[..., 1] * self._stride + pixels[..., 0]
        return found


def _padded(values: np.ndarray) -> np.ndarray:
    """Returns an image with its edges repeated around it, row after row."""
    sides = (_MARGIN,) * 4
    return cv2.copyMakeBorder(values, *sides, cv2.BORDER_REPLICATE).ravel()


def _places(rings: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns places along rings, and the normals there: two arrays of shape (n, 2)."""
    starts = [ring for ring in rings if len(ring)]
    if not starts:
        return np.zeros((0, 2)), np.zeros((0, 2))
    start = np.concatenate(starts)
    side = np.concatenate([np.roll(ring, -1, axis=0) - ring for ring in starts])
    # Rings wind either way, and all normals are to point to the same side of them.
    outwards = np.repeat([_winding(ring) for ring in starts], list(map(len, starts)))
    length = np.hypot(*side.T)
    is_side = length > 0
    start, side, outwards = start[is_side], side[is_side], outwards[is_side]
    length = length[is_side]
    step = max(_STEP, float(length.sum()) / _MAX_PLACES)
    # Evenly along the whole outline, so that sides count by their length.
    ends = np.cumsum(length)
    at = np.arange(step / 2, ends[-1] if len(ends) else 0, step)
    index = np.searchsorted(ends, at, "right").clip(0, max(len(ends) - 1, 0))
    share = (at - (ends - length)[index]) / length[index]
    places = start[index] + side[index] * share[:, None]
    normals = np.stack([side[index, 1], -side[index, 0]], axis=1)
    return places, normals * (outwards / length)[index][:, None]


def _winding(ring: np.ndarray) -> float:
    """Returns 1 for a ring that is clockwise in its image, else -1."""
    # From its first corner, so that large coordinates take no digits of the area.
    (x, y), (x1, y1) = (ring - ring[0]).T, np.roll(ring - ring[0], -1, axis=0).T
    return 1.0 if float((x * y1 - x1 * y).sum()) >= 0 else -1.0
