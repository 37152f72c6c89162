"""The figures of each source image, of which a dataset may hold augmented copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...fiftyone_types import SampleCollection
from ..documents import Document, stream_documents
from ..label_lists import LabelList
from ..measuring.measure import NO_LABEL
from ..split_names import split_of, split_paths
from .counts import ALL_CLASSES
from .drift import Figure, SourceFigures

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

    def of(self, sample: Document, classes: list[str]) -> Mapping[Figure, float]:
        """Returns the figures of a sample that has a number.

        Args:
            sample: its document
            classes: all classes; one that the sample lacks has no objects in it, and
                covers none of it
        """
        found: dict[Figure, float] = {(ALL_CLASSES, self.name): sample[self.value_path]}
        if self.classes_path is not None:
            found |= {(name, self.name): 0.0 for name in classes}
            for row in sample.get(self.classes_path) or []:
                found[row["label"], self.name] = row["ratio"]
        if self.labels is not None:
            found |= self._of_labels(self.labels.documents(sample), classes)
        return found

    def _of_labels(
        self, labels: list[Document], classes: list[str]
    ) -> dict[Figure, float]:
        areas: dict[str, list[float]] = {name: [] for name in classes}
        for label in labels:
            area = 0.0 if self.area is None else label.get(self.area)
            if area is not None:
                areas.setdefault(label.get("label") or NO_LABEL, []).append(area)
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


def source_figures(
    samples: SampleCollection, figures: SampleFigures, classes: list[str]
) -> SourceFigures:
    """Returns the figures of the sources of samples.

    Args:
        samples: the dataset or view
        figures: where they are
        classes: all classes
    """
    paths = [*figures.paths(), *split_paths(samples)]
    if samples.has_field("source_name"):
        paths.append("source_name")
    found = SourceFigures()
    for documents in stream_documents(samples, paths, batch_size=2000):
        for document in documents:
            if document.get(figures.value_path) is not None:
                source = document.get("source_name") or document["_id"]
                numbers = figures.of(document, classes)
                found.add(split_of(document), source, numbers)
    return found
