"""Masks as training wants them: class values, instance numbers, a folder per class."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import fiftyone as fo
import numpy as np

from ...choices import Values
from ...errors import CocoMaskError, MaskFileError
from ...geometry.png import encode_mask
from ...unfinished import new_file
from ..documents import Document
from ..folders import safe_name
from ..labels import label_documents
from ..masks.field import class_names, mask_options
from ..masks.options import MaskOptions

Row = tuple[Any, ...]
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

    def label_field(self) -> str | None:
        """Returns the field of the labels that instance numbers come from."""
        return self.options.get("label_field") if self.values == "instance" else None

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
        """
        if self.per_class:
            folders = self.folders()
            for value in np.unique(mask).tolist():
                if value in folders:
                    yield folders[value], encode_mask(mask == value)
        elif self.values == "binary":
            yield "", encode_mask(mask != 0)
        else:
            depth = np.uint8 if mask.max(initial=0) < 256 else np.uint16
            yield "", cv2.imencode(".png", mask.astype(depth))[1].tobytes()

    def instances(
        self, document: Document, mask: np.ndarray, file: str
    ) -> Iterator[Row]:
        """Yields what the numbers of an instance mask mean, as rows of the table.

        Args:
            document: the sample's document, with the labels it was drawn from
            mask: its mask
            file: the name of its file
        """
        if self.values != "instance":
            return
        height, width = mask.shape
        value = document.get(self.options.get("label_field") or "")
        labels = label_documents(value)
        selected = []
        if self.options:
            options = MaskOptions.from_dict(self.options, {})
            drawn = options.objects(value, width, height)
            selected = [item for item in drawn if options.selects(item)]
        for number in np.unique(mask[mask > 0]).tolist():
            label, label_id = None, None
            if number <= len(selected):
                item = selected[number - 1]
                label, label_id = item.label, str(labels[item.index]["_id"])
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
