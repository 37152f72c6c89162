"""Records of an export -> the sample and label documents that the import writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from bson import ObjectId

from ...coco.records import Annotation, ImageRecord
from ...geometry.outlines import rle_outline
from ...geometry.rings import to_relative
from ..documents import Document
from .base import SampleBase, base_annotation

# The labels of one annotation: its polyline and its detection, each if it has one.
LabelPair = tuple[Document | None, Document | None]


class LabelIds:
    """Ids of labels that are the same each time an export is imported.

    They depend on the dataset, the field, the split, the file name and the
    annotation's id, so importing again finds each label where it left it.
    """

    def __init__(self, dataset_id: ObjectId, record: ImageRecord) -> None:
        self._image = f"{dataset_id}|{record.split}|{record.file_name}"
        self._seen: Counter[tuple[str, str]] = Counter()

    def next(self, field: str, annotation_id: Any) -> ObjectId:
        """Returns the id of the annotation's label in a field.

        Annotations that share an id are told apart by their order.
        """
        name = repr(annotation_id)
        occurrence = self._seen[field, name]
        self._seen[field, name] += 1
        key = f"{self._image}|{field}|{name}|{occurrence}"
        return ObjectId(blake2b(key.encode(), digest_size=12).digest())


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


def annotation_labels(
    record: ImageRecord, dataset_id: ObjectId, label_field: str, box_field: str
) -> list[LabelPair]:
    """Returns the polyline and the detection of each of an image's annotations."""
    ids = LabelIds(dataset_id, record)
    pairs: list[LabelPair] = []
    for annotation in record.annotations:
        polyline = detection = None
        attributes = dict(_label_attributes(annotation))
        shape = _shape(annotation, record)
        if shape is not None:
            polyline = {
                "_id": ids.next(label_field, annotation.coco_id),
                "_cls": "Polyline",
                "attributes": {},
                "tags": [],
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
                "_id": ids.next(box_field, annotation.coco_id),
                "_cls": "Detection",
                "attributes": {},
                "tags": [],
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


def sample_base(
    record: ImageRecord, pairs: Sequence[LabelPair], origin: str | None = None
) -> SampleBase:
    """Returns what the next merge has to know of what is written on a sample."""
    own = {name for annotation in record.annotations for name in annotation.attributes}
    names = tuple(sorted(own))
    return SampleBase(
        tuple(base_annotation(*pair, names) for pair in pairs),
        names,
        record.split,
        tuple(record.user_tags),
        origin=origin,
    )


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
    """Returns an id under its name, or under ``<name>_text`` where it is no number.

    COCO's ids are numbers, and so are the fields; some exports have text there.
    """
    if value is None:
        return {}
    return {name if isinstance(value, int) else f"{name}_text": value}


def keep_unchanged_labels(new: Document, old: Document | None, list_name: str) -> None:
    """Puts labels that are already there in place of their equal new ones.

    What other programs added to a label (tags, figures of an evaluation) stays as
    long as everything the import writes is the same; its tags stay in any case.

    Args:
        new: the label document about to be written; changed in place
        old: the one the sample has
        list_name: ``"polylines"`` or ``"detections"``
    """
    present = {label["_id"]: label for label in (old or {}).get(list_name) or []}
    labels = new[list_name]
    for index, label in enumerate(labels):
        before = present.get(label["_id"])
        if before is None:
            continue
        written = {name for name in label if name not in ("tags", "attributes")}
        if all(before.get(name) == label[name] for name in written):
            labels[index] = before
        else:
            label["tags"] = before.get("tags", [])
