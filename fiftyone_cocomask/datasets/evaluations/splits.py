"""Whether the splits of a dataset are alike."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from ...fiftyone_types import SampleCollection
from ...words import readable
from ..documents import stream_documents
from ..figures.drift import MIN_SOURCES
from ..figures.ratios import shares
from ..split_names import split_of, split_paths

if TYPE_CHECKING:
    import pandas as pd

# The Kolmogorov-Smirnov distance that two samples of one distribution exceed once in
# 20 times is this times sqrt((n + m) / (n * m)), for n and m not too small.
_KS_FACTOR = 1.358


class SplitValues:
    """The numbers of the samples of each split.

    Args:
        samples: the dataset or view
        path: the field of the numbers
    """

    def __init__(self, samples: SampleCollection, path: str) -> None:
        self._values: dict[str, list[float]] = {}
        self._sources: dict[str, set[Any]] = {}
        has_sources = samples.has_field("source_name")
        paths = [path, *split_paths(samples), *(["source_name"] if has_sources else [])]
        for documents in stream_documents(samples, paths, batch_size=2000):
            for document in documents:
                value = document.get(path)
                if value is not None:
                    split = split_of(document)
                    self._values.setdefault(split, []).append(value)
                    source = document.get("source_name") or document["_id"]
                    self._sources.setdefault(split, set()).add(source)

    @property
    def reference(self) -> str | None:
        """``train`` if there is one, else the split of most samples."""
        if "train" in self._values:
            return "train"
        return max(self._values, key=lambda s: len(self._values[s]), default=None)

    def number(self, split: str) -> int:
        """Returns the number of a split's samples."""
        return len(self._values[split])

    def sources(self, split: str) -> int:
        """Returns the number of source images: augmented copies count once."""
        return len(self._sources[split])

    def mean(self, split: str) -> float:
        """Returns the mean of a split's numbers."""
        return float(np.mean(self._values[split]))

    def distance(self, split: str, other: str) -> float:
        """Returns the Kolmogorov-Smirnov distance of two splits, 0..1."""
        numbers = self._values[split], self._values[other]
        # Its probability, which nobody asks for, divides by 0 for one sample each.
        with np.errstate(divide="ignore"):
            test = stats.ks_2samp(*numbers, method="asymp")
        return float(test.statistic)

    def limit(self, split: str, other: str) -> float | None:
        """Returns the distance that tells two splits apart, None if they are small.

        Copies of one source are not independent samples, so sources count.
        """
        n, m = self.sources(split), self.sources(other)
        if min(n, m) < MIN_SOURCES:
            return None
        return _KS_FACTOR * math.sqrt((n + m) / (n * m))

    def splits(self) -> Iterable[str]:
        """Returns the splits that have numbers."""
        return self._values


def split_comparison(
    values: SplitValues, classes: pd.DataFrame, splits: Iterable[str]
) -> pd.DataFrame:
    """Returns how each split differs from the reference, one a row.

    Args:
        values: the numbers of the samples
        classes: the table of :meth:`MaskEvaluation.per_class`, by split
        splits: the splits, in the order of the rows
    """
    import pandas as pd

    reference = values.reference
    rows = []
    for split in splits:
        if reference is None or split == reference or split not in values.splits():
            continue
        parts = {name: _shares(classes, name) for name in (split, reference)}
        limit = values.limit(split, reference)
        distance = values.distance(split, reference)
        row = {
            "split": split,
            "reference": reference,
            "images": values.number(split),
            "sources": values.sources(split),
            "mean": values.mean(split),
            "reference_mean": values.mean(reference),
            "distance": distance,
            "limit": limit,
            "alike": None if limit is None else distance <= limit,
            "class_distance": _class_distance(parts[split], parts[reference]),
            "missing_classes": sorted(set(parts[reference]) - set(parts[split])),
        }
        rows.append({**row, "text": _text(row)})
    return pd.DataFrame(rows, columns=_COLUMNS)


_COLUMNS = (
    "split",
    "reference",
    "images",
    "sources",
    "mean",
    "reference_mean",
    "distance",
    "limit",
    "alike",
    "class_distance",
    "missing_classes",
    "text",
)


def _shares(classes: pd.DataFrame, split: str) -> dict[str, float]:
    if classes.empty:
        return {}
    rows = classes[classes["split"] == split]
    parts = shares(rows["visible_px"].tolist())
    return {
        name: part or 0.0
        for name, part in zip(rows["class"].tolist(), parts, strict=True)
    }


def _class_distance(parts: dict[str, float], others: dict[str, float]) -> float:
    """Returns the total variation distance of two splits' class shares, 0..1."""
    names = set(parts) | set(others)
    return sum(abs(parts.get(n, 0.0) - others.get(n, 0.0)) for n in names) / 2


def _text(row: dict[str, Any]) -> str:
    split, reference = row["split"], row["reference"]
    if row["alike"] is None:
        said = f"Too few source images to tell whether '{split}' is like '{reference}'"
    elif row["alike"]:
        said = f"'{split}' is not measurably different from '{reference}'"
    else:
        said = f"'{split}' differs from '{reference}'"
    said += f": mean {readable(row['mean'])} against {readable(row['reference_mean'])}"
    if row["missing_classes"]:
        said += f"; it lacks {', '.join(row['missing_classes'])}"
    return said + "."
