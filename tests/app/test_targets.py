"""What operators work on, what they say of datasets that do not fit, and workspaces."""

from __future__ import annotations

from pathlib import Path

import cv2
import fiftyone as fo
import numpy as np

from fiftyone_cocomask import (
    compute_masks,
    evaluate_mask_area,
    import_roboflow_coco,
    load_mask_evaluation,
)
from fiftyone_cocomask.demo.run import WORKSPACE, save_workspace

from .app_page import AppPage


def test_selected_samples_are_the_target(app: AppPage, demo_export: Path) -> None:
    dataset, _ = import_roboflow_coco(demo_export, "selected")
    compute_masks(dataset)
    app.open("selected")
    app.wait_for_samples(len(dataset))
    app.select_samples(2)
    form = app.open_form("Evaluate mask area")
    form.expect_text("Selected samples")
    form.expect_text("on 2 images")
    form.execute()
    form.finish("Evaluation mask_area of 2 images")
    dataset.reload()
    assert load_mask_evaluation(dataset, "mask_area").summary()["images"] == 2
    assert len(dataset.exists("mask_area_px")) == 2


def test_an_empty_dataset_is_told_how_to_begin(app: AppPage) -> None:
    fo.Dataset("empty", persistent=True)
    app.open("empty")
    form = app.open_form("Compute masks")
    form.expect_text("Dataset 'empty' has no samples")
    form.expect_not_executable()
    form.close()
    app.run("Open the mask evaluation panel")
    message = app.page.get_by_text("Dataset 'empty' has no samples. Open a dataset, or")
    message.wait_for()


def test_a_dataset_of_videos_is_told_that_masks_are_of_images(
    app: AppPage, tmp_path: Path
) -> None:
    dataset = fo.Dataset("videos", persistent=True)
    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "video.mp4")))
    app.open("videos")
    form = app.open_form("Compute masks")
    form.expect_text("Dataset 'videos' holds video samples")
    form.expect_not_executable()
    form.close()
    app.panel.open()
    app.panel.expect_text("Dataset 'videos' holds video samples")


def test_a_dataset_without_labels_is_led_to_the_import(
    app: AppPage, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    cv2.imwrite(str(picture), np.zeros((8, 8, 3), np.uint8))
    dataset = fo.Dataset("unlabelled", persistent=True)
    dataset.add_sample(fo.Sample(filepath=str(picture)))
    app.open("unlabelled")
    app.panel.open()
    app.panel.expect_text("Dataset 'unlabelled' has no polygons")
    app.panel.press("Import a Roboflow COCO export")
    form = app.form()
    form.expect_not_executable()
    form.close()


def test_the_demos_workspace_has_the_grid_and_the_panel(
    app: AppPage, demo_export: Path
) -> None:
    dataset, _ = import_roboflow_coco(demo_export, "spaces")
    compute_masks(dataset)
    evaluate_mask_area(dataset)
    save_workspace(dataset)
    slug = WORKSPACE.replace(" ", "-")
    app.open_address(f"spaces?workspace={slug}")
    app.wait_for_samples(len(dataset))
    app.panel.expect_text("foreground px")
