"""The figures of one sample: its mask's pixels, and those of its labels.

Definitions, all in pixels of the mask or of the image:

- The *area* of a mask is the number of its pixels that are not 0; that of a label is
  the number of pixels that the label covers when it is drawn alone.
- The *visible area* of a label is what is left of it once all labels of its image are
  drawn in the order in which the mask was drawn.
- The *overlap* of an image is the number of pixels under two or more labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...geometry.draw import draw_objects, object_areas
from ...geometry.png import count_foreground
from ...limits import size_problem
from ..documents import Document, backing_dataset, root_dataset
from ..label_fields import draws_lines
from ..labels import LabelObject, box_objects, label_documents
from ..masks.field import class_names, mask_options
from ..masks.options import MaskOptions
from ..masks.stored import (
    drawn_labels,
    fingerprint,
    has_mask,
    known_pixels,
    read_array,
    stored_fingerprint,
)
from .reading import SampleRecord

# How a label without a class is called in tables.
NO_LABEL = "(no label)"
# MongoDB's expression of that name, of the label that it is at.
CLASS_OF_THIS = {"$ifNull": ["$$this.label", NO_LABEL]}

# `cv2.calcHist` counts in float32, which holds every integer up to this.
_EXACT_IN_FLOAT32 = 2**24
_STRIP_ROWS = 256

# A mask file may have this many times the pixels of its image, or of one of this many.
_MAX_ENLARGED = 4
_ALWAYS_COUNTED = 2**26


class NoFiguresError(CocoMaskError):
    """Why a sample gets no figures; never shown as a number."""


@dataclass(slots=True)
class MaskFigures:
    """What is counted in a mask.

    Attributes:
        foreground_px: the number of pixels that are not 0
        mask_px: the number of all pixels
        size: the mask's (width, height), or None where it was not decoded
        values: the number of pixels of each value but 0, where asked for
    """

    foreground_px: int
    mask_px: int
    size: tuple[int, int] | None = None
    values: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class LabelFigures:
    """What is counted in the labels of one sample.

    Attributes:
        labels: the class of each label
        px: the area of each label, None where it has no geometry
        visible_px: the visible area of each label, None where it is not in the mask
        overlap_px: the pixels under two or more labels
        drawn_px: the pixels under any
        image_px: all pixels of the image
        boxes: the class and the visible pixels of boxes that are drawn beside them
    """

    labels: list[str | None]
    px: list[int | None]
    visible_px: list[int | None]
    overlap_px: int = 0
    drawn_px: int = 0
    image_px: int = 0
    boxes: list[tuple[str | None, int]] = field(default_factory=list)

    def visible_by_class(self) -> dict[str, int]:
        """Returns the visible pixels of each class that is in the mask."""
        totals: dict[str, int] = {}
        labels = zip(self.labels, self.visible_px, strict=True)
        for label, visible in [*labels, *self.boxes]:
            if visible is not None:
                name = NO_LABEL if label is None else label
                totals[name] = totals.get(name, 0) + visible
        return totals


def measure_mask(
    mask: Document | None, image_size: tuple[int, int] | None, *, by_value: bool
) -> MaskFigures:
    """Counts the pixels of a mask.

    Args:
        mask: the raw document of the ``Segmentation``
        image_size: the image's (width, height) in pixels, if known
        by_value: whether to count each value

    Raises:
        NoFiguresError: if there is no mask or it cannot be counted
    """
    if not mask or not has_mask(mask):
        raise NoFiguresError("it has no mask")
    max_pixels = _MAX_ENLARGED * max(math.prod(image_size or (0,)), _ALWAYS_COUNTED)
    try:
        if mask.get("mask") is not None:
            return _count(read_array(mask), by_value)
        known = known_pixels(mask)
        if known is not None and (not by_value or known[2] is not None):
            foreground, size, values = known
            return MaskFigures(foreground, math.prod(size), size, values or {})
        if by_value:
            return _count(read_array(mask, max_pixels=max_pixels), by_value)
        return MaskFigures(*count_foreground(mask["mask_path"], max_pixels=max_pixels))
    except CocoMaskError as error:
        raise NoFiguresError(str(error)) from error


def is_drawn_from(record: SampleRecord, options: MaskOptions) -> bool:
    """Whether a sample's mask was drawn from its labels as they are now.

    Args:
        record: the sample, as it was read
        options: how the mask was drawn
    """
    mask, size = record.mask, record.size
    if mask is None or size is None:
        return False
    path = mask.get("mask_path")
    wanted = fingerprint(record.encoded_label, size, path, options, record.boxes)
    return stored_fingerprint(mask) == wanted


def drawn_objects(record: SampleRecord, options: MaskOptions) -> list[LabelObject]:
    """Returns the objects of a sample that its mask shows, in their order.

    Boxes that are drawn beside the labels are the last ones.

    Args:
        record: the sample, as it was read
        options: how the mask was drawn
    """
    assert record.size is not None
    objects = options.objects(record.label(), *record.size)
    beside = box_objects(record.boxes, *record.size)
    return [item for item in [*objects, *beside] if options.selects(item)]


def drawn_figures(record: SampleRecord, options: MaskOptions) -> LabelFigures | None:
    """Returns what was counted when a sample's mask was drawn from its labels.

    None if that is not known, or labels, options or the image's size are no longer
    what they were: the mask's fingerprint tells.
    """
    mask, size = record.mask, record.size
    drawn = drawn_labels(mask)
    if drawn is None or drawn.others or size is None:
        return None
    if not is_drawn_from(record, options):
        return None
    return LabelFigures(
        labels=record.attributes["label"],
        px=drawn.px,
        visible_px=drawn.visible_px,
        overlap_px=drawn.overlap_px,
        drawn_px=drawn.drawn_px,
        image_px=math.prod(size),
        boxes=drawn.boxes,
    )


def measure_labels(
    label: Document | None,
    width: int,
    height: int,
    options: MaskOptions,
    boxes: Sequence[Document] = (),
) -> LabelFigures:
    """Counts the pixels of a sample's labels, each alone and all as the mask has them.

    Args:
        label: the raw document of the label field
        width: the width of the image, in pixels
        height: its height
        options: how the mask was drawn; labels that it leaves out have an area but no
            visible one
        boxes: the raw documents of boxes that are drawn beside them

    Raises:
        NoFiguresError: if the image is larger than any that is drawn
    """
    problem = size_problem(width, height)
    if problem is not None:
        raise NoFiguresError(problem)
    documents = label_documents(label)
    try:
        objects = options.objects(label, width, height)
    except CocoMaskError as error:
        raise NoFiguresError(str(error)) from error
    figures = LabelFigures(
        labels=[document.get("label") for document in documents],
        px=[None] * len(documents),
        visible_px=[None] * len(documents),
        image_px=width * height,
    )
    beside = box_objects(boxes, width, height)
    drawn = [item for item in [*objects, *beside] if options.selects(item)]
    others = [item for item in objects if not options.selects(item)]
    drawing = draw_objects(
        [item.geometry for item in drawn],
        height,
        width,
        rasterizer=options.rasterizer,
        values=[1] * len(drawn),
        overlap=options.overlap,
        labels=[item.label for item in drawn],
    )
    for item, area, visible in zip(drawn, drawing.areas, drawing.visible, strict=True):
        if item.index < 0:
            figures.boxes.append((item.label, int(visible)))
            continue
        figures.px[item.index] = int(area)
        figures.visible_px[item.index] = int(visible)
    geometries = [item.geometry for item in others]
    areas = object_areas(geometries, height, width, options.rasterizer)
    for item, area in zip(others, areas, strict=True):
        figures.px[item.index] = int(area)
    figures.overlap_px = int(drawing.overlap_px)
    figures.drawn_px = int(drawing.visible.sum())
    return figures


def drawing_options(
    samples: SampleCollection, mask_field: str, label_field: str
) -> MaskOptions:
    """Returns how a mask field's masks were drawn from a label field.

    Masks that are not ours, or were drawn from other labels, say nothing about the
    labels' order: then it is that of :func:`compute_masks` by default.
    """
    made = mask_options(samples, mask_field)
    if made is None or made["label_field"] != label_field:
        return MaskOptions(lines=draws_lines(root_dataset(samples), label_field))
    values: dict[str, int] = {}
    if made["mode"] == "semantic":
        names = class_names(backing_dataset(samples), mask_field) or {}
        values = {name: value for value, name in names.items()}
    return MaskOptions.from_dict(made, values)


def _count(mask: np.ndarray, by_value: bool) -> MaskFigures:
    height, width = mask.shape
    if not by_value:
        count = int(np.count_nonzero(mask))
        return MaskFigures(count, mask.size, (width, height))
    values = pixels_by_value(mask)
    values.pop(0, None)
    return MaskFigures(sum(values.values()), mask.size, (width, height), values)


def pixels_by_value(mask: np.ndarray) -> dict[int, int]:
    """Returns how many pixels of a mask have each value that there is, 0 too."""
    if mask.dtype == np.uint8 and mask.size <= _EXACT_IN_FLOAT32:
        counts = cv2.calcHist([mask], [0], None, [256], [0, 256]).ravel()
        present = np.flatnonzero(counts)
    elif mask.dtype in (np.uint8, np.uint16):
        # By strips of rows: numpy makes 64-bit numbers of all that it is given at once.
        counts = np.zeros(2**16, np.int64)
        for row in range(0, len(mask), _STRIP_ROWS):
            strip = mask[row : row + _STRIP_ROWS]
            counts += np.bincount(strip.ravel(), minlength=2**16)
        present = np.flatnonzero(counts)
    else:
        found, numbers = np.unique(mask, return_counts=True)
        return {int(v): int(n) for v, n in zip(found, numbers, strict=True)}
    return {int(value): int(counts[value]) for value in present}
