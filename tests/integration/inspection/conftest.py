"""A dataset to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import pytest

from ..evaluations.conftest import Samples


@pytest.fixture
def samples(new_dataset: Callable[..., fo.Dataset], tmp_path: Path) -> Samples:
    return Samples(new_dataset(), tmp_path)
