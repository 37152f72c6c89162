"""Boxes that follow what a person does to the polygons that a search has marked.

An import writes a polygon and a box for each annotation. The App's patches are of one
of the two: whoever deletes, relabels or tags a polygon there means the object. So a
search keeps, of each polygon it marks, what it was like, and what was done to it since
is done to its box as well. Polygons that no search has marked are none of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import fiftyone as fo
from bson import ObjectId

from ..documents import Document, Update, read_documents, update_documents
from ..label_lists import LabelList
from .id_lists import IdList

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
    key: str,
) -> Iterator[Marked]:
    """Yields what the polygons of a search are like.

    Args:
        dataset: the dataset
        labels: where the polygons are
        found: those with issues
        key: the key of the search, with which its own tags begin
    """
    label_ids = {label_id.binary for _, label_id in found}
    for document in _documents(dataset, found.sample_ids(), _compared(labels)):
        for label in labels.documents(document):
            annotation = annotation_of(label)
            if label["_id"].binary in label_ids and annotation is not None:
                sample_id = str(document["_id"])
                tags = _tags(label, key)
                class_ = label.get("label")
                yield [str(label["_id"]), sample_id, annotation, class_, tags]


def follow_polygons(
    dataset: fo.Dataset,
    labels: LabelList,
    boxes: LabelList,
    marked: Iterable[Marked],
    key: str,
) -> tuple[BoxChanges, list[Marked]]:
    """Does to boxes what was done to their polygons.

    Args:
        dataset: the dataset
        labels: where the polygons are
        boxes: where the boxes are
        marked: what the polygons were like, see :func:`marked_polygons`
        key: the key of their search

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
        if _are_as_before(polygons, labels.documents(document), key):
            now += polygons
        else:
            changed[str(document["_id"])] = polygons
    if not changed:
        return BoxChanges(), now
    total = None
    paths = [*_compared(labels), boxes.field]
    for _ in range(_ATTEMPTS):
        changes, followed = BoxChanges(), []
        updates: list[Update] = []
        for document in _documents(dataset, changed, paths):
            before = boxes.documents(document)
            pairs = _Pairs(labels.documents(document), before, key)
            after = pairs.follow(changed[str(document["_id"])], changes)
            followed += pairs.marked
            if after != before:
                changes.samples += 1
                values, guard = {boxes.path: after}, {boxes.path: before}
                updates.append((document["_id"], values, guard))
        # What is done once more is what the first attempt has counted.
        total = total or changes
        if update_documents(dataset, updates) == len(updates):
            return total, now + followed
    # Others change these boxes all the time: they are followed another time.
    return total or BoxChanges(), now + [m for own in changed.values() for m in own]


def _are_as_before(marked: list[Marked], polygons: list[Document], key: str) -> bool:
    """Whether nothing was done to the marked polygons of a sample."""
    present = {
        str(polygon["_id"]): [polygon.get("label"), _tags(polygon, key)]
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
        key: the key of the search
    """

    def __init__(
        self, polygons: list[Document], boxes: list[Document], key: str
    ) -> None:
        self.marked: list[Marked] = []
        self._polygons = {str(polygon["_id"]): polygon for polygon in polygons}
        self._annotations = Counter(map(annotation_of, polygons))
        self._boxes = boxes
        self._box_annotations = Counter(map(annotation_of, boxes))
        self._key = key

    def follow(self, marked: list[Marked], changes: BoxChanges) -> list[Document]:
        """Returns the boxes as they are to be, and counts what becomes of them."""
        wanted = {polygon[2]: polygon for polygon in marked}
        after = []
        for box in self._boxes:
            annotation = annotation_of(box)
            polygon = wanted.pop(annotation, None) if annotation is not None else None
            # Ids that several annotations share say nothing about whose box it is.
            if polygon is None or self._box_annotations[annotation] > 1:
                after.append(box)
                continue
            if (changed := self._followed(box, polygon, changes)) is not None:
                after.append(changed)
        self.marked += [p for p in wanted.values() if p[0] in self._polygons]
        return after

    def _followed(
        self, box: Document, polygon: Marked, changes: BoxChanges
    ) -> Document | None:
        """Returns what becomes of a box; None if it goes."""
        label_id, sample_id, annotation, was_class, had_tags = polygon
        now = self._polygons.get(label_id)
        if now is None:
            if self._annotations[annotation]:
                # Another one has taken its place, as an import does.
                return box
            changes.deleted += 1
            return None
        class_, tags = now.get("label"), _tags(now, self._key)
        self.marked.append([label_id, sample_id, annotation, class_, tags])
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


def _compared(labels: LabelList) -> list[str]:
    """Returns what is read of polygons: all but their points, which take longest."""
    names = ("_id", "coco_id", "coco_id_text", "label", "tags")
    return [f"{labels.path}.{name}" for name in names]


def _documents(
    dataset: fo.Dataset, sample_ids: Collection[str | ObjectId], paths: list[str]
) -> Iterator[Document]:
    ids = sorted(map(ObjectId, sample_ids))
    for start in range(0, len(ids), _BATCH_SIZE):
        yield from read_documents(dataset, ids[start : start + _BATCH_SIZE], paths)


def annotation_of(label: Document) -> Any:
    """Returns the id of a label's annotation, None if it has none."""
    return label.get("coco_id", label.get("coco_id_text"))


def _tags(label: Document, key: str) -> list[str]:
    """Returns the tags of a label that a person has given it."""
    return [tag for tag in label.get("tags") or [] if not tag.startswith(f"{key}:")]
