"""The labels of a sample -> the annotations of its image in a COCO JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any, Literal

import numpy as np
from bson import ObjectId

from ...coco.classes import SplitClasses, class_name
from ...coco.frames import TurnedBack
from ...coco.originals import AnnotationForm, attributes_of, known_attributes
from ...coco.records import Box
from ...coco.writing import numbers
from ...geometry.encoding import patch_box, patch_rle
from ...geometry.objects import Canvas, MaskObject, is_drawable
from ...geometry.outlines import mask_outline
from ...geometry.rle import RLE
from ...geometry.runs import rle_runs
from ..documents import Document
from ..importing.base import (
    BASE_FIELD,
    AnnotationState,
    Change,
    SampleBase,
    annotation_states,
    points_digest,
)
from ..labels import mask_objects

Area = Literal["mask", "box"]
Masks = Literal["rle", "polygons"]

# A label's own fields, which are written in COCO's keys or not at all.
_OWN_NAMES = frozenset(
    {
        "id", "_id", "_cls", "tags", "attributes", "label", "points", "closed",
        "filled", "index", "confidence", "instance", "bounding_box", "mask",
        "mask_path", "rle", "iscrowd", "supercategory", "annotated_area", "coco_id",
        "coco_id_text", "coco_category_id", "coco_category_id_text", "category_id",
        "category_id_text", "coco_original",
    }
)  # fmt: skip
# Relative coordinates give back what the JSON had to this many decimals.
_DECIMALS = 9


class UnwritableLabelError(Exception):
    """A label that no annotation can be made of; the message says why."""


@dataclass(slots=True)
class Written:
    """An annotation to write.

    Attributes:
        entry: its keys and values but ``id`` and ``image_id``
        coco_id: the id that it had; None for a new one
        change: what became of it since the import
        has_rle: whether its segmentation is an RLE
        place: its place in the JSON's list that it was imported from, if known
        label_id: the id of its label
        lost: the names of attributes that JSON cannot hold
    """

    entry: dict[str, Any]
    coco_id: Any
    change: Change
    has_rle: bool
    place: int | None
    label_id: ObjectId
    lost: list[str]


@dataclass(frozen=True, slots=True)
class Loss:
    """A label that cannot be written, in whole or in part.

    Attributes:
        label_id: its id
        reason: why
    """

    label_id: ObjectId
    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """An annotation of the import whose label is not there.

    Attributes:
        id_end: the end of the id of the label that it was written as
    """

    id_end: bytes


@dataclass(frozen=True, slots=True)
class LabelFields:
    """Where labels are, and how they are written.

    Attributes:
        label_field: the field of the objects
        label_list: the list that it keeps them in; None where it is one label
        box_field: the field of the same objects' boxes, if there is one
        box_list: the list that it keeps them in
        is_imported: whether the import wrote these two fields
        area: what ``area`` is of new and edited objects
        masks: how instance masks are written
        owned: the names of attributes that this plugin wrote, which stay here
    """

    label_field: str
    label_list: str | None
    box_field: str | None
    box_list: str | None
    is_imported: bool
    area: Area
    masks: Masks
    owned: frozenset[str]


class LabelWriter:
    """Makes annotations of the labels of a split's samples.

    Args:
        fields: where the labels are
        classes: the split's categories
        form: the form of the split's annotations
    """

    def __init__(
        self, fields: LabelFields, classes: SplitClasses, form: AnnotationForm
    ) -> None:
        self._fields = fields
        self._classes = classes
        self._form = form

    def annotations(
        self, document: Document, size: tuple[int, int], turned: TurnedBack | None
    ) -> Iterator[Written | Loss | Gone]:
        """Yields the annotations of a sample, and what is none.

        Args:
            document: the sample's document
            size: the width and height of its image as it is shown, in pixels
            turned: how coordinates are turned back, if they were turned
        """
        base = self._base(document)
        sample = _Sample(self._fields, size, turned)
        for state in self._states(document, base):
            if _is_deleted(state):
                assert state.base is not None
                base_of = state.base
                is_shape = base_of.has_polyline
                yield Gone(base_of.polyline_id if is_shape else base_of.detection_id)
                continue
            try:
                is_new = state.base is None and (
                    base is not None or not any(map(_has_id, state.labels))
                )
                yield self._written(state, sample, is_new=is_new)
            except UnwritableLabelError as error:
                yield Loss(state.labels[0]["_id"], str(error))

    def _base(self, document: Document) -> SampleBase | None:
        if not self._fields.is_imported:
            return None
        return SampleBase.from_document(document.get(BASE_FIELD))

    def _states(
        self, document: Document, base: SampleBase | None
    ) -> list[AnnotationState]:
        fields = self._fields
        labels = _labels(document, fields.label_field, fields.label_list)
        if fields.box_field is None:
            return [_alone(label) for label in labels]
        boxes = _labels(document, fields.box_field, fields.box_list)
        if base is not None:
            return annotation_states(base, labels, boxes)
        return _paired(labels, boxes)

    def _written(
        self, state: AnnotationState, sample: _Sample, *, is_new: bool
    ) -> Written:
        shape_label = state.polyline or state.detection
        assert shape_label is not None
        label = shape_label
        if state.polyline and state.detection and not state.is_polyline_changed:
            # Whoever changed only the box's class or attributes meant the object.
            label = state.detection if state.is_detection_changed else label
        original = _original(shape_label)
        entry: dict[str, Any] = {
            "category_id": self._category_id(label),
            **sample.geometry(state, original, is_new=is_new),
        }
        form = self._form
        if (
            is_new
            or label.get("iscrowd")
            or original.get("has_iscrowd", form.has_iscrowd) is not False
        ):
            entry["iscrowd"] = 1 if label.get("iscrowd") else 0
        lost = self._add_attributes(entry, label, original)
        change = state.change
        if state.base is None and not is_new:
            change = self._change_without_base(label)
        coco_id = None
        if not is_new:
            coco_id = original.get("id", _identifier(label, "coco_id"))
        has_rle = isinstance(entry["segmentation"], dict)
        place = None if is_new else original.get("place")
        return Written(entry, coco_id, change, has_rle, place, shape_label["_id"], lost)

    def _category_id(self, label: Document) -> Any:
        return self._classes.id_of(class_name(label.get("label")), _category_of(label))

    def _change_without_base(self, label: Document) -> Change:
        """Returns what is known of a label that an import of 0.1 or another wrote."""
        if not self._fields.is_imported:
            return Change.UNCHANGED
        was = self._classes.name_of(_category_of(label))
        is_same = was in (None, class_name(label.get("label")))
        return Change.UNCHANGED if is_same else Change.RELABELLED

    def _add_attributes(
        self, entry: dict[str, Any], label: Document, original: dict[str, Any]
    ) -> list[str]:
        """Adds what a label carries beside COCO's keys.

        Returns:
            the names of attributes that JSON cannot hold
        """
        rest = original.get("rest")
        kept = attributes_of(label, rest, self._form)
        known = known_attributes(rest, self._form)
        lost = []
        new: dict[str, Any] = {}
        for name, value in label.items():
            if name in known or name in _OWN_NAMES or name in self._fields.owned:
                continue
            if name[:1] == "_" or value is None:
                continue
            try:
                new[name] = json_value(value)
            except TypeError:
                lost.append(name)
        if label.get("confidence") is not None and "score" not in kept:
            new.setdefault("score", json_value(label["confidence"]))
        if new:
            nested = kept.get("attributes")
            into = (
                nested if self._form.has_nested and isinstance(nested, dict) else kept
            )
            for name, value in new.items():
                into.setdefault(name, value)
        for name, value in kept.items():
            try:
                entry.setdefault(name, json_value(value))
            except TypeError:
                lost.append(name)
        return lost


class _Sample:
    """The geometry of one sample's labels, in the pixels that the JSON counts."""

    def __init__(
        self, fields: LabelFields, size: tuple[int, int], turned: TurnedBack | None
    ) -> None:
        self._fields = fields
        self._width, self._height = size
        self._turned = turned
        self._canvas: Canvas | None = None

    def geometry(
        self, state: AnnotationState, original: Mapping[str, Any], *, is_new: bool
    ) -> dict[str, Any]:
        """Returns ``bbox``, ``area`` and ``segmentation`` of an annotation."""
        label = state.polyline or state.detection
        assert label is not None
        is_shape_kept = not is_new and _is_shape_kept(state)
        shape = self._shape(
            label, is_rle_known=state.base is not None and is_shape_kept
        )
        box = None
        if state.detection is not None and (is_shape_kept or shape is None):
            box = self._box(state.detection, original)
        area = label.get("annotated_area")
        if not is_shape_kept or box is None:
            own_box, own_area = self._measured(shape, box)
            if box is None or (shape is not None and not is_shape_kept):
                box = own_box
            if not is_shape_kept:
                area = own_area if self._fields.area == "mask" else box[2] * box[3]
                original = {}
        elif "area" in original:
            area = original["area"]
        geometry: dict[str, Any] = {"bbox": numbers(list(box))}
        if area is not None or "area" in original:
            geometry["area"] = _number(area)
        geometry["segmentation"] = self._segmentation(shape, original)
        return geometry

    def _shape(
        self, label: Document, *, is_rle_known: bool
    ) -> list[np.ndarray] | MaskObject | None:
        """Returns rings in pixels as shown, an RLE or mask, or None for a box."""
        if "points" in label:
            rle = label.get("rle")
            if rle and is_rle_known:
                return MaskObject(rle=rle)
            if rle:
                found = mask_objects({"polylines": [label]}, self._width, self._height)
                if found and found[0].geometry.rle is not None:
                    return found[0].geometry
            return self._rings(label)
        if label.get("mask") is None and not label.get("mask_path"):
            return None
        found = mask_objects({"detections": [label]}, self._width, self._height)
        if not found:
            raise UnwritableLabelError("its instance mask cannot be read")
        return found[0].geometry

    def _rings(self, label: Document) -> list[np.ndarray]:
        rings = []
        points = label.get("points") or ()
        for shape in points:
            if len(shape) < 3:
                continue
            try:
                flat = np.fromiter(
                    chain.from_iterable(shape), np.float64, 2 * len(shape)
                )
            except (TypeError, ValueError):
                raise UnwritableLabelError(
                    "its points are not pairs of numbers"
                ) from None
            ring = flat.reshape(-1, 2) * (self._width, self._height)
            if not np.isfinite(flat).all() or not is_drawable(ring):
                raise UnwritableLabelError("its points are far outside any image")
            rings.append(ring)
        if not rings:
            number = sum(map(len, points))
            raise UnwritableLabelError(
                f"it is {'a line' if number else 'a polyline'} of {number} points, "
                "which enclose nothing"
            )
        return rings

    def _box(self, detection: Document, original: Mapping[str, Any]) -> Box | None:
        """Returns a detection's box in the pixels of the JSON."""
        relative = detection.get("bounding_box")
        try:
            x, y, width, height = map(float, relative or ())
        except (TypeError, ValueError):
            return None
        if not all(map(math.isfinite, (x, y, width, height))):
            return None
        bbox = original.get("bbox")
        sides = (self._width, self._height, self._width, self._height)
        if bbox is not None and [b / s for b, s in zip(bbox, sides, strict=True)] == (
            relative
        ):
            return tuple(bbox)
        box = (
            x * self._width,
            y * self._height,
            width * self._width,
            height * self._height,
        )
        if self._turned is not None:
            box = self._turned.box(box)
        left, top, right, bottom = (round(value, _DECIMALS) for value in box)
        return left, top, right, bottom

    def _measured(
        self, shape: list[np.ndarray] | MaskObject | None, box: Box | None
    ) -> tuple[Box, float]:
        """Returns the box and the area of a shape's pixels, in those of the JSON."""
        if shape is None:
            if box is None:
                raise UnwritableLabelError("it has neither a shape nor a box")
            return box, box[2] * box[3]
        geometry = shape
        if isinstance(geometry, list):
            geometry = MaskObject(rings=tuple(geometry))
        if self._canvas is None:
            self._canvas = Canvas(self._height, self._width, "coco")
        patch = self._canvas.patch(geometry)
        found: Box | None = patch_box(patch)
        if found is None:
            if box is not None:
                return box, 0
            if not isinstance(shape, list):
                raise UnwritableLabelError("it has no foreground pixel")
            points = np.concatenate(shape)
            low, high = points.min(axis=0), points.max(axis=0)
            x, y, width, height = np.concatenate([low, high - low]).round(9).tolist()
            found = (x, y, width, height)
        if self._turned is not None:
            found = self._turned.box(found)
        return found, patch.area

    def _segmentation(
        self,
        shape: list[np.ndarray] | MaskObject | None,
        original: Mapping[str, Any],
    ) -> Any:
        if shape is None:
            return []
        if isinstance(shape, list):
            return self._polygons(shape)
        if shape.rle is not None:
            return self._rle(shape.rle, as_list=original.get("counts") == "list")
        if self._canvas is None:
            self._canvas = Canvas(self._height, self._width, "coco")
        patch = self._canvas.patch(shape)
        if not patch.area:
            raise UnwritableLabelError("its mask has no foreground pixel in the image")
        if self._fields.masks == "polygons":
            return self._polygons(mask_outline(patch.mask, patch.x, patch.y))
        return self._rle(patch_rle(patch, self._height, self._width))

    def _polygons(self, rings: Sequence[np.ndarray]) -> Any:
        if self._turned is not None:
            rings = [self._turned.points(ring) for ring in rings]
        return numbers([ring.round(_DECIMALS).ravel().tolist() for ring in rings])

    def _rle(self, rle: RLE, *, as_list: bool = False) -> dict[str, Any]:
        if self._turned is not None:
            rle = self._turned.rle(rle)
        counts: Any = rle["counts"]
        if as_list:
            runs, count = rle_runs([counts])
            counts = runs.ravel()[: count[0]].tolist()
        elif isinstance(counts, bytes):
            counts = counts.decode("ascii")
        return {"size": list(rle["size"]), "counts": counts}


def json_value(value: Any) -> Any:
    """Returns a value of MongoDB's as JSON holds it.

    Raises:
        TypeError: if JSON cannot hold it
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return int(value)  # MongoDB's 64-bit numbers are of a class of their own.
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, ObjectId):
        return str(value)
    raise TypeError(type(value).__name__)


def _labels(document: Document, field: str, list_name: str | None) -> list[Document]:
    value = document.get(field)
    if not value:
        return []
    return [value] if list_name is None else value.get(list_name) or []


def _alone(label: Document) -> AnnotationState:
    if "points" in label:
        return AnnotationState(None, polyline=label)
    return AnnotationState(None, detection=label)


def _paired(
    labels: Sequence[Document], boxes: Sequence[Document]
) -> list[AnnotationState]:
    """Pairs labels and boxes of one ``coco_id``; in the order of the boxes."""
    states: dict[int, AnnotationState] = {}
    waiting: dict[Any, list[int]] = {}
    for place, label in enumerate(labels):
        states[place] = _alone(label)
        waiting.setdefault(_identifier(label, "coco_id"), []).append(place)
    found: list[AnnotationState] = []
    for box in boxes:
        key = _identifier(box, "coco_id")
        places = waiting.get(key) if key is not None else None
        if places:
            state = states.pop(places.pop(0))
            state.detection = box
            found.append(state)
        else:
            found.append(AnnotationState(None, detection=box))
    return [*found, *states.values()]


def _is_deleted(state: AnnotationState) -> bool:
    """Whether an annotation of the import is gone.

    Whoever deletes a polygon deletes the object, also where its box is still there.
    """
    if state.base is None:
        return False
    if state.base.has_polyline:
        return state.polyline is None
    return state.detection is None


def _is_shape_kept(state: AnnotationState) -> bool:
    """Whether the shape, or the box of an annotation without one, is as it was."""
    if state.base is None or not state.is_shape_changed:
        return True
    # The shape was edited, or the box, or one of them is gone.
    return bool(state.polyline and points_digest(state.polyline) == state.base.points)


def _has_id(label: Document) -> bool:
    return _identifier(label, "coco_id") is not None


def _identifier(label: Document, name: str) -> Any:
    value = label.get(name)
    if value is None:
        value = label.get(f"{name}_text")
    # MongoDB's 64-bit numbers are of a class of their own.
    return int(value) if isinstance(value, int) else value


def _category_of(label: Document) -> Any:
    value = _identifier(label, "coco_category_id")
    # Version 0.1 called it so.
    return _identifier(label, "category_id") if value is None else value


def _original(label: Document) -> dict[str, Any]:
    text = label.get("coco_original")
    if not isinstance(text, str):
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
