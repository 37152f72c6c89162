"""Pictures of one sample: image, mask, overlay and cut-out, small enough to be sent.

Everything is done on thumbnails, so a large image costs little but its decoding.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ...coco.images import ImageFileError, ImageHeader, read_header
from ...errors import CocoMaskError
from ...geometry.decoding import read_image

# The longer side of a picture, in pixels.
MAX_SIDE = 640
# No image or mask is decoded into more bytes than this.
MAX_DECODED_BYTES = 2**30

# Blue, green, red: the accent of the plugin, and colours that differ from each other.
ACCENT = (4, 109, 255)
_PALETTE = (
    (4, 109, 255),
    (232, 163, 46),
    (110, 190, 60),
    (206, 84, 160),
    (60, 200, 245),
    (90, 60, 225),
    (190, 200, 40),
    (150, 130, 250),
    (30, 130, 110),
    (245, 130, 110),
    (60, 90, 165),
    (170, 230, 170),
)
_TINT = 0.45
_JPEG_QUALITY = 88
# Smaller pictures are enlarged pixel by pixel, and a lossy format would blur these.
_SMALL_SIDE = 200
_STRIP_ROWS = 16
# JPEG is decoded at a fraction of its size by these.
_REDUCED = {
    8: (cv2.IMREAD_REDUCED_COLOR_8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    4: (cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    2: (cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
    1: (cv2.IMREAD_COLOR, cv2.IMREAD_GRAYSCALE),
}


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures as ``data:`` URLs, of one size, None where there is nothing to show.

    Attributes:
        width: their width in pixels
        height: their height
        image: the image
        mask: the mask: white on black, or a colour for each value
        overlay: the image under the tinted mask
        cutout: the image where there is foreground, transparent elsewhere
    """

    width: int = 0
    height: int = 0
    image: str | None = None
    mask: str | None = None
    overlay: str | None = None
    cutout: str | None = None

    @property
    def is_small(self) -> bool:
        """Whether they are shown larger than they are, with their pixels."""
        return is_small(self.width, self.height)


def is_small(width: int, height: int) -> bool:
    """Whether a picture is shown larger than it is."""
    return max(width, height) < _SMALL_SIDE


def image_header(path: str, noun: str = "image") -> ImageHeader:
    """Reads the size of an image or mask.

    Args:
        path: the file
        noun: what a message calls it

    Raises:
        CocoMaskError: if the file is missing or no image
    """
    try:
        with open(path, "rb") as file:
            return read_header(file)
    except OSError as error:
        reason = error.strerror or error
        raise CocoMaskError(f"The {noun} {path} cannot be read: {reason}") from error
    except ImageFileError as error:
        raise CocoMaskError(f"The {noun} {path} cannot be read: {error}") from error


def picture_size(width: int, height: int) -> tuple[int, int]:
    """Returns the width and height of the pictures of an image."""
    step = _step(width, height)
    return math.ceil(width / step), math.ceil(height / step)


def read_thumbnail(path: str, header: ImageHeader) -> np.ndarray:
    """Reads an image, no larger than a picture.

    An image that would take more than :data:`MAX_DECODED_BYTES` in colour is read in
    grey.

    Args:
        path: the file
        header: what :func:`image_header` says of it

    Returns:
        a uint8 array of shape (height, width, 3), blue first

    Raises:
        CocoMaskError: if it cannot be decoded
    """
    pixels = header.width * header.height
    factor = _reduction(header)
    # Only JPEG is decoded small; of others the whole image comes first.
    decoded = pixels // factor**2 if _is_jpeg(path) else pixels
    is_grey = 3 * decoded > MAX_DECODED_BYTES
    image = read_image(path, _REDUCED[factor][is_grey])
    if image is None and factor > 1:
        # It may have too few rows or columns to be reduced.
        image = read_image(path, _REDUCED[1][is_grey])
    if image is None:
        raise CocoMaskError(f"The image {path} cannot be read by OpenCV")
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    size = picture_size(header.width, header.height)
    if image.shape[1::-1] == size:
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def strip_rows(width: int, height: int) -> int:
    """Returns how many rows of a mask :func:`mask_thumbnail` takes at a time."""
    return _STRIP_ROWS * _step(width, height)


def mask_thumbnail(strips: Iterable[np.ndarray], width: int, height: int) -> np.ndarray:
    """Returns a mask no larger than a picture.

    Each pixel has the highest value of those it stands for, so that what is thin or
    small stays visible.

    Args:
        strips: the mask from the top, :func:`strip_rows` of its rows at a time
        width: the width of the mask
        height: its height

    Returns:
        a uint16 array
    """
    step = _step(width, height)
    columns = np.arange(0, width, step)
    small = [
        np.maximum.reduceat(_highest_of_rows(strip, step), columns, axis=1)
        for strip in strips
    ]
    return np.concatenate(small).clip(0, 65535).astype(np.uint16)


def value_colour(value: int) -> str:
    """Returns the colour of a mask's value in the pictures: ``"#ff6d04"``."""
    blue, green, red = _PALETTE[(value - 1) % len(_PALETTE)]
    return f"#{red:02x}{green:02x}{blue:02x}"


def draw_pictures(
    image: np.ndarray | None, mask: np.ndarray | None, *, by_value: bool
) -> Pictures:
    """Returns the pictures of an image and its mask.

    Args:
        image: the thumbnail of the image, or None
        mask: the thumbnail of the mask, or None. Where its size is another one, it is
            stretched to the image's
        by_value: whether each value has a colour of its own
    """
    if image is None and mask is None:
        return Pictures()
    height, width = (image if image is not None else mask).shape[:2]  # type: ignore[union-attr]
    if mask is not None and mask.shape != (height, width):
        mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
    photo, with_alpha = (".png",) * 2 if is_small(width, height) else (".jpg", ".webp")
    shown = None if image is None else _url(photo, image)
    if mask is None:
        return Pictures(width, height, image=shown)
    colours = _colours(mask, by_value)
    drawn = colours if by_value else (mask > 0).astype(np.uint8) * np.uint8(255)
    if image is None:
        return Pictures(width, height, mask=_url(".png", drawn))
    return Pictures(
        width,
        height,
        image=shown,
        mask=_url(".png", drawn),
        overlay=_url(photo, _overlay(image, mask, colours)),
        cutout=_url(with_alpha, np.dstack([image, (mask > 0) * np.uint8(255)])),
    )


def _colours(mask: np.ndarray, by_value: bool) -> np.ndarray:
    """Returns the colour of each pixel of a mask, black for the background."""
    palette = np.array(_PALETTE if by_value else [ACCENT], np.uint8)
    colours = palette[(mask.astype(np.int64) - 1) % len(palette)]
    return colours * (mask > 0)[..., None].astype(np.uint8)


def _overlay(image: np.ndarray, mask: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Returns an image with its mask tinted, and outlined where values change."""
    tinted = cv2.addWeighted(image, 1 - _TINT, colours, _TINT, 0)
    foreground = (mask > 0)[..., None]
    overlay = np.where(foreground, tinted, image)
    # As thick as it takes to be seen where the picture is shown smaller than it is.
    width = 3 if max(mask.shape) < MAX_SIDE // 2 else 7
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    edges = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, around) > 0
    return np.where(edges[..., None] & foreground, colours, overlay)


def _highest_of_rows(strip: np.ndarray, step: int) -> np.ndarray:
    """Returns the highest values of each ``step`` rows; the last may be of fewer."""
    whole, columns = len(strip) // step, strip.shape[1]
    highest = strip[: whole * step].reshape(whole, step, columns).max(axis=1)
    rest = strip[whole * step :]
    return np.vstack([highest, rest.max(axis=0)]) if len(rest) else highest


def _step(width: int, height: int) -> int:
    """Returns how many pixels of the image a pixel of its picture has on each side."""
    return max(1, math.ceil(max(width, height) / MAX_SIDE))


def _reduction(header: ImageHeader) -> int:
    """Returns the greatest fraction that leaves no less than a picture's pixels."""
    step = _step(header.width, header.height)
    return next(factor for factor in _REDUCED if factor <= step)


def _is_jpeg(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(3) == b"\xff\xd8\xff"


def _url(extension: str, pixels: np.ndarray) -> str:
    options: Sequence[int] = {
        ".jpg": (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY),
        ".webp": (cv2.IMWRITE_WEBP_QUALITY, _JPEG_QUALITY),
    }.get(extension, ())
    done, data = cv2.imencode(extension, pixels, options)
    if not done:
        raise CocoMaskError(f"A picture cannot be encoded as {extension}")
    kind = {".jpg": "jpeg"}.get(extension, extension[1:])
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"
