"""What a comparison of two exports found: counts, tables, and a change log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..table_rows import records
from ..words import count, printable_lines
from .changes import AnnotationChange, Change, ChangeList, ImageChange

if TYPE_CHECKING:
    import pandas as pd

    from .compared import ComparedImage

_MAX_CLASSES = 10
_MEANS = ("mean_iou", "mean_boundary_iou")
_IMAGE_COLUMNS = (
    "change",
    "split",
    "file_name",
    "old_split",
    "old_file_name",
    "annotations",
    "sample_id",
)


class ExportComparison:
    """What changed between two exports.

    Attributes:
        old_name: the name of the old export
        new_name: the name of the new one
        images: the number of images of each :class:`ImageChange`
        annotations: the number of annotations of each :class:`Change`
        classes_added: classes that only the new export uses
        classes_removed: classes that only the old one uses
    """

    def __init__(
        self,
        old_name: str,
        new_name: str,
        old_classes: list[str],
        new_classes: list[str],
    ) -> None:
        self.old_name = old_name
        self.new_name = new_name
        self.images = {change.value: 0 for change in ImageChange}
        self.annotations = {change.value: 0 for change in Change}
        self.classes_added = [c for c in new_classes if c not in set(old_classes)]
        self.classes_removed = [c for c in old_classes if c not in set(new_classes)]
        self._changes = ChangeList()
        self._other_classes: Counter[tuple[str, str]] = Counter()
        self._image_changes: list[tuple[Any, ...]] = []
        self._by_class: dict[str, Counter[str]] = {}
        self._ious: dict[str, tuple[int, float, float]] = {}

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        images = sum(self.images.values()) - self.images[ImageChange.KEPT.value]
        annotations = sum(self.annotations.values())
        annotations -= self.annotations[Change.UNCHANGED.value]
        return not (images or annotations or self.classes_added or self.classes_removed)

    def add(self, change: AnnotationChange) -> None:
        """Counts what became of an annotation."""
        kind = change.change
        self.annotations[kind.value] += 1
        if kind is not Change.UNCHANGED:
            self._changes.add(change)
        old, new = change.old_label, change.new_label
        if old is not None and new is not None and old != new:
            self._other_classes[old, new] += 1
        if kind in (Change.INTO_CROWD, Change.REMOVED):
            new = None
        elif kind in (Change.OUT_OF_CROWD, Change.ADDED):
            old = None
        if old is not None:
            self._of_class(old)["old"] += 1
        if new is not None:
            self._of_class(new)["new"] += 1
        label = old if old is not None else new
        if label is not None:
            self._of_class(label)[kind.value] += 1
            iou, boundary_iou = change.iou, change.boundary_iou
            if kind is Change.EDITED and iou is not None and boundary_iou is not None:
                number, total, boundary = self._ious.get(label, (0, 0.0, 0.0))
                sums = number + 1, total + iou, boundary + boundary_iou
                self._ious[label] = sums

    def add_unchanged(self, labels: Mapping[str, int]) -> None:
        """Counts annotations of which nothing changed.

        Args:
            labels: their number by class
        """
        for label, number in labels.items():
            self.annotations[Change.UNCHANGED.value] += number
            counts = self._of_class(label)
            for name in ("old", "new", Change.UNCHANGED.value):
                counts[name] += number

    def add_image(
        self,
        change: ImageChange,
        image: ComparedImage,
        new: ComparedImage | None = None,
    ) -> None:
        """Counts what became of an image."""
        self.images[change.value] += 1
        if change is not ImageChange.KEPT:
            now = new or image
            self._image_changes.append(
                (
                    change.value,
                    now.split,
                    now.file_name,
                    image.split if new is not None else None,
                    image.file_name if new is not None else None,
                    now.num_annotations,
                    now.sample_id or image.sample_id,
                )
            )

    def changes(self) -> pd.DataFrame:
        """Returns a row for each annotation that changed."""
        return self._changes.table()

    def image_changes(self) -> pd.DataFrame:
        """Returns a row for each image that changed."""
        import pandas as pd

        return pd.DataFrame(self._image_changes, columns=list(_IMAGE_COLUMNS))

    def per_class(self) -> pd.DataFrame:
        """Returns a row for each class: its numbers, and the mean IoU of the edited."""
        import pandas as pd

        kinds = [change.value for change in Change]
        rows = []
        for label in sorted(self._by_class):
            counts = self._by_class[label]
            row: dict[str, Any] = {"label": label}
            row |= {name: counts[name] for name in ("old", "new", *kinds)}
            number, *sums = self._ious.get(label, (0, 0.0, 0.0))
            for name, total in zip(_MEANS, sums, strict=True):
                row[name] = total / number if number else None
            rows.append(row)
        columns = ["label", "old", "new", *kinds, *_MEANS]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self, max_changes: int | None = None) -> dict[str, Any]:
        """Returns everything as JSON holds it.

        Args:
            max_changes: so many changes of annotations, and of images, are listed; the
                numbers count all of them. All are listed by default
        """
        return {
            "old": self.old_name,
            "new": self.new_name,
            "same": self.is_same,
            "images": dict(self.images),
            "annotations": dict(self.annotations),
            "classes_added": list(self.classes_added),
            "classes_removed": list(self.classes_removed),
            "per_class": records(self.per_class()),
            "image_changes": [
                dict(zip(_IMAGE_COLUMNS, row, strict=True))
                for row in self._image_changes[:max_changes]
            ],
            "changes": [c.to_dict() for c in islice(self._changes, max_changes)],
        }

    def summary(self) -> str:
        """Returns a change log for a person."""
        return printable_lines("\n".join(self._lines()))

    def __repr__(self) -> str:
        return f"<ExportComparison {self.old_name!r} -> {self.new_name!r}>"

    def _of_class(self, label: str) -> Counter[str]:
        return self._by_class.setdefault(label, Counter())

    def _lines(self) -> list[str]:
        title = f"{self.old_name} -> {self.new_name}"
        if self.is_same:
            same = self.annotations[Change.UNCHANGED.value]
            images = self.images[ImageChange.KEPT.value]
            known = f"{count(images, 'image')}, {count(same, 'annotation')}"
            return [title, f"No changes in {known}."]
        lines = [title, *_counted("Images", self.images)]
        lines += _counted("Annotations", self.annotations)
        number = sum(found[0] for found in self._ious.values())
        if number:
            iou = sum(found[1] for found in self._ious.values()) / number
            boundary = sum(found[2] for found in self._ious.values()) / number
            lines.append(
                f"  the edited: mean IoU {iou:.3f}, mean Boundary IoU {boundary:.3f}"
            )
        for word, names in (
            ("new", self.classes_added),
            ("gone", self.classes_removed),
        ):
            if names:
                listed = ", ".join(names[:_MAX_CLASSES])
                more = len(names) - _MAX_CLASSES
                lines.append(
                    f"Classes {word}: {listed}" + (f" and {more} more" * (more > 0))
                )
        lines += self._relabelled()
        return lines

    def _relabelled(self) -> list[str]:
        if not self._other_classes:
            return []
        lines = [
            f"  {number:,} x {old} -> {new}"
            for (old, new), number in self._other_classes.most_common(_MAX_CLASSES)
        ]
        return ["Other classes", *lines]


def _counted(title: str, counts: Mapping[str, int]) -> list[str]:
    words = [
        f"{number:,} {name.replace('_', ' ')}"
        for name, number in counts.items()
        if number
    ]
    return [f"{title}: {', '.join(words) or 'none'}"]
