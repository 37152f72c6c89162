"""From the labels of a batch of samples to mask files and mask documents.

Nothing here reads or writes the database, so batches can be drawn by other processes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import bson
import fiftyone.core.utils as fou
import numpy as np
from bson import ObjectId

from ...errors import MaskFileError
from ...geometry.draw import Drawing, draw_objects
from ...geometry.limits import MAX_PIXELS
from ...geometry.png import read_mask, write_mask
from ..documents import Document
from ..labels import LabelObject, label_documents, mask_objects

Mode = Literal["binary", "semantic", "instance"]
Rasterizer = Literal["coco", "opencv"]

FOREGROUND = 255
# Goes up where the same labels and options give other pixels than before.
_RULES = 2


@dataclass(frozen=True, slots=True)
class MaskOptions:
    """What decides the pixels of a mask.

    Attributes:
        mode: ``"binary"``, ``"semantic"`` or ``"instance"``
        rasterizer: ``"coco"`` or ``"opencv"``
        overlap: who is on top: a name, or a tuple of classes, later on top
        classes: the classes to draw, None for all
        include_crowd: whether crowd annotations are drawn
        class_values: for ``"semantic"``, the value of each class
        lines: whether polylines that are not filled are lines, and not areas
        boxes: whether a Detection without a mask is drawn as its box
    """

    mode: Mode
    rasterizer: Rasterizer
    overlap: str | tuple[str, ...]
    classes: tuple[str, ...] | None
    include_crowd: bool
    class_values: dict[str, int] = field(default_factory=dict)
    lines: bool = False
    boxes: bool = False

    def objects(
        self, label: Document | None, width: int, height: int
    ) -> list[LabelObject]:
        """Returns the objects of a sample, also those that are not drawn."""
        return mask_objects(label, width, height, lines=self.lines, boxes=self.boxes)

    def selects(self, item: LabelObject) -> bool:
        """Whether an object is drawn."""
        if item.iscrowd and not self.include_crowd:
            return False
        if self.mode == "semantic" and item.label not in self.class_values:
            return False
        return self.classes is None or item.label in self.classes

    def values(self, items: list[LabelObject]) -> list[int]:
        """Returns the mask value of each object."""
        if self.mode == "binary":
            return [FOREGROUND] * len(items)
        if self.mode == "semantic":
            return [self.class_values[str(item.label)] for item in items]
        return list(range(1, len(items) + 1))

    def to_dict(self) -> dict[str, Any]:
        """Returns the options as MongoDB and JSON hold them."""
        return {
            "mode": self.mode,
            "rasterizer": self.rasterizer,
            "overlap": (
                self.overlap if isinstance(self.overlap, str) else list(self.overlap)
            ),
            "classes": None if self.classes is None else list(self.classes),
            "include_crowd": self.include_crowd,
            "lines": self.lines,
            "boxes": self.boxes,
        }


@dataclass(frozen=True, slots=True)
class MaskTask:
    """One sample whose mask may be out of date.

    Attributes:
        sample_id: the sample
        filepath: its image
        label: the raw document of its objects, None if it has none
        width: the image's width in pixels
        height: its height
        path: the file to write, None for a mask in the database
        may_replace: whether a file at ``path`` belongs to this field of this sample
        fingerprint: what :func:`fingerprint` returns for the mask it has, or None
    """

    sample_id: ObjectId
    filepath: str
    label: Document | None
    width: int
    height: int
    path: Path | None
    may_replace: bool
    fingerprint: str | None


@dataclass(slots=True)
class MaskResult:
    """What became of a task.

    Attributes:
        sample_id: the sample
        filepath: its image
        segmentation: the document to write, None if the mask is unchanged or skipped
        objects: the number of objects drawn
        unchanged_objects: the number of objects in an unchanged mask
        hidden: the ids of objects with no visible pixel
        overlap_px: the pixels under two or more objects
        lines: how many of them are lines, because they are not filled
        without_geometry: the number of labels that had none
        skipped: why no mask was made, or None
    """

    sample_id: ObjectId
    filepath: str
    segmentation: Document | None = None
    objects: int = 0
    unchanged_objects: int = 0
    hidden: list[ObjectId] = field(default_factory=list)
    overlap_px: int = 0
    lines: int = 0
    without_geometry: int = 0
    skipped: str | None = None


def fingerprint(task: MaskTask, options: MaskOptions) -> str:
    """Returns a hash of everything that decides a mask's pixels and place."""
    content = {
        "label": task.label,
        "size": [task.width, task.height],
        "path": str(task.path),
        "options": options.to_dict(),
        "class_values": sorted(options.class_values.items()),
        "rules": _RULES,
    }
    return blake2b(bson.encode(content), digest_size=16).hexdigest()


def make_mask(task: MaskTask, options: MaskOptions) -> MaskResult:
    """Draws and stores a sample's mask, if it is not there already.

    Raises:
        MaskFileError: if the file cannot be written
    """
    result = MaskResult(task.sample_id, task.filepath)
    if task.width * task.height > MAX_PIXELS:
        result.skipped = (
            f"its image of {task.width} x {task.height} pixels is larger than "
            f"{MAX_PIXELS} pixels"
        )
        return result
    current = fingerprint(task, options)
    if current == task.fingerprint and (task.path is None or task.path.is_file()):
        return result
    objects = options.objects(task.label, task.width, task.height)
    chosen = [item for item in objects if options.selects(item)]
    drawing = _draw(chosen, task, options)
    result.objects = len(chosen)
    result.lines = sum(item.geometry.line_width > 0 for item in chosen)
    result.without_geometry = len(label_documents(task.label)) - len(objects)
    result.hidden = [
        item.label_id
        for item, visible in zip(chosen, drawing.visible, strict=True)
        if visible == 0
    ]
    result.overlap_px = drawing.overlap_px
    figures = {
        "fingerprint": current,
        "foreground_px": int(drawing.visible.sum()),
        "drawn": _drawn(task, objects, chosen, drawing),
    }
    if options.mode == "semantic":
        figures["value_px"] = _pixels_by_value(options.values(chosen), drawing)
    _store(drawing.mask, task, options, figures, result)
    return result


def _pixels_by_value(values: list[int], drawing: Drawing) -> dict[str, int]:
    """Returns the pixels of each value of a mask that is in it, but 0."""
    pixels: dict[str, int] = {}
    for value, visible in zip(values, drawing.visible.tolist(), strict=True):
        if visible:
            pixels[str(value)] = pixels.get(str(value), 0) + visible
    return pixels


def _drawn(
    task: MaskTask,
    objects: list[LabelObject],
    chosen: list[LabelObject],
    drawing: Drawing,
) -> Document:
    """Returns what drawing has counted, for evaluations of masks that are current.

    The lists have an entry for each label of the sample, None where it is not drawn;
    ``others`` is the number of those that could be.
    """
    number = len(label_documents(task.label))
    px: list[int | None] = [None] * number
    visible_px: list[int | None] = [None] * number
    for item, area, visible in zip(chosen, drawing.areas, drawing.visible, strict=True):
        px[item.index] = int(area)
        visible_px[item.index] = int(visible)
    return {
        "px": px,
        "visible_px": visible_px,
        "overlap_px": int(drawing.overlap_px),
        "others": len(objects) - len(chosen),
    }


def _draw(items: list[LabelObject], task: MaskTask, options: MaskOptions) -> Drawing:
    return draw_objects(
        [item.geometry for item in items],
        task.height,
        task.width,
        rasterizer=options.rasterizer,
        values=options.values(items),
        overlap=options.overlap,
        labels=[item.label for item in items],
    )


def _store(
    mask: np.ndarray,
    task: MaskTask,
    options: MaskOptions,
    figures: Document,
    result: MaskResult,
) -> None:
    segmentation: Document = {
        "_id": ObjectId(),
        "_cls": "Segmentation",
        "tags": [],
        **figures,
    }
    if task.path is None:
        segmentation["mask"] = fou.serialize_numpy_array(mask)
    else:
        if not task.may_replace and task.path.exists() and not _holds(task.path, mask):
            result.skipped = (
                f"{task.path} exists and is not this field's; set overwrite, or give "
                "another output_dir"
            )
            return
        write_mask(task.path, mask, binary=options.mode == "binary")
        segmentation["mask_path"] = str(task.path)
        # Tells later whether `foreground_px` still speaks of the file as it is.
        segmentation["file_state"] = file_state(task.path)
    result.segmentation = segmentation


def file_state(path: Path | str) -> str:
    """Returns a text that changes when a file is written again: size and time.

    Raises:
        OSError: if there is no such file
    """
    status = os.stat(path)
    return f"{status.st_size}-{status.st_mtime_ns}"


def _holds(path: Path, mask: np.ndarray) -> bool:
    """Whether a file is this very mask: one that a killed run left behind."""
    try:
        return np.array_equal(read_mask(path), mask)
    except MaskFileError:
        return False
