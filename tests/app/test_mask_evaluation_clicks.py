"""All that the panel beside the grid shows leads to samples.

The dataset and the panel stay open for all of these tests: each clears what it has
clicked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from playwright.sync_api import expect

from fiftyone_cocomask import (
    compute_masks,
    evaluate_mask_area,
    load_mask_evaluation,
)

from .app_page import AppPage
from .conftest import VIEWPORT, Pages, has_failed

LABELS = "segmentations.polylines"
EVALUATION, COMPARED, RANKING = 0, 1, 2


@pytest.fixture(scope="module")
def dataset(evaluated: fo.Dataset) -> Iterator[fo.Dataset]:
    """The demo's, with an evaluation of OpenCV's masks as a third one."""
    dataset = evaluated.clone("clicked", persistent=True)
    compute_masks(dataset, mask_field="mask_opencv", rasterizer="opencv")
    evaluate_mask_area(
        dataset, "mask_opencv", label_field="segmentations", eval_key="opencv"
    )
    yield dataset
    dataset.delete()


@pytest.fixture(scope="module")
def kept(pages: Pages, dataset: fo.Dataset) -> Iterator[list[AppPage]]:
    """The open page, unless the test before has failed on it."""
    kept: list[AppPage] = []
    yield kept
    for app in kept:
        pages.leave(app)


@pytest.fixture
def app(
    pages: Pages,
    kept: list[AppPage],
    dataset: fo.Dataset,
    request: pytest.FixtureRequest,
) -> Iterator[AppPage]:
    if not kept:
        kept.append(pages.enter())
        kept[0].open(dataset.name)
        kept[0].panel.open()
    app = kept[0]
    app.panel.choose("mask_area", EVALUATION)
    app.panel.choose("compare with …", COMPARED)
    app.panel.expect_text("Stated area against mask area")
    app.wait_for_samples(len(dataset))
    yield app
    if has_failed(request.node):
        pages.close(kept.pop(), failed=request.node.name)


def test_classes_splits_and_cards_lead_to_samples(
    app: AppPage, dataset: fo.Dataset
) -> None:
    panel = app.panel
    train = dataset.match_tags("train")
    moths = sum("moth" in labels for labels in train.values(f"{LABELS}.label"))
    assert 0 < moths < len(train)
    assert panel.click_bar(panel.bars("Area by class").nth(1)).startswith(
        "moth · train"
    )
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
    panel = app.panel
    buckets = dataset.values(f"{LABELS}.mask_area_bucket")
    panel.press("medium objects")
    app.wait_for_samples(sum("medium" in labels for labels in buckets))
    panel.press("large objects")
    app.wait_for_samples(sum("large" in labels for labels in buckets))
    panel.clear()


def test_a_cell_of_the_areas_leads_to_its_objects(
    app: AppPage, dataset: fo.Dataset
) -> None:
    panel = app.panel
    # The largest object is in the uppermost cells.
    areas = dataset.values(f"{LABELS}.mask_area_px")
    stated = dataset.values(f"{LABELS}.annotated_area")
    across, up = _largest(stated, areas)
    number, *ranges = _numbers(panel.click_cell("Stated area against", across, up))
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
    panel.clear()


def test_a_place_of_the_map_leads_to_the_images_that_cover_it(
    app: AppPage, dataset: fo.Dataset
) -> None:
    panel = app.panel
    panel.press("▸ Where in the images the masks lie")
    panel.expect_text("the cross is the centre")
    area = load_mask_evaluation(dataset, "mask_area")
    heatmap = area.heatmap()
    row, column = (int(n) for n in np.unravel_index(heatmap.argmax(), heatmap.shape))
    says = panel.click_cell(
        "Where in the images", (column + 0.5) / 64, 1 - (row + 0.5) / 64
    )
    assert float(says.split("%")[0]) == pytest.approx(100 * heatmap.max(), abs=0.1)
    app.wait_for_samples(len(area.place_view(row, column)))
    panel.clear()
    app.wait_for_samples(len(dataset))
    panel.press("▾ Where in the images the masks lie")
    panel.expect_no_text("the cross is the centre")


def test_rows_of_the_worst_samples_lead_to_them(
    app: AppPage, dataset: fo.Dataset
) -> None:
    panel = app.panel
    panel.choose("mask_coverage")
    panel.choose("Largest coverage", dropdown=RANKING)
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
    panel.choose("Most overlap", dropdown=RANKING)
    app.wait_for_samples(len(dataset))
    expect(rows).to_have_count(min(10, len(overlapping.distinct("source_name"))))


def test_bars_of_the_overlap_lead_to_their_samples(
    app: AppPage, dataset: fo.Dataset
) -> None:
    panel = app.panel
    panel.choose("mask_coverage")
    panel.expect_text("Overlap of images")
    without = sum(overlap == 0 for overlap in dataset.values("mask_coverage_overlap"))
    assert (
        panel.click_bar(panel.bars("Overlap of images").first)
        == f"0%\n{without} images"
    )
    app.wait_for_samples(without)
    panel.clear()


def test_two_evaluations_are_compared(app: AppPage, dataset: fo.Dataset) -> None:
    panel = app.panel
    panel.choose("and opencv", dropdown=COMPARED)
    panel.expect_text("mask_area / opencv")
    pixels = sum(np.count_nonzero(s.mask_opencv.get_mask()) for s in dataset)
    panel.expect_text(f"/ {pixels / 1e6:.2f} M")
    # The bars of the second one come behind all of the first.
    expect(panel.chart("Mask area of objects").locator(".trace.bars")).to_have_count(2)
    bars = panel.bars("Mask area of objects")
    heights = [(bar.bounding_box() or {"height": 0})["height"] for bar in bars.all()]
    second = heights[len(heights) // 2 :]
    says = panel.click_bar(bars.nth(len(second) + int(np.argmax(second))))
    low, high, number = _numbers(says.removesuffix("opencv"))
    areas = dataset.values(f"{LABELS}.opencv_px")
    inside = [[low <= area <= high for area in image] for image in areas]
    assert sum(map(sum, inside)) == number
    app.wait_for_samples(sum(map(any, inside)))
    panel.clear()
    # An area has one more, of what is counted.
    panel.choose("Differs most from opencv", dropdown=RANKING + 1)
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
    panel = app.panel
    panel.choose("and mask_coverage", dropdown=COMPARED)
    panel.expect_text("Mask area of objects")
    panel.expect_text("Coverage of images")
    panel.expect_text("coverage, mean of images")


@pytest.mark.parametrize("width", [1500, 900])
def test_nothing_is_wider_than_the_panel(
    app: AppPage, dataset: fo.Dataset, width: int
) -> None:
    app.page.set_viewport_size({"width": width, "height": 1000})
    panel = app.panel
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
    panel.clear()
    app.page.set_viewport_size(VIEWPORT)
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
