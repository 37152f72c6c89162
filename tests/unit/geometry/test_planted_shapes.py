"""Errors planted into the outlines of real exports are told from the real outlines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fiftyone_cocomask.coco.check import ExportReader
from fiftyone_cocomask.geometry.ring_shapes import (
    RingBatch,
    cross_themselves,
    have_spikes,
)

Ring = np.ndarray


def with_spike(ring: Ring) -> Ring:
    """Pulls a vertex out by half of the outline's size."""
    centre = ring.mean(axis=0)
    place = int(np.argmax(np.hypot(*(ring - centre).T)))
    tip = ring[place] + (ring[place] - centre) * 2
    before, after = ring[place] - 0.5, ring[place] + 0.5
    return np.vstack([ring[:place], before, tip, after, ring[place + 1 :]])


def with_crossing(ring: Ring) -> Ring:
    """Swaps two vertices that stand far from each other."""
    swapped = ring.copy()
    third = len(ring) // 3
    swapped[[third, 2 * third]] = ring[[2 * third, third]]
    return swapped


@pytest.mark.parametrize("export", ["mushrooms", "fetal_brain"])
@pytest.mark.parametrize(
    ("plant", "finds"),
    [
        (with_spike, lambda rings: have_spikes(rings, 20, 0.05)),
        (with_crossing, cross_themselves),
    ],
    ids=["spike", "crossing"],
)
def test_planted_errors_are_found_and_real_outlines_are_not(
    exports: Path,
    export: str,
    plant: Callable[[Ring], Ring],
    finds: Callable[[RingBatch], np.ndarray],
) -> None:
    rings: list[Ring] = []
    with ExportReader(exports / export) as reader:
        for record in reader.images():
            rings += [ring for item in record.annotations for ring in item.rings]
            if len(rings) > 500:
                break
    real = [ring for ring in rings if len(ring) >= 9]
    assert finds(RingBatch.of(real)).mean() < 0.01
    assert finds(RingBatch.of([plant(ring) for ring in real])).mean() > 0.95
