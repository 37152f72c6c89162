"""The garbage collector is as it was once nobody needs it otherwise."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from fiftyone_cocomask.datasets.memory import frozen_heap


@pytest.fixture
def thresholds() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    yield 701, 11, 12
    gc.set_threshold(*before)


def test_the_first_that_ends_leaves_the_heap_frozen(
    thresholds: tuple[int, int, int],
) -> None:
    first, second = frozen_heap(), frozen_heap()
    with second:
        first.__enter__()
        inside = gc.get_threshold()
        first.__exit__(None, None, None)
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == inside != thresholds
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == thresholds


def test_an_error_leaves_it_as_it_was(thresholds: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="fails"), frozen_heap():
        raise ValueError("fails")
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == thresholds
