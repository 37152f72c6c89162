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


def test_a_wrong_path_is_named_and_the_right_one_is_browsed_to(
    app: AppPage, demo_export: Path, tmp_path: Path
) -> None:
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
    form = app.open_form("Check a COCO export")
    form.type_path(str(demo_export.parent / "nothing"))
    form.expect_text("There is no file or folder")
    form.browse_to(demo_export.name)
    form.expect_text("21 images")
    form.execute()
    form.finish("21 of 21 images")
