"""Label documents of FiftyOne -> the geometry of their objects in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import fiftyone.core.utils as fou
import numpy as np
from bson import ObjectId

from ..errors import CocoMaskError
from ..geometry.objects import MaskObject, is_drawable
from ..geometry.outlines import centre_outline, iou_with_rings
from ..geometry.png import read_mask
from ..geometry.rings import to_pixels
from ..geometry.rle import RleError, check_rle

# The label types whose objects can be drawn, and the list each keeps them in.
OBJECT_LISTS: dict[type, str | None] = {
    fo.Polylines: "polylines",
    fo.Polyline: None,
    fo.Detections: "detections",
    fo.Detection: None,
}

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


@dataclass(frozen=True, slots=True)
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


def object_list_path(samples: Any, label_field: str) -> str:
    """Returns the path of the objects of a label field: ``"field.polylines"``.

    Raises:
        CocoMaskError: if there is no such field or its labels are no objects
    """
    field = samples.get_field(label_field)
    if field is None:
        fitting = object_fields(samples)
        has = f"it has {', '.join(fitting)}" if fitting else "it has none"
        raise CocoMaskError(
            f"Dataset '{samples._dataset.name}' has no field '{label_field}'; give "
            f"label_field= a field of Polylines or Detections ({has})"
        )
    label_type = getattr(field, "document_type", None)
    if label_type not in OBJECT_LISTS:
        found = label_type.__name__ if label_type else type(field).__name__
        raise CocoMaskError(
            f"Field '{label_field}' holds {found}; label_field= needs Polylines, or "
            "Detections with masks"
        )
    list_name = OBJECT_LISTS[label_type]
    return f"{label_field}.{list_name}" if list_name else label_field


def object_fields(samples: Any) -> list[str]:
    """Returns the names of the sample fields whose labels can be drawn as objects."""
    schema = samples.get_field_schema()
    return [
        name
        for name, field in schema.items()
        if getattr(field, "document_type", None) in OBJECT_LISTS
    ]


def is_mask_field(samples: Any, name: str) -> bool:
    """Whether a dataset has a field of masks of this name."""
    return name in mask_fields(samples)


def mask_fields(samples: Any) -> list[str]:
    """Returns the names of a dataset's fields of masks."""
    return list(samples.get_field_schema(embedded_doc_type=fo.Segmentation))


def check_has_masks(dataset: fo.Dataset, mask_field: str) -> None:
    """Checks that a dataset has a field of masks.

    Raises:
        CocoMaskError: if it has not
    """
    if not is_mask_field(dataset, mask_field):
        names = mask_fields(dataset)
        has = f"it has {', '.join(names)}" if names else "compute masks first"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no Segmentation field '{mask_field}'; {has}"
        )


def geometry_paths(samples: Any, label_field: str) -> list[str]:
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
    label: dict[str, Any] | None, width: int, height: int
) -> list[LabelObject]:
    """Returns the objects of one sample's label field that have a geometry.

    Args:
        label: the raw document of the Polylines, Polyline, Detections or Detection
        width: the width of the image, in pixels
        height: its height

    Returns:
        one :class:`LabelObject` per label with a geometry; ``index`` tells which
        labels are left out: Detections without a mask, Polylines without points or
        with numbers that no image has
    """
    objects = []
    for index, document in enumerate(label_documents(label)):
        geometry = _label_geometry(document, width, height)
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


def _label_geometry(
    document: dict[str, Any], width: int, height: int
) -> MaskObject | None:
    if "bounding_box" in document:
        return _detection_geometry(document, width, height)
    return _polyline_geometry(document, width, height)


def _polyline_geometry(
    document: dict[str, Any], width: int, height: int
) -> MaskObject | None:
    shapes = document.get("points") or []
    rings = tuple(to_pixels(shape, width, height) for shape in shapes if shape)
    rle = document.get("rle")
    if rle and is_outline_of(rle, rings, width, height, document.get("outline_iou")):
        return MaskObject(rle=rle)
    if not rings or not all(is_drawable(ring) for ring in rings):
        return None
    if document.get("filled"):
        return MaskObject(rings=rings)
    return MaskObject(rings=rings, line_width=1, closed=bool(document.get("closed")))


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
    document: dict[str, Any], width: int, height: int
) -> MaskObject | None:
    mask = _instance_mask(document)
    if mask is None:
        return None
    x, y, w, h = document["bounding_box"]
    # FiftyOne's rule for placing an instance mask (`Detections.to_segmentation`):
    # corners truncated to pixels, the mask resized to the box between them.
    left, top = int(x * width), int(y * height)
    right, bottom = int((x + w) * width), int((y + h) * height)
    if right <= left or bottom <= top:
        return MaskObject(mask=np.zeros((0, 0), bool), offset=(left, top))
    if mask.shape != (bottom - top, right - left):
        mask = cv2.resize(mask, (right - left, bottom - top))
    return MaskObject(mask=mask.astype(bool), offset=(left, top))


def _instance_mask(document: dict[str, Any]) -> np.ndarray | None:
    """Returns the 0/1 uint8 mask of a Detection, or None if it has none."""
    if document.get("mask") is not None:
        mask = fou.deserialize_numpy_array(document["mask"])
    elif document.get("mask_path"):
        if not Path(document["mask_path"]).is_file():
            return None
        mask = read_mask(document["mask_path"])
    else:
        return None
    if mask.ndim == 3:
        mask = mask[..., 0]
    return (mask > 0).astype(np.uint8)
