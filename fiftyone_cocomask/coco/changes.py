"""What became of annotations and images between two exports, kept in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_NAN = float("nan")
# Stands for an id that is not a whole number, or for none.
_OTHER = -(2**63)


class Change(str, Enum):
    """What became of an annotation."""

    UNCHANGED = "unchanged"
    """Shape, box, class and attributes are the same.

    An RLE has the shape of a polygon that covers its very pixels.
    """
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
        boundary_iou: the IoU of their boundaries, 2% of the image's diagonal wide
        sample_id: the id of its sample, where one of the exports is a dataset: of the
            new one where both are
        label_id: the id of its label there, or in the old one where that alone has it
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


class ChangeList:
    """Changes of annotations: about 60 bytes each, since there may be millions."""

    def __init__(self) -> None:
        self._kinds = array("b")
        self._images = array("l")
        self._ids = array("q"), array("q")
        self._labels = array("l"), array("l")
        self._ious = array("d"), array("d")
        self._of_image: list[tuple[str, str, str | None]] = []
        self._names: dict[str | None, int] = {None: 0}
        self._other_ids: dict[tuple[int, int], Any] = {}
        self._label_ids: dict[int, bytes | str] = {}

    def __len__(self) -> int:
        return len(self._kinds)

    def add(self, change: AnnotationChange) -> None:
        """Adds a change; those of one image follow on each other."""
        row = len(self)
        image = (change.split, change.file_name, change.sample_id)
        if not self._of_image or self._of_image[-1] != image:
            self._of_image.append(image)
        self._kinds.append(_KINDS.index(change.change))
        self._images.append(len(self._of_image) - 1)
        for side, value in enumerate((change.old_id, change.new_id)):
            is_usual = type(value) is int and _OTHER < value < -_OTHER
            self._ids[side].append(value if is_usual else _OTHER)
            if not is_usual and value is not None:
                self._other_ids[row, side] = value
        for side, label in enumerate((change.old_label, change.new_label)):
            self._labels[side].append(self._names.setdefault(label, len(self._names)))
        for side, iou in enumerate((change.iou, change.boundary_iou)):
            self._ious[side].append(_NAN if iou is None else iou)
        if change.label_id is not None:
            self._label_ids[row] = _packed(change.label_id)

    def __iter__(self) -> Iterator[AnnotationChange]:
        names = list(self._names)
        for row, kind in enumerate(self._kinds):
            split, file_name, sample_id = self._of_image[self._images[row]]
            old_iou, new_iou = (_number(ious[row]) for ious in self._ious)
            yield AnnotationChange(
                _KINDS[kind],
                split,
                file_name,
                self._id(row, 0),
                self._id(row, 1),
                names[self._labels[0][row]],
                names[self._labels[1][row]],
                old_iou,
                new_iou,
                sample_id,
                self._label_id(row),
            )

    def table(self) -> pd.DataFrame:
        """Returns a row for each change."""
        import pandas as pd

        names = [field.name for field in fields(AnnotationChange)]
        rows = range(len(self))
        of_image = [self._of_image[number] for number in self._images]
        labels = list(self._names)
        columns: dict[str, Any] = {
            "change": [_KINDS[kind].value for kind in self._kinds],
            "split": [image[0] for image in of_image],
            "file_name": [image[1] for image in of_image],
            "old_label": [labels[number] for number in self._labels[0]],
            "new_label": [labels[number] for number in self._labels[1]],
            "iou": list(map(_number, self._ious[0])),
            "boundary_iou": list(map(_number, self._ious[1])),
            "sample_id": [image[2] for image in of_image],
            "label_id": list(map(self._label_id, rows)),
        }
        for side, name in enumerate(("old_id", "new_id")):
            # Else whole numbers become 7.0 where one is missing.
            ids = [self._id(row, side) for row in rows]
            columns[name] = pd.Series(ids, dtype=object)
        return pd.DataFrame(columns, columns=names)

    def _id(self, row: int, side: int) -> Any:
        value = self._ids[side][row]
        return self._other_ids.get((row, side)) if value == _OTHER else value

    def _label_id(self, row: int) -> str | None:
        value = self._label_ids.get(row)
        return value.hex() if isinstance(value, bytes) else value


def _packed(label_id: str) -> bytes | str:
    try:
        packed = bytes.fromhex(label_id)
    except ValueError:
        return label_id
    return packed if packed.hex() == label_id else label_id


def _number(value: float) -> float | None:
    return None if value != value else value


_KINDS = list(Change)
