"""Records of an export -> the sample and label documents that the import writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...coco.records import Annotation, ImageRecord
from ...geometry.outlines import rle_outline
from ...geometry.rings import to_relative
from ..documents import Document
from .digests import LabelPair


def sample_fields(record: ImageRecord) -> Document:
    """Returns the fields that the import writes beside the labels."""
    fields: Document = {
        "metadata": {
            "_cls": "ImageMetadata",
            "size_bytes": record.size_bytes,
            "mime_type": record.mime_type,
            "width": record.width,
            "height": record.height,
            "num_channels": record.num_channels,
        },
        **identifier("coco_id", record.coco_id),
        "split": record.split,
        "file_name": record.file_name,
        "source_name": record.source_name,
    }
    if record.original is not None:
        fields["coco_original"] = record.original
    codes = sorted({str(code.value) for code in record.all_issue_codes()})
    if codes:
        fields["import_issues"] = codes
    return {name: value for name, value in fields.items() if value is not None}


def annotation_labels(record: ImageRecord) -> list[LabelPair]:
    """Returns what an image's annotations say as a polyline and as a detection.

    These are the labels without what is each label's own: id, class and tags; see
    :func:`.base.new_label`.
    """
    pairs: list[LabelPair] = []
    for annotation in record.annotations:
        polyline = detection = None
        attributes = dict(_label_attributes(annotation))
        shape = _shape(annotation, record)
        if shape is not None:
            polyline = {
                "label": annotation.label,
                "points": shape.pop("points"),
                "closed": True,
                "filled": True,
                **attributes,
                **shape,
                **_original(annotation),
            }
        if annotation.box is not None:
            x, y, width, height = annotation.box
            detection = {
                "label": annotation.label,
                "bounding_box": [
                    x / record.width,
                    y / record.height,
                    width / record.width,
                    height / record.height,
                ],
                **attributes,
                **({} if shape is not None else _original(annotation)),
            }
        pairs.append((polyline, detection))
    return pairs


def label_fields(
    pairs: Sequence[LabelPair], label_field: str, box_field: str
) -> Document:
    """Returns the documents of a sample's polylines and detections, by field."""
    polylines = [polyline for polyline, _ in pairs if polyline is not None]
    detections = [detection for _, detection in pairs if detection is not None]
    return {
        label_field: {"_cls": "Polylines", "polylines": polylines},
        box_field: {"_cls": "Detections", "detections": detections},
    }


def own_names(record: ImageRecord) -> tuple[str, ...]:
    """Returns the names of the export's own attributes on an image's annotations."""
    own = {name for annotation in record.annotations for name in annotation.attributes}
    return tuple(sorted(own))


def _shape(annotation: Annotation, record: ImageRecord) -> Document | None:
    """Returns an annotation's relative points, and its RLE; None if it has no shape.

    A ring goes through :func:`to_relative`, which keeps its pixels. An RLE may have
    no pixel: a single point keeps its place, since FiftyOne's COCO exporter raises on
    a polyline without points.
    """
    shape: Document = {}
    if annotation.rle is not None:
        outline = annotation.outline or rle_outline(annotation.rle)
        corner = (annotation.box or (0.0, 0.0))[:2]
        rings = outline.rings or [np.array([corner], float)]
        shape["rle"] = annotation.rle
        if outline.iou < 1:
            shape["outline_iou"] = outline.iou
    elif annotation.rings:
        rings = annotation.rings
    else:
        return None
    shape["points"] = [
        to_relative(ring, record.width, record.height).tolist() for ring in rings
    ]
    return shape


def _label_attributes(annotation: Annotation) -> Iterator[tuple[str, Any]]:
    yield from identifier("coco_id", annotation.coco_id).items()
    yield from identifier("coco_category_id", annotation.category_id).items()
    for name in ("supercategory", "iscrowd", "annotated_area"):
        value = getattr(annotation, name)
        if value is not None:
            yield name, value
    yield from annotation.attributes.items()


def _original(annotation: Annotation) -> Document:
    """Returns what writing an annotation back needs; only one of its labels has it."""
    if annotation.original is None:
        return {}
    return {"coco_original": annotation.original}


def identifier(name: str, value: int | str | None) -> Document:
    """Returns an id under its name, or under ``<name>_text`` where it is not a number.

    COCO's ids are numbers, and so are the fields; some exports have text there.
    """
    if value is None:
        return {}
    return {name if isinstance(value, int) else f"{name}_text": value}
