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
    _delete_a_patch_and_undo_it(app, dataset, len(view))

    form = app.open_form("Clear mask issues")
    form.expect_text("Removes the tags")
    form.execute()
    form.finish("Removed")
    assert not _saved_views("issues")
    dataset.reload()
    assert not dataset.count_values("segmentations.polylines.tags")


def _delete_a_patch_and_undo_it(
    app: AppPage, dataset: fo.Dataset, num_patches: int
) -> None:
    before = _counts(dataset)
    app.select_samples(1)
    form = app.open_form("Delete objects")
    form.expect_text("Deletes 1 object of")
    form.execute()
    form.finish("1 object deleted")
    app.wait_for_patches(num_patches - 1)
    # The polygon and its box.
    assert _counts(dataset) == (before[0] - 1, before[1] - 1)
    form = app.open_form("Undo mask fixes")
    form.execute()
    form.finish("1 issue undone")
    app.wait_for_patches(num_patches)
    assert _counts(dataset) == before


def _counts(dataset: fo.Dataset) -> tuple[int, int]:
    dataset.reload()
    polygons = dataset.count("segmentations.polylines")
    return polygons, dataset.count("detections.detections")


def _saved_views(name: str) -> list[str]:
    dataset = fo.load_dataset(name)
    dataset.reload()
    return dataset.list_saved_views()
