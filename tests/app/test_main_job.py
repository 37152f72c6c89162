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
    for field in ("segmentations", "detections"):
        app.toggle_field(field)
        app.expect_field_shown(field, shown=False)
    bare = app.settled_picture()
    _compute_masks(app)
    app.expect_field_shown("mask", shown=True)
    _expect_mask_drawn(app, bare, dataset)
    for kind in ("area", "coverage"):
        form = app.open_form(f"Evaluate mask {kind}")
        form.expect_text(f"mask_{kind}_")
        form.execute()
        form.finish(f"Evaluation mask_{kind} of 21 images")
    dataset.reload()
    assert dataset.list_runs() == ["mask_area", "mask_coverage"]
    _bars_lead_to_their_samples(app, dataset)


def _import(app: AppPage, export: Path) -> None:
    form = app.open_form("Import a Roboflow COCO export")
    form.type_path(str(export))
    form.expect_text("21 images")
    form.expect_text("Licence")
    form.expect_text(f"Creates the dataset {export.name}")
    form.execute()
    form.finish("Imported 21 images")
    app.wait_for_samples(21)


def _compute_masks(app: AppPage) -> None:
    form = app.open_form("Compute masks")
    form.expect_text("Writes masks of 21 images")
    form.execute()
    form.finish("21 masks in")


def _expect_mask_drawn(app: AppPage, bare: np.ndarray, dataset: fo.Dataset) -> None:
    """Waits until the mask colours the share of pixels that the mask's file has."""
    dataset.reload()
    file = cv2.imread(dataset.first().mask.mask_path, cv2.IMREAD_UNCHANGED)
    assert file is not None
    coverage = np.count_nonzero(file) / file.size
    assert coverage > 0
    expected = pytest.approx(coverage, abs=0.02)

    def changed() -> float:
        return float(np.any(bare != app.settled_picture(), axis=2).mean())

    # A slow machine shows the sample without its mask for a while.
    app.wait_until(lambda: changed() == expected)


def _bars_lead_to_their_samples(app: AppPage, dataset: fo.Dataset) -> None:
    panel = app.panel
    # The last evaluation that was made is shown.
    panel.expect_text("coverage, mean of images")
    panel.choose("mask_area")
    panel.expect_text("Mask area (px)")
    areas = dataset.values("segmentations.polylines.mask_area_px")
    low, high = _range(panel.click_bar(panel.highest_bar("Mask area of objects")))
    inside = [[low <= area <= high for area in image] for image in areas]
    expected = sum(any(image) for image in inside)
    assert 0 < expected < len(dataset)
    app.wait_for_samples(expected)
    panel.clear()
    app.wait_for_samples(len(dataset))
    panel.choose("mask_coverage")
    panel.expect_text("Share of the image that the mask covers")
    says = panel.click_bar(panel.highest_bar("Coverage of images"))
    low, high = (percent / 100 for percent in _range(says))
    ratios = np.array(dataset.values("mask_coverage_ratio"))
    # The ends of the bar are shown with three digits.
    at_least = np.sum((ratios > low + 0.001) & (ratios < high - 0.001))
    at_most = np.sum((ratios > low - 0.001) & (ratios < high + 0.001))
    expected = int(says.split("\n")[1].split()[0])
    assert at_least <= expected <= at_most, (says, sorted(ratios))
    assert 0 < expected < len(dataset)
    app.wait_for_samples(expected)


def _range(text: str) -> tuple[float, float]:
    """Returns the ends of a bar, from what the chart says of it."""
    numbers = re.findall(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", text.split("\n")[0])
    low, high = (float(number.replace(",", "")) for number in (numbers * 2)[:2])
    return low, high
