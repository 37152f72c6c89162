"""Records of an export -> the sample and label documents that the import writes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, islice, pairwise

import numpy as np

from ...coco.records import Annotation, ImageRecord
from ...geometry.outlines import rle_outline
from ...geometry.rings import to_relative
from ..documents import Document
from ..import_base.digests import LabelPair


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


def annotation_labels(records: Sequence[ImageRecord]) -> list[list[LabelPair]]:
    """Returns what images' annotations say, each as a polyline and as a detection.

    These are the labels without what is each label's own: id, class and tags; see
    :func:`.base.new_label`.
    """
    shapes = iter(_shapes(records))
    return [
        [
            _label_pair(annotation, shape, record)
            for annotation, shape in zip(record.annotations, shapes, strict=False)
        ]
        for record in records
    ]


def _label_pair(
    annotation: Annotation, shape: Document | None, record: ImageRecord
) -> LabelPair:
    polyline = detection = None
    attributes = _label_attributes(annotation)
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
    return polyline, detection


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


def _shapes(records: Sequence[ImageRecord]) -> list[Document | None]:
    """Returns each annotation's relative points, and its RLE; None if it has no shape.

    The points of all of them go through :func:`to_relative` at once, which keeps their
    pixels.
    """
    shapes: list[Document | None] = []
    rings: list[np.ndarray] = []
    sizes: list[tuple[int, int]] = []
    for record in records:
        for annotation in record.annotations:
            shape, own = _shape(annotation)
            shapes.append(shape)
            rings += own
            if shape is not None:
                shape["points"] = len(own)
        sizes += [(record.width, record.height)] * (len(rings) - len(sizes))
    if not rings:
        return shapes
    counts = list(map(len, rings))
    widths, heights = np.repeat(sizes, counts, axis=0).T
    points = to_relative(np.concatenate(rings), widths, heights).tolist()
    ends = accumulate(counts, initial=0)
    parts = iter([points[start:end] for start, end in pairwise(ends)])
    for shape in shapes:
        if shape is not None:
            shape["points"] = list(islice(parts, shape["points"]))
    return shapes


def _shape(annotation: Annotation) -> tuple[Document | None, list[np.ndarray]]:
    """Returns what of a shape is not its rings, None if there is no shape; and these.

    An RLE may have no pixel: a single point keeps its place, since FiftyOne's COCO
    exporter raises on a polyline without points.
    """
    if annotation.rle is None:
        return ({} if annotation.rings else None), annotation.rings
    shape: Document = {"rle": annotation.rle}
    outline = annotation.outline or rle_outline(annotation.rle)
    if outline.iou < 1:
        shape["outline_iou"] = outline.iou
    corner = (annotation.box or (0.0, 0.0))[:2]
    return shape, outline.rings or [np.array([corner], float)]


def _label_attributes(annotation: Annotation) -> Document:
    attributes = {
        **identifier("coco_id", annotation.coco_id),
        **identifier("coco_category_id", annotation.category_id),
    }
    if annotation.supercategory is not None:
        attributes["supercategory"] = annotation.supercategory
    attributes["iscrowd"] = annotation.iscrowd
    if annotation.annotated_area is not None:
        attributes["annotated_area"] = annotation.annotated_area
    attributes.update(annotation.attributes)
    return attributes


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
