"""How the objects of each class differ in size and shape."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...fiftyone_types import SampleCollection
from ...geometry.objects import Canvas, MaskObject
from ...geometry.patch_figures import patch_figures
from ..documents import Document
from ..label_lists import LabelList
from ..masks.options import MaskOptions
from .counts import ALL_CLASSES
from .drawn import class_of, drawn_samples

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


def shapes_of_classes(
    samples: SampleCollection, mask_field: str, labels: LabelList, options: MaskOptions
) -> list[Document]:
    """Returns quantiles of the objects' figures, a row for each class and figure.

    Args:
        samples: the dataset or view
        mask_field: the field of the masks
        labels: where the labels are
        options: how the masks are drawn

    Returns:
        rows of ``class``, ``figure``, ``objects`` and :data:`QUANTILES`, all classes
        together first
    """
    found: dict[str, list[np.ndarray]] = {}
    for sample in drawn_samples(samples, mask_field, labels, options):
        width, height = sample.size
        geometries = [item.geometry for item in sample.objects]
        patches = Canvas(height, width, options.rasterizer).patches(geometries)
        for item, patch in zip(sample.objects, patches, strict=True):
            figures = patch_figures(patch)
            if figures is not None:
                numbers = np.array(
                    [
                        figures.area,
                        100 * figures.area / (width * height),
                        figures.width,
                        figures.height,
                        figures.width / figures.height,
                        figures.parts,
                        figures.holes,
                        figures.solidity,
                        _vertices(item.geometry),
                    ]
                )
                found.setdefault(class_of(item), []).append(numbers)
    rows = {name: np.array(numbers) for name, numbers in sorted(found.items())}
    if rows:
        rows = {ALL_CLASSES: np.concatenate(list(rows.values())), **rows}
    return [row for name, numbers in rows.items() for row in _rows(name, numbers)]


def _rows(name: str, numbers: np.ndarray) -> list[Document]:
    rows = []
    for figure, values in zip(FIGURES, numbers.T, strict=True):
        known = values[~np.isnan(values)]
        if len(known):
            quantiles: Mapping[str, float] = {
                key: float(np.quantile(known, share))
                for key, share in QUANTILES.items()
            }
            row = {"class": name, "figure": figure, "objects": len(known)}
            rows.append({**row, **quantiles})
    return rows


def _vertices(geometry: MaskObject) -> float:
    """Returns the number of an outline's points; NaN for masks and RLE."""
    return float(sum(map(len, geometry.rings))) if geometry.rings else float("nan")
