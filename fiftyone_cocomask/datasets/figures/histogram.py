"""Histograms of fields, counted by MongoDB, and the view behind each bar."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import fiftyone as fo
import numpy as np
from fiftyone import ViewField as F

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..documents import Document, aggregate_documents, root_dataset

Scale = Literal["linear", "log"]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many samples, or labels, have a value in each bin.

    Bin ``i`` is ``[edges[i], edges[i + 1])``, the last one with its upper edge, so
    that the counts and ``without_number`` add up to all samples or labels. Edges of
    integers are integers.

    Attributes:
        path: the field
        edges: n + 1 numbers, ascending
        counts: n numbers
        without_number: how many have no value
        scale: ``"linear"``, or ``"log"`` for bins of equal ratio; then zeros, if there
            are any, have the first bin to themselves
        is_integer: whether the values are integers
    """

    path: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    without_number: int
    scale: Scale
    is_integer: bool

    def bar_labels(self) -> list[str]:
        """Returns the range of each bin as text."""
        bounds = zip(self.edges[:-1], self.edges[1:], strict=True)
        return [self._bar_label(low, high) for low, high in bounds]

    def _bar_label(self, low: float, high: float) -> str:
        if self.scale == "log" and low == 0:
            return "0"
        first, last = f"{low:.3g}", f"{high:.3g}"
        if self.is_integer:
            first, last = f"{low:,}", f"{high - 1:,}"
        return first if first == last else f"{first} – {last}"

    def to_dict(self) -> dict[str, Any]:
        """Returns the histogram as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Histogram:
        """Returns the histogram that :meth:`to_dict` gave."""
        return cls(
            **{**content, "edges": tuple(content["edges"])}
            | {"counts": tuple(content["counts"])}
        )


def field_histogram(
    samples: SampleCollection, path: str, *, bins: int = 20, scale: Scale = "linear"
) -> Histogram:
    """Counts the values of a number field of samples or of labels.

    Args:
        samples: a dataset or view
        path: a field of the samples, or of labels in a list
        bins: the number of bins; there may be one less or more
        scale: ``"linear"`` or ``"log"``

    Returns:
        a :class:`Histogram`, without bins if there are no values

    Raises:
        CocoMaskError: if there is no such field of numbers
    """
    field = samples.get_field(path)
    if bins < 1 or scale not in ("linear", "log"):
        raise CocoMaskError("bins must be 1 or more, and scale 'linear' or 'log'")
    if not isinstance(field, (fo.IntField, fo.FloatField)):
        raise CocoMaskError(
            f"Dataset '{root_dataset(samples).name}' has no field of numbers '{path}'"
        )
    is_integer = isinstance(field, fo.IntField)
    extremes = _extremes(samples, path)
    if extremes["count"] == 0:
        return Histogram(path, (), (), extremes["without"], scale, is_integer)
    if not math.isfinite(extremes["max"] - extremes["min"]):
        raise CocoMaskError(f"Field '{path}' holds values that are not finite")
    edges = (_log_edges if scale == "log" else _linear_edges)(
        extremes, bins, is_integer
    )
    counts = _counts(samples, path, edges)
    return Histogram(path, tuple(edges), counts, extremes["without"], scale, is_integer)


def histogram_of_same_bins(
    samples: SampleCollection, histogram: Histogram, other: Histogram, *, bins: int = 20
) -> Histogram:
    """Counts the values of a histogram again, in bins that suit another one as well.

    Both histograms have the same bins if this is called for each with the other.

    Args:
        samples: the dataset or view of the histograms
        histogram: the one to count again
        other: one of the same scale
        bins: the number of bins; there may be one less or more
    """
    if not histogram.counts or not other.counts:
        return histogram
    edges = {*histogram.edges, *other.edges}
    is_integer = histogram.is_integer and other.is_integer
    high = max(edges) - 1 if is_integer else max(edges)
    positive = [edge for edge in edges if 0 < edge <= high]
    extremes = {
        "min": min(edges),
        "max": high,
        "min_positive": min(positive, default=None),
    }
    make = _log_edges if histogram.scale == "log" else _linear_edges
    common = make(extremes, bins, is_integer)
    counts = _counts(samples, histogram.path, common)
    return replace(histogram, edges=tuple(common), counts=counts)


def histogram_view(
    samples: SampleCollection, histogram: Histogram, bar: int
) -> fo.DatasetView:
    """Returns the samples, or the labels with their samples, of one bar.

    Args:
        samples: the dataset or view of the histogram
        histogram: the histogram
        bar: the index of the bin

    Returns:
        a view of exactly as many samples, or labels, as the bar counts

    Raises:
        CocoMaskError: if there is no such bar
    """
    if not 0 <= bar < len(histogram.counts):
        raise CocoMaskError(
            f"The histogram of '{histogram.path}' has {len(histogram.counts)} bars; "
            f"there is no bar {bar}"
        )
    low, high = histogram.edges[bar], histogram.edges[bar + 1]
    is_last = bar == len(histogram.counts) - 1
    root, _, leaf = histogram.path.rpartition(".")
    if not root:
        upper = {"$lte": high} if is_last else {"$lt": high}
        return samples.match({histogram.path: {"$gte": low, **upper}})
    value = F(leaf)
    condition = (value >= low) & ((value <= high) if is_last else (value < high))
    return samples.filter_labels(root.split(".")[0], condition)


def _counts(
    samples: SampleCollection, path: str, edges: list[float]
) -> tuple[int, ...]:
    stages = [
        *_values(samples, path),
        {"$match": {"value": {"$gte": edges[0], "$lte": edges[-1]}}},
        {"$group": {"_id": _bin_of_value(edges), "count": {"$sum": 1}}},
    ]
    found = {row["_id"]: row["count"] for row in aggregate_documents(samples, stages)}
    return tuple(found.get(index, 0) for index in range(len(edges) - 1))


def _bin_of_value(edges: list[float], first: int = 0) -> Any:
    """Returns the expression of a value's bin, numbered from the first one on.

    It halves the bins: MongoDB's ``$bucket`` tries one after the other, which takes
    three times as long.
    """
    if len(edges) == 2:
        return first
    middle = (len(edges) - 1) // 2
    below = _bin_of_value(edges[: middle + 1], first)
    above = _bin_of_value(edges[middle:], first + middle)
    return {"$cond": [{"$lt": ["$value", edges[middle]]}, below, above]}


def _values(samples: SampleCollection, path: str) -> list[Document]:
    """Returns the stages that make one document ``{"value": ...}`` per value."""
    stages: list[Document] = [{"$project": {"_id": 0, "value": f"${path}"}}]
    if "." in path:
        stages.append({"$unwind": "$value"})
    return stages


def _extremes(samples: SampleCollection, path: str) -> Document:
    """Returns the least and greatest value, the least above 0, and how many."""
    # Labels without the attribute must be counted too, so labels are unwound, not
    # their values.
    root = path.rpartition(".")[0]
    stages: list[Document] = [{"$project": {"_id": 0, path: 1}}]
    if root:
        stages.append({"$unwind": f"${root}"})
    value = f"${path}"
    is_number = {"$isNumber": value}
    stages.append(
        {
            "$group": {
                "_id": None,
                "min": {"$min": value},
                "max": {"$max": value},
                "min_positive": {"$min": {"$cond": [{"$gt": [value, 0]}, value, None]}},
                "count": {"$sum": {"$cond": [is_number, 1, 0]}},
                "without": {"$sum": {"$cond": [is_number, 0, 1]}},
            }
        }
    )
    rows = aggregate_documents(samples, stages)
    return rows[0] if rows else {"count": 0, "without": 0}


def _linear_edges(extremes: Document, bins: int, is_integer: bool) -> list[float]:
    low, high = extremes["min"], extremes["max"]
    if is_integer:
        step = math.ceil((high - low + 1) / bins)
        return [*range(low, high + 1, step), high + 1]
    if low == high:
        return [low, math.nextafter(low, math.inf)]
    return _ascending(np.linspace(low, high, bins + 1).tolist())


def _log_edges(extremes: Document, bins: int, is_integer: bool) -> list[float]:
    low, high = extremes["min_positive"], extremes["max"]
    zero = [0] if extremes["min"] == 0 else []
    if extremes["min"] < 0:
        raise CocoMaskError("Values below 0 have no place on a log scale")
    if low is None:
        return [0, 1 if is_integer else math.nextafter(0, 1)]
    if is_integer:
        inner = np.geomspace(low, high + 1, bins + 1)[1:-1]
        edges = [low, *(math.ceil(edge) for edge in inner), high + 1]
    elif low == high:
        edges = [low, math.nextafter(low, math.inf)]
    else:
        edges = [low, *np.geomspace(low, high, bins + 1).tolist()[1:-1], high]
    return [*zero, *_ascending(edges)]


def _ascending(edges: list[float]) -> list[float]:
    """Drops inner edges that are not between their neighbours."""
    kept = edges[:1]
    for edge in edges[1:-1]:
        if kept[-1] < edge < edges[-1]:
            kept.append(edge)
    return [*kept, edges[-1]]
