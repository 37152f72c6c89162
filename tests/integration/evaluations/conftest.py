"""Samples with hand-made masks and labels, whose figures are known by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

WIDTH, HEIGHT = 40, 30

Box = tuple[int, int, int, int]


def polyline(box: Box, label: str | None, **kwargs: Any) -> fo.Polyline:
    """A filled rectangle of whole pixels: (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    points = [(x / WIDTH, y / HEIGHT) for x, y in corners]
    return fo.Polyline(label=label, points=[points], closed=True, filled=True, **kwargs)


def mask_of_boxes(*boxes: Box, value: int = 255) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = value
    return mask


class Samples:
    """A dataset whose samples have masks that nobody but the test has drawn."""

    def __init__(self, dataset: fo.Dataset, folder: Path) -> None:
        self.dataset = dataset
        self.folder = folder

    def image(self, name: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> str:
        path = self.folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((size[1], size[0], 3), 90, np.uint8))
        return str(path)

    def mask_file(self, name: str, mask: np.ndarray) -> str:
        path = self.folder / "masks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), mask)
        return str(path)

    def add(
        self,
        name: str,
        mask: np.ndarray | None = None,
        lines: Sequence[fo.Polyline] | None = None,
        **fields: Any,
    ) -> fo.Sample:
        """Adds a sample with a mask on disk and labels, each if given."""
        if mask is not None:
            mask_path = self.mask_file(Path(name).stem + ".png", mask)
            fields["mask"] = fo.Segmentation(mask_path=mask_path)
        if lines is not None:
            fields["segmentations"] = fo.Polylines(polylines=list(lines))
        sample = fo.Sample(filepath=self.image(name), **fields)
        self.dataset.add_sample(sample)
        return sample

    def raw(self, sample: fo.Sample) -> dict[str, Any]:
        """The sample's document as MongoDB holds it."""
        found = self.dataset._sample_collection.find_one({"_id": sample._id})
        assert found is not None
        return found


@pytest.fixture
def samples(new_dataset: Callable[..., fo.Dataset], tmp_path: Path) -> Samples:
    return Samples(new_dataset(), tmp_path)
