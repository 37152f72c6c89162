"""The objects of a sample, drawn by pycocotools one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils


@dataclass(frozen=True, slots=True)
class Drawn:
    """A label and what it covers.

    Attributes:
        label: FiftyOne's polyline
        rings: its rings, in pixels
        mask: a bool array of the image's size
        px: how many pixels it covers
    """

    label: Any
    rings: list[np.ndarray]
    mask: np.ndarray
    px: int


def size_of(sample: Any) -> tuple[int, int]:
    """Returns the width and height of a sample's image."""
    return sample.metadata.width, sample.metadata.height


def drawn_objects(sample: Any, field: str = "segmentations") -> list[Drawn]:
    """Returns the objects of a sample."""
    return [drawn(line, *size_of(sample)) for line in sample[field].polylines]


def drawn(line: Any, width: int, height: int) -> Drawn:
    """Returns what a polyline covers."""
    rings = [np.array(ring) * (width, height) for ring in line.points]
    mask = decoded(rings, width, height)
    return Drawn(line, rings, mask, int(np.count_nonzero(mask)))


def decoded(rings: list[np.ndarray], width: int, height: int) -> np.ndarray:
    """Returns the mask of some rings, a bool array (height, width)."""
    parts = mask_utils.frPyObjects([r.ravel().tolist() for r in rings], height, width)
    return mask_utils.decode(mask_utils.merge(parts)).astype(bool)


def visible_px(objects: list[Drawn], shape: tuple[int, int]) -> list[int]:
    """Returns what is seen of each object, where smaller ones lie on larger ones."""
    owners = np.zeros(shape, np.int32)
    for number in sorted(range(len(objects)), key=lambda n: -objects[n].px):
        owners[objects[number].mask] = number + 1
    return np.bincount(owners.ravel(), minlength=len(objects) + 1)[1:].tolist()
