"""Similar pictures of several splits, against all of their pairs."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fiftyone_cocomask.datasets.issues.leaks import similar_across_splits


def connected(pairs: list[tuple[int, int]], number: int) -> set[frozenset[int]]:
    """Returns the groups of several places that pairs connect, by painting."""
    colours = list(range(number))
    for one, other in pairs:
        colours = [colours[one] if c == colours[other] else c for c in colours]
    groups = {
        frozenset(p for p in range(number) if colours[p] == colour)
        for colour in colours
    }
    return {group for group in groups if len(group) > 1}


@given(
    places=st.lists(
        st.tuples(
            st.integers(0, 2), st.sets(st.integers(0, 255), max_size=8), st.booleans()
        ),
        max_size=12,
    ),
    max_distance=st.sampled_from([0, 3, 8, 15, 16, 40]),
)
def test_places_are_connected_as_by_all_similar_pairs_of_different_splits(
    places: list[tuple[int, set[int], bool]], max_distance: int
) -> None:
    bits = np.zeros((len(places), 256), bool)
    for row, (_, flipped, inverted) in zip(bits, places, strict=True):
        row[list(flipped)] = True
        row ^= inverted
    splits = np.array([split for split, *_ in places], np.uint32)
    pairs = [
        (one, other)
        for one, other in itertools.combinations(range(len(places)), 2)
        if splits[one] != splits[other]
        and np.count_nonzero(bits[one] != bits[other]) <= max_distance
    ]
    found = similar_across_splits(np.packbits(bits, axis=1), splits, max_distance)
    joined = [(one, other) for one, others in found for other in others.tolist()]
    assert connected(joined, len(places)) == connected(pairs, len(places))


def test_a_long_film_in_two_splits_is_connected_in_a_few_steps() -> None:
    splits = np.arange(20_000) % 2
    found = list(similar_across_splits(np.ones((20_000, 32), np.uint8), splits, 8))
    # In each of 16 groups the first frame finds the other split's, one of these the
    # rest of its own.
    assert len(found) == 32
