"""Boxes that follow what a person does to the polygons that a search has marked.

An import writes a polygon and a box for each annotation. The App's patches are of one
of the two: whoever deletes, relabels or tags a polygon there means the object. So a
search keeps, of each polygon it marks, what it was like, and what was done to it since
is done to its box as well. Polygons that no search has marked are none of it.

Which box is a polygon's, imports have written down by the ids of both, which stay what
they are. The ids of annotations do not: in the next version of an export, one may be
that of another object. They tell only of labels that no import wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import fiftyone as fo
from bson import ObjectId

from ..documents import MODIFIED, Document, Update, read_documents, update_documents
from ..import_base.base import BASE_FIELD, SampleBase
from ..import_base.digests import short_id
from ..label_lists import ANNOTATION_IDS, LabelList, annotation_of
from .id_lists import IdList
from .rules import search_of_tag

_BATCH_SIZE = 500
# How often boxes are done again that others change at the same time.
_ATTEMPTS = 3

# A marked polygon: its id, its sample's, its annotation's, its class and its tags.
Marked = list[Any]


@dataclass(slots=True)
class BoxChanges:
    """What was done to boxes.

    Attributes:
        deleted: the boxes whose polygon was deleted
        relabelled: those whose polygon has another class
        tagged: those whose polygon has other tags
        samples: the samples of all of them
    """

    deleted: int = 0
    relabelled: int = 0
    tagged: int = 0
    samples: int = 0

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    def __str__(self) -> str:
        """Says it in words: ``1 box deleted, 2 relabelled``."""
        counted = [(f.name, getattr(self, f.name)) for f in fields(self)][:3]
        said = [f"{number:,} {what}" for what, number in counted if number]
        return f"Boxes followed their polygons: {', '.join(said)}"


def marked_polygons(
    dataset: fo.Dataset,
    labels: LabelList,
    found: IdList,
) -> Iterator[Marked]:
    """Yields what the polygons of a search are like.

    Args:
        dataset: the dataset
        labels: where the polygons are
        found: those with issues
    """
    label_ids = {label_id.binary for _, label_id in found}
    for document in _documents(dataset, found.sample_ids(), _compared(labels)):
        for label in labels.documents(document):
            if label["_id"].binary in label_ids and annotation_of(label) is not None:
                yield _marked(label, str(document["_id"]))


def polygons_to_follow(
    dataset: fo.Dataset,
    labels: LabelList,
    sample_ids: Collection[str],
    key: str,
    known: Collection[str],
) -> Iterator[Marked]:
    """Yields what the polygons of some samples are like that a search has marked.

    Args:
        dataset: the dataset
        labels: where the polygons are
        sample_ids: the samples
        key: the key of the search, whose tags tell
        known: the ids of those that were marked before, whatever tags they have
    """
    for document in _documents(dataset, sample_ids, _compared(labels)):
        for label in labels.documents(document):
            keys = map(search_of_tag, label.get("tags") or ())
            is_marked = str(label["_id"]) in known or key in keys
            if is_marked and annotation_of(label) is not None:
                yield _marked(label, str(document["_id"]))


def follow_polygons(
    dataset: fo.Dataset,
    labels: LabelList,
    boxes: LabelList,
    marked: Iterable[Marked],
) -> tuple[BoxChanges, list[Marked]]:
    """Does to boxes what was done to their polygons.

    Args:
        dataset: the dataset
        labels: where the polygons are
        boxes: where the boxes are
        marked: what the polygons were like, see :func:`marked_polygons`

    Returns:
        what was done, and what the polygons are like now
    """
    by_sample: dict[str, list[Marked]] = {}
    for polygon in marked:
        by_sample.setdefault(polygon[1], []).append(list(polygon))
    now: list[Marked] = []
    changed: dict[str, list[Marked]] = {}
    # Boxes are read only where something was done to a polygon.
    for document in _documents(dataset, by_sample, _compared(labels)):
        polygons = by_sample[str(document["_id"])]
        # Who empties a field, or renames it, does not mean each of its objects.
        is_gone = labels.is_list and document.get(labels.field) is None
        if is_gone or _are_as_before(polygons, labels.documents(document)):
            now += polygons
        else:
            changed[str(document["_id"])] = polygons
    if not changed:
        return BoxChanges(), now
    total = None
    paths = [*_compared(labels), boxes.field, BASE_FIELD, MODIFIED]
    for _ in range(_ATTEMPTS):
        changes, followed = BoxChanges(), []
        updates: list[Update] = []
        for document in _documents(dataset, changed, paths):
            before = boxes.documents(document)
            written = SampleBase.polylines_of_detections(document.get(BASE_FIELD))
            pairs = _Pairs(labels.documents(document), before, written)
            after = pairs.follow(changed[str(document["_id"])], changes)
            followed += pairs.marked
            if after != before:
                changes.samples += 1
                guard = {MODIFIED: document.get(MODIFIED)}
                updates.append((document["_id"], {boxes.path: after}, guard))
        # What is done once more is what the first attempt has counted.
        total = total or changes
        if update_documents(dataset, updates) == len(updates):
            return total, now + followed
    # Others change these boxes all the time: they are followed another time.
    return total or BoxChanges(), now + [m for own in changed.values() for m in own]


def _are_as_before(marked: list[Marked], polygons: list[Document]) -> bool:
    """Whether nothing was done to the marked polygons of a sample."""
    present = {
        str(polygon["_id"]): [polygon.get("label"), _tags(polygon)]
        for polygon in polygons
    }
    return all(
        present.get(label_id) == [class_, tags]
        for label_id, _, _, class_, tags in marked
    )


class _Pairs:
    """The polygons of a sample and their boxes.

    Args:
        polygons: the polygons as they are
        boxes: the boxes as they are
        written: which polygon imports wrote with each box, by short ids
    """

    def __init__(
        self,
        polygons: list[Document],
        boxes: list[Document],
        written: Mapping[bytes, bytes],
    ) -> None:
        self.marked: list[Marked] = []
        self._polygons = {str(polygon["_id"]): polygon for polygon in polygons}
        self._boxes = boxes
        self._written = written
        self._of_imports = set(written.values())
        self._annotations = Counter(
            annotation_of(p) for p in polygons if short_id(p) not in self._of_imports
        )
        self._box_annotations = Counter(map(annotation_of, boxes))

    def follow(self, marked: list[Marked], changes: BoxChanges) -> list[Document]:
        """Returns the boxes as they are to be, and counts what becomes of them."""
        left = {self._partner(polygon): polygon for polygon in marked}
        after = []
        for box in self._boxes:
            polygon = left.pop(self._polygon_of(box), None)
            changed = box if polygon is None else self._followed(box, polygon, changes)
            if changed is not None:
                after.append(changed)
        self.marked += [p for p in left.values() if p[0] in self._polygons]
        return after

    def _partner(self, polygon: Marked) -> Any:
        """Returns what :meth:`_polygon_of` returns of a marked polygon's box."""
        written = short_id({"_id": ObjectId(polygon[0])})
        if written in self._of_imports:
            return written
        now = self._polygons.get(polygon[0])
        return "id", polygon[2] if now is None else annotation_of(now)

    def _polygon_of(self, box: Document) -> Any:
        """Returns what identifies the polygon of a box; None if nothing does."""
        written = self._written.get(short_id(box))
        if written is not None:
            return written
        annotation = annotation_of(box)
        # Ids that several annotations share say nothing about whose box it is.
        is_alone = annotation is not None and self._box_annotations[annotation] == 1
        return ("id", annotation) if is_alone else None

    def _followed(
        self, box: Document, polygon: Marked, changes: BoxChanges
    ) -> Document | None:
        """Returns what becomes of a box; None if it goes."""
        label_id, sample_id, _, was_class, had_tags = polygon
        now = self._polygons.get(label_id)
        if now is None:
            if self._annotations[annotation_of(box)]:
                # Another one has been drawn in its place.
                return box
            changes.deleted += 1
            return None
        class_, tags = now.get("label"), _tags(now)
        self.marked.append(_marked(now, sample_id))
        changed = dict(box)
        if class_ != was_class and box.get("label") == was_class:
            changed["label"] = class_
            changes.relabelled += 1
        own = box.get("tags") or []
        kept = [tag for tag in own if tag in tags or tag not in had_tags]
        added = [tag for tag in tags if tag not in had_tags and tag not in own]
        if added or kept != own:
            changed["tags"] = [*kept, *added]
            changes.tagged += 1
        return changed


def _marked(polygon: Document, sample_id: str) -> Marked:
    class_, annotation = polygon.get("label"), annotation_of(polygon)
    return [str(polygon["_id"]), sample_id, annotation, class_, _tags(polygon)]


def _compared(labels: LabelList) -> list[str]:
    """Returns what is read of polygons: all but their points, which take longest."""
    names = ("_id", *ANNOTATION_IDS, "label", "tags")
    return [f"{labels.path}.{name}" for name in names]


def _documents(
    dataset: fo.Dataset, sample_ids: Collection[str | ObjectId], paths: list[str]
) -> Iterator[Document]:
    ids = sorted(map(ObjectId, sample_ids))
    for start in range(0, len(ids), _BATCH_SIZE):
        yield from read_documents(dataset, ids[start : start + _BATCH_SIZE], paths)


def _tags(label: Document) -> list[str]:
    """Returns the tags of a label that a person has given it, and no search."""
    return [tag for tag in label.get("tags") or [] if search_of_tag(tag) is None]
