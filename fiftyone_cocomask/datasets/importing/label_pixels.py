"""The pixels of labels, to recognise a mask in the shape that an export made of it."""

from __future__ import annotations

from typing import Any

from ...geometry.objects import Canvas
from ..import_base.digests import Document
from ..labels import mask_objects
from ..masks.stored import has_mask

# The width and height of an image.
Size = tuple[int, int]
# Its height and width, and the compressed counts: equal for the very same pixels.
Pixels = tuple[int, int, str]


def mask_pixels(detection: Document, size: Size) -> Pixels | None:
    """Returns the pixels of a Detection's mask; None if it has none.

    Args:
        detection: the label
        size: the width and height of the image
    """
    return _drawn("detections", detection, size) if has_mask(detection) else None


def shape_pixels(polyline: Document, size: Size) -> Pixels | None:
    """Returns the pixels of a polyline that an export says; None if it has none.

    Args:
        polyline: the polyline
        size: the width and height of the image
    """
    rle = polyline.get("rle")
    return _pixels(rle) if rle else _drawn("polylines", polyline, size)


def _drawn(list_name: str, label: Document, size: Size) -> Pixels | None:
    objects = mask_objects({list_name: [{"_id": None, **label}]}, *size)
    if not objects:
        return None
    width, height = size
    (rle,) = Canvas(height, width, "coco").rles([objects[0].geometry])
    return _pixels(rle)


def _pixels(rle: Any) -> Pixels:
    counts = rle["counts"]
    height, width = map(int, rle["size"])
    text = counts.decode("ascii") if isinstance(counts, bytes) else str(counts)
    return height, width, text
