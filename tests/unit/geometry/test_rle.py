"""RLE: what is accepted, and that nothing broken reaches pycocotools."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from fiftyone_cocomask.geometry.rle import (
    check_rle,
    rle_area,
)
from fiftyone_cocomask.geometry.runs import RleError, rle_runs

masks = st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32)).map(
    lambda args: (
        np.random.default_rng(args[2]).random((args[0], args[1])) < args[2] % 11 / 10
    ).astype(np.uint8)
)


def runs_of(mask: np.ndarray) -> list[int]:
    """Returns the run lengths of a mask, column by column, by looking at each pixel."""
    runs = [0]
    value = 0
    for pixel in mask.flatten(order="F").tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


def compressed(mask: np.ndarray) -> dict[str, Any]:
    encoded = mask_utils.encode(np.asfortranarray(mask))
    return {"size": list(mask.shape), "counts": encoded["counts"].decode()}


@given(masks)
def test_all_spellings_of_a_mask_become_the_same(mask: np.ndarray) -> None:
    expected = compressed(mask)
    uncompressed = {"size": list(mask.shape), "counts": runs_of(mask)}
    as_bytes = {**expected, "counts": expected["counts"].encode()}
    for spelling in (expected, uncompressed, as_bytes):
        assert check_rle(spelling) == expected
    runs, (number,) = rle_runs([expected["counts"]])
    assert runs.ravel()[:number].tolist() == runs_of(mask)
    assert not runs.ravel()[number:].any()
    assert rle_area(expected) == int(mask.sum())


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        ({}, "size is None"),
        ({"size": [2], "counts": [4]}, "size is"),
        ({"size": [2, 0], "counts": [0]}, "size is"),
        ({"size": [2.0, 2.0], "counts": [4]}, "size is"),
        ({"size": [True, True], "counts": [1]}, "size is"),
        ({"size": ["2", "2"], "counts": [4]}, "size is"),
        ({"size": [2, 2]}, "neither a list"),
        ({"size": [2, 2], "counts": {}}, "neither a list"),
        ({"size": [2, 2], "counts": [1, 2]}, "add up to 3 pixels"),
        ({"size": [2, 2], "counts": [5, -1]}, "whole numbers"),
        ({"size": [2, 2], "counts": [2.0, 2.0]}, "whole numbers"),
        ({"size": [2, 2], "counts": ["4"]}, "whole numbers"),
        ({"size": [2, 2], "counts": [10**30]}, "whole numbers"),
        ({"size": [2, 2], "counts": []}, "add up to 0"),
        ({"size": [2, 2], "counts": ""}, "add up to 0"),
        ({"size": [10**6, 10**6], "counts": [10**12]}, "more than"),
        ({"size": [2, 2], "counts": "\u00fc"}, "characters"),
        ({"size": [2, 2], "counts": "  "}, "characters"),
        ({"size": [2, 2], "counts": "\x7f"}, "characters"),
        ({"size": [2, 2], "counts": "4" + "o"}, "cut off"),
        ({"size": [2, 2], "counts": "o" * 30 + "0"}, "too large"),
        ({"size": [2, 2], "counts": "O"}, "negative"),
    ],
)
def test_a_broken_rle_is_refused_with_its_reason(
    segmentation: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RleError, match=reason):
        check_rle(segmentation)


@given(st.one_of(st.text(max_size=40), st.binary(max_size=40)))
def test_any_counts_are_a_mask_of_their_size_or_refused(counts: Any) -> None:
    try:
        rle = check_rle({"size": [4, 5], "counts": counts})
    except RleError:
        return
    assert mask_utils.decode(rle).shape == (4, 5)
