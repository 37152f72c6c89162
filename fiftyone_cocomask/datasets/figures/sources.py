"""The figures of each source image, of which a dataset may hold augmented copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...fiftyone_types import SampleCollection
from ..documents import Document, stream_documents
from ..label_lists import LabelList
from ..measuring.measure import NO_LABEL
from ..split_names import split_of, split_paths, split_rank
from .counts import ALL_CLASSES
from .drift import Figure, SourceFigures, adjusted_rows, tested_rows

SPLIT_DRIFT = "split drift"

_OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class SampleFigures:
    """Where the figures of a sample are.

    Attributes:
        name: what the sample's own number is called: ``"area_px"`` or ``"coverage"``
        value_path: its field
        classes_path: the field of the classes with their share of the image, or None
        labels: where the labels are, or None
        area: the attribute with each label's area, None where they have none
    """

    name: str
    value_path: str
    classes_path: str | None = None
    labels: LabelList | None = None
    area: str | None = None

    def paths(self) -> list[str]:
        """Returns the fields to read."""
        paths = [self.value_path]
        if self.classes_path is not None:
            paths.append(self.classes_path)
        if self.labels is not None:
            names = ("label", *([self.area] if self.area else []))
            paths += [f"{self.labels.path}.{name}" for name in names]
        return paths

    def filled(self, classes: list[str]) -> frozenset[Figure]:
        """Returns the figures that are 0 in samples that lack a class.

        Args:
            classes: all classes
        """
        names = [self.name] if self.classes_path is not None else []
        names += [_OBJECTS] if self.labels is not None else []
        return frozenset((each, name) for name in names for each in classes)

    def of(self, sample: Document) -> Mapping[Figure, float]:
        """Returns the figures of a sample that has a number, of the classes in it."""
        found: dict[Figure, float] = {(ALL_CLASSES, self.name): sample[self.value_path]}
        if self.classes_path is not None:
            for row in sample.get(self.classes_path) or []:
                found[row["label"], self.name] = row["ratio"]
        if self.labels is not None:
            found |= self._of_labels(self.labels.documents(sample))
        return found

    def _of_labels(self, labels: list[Document]) -> dict[Figure, float]:
        areas: dict[str, list[float]] = {}
        for label in labels:
            area = 0.0 if self.area is None else label.get(self.area)
            if area is not None:
                name = label.get("label")
                name = NO_LABEL if name is None else name
                areas.setdefault(name, []).append(area)
        found: dict[Figure, float] = {
            (name, _OBJECTS): float(len(each)) for name, each in areas.items()
        }
        found[ALL_CLASSES, _OBJECTS] = float(sum(map(len, areas.values())))
        if self.area is not None:
            found |= {
                (name, "object_area_px"): sum(each) / len(each)
                for name, each in areas.items()
                if each
            }
        return found


class SplitDrift:
    """How the splits of samples differ: one pass over them, then a test a figure.

    Args:
        figures: where the figures of a sample are
        classes: all classes
    """

    def __init__(self, figures: SampleFigures, classes: list[str]) -> None:
        self._figures = figures
        self._numbers = SourceFigures(figures.filled(classes))
        self._rows: list[Document] = []

    def read(self, samples: SampleCollection) -> Iterator[int]:
        """Adds the samples; yields after each step how many it has done."""
        paths = [*self._figures.paths(), *split_paths(samples)]
        if samples.has_field("source_name"):
            paths.append("source_name")
        for documents in stream_documents(samples, paths):
            for document in documents:
                self._add(document)
            yield len(documents)
        splits = sorted(self._numbers.splits(), key=split_rank)
        for row in tested_rows(self._numbers, splits):
            self._rows.append(row)
            yield 0

    def sums(self) -> dict[str, Any]:
        """Returns the rows, by the name that they are kept under."""
        return {SPLIT_DRIFT: adjusted_rows(self._rows)}

    def _add(self, document: Document) -> None:
        if document.get(self._figures.value_path) is not None:
            source = document.get("source_name") or document["_id"]
            self._numbers.add(split_of(document), source, self._figures.of(document))
