"""The three-way merge of one sample's labels: pure functions over documents.

What the last import wrote is the base; the dataset and the export have each gone on
from there. An annotation, which is a polyline and a detection, counts as one thing:

==================================  ==========================  ======================
the export, since the last import   the dataset, since then     after the merge
==================================  ==========================  ======================
unchanged                           changed by a person         the person's version
changed, added, removed             untouched                   the export's version
changed                             changed in another way      conflict: the person's
changed                             changed in the same way     that one version
==================================  ==========================  ======================

Labels keep their ids, their tags and the fields that other programs added to them. Ids
of the export, stated areas and whatever else a person cannot change follow the export.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...choices import ConflictRule
from ..import_base.base import (
    CONFLICT,
    DELETED,
    REMOVED,
    BaseAnnotation,
    SampleBase,
    base_annotation,
    new_label,
)
from ..import_base.digests import (
    NO_LABEL,
    Document,
    LabelPair,
    content_digests,
    short_id,
)
from .conflicts import (
    CONFLICT_TAG,
    Conflict,
    has_own_tags,
    tagged,
    words_of_pair,
    words_of_state,
)
from .label_contents import said, says, with_content, with_facts, with_own
from .label_pixels import Size
from .matching import is_same_label, is_same_shape, match_annotations
from .states import (
    AnnotationState,
    annotation_state,
    annotation_states,
    id_of_pair,
    id_of_state,
    paired_states,
)
from .written_back import is_written_back, persons_own


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


def merge_labels(
    base: SampleBase | None,
    polylines: Sequence[Document],
    detections: Sequence[Document],
    pairs: Sequence[LabelPair],
    names: Sequence[str],
    *,
    conflicts: ConflictRule = "keep",
    is_imported: bool = True,
    is_tagged: bool = False,
    others: frozenset[bytes] = frozenset(),
    size: Size | None = None,
) -> MergedLabels:
    """Merges the annotations of an export into the labels of a sample.

    Args:
        base: what the last import wrote; None where that is not known
        polylines: the label documents of the sample's field of polylines; not changed
        detections: those of its field of detections; not changed
        pairs: what the export's annotations say as polylines and detections
        names: the names of the export's own attributes on them
        conflicts: whose version stays: a person's (``"keep"``) or the export's
        is_imported: whether the labels come from an import; without a base their
            differences from the export count as conflicts then
        is_tagged: whether the sample has the tag of a conflict
        others: the short ids of labels that imports of other exports wrote: what both
            have is one label, which neither changes nor deletes
        size: the width and height of the image, by which masks are known again

    Returns:
        the labels, the next base and the counts
    """
    merge = _Merge(base, names, conflicts, is_imported, is_tagged, others, size)
    return merge.run(polylines, detections, pairs)


def keep_labels(
    base: SampleBase,
    polylines: Sequence[Document],
    detections: Sequence[Document],
    others: frozenset[bytes] = frozenset(),
) -> MergedLabels:
    """Merges an export that says of an image what it said at the last import.

    Args:
        base: what that import wrote, without conflicts that are left to a person
        polylines: as for :func:`merge_labels`
        detections: as for :func:`merge_labels`
        others: as for :func:`merge_labels`

    Returns:
        what :func:`merge_labels` does
    """
    states = annotation_states(base, polylines, detections)
    return MergedLabels(
        list(polylines),
        list(detections),
        list(base.annotations),
        edits_kept=sum(
            state.is_changed
            if state.base is not None
            else others.isdisjoint(map(short_id, state.labels))
            for state in states
        ),
    )


class _Merge:
    def __init__(
        self,
        base: SampleBase | None,
        names: Sequence[str],
        conflicts: ConflictRule,
        is_imported: bool,
        is_tagged: bool,
        others: frozenset[bytes],
        size: Size | None,
    ) -> None:
        known = base.names if base is not None else ()
        self._names = tuple(sorted({*known, *names}))
        self._base = None if base is None else replace(base, names=self._names)
        self._takes_export = conflicts == "export"
        self._is_imported = is_imported
        self._is_tagged = is_tagged
        self._others = others
        self._size = size
        self._result = MergedLabels()
        # What becomes of each label that is there: None deletes it.
        self._changed: dict[int, Document | None] = {}
        self._new: list[LabelPair] = []

    def run(
        self,
        polylines: Sequence[Document],
        detections: Sequence[Document],
        pairs: Sequence[LabelPair],
    ) -> MergedLabels:
        result = self._result
        digests = [content_digests(*pair, self._names) for pair in pairs]
        if self._base is not None and _is_same_export(self._base, digests):
            self._merge_persons_changes(polylines, detections, pairs)
        else:
            self._merge_all(polylines, detections, pairs)
        for labels, merged, side in (
            (polylines, result.polylines, 0),
            (detections, result.detections, 1),
        ):
            for label in labels:
                kept = self._changed.get(id(label), label)
                if kept is not None:
                    merged.append(kept)
            added = (pair[side] for pair in self._new)
            merged += [label for label in added if label is not None]
        return result

    def _merge_all(
        self,
        polylines: Sequence[Document],
        detections: Sequence[Document],
        pairs: Sequence[LabelPair],
    ) -> None:
        records = [base_annotation(*pair, self._names) for pair in pairs]
        states = paired_states(annotation_states(self._base, polylines, detections))
        matches = match_annotations(states, pairs, records, self._names, self._size)
        for index, pair, record in zip(matches, pairs, records, strict=True):
            if index is None:
                self._add(pair, record)
            elif states[index].base is None:
                self._meet(states[index], pair, record)
            else:
                self._merge(states[index], pair, record)
        matched = set(matches)
        for index, state in enumerate(states):
            if index not in matched:
                self._remove(state)

    def _merge_persons_changes(
        self,
        polylines: Sequence[Document],
        detections: Sequence[Document],
        pairs: Sequence[LabelPair],
    ) -> None:
        """Merges an export in which nothing has changed, as :meth:`_merge_all` would.

        Nearly all labels say then what the export says: those are let alone.
        """
        assert self._base is not None
        lines = {short_id(label): label for label in polylines}
        boxes = {short_id(label): label for label in detections}
        for base, pair in zip(self._base.annotations, pairs, strict=True):
            line = lines.pop(base.polyline_id, None)
            box = boxes.pop(base.detection_id, None)
            if (
                not base.flags
                and says(line, pair[0], self._names)
                and says(box, pair[1], self._names)
            ):
                self._result.annotations.append(base)
            else:
                state = annotation_state(base, line, box, self._names)
                self._merge(state, pair, base_annotation(*pair, self._names))
        self._result.edits_kept += len((lines.keys() | boxes.keys()) - self._others)

    def _merge(
        self, state: AnnotationState, pair: LabelPair, record: BaseAnnotation
    ) -> None:
        """Merges an annotation that the import wrote and the export has."""
        base = state.base
        assert base is not None
        is_export_changed = base[2:6] != record[2:6] or base.is_removed
        is_open = base.is_conflict and self._is_open(state)
        is_there = is_export_changed and self._is_there(state, pair)
        if not state.is_changed:
            # What only rounding has changed is no other version.
            if is_export_changed and not is_there:
                self._result.updated += 1
            self._take(state, pair, record)
        elif is_there and _is_without_box(state) and not is_open:
            # A box follows its shape: every export has one, also of this annotation.
            self._result.edits_kept += 1
            self._take(state, pair, record, is_half=True)
        elif not (is_export_changed or is_open):
            self._result.edits_kept += 1
            self._keep(state, pair, record)
        elif self._is_same(state, pair):
            if not is_export_changed:
                self._result.edits_kept += 1
                self._keep(state, pair, record)
            else:
                self._take(state, pair, record)
        elif self._is_written_back(state, pair):
            self._result.edits_kept += self._join(state, pair, record)
        else:
            self._conflict(state, pair, record)

    def _meet(
        self, state: AnnotationState, pair: LabelPair, record: BaseAnnotation
    ) -> None:
        """Merges an annotation that both have and the last import did not write."""
        is_legacy = self._base is None and self._is_imported
        sides = _sides(state, pair)
        both = [(label, other) for label, other in sides if label and other]
        is_whole = len(both) == sum(bool(label or other) for label, other in sides)
        is_same = self._is_same(state, pair)
        if not self._is_persons(state):
            is_same = is_same and all(self._says_same(*labels) for labels in both)
        if is_same and (is_whole or not is_legacy):
            self._take(state, pair, record)
        elif not is_legacy and self._is_written_back(state, pair):
            kept = self._join(state, pair, record)
            self._result.edits_kept += kept and self._number(state)
        elif is_legacy or (
            self._is_persons(state)
            and both
            and all(is_same_shape(*labels) for labels in both)
        ):
            self._conflict(state, pair, record)
        else:
            # Two objects that overlap, or what others say of one: both stay.
            self._result.edits_kept += self._number(state)
            self._add(pair, record)

    def _add(self, pair: LabelPair, record: BaseAnnotation) -> None:
        """Adds an annotation that the dataset lacks."""
        if self._base is None and self._is_imported:
            # Without a base nobody knows whether it is new, or was deleted.
            self._result.conflicts.append(
                Conflict(id_of_pair(pair), "does not have it", words_of_pair(pair))
            )
            if not self._takes_export:
                flagged = record._replace(flags=CONFLICT)
                self._result.annotations.append(flagged)
                return
        self._result.added += 1
        line, box = (label and new_label(said(label)) for label in pair)
        self._new.append((line, box))
        self._result.annotations.append(
            record._replace(polyline_id=short_id(line), detection_id=short_id(box))
        )

    def _remove(self, state: AnnotationState) -> None:
        """Removes an annotation that the export no longer has, if nobody changed it."""
        result, base = self._result, state.base
        if not state.labels:
            return
        if base is None:
            is_legacy = self._base is None and self._is_imported
            if is_legacy and id_of_state(state) is not None:
                self._conflict_of_removed(
                    state,
                    base_annotation(state.polyline, state.detection, self._names),
                )
            else:
                result.edits_kept += self._number(state)
        elif base.is_removed:
            if self._is_open(state):
                self._conflict_of_removed(state, base)
            else:
                result.edits_kept += 1
        elif has_own_tags(state.labels) or (
            state.is_changed and not state.is_half_deleted
        ):
            if base.has_polyline and state.polyline is None:
                # Whoever deletes a polygon deletes the object: both agree.
                result.edits_kept += 1
                result.annotations.append(base._replace(flags=REMOVED))
            else:
                self._conflict_of_removed(state, base)
        else:
            result.deleted += 1
            self._delete(state)

    def _conflict(
        self, state: AnnotationState, pair: LabelPair, record: BaseAnnotation
    ) -> None:
        words = words_of_state(state), words_of_pair(pair)
        self._result.conflicts.append(Conflict(id_of_pair(pair), *words))
        if self._takes_export:
            self._result.updated += 1
            self._take(state, pair, record)
        else:
            self._keep(state, pair, record, is_conflict=True)

    def _conflict_of_removed(
        self, state: AnnotationState, base: BaseAnnotation
    ) -> None:
        words = words_of_state(state), "does not have it"
        self._result.conflicts.append(Conflict(id_of_state(state), *words))
        if self._takes_export:
            self._result.deleted += 1
            self._delete(state)
            return
        for label in state.labels:
            self._changed[id(label)] = tagged(label)
        self._result.annotations.append(base._replace(flags=CONFLICT | REMOVED))

    def _take(
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
        sides = zip(_sides(state, pair), known_ids, strict=True)
        for (label, other), known_id in sides:
            if label is None and is_half:
                added.append(None)
                ids.append(known_id)
                continue
            if label is None:
                added.append(other and new_label(said(other)))
                ids.append(short_id(added[-1]))
                continue
            if self._is_others(label):
                # It is this export's too as long as both say the same.
                is_one = other is not None and self._says_same(label, other)
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
        if any(added):
            self._new.append((added[0], added[1]))
        self._result.annotations.append(
            record._replace(polyline_id=ids[0], detection_id=ids[1])
        )

    def _join(
        self, state: AnnotationState, pair: LabelPair, record: BaseAnnotation
    ) -> bool:
        """Gives labels what an export of them says, but for what none can say.

        Returns:
            whether anything of it is a person's own
        """
        base = state.base
        known_ids = (NO_LABEL, NO_LABEL) if base is None else base[:2]
        ids: list[bytes] = []
        added: list[Document | None] = []
        is_own = False
        sides = zip(_sides(state, pair), known_ids, strict=True)
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
        if any(added):
            self._new.append((added[0], added[1]))
        self._result.annotations.append(
            record._replace(polyline_id=ids[0], detection_id=ids[1])
        )
        return is_own

    def _keep(
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
        sides = zip(_sides(state, pair), known_ids, strict=True)
        for (label, other), known_id in sides:
            # A label that was deleted keeps its id, which no label has.
            ids.append(known_id if label is None else short_id(label))
            if label is None:
                continue
            kept = label
            if other is not None and not self._is_others(label):
                kept = with_facts(label, other, self._names)
            self._changed[id(label)] = tagged(kept) if is_conflict else kept
        self._result.annotations.append(
            record._replace(
                polyline_id=ids[0],
                detection_id=ids[1],
                flags=flags,
            )
        )

    def _delete(self, state: AnnotationState) -> None:
        for label in state.labels:
            if not self._is_others(label):
                self._changed[id(label)] = None

    def _is_same(self, state: AnnotationState, pair: LabelPair) -> bool:
        """Whether what a person changed is what the export has."""
        changed = iter((state.is_polyline_changed, state.is_detection_changed))
        for label, other in _sides(state, pair):
            is_changed = next(changed)
            if state.base is None:
                # A label that is there by itself may be half of an annotation.
                is_changed = label is not None
            if not is_changed:
                continue
            if label is None or other is None:
                if label is not other:
                    return False
            elif not is_same_label(label, other, self._names):
                return False
        return True

    def _is_written_back(self, state: AnnotationState, pair: LabelPair) -> bool:
        """Whether the export says what one of the dataset would say."""
        return self._is_persons(state) and is_written_back(
            state, pair, self._names, self._size
        )

    def _is_there(self, state: AnnotationState, pair: LabelPair) -> bool:
        """Whether labels say what the export says, but for a box that was deleted."""
        sides = _sides(state, pair)
        return all(
            label is other
            if label is None or other is None
            else is_same_label(label, other, self._names)
            for label, other in (sides[:1] if _is_without_box(state) else sides)
        )

    def _number(self, state: AnnotationState) -> int:
        """Returns as how many edits labels count that no import wrote."""
        number = sum(not self._is_others(label) for label in state.labels)
        return min(number, 1) if self._base is None else number

    def _is_others(self, label: Document) -> bool:
        """Whether the import of another export wrote a label."""
        return bool(self._others) and short_id(label) in self._others

    def _is_persons(self, state: AnnotationState) -> bool:
        """Whether none of an annotation's labels is of another export."""
        return not any(map(self._is_others, state.labels))

    def _says_same(self, label: Document, other: Document) -> bool:
        """Whether a label says exactly what the export says in its place."""
        first, second = (
            content_digests(None, x, self._names)
            if "bounding_box" in other
            else content_digests(x, None, self._names)
            for x in (label, other)
        )
        return first == second

    def _is_open(self, state: AnnotationState) -> bool:
        """Whether a conflict of an earlier merge is still marked as one."""
        is_deleted = state.base is not None and state.base.is_deleted
        # The tag of the sample tells of labels that are not there, or were not.
        if is_deleted or not state.labels:
            return self._is_tagged
        return any(CONFLICT_TAG in (x.get("tags") or ()) for x in state.labels)


def _is_same_export(base: SampleBase, digests: Sequence[tuple[bytes, ...]]) -> bool:
    """Whether the export's annotations are those of the last import, in its order."""
    return len(base.annotations) == len(digests) and all(
        before[2:6] == now and not before.is_removed
        for before, now in zip(base.annotations, digests, strict=True)
    )


def _is_without_box(state: AnnotationState) -> bool:
    """Whether somebody deleted the box of an annotation, and nothing else of it."""
    return state.is_half_deleted and state.polyline is not None


def _sides(
    state: AnnotationState, pair: LabelPair
) -> tuple[tuple[Document | None, Document | None], ...]:
    return (state.polyline, pair[0]), (state.detection, pair[1])
