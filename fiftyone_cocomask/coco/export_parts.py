"""An export read in parts, each by itself, perhaps on a machine of its own."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from .check import ExportReader
from .originals import AnnotationForm
from .reading import ReadPart, SplitReading
from .records import ImageRecord
from .report import ExportReport
from .shared_reading import Forked, Work, batches_of, read_parts

_MadeT = TypeVar("_MadeT")

# The number of a split, and the places of some of its images.
Batch = tuple[int, range]


class ExportParts:
    """Reads any images of an export, for :meth:`ExportReader.joined_images`.

    Args:
        reader: the export, of which no image has been read; it has none afterwards
    """

    def __init__(self, reader: ExportReader) -> None:
        self._name = reader.name
        self._unpack_to = None if reader.unpack_to is None else Path(reader.unpack_to)
        self._splits = reader.take_indexes()

    def batches(self, size: int) -> list[Batch]:
        """Returns all images in batches.

        Args:
            size: how many images a batch has at most
        """
        return [
            (number, batch)
            for number, (index, _) in enumerate(self._splits)
            for batch in batches_of(list(index.images.values()), size)
        ]

    def num_entries(self, batches: Iterable[Batch]) -> list[int]:
        """Returns how many images and annotations there are in each of some batches."""
        numbers = []
        for split, of_split in groupby(batches, key=itemgetter(0)):
            groups = list(self._splits[split][0].images.values())
            for _, places in of_split:
                entries = chain.from_iterable(groups[places.start : places.stop])
                numbers.append(sum(1 + len(entry.annotations) for entry in entries))
        return numbers

    def beginning(self, split: int, number: int) -> tuple[list[ImageRecord], Any]:
        """Returns the first images of a split, and the form of their annotations.

        Nothing is reported or unpacked, and the images can be read again.
        """
        reading = self._reading(split, None, AnnotationForm(), wants_fingerprints=False)
        groups = list(islice(self._splits[split][0].images.values(), number))
        return list(reading.images(groups)), reading.form.to_dict()

    def read(
        self,
        batches: Iterable[Batch],
        forms: Mapping[int, Any],
        work: Work[Any, _MadeT],
        forked: Forked,
    ) -> Generator[tuple[ReadPart, _MadeT], None, None]:
        """Yields what is found and made of the images of some batches.

        Args:
            batches: batches that follow each other
            forms: by the number of the split, the form that :meth:`beginning` found
            work: what is made of images where they are read
            forked: calls a function in forked processes
        """
        for split, of_split in groupby(batches, key=itemgetter(0)):
            form = AnnotationForm.from_dict(forms.get(split) or {})
            reading = self._reading(split, self._unpack_to, form)
            groups = list(self._splits[split][0].images.values())
            places = [batch for _, batch in of_split]
            yield from read_parts(reading, groups, places, work, forked)

    def _reading(
        self,
        split: int,
        unpack_to: Path | None,
        form: AnnotationForm,
        *,
        wants_fingerprints: bool = True,
    ) -> SplitReading:
        index, categories = self._splits[split]
        report = ExportReport(self._name)
        return SplitReading(
            index, categories, report, unpack_to, set(), wants_fingerprints, form
        )
