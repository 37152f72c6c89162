"""The objects of an image -> one mask, each object's area, and their overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .objects import Canvas, MaskObject, Patch, Rasterizer

# Patches are kept between measuring and painting up to this many bytes together;
# beyond that, objects are drawn twice, so that memory stays that of the mask.
_KEPT_BYTES = 2**26


@dataclass(frozen=True, slots=True)
class Drawing:
    """A mask and what went into it.

    Attributes:
        mask: an array of shape (height, width), uint8, or uint16 for values past 255
        areas: an int64 array of the objects' own areas, in pixels
        visible: an int64 array of the pixels that are left of each after overlap
        overlap_px: the number of pixels under two or more objects
    """

    mask: np.ndarray
    areas: np.ndarray
    visible: np.ndarray
    overlap_px: int


def draw_objects(
    objects: Sequence[MaskObject],
    height: int,
    width: int,
    *,
    rasterizer: Rasterizer,
    values: Sequence[int],
    overlap: str | Sequence[str] = "largest_first",
    labels: Sequence[str | None] | None = None,
) -> Drawing:
    """Draws objects into one mask.

    Args:
        objects: n objects
        height: the height of the image, in pixels
        width: its width
        rasterizer: ``"coco"`` or ``"opencv"``, see :class:`Canvas`
        values: the value of each object in the mask, 1..65535
        overlap: which object owns a pixel under several, see :func:`drawing_order`
        labels: the class of each object, where ``overlap`` is a list of classes

    Returns:
        a :class:`Drawing`
    """
    canvas = Canvas(height, width, rasterizer)
    patches, areas = _patches_and_areas(objects, canvas)
    order = drawing_order(areas, overlap, labels)
    dtype = np.uint16 if max(values, default=0) > 255 else np.uint8
    mask = np.zeros((height, width), dtype)
    shared = np.zeros((height, width), bool)
    visible = np.zeros(len(objects), np.int64)
    # From the top down: what is painted is never painted over, and what meets it
    # is the overlap.
    for index in reversed(order):
        patch = patches[index] or canvas.patch(objects[index])
        window = patch.window
        below = mask[window]
        free = below == 0
        free &= patch.mask
        visible[index] = np.count_nonzero(free)
        below[free] = values[index]
        if visible[index] < areas[index]:
            shared[window] |= patch.mask & ~free
    return Drawing(mask, areas, visible, int(np.count_nonzero(shared)))


def drawing_order(
    areas: np.ndarray,
    overlap: str | Sequence[str],
    labels: Sequence[str | None] | None = None,
) -> list[int]:
    """Returns the objects' indexes from the bottom to the top.

    Args:
        areas: the objects' areas
        overlap: ``"largest_first"`` puts smaller objects on top of larger ones;
            ``"smallest_first"`` the other way round; ``"annotation_order"`` later
            ones on top; a list of classes puts those of later classes on top, those
            of no listed class at the bottom. Otherwise equal objects keep their order
        labels: the objects' classes, for a list of classes

    Raises:
        ValueError: if ``overlap`` is none of these
    """
    indexes = range(len(areas))
    if overlap == "annotation_order":
        return list(indexes)
    if overlap == "largest_first":
        return sorted(indexes, key=lambda index: -areas[index])
    if overlap == "smallest_first":
        return sorted(indexes, key=lambda index: areas[index])
    if isinstance(overlap, str) or labels is None:
        raise ValueError(f"overlap cannot be {overlap!r}")
    rank = {name: place for place, name in enumerate(overlap)}
    return sorted(indexes, key=lambda index: rank.get(str(labels[index]), -1))


def object_areas(
    objects: Sequence[MaskObject], height: int, width: int, rasterizer: Rasterizer
) -> np.ndarray:
    """Returns the areas of objects in pixels, as an int64 array."""
    return _patches_and_areas(objects, Canvas(height, width, rasterizer))[1]


def _patches_and_areas(
    objects: Sequence[MaskObject], canvas: Canvas
) -> tuple[list[Patch | None], np.ndarray]:
    patches: list[Patch | None] = []
    areas = np.zeros(len(objects), np.int64)
    kept = 0
    for index, item in enumerate(objects):
        patch = canvas.patch(item)
        areas[index] = patch.area
        kept += patch.mask.nbytes
        patches.append(patch if kept <= _KEPT_BYTES else None)
    return patches, areas
