"""Splits of one dataset are alike, sorted ones are not, and tiny ones say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fiftyone_cocomask.datasets.figures.drift import SourceFigures, drift_rows

CLASSES = ("cat", "dog", "newt")
SIZES = {"train": 70, "valid": 20, "test": 10}


def _images(random: np.random.Generator) -> list[dict[tuple[str, str], float]]:
    """Returns the figures of images: sizes as uneven as those of real objects."""
    number = sum(SIZES.values())
    found: list[dict[tuple[str, str], float]] = [{} for _ in range(number)]
    for name in CLASSES:
        areas = np.exp(random.normal(6, 1.2, number)).round()
        # Many images have the same small number, as of objects.
        counts = random.poisson(1.5, number)
        for image, area, objects in zip(found, areas, counts, strict=True):
            image[name, "objects"] = float(objects)
            image[name, "object_area_px"] = float(area)
    return found


def _rows(images: Sequence[dict[tuple[str, str], float]], copies: int = 1) -> Any:
    """Returns the comparisons where images are split in their order."""
    figures = SourceFigures()
    splits = [split for split, size in SIZES.items() for _ in range(size)]
    for source, (image, split) in enumerate(zip(images, splits, strict=True)):
        for _ in range(copies):
            figures.add(split, source, image)
    return drift_rows(figures, list(SIZES))


def test_random_splits_are_called_different_at_most_once_in_twenty() -> None:
    random = np.random.default_rng(11)
    images = _images(random)
    differing = 0
    for _ in range(60):
        order = random.permutation(len(images))
        # Copies of an image are not further evidence.
        rows = _rows([images[place] for place in order], copies=3)
        assert len(rows) == 2 * 2 * len(CLASSES)
        differing += any(row["alike"] is False for row in rows)
    assert differing <= 0.05 * 60


def test_a_split_sorted_by_size_is_called_different() -> None:
    images = _images(np.random.default_rng(12))
    images.sort(key=lambda image: image["cat", "object_area_px"])
    rows = {(r["split"], r["class"], r["figure"]): r for r in _rows(images)}
    for split in ("valid", "test"):
        row = rows[split, "cat", "object_area_px"]
        assert row["alike"] is False
        assert row["distance"] > 0.95
        assert row["mean"] > row["reference_mean"]
    others = [row for key, row in rows.items() if key[1:] != ("cat", "object_area_px")]
    assert all(row["alike"] for row in others)


def test_a_tiny_split_says_that_it_is_too_small() -> None:
    images = _images(np.random.default_rng(13))
    figures = SourceFigures()
    for source, image in enumerate(images[:27]):
        figures.add("train" if source < 20 else "test", source, image)
    for row in drift_rows(figures, ["train", "test"]):
        assert (row["alike"], row["p_value"], row["sources"]) == (None, None, 7)
        assert row["text"].startswith("Too few source images")
