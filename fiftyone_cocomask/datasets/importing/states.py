"""What became of a sample's annotations in the dataset since the import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ..import_base.base import BaseAnnotation, SampleBase
from ..import_base.digests import (
    NO_LABEL,
    Document,
    LabelPair,
    attributes_digest,
    box_record,
    label_box,
    label_digest,
    points_digest,
    short_id,
)
from ..label_lists import annotation_of


class Change(Enum):
    """What became of an annotation in the dataset since the import."""

    UNCHANGED = "unchanged"
    """Both labels are there as the import wrote them."""
    EDITED = "edited"
    """Its shape, box or attributes are others, or one of its two labels is gone."""
    RELABELLED = "relabelled"
    """Its class is another one, and nothing else."""
    DELETED = "deleted"
    """Neither of its labels is there."""
    ADDED = "added"
    """The import did not write it."""


@dataclass(slots=True)
class AnnotationState:
    """One annotation: what the import wrote, and its labels as they are now.

    Attributes:
        base: what the import wrote; None if it did not write this one
        polyline: the label document in the field of polylines, if it is there
        detection: the label document in the field of detections, if it is there
        is_polyline_changed: whether the polyline is edited, relabelled or deleted
        is_detection_changed: whether the detection is
        is_shape_changed: whether points or box were edited, or a label deleted
        is_label_changed: whether the class of either label is another
        are_attributes_changed: whether attributes of either label are others
        relabelled: the label whose class is another: the polyline, if both are
        with_other_attributes: the label whose attributes are others, likewise
    """

    base: BaseAnnotation | None
    polyline: Document | None = None
    detection: Document | None = None
    is_polyline_changed: bool = False
    is_detection_changed: bool = False
    is_shape_changed: bool = False
    is_label_changed: bool = False
    are_attributes_changed: bool = False
    relabelled: Document | None = None
    with_other_attributes: Document | None = None

    @property
    def is_changed(self) -> bool:
        """Whether anything of it is not as the import wrote it."""
        return self.is_polyline_changed or self.is_detection_changed

    @property
    def is_half_deleted(self) -> bool:
        """Whether one label is gone and the other, if any, is untouched."""
        return self.is_polyline_changed != self.is_detection_changed and (
            (self.is_polyline_changed and self.polyline is None)
            or (self.is_detection_changed and self.detection is None)
        )

    @property
    def labels(self) -> list[Document]:
        """Its labels that are there."""
        return [x for x in (self.polyline, self.detection) if x is not None]

    @property
    def label_of_class(self) -> Document | None:
        """The label that says its class.

        Whoever changed only the box's class or attributes meant the object.
        """
        return self.relabelled or self.polyline or self.detection

    @property
    def label_of_attributes(self) -> Document | None:
        """The label that says its attributes, in the same way."""
        return self.with_other_attributes or self.polyline or self.detection

    @property
    def change(self) -> Change:
        """What became of it, in one word."""
        if self.base is None or (self.base.is_removed and self.labels):
            return Change.ADDED
        if not self.labels:
            return Change.DELETED
        if self.is_shape_changed or self.are_attributes_changed:
            return Change.EDITED
        return Change.RELABELLED if self.is_label_changed else Change.UNCHANGED


def annotation_states(
    base: SampleBase | None,
    polylines: Sequence[Document],
    detections: Sequence[Document],
) -> list[AnnotationState]:
    """Compares a sample's labels with what the import wrote last.

    Args:
        base: what the import wrote; None where that is not known
        polylines: the label documents of the field of polylines
        detections: the label documents of the field of detections

    Returns:
        the annotations of the base in its order, each with its labels; then, each by
        itself, the labels that the import did not write
    """
    by_id, more = _by_id(polylines)
    boxes_by_id, more_boxes = _by_id(detections)
    states = []
    if base is not None:
        for annotation in base.annotations:
            polyline = by_id.pop(annotation.polyline_id, None)
            detection = boxes_by_id.pop(annotation.detection_id, None)
            state = annotation_state(annotation, polyline, detection, base.names)
            states.append(state)
    added, boxes = [*by_id.values(), *more], [*boxes_by_id.values(), *more_boxes]
    states += [AnnotationState(None, polyline=label) for label in added]
    states += [AnnotationState(None, detection=label) for label in boxes]
    return states


def _by_id(labels: Sequence[Document]) -> tuple[dict[bytes, Document], list[Document]]:
    """Returns labels by their short ids, and those whose ids an earlier label has.

    A program may have appended the same label twice.
    """
    by_id: dict[bytes, Document] = {}
    more = [x for x in labels if by_id.setdefault(short_id(x), x) is not x]
    return by_id, more


def annotation_state(
    base: BaseAnnotation,
    polyline: Document | None,
    detection: Document | None,
    names: Sequence[str],
) -> AnnotationState:
    """Compares the labels of one annotation with what the import wrote last.

    Args:
        base: what the import wrote
        polyline: its label in the field of polylines, if that is there
        detection: its label in the field of detections, if that is there
        names: the names of the export's own attributes
    """
    state = AnnotationState(base, polyline, detection)
    if base.polyline_id != NO_LABEL:
        shape = points_digest(polyline) if polyline else None
        state.is_polyline_changed = _note(state, polyline, shape != base.points, names)
    if base.detection_id != NO_LABEL:
        shape = box_record(detection) if detection else None
        is_other = shape != base.bounding_box
        state.is_detection_changed = _note(state, detection, is_other, names)
    return state


def _note(
    state: AnnotationState,
    label: Document | None,
    is_shape_other: bool,
    names: Sequence[str],
) -> bool:
    """Notes what of one of an annotation's labels is other than the import wrote it.

    Returns:
        whether anything is
    """
    base = state.base
    assert base is not None
    is_label_other = are_others = False
    if label is not None:
        is_label_other = label_digest(label) != base.label
        are_others = attributes_digest(label, names) != base.attributes
    if not (is_shape_other or is_label_other or are_others):
        return False
    state.is_shape_changed |= is_shape_other
    state.is_label_changed |= is_label_other
    state.are_attributes_changed |= are_others
    if is_label_other:
        state.relabelled = state.relabelled or label
    if are_others:
        state.with_other_attributes = state.with_other_attributes or label
    return True


def paired_states(states: list[AnnotationState]) -> list[AnnotationState]:
    """Puts polylines and detections of one id together, where their places agree.

    Those that the last import did not write: what was deleted when that came and is
    there again has its box beside it.
    """
    boxes: dict[object, list[AnnotationState]] = {}
    paired = [state for state in states if state.base is not None]
    states = [state for state in states if state.base is None]
    for state in states:
        if state.detection is not None and id_of_state(state) is not None:
            boxes.setdefault(id_of_state(state), []).append(state)
        elif state.detection is not None:
            paired.append(state)
    for state in states:
        if state.polyline is None:
            continue
        paired.append(state)
        box = label_box(state.polyline)
        for other in boxes.get(id_of_state(state), ()):
            if box and _is_near(box, label_box(other.detection or {})):
                state.detection = other.detection
                boxes[id_of_state(state)].remove(other)
                break
    return paired + [state for rest in boxes.values() for state in rest]


def _is_near(first: tuple[float, ...], second: tuple[float, ...] | None) -> bool:
    """Whether two boxes share a place."""
    if second is None:
        return False
    return (
        first[0] <= second[2]
        and second[0] <= first[2]
        and first[1] <= second[3]
        and second[1] <= first[3]
    )


def id_of_pair(pair: LabelPair) -> int | str | None:
    """Returns the id that an annotation has in the export, if it has one."""
    ids = (annotation_of(label) for label in pair if label is not None)
    return next((found for found in ids if found is not None), None)


def id_of_state(state: AnnotationState) -> int | str | None:
    """Returns the id that an annotation of the dataset had in its export, if any."""
    return id_of_pair((state.polyline, state.detection))
