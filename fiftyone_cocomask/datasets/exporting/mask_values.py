"""Masks as training wants them: class values, instance numbers, a folder per class."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import fiftyone as fo
import numpy as np
from bson import ObjectId

from ...choices import Values
from ...errors import CocoMaskError, MaskFileError
from ...fiftyone_types import SampleCollection
from ...geometry.png import encode_mask
from ...unfinished import new_file
from ..documents import root_dataset
from ..folders import safe_name
from ..label_lists import LabelList
from ..labels import LabelObject
from ..masks.field import class_names, mask_options
from ..measuring.measure import drawing_options, drawn_objects, is_drawn_from
from ..measuring.reading import SampleReader

Row = tuple[Any, ...]
# What 16 bits hold.
_MAX_VALUE = 65535
_TABLES = {"binary": "classes.csv", "class": "classes.csv", "instance": "instances.csv"}


@dataclass(slots=True)
class MaskValues:
    """What the pixels of exported masks mean.

    Attributes:
        values: ``"binary"``, ``"class"`` or ``"instance"``
        per_class: whether each class has masks of its own, in its own folder
        classes: the class of each value, where values are classes
        options: how the masks were computed, if this plugin computed them
    """

    values: Values
    per_class: bool
    classes: dict[int, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_field(
        cls, dataset: fo.Dataset, mask_field: str, values: Values, per_class: bool
    ) -> MaskValues:
        """Returns what a field's masks can be exported as.

        Raises:
            CocoMaskError: if the field's masks do not have these values
        """
        options = mask_options(dataset, mask_field) or {}
        mode = options.get("mode")
        found = cls(values, per_class, options=options)
        if values == "instance":
            if per_class:
                raise CocoMaskError(
                    "per_class=True needs class values; instance numbers are not "
                    "classes"
                )
            if mode not in ("instance", None):
                raise _other_mode(mask_field, mode, "instance")
        elif values == "class" or per_class:
            found.classes = class_names(dataset, mask_field) or {}
            if mode not in ("semantic", None) or not found.classes:
                raise _other_mode(mask_field, mode, "semantic")
        return found

    @property
    def has_table(self) -> bool:
        """Whether a table says what the values mean."""
        return self.values != "binary" or self.per_class

    def numbered(
        self, samples: SampleCollection, mask_field: str
    ) -> Callable[[ObjectId], list[LabelObject]]:
        """Returns what says of which objects a sample's instance mask is, if known.

        Args:
            samples: the samples, perhaps a view that filters their labels
            mask_field: the field of the masks
        """
        name = self.options.get("label_field") if self.values == "instance" else None
        dataset = root_dataset(samples)
        if name is None or not dataset.has_field(name):
            return lambda sample_id: []
        reader = SampleReader(dataset, mask_field, LabelList.of_field(dataset, name))
        options = drawing_options(dataset, mask_field, name)

        def objects(sample_id: ObjectId) -> list[LabelObject]:
            for record in chain.from_iterable(reader.read([sample_id])):
                # Numbers go by the labels' places, which others may have by now.
                if is_drawn_from(record, options):
                    return drawn_objects(record, options)
            return []

        return objects

    def folders(self) -> dict[int, str]:
        """Returns a folder for each class; no two share one on any file system."""
        taken: set[str] = set()
        folders = {}
        for value, name in sorted(self.classes.items()):
            folder = safe_name(name)
            while folder.casefold() in taken:
                folder = f"{folder}-{value}"
            taken.add(folder.casefold())
            folders[value] = folder
        return folders

    def files(self, mask: np.ndarray) -> Iterator[tuple[str, bytes]]:
        """Yields the folder of each file that is made of a mask, and its bytes.

        Args:
            mask: an array of shape (height, width)

        Raises:
            MaskFileError: if it has values that a file cannot hold
        """
        if self.per_class:
            folders = self.folders()
            for value in np.unique(mask).tolist():
                if value in folders:
                    yield folders[value], encode_mask(mask == value)
        elif self.values == "binary":
            yield "", encode_mask(mask != 0)
        else:
            lowest, highest = int(mask.min()), int(mask.max())
            if lowest < 0 or highest > _MAX_VALUE:
                raise MaskFileError(
                    f"its mask has values from {lowest} to {highest}; a PNG holds 0 to "
                    f"{_MAX_VALUE}"
                )
            depth = np.uint8 if highest < 256 else np.uint16
            yield "", cv2.imencode(".png", mask.astype(depth))[1].tobytes()

    def instances(
        self, objects: Sequence[LabelObject], mask: np.ndarray, file: str
    ) -> Iterator[Row]:
        """Yields what the numbers of an instance mask mean, as rows of the table.

        Args:
            objects: the objects that it was drawn from; none where that is not known
            mask: the mask
            file: the name of its file
        """
        if self.values != "instance":
            return
        for number in np.unique(mask[mask > 0]).tolist():
            label, label_id = None, None
            if number <= len(objects):
                item = objects[number - 1]
                label, label_id = item.label, str(item.label_id)
            yield file, number, label, label_id

    def head(self) -> list[Row]:
        """Returns the first rows of the table: its head, and the classes."""
        if self.values == "instance":
            return [("file", "value", "class", "label_id")]
        folders = self.folders() if self.per_class else {}
        rows = sorted(self.classes.items())
        return [
            ("value", "class", *(["folder"] if folders else [])),
            *((v, name, *([folders[v]] if folders else [])) for v, name in rows),
        ]


class ValueTable:
    """The table of what values mean, written row by row.

    Args:
        file: the file, open to write
        name: what it is called in messages
    """

    def __init__(self, file: BinaryIO, name: Path) -> None:
        self._file = file
        self._name = name

    def write(self, rows: Iterable[Row]) -> None:
        """Appends rows.

        Raises:
            MaskFileError: if the disk refuses them
        """
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        with _told(self._name):
            self._file.write(text.getvalue().encode())


@contextmanager
def value_table(folder: Path, meaning: MaskValues) -> Iterator[ValueTable | None]:
    """Opens the table beside masks, which has its name once all of it is written.

    One of other content that is there already stays: this one gets a number then.

    Args:
        folder: the folder of the masks, made if need be
        meaning: what their pixels mean

    Yields:
        the table; None where none is needed

    Raises:
        MaskFileError: if it cannot be written
    """
    if not meaning.has_table:
        yield None
        return
    path = folder / _TABLES[meaning.values]
    with ExitStack() as opened:
        with _told(path):
            folder.mkdir(parents=True, exist_ok=True)
            table = ValueTable(opened.enter_context(new_file(path)), path)
        table.write(meaning.head())
        yield table
        with _told(path):
            opened.pop_all().close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Says of which file it is that the disk refuses it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise MaskFileError(f"The file {path} cannot be written: {reason}") from error


def _other_mode(mask_field: str, mode: Any, wanted: str) -> CocoMaskError:
    found = f"are {mode}" if mode else "name no classes"
    return CocoMaskError(
        f"The masks of '{mask_field}' {found}; compute masks of mode {wanted!r} to "
        "export such values"
    )
