"""The samples that cover a place, as they come out of what was packed."""

from __future__ import annotations

import bson
import numpy as np
from bson import ObjectId

from fiftyone_cocomask.datasets.figures.covered_places import (
    CoveredPlaces,
    ids_at_place,
)


def test_the_samples_of_a_place_are_found_among_many() -> None:
    """There are more samples than one part holds."""
    random = np.random.default_rng(0)
    masks = {ObjectId(): random.random((64, 64)) < 0.3 for _ in range(600)}
    places = CoveredPlaces()
    for sample_id, mask in masks.items():
        places.add(sample_id, mask)
    packed = bson.decode(bson.encode(places.packed()))
    for row, column in ((0, 0), (0, 7), (31, 8), (63, 63)):
        expected = [str(i) for i, mask in masks.items() if mask[row, column]]
        assert list(ids_at_place(packed, row, column)) == expected
