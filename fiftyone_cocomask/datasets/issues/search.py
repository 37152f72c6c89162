"""The search for mask issues: what it looks at, and what it keeps of it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId

from ...geometry.objects import Canvas
from ..label_lists import LabelList
from ..labels import mask_objects
from ..measuring.measure import (
    NoFiguresError,
    drawing_options,
    measure_labels,
    measure_mask,
)
from ..measuring.reading import SampleReader, SampleRecord
from .marks import SampleIssues
from .rules import (
    IssueLimits,
    MaskIssue,
    deviating_copies,
    label_issues,
    log_share_outliers,
)

# Reports name at most this many samples.
_MAX_NAMED = 1000


@dataclass(slots=True)
class MaskIssueReport:
    """What :func:`find_mask_issues` found.

    Attributes:
        key: the key of the search
        images: the number of samples that were looked at
        labels: the number of their labels that have a geometry
        counts: how many labels, or samples, have each issue
        definitions: the rule of each issue in words
        views: the name of the saved view of each issue that there is
        without_figures: the samples that could not be looked at, as ``{"sample_id",
            "filepath", "reason"}``; at most 1,000
    """

    key: str
    images: int = 0
    labels: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    without_figures: list[dict[str, str]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as JSON holds it."""
        return {name: getattr(self, name) for name in self.__slots__}

    def summary(self) -> str:
        """Returns the report in a few lines for a person."""
        lines = [f"{self.labels:,} labels of {self.images:,} images"]
        for name, count in self.counts.items():
            if count:
                what = "sample" if MaskIssue(name).of_sample else "label"
                what += "s" * (count > 1)
                lines.append(f"{count:>8,} {what}: {name}. {self.definitions[name]}")
        if len(lines) == 1:
            lines.append("No issues")
        if self.without_figures:
            lines.append(f"{len(self.without_figures):,} images cannot be looked at")
        return "\n".join(lines)


class IssueSearch:
    """Looks at samples; keeps what it found, and 24 bytes of each label."""

    def __init__(
        self,
        samples: Any,
        labels: LabelList,
        mask_field: str | None,
        limits: IssueLimits,
    ) -> None:
        self._samples = samples
        self._labels = labels
        self._mask_field = mask_field
        self._limits = limits
        dataset = samples._root_dataset
        self._options = drawing_options(dataset, mask_field or "", labels.field)
        self._has_sources = isinstance(dataset.get_field("source_name"), fo.StringField)
        self._images = 0
        self._labels_seen = 0
        self._without_figures: list[dict[str, str]] = []
        self._classes: dict[str | None, _ClassShares] = {}
        self._copies: dict[str, list[tuple[ObjectId, float]]] = {}
        self.issues: dict[ObjectId, SampleIssues] = {}

    def run(self) -> Iterator[int]:
        """Looks at all samples, yielding how many it has looked at each time."""
        names = ["source_name"] if self._has_sources else []
        reader = SampleReader(self._samples, self._mask_field, self._labels, names)
        for records in reader.batches():
            for record in records:
                try:
                    self._look_at(record)
                except NoFiguresError as error:
                    self._add_without_figures(record, str(error))
            yield len(records)
        self._look_at_classes()
        self._look_at_copies()

    def report(self, key: str) -> MaskIssueReport:
        """Returns what was found, but for the views."""
        counts = dict.fromkeys(MaskIssue, 0)
        for of_sample in self.issues.values():
            for issues in of_sample.values():
                for issue in issues:
                    counts[issue] += 1
        return MaskIssueReport(
            key=key,
            images=self._images,
            labels=self._labels_seen,
            counts={issue.value: count for issue, count in counts.items()},
            definitions={
                issue.value: self._limits.definition(issue) for issue in MaskIssue
            },
            without_figures=self._without_figures,
        )

    def _look_at(self, record: SampleRecord) -> None:
        if record.size is None:
            raise NoFiguresError("the size of its image cannot be read")
        width, height = record.size
        label = record.label()
        figures = measure_labels(label, width, height, self._options)
        objects = mask_objects(label, width, height)
        canvas = Canvas(height, width, self._options.rasterizer)
        found = label_issues(objects, figures, canvas, self._limits)
        for index, issues in found.items():
            self._add(record.sample_id, record.label_ids[index], issues)
        for item in objects:
            area = figures.px[item.index]
            if area:
                shares = self._classes.setdefault(item.label, _ClassShares())
                share = math.log(area / (width * height))
                shares.add(record.sample_id, item.label_id, share)
        source = record.values.get("source_name")
        if source and objects:
            copies = self._copies.setdefault(source, [])
            copies.append((record.sample_id, figures.drawn_px / figures.image_px))
        self._images += 1
        self._labels_seen += len(objects)
        if self._mask_field is not None and any(
            visible is not None for visible in figures.visible_px
        ):
            self._look_at_mask(record)

    def _look_at_mask(self, record: SampleRecord) -> None:
        try:
            mask = measure_mask(record.mask, record.size, by_value=False)
        except NoFiguresError as error:
            self._add_without_figures(record, str(error))
            return
        if mask.foreground_px == 0:
            self._add(record.sample_id, None, {MaskIssue.EMPTY_MASK})

    def _look_at_classes(self) -> None:
        for shares in self._classes.values():
            outliers = log_share_outliers(np.array(shares.log_shares), self._limits)
            for index in np.flatnonzero(outliers):
                sample_id, label_id = shares.ids(int(index))
                self._add(sample_id, label_id, {MaskIssue.CLASS_OUTLIER})

    def _look_at_copies(self) -> None:
        for copies in self._copies.values():
            shares = np.array([share for _, share in copies])
            for index in np.flatnonzero(deviating_copies(shares, self._limits)):
                self._add(copies[index][0], None, {MaskIssue.COPY_AREA})

    def _add(
        self, sample_id: ObjectId, label_id: ObjectId | None, issues: set[MaskIssue]
    ) -> None:
        of_sample = self.issues.setdefault(sample_id, {})
        of_sample.setdefault(label_id, set()).update(issues)

    def _add_without_figures(self, record: SampleRecord, reason: str) -> None:
        if len(self._without_figures) < _MAX_NAMED:
            self._without_figures.append(
                {
                    "sample_id": str(record.sample_id),
                    "filepath": record.filepath,
                    "reason": reason,
                }
            )


class _ClassShares:
    """The shares of a class's labels in their images, with whose they are."""

    def __init__(self) -> None:
        self.log_shares = array("d")
        self._ids = bytearray()

    def add(self, sample_id: ObjectId, label_id: ObjectId, log_share: float) -> None:
        self.log_shares.append(log_share)
        self._ids += sample_id.binary + label_id.binary

    def ids(self, index: int) -> tuple[ObjectId, ObjectId]:
        """Returns the ids of a sample and its label."""
        both = bytes(self._ids[24 * index : 24 * (index + 1)])
        return ObjectId(both[:12]), ObjectId(both[12:])
