"""Where the labels of a field are inside a sample's document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from bson import ObjectId

from ..fiftyone_types import SampleCollection
from .documents import Document, aggregate_documents, all_images, root_dataset
from .import_base.fields import boxes_written_with
from .label_fields import OBJECT_LISTS, object_list_path

# The computed field of the boxes that are drawn too; no field of a user begins so.
BOXES = "_boxes"
# Where labels have the id of their annotation: a number, or text.
ANNOTATION_IDS = ("coco_id", "coco_id_text")
# MongoDB's expression of it.
_IDENTITY: list[Document] = [{"$ifNull": [f"$$this.{n}", None]} for n in ANNOTATION_IDS]


@dataclass(frozen=True, slots=True)
class LabelList:
    """The labels of a field: a list of them, or a single one.

    Attributes:
        field: the label field, such as ``"segmentations"``
        path: the path of the labels, such as ``"segmentations.polylines"``; that of
            the field where it holds a single label
    """

    field: str
    path: str

    @classmethod
    def of_field(cls, samples: SampleCollection, label_field: str) -> LabelList:
        """Returns that of a field.

        Raises:
            CocoMaskError: if there is no such field or its labels are not objects
        """
        return cls(label_field, object_list_path(samples, label_field))

    @property
    def is_list(self) -> bool:
        """Whether a sample has a list of labels."""
        return self.path != self.field

    def is_detections(self, dataset: fo.Dataset) -> bool:
        """Whether they are boxes, which may have masks."""
        kind = dataset.get_field(self.field).document_type
        return kind in (fo.Detections, fo.Detection)

    def documents(self, sample: Document) -> list[Document]:
        """Returns the documents of a sample's labels."""
        value = sample.get(self.field)
        if not value:
            return []
        if not self.is_list:
            return [value]
        return value.get(self.path.rpartition(".")[2]) or []

    def values(self, sample: Document, labels: list[Document]) -> Document:
        """Returns what to set, by path, so that a sample has these labels."""
        if not self.is_list:
            return {self.path: labels[0] if labels else None}
        if sample.get(self.field):
            return {self.path: labels}
        name = self.path.rpartition(".")[2]
        kind = next(kind for kind, key in OBJECT_LISTS.items() if key == name)
        return {self.field: {"_cls": kind.__name__, name: labels}}

    def expression(self) -> Document:
        """Returns MongoDB's expression of the list of a sample's labels."""
        if self.is_list:
            return {"$ifNull": [f"${self.path}", []]}
        has_one = {"$eq": [{"$type": f"${self.path}"}, "object"]}
        return {"$cond": [has_one, [f"${self.path}"], []]}

    def attribute(self, index: int, name: str) -> str:
        """Returns the path of an attribute of one of a sample's labels."""
        return f"{self.path}.{index}.{name}" if self.is_list else f"{self.path}.{name}"

    def guard(self, ids: list[ObjectId]) -> Document:
        """Returns the filter that holds as long as these are the labels of a sample.

        Updates of labels go by their place in the list, which is that of another
        label once somebody has deleted one.
        """
        if not ids:
            return {}
        if not self.is_list:
            return {f"{self.path}._id": ids[0]}
        return {"$expr": {"$eq": [f"${self.path}._id", ids]}}


def with_all_labels(samples: SampleCollection) -> Any:
    """Returns the samples of a view with all labels, also those that it filters out."""
    dataset = root_dataset(samples)
    if samples is dataset:
        return samples
    return all_images(dataset).select(samples.values("id"))


def annotation_of(label: Document) -> Any:
    """Returns the id of a label's annotation, None if it has none."""
    for name in ANNOTATION_IDS:
        value: Any = label.get(name)
        if isinstance(value, int):
            return int(value)  # MongoDB's 64-bit numbers are of a class of their own.
        # Whatever else somebody has put there is none.
        if isinstance(value, (float, str)):
            return value
    return None


def labels_and_boxes(dataset: fo.Dataset, labels: LabelList) -> dict[str, LabelList]:
    """Returns labels and, if there are any, :func:`boxes_beside` them, by field."""
    boxes = boxes_beside(dataset, labels)
    return {found.field: found for found in (labels, boxes) if found is not None}


def boxes_beside(dataset: fo.Dataset, labels: LabelList) -> LabelList | None:
    """Returns the boxes that an import has written beside a field of segmentations."""
    if not dataset.has_field(f"{labels.path}.coco_id"):
        return None
    boxes = {
        name: LabelList.of_field(dataset, name)
        for name in dataset.get_field_schema(embedded_doc_type=fo.Detections)
        if name != labels.field
    }
    with_ids = [n for n, x in boxes.items() if dataset.has_field(f"{x.path}.coco_id")]
    found = boxes_written_with(dataset, labels.field, with_ids) if with_ids else None
    return boxes[found] if found is not None else None


def boxes_to_draw(dataset: fo.Dataset, label_field: str, box_field: str) -> Document:
    """Returns MongoDB's expression of the boxes whose annotations have no polygon.

    Args:
        dataset: the dataset
        label_field: a field of polygons that an import has written
        box_field: the field of the same annotations' boxes
    """
    labels = LabelList.of_field(dataset, label_field)
    alone = _boxes_alone(labels, LabelList.of_field(dataset, box_field))
    names = ("_id", "label", "iscrowd", "bounding_box", "mask", "mask_path")
    return {"$map": {"input": alone, "in": {n: f"$$this.{n}" for n in names}}}


def boxes_of_their_own(labels: LabelList, boxes: LabelList) -> Document:
    """Returns MongoDB's expression of the boxes of objects that labels have not."""
    ids = {"$map": {"input": labels.expression(), "in": _IDENTITY}}
    has_none = {"$eq": [_IDENTITY, [None, None]]}
    is_own = {"$or": [has_none, {"$not": [{"$in": [_IDENTITY, ids]}]}]}
    return {"$filter": {"input": boxes.expression(), "cond": is_own}}


def count_boxes_only(samples: SampleCollection, labels: LabelList) -> int:
    """Returns how many boxes of samples have no shape: neither a mask nor a polygon.

    Args:
        samples: a dataset or view; all labels of its samples count
        labels: a field of Detections, or of polygons that an import has written
    """
    found = _boxes_only(root_dataset(samples), labels)
    if found is None:
        return 0
    count = {"$group": {"_id": None, "count": {"$sum": {"$size": found}}}}
    groups = aggregate_documents(with_all_labels(samples), [count])
    return sum(group["count"] for group in groups)


def images_of_boxes(
    samples: SampleCollection, labels: LabelList
) -> dict[ObjectId, int]:
    """Returns how many boxes have those samples that have boxes without shapes alone.

    Args:
        samples: a dataset or view; all labels of its samples count
        labels: as for :func:`count_boxes_only`
    """
    dataset = root_dataset(samples)
    found = _boxes_only(dataset, labels)
    if found is None:
        return {}
    is_of_boxes = labels.is_detections(dataset)
    shapes = labels.expression() if is_of_boxes else _shapes(labels)
    sizes = {"boxes": {"$size": found}, "labels": {"$size": shapes}}
    others = "$boxes" if is_of_boxes else 0
    condition = {"$and": [{"$gt": ["$boxes", 0]}, {"$eq": ["$labels", others]}]}
    stages: list[Document] = [{"$project": sizes}, {"$match": {"$expr": condition}}]
    rows = aggregate_documents(with_all_labels(samples), stages)
    return {row["_id"]: row["boxes"] for row in rows}


def _boxes_only(dataset: fo.Dataset, labels: LabelList) -> Document | None:
    """Returns MongoDB's expression of a sample's boxes without a shape."""
    if labels.is_detections(dataset):
        is_box = {
            "$and": [
                {"$eq": [{"$ifNull": [f"$$this.{name}", None]}, None]}
                for name in ("mask", "mask_path")
            ]
        }
        return {"$filter": {"input": labels.expression(), "cond": is_box}}
    boxes = boxes_beside(dataset, labels)
    return None if boxes is None else _boxes_alone(labels, boxes)


def _boxes_alone(labels: LabelList, boxes: LabelList) -> Document:
    """Returns MongoDB's expression of the boxes whose annotations have no shape.

    Boxes that belong to no annotation are not among them: a person has drawn those.
    """
    of_shapes = {"$map": {"input": _shapes(labels), "in": _IDENTITY}}
    of_boxes = {"$map": {"input": boxes.expression(), "in": _IDENTITY}}
    # A difference of sets: looking each up in a list would take quadratic time.
    others = {"$concatArrays": [of_shapes, [[None, None]]]}
    is_alone = {"$in": [_IDENTITY, "$$alone"]}
    return {
        "$let": {
            "vars": {"alone": {"$setDifference": [of_boxes, others]}},
            "in": {"$filter": {"input": boxes.expression(), "cond": is_alone}},
        }
    }


def _shapes(labels: LabelList) -> Document:
    """Returns MongoDB's expression of the polygons that have points or an RLE."""
    has_shape = {
        "$or": [
            {"$gt": [{"$ifNull": ["$$this.rle", None]}, None]},
            {"$gt": [{"$size": _list_or_none("$$this.points")}, 0]},
        ]
    }
    return {"$filter": {"input": labels.expression(), "cond": has_shape}}


def _list_or_none(expression: str) -> Document:
    return {"$cond": [{"$isArray": expression}, expression, []]}
