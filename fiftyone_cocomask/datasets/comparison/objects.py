"""Objects against objects, where both compared masks were drawn from labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from ...choices import Rasterizer
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...geometry.boundaries import boundary_px, overlap_of
from ...geometry.matching import mask_ious, match_objects
from ...geometry.objects import Canvas, MaskObject
from ...geometry.rle import rle_area
from ...geometry.runs import RLE
from ...limits import size_bucket
from ..documents import Document, root_dataset
from ..figures.drawn import DrawnSample, class_of, drawn_samples
from ..label_lists import LabelList
from ..labels import LabelObject
from ..masks.field import mask_options
from ..masks.options import MaskOptions
from ..measuring.measure import drawing_options

if TYPE_CHECKING:
    import pandas as pd

# So much of an object has to lie in a crowd that it counts as one of it.
_MIN_IN_CROWD = 0.5


class Outcome(str, Enum):
    """What became of an object."""

    FOUND = "found"
    CONFUSED = "confused"
    MISSED = "missed"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class LabelSource:
    """The labels that a field of masks was drawn from.

    Attributes:
        mask_field: the field of the masks
        labels: where the labels are
        options: how the masks are drawn
    """

    mask_field: str
    labels: LabelList
    options: MaskOptions

    @classmethod
    def of_masks(cls, samples: SampleCollection, mask_field: str) -> LabelSource:
        """Returns that of a field of masks.

        Raises:
            CocoMaskError: if nobody knows what they were drawn from
        """
        made = mask_options(samples, mask_field)
        if made is None:
            raise CocoMaskError(
                f"The masks in '{mask_field}' were not drawn from labels by "
                "compute_masks, so that there are no objects to compare"
            )
        labels = LabelList.of_field(root_dataset(samples), made["label_field"])
        options = drawing_options(samples, mask_field, labels.field)
        return cls(mask_field, labels, options)

    @property
    def fields(self) -> list[str]:
        """The fields of all that the masks show: of the labels, of boxes beside."""
        return [name for name in (self.labels.field, self.options.box_field) if name]

    def drawn(self, samples: SampleCollection) -> Iterator[DrawnSample]:
        """Yields samples as their masks show them."""
        return drawn_samples(samples, self.mask_field, self.labels, self.options)


class ObjectMatcher:
    """Matches the objects of two fields, image by image.

    Objects of one class are matched first, then what is left of any class; each time so
    that together they overlap best (Hungarian assignment), and none by less than the
    least IoU. They have the pixels that their masks have: those of the masks'
    rasterizers, and boxes that masks show are objects too. Crowds are not: what lies in
    a crowd of the ground truth and is matched with nothing is left out.

    Args:
        samples: the samples
        pred: the predicted labels
        gt: the ground truth
        min_iou: the least mask IoU of a pair
    """

    def __init__(
        self,
        samples: SampleCollection,
        pred: LabelSource,
        gt: LabelSource,
        min_iou: float,
    ) -> None:
        self._samples = samples
        self._pred = pred
        self._gt = gt
        self._min_iou = min_iou

    def rows(self) -> Iterator[Document]:
        """Yields a row for each pair and each object without a partner."""
        for rows in self.images():
            yield from rows

    def images(self) -> Iterator[list[Document]]:
        """Yields the rows of each image."""
        sides = (self._pred, self._gt)
        rasterizers = (self._pred.options.rasterizer, self._gt.options.rasterizer)
        for pred, gt in zip_longest(*(side.drawn(self._samples) for side in sides)):
            if pred is None or gt is None or pred.sample_id != gt.sample_id:
                raise CocoMaskError(
                    "Samples were added or deleted while objects were compared; "
                    "compare them again"
                )
            sample = {"sample_id": str(gt.sample_id)}
            found = _Image(pred, gt, rasterizers, self._min_iou).rows()
            yield [{**sample, **row} for row in found]


class _Image:
    """The objects of two fields in one image."""

    def __init__(
        self,
        pred: DrawnSample,
        gt: DrawnSample,
        rasterizers: tuple[Rasterizer, Rasterizer],
        min_iou: float,
    ) -> None:
        self._width, self._height = gt.size
        self._min_iou = min_iou
        self._preds = [item for item in pred.items if not item.iscrowd]
        self._gts = [item for item in gt.items if not item.iscrowd]
        crowds = [item for item in gt.items if item.iscrowd]
        self._pred_rles = self._rles(self._preds, rasterizers[0])
        self._gt_rles = self._rles(self._gts, rasterizers[1])
        self._crowds = self._rles(crowds, rasterizers[1])

    def rows(self) -> Iterator[Document]:
        pairs = self._pairs()
        yield from self._matched(pairs)
        missed = set(range(len(self._gts))) - {gt for gt, _ in pairs}
        extra = set(range(len(self._preds))) - {pred for _, pred in pairs}
        for gt in sorted(missed):
            yield self._row(Outcome.MISSED, gt, None)
        for pred in sorted(extra - self._in_crowds()):
            yield self._row(Outcome.EXTRA, None, pred)

    def _pairs(self) -> list[tuple[int, int]]:
        ious = mask_ious(self._gt_rles, self._pred_rles)
        classes = [
            np.array(list(map(class_of, items)), object)
            for items in (self._gts, self._preds)
        ]
        is_same = classes[0][:, None] == classes[1][None]
        allowed = ious >= self._min_iou
        pairs = match_objects(ious, is_same, allowed & is_same)
        for gt, pred in pairs:
            allowed[gt], allowed[:, pred] = False, False
        return sorted(pairs + match_objects(ious, is_same, allowed))

    def _matched(self, pairs: Sequence[tuple[int, int]]) -> Iterator[Document]:
        distance = boundary_px(self._height, self._width)
        rles = [r for g, p in pairs for r in (self._gt_rles[g], self._pred_rles[p])]
        canvas = Canvas(self._height, self._width, "coco")
        patches = canvas.patches([MaskObject(rle=rle) for rle in rles])
        for gt, pred in pairs:
            overlap = overlap_of(next(patches), next(patches), distance)
            is_same = class_of(self._gts[gt]) == class_of(self._preds[pred])
            outcome = Outcome.FOUND if is_same else Outcome.CONFUSED
            yield self._row(outcome, gt, pred, *overlap)

    def _in_crowds(self) -> set[int]:
        if not self._crowds or not self._preds:
            return set()
        crowds = self._crowds
        parts = mask_ious(self._pred_rles, crowds, [True] * len(crowds))
        return set(np.flatnonzero(parts.max(axis=1) >= _MIN_IN_CROWD).tolist())

    def _row(
        self,
        outcome: Outcome,
        gt: int | None,
        pred: int | None,
        iou: float | None = None,
        boundary_iou: float | None = None,
    ) -> Document:
        of_gt, of_pred = (
            _side(self._gts, self._gt_rles, gt),
            _side(self._preds, self._pred_rles, pred),
        )
        return {
            "outcome": outcome.value,
            "class": of_pred.label if gt is None else of_gt.label,
            "pred_class": of_pred.label,
            "gt_label_id": of_gt.label_id,
            "pred_label_id": of_pred.label_id,
            "gt_px": of_gt.px,
            "pred_px": of_pred.px,
            "bucket": size_bucket((of_pred.px if gt is None else of_gt.px) or 0),
            "iou": iou,
            "boundary_iou": boundary_iou,
        }

    def _rles(self, items: Sequence[LabelObject], rasterizer: Rasterizer) -> list[RLE]:
        canvas = Canvas(self._height, self._width, rasterizer)
        return canvas.rles([item.geometry for item in items])


@dataclass(frozen=True, slots=True)
class _Side:
    """What a row says of one of two objects, where it is there."""

    label: str | None = None
    label_id: str | None = None
    px: int | None = None


def _side(
    items: Sequence[LabelObject], rles: Sequence[RLE], index: int | None
) -> _Side:
    if index is None:
        return _Side()
    item = items[index]
    return _Side(class_of(item), str(item.label_id), rle_area(rles[index]))


COLUMNS = (
    "sample_id",
    "outcome",
    "class",
    "pred_class",
    "gt_label_id",
    "pred_label_id",
    "gt_px",
    "pred_px",
    "bucket",
    "iou",
    "boundary_iou",
)


def counts_by(objects: pd.DataFrame, by: str) -> pd.DataFrame:
    """Returns the numbers of each outcome, a row for each value of a column.

    Args:
        objects: rows of :meth:`ObjectMatcher.rows`
        by: the column
    """
    import pandas as pd

    rows = []
    for name, group in objects.groupby(by, sort=True):
        numbers = {o.value: int((group["outcome"] == o.value).sum()) for o in Outcome}
        means = {
            "mean_iou": group["iou"].astype(float).mean(),
            "mean_boundary_iou": group["boundary_iou"].astype(float).mean(),
        }
        rows.append({by: name, **numbers, **means})
    columns = [by, *(o.value for o in Outcome), "mean_iou", "mean_boundary_iou"]
    return pd.DataFrame(rows, columns=columns)
