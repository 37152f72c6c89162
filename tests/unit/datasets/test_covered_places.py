"""The samples that cover a place, as they come out of what was packed."""

from __future__ import annotations

import bson
import numpy as np
from bson import ObjectId, json_util

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
    packed = [bson.decode(bson.encode(document)) for document in places.packed()]
    for row, column in ((0, 0), (0, 7), (31, 8), (63, 63)):
        expected = [str(i) for i, mask in masks.items() if mask[row, column]]
        assert list(ids_at_place(packed, row, column)) == expected


def test_each_document_of_many_samples_is_one_that_mongodb_takes() -> None:
    """Places that are covered at random cannot be packed into fewer bytes."""
    random = np.random.default_rng(0)
    masks = random.random((300, 64, 64)) < 0.5
    ids = [ObjectId() for _ in range(33_000)]
    places = CoveredPlaces()
    for number, sample_id in enumerate(ids):
        places.add(sample_id, masks[number % 300])
    packed = places.packed()
    # As text, which the values of FiftyOne's stores are: see `Store`.
    assert max(len(json_util.dumps(document)) for document in packed) < 15e6
    found = list(ids_at_place(packed, 5, 9))
    assert found == [str(i) for n, i in enumerate(ids) if masks[n % 300, 5, 9]]
