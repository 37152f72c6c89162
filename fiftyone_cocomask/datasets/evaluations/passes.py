"""One pass over the samples of a dataset: measure, and write what has changed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import fiftyone.core.utils as fou
from bson import ObjectId

from ...fiftyone_types import SampleCollection
from ...limits import MAX_NAMED
from ...words import agree, count
from ..documents import (
    MODIFIED,
    Document,
    Update,
    num_samples,
    root_dataset,
    settle,
    update_documents,
    write_time,
)
from ..label_lists import images_of_boxes
from ..masks.field import mask_options
from ..masks.stored import MEASURED, fingerprint, stored_fingerprint
from ..measuring.measure import (
    NoFiguresError,
    drawing_options,
    drawn_figures,
    measure_labels,
    measure_mask,
)
from ..measuring.reading import SampleReader, SampleRecord, labels_digest
from ..memory import frozen_heap
from ..owned_fields import CLASSES_SUFFIX
from ..parallel.ahead import OneBehind, one_ahead
from .out_of_date import IS_OLDER
from .plan import EvaluationPlan, SampleFigures

# Samples that others change while they are measured are measured once more,
# this many times.
_MORE_ATTEMPTS = 3
# So many ids are kept to know which samples have been counted already.
_MAX_COUNTED = 100_000


@dataclass(slots=True)
class PassReport:
    """What a pass cannot say in fields of the samples.

    Attributes:
        without_number: the samples that got no number, as ``{"sample_id",
            "filepath", "reason"}``; at most 1,000 are named
        other_size: the ids of samples whose mask has another number of pixels than
            its image, so that none is counted twice; at most 100,000
        num_other_size: how many there are
        num_changed: how many samples' labels were changed by somebody else in the
            moment of their evaluation, so that they were left as they were
    """

    without_number: list[dict[str, str]] = field(default_factory=list)
    other_size: list[str] = field(default_factory=list)
    num_other_size: int = 0
    num_changed: int = 0

    def add_without_number(self, record: SampleRecord, reason: str) -> None:
        if len(self.without_number) < MAX_NAMED:
            self.without_number.append(
                {
                    "sample_id": str(record.sample_id),
                    "filepath": record.filepath,
                    "reason": reason,
                }
            )

    def add_other_size(self, record: SampleRecord) -> None:
        self.num_other_size += 1
        if len(self.other_size) < _MAX_COUNTED:
            self.other_size.append(str(record.sample_id))

    def forget(self, ids: set[str]) -> None:
        """Takes out what it says of samples that are measured again."""
        self.without_number = [
            row for row in self.without_number if row["sample_id"] not in ids
        ]
        others = [sample_id for sample_id in self.other_size if sample_id not in ids]
        self.num_other_size -= len(self.other_size) - len(others)
        self.other_size = others

    @classmethod
    def of_parts(cls, reports: Iterable[Document]) -> PassReport:
        """Returns one report of several passes, given as :meth:`to_dict`."""
        total = cls()
        for part in reports:
            # Plain ones: what comes from a run's config is mongoengine's.
            total.without_number += [dict(row) for row in part["without_number"]]
            total.other_size += part["other_size"]
            total.num_other_size += part["num_other_size"]
            total.num_changed += part["num_changed"]
        del total.without_number[MAX_NAMED:]
        del total.other_size[_MAX_COUNTED:]
        return total

    def to_dict(self) -> Document:
        """Returns the report as MongoDB holds it."""
        return asdict(self)


class EvaluationPass:
    """Reads samples, measures them and writes what has changed.

    Args:
        samples: the dataset or view
        plan: what is evaluated; its fields are declared
    """

    def __init__(self, samples: SampleCollection, plan: EvaluationPlan) -> None:
        fields, labels = plan.fields, plan.labels
        self._samples = samples
        self._dataset = root_dataset(samples)
        self._kind = plan.kind
        self._fields = fields
        self._labels = labels
        self._names = plan.names if fields.has_classes and labels is None else None
        self._options = (
            drawing_options(self._dataset, plan.mask_field, labels.field)
            if labels is not None
            else None
        )
        attributes = [path.rpartition(".")[2] for path in fields.label_paths]
        self._mask_field = plan.mask_field
        self._reader = SampleReader(
            samples,
            plan.mask_field,
            labels,
            [*fields.sample_paths, MODIFIED],
            attributes,
        )
        self._boxes: dict[ObjectId, int] = {}
        made = mask_options(self._dataset, plan.mask_field)
        self._draws_labels = bool(
            labels is not None and made and made["label_field"] == labels.field
        )
        if labels is not None and self._draws_labels:
            is_drawn = self._options is not None and self._options.boxes
            self._boxes = {} if is_drawn else images_of_boxes(samples, labels)
        self._report = PassReport()

    def run(self, progress: Any) -> PassReport:
        total = num_samples(self._samples)
        with (
            fou.ProgressBar(total=total, progress=progress) as bar,
            frozen_heap(),
            OneBehind() as writes,
            closing(one_ahead(self._reader.batches())) as batches,
        ):
            before: list[SampleRecord] = []
            for records in batches:
                now = write_time()
                updates = self._updates(records, now)
                self._end_write(writes, before, bar)
                writes.call(self._write, updates, now)
                before = records
            self._end_write(writes, before, bar)
        settle(self._dataset)
        return self._report

    def _updates(self, records: list[SampleRecord], now: datetime) -> list[Update]:
        """Measures samples, and returns what to change in them."""
        return [u for u in (self._update(r, now) for r in records) if u is not None]

    def _write(self, updates: list[Update], now: datetime) -> int:
        """Returns how many samples others were changing meanwhile."""
        return len(updates) - update_documents(self._dataset, updates, now)

    def _end_write(
        self, writes: OneBehind, records: list[SampleRecord], bar: Any
    ) -> None:
        """Waits until samples are written; measures again those that others changed."""
        if not records:
            return
        missed = writes.wait() or 0
        for _ in range(_MORE_ATTEMPTS):
            if missed:
                missed = self._write_again(records)
        self._report.num_changed += missed
        bar.update(len(records))

    def _write_again(self, records: list[SampleRecord]) -> int:
        ids = [record.sample_id for record in records]
        self._report.forget({str(sample_id) for sample_id in ids})
        missed = 0
        for batch in self._reader.read(ids):
            now = write_time()
            missed += self._write(self._updates(batch, now), now)
        return missed

    def _update(self, record: SampleRecord, now: datetime) -> Update | None:
        """Returns what to change in a sample, None if its values are there already."""
        try:
            figures = self._measure(record)
        except NoFiguresError as error:
            self._report.add_without_number(record, str(error))
            figures = None
        changes = self._sample_changes(record, figures)
        label_changes = self._label_changes(record, figures)
        changes |= label_changes | self._mark(record, figures, now)
        if not changes:
            return None
        # What is written rests on what was read, and its mark says so.
        guard: Document = {MODIFIED: record.values.get(MODIFIED)}
        if self._labels is not None and label_changes:
            guard |= self._labels.guard(record.label_ids)
        return record.sample_id, changes, guard

    def _mark(
        self, record: SampleRecord, figures: SampleFigures | None, now: datetime
    ) -> Document:
        """Returns the mark of what was measured, nothing if the mask bears it."""
        if record.mask is None:
            return {}
        key, digest = self._fields.eval_key, labels_digest(record)
        is_as_drawn = figures is not None and figures.is_as_drawn
        is_older = not is_as_drawn and self._is_older(record)
        mark = record.mask.get(MEASURED, {}).get(key, {})
        if mark.get("digest") == digest and mark.get(IS_OLDER, False) == is_older:
            return {}
        path = f"{self._mask_field}.{MEASURED}.{key}"
        new: Document = {"digest": digest, "at": now}
        if is_older:
            new[IS_OLDER] = True
        return {path: new}

    def _is_older(self, record: SampleRecord) -> bool:
        """Whether a mask that was drawn from the labels would now be different."""
        mask, size = record.mask, record.size
        if not self._draws_labels or self._options is None or size is None:
            return False
        stored = stored_fingerprint(mask or {})
        if mask is None or stored is None:
            return False
        path = mask.get("mask_path")
        drawn_now = fingerprint(
            record.encoded_label, size, path, self._options, record.boxes
        )
        return stored != drawn_now

    def _measure(self, record: SampleRecord) -> SampleFigures:
        boxes = self._boxes.get(record.sample_id)
        if boxes is not None:
            # Its mask is background for want of shapes: no coverage of 0.
            are = agree(boxes, "is a box", "are boxes")
            raise NoFiguresError(f"its {count(boxes, 'object')} {are} without a shape")
        by_value = self._names is not None
        mask = measure_mask(record.mask, record.size, by_value=by_value)
        labels = None
        is_as_drawn = False
        if self._options is not None:
            if record.size is None:
                raise NoFiguresError("the size of its image cannot be read")
            labels = drawn_figures(record, self._options)
            is_as_drawn = labels is not None
            if labels is None:
                labels = measure_labels(
                    record.label(), *record.size, self._options, record.boxes
                )
        if record.size is not None and mask.mask_px != math.prod(record.size):
            self._report.add_other_size(record)
        return SampleFigures(mask, labels, is_as_drawn)

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
