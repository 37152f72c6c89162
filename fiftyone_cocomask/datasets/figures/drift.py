"""Whether the splits of a dataset are alike, class by class and figure by figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from ...words import readable

# Of fewer source images a split says nothing.
MIN_SOURCES = 8
# The share of alike splits that are called different, over all tests together.
FALSE_DISCOVERIES = 0.05

COLUMNS = (
    "split",
    "reference",
    "class",
    "figure",
    "sources",
    "reference_sources",
    "mean",
    "reference_mean",
    "distance",
    "p_value",
    "adjusted_p_value",
    "alike",
    "text",
)

# A class and a figure of it.
Figure = tuple[str, str]


@dataclass(slots=True)
class SourceFigures:
    """The figures of each source image: those of its augmented copies are averaged.

    Copies of one source are not independent images, so that each source counts once.

    Attributes:
        filled: the figures that are 0 in each sample that is added without them
    """

    filled: frozenset[Figure] = frozenset()
    _samples: dict[str, dict[Any, int]] = field(default_factory=dict)
    _sums: dict[str, dict[Figure, dict[Any, tuple[float, int]]]] = field(
        default_factory=dict
    )

    def add(self, split: str, source: Any, numbers: Mapping[Figure, float]) -> None:
        """Adds the figures of a sample."""
        samples = self._samples.setdefault(split, {})
        samples[source] = samples.get(source, 0) + 1
        of_split = self._sums.setdefault(split, {})
        for figure, number in numbers.items():
            of_source = of_split.setdefault(figure, {})
            total, count = of_source.get(source, (0.0, 0))
            of_source[source] = (total + number, count + 1)

    def splits(self) -> list[str]:
        """Returns the splits, in the order in which they came."""
        return list(self._sums)

    def sources(self, split: str) -> int:
        """Returns the number of a split's sources."""
        return len(self._samples[split])

    def figures(self) -> list[Figure]:
        """Returns the figures that any split has, sorted."""
        found = {f for figures in self._sums.values() for f in figures}
        return sorted(found | self.filled if self._samples else found)

    def values(self, split: str, figure: Figure) -> np.ndarray:
        """Returns the numbers of a split's sources, as a float array."""
        sums = self._sums.get(split, {}).get(figure, {})
        if figure in self.filled:
            samples = self._samples.get(split, {})
            none = (0.0, 0)
            means = (sums.get(s, none)[0] / n for s, n in samples.items())
            return np.fromiter(means, float, len(samples))
        return np.array([total / count for total, count in sums.values()], float)


def drift_rows(numbers: SourceFigures, splits: Sequence[str]) -> list[dict[str, Any]]:
    """Returns how each split differs from a reference, a row for each figure.

    That is ``train`` if there is one, else the split of most sources.

    The test is that of Kolmogorov and Smirnov for two samples; its distance is the
    effect size. Its p-values are adjusted for the number of tests as Benjamini and
    Hochberg (1995) do it, so that of all splits that are called different at most
    :data:`FALSE_DISCOVERIES` are alike on average.

    Args:
        numbers: the figures of the sources
        splits: the splits, in the order of the rows
    """
    return adjusted_rows(list(tested_rows(numbers, splits)))


def tested_rows(
    numbers: SourceFigures, splits: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yields the rows of :func:`drift_rows`, each with a test of its own."""
    if not splits:
        return
    sizes = {split: numbers.sources(split) for split in splits}
    reference = "train" if "train" in splits else max(splits, key=sizes.__getitem__)
    figures = numbers.figures()
    for split in splits:
        if split != reference:
            for figure in figures:
                yield _tested(numbers, split, reference, figure)


def adjusted_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns all rows, their p-values adjusted for their number, with words."""
    tested = [row for row in rows if row["p_value"] is not None]
    if not tested:
        return [{**row, "text": _text(row)} for row in rows]
    adjusted = stats.false_discovery_control([row["p_value"] for row in tested])
    for row, p_value in zip(tested, adjusted, strict=True):
        row["adjusted_p_value"] = float(p_value)
        row["alike"] = bool(p_value > FALSE_DISCOVERIES)
    return [{**row, "text": _text(row)} for row in rows]


def _tested(
    numbers: SourceFigures, split: str, reference: str, figure: Figure
) -> dict[str, Any]:
    a, b = (numbers.values(name, figure) for name in (split, reference))
    row: dict[str, Any] = {
        "split": split,
        "reference": reference,
        "class": figure[0],
        "figure": figure[1],
        "sources": len(a),
        "reference_sources": len(b),
        "mean": float(a.mean()) if len(a) else None,
        "reference_mean": float(b.mean()) if len(b) else None,
        "distance": None,
        "p_value": None,
        "adjusted_p_value": None,
        "alike": None,
    }
    if min(len(a), len(b)) >= MIN_SOURCES:
        test = stats.ks_2samp(a, b)
        row["distance"], row["p_value"] = float(test.statistic), float(test.pvalue)
    return row


def _text(row: Mapping[str, Any]) -> str:
    what = f"{row['figure']} of '{row['class']}'"
    split, reference = row["split"], row["reference"]
    if row["alike"] is None:
        few = f"{row['sources']:,} and {row['reference_sources']:,}"
        return f"Too few source images to compare the {what}: {few}."
    is_like = "is not measurably different from" if row["alike"] else "differs from"
    means = f"mean {readable(row['mean'])} against {readable(row['reference_mean'])}"
    return f"The {what} in '{split}' {is_like} '{reference}': {means}."
