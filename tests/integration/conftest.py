"""Datasets for tests that need MongoDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import fiftyone as fo
import pytest


@pytest.fixture
def new_dataset() -> Iterator[Callable[..., fo.Dataset]]:
    """Makes empty datasets; every dataset that a test makes is deleted after it."""
    before = set(fo.list_datasets())
    yield fo.Dataset
    for name in set(fo.list_datasets()) - before:
        fo.delete_dataset(name)
