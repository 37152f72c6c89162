"""Image files, decoded by OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def read_image(path: str | Path, flags: int) -> np.ndarray | None:
    """Returns the pixels of an image file; None if OpenCV cannot read them.

    Args:
        path: the file
        flags: OpenCV's ``IMREAD_...``
    """
    try:
        return cv2.imread(str(path), flags)
    except cv2.error:
        # It has more pixels than OpenCV takes, or too few to be reduced: of a PNG of
        # fewer than 4 rows, nothing is left at a quarter of its size.
        return None
