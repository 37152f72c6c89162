"""What the App says to one wrong input per operator, before anything is written."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import pytest

from fiftyone_cocomask import (
    compute_masks,
    evaluate_mask_area,
    import_roboflow_coco,
)

from .app_page import AppPage


@pytest.fixture
def opened(app: AppPage, demo_export: Path) -> AppPage:
    """The App on the demo's dataset, with masks and an area evaluation."""
    dataset, _ = import_roboflow_coco(demo_export, "demo")
    compute_masks(dataset)
    evaluate_mask_area(dataset, label_field="segmentations")
    app.open("demo")
    app.wait_for_samples(21)
    return app


def test_wrong_values_are_explained_beside_their_fields(opened: AppPage) -> None:
    for label, field, value, says in (
        ("Compute masks", "Mask field", "filepath", "must not be 'filepath'"),
        ("Evaluate mask area", "Evaluation key", "1 bad", "letters, digits and _"),
        (
            "Evaluate mask coverage",
            "Evaluation key",
            "mask_area",
            "is the key of a mask area evaluation",
        ),
    ):
        form = opened.open_form(label)
        form.field(field).fill(value)
        form.expect_text(says)
        form.expect_not_executable()
        form.close()
    dataset = fo.load_dataset("demo")
    assert dataset.list_runs() == ["mask_area"]


def test_a_wrong_path_is_named(app: AppPage, tmp_path: Path) -> None:
    fo.Dataset("start", persistent=True)
    app.open("start")
    for label in ("Check a COCO export", "Import a Roboflow COCO export"):
        form = app.open_form(label)
        form.type_path("/no/such/export")
        form.expect_text("There is no file or folder /no/such/export")
        form.expect_not_executable()
        form.type_path(str(tmp_path))
        form.expect_text("holds no")
        form.expect_not_executable()
        form.close()


def test_a_dataset_without_masks_or_evaluations_is_told_what_to_do(
    app: AppPage, demo_export: Path
) -> None:
    import_roboflow_coco(demo_export, "bare")
    app.open("bare")
    app.wait_for_samples(21)
    for label in ("Evaluate mask area", "Delete a mask evaluation"):
        form = app.open_form(label)
        form.expect_text("Run ")
        form.expect_not_executable()
        form.close()
    app.panel.open()
    app.panel.expect_text("No masks yet")
    app.panel.press("Compute masks")
    form = app.form()
    form.execute()
    form.finish("21 masks in")
    app.panel.press("Reload")
    app.panel.expect_text("No mask evaluation yet")
