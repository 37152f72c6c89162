"""The panel beside the grid: it follows views and filters, and says what to do next."""

from __future__ import annotations

import csv
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F

from fiftyone_cocomask import (
    delete_mask_evaluation,
    evaluate_mask_area,
    import_roboflow_coco,
)
from fiftyone_cocomask.datasets.issues import load_mask_issues

from .app_page import AppPage

LABELS = "segmentations.polylines"
_TOOLBAR_BUTTON = "[data-item-id='@cocomask/cocomask/open_mask_evaluation']"


@pytest.fixture
def imported(demo_export: Path) -> fo.Dataset:
    dataset, _ = import_roboflow_coco(demo_export, "demo")
    return dataset


@pytest.fixture
def dataset(evaluated: fo.Dataset) -> fo.Dataset:
    return evaluated.clone("demo", persistent=True)


def test_issues_are_searched_from_here_and_lead_to_what_they_are_of(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.press("Find mask issues")
    form = app.form()
    form.execute()
    form.finish("coarse")
    panel.expect_text("issues found by mask")
    dataset.reload()
    report = load_mask_issues(dataset)
    # Labels open as patches, where also a tiny one is seen; samples as they are.
    assert panel.card("coarse") == report.counts["coarse"] > 0
    panel.press("coarse")
    app.wait_for_patches(report.counts["coarse"])
    panel.expect_text("The grid shows issue coarse")
    panel.clear()
    assert panel.card("copy area") == report.counts["copy_area"]
    panel.press("copy area")
    view = dataset.load_saved_view(report.views["copy_area"])
    app.wait_for_samples(len(view))


def test_tables_are_downloaded_of_what_the_grid_shows(
    app: AppPage, dataset: fo.Dataset
) -> None:
    dataset.save_view("valid", dataset.match_tags("valid"))
    valid = dataset.load_saved_view("valid")
    app.open_address("demo?view=valid")
    panel = app.panel
    panel.open()
    app.wait_for_samples(len(valid))
    rows = list(csv.DictReader(panel.download("Samples").splitlines()))
    assert [row["filepath"] for row in rows] == valid.values("filepath")
    areas = [str(area) for area in valid.values("mask_area_px")]
    assert [row["area_px"] for row in rows] == areas
    classes = list(csv.DictReader(panel.download("Classes").splitlines()))
    labels = valid.values(f"{LABELS}.label", unwind=True)
    assert {row["class"]: int(row["objects"]) for row in classes} == {
        name: labels.count(name) for name in set(labels)
    }
    objects = list(csv.DictReader(panel.download("Objects").splitlines()))
    assert len(objects) == len(labels)
    # After a click on a source the grid shows its copies.
    app.run("Clear view bar")
    app.wait_for_samples(len(dataset))
    panel.table_rows("Image").first.click()
    panel.expect_text("The grid shows")
    app.wait_for_samples(len(dataset) // len(dataset.distinct("source_name")))
    rows = list(csv.DictReader(panel.download("Samples").splitlines()))
    (source,) = {dataset[row["filepath"]].source_name for row in rows}
    copies = dataset.match({"source_name": source})
    assert {row["filepath"] for row in rows} == set(copies.values("filepath"))


def test_the_panel_follows_the_view_and_the_filters_of_the_sidebar(
    app: AppPage, dataset: fo.Dataset
) -> None:
    dataset.save_view("valid", dataset.match_tags("valid"))
    valid = dataset.load_saved_view("valid")
    pixels = sum(np.count_nonzero(sample.mask.get_mask()) for sample in valid)
    of_valid = f"{pixels:,}" if pixels < 1e6 else f"{pixels / 1e6:.2f} M"
    app.open_address("demo?view=valid")
    panel = app.panel
    panel.open()
    app.wait_for_samples(len(valid))
    panel.expect_text(of_valid)
    panel.expect_text(f"{len(valid)} images · click to see samples")
    app.run("Clear view bar")
    app.wait_for_samples(len(dataset))
    total = sum(np.count_nonzero(sample.mask.get_mask()) for sample in dataset)
    panel.expect_text(f"{total / 1e6:.2f} M")
    panel.expect_text(f"{len(dataset)} images · click to see samples")
    app.filter_by("split", "valid")
    panel.expect_text(of_valid)
    app.wait_for_samples(len(valid))
    # A click and a choice keep what the filter has left: the copies of one source.
    panel.table_rows("Image").first.click()
    panel.expect_text("The grid shows")
    app.wait_for_samples(len(valid))
    panel.clear()
    app.wait_for_samples(len(valid))
    app.run("Clear view bar")
    app.wait_for_samples(len(dataset))
    app.filter_by("split", "test")
    number = len(dataset.match_tags("test"))
    app.wait_for_samples(number)
    panel.expect_text(f"{number} images · click to see samples")
    panel.choose("mask_coverage")
    panel.expect_text("coverage, mean of images")
    app.wait_for_samples(number)
    app.wait_for_stage("Match")
    app.run("Clear view bar")
    app.wait_for_samples(len(dataset))
    # The App sets its view once more when it has kept a choice.
    panel.choose("mask_area")
    panel.expect_text("foreground px")
    app.filter_by("split", "test")
    panel.expect_text(f"{number} images · click to see samples")
    panel.choose("mask_coverage")
    panel.expect_text("coverage, mean of images")
    app.wait_for_samples(number)
    # Cleared as soon as the click has come through to the panel.
    panel.table_rows("Image").first.click()
    panel.press("Clear")
    app.wait_for_samples(number)
    panel.expect_text(f"{number} images · click to see samples")


def test_the_toolbar_opens_the_panel_and_reload_shows_what_was_made_elsewhere(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    app.page.locator(_TOOLBAR_BUTTON).click()
    panel.content.wait_for()
    panel.expect_text("foreground px")
    valid = dataset.match_tags("valid")
    delete_mask_evaluation(dataset, "mask_area")
    evaluate_mask_area(valid)
    panel.press("Reload")
    panel.expect_text(f"{len(valid)} images · click to see samples")


def test_what_is_out_of_date_is_said_and_brought_up_to_date(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.expect_text(f"{len(dataset)} images · click to see samples")
    sample = dataset.match(F("segmentations.polylines").length() > 1).first()
    before = np.count_nonzero(sample.mask.get_mask())
    sample.segmentations.polylines = sample.segmentations.polylines[:1]
    sample.save()
    panel.press("Reload")
    panel.expect_text("1 image is out of date, and is left out of the numbers")
    panel.expect_text("mask_area: the labels of 1 image have changed since")
    panel.expect_text(f"{len(dataset) - 1} images · click to see samples")
    panel.press("Redraw masks and evaluate again")
    app.form_done("Evaluated again: mask_area, mask_coverage")
    panel.expect_text(f"{len(dataset)} images · click to see samples")
    panel.expect_no_text("out of date")
    dataset.reload()
    sample.reload()
    assert np.count_nonzero(sample.mask.get_mask()) < before
    pixels = sum(np.count_nonzero(s.mask.get_mask()) for s in dataset)
    panel.expect_text(f"{pixels / 1e6:.2f} M")


def test_what_to_do_next_is_said_step_by_step(
    app: AppPage, imported: fo.Dataset
) -> None:
    imported.save_view("not measured", imported.match_tags("valid"))
    app.open("demo")
    app.wait_for_samples(21)
    for label in ("Evaluate mask area", "Delete a mask evaluation"):
        form = app.open_form(label)
        form.expect_text("Run ")
        form.expect_not_executable()
        form.close()
    panel = app.panel
    panel.open()
    panel.expect_text("No masks yet")
    panel.press("Compute masks")
    form = app.form()
    form.expect_text("Writes masks of 21 images")
    form.execute()
    form.finish("21 masks in")
    panel.press("Reload")
    panel.expect_text("No mask evaluation yet")
    panel.press("Evaluate mask coverage")
    form = app.form()
    form.expect_text("mask_coverage_ratio")
    form.close()
    imported.reload()
    evaluate_mask_area(imported.match_tags("train"))
    panel.press("Reload")
    panel.expect_text("foreground px")
    app.choose_saved_view("not measured")
    panel.expect_text("No evaluated samples in this view")
    app.run("Clear view bar")
    panel.expect_text("foreground px")


def test_patches_lead_back_to_their_samples(app: AppPage, dataset: fo.Dataset) -> None:
    valid = dataset.match_tags("valid")
    dataset.save_view("patches", valid.to_patches("segmentations"))
    app.open_address("demo?view=patches")
    panel = app.panel
    panel.open()
    panel.expect_text(f"{len(valid)} images · click to see samples")
    # The form of the evaluation that is shown, filled in, on the patches' samples.
    panel.press("Evaluate again")
    form = app.form()
    form.expect_text(f"mask_area_px on {len(valid)} images")
    form.expect_text(f"Evaluates {len(valid)} images of")
    form.expect_text(f"leaves {len(dataset) - len(valid)} others as measured")
    form.close()
