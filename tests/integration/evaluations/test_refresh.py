"""Masks and evaluations are brought up to date together, and never shown mixed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import (
    CocoMaskError,
    compute_masks,
    evaluate_mask_area,
    evaluate_mask_coverage,
    load_mask_evaluation,
    merge_classes,
    refresh_mask_evaluations,
)
from fiftyone_cocomask.panels.evaluation.sections import read as read_for_panel
from fiftyone_cocomask.panels.evaluation.shown import Choices, shown_of

from .conftest import Samples, mask_of_boxes, polyline

# 150 px and 4 px.
LEFT = (5, 5, 20, 15)
SMALL = (1, 1, 3, 3)
BINARY: dict[str, Any] = {}
SEMANTIC_IN_DATABASE = {"mode": "semantic", "storage": "database"}
ONE_CLASS = {"mode": "instance", "classes": ["a"], "overlap": ["b", "a"]}


@pytest.fixture
def labelled(samples: Samples) -> Samples:
    """Two samples of 154 px in two objects."""
    for name in "xy":
        samples.add(f"{name}.jpg", lines=[polyline(LEFT, "a"), polyline(SMALL, "b")])
    return samples


def evaluate_both(samples: Samples) -> None:
    dataset = samples.dataset
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    evaluate_mask_coverage(dataset, label_field="segmentations", eval_key="cover")


def delete_the_large_one(samples: Samples) -> None:
    sample = samples.dataset.first()
    del sample.segmentations.polylines[0]
    sample.save()


def panel(samples: Samples, *keys: str) -> dict[str, Any]:
    dataset = samples.dataset
    evaluations = [load_mask_evaluation(dataset, key) for key in keys]
    return read_for_panel(shown_of(evaluations, dataset.view(), Choices()))


def cards(samples: Samples, *keys: str) -> dict[str, float]:
    found = panel(samples, *keys)["cards"][0]["cards"]
    return {card["name"]: card["value"] for card in found}


def test_masks_and_figures_are_of_the_labels_again(labelled: Samples) -> None:
    compute_masks(labelled.dataset)
    evaluate_both(labelled)
    delete_the_large_one(labelled)
    refreshed = refresh_mask_evaluations(labelled.dataset)
    assert list(refreshed) == ["area", "cover"]
    summary = refreshed["area"].summary()
    assert (summary["foreground_px"], summary["objects"]) == (158, 3)
    assert (summary["out_of_date"], summary["older_masks"]) == (0, 0)
    assert refresh_mask_evaluations(labelled.dataset) == {}


@pytest.mark.parametrize("options", [BINARY, SEMANTIC_IN_DATABASE, ONE_CLASS])
def test_masks_are_redrawn_as_they_were_drawn(
    labelled: Samples, options: dict[str, Any], tmp_path: Path
) -> None:
    dataset = labelled.dataset
    if "storage" not in options:
        options = {**options, "output_dir": tmp_path / "drawn"}
    compute_masks(dataset, **options)
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    assert load_mask_evaluation(dataset, "area").ids_to_refresh() == []
    second = dataset.skip(1).first().mask
    delete_the_large_one(labelled)
    refresh_mask_evaluations(dataset, ["area"])
    dataset.reload()
    # The other one is as it should be, so it has not been drawn again.
    assert dataset.skip(1).first().mask.id == second.id
    assert compute_masks(dataset, **options).unchanged == 2


def test_masks_are_redrawn_also_where_a_class_of_their_options_is_gone(
    labelled: Samples,
) -> None:
    dataset = labelled.dataset
    compute_masks(dataset, classes=["a", "b"], overlap=["b", "a"])
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    merge_classes(dataset, "new", ["a"])
    refreshed = refresh_mask_evaluations(dataset)["area"].summary()
    # What is called "new" is not among the classes to draw.
    assert (refreshed["foreground_px"], refreshed["objects"]) == (8, 4)
    assert refresh_mask_evaluations(dataset) == {}
    # A mistyped one is still refused, and so are masks of nothing.
    with pytest.raises(CocoMaskError, match="overlap has no class 'a'"):
        compute_masks(dataset, classes=["b"], overlap=["b", "a"])
    merge_classes(dataset, "new", ["b"])
    with pytest.raises(CocoMaskError, match="classes has no class 'a'"):
        refresh_mask_evaluations(dataset)


def test_class_masks_are_up_to_date_also_where_no_class_is_left(
    labelled: Samples,
) -> None:
    dataset = labelled.dataset
    dataset.default_mask_targets = {1: "a", 2: "b"}
    compute_masks(dataset, mode="semantic")
    evaluate_both(labelled)
    for sample in dataset.iter_samples(autosave=True):
        sample.segmentations = fo.Polylines(polylines=[])
    refreshed = refresh_mask_evaluations(dataset)
    assert refreshed["area"].summary()["foreground_px"] == 0
    assert refreshed["area"].older_masks() == 0
    assert refresh_mask_evaluations(dataset) == {}


def test_an_evaluation_of_masks_older_than_the_labels_says_so(
    labelled: Samples,
) -> None:
    compute_masks(labelled.dataset)
    delete_the_large_one(labelled)
    evaluate_both(labelled)
    area = load_mask_evaluation(labelled.dataset, "area")
    # Nothing has changed since, but a mask of 154 px is counted for an object of 4.
    assert area.out_of_date() is None
    assert area.older_masks() == area.summary()["older_masks"] == 1
    assert area.ids_to_refresh() == [labelled.dataset.first().id]
    refresh_mask_evaluations(labelled.dataset)
    assert load_mask_evaluation(labelled.dataset, "area").older_masks() == 0


def test_masks_of_others_are_measured_again_and_stay(samples: Samples) -> None:
    sample = samples.add("a.jpg", mask_of_boxes(LEFT), [polyline(LEFT, "a")])
    evaluate_mask_area(samples.dataset, label_field="segmentations")
    sample.mask = fo.Segmentation(mask=mask_of_boxes(SMALL))
    sample.save()
    found = refresh_mask_evaluations(samples.dataset)["mask_area"]
    assert found.summary()["foreground_px"] == 4
    assert found.older_masks() == 0


def test_an_evaluation_of_a_view_stays_one_of_it(labelled: Samples) -> None:
    compute_masks(labelled.dataset)
    evaluate_mask_area(labelled.dataset.limit(1), label_field="segmentations")
    delete_the_large_one(labelled)
    found = refresh_mask_evaluations(labelled.dataset)["mask_area"]
    assert found.summary()["images"] == 1


def test_a_key_of_nothing_is_refused(labelled: Samples) -> None:
    with pytest.raises(CocoMaskError, match="no mask evaluation 'x'"):
        refresh_mask_evaluations(labelled.dataset, ["x"])


def test_the_panel_leaves_out_what_is_out_of_date_and_says_so(
    labelled: Samples,
) -> None:
    compute_masks(labelled.dataset)
    evaluate_both(labelled)
    assert panel(labelled, "area")["out_of_date"] is None
    delete_the_large_one(labelled)
    found = panel(labelled, "area")["out_of_date"]
    said = {"area": "the labels of 1 image have changed since"}
    assert found == {"number": 1, "reasons": said}
    shown = cards(labelled, "area")
    assert (shown["images"], shown["objects"], shown["foreground_px"]) == (1, 2, 154)
    # Masks are drawn, and one of the evaluations is run again: the other is not.
    compute_masks(labelled.dataset)
    evaluate_mask_area(labelled.dataset, label_field="segmentations", eval_key="area")
    shown = cards(labelled, "area")
    assert (shown["images"], shown["objects"], shown["foreground_px"]) == (2, 3, 158)
    both = panel(labelled, "area", "cover")
    assert list(both["out_of_date"]["reasons"]) == ["cover"]
    assert cards(labelled, "area", "cover")["images"] == 1


def test_an_evaluation_that_was_stopped_is_completed(labelled: Samples) -> None:
    compute_masks(labelled.dataset)
    evaluate_both(labelled)
    delete_the_large_one(labelled)

    def stop(bar: Any) -> None:
        if labelled.dataset.load_run_results("area") is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh_mask_evaluations(labelled.dataset, progress=stop)
    with pytest.raises(CocoMaskError, match="stopped before its end"):
        load_mask_evaluation(labelled.dataset, "area")
    refreshed = refresh_mask_evaluations(labelled.dataset)
    assert list(refreshed) == ["area", "cover"]
    assert refreshed["area"].summary()["foreground_px"] == 158


@pytest.mark.parametrize("field", ["segmentations", "mask"])
def test_evaluations_of_a_field_that_was_renamed_say_so_until_they_are_made_again(
    labelled: Samples, field: str
) -> None:
    dataset = labelled.dataset
    compute_masks(dataset)
    evaluate_both(labelled)
    dataset.rename_sample_field(field, "renamed")
    said = rf"'area' is of the field '{field}', which .* not have any more; rename"
    with pytest.raises(CocoMaskError, match=said):
        refresh_mask_evaluations(dataset)
    with pytest.raises(CocoMaskError, match=said):
        refresh_mask_evaluations(dataset, ["area"])
    area = load_mask_evaluation(dataset, "area")
    for figures in (area.summary, area.per_class, area.per_object, area.out_of_date):
        with pytest.raises(CocoMaskError, match=said):
            figures()
    cover = load_mask_evaluation(dataset, "cover")
    for figures in (cover.summary, cover.heatmap, cover.histogram, cover.per_split):
        with pytest.raises(CocoMaskError, match="'cover' is of the field"):
            figures()
    names = {"segmentations": "segmentations", "mask": "mask", field: "renamed"}
    for evaluate, key in (
        (evaluate_mask_area, "area"),
        (evaluate_mask_coverage, "cover"),
    ):
        evaluate(
            dataset,
            names["mask"],
            label_field=names["segmentations"],
            eval_key=key,
        )
    assert refresh_mask_evaluations(dataset) == {}
    assert load_mask_evaluation(dataset, "area").summary()["foreground_px"] == 2 * 154


def test_masks_of_a_field_that_was_renamed_are_drawn_again(labelled: Samples) -> None:
    dataset = labelled.dataset
    compute_masks(dataset, mode="semantic")
    dataset.rename_sample_field("mask", "renamed")
    compute_masks(dataset, mask_field="renamed")
    for sample in dataset:
        # Of the binary masks, where the semantic ones had 1 and 2.
        assert np.unique(sample.renamed.get_mask()).tolist() == [0, 255]
