"""The panel beside the grid: it follows the grid and leads to samples."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import (
    compute_masks,
    evaluate_mask_area,
    evaluate_mask_coverage,
    import_roboflow_coco,
)

from .app_page import AppPage


@pytest.fixture
def dataset(demo_export: Path) -> fo.Dataset:
    dataset, _ = import_roboflow_coco(demo_export, "demo")
    compute_masks(dataset)
    evaluate_mask_area(dataset, label_field="segmentations")
    evaluate_mask_coverage(dataset, label_field="segmentations")
    return dataset


def test_classes_splits_and_findings_lead_to_samples(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.expect_text("foreground px")
    classes = dataset.values("segmentations.polylines.label")
    moths = sum("moth" in labels for labels in classes)
    assert 0 < moths < len(dataset)
    assert panel.click_bar(panel.bars(1).nth(1)).startswith("moth")
    app.wait_for_samples(moths)
    panel.expect_text("The grid shows images with moth")
    panel.press("Show all")
    app.wait_for_samples(len(dataset))
    empty = sum(not sample.mask.get_mask().any() for sample in dataset)
    assert empty > 0
    panel.press(f"Empty masks: {empty}")
    app.wait_for_samples(empty)
    split = dataset.first().split
    panel.content.get_by_role("cell", name=split, exact=True).click()
    app.wait_for_samples(len(dataset.match_tags(split)))


def test_the_panel_follows_a_changed_view(app: AppPage, dataset: fo.Dataset) -> None:
    dataset.save_view("valid", dataset.match_tags("valid"))
    valid = dataset.load_saved_view("valid")
    pixels = sum(np.count_nonzero(sample.mask.get_mask()) for sample in valid)
    app.open("demo?view=valid")
    panel = app.panel
    panel.open()
    app.wait_for_samples(len(valid))
    panel.expect_text(f"{pixels:,}" if pixels < 1e6 else f"{pixels / 1e6:.2f} M")
    app.run("Clear view bar")
    app.wait_for_samples(len(dataset))
    total = sum(np.count_nonzero(sample.mask.get_mask()) for sample in dataset)
    panel.expect_text(f"{total / 1e6:.2f} M")
