"""Grouped datasets: forms say which slice they work on, and that slice it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from fiftyone import ViewField as F

import fiftyone_cocomask as fcm
from fiftyone_cocomask import CocoMaskError, import_roboflow_coco
from fiftyone_cocomask.datasets.documents import serialized, whole_samples
from fiftyone_cocomask.datasets.parallel.shared_runs import split_view

WITH_ONE_SLICE = [
    ("compute_masks", "Writes masks of 5 images"),
    ("find_mask_issues", "in 5 images"),
    ("export_cutouts", "5 images"),
    ("rank_mask_outlines", "5 images"),
]


@pytest.fixture
def grouped(demo_export: Path) -> fo.Dataset:
    """Five groups of a left and a right image; the left one is the default."""
    source, _ = import_roboflow_coco(demo_export, "source")
    grouped = fo.Dataset("grouped")
    grouped.add_group_field("group", default="left")
    images = iter(source.limit(10))
    for left, right in zip(images, images, strict=True):
        group = fo.Group()
        grouped.add_samples(
            [
                fo.Sample(
                    image.filepath,
                    group=group.element(name),
                    metadata=image.metadata,
                    segmentations=image.segmentations.copy(),
                )
                for name, image in (("left", left), ("right", right))
            ]
        )
    return grouped


@pytest.mark.parametrize(("name", "says"), WITH_ONE_SLICE)
def test_a_form_is_of_the_slice_that_the_app_shows(
    app_request: Any, grouped: fo.Dataset, name: str, says: str
) -> None:
    request = app_request(name, grouped)
    request.request["group_slice"] = "right"
    targets = request.form()["view_target"]
    described = {
        choice["value"]: choice["description"] for choice in targets["view"]["choices"]
    }
    assert targets["default"] == "CURRENT_VIEW"
    assert "in the current slice (right)" in described["CURRENT_VIEW"]
    assert described["DATASET"] == "Not available for grouped datasets"
    assert says in request.notices()


def test_an_export_is_of_all_slices_and_says_so(
    app_request: Any, grouped: fo.Dataset
) -> None:
    request = app_request("export_roboflow_coco", grouped)
    (described, *_) = request.form()["view_target"]["view"]["choices"]
    assert described["description"].endswith("in all slices")
    assert "Writes an export of 10 images" in request.notices()


def test_what_is_executed_writes_to_that_slice(
    app_request: Any, grouped: fo.Dataset
) -> None:
    request = app_request("compute_masks", grouped)
    request.request["group_slice"] = "right"
    request.messages()
    masks = {
        name: grouped.select_group_slices(name).exists("mask").count()
        for name in ("left", "right")
    }
    assert masks == {"left": 0, "right": 5}


def test_patches_of_a_slice_lead_to_its_samples(grouped: fo.Dataset) -> None:
    right = grouped.select_group_slices("right")
    patches = right.to_patches("segmentations")
    assert set(whole_samples(patches).values("id")) == set(patches.values("sample_id"))


def test_a_form_is_of_all_samples_of_dynamic_groups(
    app_request: Any, demo_export: Path
) -> None:
    source, _ = import_roboflow_coco(demo_export, "source")
    request = app_request("compute_masks", source)
    request.request["view"] = serialized(source.group_by("split"))
    assert f"Writes masks of {len(source)} images" in request.notices()
    request.messages()
    assert source.exists("mask").count() == len(source)


def test_functions_work_on_all_samples_of_dynamic_groups(
    demo_export: Path, tmp_path: Path
) -> None:
    source, _ = import_roboflow_coco(demo_export, "source")
    groups = source.group_by("split")
    one = groups.limit(1)
    train = source.count_values("split")[groups.first().split]
    assert 1 < train < len(source)
    assert fcm.compute_masks(one).images == train
    assert fcm.compute_masks(groups).images == len(source)
    area = fcm.evaluate_mask_area(groups, label_field="segmentations")
    assert area.summary()["images"] == len(source)
    assert area.summary(one)["images"] == train
    assert fcm.find_mask_issues(one).images == train
    exported = fcm.export_roboflow_coco(one, tmp_path / "export", images="none")
    assert exported.images == train
    assert sum(view.count() for view in split_view(groups, 2)) == len(source)


def test_a_view_that_fiftyone_cannot_flatten_is_refused(grouped: fo.Dataset) -> None:
    right = grouped.select_group_slices("right").group_by("filepath")
    assert fcm.compute_masks(right).images == 5
    with pytest.raises(CocoMaskError, match="without group_by"):
        fcm.compute_masks(right.limit(2), mask_field="other")
    assert not grouped.has_field("other")


def test_figures_of_patches_are_those_of_their_samples(
    demo_export: Path, tmp_path: Path
) -> None:
    source, _ = import_roboflow_coco(demo_export, "source")
    fcm.compute_masks(source)
    area = fcm.evaluate_mask_area(source, label_field="segmentations")
    some = source.match(F("segmentations.polylines").length() > 0).limit(3)
    patches = some.to_patches("segmentations")
    assert area.summary(patches) == area.summary(some)
    report = fcm.write_report(patches, tmp_path / "report.html")
    assert "a view of 3 samples" in report.read_text()
