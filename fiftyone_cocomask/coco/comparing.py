"""What changed between two exports: images, and annotations matched by their pixels."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from typing import NamedTuple

import numpy as np

from ..geometry.boundaries import boundary_px, overlap_of
from ..geometry.matching import mask_ious, match_objects
from ..geometry.objects import Canvas, MaskObject, is_drawable
from ..geometry.runs import RLE
from ..limits import size_problem
from .changes import AnnotationChange, Change, ImageChange
from .compared import (
    UNKNOWN_SIZE,
    ComparedExport,
    ComparedImage,
    ComparedObject,
    is_same_file,
)
from .comparison import ExportComparison
from .image_pairs import pair_images

# Two objects that overlap less are not one that was edited. Where they have one id,
# which may also be another object's in the next version, they need not overlap as well.
_MIN_IOU = 0.5
_MIN_IOU_OF_ONE_ID = 0.1
# So much of an object has to lie in a crowd that it is part of.
_MIN_IN_CROWD = 0.5

# Pairs of images that are compared together, so that processes do not wait.
_BATCH_SIZE = 16


class _Place(NamedTuple):
    """Where annotations are: the image, in the new export if that has it.

    The sample is of whichever export is a dataset.
    """

    split: str
    file_name: str
    sample_id: str | None

    @classmethod
    def of(cls, old: ComparedImage | None, new: ComparedImage | None) -> _Place:
        image = new or old
        assert image is not None
        found = (each.sample_id for each in (new, old) if each is not None)
        return cls(image.split, image.file_name, next(filter(None, found), None))


Found = list[list[AnnotationChange]]
# Calls a function for each item and yields what it returns in the items' order.
Mapped = Callable[
    [Callable[[range], Found], Iterable[range]], Generator[Found, None, None]
]


def in_this_process(
    function: Callable[[range], Found], items: Iterable[range]
) -> Generator[Found, None, None]:
    """Yields what a function returns for each item."""
    yield from map(function, items)


def compare_opened(
    old: ComparedExport,
    new: ComparedExport,
    progress: Callable[[int], None] = lambda number: None,
    mapped: Mapped = in_this_process,
) -> ExportComparison:
    """Compares two exports.

    Args:
        old: the one before
        new: the one after
        progress: called with the number of pairs of images since the last call
        mapped: calls the function that compares images: here, or in forked processes
    """
    comparison = ExportComparison(old.name, new.name, old.classes, new.classes)
    differing: list[tuple[ComparedImage, ComparedImage]] = []
    num_pairs = 0
    for before, after in pair_images(old.images.values(), new.images.values()):
        num_pairs += 1
        if before is None or after is None:
            _add_single(before, after, comparison)
        elif _has_same_annotations(before, after, comparison):
            comparison.add_unchanged(before.labels())
        else:
            differing.append((before, after))
    progress(num_pairs - len(differing))
    with _shared(differing):
        batches = [
            range(start, min(start + _BATCH_SIZE, len(differing)))
            for start in range(0, len(differing), _BATCH_SIZE)
        ]
        with closing(mapped(_changes_of_batch, batches)) as found:
            for batch, changes in zip(batches, found, strict=True):
                for change in chain.from_iterable(changes):
                    comparison.add(change)
                progress(len(batch))
    return comparison


# What forked processes compare: they have it from the process that started them.
_differing: list[tuple[ComparedImage, ComparedImage]] = []


@contextmanager
def _shared(pairs: list[tuple[ComparedImage, ComparedImage]]) -> Iterator[None]:
    global _differing
    before, _differing = _differing, pairs
    try:
        yield
    finally:
        _differing = before


def _changes_of_batch(batch: range) -> Found:
    return [list(_changes(*_differing[number])) for number in batch]


def _add_single(
    old: ComparedImage | None, new: ComparedImage | None, comparison: ExportComparison
) -> None:
    """Adds an image that only one of the exports has."""
    image = old or new
    assert image is not None
    is_added = old is None
    comparison.add_image(ImageChange.ADDED if is_added else ImageChange.REMOVED, image)
    kind = Change.ADDED if is_added else Change.REMOVED
    place = _Place.of(old, new)
    for item in image.objects():
        pair = (None, item) if is_added else (item, None)
        comparison.add(_change(kind, place, *pair))


def _has_same_annotations(
    old: ComparedImage, new: ComparedImage, comparison: ExportComparison
) -> bool:
    """Adds what became of an image; whether its annotations are plainly the same."""
    if old.split != new.split:
        comparison.add_image(ImageChange.MOVED, old, new)
    elif old.file_name != new.file_name:
        comparison.add_image(ImageChange.RENAMED, old, new)
    else:
        comparison.add_image(ImageChange.KEPT, old, new)
    if old.file_name == new.file_name and is_same_file(old, new) is False:
        comparison.add_image(ImageChange.REPLACED, old, new)
    return old.is_spelled_as(new)


def _changes(old: ComparedImage, new: ComparedImage) -> Iterator[AnnotationChange]:
    size, place = _common_size(old, new), _Place.of(old, new)
    olds, news = old.objects(size), new.objects(size)
    pairs, old_left, new_left = _equal_pairs(olds, news)
    for before, after in pairs:
        kind = _kind_of_equal(before, after)
        yield _change(kind, place, before, after, 1.0, 1.0)
    if old_left and new_left:
        matcher = _Matcher(size, old_left, new_left)
        for before, after, iou, boundary_iou in matcher.edited():
            is_same = iou == 1 and before.is_rle != after.is_rle
            kind = _kind_of_equal(before, after) if is_same else Change.EDITED
            yield _change(kind, place, before, after, iou, boundary_iou)
        old_left, new_left = matcher.left()
        crowds = _Crowds(size, old_left, olds, new_left, news)
        yield from crowds.changes(place)
        old_left, new_left = crowds.left()
    for item in old_left:
        yield _change(Change.REMOVED, place, item, None)
    for item in new_left:
        yield _change(Change.ADDED, place, None, item)


def _common_size(old: ComparedImage, new: ComparedImage) -> tuple[int, int]:
    """Returns the size to count the pixels of two versions of an image in.

    That of the new one; but a JSON can claim any, also such that nothing can be drawn.
    """
    sizes = (new.size, old.size)
    return next((s for s in sizes if size_problem(*s) is None), UNKNOWN_SIZE)


def _equal_pairs(
    olds: Sequence[ComparedObject], news: Sequence[ComparedObject]
) -> tuple[
    list[tuple[ComparedObject, ComparedObject]],
    list[ComparedObject],
    list[ComparedObject],
]:
    """Pairs objects of the very same shape: of one class and id before others."""
    pairs = []
    old_left, new_left = list(olds), list(news)
    for key in (
        lambda o: (o.key, o.label, o.is_crowd, o.box, o.annotation_id),
        lambda o: (o.key, o.label, o.is_crowd, o.box),
        lambda o: (o.key, o.label),
        lambda o: o.key,
    ):
        waiting: dict[object, list[ComparedObject]] = {}
        for item in new_left:
            waiting.setdefault(key(item), []).append(item)
        unmatched = []
        for item in old_left:
            partners = waiting.get(key(item))
            if partners:
                pairs.append((item, partners.pop(0)))
            else:
                unmatched.append(item)
        old_left = unmatched
        taken = {id(partner) for _, partner in pairs}
        new_left = [item for item in new_left if id(item) not in taken]
        if not old_left or not new_left:
            break
    return pairs, old_left, new_left


def _kind_of_equal(old: ComparedObject, new: ComparedObject) -> Change:
    if old.label != new.label:
        return Change.RELABELLED
    is_same = (
        old.is_crowd == new.is_crowd
        and old.box == new.box
        and old.attributes == new.attributes
    )
    return Change.UNCHANGED if is_same else Change.EDITED


class _Matcher:
    """Matches the objects of two versions of an image that are not equal."""

    def __init__(
        self,
        size: tuple[int, int],
        olds: Sequence[ComparedObject],
        news: Sequence[ComparedObject],
    ) -> None:
        self._width, self._height = size
        self._olds, self._news = olds, news
        self._canvas = Canvas(self._height, self._width, "coco")
        self._matched: list[tuple[int, int]] = []

    def edited(
        self,
    ) -> Iterator[tuple[ComparedObject, ComparedObject, float, float]]:
        """Yields the pairs, with their IoU and Boundary IoU."""
        height, width = self._height, self._width
        rles = [_rles(self._canvas, items) for items in (self._olds, self._news)]
        ious = mask_ious(rles[0], rles[1])
        is_same_class = np.array(
            [[old.label == new.label for new in self._news] for old in self._olds]
        )
        has_one_id = np.array(
            [[_have_one_id(old, new) for new in self._news] for old in self._olds]
        )
        allowed = (ious >= _MIN_IOU) | (has_one_id & (ious >= _MIN_IOU_OF_ONE_ID))
        self._matched = match_objects(ious, is_same_class, allowed)
        distance = boundary_px(height, width)
        matched = [
            MaskObject(rle=rle)
            for row, column in self._matched
            for rle in (rles[0][row], rles[1][column])
        ]
        patches = self._canvas.patches(matched)
        for row, column in self._matched:
            iou, boundary_iou = overlap_of(next(patches), next(patches), distance)
            yield self._olds[row], self._news[column], iou, boundary_iou

    def left(self) -> tuple[list[ComparedObject], list[ComparedObject]]:
        """Returns the objects that have no partner."""
        rows = {row for row, _ in self._matched}
        columns = {column for _, column in self._matched}
        return (
            [item for row, item in enumerate(self._olds) if row not in rows],
            [item for column, item in enumerate(self._news) if column not in columns],
        )


class _Crowds:
    """Finds objects that became part of a crowd, or come out of one.

    A crowd is matched with many objects, each by the part of it that lies in the crowd.
    """

    def __init__(
        self,
        size: tuple[int, int],
        old_left: list[ComparedObject],
        olds: Sequence[ComparedObject],
        new_left: list[ComparedObject],
        news: Sequence[ComparedObject],
    ) -> None:
        self._size = size
        into = self._parts([o for o in old_left if not o.is_crowd], news)
        out_of = self._parts([o for o in new_left if not o.is_crowd], olds)
        self._into, self._out_of = into, out_of
        gone = {id(item) for pair in (*into, *out_of) for item in pair[:2]}
        self._old_left = [item for item in old_left if id(item) not in gone]
        self._new_left = [item for item in new_left if id(item) not in gone]

    def changes(self, place: _Place) -> Iterator[AnnotationChange]:
        """Yields a change for each object in a crowd."""
        for item, crowd, part in self._into:
            yield _change(Change.INTO_CROWD, place, item, crowd, part)
        for item, crowd, part in self._out_of:
            yield _change(Change.OUT_OF_CROWD, place, crowd, item, part)

    def left(self) -> tuple[list[ComparedObject], list[ComparedObject]]:
        """Returns the objects that are in no crowd, and crowds without objects."""
        return self._old_left, self._new_left

    def _parts(
        self, items: list[ComparedObject], others: Sequence[ComparedObject]
    ) -> list[tuple[ComparedObject, ComparedObject, float]]:
        crowds = [other for other in others if other.is_crowd]
        if not items or not crowds:
            return []
        width, height = self._size
        canvas = Canvas(height, width, "coco")
        parts = mask_ious(
            _rles(canvas, items), _rles(canvas, crowds), [True] * len(crowds)
        )
        best = parts.argmax(axis=1)
        return [
            (item, crowds[column], float(parts[row, column]))
            for row, (item, column) in enumerate(zip(items, best.tolist(), strict=True))
            if parts[row, column] >= _MIN_IN_CROWD
        ]


def _rles(canvas: Canvas, items: Sequence[ComparedObject]) -> list[RLE]:
    """Returns the pixels of objects; none for those that cannot be drawn."""
    nothing = MaskObject()
    geometries = [item.geometry for item in items]
    return canvas.rles(
        [g if all(map(is_drawable, g.rings)) else nothing for g in geometries]
    )


def _have_one_id(old: ComparedObject, new: ComparedObject) -> bool:
    return old.annotation_id is not None and old.annotation_id == new.annotation_id


def _change(
    kind: Change,
    place: _Place,
    old: ComparedObject | None,
    new: ComparedObject | None,
    iou: float | None = None,
    boundary_iou: float | None = None,
) -> AnnotationChange:
    return AnnotationChange(
        kind,
        place.split,
        place.file_name,
        None if old is None else old.annotation_id,
        None if new is None else new.annotation_id,
        None if old is None else old.label,
        None if new is None else new.label,
        iou,
        boundary_iou,
        place.sample_id,
        (new.label_id if new is not None else None) or (old.label_id if old else None),
    )
