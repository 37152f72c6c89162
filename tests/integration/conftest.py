"""A FiftyOne for tests that need MongoDB, and datasets that they make."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.own_fiftyone import load_fiftyone

if TYPE_CHECKING:
    import fiftyone as fo


def pytest_configure(config: pytest.Config) -> None:
    """Loads FiftyOne in each process that runs tests.

    What hands them out to others needs none.
    """
    if "PYTEST_XDIST_WORKER" in os.environ or config.getoption("dist", "no") == "no":
        load_fiftyone()


@pytest.fixture
def new_dataset() -> Iterator[Callable[..., fo.Dataset]]:
    """Makes empty datasets; every dataset that a test makes is deleted after it."""
    import fiftyone as fo

    before = set(fo.list_datasets())
    yield fo.Dataset
    for name in set(fo.list_datasets()) - before:
        dataset = fo.load_dataset(name)
        # With a dataset, FiftyOne deletes its saved views, and loads each first.
        for view in dataset._doc.saved_views:
            view.delete()
        dataset._doc.saved_views = []
        dataset.delete()
