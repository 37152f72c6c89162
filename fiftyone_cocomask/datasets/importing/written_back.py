"""Whether an export says of an annotation what an export of the dataset says of it.

An export cannot say all that labels do: that a polygon is not filled, that an object is
a Detection with a mask, that its box is not around its edited polygon, that it has no
class, or how sure a program was. What it makes of them is no other version of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..import_base.digests import (
    Document,
    LabelPair,
    attributes_digest,
    box_record,
    has_other_attributes,
    points_digest,
)
from .label_contents import BOX, SHAPE
from .label_pixels import Size, mask_pixels, shape_pixels
from .matching import is_class_of, is_same_box, is_same_outline, is_same_shape
from .states import AnnotationState


def is_written_back(
    state: AnnotationState, pair: LabelPair, names: Sequence[str], size: Size | None
) -> bool:
    """Whether an export of the dataset would say of an annotation what a pair says.

    Args:
        state: the annotation, of which a person has made something
        pair: what the export says of it as a polyline and a detection
        names: the names of the export's own attributes
        size: the width and height of the image, if known
    """
    other = pair[0] or pair[1]
    label, attributes = state.label_of_class, state.label_of_attributes
    if other is None or label is None or attributes is None:
        return False
    return (
        is_class_of(label, other)
        and _are_attributes(state, attributes, other, names)
        and _is_shape(state, pair, size)
        and _is_box(state, pair)
    )


def persons_own(label: Document, other: Document, state: AnnotationState) -> set[str]:
    """Returns the keys of a label that say more than an export can.

    Args:
        label: a label of an annotation that :func:`is_written_back`
        other: what the export says in its place
        state: the annotation
    """
    own = set[str]()
    if label.get("label") != other.get("label") and is_class_of(label, other):
        own.add("label")
    if "points" in other:
        return own if is_same_shape(label, other) else own | SHAPE
    is_persons = state.base is None or box_record(label) != state.base.bounding_box
    return own | BOX if is_persons and not is_same_shape(label, other) else own


def _are_attributes(
    state: AnnotationState, label: Document, other: Document, names: Sequence[str]
) -> bool:
    if attributes_digest(label, names) == attributes_digest(other, names):
        return True
    # A person who has taken some away says more than nothing of them.
    is_silent = state.base is None or not state.are_attributes_changed
    return is_silent and not has_other_attributes(label, other, names)


def _is_shape(state: AnnotationState, pair: LabelPair, size: Size | None) -> bool:
    other, line, box = pair[0], state.polyline, state.detection
    if line is not None:
        return other is not None and is_same_outline(line, other)
    if box is None or (state.base is not None and state.base.has_polyline):
        return False
    if other is None:
        return is_same_shape(box, pair[1] or {})
    if size is None:
        return False
    pixels = mask_pixels(box, size)
    return pixels is not None and pixels == shape_pixels(other, size)


def _is_box(state: AnnotationState, pair: LabelPair) -> bool:
    """Whether a box is as an export has it: as it is, unless the polygon was edited."""
    line, box, base, other = state.polyline, state.detection, state.base, pair[1]
    if box is None:
        return True
    if other is None:
        return False
    if line is None or base is None or box_record(box) == base.bounding_box:
        return True
    return points_digest(line) != base.points or is_same_box(box, other)
