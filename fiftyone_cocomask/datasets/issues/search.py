"""The search for mask issues: what it looks at, and what it keeps of it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import fiftyone as fo
import numpy as np

from ...coco.splits import are_splits
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...geometry.objects import Canvas
from ...limits import MAX_NAMED
from ..documents import root_dataset
from ..import_base.info import export_info
from ..label_lists import ANNOTATION_IDS, LabelList, annotation_of
from ..labels import LabelObject, label_documents
from ..measuring.measure import (
    LabelFigures,
    NoFiguresError,
    drawing_options,
    drawn_figures,
    measure_labels,
    measure_mask,
)
from ..measuring.reading import SampleReader, SampleRecord
from ..parallel.ahead import one_ahead
from .dataset_rules import (
    ClassLabels,
    Copies,
    deviating_copies,
    differing_ids,
    log_density,
    source_of_copy,
    vary_by_crops,
)
from .image_rules import ImageLabels
from .leaks import Pictures
from .marks import FoundIssues
from .report import MaskIssueReport
from .rules import IssueLimits, MaskIssue


class IssueSearch:
    """Looks at samples; keeps what it found, and about 40 bytes of each label.

    Args:
        samples: the dataset or view to search
        labels: where its labels are
        boxes: where the boxes of the same annotations are, or None
        mask_field: the field of the labels' masks, or None
        limits: the numbers in the rules

    Attributes:
        found: what was found
    """

    def __init__(
        self,
        samples: SampleCollection,
        labels: LabelList,
        boxes: LabelList | None,
        mask_field: str | None,
        limits: IssueLimits,
    ) -> None:
        self._samples = samples
        self._labels = labels
        self._boxes = boxes
        self._mask_field = mask_field
        self._limits = limits
        dataset = root_dataset(samples)
        self._options = drawing_options(dataset, mask_field or "", labels.field)
        self._sample_fields = [
            name
            for name in ("source_name", "file_name", "split")
            if isinstance(dataset.get_field(name), fo.StringField)
        ]
        self._label_attributes = [
            name
            for name in (*ANNOTATION_IDS, "coco_category_id")
            if dataset.has_field(f"{labels.path}.{name}")
        ]
        self._ids = [name for name in ANNOTATION_IDS if name in self._label_attributes]
        self._differing_ids = differing_ids(export_info(dataset, labels.field))
        self._has_splits = "split" in self._sample_fields and are_splits(
            [n for name, n in samples.count_values("split").items() if name]
        )
        self._images = 0
        self._labels_seen = 0
        self._cut_by_edge = 0
        self._figures_of_copies: dict[str, int] = {}
        self._without_figures: list[dict[str, str]] = []
        self._num_without_figures = 0
        self._classes: dict[str | None, ClassLabels] = defaultdict(ClassLabels)
        self._copies = Copies()
        self._pictures = Pictures()
        self.found = FoundIssues()

    def run(self) -> Iterator[int]:
        """Looks at all samples, yielding how many it has looked at each time."""
        names = list(self._sample_fields)
        if self._boxes is not None:
            names += [f"{self._boxes.path}.{n}" for n in ("_id", *ANNOTATION_IDS)]
        reader = SampleReader(
            self._samples, self._mask_field, self._labels, names, self._label_attributes
        )
        with closing(one_ahead(reader.batches())) as batches:
            for records in batches:
                for record in records:
                    try:
                        self._look_at(record)
                    except NoFiguresError as error:
                        self._add_without_figures(record, str(error))
                yield len(records)
        self._look_at_classes()
        self._look_at_copies()
        for group in self._pictures.leaking_groups(self._limits.leak_distance):
            for picture in group:
                self.found.add_sample(picture.sample_id, MaskIssue.LEAK)

    def report(self, key: str) -> MaskIssueReport:
        """Returns what was found, but for the views."""
        return MaskIssueReport(
            key=key,
            images=self._images,
            labels=self._labels_seen,
            counts={issue.value: self.found.count(issue) for issue in MaskIssue},
            figures={"cut_by_edge": self._cut_by_edge} | self._figures_of_copies,
            definitions={
                issue.value: self._limits.definition(issue) for issue in MaskIssue
            },
            without_figures=self._without_figures,
            num_without_figures=self._num_without_figures,
        )

    def _look_at(self, record: SampleRecord) -> None:
        source = source_of_copy(
            record.values.get("source_name"), record.values.get("file_name")
        )
        if self._has_splits and record.values.get("split"):
            self._pictures.add(
                record.sample_id,
                record.values["split"],
                source,
                record.filepath,
                record.size,
            )
        if record.size is None:
            raise NoFiguresError("the size of its image cannot be read")
        label = record.label()
        figures, objects = self._measured(record, label)
        self._look_at_shapes(record, objects, figures)
        self._look_at_documents(record, label_documents(label), figures)
        if source and objects:
            covered = figures.drawn_px / figures.image_px
            self._copies.add(source, record.sample_id, covered)
        self._images += 1
        self._labels_seen += len(objects)
        if self._mask_field is not None and any(
            visible is not None for visible in figures.visible_px
        ):
            self._look_at_mask(record)

    def _measured(
        self, record: SampleRecord, label: Any
    ) -> tuple[LabelFigures, list[LabelObject]]:
        """Returns the areas of a sample's labels, drawn only if they are not known."""
        assert record.size is not None
        figures = drawn_figures(record, self._options)
        if figures is None:
            figures = measure_labels(label, *record.size, self._options, record.boxes)
        try:
            return figures, self._options.objects(label, *record.size)
        except CocoMaskError as error:
            raise NoFiguresError(str(error)) from error

    def _look_at_shapes(
        self, record: SampleRecord, objects: list[LabelObject], figures: LabelFigures
    ) -> None:
        assert record.size is not None
        width, height = record.size
        canvas = Canvas(height, width, self._options.rasterizer)
        labels = ImageLabels(objects, figures, canvas, self._limits)
        labels.look()
        self._cut_by_edge += labels.cut_by_edge
        for index, issues in labels.issues.items():
            for issue in issues:
                self._add_label(record, index, issue)
        densities = {
            item.index: log_density(outline.vertices, outline.perimeter)
            for item, outline in labels.outlines()
        }
        for item in objects:
            area = figures.px[item.index]
            share = math.log(area / (width * height)) if area else math.nan
            density = densities.get(item.index, math.nan)
            ids = record.sample_id, item.label_id
            self._classes[item.label].add(*ids, share, density)

    def _look_at_documents(
        self, record: SampleRecord, documents: list[Any], figures: LabelFigures
    ) -> None:
        """Looks at what labels say beside their shape."""
        shaped = [
            px is not None or bool(document.get("points"))
            for document, px in zip(documents, figures.px, strict=True)
        ]
        for index, document in enumerate(documents):
            if self._boxes is None and not shaped[index]:
                self._add_label(record, index, MaskIssue.BOX_ONLY)
            is_area = not self._options.lines and document.get("filled") is False
            points = document.get("points")
            rings = points if isinstance(points, list) else []
            if is_area and any(
                isinstance(ring, list) and len(ring) > 2 for ring in rings
            ):
                self._add_label(record, index, MaskIssue.UNFILLED)
        if self._differing_ids and "coco_category_id" in record.attributes:
            split = record.values.get("split")
            for index, category in enumerate(record.attributes["coco_category_id"]):
                if (split, category) in self._differing_ids:
                    self._add_label(record, index, MaskIssue.IDS_DIFFER)
        if self._boxes is not None:
            # A box without an id is no annotation's.
            drawn: set[Any] = {None}
            drawn |= {
                annotation_of({n: record.attributes[n][index] for n in self._ids})
                for index, is_drawn in enumerate(shaped)
                if is_drawn
            }
            for box in self._boxes.documents(record.values):
                if annotation_of(box) not in drawn:
                    self.found.add_label(
                        record.sample_id, box["_id"], MaskIssue.BOX_ONLY
                    )

    def _look_at_mask(self, record: SampleRecord) -> None:
        try:
            mask = measure_mask(record.mask, record.size, by_value=False)
        except NoFiguresError as error:
            self._add_without_figures(record, str(error))
            return
        if mask.foreground_px == 0:
            self.found.add_sample(record.sample_id, MaskIssue.EMPTY_MASK)

    def _look_at_classes(self) -> None:
        while self._classes:
            # What is kept of the labels of a class is not needed after it.
            _, labels = self._classes.popitem()
            for ids in labels.outliers(self._limits):
                self.found.add_label(*ids, MaskIssue.CLASS_OUTLIER)
            for ids in labels.coarse(self._limits):
                self.found.add_label(*ids, MaskIssue.COARSE)

    def _look_at_copies(self) -> None:
        found = []
        sources = 0
        for sample_ids, shares in self._copies.by_source():
            sources += 1
            deviating = np.flatnonzero(deviating_copies(shares, self._limits))
            found.append([sample_ids[index] for index in deviating])
        if vary_by_crops(sum(map(bool, found)), sources):
            self._figures_of_copies = {"varying_copies": sum(map(len, found))}
            return
        for sample_ids in found:
            for sample_id in sample_ids:
                self.found.add_sample(sample_id, MaskIssue.COPY_AREA)

    def _add_label(self, record: SampleRecord, index: int, issue: MaskIssue) -> None:
        self.found.add_label(record.sample_id, record.label_ids[index], issue)

    def _add_without_figures(self, record: SampleRecord, reason: str) -> None:
        self._num_without_figures += 1
        if len(self._without_figures) < MAX_NAMED:
            self._without_figures.append(
                {
                    "sample_id": str(record.sample_id),
                    "filepath": record.filepath,
                    "reason": reason,
                }
            )
