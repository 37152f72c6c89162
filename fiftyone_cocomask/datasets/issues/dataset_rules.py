"""The rules that compare labels and images across a dataset."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from bson import ObjectId

from ...coco.attributes import decode_key
from ..robust_scale import RobustScale
from .id_lists import IdList, Ids
from .rules import IssueLimits


class ClassLabels:
    """What is compared between the labels of a class, 40 bytes each.

    Of each label the logarithm of its share of the image, and that of its outline's
    density, see :func:`log_density`; NaN where it has none.
    """

    def __init__(self) -> None:
        self._shares = array("d")
        self._densities = array("d")
        self._ids = IdList()

    def add(
        self, sample_id: ObjectId, label_id: ObjectId, share: float, density: float
    ) -> None:
        """Adds a label."""
        self._shares.append(share)
        self._densities.append(density)
        self._ids.append(sample_id, label_id)

    def outliers(self, limits: IssueLimits) -> Iterator[Ids]:
        """Yields the labels whose share is far from the others'."""
        scores = np.abs(scores_in_class(self._shares, limits))
        return self._chosen(scores > limits.outlier_score)

    def coarse(self, limits: IssueLimits) -> Iterator[Ids]:
        """Yields the labels whose outline has few vertices beside the others'."""
        scores = scores_in_class(self._densities, limits)
        return self._chosen(scores < -limits.coarse_score)

    def _chosen(self, flags: np.ndarray) -> Iterator[Ids]:
        return (self._ids[index] for index in np.flatnonzero(flags).tolist())


def scores_in_class(values: Sequence[float], limits: IssueLimits) -> np.ndarray:
    """Returns the modified z-score of each value, 0 without a scale and of NaN."""
    numbers = np.array(values)
    known = ~np.isnan(numbers)
    scores = np.zeros(len(numbers))
    if np.count_nonzero(known) >= limits.min_class_size:
        scores[known] = RobustScale.of(numbers[known]).scores(numbers[known])
    return scores


class Copies:
    """How much of each copy is covered, 28 bytes a copy."""

    def __init__(self) -> None:
        self._sources = array("Q")
        self._shares = array("d")
        self._ids = bytearray()

    def add(self, source: str, sample_id: ObjectId, share: float) -> None:
        """Adds a copy of a source."""
        encoded = source.encode("utf-8", "surrogatepass")
        digest = blake2b(encoded, digest_size=8).digest()
        self._sources.append(int.from_bytes(digest, "little"))
        self._shares.append(share)
        self._ids += sample_id.binary

    def by_source(self) -> Iterator[tuple[list[ObjectId], np.ndarray]]:
        """Yields the copies of each source that has several, and their shares."""
        sources, shares = np.array(self._sources), np.array(self._shares)
        order = np.argsort(sources, kind="stable")
        ends = np.flatnonzero(np.diff(sources[order])) + 1
        bounds = np.concatenate([[0], ends, [len(order)]])
        # Most sources may have a single copy each: of those there is nothing to make.
        for group in np.flatnonzero(np.diff(bounds) > 1).tolist():
            places = order[bounds[group] : bounds[group + 1]]
            ids = [bytes(self._ids[12 * p : 12 * p + 12]) for p in places.tolist()]
            yield [ObjectId(sample_id) for sample_id in ids], shares[places]


# Where a copy of so many sources deviates, copies are random crops, and not wrong.
_ENOUGH_SOURCES = 8
_MAX_DEVIATING = 1 / 3


def log_density(vertices: int, perimeter: float) -> float:
    """Returns the logarithm of an outline's vertices per square root of its length."""
    return math.log(vertices / math.sqrt(perimeter))


def source_of_copy(source_name: Any, file_name: Any) -> str | None:
    """Returns the source of an augmented copy; None of an image that is not a copy.

    An import gives an image whose name says nothing of a source its own name as one:
    ``1.png`` of each split are three images.

    Args:
        source_name: what the sample has under this name
        file_name: what it has under this name, None where it has no such field
    """
    if not isinstance(source_name, str) or source_name == file_name:
        return None
    return source_name or None


def vary_by_crops(deviating: int, sources: int) -> bool:
    """Whether copies differ from their sources because they are crops.

    Args:
        deviating: the number of sources of which a copy deviates
        sources: the number of sources that have several copies
    """
    return sources >= _ENOUGH_SOURCES and deviating > _MAX_DEVIATING * sources


def deviating_copies(shares: np.ndarray, limits: IssueLimits) -> np.ndarray:
    """Returns which of the copies of a source differ from their median coverage.

    Args:
        shares: the share of each copy that is covered
        limits: the numbers in the rule

    Returns:
        a bool array of the same length
    """
    median = np.median(shares)
    return np.abs(shares - median) > limits.copy_tolerance * median


def differing_ids(info: Any) -> set[tuple[str, Any]]:
    """Returns the category ids that name a class of their own in a split.

    Args:
        info: what an import has stored in ``dataset.info["coco"]``

    Returns:
        pairs of a split and an id: of the splits in which an id does not name the
        class that it names in most of them, or in the first ones where that is open
    """
    splits = info.get("splits") if isinstance(info, Mapping) else None
    names: dict[Any, dict[str, str]] = defaultdict(dict)
    for split, facts in (splits or {}).items():
        for category in (facts or {}).get("categories") or []:
            if isinstance(category, Mapping) and isinstance(
                category.get("id"), (int, str)
            ):
                names[category["id"]][decode_key(split)] = str(category.get("name"))
    found = set()
    for category_id, by_split in names.items():
        given = list(by_split.values())
        usual = max(given, key=given.count)
        found |= {(s, category_id) for s, name in by_split.items() if name != usual}
    return found
