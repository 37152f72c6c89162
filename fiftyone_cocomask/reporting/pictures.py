"""Small pictures of images, with the outlines of what is on them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO

import cv2
import numpy as np

from ..coco.images import ImageFileError, read_header

# Of all pictures together: a report stays below 5 MB, of which Plotly takes two.
MAX_PICTURE_BYTES = 2_000_000
_MAX_PICTURES = 24
_MAX_DECODED_PIXELS = 2**26
_SIDE = 320
_OUTLINE = (4, 109, 255)


@dataclass(frozen=True, slots=True)
class Picture:
    """A small picture of an image.

    Attributes:
        caption: what is seen
        jpeg: the bytes of the file
    """

    caption: str
    jpeg: bytes

    @property
    def address(self) -> str:
        """The picture as an address that holds it."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode()


def few(pictures: Iterable[Picture]) -> list[Picture]:
    """Returns as many of some pictures as a report takes."""
    found: list[Picture] = []
    size = 0
    for picture in pictures:
        size += len(picture.jpeg)
        if size > MAX_PICTURE_BYTES:
            break
        found.append(picture)
        if len(found) == _MAX_PICTURES:
            break
    return found


def decoded(file: IO[bytes]) -> np.ndarray | None:
    """Returns the pixels of an image file, BGR; None where it cannot be shown."""
    try:
        header = read_header(file)
        if header.width * header.height > _MAX_DECODED_PIXELS:
            return None
        file.seek(0)
        data = np.frombuffer(file.read(), np.uint8)
        return cv2.imdecode(data, cv2.IMREAD_COLOR)
    except (ImageFileError, OSError, cv2.error):
        return None


def small_picture(
    image: np.ndarray, masks: Sequence[np.ndarray], caption: str
) -> Picture:
    """Returns a picture of an image with the outlines of its objects.

    Args:
        image: an array of shape (height, width, 3), BGR
        masks: for each object an array of shape (height, width)
        caption: what is seen
    """
    factor = min(1.0, _SIDE / max(image.shape[:2]))
    size = [max(1, round(length * factor)) for length in image.shape[1::-1]]
    picture = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    for mask in masks:
        small = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
        outlines, _ = cv2.findContours(small, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, _OUTLINE, 1)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return Picture(caption, data.tobytes())
