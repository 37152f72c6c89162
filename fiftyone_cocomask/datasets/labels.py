"""Label documents of FiftyOne -> the geometry of their objects in pixels."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, pairwise
from typing import Any

import cv2
import fiftyone.core.utils as fou
import numpy as np
from bson import ObjectId

from ..errors import MaskFileError
from ..fiftyone_types import SampleCollection
from ..geometry.objects import MaskObject, is_drawable
from ..geometry.outlines import centre_outline, iou_with_rings
from ..geometry.png import read_mask
from ..geometry.rings import point_pairs, to_pixels
from ..geometry.rle import check_rle
from ..geometry.runs import RleError
from ..limits import MAX_RING_LENGTH
from .label_fields import object_list_path

# A mask may be this many times the size of its image, where its box reaches beyond it.
_MAX_ENLARGED = 4

_GEOMETRY_ATTRIBUTES = (
    "_id",
    "_cls",
    "label",
    "points",
    "closed",
    "filled",
    "rle",
    "outline_iou",
    "iscrowd",
    "bounding_box",
    "mask",
    "mask_path",
)


# Not frozen: to make a frozen one takes four times as long, and each label is one.
@dataclass(slots=True)
class LabelObject:
    """One label and its geometry.

    Attributes:
        label_id: the label's id
        label: its class, or None
        index: its place in the list of its sample
        iscrowd: whether it marks a crowd, in COCO's sense
        geometry: what to draw, in pixels of the image
    """

    label_id: ObjectId
    label: str | None
    index: int
    iscrowd: bool
    geometry: MaskObject


def geometry_paths(samples: SampleCollection, label_field: str) -> list[str]:
    """Returns the paths to read for :func:`mask_objects`, and no others.

    What other programs add to the labels is not read, so it changes no fingerprint.
    """
    path = object_list_path(samples, label_field)
    return [f"{label_field}._cls"] * (path != label_field) + [
        f"{path}.{attribute}" for attribute in _GEOMETRY_ATTRIBUTES
    ]


def label_documents(label: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Returns the documents of the single objects of a label field's value."""
    if not label:
        return []
    for list_name in ("polylines", "detections"):
        if list_name in label:
            return label[list_name] or []
    return [label] if "points" in label or "bounding_box" in label else []


def mask_objects(
    label: dict[str, Any] | None,
    width: int,
    height: int,
    *,
    lines: bool = False,
    boxes: bool = False,
) -> list[LabelObject]:
    """Returns the objects of one sample's label field that have a geometry.

    Args:
        label: the raw document of the Polylines, Polyline, Detections or Detection
        width: the width of the image, in pixels
        height: its height
        lines: whether polylines that are not filled are lines, see
            :func:`.label_fields.draws_lines`
        boxes: whether a Detection without a mask is its box

    Returns:
        one :class:`LabelObject` per label with a geometry; ``index`` tells which
        labels are left out: Detections without a mask that can be read, Polylines
        without points, and what has numbers that are out of range for any image
    """
    objects = []
    documents = label_documents(label)
    rings_of = _rings_at_once(documents, width, height)
    for index, document in enumerate(documents):
        if "bounding_box" in document:
            geometry = _detection_geometry(document, width, height, boxes)
        else:
            rings = rings_of.get(index)
            geometry = _polyline_geometry(document, width, height, lines, rings)
        if geometry is not None:
            objects.append(
                LabelObject(
                    label_id=document["_id"],
                    label=document.get("label"),
                    index=index,
                    iscrowd=bool(document.get("iscrowd")),
                    geometry=geometry,
                )
            )
    return objects


def box_objects(
    boxes: Sequence[dict[str, Any]], width: int, height: int
) -> list[LabelObject]:
    """Returns the objects of boxes that are beside a sample's labels.

    Args:
        boxes: raw documents of Detections
        width: the width of the image, in pixels
        height: its height

    Returns:
        one :class:`LabelObject` per box that can be drawn; its ``index`` is -1
    """
    found = mask_objects({"detections": list(boxes)}, width, height, boxes=True)
    return [replace(item, index=-1) for item in found]


def _rings_at_once(
    documents: Sequence[dict[str, Any]], width: int, height: int
) -> dict[int, tuple[np.ndarray, ...]]:
    """Returns the rings of many polylines in pixels, several times as fast.

    Returns:
        by the places of the polylines, their rings, all of which are drawable; nothing
        where any of them is broken or large, so that each is looked at by itself
    """
    try:
        shapes_of = {
            index: shapes
            for index, document in enumerate(documents)
            if "bounding_box" not in document
            and (shapes := [shape for shape in document.get("points") or [] if shape])
        }
        shapes = list(chain.from_iterable(shapes_of.values()))
        if not shapes:
            return {}
        lengths = list(map(len, shapes))
        pixels = point_pairs(list(chain.from_iterable(shapes)))
    except (TypeError, ValueError):
        return {}
    pixels *= (width, height)
    # NaN fails it.
    if not 4 * np.abs(pixels).max() * max(lengths) <= MAX_RING_LENGTH:
        return {}
    ends = accumulate(lengths, initial=0)
    rings = iter([pixels[start:end] for start, end in pairwise(ends)])
    return {
        index: tuple(next(rings) for _ in shapes) for index, shapes in shapes_of.items()
    }


def _polyline_geometry(
    document: dict[str, Any],
    width: int,
    height: int,
    lines: bool,
    rings: tuple[np.ndarray, ...] | None = None,
) -> MaskObject | None:
    are_drawable = rings is not None
    if rings is None:
        try:
            rings = tuple(
                to_pixels(shape, width, height)
                for shape in document.get("points") or []
                if shape
            )
        except (TypeError, ValueError):  # Not pairs of numbers.
            return None
    rle = document.get("rle")
    if rle and is_outline_of(rle, rings, width, height, document.get("outline_iou")):
        return MaskObject(rle=rle)
    if not rings or not (are_drawable or all(map(is_drawable, rings))):
        return None
    is_line = lines or all(len(ring) < 3 for ring in rings)
    if is_line and not document.get("filled"):
        closed = bool(document.get("closed"))
        return MaskObject(rings=rings, line_width=1, closed=closed)
    return MaskObject(rings=rings)


def is_outline_of(
    rle: Any,
    rings: Sequence[np.ndarray],
    width: int,
    height: int,
    outline_iou: Any = None,
) -> bool:
    """Whether rings are the outline of a label's RLE, which is its geometry then.

    The import writes them so, and says their IoU where it had to simplify them. Where
    they differ, somebody moved them in the App, or the RLE is of another image size or
    of another program, and the points count.

    Args:
        rle: the label's RLE, or whatever stands in its place
        rings: the label's points, in pixels
        width: the width of the image, in pixels
        height: its height
        outline_iou: what the label has under this name
    """
    try:
        if list(rle["size"]) != [height, width]:
            return False
        checked = check_rle(rle)
    except (RleError, KeyError, TypeError, AttributeError):
        return False
    if not all(is_drawable(ring) for ring in rings):
        return False
    iou = iou_with_rings(checked, rings)
    if iou == 1 or (isinstance(outline_iou, float) and abs(iou - outline_iou) < 1e-12):
        return True
    # Datasets imported by earlier versions have it.
    outline = centre_outline(checked)
    return len(outline) == len(rings) and all(
        a.shape == b.shape and np.abs(a - b).max() < 1e-6
        for a, b in zip(outline, rings, strict=True)
    )


def _detection_geometry(
    document: dict[str, Any], width: int, height: int, boxes: bool
) -> MaskObject | None:
    box = _box_in_pixels(document["bounding_box"], width, height)
    if box is None:
        return None
    mask = _instance_mask(document, _MAX_ENLARGED * width * height)
    if mask is not None:
        return _placed(mask, box, (width, height), _MAX_ENLARGED * width * height)
    if not boxes:
        return None
    x, y, w, h = box
    ring = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
    return MaskObject(rings=(ring,)) if is_drawable(ring) else None


def _box_in_pixels(
    box: Any, width: int, height: int
) -> tuple[float, float, float, float] | None:
    try:
        x, y, w, h = (float(value) for value in box)
    except (TypeError, ValueError):
        return None
    pixels = (x * width, y * height, w * width, h * height)
    if not all(abs(value) <= MAX_RING_LENGTH for value in pixels):  # NaN as well.
        return None
    # Without the last bits of the relative coordinates, so that halves round as before.
    x, y, w, h = (round(value, 6) for value in pixels)
    return x, y, w, h


def _placed(
    mask: np.ndarray,
    box: tuple[float, float, float, float],
    size: tuple[int, int],
    max_pixels: int,
) -> MaskObject | None:
    """Returns an instance mask where its box is.

    Its first pixel is at the box's rounded corner, as FiftyOne cuts masks out of images
    (``Detection.from_mask``, its COCO importer). Its own size is kept where that fits
    the box to within a pixel, or what of the box is inside the image, whose width and
    height are ``size``. FiftyOne's own drawing truncates the corners, and so
    moves or resizes one mask in six by a pixel.
    """
    x, y, w, h = box
    left, top = round(x), round(y)
    columns = _fitting(mask.shape[1], w, round(x + w) - left, size[0] - left)
    rows = _fitting(mask.shape[0], h, round(y + h) - top, size[1] - top)
    if columns <= 0 or rows <= 0:
        return MaskObject(mask=np.zeros((0, 0), bool), offset=(left, top))
    if columns * rows > max_pixels:
        return None
    if mask.shape != (rows, columns):
        mask = cv2.resize(mask, (columns, rows))
    return MaskObject(mask=mask.astype(bool), offset=(left, top))


def _fitting(own: int, exact: float, rounded: int, room: int) -> int:
    """Returns how many rows or columns a mask is to have in its box."""
    return own if abs(own - exact) < 1 or own == min(rounded, room) else rounded


def _instance_mask(document: dict[str, Any], max_pixels: int) -> np.ndarray | None:
    """Returns the 0/1 uint8 mask of a Detection, None if none can be read."""
    try:
        if document.get("mask") is not None:
            mask = fou.deserialize_numpy_array(document["mask"])
        elif document.get("mask_path"):
            mask = read_mask(document["mask_path"], max_pixels=max_pixels)
        else:
            return None
        if mask.ndim == 3:
            mask = mask[..., 0]
        if mask.ndim != 2 or not mask.size:
            return None
        return (mask > 0).astype(np.uint8)
    except (MaskFileError, TypeError, ValueError, OSError, EOFError, zlib.error):
        return None
