"""The main job, as a person does it in the App: export to masks to evaluations."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import fiftyone as fo
import numpy as np
import pytest

from .app_page import AppPage


def test_from_an_export_to_the_samples_of_a_bar(
    app: AppPage, demo_export: Path
) -> None:
    fo.Dataset("start", persistent=True)
    app.open("start")
    _import(app, demo_export)
    dataset = fo.load_dataset(demo_export.name)
    _compute_masks(app)
    _masks_are_drawn(app, dataset)
    for kind in ("area", "coverage"):
        form = app.open_form(f"Evaluate mask {kind}")
        form.expect_text(f"mask_{kind}_")
        form.execute()
        form.finish(f"mask_{kind}")
    dataset.reload()
    assert dataset.list_runs() == ["mask_area", "mask_coverage"]
    _bars_lead_to_their_samples(app, dataset)


def _import(app: AppPage, export: Path) -> None:
    form = app.open_form("Import a Roboflow COCO export")
    form.type_path(str(export))
    form.expect_text("21 images")
    form.expect_text("Licence")
    form.expect_text(f"Makes the dataset {export.name}")
    form.execute()
    form.finish("Imported 21 images")
    app.wait_for_samples(21)


def _compute_masks(app: AppPage) -> None:
    form = app.open_form("Compute masks")
    form.expect_text("Writes masks of 21 images")
    form.execute()
    form.finish("21 masks in")


def _masks_are_drawn(app: AppPage, dataset: fo.Dataset) -> None:
    """Compares the share of pixels that the mask colours with the mask's file."""
    dataset.reload()
    file = cv2.imread(dataset.first().mask.mask_path, cv2.IMREAD_UNCHANGED)
    assert file is not None
    coverage = np.count_nonzero(file) / file.size
    assert 0.02 < coverage < 0.9
    app.toggle_field("segmentations")
    app.toggle_field("detections")
    shown = app.settled_picture()
    app.toggle_field("mask")
    hidden = app.settled_picture(other_than=shown)
    changed = np.any(shown != hidden, axis=2).mean()
    assert changed == pytest.approx(coverage, abs=0.03)
    app.toggle_field("mask")


def _bars_lead_to_their_samples(app: AppPage, dataset: fo.Dataset) -> None:
    panel = app.panel
    panel.choose("mask_area")
    panel.expect_text("foreground px")
    areas = dataset.values("segmentations.polylines.mask_area_px")
    low, high = _range(panel.click_bar(panel.highest_bar(0)))
    inside = [[low <= area <= high for area in image] for image in areas]
    expected = sum(any(image) for image in inside)
    assert 0 < expected < len(dataset)
    app.wait_for_samples(expected)
    panel.press("Show all")
    app.wait_for_samples(len(dataset))
    panel.choose("mask_coverage")
    panel.expect_text("coverage, mean of images")
    low, high = _range(panel.click_bar(panel.highest_bar(0)))
    ratios = np.array(dataset.values("mask_coverage_ratio"))
    # The bar's ends are shown with three digits.
    loose = np.sum((ratios >= low * 0.99) & (ratios <= high * 1.01))
    strict = np.sum((ratios > low * 1.01) & (ratios < high * 0.99))
    assert strict == loose
    app.wait_for_samples(int(strict))


def _range(text: str) -> tuple[float, float]:
    """Returns the ends of a bar, from what the chart says of it."""
    numbers = re.findall(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", text.split("\n")[0])
    low, high = (float(number.replace(",", "")) for number in (numbers * 2)[:2])
    return low, high
