"""Operators beside the main job: exports, and evaluations that are managed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fiftyone as fo
import pytest

from fiftyone_cocomask import compute_masks, evaluate_mask_area, import_roboflow_coco

from .app_page import AppPage


@pytest.fixture
def dataset(app: AppPage, demo_export: Path) -> fo.Dataset:
    dataset, _ = import_roboflow_coco(demo_export, "others")
    compute_masks(dataset)
    app.open("others")
    app.wait_for_samples(21)
    return dataset


def test_masks_and_cutouts_are_written(
    app: AppPage, dataset: fo.Dataset, tmp_path: Path
) -> None:
    form = app.open_form("Export masks")
    form.expect_text("Writes the files of 21 images")
    form.expect_not_executable()
    form.type_path(str(tmp_path / "masks"), label="Folder")
    form.execute()
    form.finish("21 files written")
    assert len(list((tmp_path / "masks").rglob("*_mask.png"))) == 21

    form = app.open_form("Export cut-outs")
    form.type_path("cutouts", label="Folder")
    form.expect_text("Give the whole path")
    form.expect_not_executable()
    form.type_path(str(tmp_path / "cutouts"), label="Folder")
    form.execute()
    form.finish("files written")
    objects = dataset.count("segmentations.polylines")
    assert 20 < len(list((tmp_path / "cutouts").rglob("*.png"))) <= objects


def test_a_dataset_is_written_back_and_compared(
    app: AppPage, dataset: fo.Dataset, demo_export: Path, tmp_path: Path
) -> None:
    sample = dataset.match_tags("train").first()
    sample.segmentations.polylines[0].label = "pupa"
    sample.save()
    form = app.open_form("Export to Roboflow COCO")
    form.type_path(str(demo_export), label="Folder")
    form.expect_text("is in the folder that the export came from")
    form.expect_not_executable()
    form.type_path(str(tmp_path / "back"), label="Folder")
    form.expect_text("Writes an export of 21 images")
    form.execute()
    annotations = sum(
        len(json.loads(path.read_text())["annotations"])
        for path in demo_export.rglob("_annotations.coco.json")
    )
    form.finish(f"21 images and {annotations} annotations written")
    assert len(list((tmp_path / "back").rglob("*.jpg"))) == 21

    archive = shutil.make_archive(str(tmp_path / "export"), "zip", demo_export)
    form = app.open_form("Compare with an export")
    form.press_tab("Zip or JSON file")
    form.type_path(archive, label="Path")
    form.execute()
    form.finish("Saved views of what changed")
    app.choose_saved_view("compare_exports: relabelled")
    app.wait_for_samples(1)


def test_an_evaluation_is_listed_renamed_and_deleted(
    app: AppPage, dataset: fo.Dataset
) -> None:
    evaluate_mask_area(dataset, eval_key="first")
    app.run("List mask evaluations")
    app.read("first")

    form = app.open_form("Rename a mask evaluation")
    form.choose("Evaluation", "first")
    form.field("New key").fill("no key")
    form.expect_not_executable()
    form.field("New key").fill("second")
    form.execute()
    form.finish("first is second now")
    assert _runs() == ["second"]

    form = app.open_form("Delete a mask evaluation")
    form.choose("Evaluation", "second")
    form.expect_text("this cannot be undone")
    form.execute()
    form.finish("Deleted second")
    assert not _runs()
    dataset.reload()
    assert not dataset.has_field("second_px")


def _runs() -> list[str]:
    dataset = fo.load_dataset("others")
    dataset.reload()
    return dataset.list_runs()
