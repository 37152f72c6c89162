"""Stated areas against masks' areas, counted in bins of equal ratio by MongoDB."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
from fiftyone import ViewField as F
from fiftyone.core.expressions import ViewExpression

from ...fiftyone_types import SampleCollection
from ...limits import MEDIUM_BELOW, SMALL_BELOW
from ..cached_sums import KeptSums
from ..documents import Document, aggregate_documents, root_dataset
from ..label_lists import LabelList
from .stated_areas import ATTRIBUTE

if TYPE_CHECKING:
    from .results import MaskEvaluation

# Bins of each power of 10: neighbours differ by a third.
_PER_POWER = 8
# No area has the logarithm of 0, so what is less than a pixel has one bin.
_LEAST_PX = 0.5


@dataclass(frozen=True, slots=True)
class AnnotatedBins:
    """How many labels have a stated and a mask's area in each pair of bins.

    Bin ``i`` is that of areas from :meth:`edge` ``i`` to before ``i + 1``.

    Attributes:
        stated: the bin of the stated area, for each pair that there is
        mask: the bin of the mask's area
        counts: how many labels there are
    """

    stated: tuple[int, ...]
    mask: tuple[int, ...]
    counts: tuple[int, ...]

    @staticmethod
    def edge(index: int) -> float:
        """Returns the logarithm, base 10, of the least area of a bin in pixels."""
        return index / _PER_POWER

    def to_dict(self) -> dict[str, Any]:
        """Returns the bins as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> AnnotatedBins:
        """Returns the bins that :meth:`to_dict` gave."""
        return cls(**{name: tuple(values) for name, values in content.items()})


def annotated_bins(
    evaluation: MaskEvaluation, samples: SampleCollection
) -> AnnotatedBins:
    """Counts labels by the area that they state and the area of their mask.

    Args:
        evaluation: the evaluation; only one of areas knows those of labels
        samples: the dataset, or a view into it

    Returns:
        the bins, none if no label has both areas
    """
    labels = _labels(evaluation)
    if labels is None:
        return AnnotatedBins((), (), ())
    path = labels.path

    def count(view: SampleCollection) -> list[Document]:
        return aggregate_documents(view, _stages(path, evaluation.key))

    sums = KeptSums(root_dataset(evaluation.samples), evaluation.key)
    rows = sums.get("annotated bins", samples, count)
    rows = sorted(rows, key=lambda row: (row["mask"], row["stated"]))
    columns = ([int(row[name]) for row in rows] for name in ("stated", "mask", "count"))
    return AnnotatedBins(*(tuple(column) for column in columns))


def annotated_bin_view(
    evaluation: MaskEvaluation, samples: SampleCollection, stated: int, mask: int
) -> fo.DatasetView:
    """Returns the labels of one pair of bins, with their samples."""
    names = {ATTRIBUTE: stated, f"{evaluation.key}_px": mask}
    in_bins = [
        F(name).is_number() & (ViewExpression(_bin(F(name))) == index)
        for name, index in names.items()
    ]
    return samples.filter_labels(evaluation.label_field, in_bins[0] & in_bins[1])


def other_bucket_view(
    evaluation: MaskEvaluation, samples: SampleCollection
) -> fo.DatasetView:
    """Returns the labels that their stated area puts into another size bucket."""
    stated, px = F(ATTRIBUTE), F(f"{evaluation.key}_px")
    both = stated.is_number() & px.is_number()
    limits = (SMALL_BELOW, MEDIUM_BELOW)
    differs = [(stated < limit) != (px < limit) for limit in limits]
    return samples.filter_labels(
        evaluation.label_field, both & (differs[0] | differs[1])
    )


def bin_of(log_area: float) -> int:
    """Returns the bin of the logarithm, base 10, of an area inside it."""
    return math.floor(log_area * _PER_POWER)


def _stages(path: str, eval_key: str) -> list[Document]:
    stated, px = f"{path}.{ATTRIBUTE}", f"{path}.{eval_key}_px"
    return [
        {"$project": {"_id": 0, stated: 1, px: 1}},
        {"$unwind": f"${path}"},
        {"$match": {stated: {"$type": "number"}, px: {"$type": "number"}}},
        {
            "$group": {
                "_id": {"stated": _bin(f"${stated}"), "mask": _bin(f"${px}")},
                "count": {"$sum": 1},
            }
        },
        {
            "$project": {
                "_id": 0,
                "stated": "$_id.stated",
                "mask": "$_id.mask",
                "count": 1,
            }
        },
    ]


def _bin(area: Any) -> Document:
    """Returns the expression of an area's bin: the same for counts and for views."""
    logarithm = {"$log10": {"$max": [area, _LEAST_PX]}}
    return {"$floor": {"$multiply": [logarithm, _PER_POWER]}}


def _labels(evaluation: MaskEvaluation) -> LabelList | None:
    value_path, field = evaluation.label_value_path, evaluation.label_field
    if value_path is None or field is None:
        return None
    return LabelList(field, value_path.rpartition(".")[0])
