"""The objects of an image -> one mask, each object's area, and their overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ..choices import Rasterizer
from .objects import Canvas, MaskObject
from .patches import Patch

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
    patches: Iterator[Patch] | None = None,
) -> Drawing:
    """Draws objects into one mask.

    Args:
        objects: n objects
        height: the height of the image, in pixels
        width: its width
        rasterizer: whose pixels are drawn, see :class:`~.objects.Canvas`
        values: the value of each object in the mask, 1..65535
        overlap: which object owns a pixel under several, see :func:`drawing_order`
        labels: the class of each object, where ``overlap`` is a list of classes
        patches: yields the pixels of each object; those of the next images' objects
            may follow, so that all are drawn together

    Returns:
        a :class:`Drawing`

    Raises:
        ValueError: if ``overlap`` is not one of its values, or an object's RLE is
            malformed or not of the image's size
    """
    canvas = Canvas(height, width, rasterizer)
    if patches is None:
        patches = canvas.patches(objects)
    areas, kept = _measured(len(objects), patches)
    top_down = drawing_order(areas, overlap, labels)[::-1]
    if kept is not None:
        drawn = iter([kept[index] for index in top_down])
    else:
        drawn = canvas.patches([objects[index] for index in top_down])
    painting = _Painting(height, width, values)
    visible = np.zeros(len(objects), np.int64)
    for index, patch in zip(top_down, drawn, strict=True):
        visible[index] = areas[index] - painting.add_below(patch, values[index])
    return Drawing(painting.mask(), areas, visible, painting.overlap_px())


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
        ValueError: if ``overlap`` is not one of these
    """
    sizes = areas.tolist()
    indexes = range(len(sizes))
    if overlap == "annotation_order":
        return list(indexes)
    if overlap == "largest_first":
        return sorted(indexes, key=lambda index: -sizes[index])
    if overlap == "smallest_first":
        return sorted(indexes, key=lambda index: sizes[index])
    if isinstance(overlap, str) or labels is None:
        raise ValueError(f"overlap cannot be {overlap!r}")
    rank: dict[str | None, int] = {name: place for place, name in enumerate(overlap)}
    return sorted(indexes, key=lambda index: rank.get(labels[index], -1))


def object_areas(
    objects: Sequence[MaskObject], height: int, width: int, rasterizer: Rasterizer
) -> np.ndarray:
    """Returns the areas of objects in pixels, as an int64 array."""
    return Canvas(height, width, rasterizer).areas(objects)


class _Painting:
    """A mask painted from the top object down, so that nothing is painted over.

    Args:
        height: the height of the image, in pixels
        width: its width
        values: the values to be painted
    """

    def __init__(self, height: int, width: int, values: Sequence[int]) -> None:
        highest = max(values, default=0)
        self._type = np.uint16 if highest > 255 else np.uint8
        self._covered = np.zeros((height, width), bool)
        self._shared: np.ndarray | None = None
        # With a single value, what is covered is the whole mask.
        self._value = highest
        self._mask: np.ndarray | None = None
        if any(value != highest for value in values):
            self._mask = np.zeros((height, width), self._type)

    def add_below(self, patch: Patch, value: int) -> int:
        """Paints what is not covered yet; returns how many pixels were."""
        window = patch.window
        covered = self._covered[window]
        hidden = covered & patch.mask
        hidden_px = int(np.count_nonzero(hidden))
        if hidden_px:
            if self._shared is None:
                self._shared = np.zeros_like(self._covered)
            self._shared[window] |= hidden
        if self._mask is not None:
            fresh = patch.mask ^ hidden if hidden_px else patch.mask
            self._mask[window] |= fresh.view(np.uint8) * self._type(value)
        covered |= patch.mask
        return hidden_px

    def mask(self) -> np.ndarray:
        """Returns the mask; nothing is painted afterwards."""
        if self._mask is not None:
            return self._mask
        mask: np.ndarray = self._covered.view(np.uint8)
        if self._value > 255:
            mask = mask * self._type(self._value)
        else:
            mask *= np.uint8(self._value)
        return mask

    def overlap_px(self) -> int:
        """Returns the number of pixels under two or more objects."""
        return 0 if self._shared is None else int(np.count_nonzero(self._shared))


def _measured(
    number: int, patches: Iterator[Patch]
) -> tuple[np.ndarray, list[Patch] | None]:
    """Returns the areas of objects, and their patches unless these are too large."""
    areas = np.zeros(number, np.int64)
    kept: list[Patch] | None = []
    kept_bytes = 0
    for index, patch in enumerate(islice(patches, number)):
        areas[index] = patch.area
        kept_bytes += patch.mask.nbytes
        if kept_bytes > _KEPT_BYTES:
            kept = None
        elif kept is not None:
            kept.append(patch)
    return areas, kept
