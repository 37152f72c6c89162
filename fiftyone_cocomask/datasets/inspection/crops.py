"""Crops of labels with their outlines drawn, for lists of what to look at."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from ...errors import CocoMaskError
from ...geometry.decoding import read_image
from .pictures import ACCENT, image_header, read_thumbnail

Colour = tuple[int, int, int]
Rings = Sequence[np.ndarray]

_MARGIN = 0.25
_GREY = 90
# Larger images are looked at small: it takes longer to decode them than to look.
_MAX_PIXELS = 2**25
_JPEG_QUALITY = 85


def outline_crop(
    filepath: str,
    around: Rings,
    shown: Rings,
    side: int,
    colour: Colour = ACCENT,
    *,
    closed: bool = True,
) -> np.ndarray:
    """Returns the square of an image around rings, with rings drawn on it.

    Args:
        filepath: the image
        around: the rings that the square is around, as shares of width and height
        shown: the rings to draw
        side: the side of the square, in pixels
        colour: blue, green, red
        closed: whether rings end where they begin

    Returns:
        a uint8 array of shape (side, side, 3), blue first

    Raises:
        CocoMaskError: if the image cannot be read, or nothing is anywhere
    """
    image = _image(filepath, _modified(filepath))
    height, width = image.shape[:2]
    points = [ring * (width, height) for ring in around if len(ring)]
    if not points:
        raise CocoMaskError("it has no outline")
    x, y, extent = _window(np.concatenate(points), width, height)
    scale = side / extent
    move = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    crop = cv2.warpAffine(image, move, (side, side), flags=cv2.INTER_LINEAR)
    lines = [
        ((ring * (width, height) - (x, y)) * scale).round().astype(np.int32)
        for ring in shown
        if len(ring)
    ]
    cv2.polylines(crop, lines, closed, colour, 2, cv2.LINE_AA)
    return crop


def whole_image(filepath: str, side: int) -> np.ndarray:
    """Returns a square with an image in its middle.

    Args:
        filepath: the image
        side: the side of the square, in pixels

    Returns:
        a uint8 array of shape (side, side, 3), blue first

    Raises:
        CocoMaskError: if the image cannot be read
    """
    return outline_crop(filepath, [np.array([(0, 0), (1, 1)])], [], side)


def side_by_side(crops: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Returns one picture of crops of one size, row by row, with a thin frame."""
    framed = [
        cv2.copyMakeBorder(c, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(_GREY,) * 3)
        for c in crops
    ]
    missing = -len(framed) % columns
    framed += [np.full_like(framed[0], _GREY // 2)] * missing
    rows = [np.hstack(framed[i : i + columns]) for i in range(0, len(framed), columns)]
    return np.vstack(rows)


def as_url(picture: np.ndarray) -> str:
    """Returns a picture as a ``data:`` URL."""
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    encoded, data = cv2.imencode(".jpg", picture, options)
    assert encoded
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"


def _modified(filepath: str) -> int:
    try:
        return os.stat(filepath).st_mtime_ns
    except OSError:
        return 0


# A list of labels often has several of one image.
@lru_cache(maxsize=2)
def _image(filepath: str, modified: int) -> np.ndarray:
    header = image_header(filepath)
    image = None
    if header.width * header.height <= _MAX_PIXELS:
        image = read_image(filepath, cv2.IMREAD_COLOR)
    return read_thumbnail(filepath, header) if image is None else image


def _window(points: np.ndarray, width: int, height: int) -> tuple[int, int, int]:
    """Returns the column, row and side of a square around points, with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = int(max(*(high - low), 8) * (1 + 2 * _MARGIN))
    side = min(side, 2 * max(width, height))
    x, y = ((low + high - side) / 2).astype(int)
    return int(np.clip(x, -side, width)), int(np.clip(y, -side, height)), side
