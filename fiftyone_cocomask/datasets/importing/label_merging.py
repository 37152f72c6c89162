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
from dataclasses import replace

from ...choices import ConflictRule
from ..import_base.base import BaseAnnotation, SampleBase, base_annotation
from ..import_base.digests import Document, LabelPair, content_digests, short_id
from .changing import LabelChanges, MergedLabels
from .comparing import Comparison, is_without_box, sides_of
from .conflicts import has_own_tags
from .label_contents import says
from .label_pixels import Size
from .matching import is_same_shape, match_annotations
from .states import (
    AnnotationState,
    annotation_state,
    annotation_states,
    id_of_state,
    paired_states,
)


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
        self._is_imported = is_imported
        self._others = others
        self._size = size
        self._compared = Comparison(self._names, others, size, is_tagged=is_tagged)
        self._changes = LabelChanges(
            self._names, self._compared, takes_export=conflicts == "export"
        )
        self._result = self._changes.result

    def run(
        self,
        polylines: Sequence[Document],
        detections: Sequence[Document],
        pairs: Sequence[LabelPair],
    ) -> MergedLabels:
        digests = [content_digests(*pair, self._names) for pair in pairs]
        if self._base is not None and _is_same_export(self._base, digests):
            self._merge_persons_changes(polylines, detections, pairs)
        else:
            self._merge_all(polylines, detections, pairs)
        return self._changes.finish(polylines, detections)

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
        is_open = base.is_conflict and self._compared.is_open(state)
        is_there = is_export_changed and self._compared.is_there(state, pair)
        if not state.is_changed:
            # What only rounding has changed is no other version.
            if is_export_changed and not is_there:
                self._result.updated += 1
            self._changes.take(state, pair, record)
        elif is_there and is_without_box(state) and not is_open:
            # A box follows its shape: every export has one, also of this annotation.
            self._result.edits_kept += 1
            self._changes.take(state, pair, record, is_half=True)
        elif not (is_export_changed or is_open):
            self._result.edits_kept += 1
            self._changes.keep(state, pair, record)
        elif self._compared.is_same(state, pair):
            if not is_export_changed:
                self._result.edits_kept += 1
                self._changes.keep(state, pair, record)
            else:
                self._changes.take(state, pair, record)
        elif self._compared.is_written_back(state, pair):
            self._result.edits_kept += self._changes.join(state, pair, record)
        else:
            self._changes.conflict(state, pair, record)

    def _meet(
        self, state: AnnotationState, pair: LabelPair, record: BaseAnnotation
    ) -> None:
        """Merges an annotation that both have and the last import did not write."""
        is_legacy = self._base is None and self._is_imported
        sides = sides_of(state, pair)
        both = [(label, other) for label, other in sides if label and other]
        is_whole = len(both) == sum(bool(label or other) for label, other in sides)
        is_same = self._compared.is_same(state, pair)
        if not self._compared.is_persons(state):
            is_same = is_same and all(
                self._compared.says_same(*labels) for labels in both
            )
        if is_same and (is_whole or not is_legacy):
            self._changes.take(state, pair, record)
        elif not is_legacy and self._compared.is_written_back(state, pair):
            kept = self._changes.join(state, pair, record)
            self._result.edits_kept += kept and self._number(state)
        elif is_legacy or (
            self._compared.is_persons(state)
            and both
            and all(is_same_shape(*labels) for labels in both)
        ):
            self._changes.conflict(state, pair, record)
        else:
            # Two objects that overlap, or what others say of one: both stay.
            self._result.edits_kept += self._number(state)
            self._add(pair, record)

    def _add(self, pair: LabelPair, record: BaseAnnotation) -> None:
        """Adds an annotation that the dataset lacks."""
        if self._base is None and self._is_imported:
            # Without a base nobody knows whether it is new, or was deleted.
            self._changes.add_in_conflict(pair, record)
        else:
            self._changes.add(pair, record)

    def _remove(self, state: AnnotationState) -> None:
        """Removes an annotation that the export no longer has, if nobody changed it."""
        result, base = self._result, state.base
        if not state.labels:
            return
        if base is None:
            is_legacy = self._base is None and self._is_imported
            if is_legacy and id_of_state(state) is not None:
                self._changes.conflict_of_removed(
                    state,
                    base_annotation(state.polyline, state.detection, self._names),
                )
            else:
                result.edits_kept += self._number(state)
        elif base.is_removed:
            if base.is_conflict and self._compared.is_open(state):
                self._changes.conflict_of_removed(state, base)
            else:
                result.edits_kept += 1
        elif has_own_tags(state.labels) or (
            state.is_changed and not state.is_half_deleted
        ):
            if base.has_polyline and state.polyline is None:
                # Whoever deletes a polygon deletes the object: both agree.
                result.edits_kept += 1
                self._changes.keep_removed(state, base)
            else:
                self._changes.conflict_of_removed(state, base)
        else:
            result.deleted += 1
            self._changes.delete(state)

    def _number(self, state: AnnotationState) -> int:
        """Returns as how many edits labels count that no import wrote."""
        number = sum(not self._compared.is_others(label) for label in state.labels)
        return min(number, 1) if self._base is None else number


def _is_same_export(base: SampleBase, digests: Sequence[tuple[bytes, ...]]) -> bool:
    """Whether the export's annotations are those of the last import, in its order."""
    return len(base.annotations) == len(digests) and all(
        before[2:6] == now and not before.is_removed
        for before, now in zip(base.annotations, digests, strict=True)
    )
