"""From the documents of samples to mask files and mask documents.

Nothing here reads or writes the database, so batches can be drawn by other processes.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import bson
import numpy as np
from bson import ObjectId
from bson.raw_bson import RawBSONDocument

from ...errors import MaskFileError
from ...fiftyone_types import SampleCollection
from ...geometry.draw import Drawing, draw_objects
from ...geometry.objects import Canvas
from ...geometry.patches import Patch
from ...geometry.png import is_picture, mask_png, read_mask, write_with_others
from ...limits import size_problem
from ...unfinished import GroupedWrites
from ..documents import Document, decode_without
from ..label_lists import BOXES
from ..labels import LabelObject, box_objects, geometry_paths, label_documents
from .files import MaskPaths
from .options import MaskOptions, MaskPlan
from .stored import (
    STATE,
    DrawnLabels,
    fingerprint,
    is_current,
    new_document,
    set_array,
    set_file,
    stored_fingerprint,
)

_EMPTY = bson.encode({})
# What is in the way of one file, and not of the others.
_OF_ONE_FILE = {errno.EISDIR, errno.ENOTEMPTY, errno.ENAMETOOLONG}


@dataclass(slots=True)
class MaskResult:
    """What became of a sample's mask.

    Attributes:
        sample_id: the sample
        filepath: its image
        replaces: the id of the mask that it had, or None
        segmentation: the document to write, None if the mask is unchanged or skipped
        objects: the number of objects drawn
        unchanged_objects: the number of objects in an unchanged mask
        hidden: the ids of objects with no visible pixel
        overlap_px: the pixels under two or more objects
        lines: how many objects are lines, because they are not filled
        without_geometry: the number of labels that had none
        is_removed: whether its mask goes, as the labels that it was drawn from have
        skipped: why no mask was made, or None
        error: why no further mask can be made, or None
        left: the file that its mask had before, where it has another one now, or none
    """

    sample_id: ObjectId
    filepath: str
    replaces: ObjectId | None = None
    segmentation: Document | None = None
    objects: int = 0
    unchanged_objects: int = 0
    hidden: list[ObjectId] = field(default_factory=list)
    overlap_px: int = 0
    lines: int = 0
    without_geometry: int = 0
    is_removed: bool = False
    skipped: str | None = None
    error: MaskFileError | None = None
    left: str | None = None


@dataclass(frozen=True, slots=True)
class _Begun:
    """A sample that is read and not drawn yet.

    Attributes:
        result: what becomes of its mask
        mask: the mask that it has
        path: the file of its new mask, None for one in the database
        wanted: the fingerprint of its new mask; None if there is nothing to draw
        size: the width and height of its image
        num_labels: the number of its labels
        chosen: the objects to draw
        others: how many of the labels' objects are left out
    """

    result: MaskResult
    mask: Document
    path: Path | None = None
    wanted: str | None = None
    size: tuple[int, int] = (0, 0)
    num_labels: int = 0
    chosen: list[LabelObject] = field(default_factory=list)
    others: int = 0


def paths_to_read(samples: SampleCollection, plan: MaskPlan) -> list[str]:
    """Returns the fields of a sample that :func:`make_batch` needs."""
    read = ("_id", *STATE, "drawn.px", "drawn.boxes")
    return [
        "filepath",
        *(["split"] if samples.has_field("split") else []),
        "metadata.width",
        "metadata.height",
        *(f"{plan.mask_field}.{name}" for name in read),
        *geometry_paths(samples, plan.label_field),
    ]


def make_batch(
    plan: MaskPlan, paths: MaskPaths | None, encoded: Iterable[bytes]
) -> list[MaskResult]:
    """Makes the masks of some samples, also in another process.

    Args:
        plan: what was decided
        paths: where the files go, None for masks in the database
        encoded: the samples as BSON, with the fields of :func:`paths_to_read`

    Returns:
        what became of each; one with an error is the last
    """
    results: list[MaskResult] = []
    begun = [_begin(plan, paths, RawBSONDocument(data)) for data in encoded]
    with GroupedWrites() as writes:
        # The objects of images of one size are drawn together: Roboflow resizes
        # all images of a version.
        for size, group in groupby(begun, lambda item: item.size):
            items = list(group)
            patches = _patches(items, size, plan.options)
            for item in items:
                _draw(plan, paths, item, patches, writes)
                results.append(item.result)
                if item.result.error is not None:
                    return results
    return results


def _patches(
    begun: list[_Begun], size: tuple[int, int], options: MaskOptions
) -> Iterator[Patch]:
    """Yields the pixels of all objects of some images of one size."""
    width, height = size
    objects = [item.geometry for one in begun for item in one.chosen]
    return Canvas(height, width, options.rasterizer).patches(objects)


def _begin(
    plan: MaskPlan, paths: MaskPaths | None, document: RawBSONDocument
) -> _Begun:
    """Returns a sample with what is to be drawn: nothing if it is done."""
    # Labels are decoded only where they are drawn: that takes as long as all the rest.
    values, encoded = decode_without(document, plan.label_field)
    mask = values.get(plan.mask_field) or {}
    result = MaskResult(values["_id"], values["filepath"], mask.get("_id"))
    metadata = values.get("metadata") or {}
    width, height = metadata.get("width") or 0, metadata.get("height") or 0
    if encoded is None or encoded.raw == _EMPTY:
        result.skipped = f"it has no labels in '{plan.label_field}'"
        result.is_removed = stored_fingerprint(mask) is not None
        result.left = mask.get("mask_path") if result.is_removed else None
        return _Begun(result, mask)
    result.skipped = _reason_to_skip(plan, mask, width, height)
    if result.skipped is not None:
        return _Begun(result, mask)
    path = paths.path_of(values) if paths else None
    boxes = values.get(BOXES) or []
    wanted = fingerprint(encoded, (width, height), path, plan.options, boxes)
    if not plan.overwrite and is_current(mask, wanted):
        drawn = (mask.get("drawn") or {}).get("px") or []
        result.unchanged_objects = sum(px is not None for px in drawn)
        result.unchanged_objects += len((mask.get("drawn") or {}).get("boxes", []))
        return _Begun(result, mask)
    label = bson.decode(encoded.raw)
    options = plan.options
    labels = label_documents(label)
    objects = options.objects(label, width, height)
    beside = box_objects(boxes, width, height) if boxes else []
    chosen = [item for item in [*objects, *beside] if options.selects(item)]
    result.without_geometry = len(labels) - len(objects)
    others = len(objects) - sum(item.index >= 0 for item in chosen)
    return _Begun(
        result, mask, path, wanted, (width, height), len(labels), chosen, others
    )


def _draw(
    plan: MaskPlan,
    paths: MaskPaths | None,
    begun: _Begun,
    patches: Iterator[Patch],
    writes: GroupedWrites,
) -> None:
    """Draws a sample's mask, unless it is done, and has it written."""
    if begun.wanted is None:
        return
    result, path = begun.result, begun.path
    drawing, result.segmentation = _drawn(begun, patches, plan.options)
    if begun.mask.get("mask_path") != str(path):
        result.left = begun.mask.get("mask_path")
    if path is None:
        set_array(result.segmentation, drawing.mask)
    else:
        _write(plan, paths, path, drawing.mask, begun.mask, result, writes)


def _reason_to_skip(
    plan: MaskPlan, mask: Document, width: int, height: int
) -> str | None:
    if not width or not height:
        return "the size of its image cannot be read"
    problem = size_problem(width, height)
    if problem is not None:
        return problem
    if mask and stored_fingerprint(mask) is None and not plan.overwrite:
        return (
            f"its mask in '{plan.mask_field}' was not computed from labels; set "
            "overwrite to replace it"
        )
    return None


def _write(
    plan: MaskPlan,
    paths: MaskPaths | None,
    path: Path,
    mask: np.ndarray,
    present: Document,
    result: MaskResult,
    writes: GroupedWrites,
) -> None:
    """Has a mask's file written, or says why not."""
    document, result.segmentation = result.segmentation, None
    assert document is not None

    def done(error: MaskFileError | None) -> None:
        try:
            if error is not None:
                raise error
            set_file(document, path)
            result.segmentation = document
        except (MaskFileError, OSError) as problem:
            _tell_error(problem, path, result)

    try:
        result.skipped = _reason_not_to_write(plan, paths, path, mask, present)
        if result.skipped is None:
            binary = plan.options.mode == "binary"
            data = mask_png(path, mask, binary=binary)
            write_with_others(writes, path, data, done)
    except (MaskFileError, OSError) as error:
        _tell_error(error, path, result)


def _reason_not_to_write(
    plan: MaskPlan,
    paths: MaskPaths | None,
    path: Path,
    mask: np.ndarray,
    present: Document,
) -> str | None:
    """Returns what keeps a mask from being written: never over an image."""
    assert paths is not None
    if not path.exists():
        return None
    if paths.is_image(path):
        return f"{path} is the image of a sample; give another output_dir"
    if paths.is_own or present.get("mask_path") == str(path):
        return None
    if is_picture(path):
        return f"{path} is a picture and not a mask; give another output_dir"
    if plan.overwrite or _holds(path, mask):
        return None
    return (
        f"{path} exists and is not this field's; set overwrite, or give another "
        "output_dir"
    )


def _tell_error(error: MaskFileError | OSError, path: Path, result: MaskResult) -> None:
    """Notes why a file could not be written: alone, or as none can be."""
    cause = error.__cause__ if isinstance(error, MaskFileError) else error
    if not isinstance(error, MaskFileError):
        error = MaskFileError(
            f"The file {path} cannot be written: {error.strerror or error}"
        )
    if getattr(cause, "errno", None) in _OF_ONE_FILE:
        result.skipped = str(error)
    else:
        result.error = error


def _drawn(
    begun: _Begun, patches: Iterator[Patch], options: MaskOptions
) -> tuple[Drawing, Document]:
    """Draws a sample's mask, and returns it and its document."""
    width, height = begun.size
    chosen = begun.chosen
    assert begun.wanted is not None
    drawing = draw_objects(
        [item.geometry for item in chosen],
        height,
        width,
        rasterizer=options.rasterizer,
        values=options.values(chosen),
        overlap=options.overlap,
        labels=[item.label for item in chosen],
        patches=patches,
    )
    _count(begun.result, chosen, drawing)
    px: list[int | None] = [None] * begun.num_labels
    visible_px: list[int | None] = [None] * begun.num_labels
    drawn_boxes: list[tuple[str | None, int]] = []
    for item, area, visible in zip(chosen, drawing.areas, drawing.visible, strict=True):
        if item.index < 0:
            drawn_boxes.append((item.label, int(visible)))
        else:
            px[item.index] = int(area)
            visible_px[item.index] = int(visible)
    drawn = DrawnLabels(px, visible_px, drawing.overlap_px, begun.others, drawn_boxes)
    values = None
    if options.mode == "semantic":
        values = _pixels_by_value(options.values(chosen), drawing)
    return drawing, new_document(begun.wanted, drawn, values)


def _count(
    result: MaskResult,
    chosen: list[LabelObject],
    drawing: Drawing,
) -> None:
    result.objects = len(chosen)
    result.lines = sum(item.geometry.line_width > 0 for item in chosen)
    result.hidden = [
        item.label_id
        for item, visible in zip(chosen, drawing.visible, strict=True)
        if visible == 0
    ]
    result.overlap_px = drawing.overlap_px


def _pixels_by_value(values: list[int], drawing: Drawing) -> dict[int, int]:
    """Returns the pixels of each value of a mask that is in it, but 0."""
    pixels: dict[int, int] = {}
    for value, visible in zip(values, drawing.visible.tolist(), strict=True):
        if visible:
            pixels[value] = pixels.get(value, 0) + visible
    return pixels


def _holds(path: Path, mask: np.ndarray) -> bool:
    """Whether a file is this very mask: one that a killed run left behind."""
    try:
        return np.array_equal(read_mask(path), mask)
    except MaskFileError:
        return False
