"""Two fields of masks compared in the App, and FiftyOne's own panel of evaluations."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from fiftyone_cocomask import compute_masks, import_roboflow_coco, load_mask_evaluation

from .app_page import AppPage


def test_a_comparison_is_made_and_shown_by_the_model_evaluation_panel(
    app: AppPage, demo_export: Path
) -> None:
    dataset, _ = import_roboflow_coco(demo_export, "compared")
    compute_masks(dataset)
    compute_masks(dataset, mask_field="mask_opencv", rasterizer="opencv")
    app.open("compared")
    app.wait_for_samples(21)

    form = app.open_form("Compare masks")
    form.expect_text("on 21 images")
    form.field("Evaluation key").fill("not a key")
    form.expect_not_executable()
    form.field("Evaluation key").fill("opencv_vs_coco")
    form.execute()
    form.finish("Comparison opencv_vs_coco of 21 images")
    dataset.reload()
    summary = load_mask_evaluation(dataset, "opencv_vs_coco").summary()
    assert summary["mask_area_error"] > 0

    panel = app.open_in_model_evaluation("opencv_vs_coco")
    for metric, value in (
        ("Mask area error (%)", summary["mask_area_error"]),
        ("Mask coverage error (points)", summary["mask_coverage_error"]),
    ):
        row = panel.locator("tr").filter(has_text=metric).first
        row.wait_for()
        # The panel shows three digits.
        expect(row).to_contain_text(f"{value:.3f}".rstrip("0"))
