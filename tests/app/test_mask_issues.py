"""Masks that look wrong are marked in the App, worked through, and unmarked."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo

from fiftyone_cocomask import compute_masks, import_roboflow_coco

from .app_page import AppPage


def test_issues_are_found_shown_as_a_view_and_cleared(
    app: AppPage, demo_export: Path
) -> None:
    dataset, _ = import_roboflow_coco(demo_export, "issues")
    compute_masks(dataset)
    app.open("issues")
    app.wait_for_samples(21)

    form = app.open_form("Clear mask issues")
    form.expect_text("has no search for mask issues")
    form.expect_not_executable()
    form.close()

    form = app.open_form("Find mask issues")
    form.expect_text("Tags labels of segmentations")
    form.field("Key").fill("no key")
    form.expect_text("letters, digits and _")
    form.expect_not_executable()
    form.field("Key").fill("mask_issues")
    form.execute()
    form.finish("coarse")
    dataset.reload()
    view = dataset.load_saved_view("mask_issues: coarse")
    assert 0 < len(view) < 21
    app.choose_saved_view("mask_issues: coarse")
    app.wait_for_patches(len(view))

    form = app.open_form("Clear mask issues")
    form.expect_text("Removes the tags")
    form.execute()
    form.finish("Removed")
    assert not _saved_views("issues")
    dataset.reload()
    assert not dataset.count_values("segmentations.polylines.tags")


def _saved_views(name: str) -> list[str]:
    dataset = fo.load_dataset(name)
    dataset.reload()
    return dataset.list_saved_views()
