"""One pass over the samples of a dataset: measure, and write what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import fiftyone.core.utils as fou
from bson import ObjectId

from ..documents import (
    Document,
    Update,
    read_documents,
    sample_ids,
    stream_documents,
    update_documents,
)
from ..labels import geometry_paths, label_documents
from .fields import CLASSES_SUFFIX, EvaluationFields, FieldSpec
from .measure import (
    LabelFigures,
    MaskFigures,
    NoFiguresError,
    drawing_options,
    measure_labels,
    measure_mask,
)
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
        label_values: returns the values of each label's fields, by suffix
    """

    name: Kind
    sample_specs: tuple[FieldSpec, ...]
    sample_specs_with_labels: tuple[FieldSpec, ...]
    label_specs: tuple[FieldSpec, ...]
    sample_values: Callable[[SampleFigures], dict[str, Any]]
    label_values: Callable[[LabelFigures], list[dict[str, Any]]]


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

    def add_without_number(self, document: Document, reason: str) -> None:
        self.num_without_number += 1
        if len(self.without_number) < _MAX_NAMED:
            self.without_number.append(
                {
                    "sample_id": str(document["_id"]),
                    "filepath": document["filepath"],
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
        label_field: the field of the labels, or None
        names: the class of each mask value, or None if values are no classes
    """

    def __init__(
        self,
        samples: Any,
        kind: EvaluationKind,
        fields: EvaluationFields,
        mask_field: str,
        label_field: str | None,
        names: dict[int, str] | None,
    ) -> None:
        self._samples = samples
        self._dataset = samples._root_dataset
        self._kind = kind
        self._fields = fields
        self._mask_field = mask_field
        self._label_field = label_field
        self._names = names if fields.has_classes and label_field is None else None
        self._options = (
            drawing_options(self._dataset, mask_field, label_field)
            if label_field is not None
            else None
        )
        self._report = PassReport()

    def run(self, progress: Any) -> PassReport:
        seen: set[ObjectId] = set()
        is_view = self._samples is not self._dataset
        with fou.ProgressBar(total=len(self._samples), progress=progress) as bar:
            for documents in self._batches():
                updates = [u for u in map(self._update, documents) if u is not None]
                written = update_documents(self._dataset, updates)
                self._report.num_changed += len(updates) - written
                if is_view:
                    seen.update(document["_id"] for document in documents)
                bar.update(len(documents))
        if is_view:
            self._clear_all_but(seen)
        return self._report

    def _batches(self) -> Iterator[list[Document]]:
        if self._samples is self._dataset:
            yield from stream_documents(self._dataset, self._paths(), _BATCH_SIZE)
            return
        # A view may filter labels, but masks were drawn of them all.
        for ids in stream_documents(self._samples, ["_id"], _BATCH_SIZE):
            yield read_documents(self._dataset, [d["_id"] for d in ids], self._paths())

    def _paths(self) -> list[str]:
        mask = self._mask_field
        paths = ["filepath", "metadata.width", "metadata.height"]
        paths += [f"{mask}.{name}" for name in ("mask_path", "mask")]
        paths += [f"{mask}.{name}" for name in ("file_state", "foreground_px")]
        paths += self._fields.paths
        if self._label_field is not None:
            paths += geometry_paths(self._dataset, self._label_field)
        return paths

    def _update(self, document: Document) -> Update | None:
        """Returns what to change in a sample, None if its values are there already."""
        try:
            figures = self._measure(document)
        except NoFiguresError as error:
            self._report.add_without_number(document, str(error))
            figures = None
        changes = self._sample_changes(document, figures)
        label_changes = self._label_changes(document, figures)
        if not label_changes:
            return (document["_id"], changes) if changes else None
        return document["_id"], changes | label_changes, self._guard(document)

    def _measure(self, document: Document) -> SampleFigures:
        metadata = document.get("metadata") or {}
        width, height = metadata.get("width") or 0, metadata.get("height") or 0
        size = (width, height) if width and height else None
        mask = measure_mask(
            document.get(self._mask_field), size, by_value=self._names is not None
        )
        labels = None
        if self._label_field is not None and self._options is not None:
            if size is None:
                raise NoFiguresError("the size of its image cannot be read")
            labels = measure_labels(
                document.get(self._label_field), width, height, self._options
            )
        if size is not None and mask.mask_px != width * height:
            self._report.num_other_size += 1
        return SampleFigures(mask, labels)

    def _sample_changes(
        self, document: Document, figures: SampleFigures | None
    ) -> Document:
        values = self._kind.sample_values(figures) if figures else {}
        changes = {}
        for spec in self._fields.sample_specs:
            path = self._fields.on_sample(spec.suffix)
            value = values.get(spec.suffix)
            if document.get(path) != value:
                changes[path] = value
        if self._fields.has_classes:
            path = self._fields.on_sample(CLASSES_SUFFIX)
            classes = self._classes(figures) if figures else None
            if document.get(path) != classes:
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
        self, document: Document, figures: SampleFigures | None
    ) -> Document:
        if not self._fields.label_specs or self._label_field is None:
            return {}
        labels = label_documents(document.get(self._label_field))
        values: list[dict[str, Any]] = [{} for _ in labels]
        if figures is not None and figures.labels is not None:
            values = self._kind.label_values(figures.labels)
        path = self._fields.label_path
        is_list = path != self._label_field
        changes = {}
        for index, (label, own) in enumerate(zip(labels, values, strict=True)):
            place = f"{path}.{index}" if is_list else path
            for spec in self._fields.label_specs:
                name = f"{self._fields.eval_key}_{spec.suffix}"
                if label.get(name) != own.get(spec.suffix):
                    changes[f"{place}.{name}"] = own.get(spec.suffix)
        return changes

    def _guard(self, document: Document) -> Document:
        """Returns the filter that holds as long as the labels are still the same."""
        labels = label_documents(document.get(str(self._label_field)))
        ids = [label["_id"] for label in labels]
        path = self._fields.label_path
        if path == self._label_field:
            return {f"{path}._id": ids[0]}
        return {"$expr": {"$eq": [f"${path}._id", ids]}}

    def _clear_all_but(self, seen: set[ObjectId]) -> None:
        """Removes values that an earlier run under this key left on other samples."""
        first = self._fields.on_sample(self._fields.sample_specs[0].suffix)
        label_path, label_field = self._fields.label_path, self._label_field
        of_samples = dict.fromkeys(self._fields.sample_paths)
        for ids in sample_ids(self._dataset, {first: {"$ne": None}}, _BATCH_SIZE):
            outdated = [i for i in ids if i not in seen]
            update_documents(self._dataset, [(i, of_samples) for i in outdated])
            if not self._fields.label_paths:
                continue
            if label_path == label_field:
                guard: Document = {f"{label_path}._id": {"$exists": True}}
                of_labels = dict.fromkeys(self._fields.label_paths)
            else:
                guard = {f"{label_path}.0": {"$exists": True}}
                names = [p.rpartition(".")[2] for p in self._fields.label_paths]
                of_labels = {f"{label_path}.$[].{name}": None for name in names}
            update_documents(self._dataset, [(i, of_labels, guard) for i in outdated])
