"""Annotations that an export and a person have changed in different ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...words import count
from ..import_base.digests import Document, LabelPair
from ..issues.rules import MaskIssue
from .states import AnnotationState, Change

CONFLICT_TAG = "merge_conflict"
_ISSUES = frozenset(issue.value for issue in MaskIssue)


@dataclass(frozen=True, slots=True)
class Conflict:
    """An annotation that the export and a person have changed in different ways.

    Attributes:
        coco_id: its id in the export, else the one it had
        dataset: what the dataset has, for a person to read
        export: what the export has
    """

    coco_id: int | str | None
    dataset: str
    export: str


def tagged(label: Document) -> Document:
    """Returns a label with the tag of a conflict."""
    tags = label.get("tags") or []
    return label if CONFLICT_TAG in tags else {**label, "tags": [*tags, CONFLICT_TAG]}


def untagged(label: Document) -> Document:
    """Returns a label without the tag of a conflict."""
    tags = label.get("tags") or []
    if CONFLICT_TAG not in tags:
        return label
    return {**label, "tags": [tag for tag in tags if tag != CONFLICT_TAG]}


def words_of_state(state: AnnotationState) -> str:
    """Returns what the dataset has, for a person to read."""
    if not state.labels:
        return "deleted it"
    words = words_of_pair((state.polyline, state.detection))
    if state.base is None or not state.is_changed:
        return words
    if state.change is Change.RELABELLED:
        return f"{words}, relabelled"
    if state.is_shape_changed and len(state.labels) == 1 and state.base.has_detection:
        return f"{words}, of which one label was deleted"
    return f"{words}, edited"


def words_of_pair(pair: LabelPair) -> str:
    """Returns what a polyline and its detection are, for a person to read."""
    polyline, detection = pair
    label = polyline or detection or {}
    name = label.get("label")
    rings = (polyline or {}).get("points")
    rings = rings if isinstance(rings, list) else []
    points = sum(len(ring) for ring in rings if isinstance(ring, list))
    shape = count(points, "point") if polyline is not None else "a box"
    return f"has '{name}' of {shape}"


def has_own_tags(labels: Sequence[Document]) -> bool:
    """Whether labels have tags beside those of merges and searches for issues."""
    return any(
        tag != CONFLICT_TAG and not (":" in tag and tag.split(":")[-1] in _ISSUES)
        for label in labels
        for tag in label.get("tags") or ()
    )
