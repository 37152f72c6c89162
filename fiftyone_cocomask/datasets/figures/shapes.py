"""How the objects of each class differ in size and shape."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import numpy as np

from ...geometry.objects import Canvas, MaskObject
from ...geometry.patch_figures import patch_figures
from ...geometry.ring_shapes import RingBatch
from ..documents import Document
from ..masks.options import MaskOptions
from .counts import ALL_CLASSES
from .drawn import DrawnSample, class_of

FIGURES = (
    "area_px",
    "area_percent",
    "width_px",
    "height_px",
    "aspect",
    "parts",
    "holes",
    "solidity",
    "vertices",
)
QUANTILES = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}


class ObjectShapes:
    """The figures of objects, class by class.

    Args:
        options: how the masks are drawn
    """

    def __init__(self, options: MaskOptions) -> None:
        self._options = options
        # For each class the figures of its objects, one object after the other.
        self._numbers: dict[str, array[float]] = {}

    def add(self, sample: DrawnSample) -> None:
        """Adds the objects of a sample that have a pixel."""
        width, height = sample.size
        geometries = [item.geometry for item in sample.objects]
        patches = Canvas(height, width, self._options.rasterizer).patches(geometries)
        for item, patch in zip(sample.objects, patches, strict=True):
            figures = patch_figures(patch)
            if figures is None:
                continue
            numbers = self._numbers.setdefault(class_of(item), array("d"))
            numbers.extend(
                (
                    figures.area,
                    100 * figures.area / (width * height),
                    figures.width,
                    figures.height,
                    figures.width / figures.height,
                    figures.parts,
                    figures.holes,
                    figures.solidity,
                    _vertices(item.geometry),
                )
            )

    def rows(self) -> list[Document]:
        """Returns rows of ``class``, ``figure``, ``objects`` and :data:`QUANTILES`.

        All classes together are first.
        """
        found = [
            (name, [np.frombuffer(numbers).reshape(-1, len(FIGURES))])
            for name, numbers in sorted(self._numbers.items())
        ]
        if found:
            # In a list, not a dict: a class may have this name, too.
            found.insert(0, (ALL_CLASSES, [n for _, [n] in found]))
        return [row for name, numbers in found for row in _rows(name, numbers)]


def _rows(name: str, numbers: list[np.ndarray]) -> list[Document]:
    rows = []
    for place, figure in enumerate(FIGURES):
        # One figure at a time: those of a million objects are not copied whole.
        values = np.concatenate([of_class[:, place] for of_class in numbers])
        known = values[~np.isnan(values)]
        if len(known):
            shares = list(QUANTILES.values())
            quantiles: Mapping[str, float] = dict(
                zip(QUANTILES, np.quantile(known, shares).tolist(), strict=True)
            )
            row = {"class": name, "figure": figure, "objects": len(known)}
            rows.append({**row, **quantiles})
    return rows


def _vertices(geometry: MaskObject) -> float:
    """Returns the number of an outline's corners; NaN for masks and RLE."""
    if not geometry.rings:
        return float("nan")
    # The point that closes a ring is no corner of its own.
    return float(RingBatch.of(geometry.rings).lengths.sum())
