"""Annotations that are as most are: one polygon and its box, and nothing to say of it.

Those of many images are decoded, measured and judged at once. Images with any other
annotation are left to :mod:`.annotations`, where these would come to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np

from .document import Raw
from .judging import are_usual
from .originals import ANNOTATION_KEYS, are_restored, box_original
from .records import Box
from .ring_figures import ring_arrays
from .shapes import MAX_COORDINATE

_MOST = 2**63
_MAX_AREA = 1e300
_Ring = Annotated[list[float], msgspec.Meta(min_length=6)]


class UsualEntry(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An annotation as COCO has it, decoded: a number for each number, no more keys."""

    id: int
    image_id: Any
    category_id: int
    # Whole numbers stay such, to be written back as they are.
    bbox: tuple[int | float, int | float, int | float, int | float]
    area: float
    segmentation: tuple[_Ring]
    iscrowd: Literal[0]


@dataclass(slots=True)
class UsualAnnotations:
    """The annotations of an image of which there is nothing to say.

    Attributes:
        entries: what they are decoded to
        boxes: their boxes
        originals: what writing each back needs beside its label, as JSON text
        rings: their rings, arrays of shape (n, 2)
        areas: the areas that these enclose
    """

    entries: list[UsualEntry]
    boxes: list[Box]
    originals: list[str | None]
    rings: list[np.ndarray]
    areas: list[float]


class ImageTexts(NamedTuple):
    """The annotations of an image, undecoded, and the size of its file as shown."""

    texts: Sequence[Raw]
    width: int
    height: int


_decode = msgspec.json.Decoder(UsualEntry).decode


def usual_annotations(images: Sequence[ImageTexts]) -> list[UsualAnnotations | None]:
    """Returns the annotations of images, None for an image that has other ones too."""
    decoded = [_usual_entries(image.texts) for image in images]
    entries = list(chain.from_iterable(decoded))
    found: list[UsualAnnotations | None] = [None] * len(images)
    if not entries:
        return found
    rings = ring_arrays([entry.segmentation[0] for entry in entries])
    boxes = np.array([entry.bbox for entry in entries], np.float64)
    sizes = np.repeat(
        np.array([(image.width, image.height) for image in images]),
        list(map(len, decoded)),
        axis=0,
    )
    usual = are_usual(rings, boxes, sizes)
    originals = [
        None if is_restored else box_original(entry.bbox)
        for entry, is_restored in zip(
            entries, are_restored(boxes, sizes).tolist(), strict=True
        )
    ]
    as_floats: list[Any] = list(map(tuple, boxes.tolist()))
    parts = [rings.points[a:b] for a, b in pairwise([0, *rings.ends.tolist()])]
    areas = rings.areas.tolist()
    first = 0
    for number, own in enumerate(decoded):
        end = first + len(own)
        if own and usual[first:end].all() and not _has_same(parts[first:end]):
            found[number] = UsualAnnotations(
                own,
                as_floats[first:end],
                originals[first:end],
                parts[first:end],
                areas[first:end],
            )
        first = end
    return found


def _usual_entries(texts: Sequence[Raw]) -> list[UsualEntry]:
    """Returns the annotations of an image; none if there is another one."""
    entries = []
    for text in texts:
        # A key for each colon: none is there twice.
        if bytes(text).count(b":") != len(ANNOTATION_KEYS):
            return []
        try:
            entry = _decode(text)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return []
        x, y, width, height = entry.bbox
        if not (
            -_MOST <= entry.id < _MOST
            and -_MOST <= entry.category_id < _MOST
            and 0 <= entry.area < _MAX_AREA
            and -MAX_COORDINATE <= x <= MAX_COORDINATE
            and -MAX_COORDINATE <= y <= MAX_COORDINATE
            and 0 < width <= MAX_COORDINATE
            and 0 < height <= MAX_COORDINATE
            and len(entry.segmentation[0]) % 2 == 0
        ):
            return []
        entries.append(entry)
    return entries


def _has_same(rings: Sequence[np.ndarray]) -> bool:
    """Whether two rings are the very same."""
    return len({ring.tobytes() for ring in rings}) < len(rings)
