"""Images for datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from .squares import HEIGHT, WIDTH


@pytest.fixture
def images(tmp_path: Path) -> Any:
    """Makes image files of 40 x 30 pixels."""

    def make(*names: str) -> list[str]:
        paths = []
        for name in names:
            path = tmp_path / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
            paths.append(str(path))
        return paths

    return make
