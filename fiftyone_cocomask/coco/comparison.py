"""What a comparison of two exports found: counts, tables, and a change log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from .compared import ComparedImage

_MAX_CLASSES = 10


class Change(str, Enum):
    """What became of an annotation."""

    UNCHANGED = "unchanged"
    """Shape, box, class and attributes are the same."""
    EDITED = "edited"
    """Its shape is another, or its box, its attributes or ``iscrowd``."""
    RELABELLED = "relabelled"
    """Its shape is the same and its class is another."""
    ADDED = "added"
    """Only the new export has it."""
    REMOVED = "removed"
    """Only the old export has it."""
    INTO_CROWD = "into_crowd"
    """It is part of a crowd of the new export."""
    OUT_OF_CROWD = "out_of_crowd"
    """It was part of a crowd of the old export."""


class ImageChange(str, Enum):
    """What became of an image."""

    KEPT = "kept"
    """It is in the same split under the same name."""
    ADDED = "added"
    """Only the new export has it."""
    REMOVED = "removed"
    """Only the old export has it."""
    MOVED = "moved"
    """It is in another split."""
    RENAMED = "renamed"
    """It is the one copy of the same source, under another name."""
    REPLACED = "replaced"
    """Its file has other content; counted beside the others."""


@dataclass(frozen=True, slots=True)
class AnnotationChange:
    """What became of one annotation.

    Attributes:
        change: what became of it
        split: the split of its image, in the new export if that has it
        file_name: the file name of its image
        old_id: its id in the old export
        new_id: its id in the new export
        old_label: its class in the old export
        new_label: its class in the new export
        iou: the IoU of its old and new mask; of crowds, the part of it in the crowd
        boundary_iou: the IoU of their boundaries, 2 % of the image's diagonal wide
        sample_id: the id of its sample, where the new export is a dataset
        label_id: the id of its label there
    """

    change: Change
    split: str
    file_name: str
    old_id: Any
    new_id: Any
    old_label: str | None
    new_label: str | None
    iou: float | None
    boundary_iou: float | None
    sample_id: str | None
    label_id: str | None

    def to_dict(self) -> dict[str, Any]:
        """Returns the change as JSON holds it."""
        return {**asdict(self), "change": self.change.value}


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
        self._changes: list[AnnotationChange] = []
        self._image_changes: list[dict[str, Any]] = []
        self._by_class: dict[str, Counter[str]] = {}
        self._ious: dict[str, list[tuple[float, float]]] = {}

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
            self._changes.append(change)
        old, new = change.old_label, change.new_label
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
                self._ious.setdefault(label, []).append((iou, boundary_iou))

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
                {
                    "change": change.value,
                    "split": now.split,
                    "file_name": now.file_name,
                    "old_split": image.split if new is not None else None,
                    "old_file_name": image.file_name if new is not None else None,
                    "annotations": now.num_annotations,
                    "sample_id": now.sample_id,
                }
            )

    def changes(self) -> pd.DataFrame:
        """Returns a row for each annotation that changed."""
        import pandas as pd

        names = list(AnnotationChange.__dataclass_fields__)
        rows = [change.to_dict() for change in self._changes]
        table = pd.DataFrame(rows, columns=names)
        for name in ("old_id", "new_id"):
            # Else whole numbers become 7.0 where one is missing.
            ids = [getattr(change, name) for change in self._changes]
            table[name] = pd.Series(ids, dtype=object)
        return table

    def image_changes(self) -> pd.DataFrame:
        """Returns a row for each image that changed."""
        import pandas as pd

        names = ["change", "split", "file_name", "old_split", "old_file_name"]
        names += ["annotations", "sample_id"]
        return pd.DataFrame(self._image_changes, columns=names)

    def per_class(self) -> pd.DataFrame:
        """Returns a row for each class: its numbers, and the mean IoU of the edited."""
        import pandas as pd

        kinds = [change.value for change in Change]
        rows = []
        for label in sorted(self._by_class):
            counts = self._by_class[label]
            row: dict[str, Any] = {"label": label}
            row |= {name: counts[name] for name in ("old", "new", *kinds)}
            pairs = self._ious.get(label, [])
            for place, name in enumerate(("mean_iou", "mean_boundary_iou")):
                values = [pair[place] for pair in pairs]
                row[name] = sum(values) / len(values) if values else None
            rows.append(row)
        columns = ["label", "old", "new", *kinds, "mean_iou", "mean_boundary_iou"]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as JSON holds it."""
        return {
            "old": self.old_name,
            "new": self.new_name,
            "same": self.is_same,
            "images": dict(self.images),
            "annotations": dict(self.annotations),
            "classes_added": list(self.classes_added),
            "classes_removed": list(self.classes_removed),
            "per_class": _records(self.per_class()),
            "image_changes": list(self._image_changes),
            "changes": [change.to_dict() for change in self._changes],
        }

    def summary(self) -> str:
        """Returns a change log for a person."""
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        return f"<ExportComparison {self.old_name!r} -> {self.new_name!r}>"

    def _of_class(self, label: str) -> Counter[str]:
        return self._by_class.setdefault(label, Counter())

    def _lines(self) -> list[str]:
        title = f"{self.old_name} -> {self.new_name}"
        if self.is_same:
            same = self.annotations[Change.UNCHANGED.value]
            images = self.images[ImageChange.KEPT.value]
            return [title, f"No changes in {images:,} images, {same:,} annotations."]
        lines = [title, *_counted("Images", self.images)]
        lines += _counted("Annotations", self.annotations)
        pairs = [pair for found in self._ious.values() for pair in found]
        if pairs:
            iou, boundary = (
                sum(each) / len(pairs) for each in zip(*pairs, strict=True)
            )
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
        pairs = Counter(
            (change.old_label, change.new_label)
            for change in self._changes
            if change.old_label != change.new_label
            and change.old_label is not None
            and change.new_label is not None
        )
        if not pairs:
            return []
        lines = [
            f"  {number:,} x {old} -> {new}"
            for (old, new), number in pairs.most_common(_MAX_CLASSES)
        ]
        return ["Other classes", *lines]


def _counted(title: str, counts: Mapping[str, int]) -> list[str]:
    words = [
        f"{number:,} {name.replace('_', ' ')}"
        for name, number in counts.items()
        if number
    ]
    return [f"{title}: {', '.join(words) or 'none'}"]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Returns a table's rows with None, which JSON has, for what is not a number."""
    return [
        {str(k): (None if v is None or v != v else v) for k, v in row.items()}
        for row in table.to_dict("records")
    ]
