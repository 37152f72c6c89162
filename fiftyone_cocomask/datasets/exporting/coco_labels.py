"""The labels of a sample -> the annotations of its image in a COCO JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from bson import ObjectId

from ...coco.classes import SplitClasses, class_name
from ...coco.frames import TurnedBack
from ...coco.originals import AnnotationForm
from ..documents import Document
from ..import_base.base import BASE_FIELD, SampleBase
from ..importing.states import (
    AnnotationState,
    Change,
    annotation_states,
    id_of_state,
    paired_states,
)
from ..label_lists import annotation_of
from .coco_attributes import AttributeWriter
from .coco_fields import LabelFields
from .coco_geometry import SampleGeometry, UnwritableLabelError


@dataclass(slots=True)
class Written:
    """An annotation to write.

    Attributes:
        entry: its keys and values; ``id`` is still to be set
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


_decoder = msgspec.json.Decoder()


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
        self._attributes = AttributeWriter(form, fields.owned)
        self._category_ids: dict[tuple[Any, Any], Any] = {}

    def of_form(self, form: AnnotationForm) -> LabelWriter:
        """Returns what makes annotations of the same split from labels of another form.

        Args:
            form: the form of the annotations that the labels were
        """
        return LabelWriter(self._fields, self._classes, form)

    def annotations(
        self,
        document: Document,
        size: tuple[int, int],
        turned: TurnedBack | None,
        image_id: Any,
        area_factor: float = 1.0,
    ) -> Iterator[Written | Loss | Gone]:
        """Yields the annotations of a sample, and what is none.

        Args:
            document: the sample's document
            size: the width and height of its image as it is shown, in pixels
            turned: how coordinates are turned back, if they were turned
            image_id: the id of the image
            area_factor: what areas that the import found are multiplied by
        """
        base = self._base(document)
        sample = SampleGeometry(self._fields, size, turned, area_factor)
        fields = self._fields
        labels = _labels(document, fields.label_field, fields.label_list)
        boxes: list[Document] = []
        if fields.box_field is not None:
            boxes = _labels(document, fields.box_field, fields.box_list)
        sample.prepare(labels, boxes)
        for state in self._states(labels, boxes, base):
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
                yield self._written(state, sample, image_id, is_new=is_new)
            except UnwritableLabelError as error:
                yield Loss(state.labels[0]["_id"], str(error))

    def _base(self, document: Document) -> SampleBase | None:
        fields = self._fields
        if fields.written_as is None:
            return None
        base = SampleBase.of_fields(document.get(BASE_FIELD), fields.written_as)
        if base is None or fields.box_field is not None:
            return base
        return base.of_one_field(0 if fields.label_list == "polylines" else 1)

    def _states(
        self,
        labels: Sequence[Document],
        boxes: Sequence[Document],
        base: SampleBase | None,
    ) -> list[AnnotationState]:
        if base is not None:
            base = base.with_names(self._form.origins)
            if self._fields.label_list == "detections":
                labels, boxes = boxes, labels
            return paired_states(annotation_states(base, labels, boxes))
        if self._fields.box_field is None:
            return [_alone(label) for label in labels]
        states = _paired(labels, boxes)
        if self._fields.has_lone_boxes:
            return states
        return [state for state in states if state.polyline is not None]

    def _written(
        self,
        state: AnnotationState,
        sample: SampleGeometry,
        image_id: Any,
        *,
        is_new: bool,
    ) -> Written:
        shape_label = state.polyline or state.detection
        class_label, label = state.label_of_class, state.label_of_attributes
        assert shape_label is not None
        assert class_label is not None
        assert label is not None
        original = _original(shape_label)
        entry: dict[str, Any] = {
            "id": None,
            "image_id": image_id,
            "category_id": self._category_id(class_label),
        }
        sample.add_geometry(entry, state, original, is_new=is_new)
        form = self._form
        if (
            is_new
            or label.get("iscrowd")
            or original.get("has_iscrowd", form.has_iscrowd) is not False
        ):
            entry["iscrowd"] = 1 if label.get("iscrowd") else 0
        partner = state.detection if label is state.polyline else state.polyline
        lost = self._attributes.add(
            entry,
            label,
            partner or {},
            original,
            are_changed=state.are_attributes_changed,
        )
        change = state.change
        if state.base is None and not is_new:
            change = self._change_without_base(class_label)
        coco_id = None
        if not is_new:
            coco_id = original.get("id")
            if coco_id is None:
                coco_id = id_of_state(state)
        has_rle = type(entry["segmentation"]) is dict
        place = None if is_new else original.get("place")
        return Written(entry, coco_id, change, has_rle, place, shape_label["_id"], lost)

    def _category_id(self, label: Document) -> Any:
        key = label.get("label"), _category_of(label)
        found = self._category_ids.get(key)
        if found is None:
            try:
                found = self._classes.id_of(class_name(key[0]), key[1])
            except KeyError:
                raise UnwritableLabelError(
                    f"its class {key[0]} is new since the export began; run it again"
                ) from None
            self._category_ids[key] = found
        return found

    def _change_without_base(self, label: Document) -> Change:
        """Returns what is known of a label that an import of 0.1 or another wrote."""
        if not self._fields.is_imported:
            return Change.UNCHANGED
        was = self._classes.name_of(_category_of(label))
        is_same = was in (None, class_name(label.get("label")))
        return Change.UNCHANGED if is_same else Change.RELABELLED


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
        waiting.setdefault(annotation_of(label), []).append(place)
    found: list[AnnotationState] = []
    for box in boxes:
        key = annotation_of(box)
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


def _has_id(label: Document) -> bool:
    return annotation_of(label) is not None


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
        value = _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
