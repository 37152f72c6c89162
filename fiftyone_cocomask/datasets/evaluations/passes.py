"""One pass over the samples of a dataset: measure, and write what has changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import fiftyone.core.utils as fou
from bson import ObjectId

from ..documents import Document, Update, sample_ids, update_documents
from .fields import CLASSES_SUFFIX, EvaluationFields, FieldSpec
from .label_lists import LabelList
from .measure import (
    LabelFigures,
    MaskFigures,
    NoFiguresError,
    drawing_options,
    drawn_figures,
    measure_labels,
    measure_mask,
)
from .reading import SampleReader, SampleRecord
from .runs import Kind

_BATCH_SIZE = 200
# Results name at most this many samples of each kind.
_MAX_NAMED = 1000


@dataclass(frozen=True, slots=True)
class SampleFigures:
    """All figures of one sample.

    Attributes:
        mask: its mask's
        labels: its labels', where a label field is evaluated
    """

    mask: MaskFigures
    labels: LabelFigures | None


@dataclass(frozen=True, slots=True)
class EvaluationKind:
    """What one kind of evaluation writes.

    Attributes:
        name: ``"area"`` or ``"coverage"``
        sample_specs: the fields on each sample
        sample_specs_with_labels: more of them where a label field is given
        label_specs: the fields on each label
        sample_values: returns the values of a sample's fields, by suffix
        label_values: returns the values of the labels' fields, a list by suffix
    """

    name: Kind
    sample_specs: tuple[FieldSpec, ...]
    sample_specs_with_labels: tuple[FieldSpec, ...]
    label_specs: tuple[FieldSpec, ...]
    sample_values: Callable[[SampleFigures], dict[str, Any]]
    label_values: Callable[[LabelFigures], dict[str, list[Any]]]


@dataclass(slots=True)
class PassReport:
    """What a pass cannot say in fields of the samples.

    Attributes:
        without_number: the samples that got no number, as ``{"sample_id",
            "filepath", "reason"}``; at most 1,000 are named
        num_without_number: how many there are
        num_other_size: how many masks have another number of pixels than their image
        num_changed: how many samples' labels were changed by somebody else in the
            moment of their evaluation, so that they were left as they were
    """

    without_number: list[dict[str, str]] = field(default_factory=list)
    num_without_number: int = 0
    num_other_size: int = 0
    num_changed: int = 0

    def add_without_number(self, record: SampleRecord, reason: str) -> None:
        self.num_without_number += 1
        if len(self.without_number) < _MAX_NAMED:
            self.without_number.append(
                {
                    "sample_id": str(record.sample_id),
                    "filepath": record.filepath,
                    "reason": reason,
                }
            )


class EvaluationPass:
    """Reads samples, measures them and writes what has changed.

    Args:
        samples: the dataset or view
        kind: what is evaluated
        fields: the fields to write, declared
        mask_field: the field of the masks
        labels: where the labels are, or None
        names: the class of each mask value, or None if values are no classes
    """

    def __init__(
        self,
        samples: Any,
        kind: EvaluationKind,
        fields: EvaluationFields,
        mask_field: str,
        labels: LabelList | None,
        names: dict[int, str] | None,
    ) -> None:
        self._samples = samples
        self._dataset = samples._root_dataset
        self._kind = kind
        self._fields = fields
        self._labels = labels
        self._names = names if fields.has_classes and labels is None else None
        self._options = (
            drawing_options(self._dataset, mask_field, labels.field)
            if labels is not None
            else None
        )
        attributes = [path.rpartition(".")[2] for path in fields.label_paths]
        self._reader = SampleReader(
            samples, mask_field, labels, fields.sample_paths, attributes
        )
        self._report = PassReport()

    def run(self, progress: Any) -> PassReport:
        seen: set[ObjectId] = set()
        is_view = self._samples is not self._dataset
        with fou.ProgressBar(total=len(self._samples), progress=progress) as bar:
            for records in self._reader.batches():
                updates = [u for u in map(self._update, records) if u is not None]
                written = update_documents(self._dataset, updates)
                self._report.num_changed += len(updates) - written
                if is_view:
                    seen.update(record.sample_id for record in records)
                bar.update(len(records))
        if is_view:
            self._clear_all_but(seen)
        return self._report

    def _update(self, record: SampleRecord) -> Update | None:
        """Returns what to change in a sample, None if its values are there already."""
        try:
            figures = self._measure(record)
        except NoFiguresError as error:
            self._report.add_without_number(record, str(error))
            figures = None
        changes = self._sample_changes(record, figures)
        label_changes = self._label_changes(record, figures)
        if self._labels is None or not label_changes:
            return (record.sample_id, changes) if changes else None
        guard = self._labels.guard(record.label_ids)
        return record.sample_id, changes | label_changes, guard

    def _measure(self, record: SampleRecord) -> SampleFigures:
        by_value = self._names is not None
        mask = measure_mask(record.mask, record.size, by_value=by_value)
        labels = None
        if self._options is not None:
            if record.size is None:
                raise NoFiguresError("the size of its image cannot be read")
            labels = drawn_figures(record, self._options)
            if labels is None:
                labels = measure_labels(record.label(), *record.size, self._options)
        if record.size is not None and mask.mask_px != math.prod(record.size):
            self._report.num_other_size += 1
        return SampleFigures(mask, labels)

    def _sample_changes(
        self, record: SampleRecord, figures: SampleFigures | None
    ) -> Document:
        values = self._kind.sample_values(figures) if figures else {}
        changes = {}
        for spec in self._fields.sample_specs:
            path = self._fields.on_sample(spec.suffix)
            value = values.get(spec.suffix)
            if record.values.get(path) != value:
                changes[path] = value
        if self._fields.has_classes:
            path = self._fields.on_sample(CLASSES_SUFFIX)
            classes = self._classes(figures) if figures else None
            if record.values.get(path) != classes:
                changes[path] = classes
        return changes

    def _classes(self, figures: SampleFigures) -> list[Document]:
        pixels: dict[str, int] = {}
        if figures.labels is not None:
            pixels = figures.labels.visible_by_class()
            total = figures.labels.image_px
        else:
            total = figures.mask.mask_px
            for value, count in figures.mask.values.items():
                name = (self._names or {}).get(value, str(value))
                pixels[name] = pixels.get(name, 0) + count
        return [
            {
                "_cls": "DynamicEmbeddedDocument",
                "label": name,
                "px": count,
                "ratio": count / total,
            }
            for name, count in sorted(pixels.items())
        ]

    def _label_changes(
        self, record: SampleRecord, figures: SampleFigures | None
    ) -> Document:
        if not self._fields.label_specs or self._labels is None:
            return {}
        values: dict[str, list[Any]] = {}
        if figures is not None and figures.labels is not None:
            values = self._kind.label_values(figures.labels)
        changes = {}
        for spec in self._fields.label_specs:
            name = f"{self._fields.eval_key}_{spec.suffix}"
            before = record.attributes[name]
            after = values.get(spec.suffix) or [None] * len(before)
            if after != before:
                for index, value in enumerate(after):
                    if value != before[index]:
                        changes[self._labels.attribute(index, name)] = value
        return changes

    def _clear_all_but(self, seen: set[ObjectId]) -> None:
        """Removes values that an earlier run under this key left on other samples."""
        first = self._fields.on_sample(self._fields.sample_specs[0].suffix)
        of_samples = dict.fromkeys(self._fields.sample_paths)
        names = [path.rpartition(".")[2] for path in self._fields.label_paths]
        for ids in sample_ids(self._dataset, {first: {"$ne": None}}, _BATCH_SIZE):
            outdated = [i for i in ids if i not in seen]
            update_documents(self._dataset, [(i, of_samples) for i in outdated])
            if names and self._labels is not None:
                of_labels, guard = self._labels.clearing(names)
                update_documents(
                    self._dataset, [(i, of_labels, guard) for i in outdated]
                )
