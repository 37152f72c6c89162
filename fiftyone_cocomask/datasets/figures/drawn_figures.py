"""One pass over masks and labels that makes all figures which need their pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from bson import ObjectId

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..label_lists import LabelList
from ..masks.options import MaskOptions
from ..masks.stored import has_mask, read_array
from ..measuring.reading import SampleReader, SampleRecord
from .covered_places import PLACES
from .drawn import DrawnSample, drawn_sample
from .mask_places import MaskPlaces
from .shapes import ObjectShapes
from .together import ClassPairs

CENTRES = "centres"
TOGETHER = "classes together"
SHAPES = "object shapes"


def heatmap_name(label: str | None, size: int) -> str:
    """Returns the name of the sums of a heatmap."""
    return f"heatmap of {label!r}, {size}"


def places_name(label: str | None, part: int | None = None) -> str:
    """Returns the name of what tells which samples cover a place.

    Args:
        label: the class, None for the whole mask
        part: which part of it; None for the number of parts
    """
    name = f"samples at places of {label!r}"
    return name if part is None else f"{name}, part {part}"


@dataclass(frozen=True, slots=True)
class FigureSource:
    """What figures are made of.

    Attributes:
        mask_field: the field of the masks
        labels: where the labels are, None without any
        options: how they are drawn
        names: without labels, the class of each value of the masks, None where values
            are not classes
    """

    mask_field: str
    labels: LabelList | None = None
    options: MaskOptions | None = None
    names: Mapping[int, str] | None = None


class DrawnFigures:
    """Heatmaps, centres, classes together and shapes, of one pass over samples.

    Args:
        source: what they are made of
    """

    def __init__(self, source: FigureSource) -> None:
        self._source = source
        self._places = MaskPlaces()
        self._pairs = self._shapes = None
        if source.options is not None:
            self._pairs = ClassPairs(source.options)
            self._shapes = ObjectShapes(source.options)

    def read(self, samples: SampleCollection) -> Iterator[int]:
        """Adds the samples; yields 1 after each."""
        source = self._source
        reader = SampleReader(samples, source.mask_field, source.labels)
        for records in reader.batches_with_shown():
            for record in records:
                self._add(record)
                yield 1

    def sums(self) -> dict[str, Any]:
        """Returns what the figures are made from, by name, as BSON holds it."""
        found: dict[str, Any] = {CENTRES: self._places.rows()}
        for label, shares in self._places.heatmaps().items():
            found[heatmap_name(label, PLACES)] = shares
        for label, covered in self._places.covered().items():
            found[places_name(label)] = len(covered)
            for part, document in enumerate(covered):
                found[places_name(label, part)] = document
        if self._pairs is not None and self._shapes is not None:
            found |= {TOGETHER: self._pairs.rows(), SHAPES: self._shapes.rows()}
        return found

    def _add(self, record: SampleRecord) -> None:
        mask = stored_mask(record)
        if mask is not None:
            self._places.add_mask(record.sample_id, mask)
            if self._source.names is not None:
                classes = _by_value(mask, self._source.names)
                self._places.add_classes(record.sample_id, classes)
        if self._source.options is not None:
            sample = drawn_sample(record, self._source.options)
            if sample is not None:
                self._add_objects(sample, record.shown, self._source.options)

    def _add_objects(
        self, sample: DrawnSample, shown: set[ObjectId] | None, options: MaskOptions
    ) -> None:
        visible, overlaps = sample.drawn(options)
        self._places.add_classes(sample.sample_id, visible)
        if self._pairs is not None and self._shapes is not None:
            # Masks are of all objects, but counts of those that the view has.
            objects = sample.of_labels(shown)
            self._pairs.add(objects, overlaps=overlaps)
            self._shapes.add(objects)


def stored_mask(record: SampleRecord) -> np.ndarray | None:
    """Returns a sample's mask as it is stored; None if it has none that can be read."""
    if not record.mask or not has_mask(record.mask):
        return None
    try:
        return read_array(record.mask)
    except CocoMaskError:
        return None


def _by_value(mask: np.ndarray, names: Mapping[int, str]) -> dict[str, np.ndarray]:
    """Returns the pixels of each class in a mask whose values are classes."""
    found: dict[str, np.ndarray] = {}
    for value in np.unique(mask).tolist():
        if value:
            name = names.get(value, str(value))
            pixels = mask == value
            found[name] = found[name] | pixels if name in found else pixels
    return found
