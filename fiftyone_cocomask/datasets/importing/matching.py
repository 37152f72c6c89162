"""Which annotation of an export is which in the dataset: by shape first.

Ids are the places in a list that shifts from version to version, so an id only counts
where the shape agrees.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from ...coco.classes import class_name
from ..import_base.base import BaseAnnotation, base_annotation
from ..import_base.digests import (
    Document,
    LabelPair,
    RelativeBox,
    attributes_digest,
    label_box,
)
from ..masks.stored import has_mask
from .label_pixels import Pixels, Size, mask_pixels, shape_pixels
from .states import AnnotationState, id_of_pair, id_of_state

# Boxes that overlap less are of two objects.
_MIN_IOU = 0.5
# With the same id and class, a shape may have been drawn anew.
_MIN_IOU_SAME_ID = 0.2
# What a JSON with two decimals loses of a place in an image of 500 px, and some more.
_TOLERANCE = 2e-5

_Key = tuple[Any, ...]


def match_annotations(
    states: Sequence[AnnotationState],
    pairs: Sequence[LabelPair],
    records: Sequence[BaseAnnotation],
    names: Collection[str],
    size: Size | None = None,
) -> list[int | None]:
    """Finds the annotation of the dataset that each annotation of an export is.

    The first of these that fits: an annotation that is as it was imported and as the
    export has it; one that a person has made what the export says, wherever it was
    before; one of the same shape and class; one of the same shape; the one whose box
    overlaps most, with a bonus for the same id and class.

    Args:
        states: the annotations that the dataset has or the last import wrote
        pairs: the labels of the export's annotations
        records: what the base will hold of these
        names: the names of the export's own attributes
        size: the width and height of the image, if known

    Returns:
        for each annotation of the export the index of its state, None for a new one
    """
    known = [
        state.base or base_annotation(state.polyline, state.detection, names)
        for state in states
    ]
    matches: list[int | None] = [None] * len(pairs)
    if len(known) == len(records) and all(
        a[2:6] == b[2:6] for a, b in zip(known, records, strict=True)
    ):
        # Nothing has changed: nearly always so.
        return list(range(len(known)))
    as_written = [i for i, s in enumerate(states) if s.base and not s.is_changed]
    _match_equal(as_written, known, records, matches, _whole_key)
    for side in (0, 1):
        _match_persons(states, pairs, matches, names, side, is_exact=True)
    # Of several equal ones, those that a person has deleted are what the export lacks.
    order = sorted(range(len(known)), key=lambda index: not states[index].labels)
    _match_equal(order, known, records, matches, _whole_key)
    there = [index for index, state in enumerate(states) if _is_there(state)]
    for key_of in (_shape_and_class_key, _shape_key):
        _match_equal(there, known, records, matches, key_of)
    for side in (0, 1):
        _match_persons(states, pairs, matches, names, side, is_exact=False)
    if size is not None:
        _match_masks(states, pairs, matches, size)
    # Somebody may have drawn again what was deleted.
    for key_of in (_shape_and_class_key, _shape_key):
        _match_equal(order, known, records, matches, key_of)
    written = [index for index, state in enumerate(states) if state.base is not None]
    others = [index for index, state in enumerate(states) if state.base is None]
    for candidates in (written, others):
        _match_overlapping(candidates, states, known, pairs, records, matches)
    return matches


def is_same_label(first: Document, second: Document, names: Collection[str]) -> bool:
    """Whether two labels say the same, but for what rounding does to coordinates."""
    return (
        first.get("label") == second.get("label")
        and is_same_shape(first, second)
        and attributes_digest(first, names) == attributes_digest(second, names)
    )


def is_same_shape(first: Document, second: Document) -> bool:
    """Whether two labels have the same points or boxes, but for rounding."""
    if "bounding_box" in second:
        return not has_mask(first) and is_same_box(first, second)
    return bool(first.get("closed") and first.get("filled")) and is_same_outline(
        first, second
    )


def is_same_box(first: Document, second: Document) -> bool:
    """Whether two detections have the same box, apart from rounding."""
    return _are_close(first.get("bounding_box"), second["bounding_box"])


def is_class_of(label: Document, other: Document) -> bool:
    """Whether an export of a label has the class that another one says."""
    return class_name(label.get("label")) == other.get("label")


def is_same_outline(first: Document, second: Document) -> bool:
    """Whether two polylines have the same points, but for rounding.

    Exports write those as polygons that are not closed or filled, as the App stores
    what is drawn without a label schema.
    """
    rle, other = first.get("rle"), second.get("rle")
    # A label whose points were edited still has the RLE that it was: the points count,
    # and exports have them alone. So do those of an RLE that show all of its pixels.
    is_other = other and rle != other
    if is_other or (rle and not other and first.get("outline_iou") is not None):
        return False
    mine, theirs = first.get("points") or [], second.get("points") or []
    return len(mine) == len(theirs) and all(
        _are_close(a, b) for a, b in zip(mine, theirs, strict=True)
    )


def _are_close(first: Any, second: Any) -> bool:
    try:
        mine, theirs = np.asarray(first, float), np.asarray(second, float)
    except (TypeError, ValueError):
        return False
    if mine.shape != theirs.shape:
        return False
    return not mine.size or float(np.abs(mine - theirs).max()) <= _TOLERANCE


def _whole_key(record: BaseAnnotation) -> _Key:
    return record[2:6]


def _shape_and_class_key(record: BaseAnnotation) -> _Key:
    return (*_shape_key(record), record.label)


def _shape_key(record: BaseAnnotation) -> _Key:
    if record.has_polyline:
        return "points", record.points
    return "box", record.bounding_box


def _is_there(state: AnnotationState) -> bool:
    """Whether the label of an annotation's shape is there."""
    has_polyline = state.base is not None and state.base.has_polyline
    return state.polyline is not None if has_polyline else bool(state.labels)


def _match_equal(
    candidates: Sequence[int],
    known: Sequence[BaseAnnotation],
    records: Sequence[BaseAnnotation],
    matches: list[int | None],
    key_of: Any,
) -> None:
    """Matches annotations of equal keys; where several are equal, in their order."""
    taken = {index for index in matches if index is not None}
    free: dict[_Key, list[int]] = {}
    for index in reversed(candidates):
        if index not in taken:
            free.setdefault(key_of(known[index]), []).append(index)
    for place, record in enumerate(records):
        if matches[place] is None:
            equal = free.get(key_of(record))
            if equal:
                matches[place] = equal.pop()


def _match_persons(
    states: Sequence[AnnotationState],
    pairs: Sequence[LabelPair],
    matches: list[int | None],
    names: Collection[str],
    side: int,
    *,
    is_exact: bool,
) -> None:
    """Matches labels that a person has edited or added, and that say the same now.

    Of side 0, annotations by their polylines; of side 1, those without one. Those that
    are not exact are of one shape and class, as far as an export says it.
    """
    taken = {index for index in matches if index is not None}
    persons: list[tuple[int, Document, RelativeBox]] = []
    for index, state in enumerate(states):
        label = None if index in taken else _persons_label(state, side)
        box = label_box(label) if label is not None else None
        if label is not None and box is not None:
            persons.append((index, label, box))
    if not persons:
        return
    boxes = np.array([box for _, _, box in persons])
    for place, pair in enumerate(pairs):
        other = pair[side]
        box = label_box(other) if other is not None and matches[place] is None else None
        if other is None or box is None:
            continue
        # Boxes are given by place and size: their ends differ by twice as much.
        near = (np.abs(boxes - box) <= 2 * _TOLERANCE).all(axis=1)
        for row in np.flatnonzero(near).tolist():
            index, label, _ = persons[row]
            if index not in taken and (
                is_same_label(label, other, names)
                if is_exact
                else _is_written(states[index], label, other)
            ):
                matches[place] = index
                taken.add(index)
                break


def _is_written(state: AnnotationState, label: Document, other: Document) -> bool:
    """Whether an export of an annotation has the shape and class that another says."""
    is_same = is_same_outline if "points" in other else is_same_shape
    return is_class_of(state.label_of_class or label, other) and is_same(label, other)


def _match_masks(
    states: Sequence[AnnotationState],
    pairs: Sequence[LabelPair],
    matches: list[int | None],
    size: Size,
) -> None:
    """Matches masks that a person has painted with shapes of the very same pixels."""
    taken = {index for index in matches if index is not None}
    painted: dict[Pixels, list[int]] = {}
    for index, state in enumerate(states):
        label = None if index in taken else _persons_label(state, 1)
        pixels = None if label is None else mask_pixels(label, size)
        if pixels is not None:
            painted.setdefault(pixels, []).append(index)
    if not painted:
        return
    for place, (other, _) in enumerate(pairs):
        if other is None or matches[place] is not None:
            continue
        pixels = shape_pixels(other, size)
        for index in painted.get(pixels, ()) if pixels is not None else ():
            label = states[index].label_of_class
            if index not in taken and label is not None and is_class_of(label, other):
                matches[place] = index
                taken.add(index)
                break


def _persons_label(state: AnnotationState, side: int) -> Document | None:
    """Returns the label that tells where a person has put an annotation."""
    if side == 0:
        is_persons = state.base is None or state.is_polyline_changed
        return state.polyline if is_persons else None
    is_persons = state.base is None or state.is_detection_changed
    return state.detection if is_persons and state.polyline is None else None


def _match_overlapping(
    candidates: Sequence[int],
    states: Sequence[AnnotationState],
    known: Sequence[BaseAnnotation],
    pairs: Sequence[LabelPair],
    records: Sequence[BaseAnnotation],
    matches: list[int | None],
) -> None:
    """Matches what is left of the candidates by overlap, the best pairs first."""
    taken = {index for index in matches if index is not None}
    left = [index for index in candidates if index not in taken]
    places = [place for place, index in enumerate(matches) if index is None]
    if not left or not places:
        return
    boxes = np.array([_boxes_of(states[index], known[index]) for index in left])
    ids = [id_of_state(states[index]) for index in left]
    found: list[tuple[float, int, int]] = []
    for place in places:
        box = np.array(_boxes_of(None, records[place]))
        iou = _box_iou(boxes, box)
        coco_id = id_of_pair(pairs[place])
        for row in np.flatnonzero(iou >= _MIN_IOU_SAME_ID).tolist():
            is_same_class = known[left[row]].label == records[place].label
            is_same_id = coco_id is not None and coco_id == ids[row]
            if iou[row] >= _MIN_IOU or (is_same_id and is_same_class):
                bonus = 0.1 * is_same_class + 0.1 * is_same_id
                found.append((iou[row] + bonus, place, left[row]))
    for _, place, index in sorted(found, key=lambda item: (-item[0], *item[1:])):
        if matches[place] is None and index not in taken:
            matches[place] = index
            taken.add(index)


def _boxes_of(state: AnnotationState | None, record: BaseAnnotation) -> RelativeBox:
    if state is not None and state.base is None and state.labels:
        return label_box(state.labels[0]) or (0.0, 0.0, 0.0, 0.0)
    return record.box


def _box_iou(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns the IoU of each of (n, 4) boxes with one; flat ones count as thin."""
    thin = 1e-6
    low = np.maximum(boxes[:, :2], box[:2])
    high = np.minimum(boxes[:, 2:], box[2:])
    shared = np.clip(high - low + thin, 0, None).prod(axis=1)
    sizes = (boxes[:, 2:] - boxes[:, :2] + thin).prod(axis=1)
    size = float((box[2:] - box[:2] + thin).prod())
    iou: np.ndarray = shared / (sizes + size - shared)
    return iou
