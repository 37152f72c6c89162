"""Makes the README's pictures of the App, on the demo's data: `make screenshots`."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import pytest
from playwright.sync_api import Locator, Page, expect

from fiftyone_cocomask import (
    compare_masks,
    compute_masks,
    evaluate_mask_area,
    evaluate_mask_coverage,
    import_roboflow_coco,
)
from tests.conftest import REPOSITORY

from .app_page import AppPage
from .inspector_page import PICTURES, InspectorPage

FOLDER = REPOSITORY / "docs" / "images"
# The pictures of forms, and the names under which the operator menu has them.
FORMS = {
    "check_export": "Check a COCO export",
    "import_roboflow_coco": "Import a Roboflow COCO export",
    "compute_masks": "Compute masks",
    "evaluate_mask_area": "Evaluate mask area",
    "evaluate_mask_coverage": "Evaluate mask coverage",
    "find_mask_issues": "Find mask issues",
    "compare_masks_form": "Compare masks",
    "export_masks": "Export masks",
    "export_cutouts": "Export cut-outs",
}
# Shows the end of each path only: the rest is of the machine that makes the picture.
SHORTEN_PATHS = """() => {
    const folder = /\\/\\S*\\/(?=(butterflies|export_|masks))/g;
    const short = text => text.replace(folder, "~/");
    document.querySelectorAll("input").forEach(i => { i.value = short(i.value); });
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        walk.currentNode.nodeValue = short(walk.currentNode.nodeValue);
    }
}"""


@pytest.fixture
def dataset(demo_export: Path) -> fo.Dataset:
    dataset, _ = import_roboflow_coco(demo_export, "butterflies")
    compute_masks(dataset)
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    evaluate_mask_coverage(dataset, label_field="segmentations", eval_key="coverage")
    return dataset


def test_the_panel_of_evaluations(app: AppPage, dataset: fo.Dataset) -> None:
    app.open(dataset.name)
    app.wait_for_samples(21)
    app.toggle_field("detections")
    app.expect_field_shown("detections", shown=False)
    app.run("Open the mask evaluation panel")
    app.panel.expect_text("foreground px")
    app.panel.bars("Mask area of objects").first.wait_for()
    app.settled_picture()
    _save(app.page, "mask_evaluation")


def test_the_inspector(app: AppPage, dataset: fo.Dataset) -> None:
    app.open(dataset.name)
    app.wait_for_samples(21)
    inspector = InspectorPage(app.page)
    inspector.open_first_sample()
    inspector.open()
    inspector.expect_pictures(*PICTURES)
    _save(inspector.content, "mask_inspector")


@pytest.mark.parametrize("name", FORMS)
def test_a_form(
    app: AppPage, dataset: fo.Dataset, demo_export: Path, name: str
) -> None:
    if name == "compare_masks_form":
        compute_masks(dataset, mask_field="mask_opencv", rasterizer="opencv")
    if name == "compute_masks":
        dataset.delete_sample_field("mask")
    if name == "import_roboflow_coco":
        fo.delete_dataset(dataset.name)
        dataset = fo.Dataset("other")
    app.open(dataset.name)
    form = app.open_form(FORMS[name])
    if name in ("check_export", "import_roboflow_coco"):
        form.type_path(str(demo_export))
        form.expect_text("21 images")
    if name.startswith("export_"):
        form.type_path(str(demo_export.parent / name))
    expect(form.execute_button()).to_be_enabled()
    _hide_folders(app.page)
    _save(app.page.locator(".MuiDialog-paper"), name)


def test_a_comparison_in_the_model_evaluation_panel(
    app: AppPage, dataset: fo.Dataset
) -> None:
    compute_masks(dataset, mask_field="mask_opencv", rasterizer="opencv")
    compare_masks(dataset, "mask_opencv", "mask", eval_key="opencv_vs_coco")
    app.open(dataset.name)
    app.wait_for_samples(21)
    app.page.locator("[data-cy=new-panel-btn]").first.click()
    option = "[data-cy=new-panel-option-model_evaluation_panel_builtin]"
    app.page.locator(option).click()
    panel = app.open_in_model_evaluation("opencv_vs_coco")
    panel.get_by_text("Mask area error (%)").first.wait_for()
    _save(panel, "compare_masks")


def _hide_folders(page: Page) -> None:
    page.evaluate(SHORTEN_PATHS)


def _save(part: Page | Locator, name: str) -> None:
    """Saves a picture of a page or a part of it; forms and samples show paths."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    part.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=82)
