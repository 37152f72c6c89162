"""Areas and coverage: masks are decoded and their pixels counted, one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..stages import Case
from . import Baseline
from .objects import drawn_objects, visible_px


def _count(case: Case, dataset: Any) -> None:
    for sample in dataset.iter_samples(autosave=True):
        sample["loop_px"] = int(np.count_nonzero(sample.mask.get_mask()))


def _same_masks(case: Case, dataset: Any, found: None) -> None:
    ours = case.dataset().limit(len(dataset)).values("of_any_px")
    assert ours == dataset.values("loop_px")


def _areas(case: Case, dataset: Any) -> None:
    for sample in dataset.iter_samples(autosave=True):
        mask = sample.mask.get_mask()
        sample["loop_px"] = int(np.count_nonzero(mask))
        objects = drawn_objects(sample)
        seen = visible_px(objects, mask.shape)
        for item, visible in zip(objects, seen, strict=True):
            item.label["loop_px"] = item.px
            item.label["loop_visible_px"] = visible
            item.label["loop_bucket"] = _bucket(item.px)


def _bucket(px: int) -> str:
    return "small" if px < 32**2 else "medium" if px < 96**2 else "large"


def _same_areas(case: Case, dataset: Any, found: None) -> None:
    ours = case.dataset().limit(len(dataset))
    for path in ("{}_px", *(f"segmentations.polylines.{{}}_{n}" for n in _OF_LABELS)):
        values = dataset.values(path.format("loop"))
        assert ours.values(path.format("mask_area")) == values


_OF_LABELS = ("px", "visible_px", "bucket")


def _coverage(case: Case, dataset: Any) -> None:
    for sample in dataset.iter_samples(autosave=True):
        mask = sample.mask.get_mask()
        sample["loop_ratio"] = np.count_nonzero(mask) / mask.size
        objects = drawn_objects(sample)
        layers = np.sum([item.mask for item in objects], axis=0)
        drawn = np.count_nonzero(layers)
        sample["loop_overlap"] = np.count_nonzero(layers > 1) / drawn if drawn else None
        classes: dict[str, int] = {}
        seen = visible_px(objects, mask.shape)
        for item, visible in zip(objects, seen, strict=True):
            name = item.label.label
            classes[name] = classes.get(name, 0) + visible
        sample["loop_classes"] = {
            name: {"px": px, "ratio": px / mask.size} for name, px in classes.items()
        }


def _same_coverage(case: Case, dataset: Any, found: None) -> None:
    ours = case.dataset().limit(len(dataset))
    for name in ("ratio", "overlap"):
        values = dataset.values(f"loop_{name}")
        assert ours.values(f"mask_coverage_{name}") == values


AREA = Baseline("a loop that decodes and counts each", _areas, _same_areas)
COVERAGE = Baseline("a loop that decodes and counts each", _coverage, _same_coverage)
COUNT = Baseline("a loop that decodes and counts", _count, _same_masks)
