"""The panel beside the grid: all that it shows leads to samples, and follows them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F
from playwright.sync_api import expect

from fiftyone_cocomask import (
    compute_masks,
    delete_mask_evaluation,
    evaluate_mask_area,
    evaluate_mask_coverage,
    import_roboflow_coco,
)
from fiftyone_cocomask.datasets.issues import load_mask_issues

from .app_page import AppPage

LABELS = "segmentations.polylines"
HISTOGRAM, CLASSES, AREA_MAP = 0, 1, 2
COMPARED = 1
_OPEN_BUTTON = "[data-item-id='@cocomask/cocomask/open_mask_evaluation']"


@pytest.fixture
def imported(demo_export: Path) -> fo.Dataset:
    dataset, _ = import_roboflow_coco(demo_export, "demo")
    return dataset


@pytest.fixture
def masked(imported: fo.Dataset) -> fo.Dataset:
    compute_masks(imported)
    return imported


@pytest.fixture
def dataset(masked: fo.Dataset) -> fo.Dataset:
    evaluate_mask_area(masked, label_field="segmentations")
    evaluate_mask_coverage(masked, label_field="segmentations")
    return masked


def test_classes_splits_and_cards_lead_to_samples(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.expect_text("foreground px")
    train = dataset.match_tags("train")
    moths = sum("moth" in labels for labels in train.values(f"{LABELS}.label"))
    assert 0 < moths < len(train)
    assert panel.click_bar(panel.bars(CLASSES).nth(1)).startswith("moth · train")
    app.wait_for_samples(moths)
    panel.expect_text("The grid shows images with moth in split train")
    panel.clear()
    app.wait_for_samples(len(dataset))
    empty = sum(not sample.mask.get_mask().any() for sample in dataset)
    assert panel.card("empty mask") == empty > 0
    panel.press("empty mask")
    app.wait_for_samples(empty)
    panel.table_rows("px per image").filter(has_text="valid").click()
    app.wait_for_samples(len(dataset.match_tags("valid")))
    panel.clear()
    app.wait_for_samples(len(dataset))


def test_the_buckets_of_objects_lead_to_their_images(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    buckets = dataset.values(f"{LABELS}.mask_area_bucket")
    panel.press("medium objects")
    app.wait_for_samples(sum("medium" in labels for labels in buckets))
    panel.press("large objects")
    app.wait_for_samples(sum("large" in labels for labels in buckets))


def test_a_cell_of_the_areas_leads_to_its_objects(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.expect_text("Stated area against mask area")
    # The largest object is in the uppermost cells.
    areas = dataset.values(f"{LABELS}.mask_area_px")
    stated = dataset.values(f"{LABELS}.annotated_area")
    across, up = _largest(stated, areas)
    number, *ranges = _numbers(panel.click_cell(AREA_MAP, across, up))
    low_stated, high_stated, low_area, high_area = ranges
    inside = [
        [
            low_area <= a <= high_area and low_stated - 1 < s < high_stated + 1
            for a, s in zip(*image, strict=True)
        ]
        for image in zip(areas, stated, strict=True)
    ]
    assert sum(map(sum, inside)) == number > 0
    app.wait_for_samples(sum(map(any, inside)))
    panel.clear()
    app.wait_for_samples(len(dataset))
    panel.press("In another size bucket")
    app.wait_for_samples(1)


def test_rows_of_the_worst_samples_lead_to_them(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.choose("mask_coverage")
    panel.choose("Largest coverage", dropdown=2)
    rows = panel.table_rows("Image")
    expect(rows).to_have_count(min(10, len(dataset.distinct("source_name"))))
    largest = dataset.sort_by("mask_coverage_ratio", reverse=True).first()
    share = f"{largest.mask_coverage_ratio:.1%}"
    expect(rows.first).to_contain_text(share)
    # A source is one row, which leads to all of its copies.
    copies = dataset.match({"source_name": largest.source_name})
    rows.first.click()
    app.wait_for_samples(len(copies))
    panel.expect_text(f"The grid shows {Path(largest.filepath).name.split('.rf.')[0]}")
    panel.press("Show all in this order")
    app.wait_for_samples(len(dataset.match({"mask_coverage_ratio": {"$gt": 0}})))
    overlapping = dataset.match({"mask_coverage_overlap": {"$gt": 0}})
    panel.choose("Most overlap", dropdown=2)
    app.wait_for_samples(len(dataset))
    expect(rows).to_have_count(min(10, len(overlapping.distinct("source_name"))))


def test_bars_of_the_overlap_lead_to_their_samples(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.choose("mask_coverage")
    panel.expect_text("Overlap of images")
    without = sum(overlap == 0 for overlap in dataset.values("mask_coverage_overlap"))
    assert panel.click_bar(panel.bars(1).first) == f"0 %\n{without} images"
    app.wait_for_samples(without)


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


def test_two_evaluations_are_compared(app: AppPage, dataset: fo.Dataset) -> None:
    compute_masks(dataset, mask_field="mask_opencv", rasterizer="opencv")
    evaluate_mask_area(
        dataset, "mask_opencv", label_field="segmentations", eval_key="opencv"
    )
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.choose("mask_area")
    panel.choose("and opencv", dropdown=COMPARED)
    panel.expect_text("mask_area / opencv")
    pixels = sum(np.count_nonzero(s.mask_opencv.get_mask()) for s in dataset)
    panel.expect_text(f"/ {pixels / 1e6:.2f} M")
    # The bars of the second one come behind all of the first.
    expect(panel.chart(HISTOGRAM).locator(".trace.bars")).to_have_count(2)
    bars = panel.bars(HISTOGRAM)
    heights = [(bar.bounding_box() or {"height": 0})["height"] for bar in bars.all()]
    second = heights[len(heights) // 2 :]
    says = panel.click_bar(bars.nth(len(second) + int(np.argmax(second))))
    low, high, number = _numbers(says.removesuffix("opencv"))
    areas = dataset.values(f"{LABELS}.opencv_px")
    inside = [[low <= area <= high for area in image] for image in areas]
    assert sum(map(sum, inside)) == number
    app.wait_for_samples(sum(map(any, inside)))
    panel.clear()
    panel.expect_text("Differs most from opencv")
    before, after = (
        np.array(dataset.values(f"{key}_px")) for key in ("mask_area", "opencv")
    )
    most = panel.table_rows("Difference px").first
    expect(most).to_contain_text(f"{np.abs(after - before).max():,}")
    panel.choose("compare with …", dropdown=COMPARED)
    panel.expect_no_text("mask_area / opencv")


def test_an_area_and_a_coverage_are_shown_side_by_side(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.choose("and mask_coverage", dropdown=COMPARED)
    panel.expect_text("Mask area of objects")
    panel.expect_text("Coverage of images")
    panel.expect_text("coverage, mean of images")


def test_tables_are_downloaded_of_what_the_grid_shows(
    app: AppPage, dataset: fo.Dataset
) -> None:
    dataset.save_view("valid", dataset.match_tags("valid"))
    valid = dataset.load_saved_view("valid")
    app.open("demo?view=valid")
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
    app.open("demo?view=valid")
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
    # Cleared as soon as the click has come through to the panel.
    panel.table_rows("Image").first.click()
    panel.press("Clear")
    app.wait_for_samples(number)
    panel.expect_text(f"{number} images · click to see samples")


def test_reload_shows_an_evaluation_that_was_made_elsewhere(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
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


def test_what_to_do_next_is_said_where_there_are_no_masks(
    app: AppPage, imported: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.expect_text("No masks yet")
    panel.press("Compute masks")
    app.form().expect_text("Writes masks of 21 images")


def test_what_to_do_next_is_said_where_there_is_no_evaluation(
    app: AppPage, masked: fo.Dataset
) -> None:
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.expect_text("No mask evaluation yet")
    panel.press("Evaluate mask coverage")
    app.form().expect_text("mask_coverage_ratio")


def test_a_view_without_a_measured_sample_is_said_to_be_one(
    app: AppPage, masked: fo.Dataset
) -> None:
    evaluate_mask_area(masked.match_tags("train"))
    masked.save_view("valid", masked.match_tags("valid"))
    app.open("demo?view=valid")
    panel = app.panel
    panel.open()
    panel.expect_text("No evaluated samples in this view")
    app.run("Clear view bar")
    panel.expect_text("foreground px")


def test_patches_lead_back_to_their_samples(app: AppPage, dataset: fo.Dataset) -> None:
    valid = dataset.match_tags("valid")
    dataset.save_view("patches", valid.to_patches("segmentations"))
    app.open("demo?view=patches")
    panel = app.panel
    panel.open()
    panel.expect_text(f"{len(valid)} images · click to see samples")
    # The form of the evaluation that is shown, filled in, on the patches' samples.
    panel.press("Evaluate again")
    form = app.form()
    form.expect_text(f"mask_area_px on {len(valid)} images")
    form.expect_text("Replaces the evaluation mask_area")


def test_a_button_of_the_toolbar_opens_the_panel(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("demo")
    app.page.locator(_OPEN_BUTTON).click()
    app.panel.content.wait_for()
    app.panel.expect_text("foreground px")


@pytest.mark.parametrize("width", [1500, 900])
def test_nothing_is_wider_than_the_panel(
    app: AppPage, dataset: fo.Dataset, width: int
) -> None:
    app.page.set_viewport_size({"width": width, "height": 1000})
    app.open("demo")
    panel = app.panel
    panel.open()
    panel.expect_text("Download as CSV")
    panel.press("large objects")
    panel.expect_text("The grid shows large objects")
    too_wide = panel.content.evaluate(
        """panel => [...panel.querySelectorAll("*")]
            .filter(e => ["auto", "scroll"].includes(getComputedStyle(e).overflowX))
            .filter(e => e.scrollWidth > e.clientWidth + 1)
            .filter(e => !e.querySelector(":scope > table"))
            .map(e => e.className)"""
    )
    assert too_wide == []


def _largest(stated: list[list[float]], areas: list[list[int]]) -> tuple[float, float]:
    """Returns the place of the largest mask in the map, as shares of its axes."""
    bins = [
        (np.floor(8 * np.log10(s)), np.floor(8 * np.log10(a)))
        for image in zip(stated, areas, strict=True)
        for s, a in zip(*image, strict=True)
        if s and a
    ]
    low, high = np.min(bins) / 8 - 0.1, (np.max(bins) + 1) / 8 + 0.1
    cell = max(bins, key=lambda pair: (pair[1], pair[0]))
    across, up = (((index + 0.5) / 8 - low) / (high - low) for index in cell)
    return float(across), float(up)


def _numbers(text: str) -> list[int]:
    """Returns the whole numbers that a chart says."""
    return [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", text)]
