"""The operators that compare masks, and the metrics that FiftyOne can be given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest

from fiftyone_cocomask import compute_masks, import_roboflow_coco
from fiftyone_cocomask.datasets.comparison.metrics import METRICS
from tests.plugin import uri

from .delegation import run_delegated

Operator = Callable[[str], Any]


@pytest.fixture
def dataset(demo_export: Path) -> fo.Dataset:
    dataset, _ = import_roboflow_coco(demo_export, "demo")
    compute_masks(dataset)
    compute_masks(dataset, mask_field="mask_opencv", rasterizer="opencv")
    return dataset


def test_what_fiftyone_is_told_of_a_metric_is_its_definition() -> None:
    for metric in METRICS:
        config = foo.get_operator(metric.uri).config
        assert (config.name, config.label, config.description) == metric.described
        assert config.lower_is_better


def test_masks_are_compared_by_the_app(app_request: Any, dataset: fo.Dataset) -> None:
    request = app_request("compare_masks", dataset)
    assert not request.problems()
    form = request.form()
    assert form["pred_field"]["default"] == "mask_opencv"
    assert form["gt_field"]["default"] == "mask"
    assert "on 21 images" in request.notices()
    shown = str(request.messages())
    assert "Comparison **mask_comparison** of 21 images" in shown
    assert "model_evaluation_panel_builtin" in shown
    assert "Success" in shown
    assert "Replaces the evaluation **mask_comparison**" in request.notices()
    dataset.reload()
    errors = dataset.values("mask_comparison_area_error_px")
    expected = [
        np.count_nonzero(s.mask_opencv.get_mask()) - np.count_nonzero(s.mask.get_mask())
        for s in dataset
    ]
    assert errors == expected
    assert sum(errors) > 0


def test_fiftyones_own_evaluation_computes_the_same_metrics(
    operator: Operator, dataset: fo.Dataset
) -> None:
    ours = operator("compare_masks")(dataset, "mask_opencv", "mask").result["summary"]
    theirs = dataset.match_tags("test").evaluate_segmentations(
        "mask_opencv",
        gt_field="mask",
        eval_key="theirs",
        mask_targets={0: "background", 255: "foreground"},
        custom_metrics=[metric.uri for metric in METRICS],
    )
    test = dataset.match_tags("test")
    again = operator("compare_masks")(test, "mask_opencv", "mask", eval_key="test")
    assert len(test) > 2
    for metric in METRICS:
        value = theirs.metrics()[metric.name]
        assert value == pytest.approx(again.result["summary"][metric.name])
        assert ours[metric.name] > 0
        for name in metric.fields(""):
            assert test.values(f"theirs{name}") == test.values(f"test{name}")
    dataset.rename_evaluation("theirs", "others")
    assert dataset.has_field("others_area_error_px")
    dataset.delete_evaluation("others")
    dataset.delete_evaluation("mask_comparison")
    assert [name for name in dataset.get_field_schema() if "error" in name] == [
        name for metric in METRICS for name in metric.fields("test")
    ]


def test_comparisons_are_listed_renamed_and_deleted_with_the_others(
    operator: Operator, dataset: fo.Dataset
) -> None:
    operator("compare_masks")(dataset, "mask_opencv", "mask", eval_key="ab")
    operator("evaluate_mask_area")(dataset)
    rows = operator("list_mask_evaluations")(dataset).result["evaluations"]
    assert [(row["eval_key"], row["kind"]) for row in rows] == [
        ("ab", "comparison"),
        ("mask_area", "area"),
    ]
    operator("rename_mask_evaluation")(dataset, "ab", "cd")
    dataset.reload()
    assert dataset.list_evaluations() == ["cd"]
    assert dataset.has_field("cd_area_error_px")
    operator("delete_mask_evaluation")(dataset, "cd")
    dataset.reload()
    assert not dataset.list_evaluations()
    assert not dataset.has_field("cd_area_error_px")


def test_wrong_choices_are_said_in_the_form(
    app_request: Any, dataset: fo.Dataset
) -> None:
    unknown = app_request("compare_masks", dataset, pred_field="nothing")
    assert "'nothing'" in unknown.problems()[0]
    key = app_request("compare_masks", dataset, eval_key="no key")
    assert "no key" in key.problems()[0]
    [same] = app_request("compare_masks", dataset, gt_field="mask_opencv").problems()
    assert "'mask_opencv' cannot be compared with itself" in same
    dataset.delete_sample_field("mask_opencv")
    single = app_request("compare_masks", dataset)
    assert "a comparison needs two fields" in single.problems()[0]
    assert "No dataset is open" in app_request("compare_masks").problems()[0]


def test_masks_whose_values_do_not_mean_the_same_are_told_apart(
    app_request: Any, dataset: fo.Dataset
) -> None:
    assert "No class is in both" not in str(
        app_request("compare_masks", dataset).messages()
    )
    for sample in dataset.iter_samples(autosave=True):
        ones = (sample.mask.get_mask() > 0).astype(np.uint8)
        sample["model"] = fo.Segmentation(mask=ones)
    shown = str(
        app_request(
            "compare_masks", dataset, pred_field="model", eval_key="m"
        ).messages()
    )
    assert "No class is in both fields" in shown
    assert "mean IoU 0.000" in shown
    assert "Success" not in shown
    assert "'mask' has foreground; 'model' has 1." in shown.replace("\\", "")


def test_a_delegated_comparison_returns_its_summary(dataset: fo.Dataset) -> None:
    result = run_delegated("compare_masks", dataset, eval_key="later")
    assert result["summary"]["mask_area_error"] > 0
    dataset.reload()
    assert dataset.list_evaluations() == ["later"]


def test_the_metrics_are_not_in_the_apps_menu() -> None:
    for metric in METRICS:
        assert foo.get_operator(uri(metric.name)).config.unlisted
