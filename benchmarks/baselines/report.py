"""The figures of a report, collected sample by sample."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations_with_replacement
from typing import Any

import cv2
import numpy as np
import pandas as pd

import fiftyone_cocomask as fcm

from ..stages import Case
from . import Baseline
from .objects import drawn_objects

_PLACES = 64


def _report(case: Case, dataset: Any) -> dict[str, Any]:
    """Writes the tables and the heatmap of a report, without its charts."""
    heatmap = np.zeros((_PLACES, _PLACES))
    areas: dict[str, list[int]] = defaultdict(list)
    shapes: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    objects_of: Counter[int] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    covered: list[float] = []
    for sample in dataset:
        mask = (sample.mask.get_mask() > 0).astype(np.float32)
        covered.append(float(mask.mean()))
        heatmap += cv2.resize(mask, (_PLACES, _PLACES), interpolation=cv2.INTER_AREA)
        objects = drawn_objects(sample)
        objects_of[len(objects)] += 1
        names = sorted({item.label.label for item in objects})
        together.update(combinations_with_replacement(names, 2))
        for item in objects:
            areas[item.label.label].append(item.px)
            shapes[item.label.label].append(_shape(item.mask))
    heatmap /= len(dataset)
    by_class = pd.DataFrame(
        {
            "class": sorted(areas),
            "objects": [len(areas[name]) for name in sorted(areas)],
            "area_px": [sum(areas[name]) for name in sorted(areas)],
        }
    )
    by_shape = {
        name: np.quantile(shapes[name], (0, 0.25, 0.5, 0.75, 1), axis=0)
        for name in sorted(shapes)
    }
    tables = [
        by_class,
        pd.DataFrame(sorted(objects_of.items())),
        pd.DataFrame(sorted(together.items())),
        *(pd.DataFrame(table) for table in by_shape.values()),
        pd.DataFrame(heatmap),
    ]
    html = "".join(table.to_html() for table in tables)
    (case.folder / "loop.html").write_text(html)
    return {
        "heatmap": heatmap,
        "by_class": by_class,
        "together": together,
        "shapes": by_shape,
        "coverage": float(np.mean(covered)),
    }


def _shape(mask: np.ndarray) -> tuple[int, ...]:
    """Returns the pixels, the width, the height and the parts of an object."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return 0, 0, 0, 0
    parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1
    return len(rows), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1, parts


def _same_figures(case: Case, dataset: Any, found: dict[str, Any]) -> None:
    area = fcm.load_mask_evaluation(case.dataset(), "mask_area")
    coverage = fcm.load_mask_evaluation(case.dataset(), "mask_coverage")
    view = case.dataset().limit(len(dataset))
    assert np.allclose(area.heatmap(samples=view), found["heatmap"], atol=1e-5)
    ours = area.per_class(view).set_index("class")
    theirs = found["by_class"].set_index("class")
    assert ours["objects"].tolist() == theirs["objects"].tolist()
    assert ours["area_px"].tolist() == theirs["area_px"].tolist()
    pairs = area.co_occurrence(view)
    assert pairs["images"].sum() == sum(found["together"].values())
    shapes = area.object_shapes(view).set_index(["class", "figure"])
    for name, quantiles in found["shapes"].items():
        median = shapes.loc[(name, "area_px")]["median"]
        assert np.isclose(median, quantiles[2, 0], rtol=0.02)
    mean = coverage.summary(view)["mean_coverage_over_images"]
    assert np.isclose(mean, found["coverage"])


REPORT = Baseline(
    "a loop over objects, for its tables and heatmap", _report, _same_figures
)
