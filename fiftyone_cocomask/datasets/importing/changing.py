"""What a merge makes of the labels of a sample, and of the base of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..import_base.base import CONFLICT, DELETED, REMOVED, BaseAnnotation, new_label
from ..import_base.digests import NO_LABEL, Document, LabelPair, short_id
from .comparing import Comparison, sides_of
from .conflicts import Conflict, tagged, untagged, words_of_pair, words_of_state
from .label_contents import said, with_content, with_facts, with_own
from .states import AnnotationState, id_of_pair, id_of_state
from .written_back import persons_own


@dataclass(slots=True)
class MergedLabels:
    """What becomes of a sample's labels, and what was counted on the way.

    Attributes:
        polylines: the labels of the field of polylines
        detections: the labels of the field of detections
        annotations: the base of the next merge
        updated: the annotations that took a change of the export
        added: the annotations that are new
        deleted: the annotations that were deleted
        edits_kept: the annotations that a person edited, relabelled, deleted or added
        conflicts: the annotations changed in different ways
    """

    polylines: list[Document] = field(default_factory=list)
    detections: list[Document] = field(default_factory=list)
    annotations: list[BaseAnnotation] = field(default_factory=list)
    updated: int = 0
    added: int = 0
    deleted: int = 0
    edits_kept: int = 0
    conflicts: list[Conflict] = field(default_factory=list)


class LabelChanges:
    """Changes the labels of a sample, annotation by annotation.

    Args:
        names: the names of the export's own attributes
        compared: compares annotations with the export
        takes_export: whether the export's version stays in conflicts

    Attributes:
        result: what became of the labels so far; its lists are filled in the end
    """

    def __init__(
        self, names: Sequence[str], compared: Comparison, *, takes_export: bool
    ) -> None:
        self._names = names
        self._compared = compared
        self._takes_export = takes_export
        self.result = MergedLabels()
        # What becomes of each label that is there: None deletes it.
        self._changed: dict[int, Document | None] = {}
        self._new: list[LabelPair] = []

    def finish(
        self, polylines: Sequence[Document], detections: Sequence[Document]
    ) -> MergedLabels:
        """Returns what became of the labels of a sample.

        Args:
            polylines: the labels that its field of polylines had
            detections: those that its field of detections had
        """
        for labels, merged, side in (
            (polylines, self.result.polylines, 0),
            (detections, self.result.detections, 1),
        ):
            for label in labels:
                kept = self._changed.get(id(label), label)
                if kept is not None:
                    merged.append(kept)
            added = (pair[side] for pair in self._new)
            merged += [label for label in added if label is not None]
        return self.result

    def add(self, pair: LabelPair, record: BaseAnnotation) -> None:
        """Adds an annotation of the export."""
        self.result.added += 1
        line, box = (label and new_label(said(label)) for label in pair)
        self._new.append((line, box))
        self.result.annotations.append(
            record._replace(polyline_id=short_id(line), detection_id=short_id(box))
        )

    def add_in_conflict(self, pair: LabelPair, record: BaseAnnotation) -> None:
        """Adds an annotation of the export that a person may have deleted."""
        self.result.conflicts.append(
            Conflict(id_of_pair(pair), "does not have it", words_of_pair(pair))
        )
        if self._takes_export:
            self.add(pair, record)
        else:
            self.result.annotations.append(record._replace(flags=CONFLICT))

    def take(
        self,
        state: AnnotationState,
        pair: LabelPair,
        record: BaseAnnotation,
        *,
        is_half: bool = False,
    ) -> None:
        """Gives an annotation's labels the content of the export's.

        Args:
            state: the annotation
            pair: what the export says of it
            record: what the base is to hold of that
            is_half: whether a label that was deleted stays so
        """
        ids = []
        known_ids = (state.base or record)[:2]
        added: list[Document | None] = []
        sides = zip(sides_of(state, pair), known_ids, strict=True)
        for (label, other), known_id in sides:
            if label is None and is_half:
                added.append(None)
                ids.append(known_id)
                continue
            if label is None:
                added.append(other and new_label(said(other)))
                ids.append(short_id(added[-1]))
                continue
            if self._compared.is_others(label):
                # It is this export's too as long as both say the same.
                is_one = other is not None and self._compared.says_same(label, other)
                own = None if is_one or other is None else new_label(said(other))
                added.append(own)
                ids.append(short_id(label if is_one else own))
                continue
            added.append(None)
            if other is None:
                self._changed[id(label)] = None
                ids.append(short_id(None))
            else:
                self._changed[id(label)] = with_content(label, other, self._names)
                ids.append(short_id(label))
        self._put(record, ids, added)

    def _put(
        self,
        record: BaseAnnotation,
        ids: Sequence[bytes],
        added: Sequence[Document | None],
    ) -> None:
        """Notes the labels that an annotation has now, and those that it gets."""
        if any(added):
            self._new.append((added[0], added[1]))
        self.result.annotations.append(
            record._replace(polyline_id=ids[0], detection_id=ids[1])
        )

    def join(
        self, state: AnnotationState, pair: LabelPair, record: BaseAnnotation
    ) -> bool:
        """Updates labels from an export of themselves, which cannot say all of them.

        Returns:
            whether anything of it is a person's own
        """
        base = state.base
        known_ids = (NO_LABEL, NO_LABEL) if base is None else base[:2]
        ids: list[bytes] = []
        added: list[Document | None] = []
        is_own = False
        sides = zip(sides_of(state, pair), known_ids, strict=True)
        for (label, other), known_id in sides:
            new = None
            if label is not None and other is not None:
                own = persons_own(label, other, state)
                is_own |= bool(own)
                self._changed[id(label)] = with_own(label, other, self._names, own)
                ids.append(short_id(label))
            elif state.polyline is None or known_id != NO_LABEL:
                # A mask has no polyline, and a box that was deleted stays so.
                is_own = True
                ids.append(known_id)
            else:
                new = other and new_label(said(other))
                ids.append(short_id(new))
            added.append(new)
        self._put(record, ids, added)
        return is_own

    def keep(
        self,
        state: AnnotationState,
        pair: LabelPair,
        record: BaseAnnotation,
        is_conflict: bool = False,
    ) -> None:
        """Leaves an annotation's labels as a person made them."""
        flags = (CONFLICT if state.labels else CONFLICT | DELETED) if is_conflict else 0
        ids = []
        known_ids = (state.base or record)[:2]
        sides = zip(sides_of(state, pair), known_ids, strict=True)
        for (label, other), known_id in sides:
            # A label that was deleted keeps its id, which no label has.
            ids.append(known_id if label is None else short_id(label))
            if label is None:
                continue
            kept = label
            if other is not None and not self._compared.is_others(label):
                kept = with_facts(label, other, self._names)
            self._changed[id(label)] = tagged(kept) if is_conflict else kept
        self.result.annotations.append(
            record._replace(
                polyline_id=ids[0],
                detection_id=ids[1],
                flags=flags,
            )
        )

    def keep_removed(self, state: AnnotationState, base: BaseAnnotation) -> None:
        """Keeps what a person has left of an annotation that the export dropped."""
        for label in state.labels:
            if not self._compared.is_others(label):
                self._changed[id(label)] = untagged(label)
        self.result.annotations.append(base._replace(flags=REMOVED))

    def delete(self, state: AnnotationState) -> None:
        """Deletes an annotation's labels, except those of other exports."""
        for label in state.labels:
            if not self._compared.is_others(label):
                self._changed[id(label)] = None

    def conflict(
        self, state: AnnotationState, pair: LabelPair, record: BaseAnnotation
    ) -> None:
        """Ends a conflict, or leaves it to a person and tags it."""
        words = words_of_state(state), words_of_pair(pair)
        self.result.conflicts.append(Conflict(id_of_pair(pair), *words))
        if self._takes_export:
            self.result.updated += 1
            self.take(state, pair, record)
        else:
            self.keep(state, pair, record, is_conflict=True)

    def conflict_of_removed(self, state: AnnotationState, base: BaseAnnotation) -> None:
        """Does the same for an annotation that the export no longer has."""
        words = words_of_state(state), "does not have it"
        self.result.conflicts.append(Conflict(id_of_state(state), *words))
        if self._takes_export:
            self.result.deleted += 1
            self.delete(state)
            return
        for label in state.labels:
            self._changed[id(label)] = tagged(label)
        self.result.annotations.append(base._replace(flags=CONFLICT | REMOVED))
