"""Whether the labels of an annotation say what an export says of it."""

from __future__ import annotations

from collections.abc import Sequence

from ..import_base.digests import Document, LabelPair, content_digests, short_id
from .conflicts import CONFLICT_TAG
from .label_pixels import Size
from .matching import is_same_label
from .states import AnnotationState
from .written_back import is_written_back

# Of each of an annotation's two labels: the one that is there, and the export's.
Sides = tuple[tuple[Document | None, Document | None], ...]


class Comparison:
    """Compares annotations of a sample with what an export says of them.

    Args:
        names: the names of the export's own attributes
        others: the short ids of labels that imports of other exports wrote
        is_tagged: whether the sample has the tag of a conflict
        size: the width and height of the image, if known
    """

    def __init__(
        self,
        names: Sequence[str],
        others: frozenset[bytes],
        size: Size | None,
        *,
        is_tagged: bool,
    ) -> None:
        self._names = names
        self._others = others
        self._size = size
        self._is_tagged = is_tagged

    def is_same(self, state: AnnotationState, pair: LabelPair) -> bool:
        """Whether what a person changed is what the export has."""
        changed = (state.is_polyline_changed, state.is_detection_changed)
        if state.base is None:
            # A label that is there by itself may be half of an annotation.
            changed = (state.polyline is not None, state.detection is not None)
        sides = zip(sides_of(state, pair), changed, strict=True)
        for (label, other), is_changed in sides:
            if not is_changed:
                continue
            if label is None or other is None:
                if label is not other:
                    return False
            elif not is_same_label(label, other, self._names):
                return False
        return True

    def is_written_back(self, state: AnnotationState, pair: LabelPair) -> bool:
        """Whether the export says what one of the dataset would say."""
        return self.is_persons(state) and is_written_back(
            state, pair, self._names, self._size
        )

    def is_there(self, state: AnnotationState, pair: LabelPair) -> bool:
        """Whether labels say what the export says, apart from a deleted box."""
        sides = sides_of(state, pair)
        return all(
            label is other
            if label is None or other is None
            else is_same_label(label, other, self._names)
            for label, other in (sides[:1] if is_without_box(state) else sides)
        )

    def is_others(self, label: Document) -> bool:
        """Whether the import of another export wrote a label."""
        return bool(self._others) and short_id(label) in self._others

    def is_persons(self, state: AnnotationState) -> bool:
        """Whether no label of an annotation comes from another export."""
        return not any(map(self.is_others, state.labels))

    def says_same(self, label: Document, other: Document) -> bool:
        """Whether a label says exactly what the export says in its place."""
        first, second = (
            content_digests(None, x, self._names)
            if "bounding_box" in other
            else content_digests(x, None, self._names)
            for x in (label, other)
        )
        return first == second

    def is_open(self, state: AnnotationState) -> bool:
        """Whether a conflict of an earlier merge is still marked as one."""
        is_deleted = state.base is not None and state.base.is_deleted
        # Labels that are deleted, or were, have no tag: that of the sample tells.
        if is_deleted or not state.labels:
            return self._is_tagged
        return any(CONFLICT_TAG in (x.get("tags") or ()) for x in state.labels)


def is_without_box(state: AnnotationState) -> bool:
    """Whether somebody deleted the box of an annotation, and nothing else of it."""
    return state.is_half_deleted and state.polyline is not None


def sides_of(state: AnnotationState, pair: LabelPair) -> Sides:
    """Returns both labels of an annotation, each with what the export says of it."""
    return (state.polyline, pair[0]), (state.detection, pair[1])
