"""The two metrics that say how far masks are off in size, for FiftyOne's evaluations.

The operators that FiftyOne knows them by only call into here.

- *Area error* of a sample: the area of its predicted mask - that of its ground truth
  mask, in pixels, and in percent of the latter.
- *Coverage error* of a sample: the same difference as a share of the ground truth
  mask's pixels, in percentage points.

A predicted mask of another size is resized to the ground truth mask, as
``evaluate_segmentations`` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
from bson import ObjectId

from ... import described_metrics
from ...described_metrics import Described
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...plugin_folder import NAME
from ..documents import (
    Document,
    declare_missing_paths,
    root_dataset,
    stream_documents,
    update_documents,
)
from ..locks import changing_outline
from ..masks.stored import has_mask, read_array
from ..owned_fields import FieldSpec

AREA_ERROR_PX = FieldSpec(
    "area_error_px",
    fo.IntField,
    "Area of the predicted mask - that of the ground truth mask, in pixels",
)
AREA_ERROR_PERCENT = FieldSpec(
    "area_error_percent",
    fo.FloatField,
    "The area error in percent of the ground truth mask's area; none where that is 0",
)
COVERAGE_ERROR_POINTS = FieldSpec(
    "coverage_error_points",
    fo.FloatField,
    "Coverage of the predicted mask - that of the ground truth mask, in percentage "
    "points",
)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and its fields.

    Attributes:
        described: what FiftyOne is told at its start
        specs: the fields on each sample
    """

    described: Described
    specs: tuple[FieldSpec, ...]

    @property
    def name(self) -> str:
        """The name of its operator, and the key of its value."""
        return self.described.name

    @property
    def uri(self) -> str:
        """The URI of its operator."""
        return f"{NAME}/{self.name}"

    def fields(self, eval_key: str) -> list[str]:
        """Returns the names of its fields under an eval key."""
        return [f"{eval_key}_{spec.suffix}" for spec in self.specs]

    def entry(self, value: float) -> dict[str, Any]:
        """Returns what FiftyOne keeps of the metric in an evaluation's results."""
        return {
            "key": self.name,
            "value": value,
            "label": self.described.label,
            "lower_is_better": True,
        }


AREA_ERROR = Metric(described_metrics.AREA_ERROR, (AREA_ERROR_PX, AREA_ERROR_PERCENT))
COVERAGE_ERROR = Metric(described_metrics.COVERAGE_ERROR, (COVERAGE_ERROR_POINTS,))
METRICS = (AREA_ERROR, COVERAGE_ERROR)


@dataclass(frozen=True, slots=True)
class MaskPair:
    """A predicted and a ground truth mask of the same size, as arrays.

    Attributes:
        sample_id: the sample
        pred_id: the predicted mask's id
        gt_id: the ground truth mask's id
        pred: the predicted mask
        gt: the ground truth mask
        resized: whether the predicted one had another size
    """

    sample_id: ObjectId
    pred_id: ObjectId
    gt_id: ObjectId
    pred: np.ndarray
    gt: np.ndarray
    resized: bool


@dataclass(frozen=True, slots=True)
class SizeErrors:
    """The foreground of a pair of masks, in pixels.

    Attributes:
        sample_id: the sample
        pred_px: the area of the predicted mask
        gt_px: the area of the ground truth mask
        mask_px: all pixels of the ground truth mask
    """

    sample_id: ObjectId
    pred_px: int
    gt_px: int
    mask_px: int

    @property
    def area_error_percent(self) -> float | None:
        """The area error in percent of the ground truth, None if that is empty."""
        if not self.gt_px:
            return None
        return 100 * (self.pred_px - self.gt_px) / self.gt_px

    @property
    def coverage_error_points(self) -> float:
        """The coverage error in percentage points."""
        return 100 * (self.pred_px - self.gt_px) / self.mask_px

    def values(self) -> dict[str, Any]:
        """Returns the values of all fields, by suffix."""
        return {
            AREA_ERROR_PX.suffix: self.pred_px - self.gt_px,
            AREA_ERROR_PERCENT.suffix: self.area_error_percent,
            COVERAGE_ERROR_POINTS.suffix: self.coverage_error_points,
        }


class UnreadablePairError(CocoMaskError):
    """Why two masks of a sample cannot be compared."""


def write_metric(
    samples: SampleCollection, results: Any, metric: Metric
) -> float | None:
    """Writes a metric's fields on each sample of an evaluation; returns its value.

    Args:
        samples: the evaluated samples
        results: FiftyOne's ``SegmentationResults`` of the evaluation
        metric: the metric

    Returns:
        its value over all samples, None if it is not defined
    """
    config = results.config
    errors = [
        size_errors(pair)
        for _, pair in mask_pairs(samples, config.pred_field, config.gt_field)
        if isinstance(pair, MaskPair)
    ]
    if results.key is not None:
        write_errors(root_dataset(samples), results.key, metric, errors)
    return metric_value(metric, errors)


def metric_value(metric: Metric, errors: list[SizeErrors]) -> float | None:
    """Returns the value of a metric over samples, None if it is not defined."""
    if metric is AREA_ERROR:
        area = sum(error.gt_px for error in errors)
        off = sum(abs(error.pred_px - error.gt_px) for error in errors)
        return 100 * off / area if area else None
    points = [abs(error.coverage_error_points) for error in errors]
    return sum(points) / len(points) if points else None


def write_errors(
    dataset: fo.Dataset, eval_key: str, metric: Metric, errors: list[SizeErrors]
) -> None:
    """Declares the fields of a metric and writes its values."""
    with changing_outline(dataset):
        paths = zip(metric.fields(eval_key), metric.specs, strict=True)
        declare_missing_paths(
            dataset,
            {p: spec.field_type(description=spec.description) for p, spec in paths},
        )
    suffixes = [spec.suffix for spec in metric.specs]
    for start in range(0, len(errors), 1000):
        updates = []
        for error in errors[start : start + 1000]:
            values = error.values()
            changes = {f"{eval_key}_{suffix}": values[suffix] for suffix in suffixes}
            updates.append((error.sample_id, changes))
        update_documents(dataset, updates)


def mask_pairs(
    samples: SampleCollection, pred_field: str, gt_field: str
) -> Iterator[tuple[Document, MaskPair | UnreadablePairError]]:
    """Yields each sample with its two masks, or why they cannot be compared."""
    names = ("_id", "mask", "mask_path")
    paths = [f"{f}.{name}" for f in (pred_field, gt_field) for name in names]
    for documents in stream_documents(samples, ["filepath", *paths], batch_size=50):
        for document in documents:
            try:
                yield document, _pair(document, pred_field, gt_field)
            except UnreadablePairError as error:
                yield document, error


def size_errors(pair: MaskPair) -> SizeErrors:
    """Counts the foreground of a pair of masks."""
    return SizeErrors(
        pair.sample_id,
        int(np.count_nonzero(pair.pred)),
        int(np.count_nonzero(pair.gt)),
        pair.gt.size,
    )


def _pair(document: Document, pred_field: str, gt_field: str) -> MaskPair:
    gt = _mask(document, gt_field)
    pred = _mask(document, pred_field)
    resized = pred.shape != gt.shape
    if resized:
        height, width = gt.shape
        pred = cv2.resize(pred, (width, height), interpolation=cv2.INTER_NEAREST)
    return MaskPair(
        sample_id=document["_id"],
        pred_id=document[pred_field]["_id"],
        gt_id=document[gt_field]["_id"],
        pred=pred,
        gt=gt,
        resized=resized,
    )


def _mask(document: Document, field: str) -> np.ndarray:
    value = document.get(field) or {}
    if not has_mask(value):
        raise UnreadablePairError(f"it has no mask in '{field}'")
    try:
        mask = read_array(value)
    except CocoMaskError as error:
        raise UnreadablePairError(f"in '{field}', {error}") from error
    if mask.dtype == bool:
        return mask.astype(np.uint8)
    # OpenCV, which resizes masks, has no such numbers.
    return mask.astype(np.int64) if mask.dtype == np.uint32 else mask
