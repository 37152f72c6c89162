"""Masks against masks: by hand, and against FiftyOne's own evaluation."""

from __future__ import annotations

import tracemalloc
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import (
    CocoMaskError,
    compare_masks,
    delete_mask_evaluation,
    evaluate_mask_area,
    list_mask_evaluations,
    load_mask_evaluation,
    rename_mask_evaluation,
)

from .conftest import HEIGHT, WIDTH, Samples, mask_of_boxes

# 150 pixels, 100 of them in common with the 200 of the other one.
GT, PRED = (5, 5, 20, 15), (10, 5, 30, 15)


def add_pair(
    samples: Samples, name: str, gt: np.ndarray, pred: np.ndarray, **fields: Any
) -> fo.Sample:
    path = samples.mask_file(f"pred-{name}.png", pred)
    pred_mask = fo.Segmentation(mask_path=path)
    return samples.add(f"{name}.jpg", gt, pred=pred_mask, **fields)


def random_mask(random: np.random.Generator, values: list[int]) -> np.ndarray:
    return random.choice(values, (HEIGHT, WIDTH)).astype(np.uint8)


def test_errors_iou_and_dice_of_two_rectangles(samples: Samples) -> None:
    sample = add_pair(samples, "a", mask_of_boxes(GT), mask_of_boxes(PRED))
    samples.dataset.mask_targets["mask"] = {255: "wing"}
    samples.dataset.save()
    comparison = compare_masks(samples.dataset, "pred", eval_key="c")
    raw = samples.raw(sample)
    assert raw["c_area_error_px"] == 50
    assert raw["c_area_error_percent"] == pytest.approx(100 / 3)
    assert raw["c_coverage_error_points"] == pytest.approx(5000 / (WIDTH * HEIGHT))
    (row,) = comparison.per_class().to_dict("records")
    assert row["class"] == "wing"
    assert (row["gt_px"], row["pred_px"]) == (150, 200)
    assert row["iou"] == pytest.approx(100 / 250)
    assert row["dice"] == pytest.approx(200 / 350)
    summary = comparison.summary()
    assert summary["area_error_px"] == 50
    assert summary["mask_area_error"] == pytest.approx(100 / 3)
    assert summary["mean_iou"] == pytest.approx(0.4)


def test_errors_of_opposite_sign_do_not_cancel_in_the_metrics(
    samples: Samples,
) -> None:
    add_pair(samples, "a", mask_of_boxes(GT), mask_of_boxes(PRED))
    add_pair(samples, "b", mask_of_boxes(PRED), mask_of_boxes(GT))
    summary = compare_masks(samples.dataset, "pred", eval_key="c").summary()
    assert summary["area_error_px"] == 0
    assert summary["coverage_error_points"] == 0
    assert summary["mask_area_error"] == pytest.approx(100 * 100 / 350)
    assert summary["mask_coverage_error"] == pytest.approx(5000 / (WIDTH * HEIGHT))


def test_classes_are_told_apart_per_sample(samples: Samples) -> None:
    gt = mask_of_boxes((0, 0, 10, 10), value=1) + mask_of_boxes(
        (20, 0, 30, 10), value=2
    )
    pred = mask_of_boxes((0, 0, 10, 10), value=1) + mask_of_boxes(
        (20, 0, 25, 10), value=2
    )
    add_pair(samples, "a", gt, pred)
    add_pair(samples, "b", gt * 0, pred * 0)
    samples.dataset.mask_targets["mask"] = {1: "wing", 2: "body"}
    samples.dataset.save()
    comparison = compare_masks(samples.dataset, "pred", eval_key="c")
    rows = comparison.per_sample(by_class=True)
    assert rows["class"].tolist() == ["wing", "body"]
    assert rows["iou"].tolist() == [1.0, 0.5]
    assert rows["dice"].tolist() == [1.0, pytest.approx(100 / 150)]
    table = comparison.per_sample()
    assert table["area_error_px"].tolist() == [-50, 0]
    assert table["area_error_percent"].tolist()[0] == -25
    assert table["area_error_percent"].isna().tolist() == [False, True]


def test_classes_of_samples_do_not_fill_the_memory(samples: Samples) -> None:
    # A matrix of 1,000 values has 8 MB: all twelve have 96.
    numbered = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) % 1000
    for name in "abcdefghijkl":
        add_pair(samples, name, numbered, numbered)
    comparison = compare_masks(samples.dataset, "pred", eval_key="c")
    tracemalloc.start()
    try:
        rows = comparison.per_sample(by_class=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(rows) == 12 * 999
    assert peak < 60e6


@pytest.mark.parametrize("values", [[0, 255], [0, 1, 2, 7]])
def test_fields_and_results_are_those_of_fiftyone(
    samples: Samples, values: list[int]
) -> None:
    random = np.random.default_rng(3)
    for name in "abc":
        gt, pred = random_mask(random, values), random_mask(random, values)
        add_pair(samples, name, gt, pred)
    nothing = np.zeros((HEIGHT, WIDTH), np.uint8)
    add_pair(samples, "d", nothing, random_mask(random, values))
    add_pair(samples, "e", random_mask(random, values), nothing)
    add_pair(samples, "f", nothing, nothing)
    dataset = samples.dataset
    targets = {value: f"class {value}" for value in values}
    dataset.mask_targets["mask"] = targets
    dataset.save()
    ours = compare_masks(dataset, "pred", eval_key="ours").results
    theirs = dataset.evaluate_segmentations(
        "pred", gt_field="mask", eval_key="theirs", mask_targets=targets
    )
    assert ours.pixel_confusion_matrix.tolist() == (
        theirs.pixel_confusion_matrix.tolist()
    )
    for name in ("classes", "ytrue", "ypred", "weights", "ytrue_ids", "ypred_ids"):
        assert getattr(ours, name).tolist() == getattr(theirs, name).tolist(), name
    assert ours.missing == theirs.missing
    metrics = ours.metrics()
    assert {name: metrics[name] for name in theirs.metrics()} == theirs.metrics()
    for sample in dataset:
        for name in ("accuracy", "precision", "recall"):
            assert sample[f"ours_{name}"] == pytest.approx(sample[f"theirs_{name}"])
    stored = dataset.load_evaluation_results("ours", cache=False)
    assert stored.metrics() == ours.metrics()
    assert type(stored) is type(theirs)


def test_a_predicted_mask_of_another_size_is_resized_and_counted(
    samples: Samples,
) -> None:
    pred = mask_of_boxes((0, 0, 10, 10))
    larger = cv2.resize(pred, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_NEAREST)
    sample = add_pair(samples, "a", mask_of_boxes((0, 0, 10, 5)), larger)
    comparison = compare_masks(samples.dataset, "pred", eval_key="c")
    assert samples.raw(sample)["c_area_error_px"] == 50
    assert comparison.summary()["images_resized"] == 1


@pytest.mark.parametrize("kind", ["bool", "i1", "i2", "u4", "i4", "u8", "i8"])
def test_masks_in_the_database_of_any_integers_are_resized(
    samples: Samples, kind: str
) -> None:
    pred = np.zeros((2 * HEIGHT, 2 * WIDTH), kind)
    pred[:20, :20] = 1
    gt = fo.Segmentation(mask=pred[:HEIGHT, :WIDTH])
    sample = samples.add("a.jpg", mask=None, gt=gt, pred=fo.Segmentation(mask=pred))
    comparison = compare_masks(samples.dataset, "pred", gt_field="gt", eval_key="c")
    assert samples.raw(sample)["c_area_error_px"] == 100 - 400
    assert comparison.summary()["mean_iou"] == pytest.approx(100 / 400)


def test_sixteen_bit_values_survive_resizing(samples: Samples) -> None:
    pred = np.full((2 * HEIGHT, 2 * WIDTH), 256, np.uint16)
    sample = add_pair(samples, "a", np.full((HEIGHT, WIDTH), 256, np.uint16), pred)
    comparison = compare_masks(samples.dataset, "pred", eval_key="c")
    assert samples.raw(sample)["c_area_error_px"] == 0
    assert comparison.summary()["mean_iou"] == 1.0


def test_values_that_no_target_names_are_classes_of_their_own(
    samples: Samples,
) -> None:
    add_pair(samples, "a", mask_of_boxes(GT), mask_of_boxes(GT, value=1))
    samples.dataset.mask_targets["mask"] = {255: "wing"}
    samples.dataset.save()
    table = compare_masks(samples.dataset, "pred", eval_key="c").per_class()
    assert table["class"].tolist() == ["1", "wing"]
    assert table["iou"].tolist() == [0.0, 0.0]


def test_two_values_with_one_name_stay_two_classes(samples: Samples) -> None:
    gt = mask_of_boxes((0, 0, 5, 5), value=1) + mask_of_boxes((9, 0, 11, 5), value=2)
    add_pair(samples, "a", gt, gt)
    samples.dataset.mask_targets["mask"] = {1: "wing", 2: "wing"}
    samples.dataset.save()
    table = compare_masks(samples.dataset, "pred", eval_key="c").per_class()
    assert table["class"].tolist() == ["wing", "wing (2)"]
    assert table["gt_px"].tolist() == [25, 10]


def test_samples_without_two_masks_are_left_out_and_reported(
    samples: Samples,
) -> None:
    good = add_pair(samples, "good", mask_of_boxes(GT), mask_of_boxes(PRED))
    bad = [
        samples.add("none.jpg", mask_of_boxes(GT)),
        add_pair(samples, "gone", mask_of_boxes(GT), mask_of_boxes(PRED)),
        add_pair(
            samples,
            "rgb",
            mask_of_boxes(GT),
            np.full((HEIGHT, WIDTH, 3), 7, np.uint8),
        ),
    ]
    (samples.folder / "masks" / "gone.png").unlink()
    comparison = compare_masks(samples.dataset, "pred", eval_key="c")
    summary = comparison.summary()
    assert summary["images"] == 1
    assert summary["images_without_masks"] == 3
    reasons = {row["sample_id"]: row["reason"] for row in summary["without_masks"]}
    assert set(reasons) == {sample.id for sample in bad}
    assert "no mask in 'pred'" in reasons[bad[0].id]
    assert "gone.png" in reasons[bad[1].id]
    assert "colours" in reasons[bad[2].id]
    assert samples.raw(good)["c_area_error_px"] == 50
    assert samples.raw(bad[1]).get("c_area_error_px") is None


def test_comparisons_are_listed_loaded_renamed_and_deleted(samples: Samples) -> None:
    add_pair(samples, "a", mask_of_boxes(GT), mask_of_boxes(PRED))
    dataset = samples.dataset
    schema = set(dataset.get_field_schema())
    evaluate_mask_area(dataset, eval_key="area")
    compare_masks(dataset, "pred", eval_key="c")
    dataset.evaluate_segmentations("pred", gt_field="mask", eval_key="theirs")
    assert list_mask_evaluations(dataset) == ["area"]
    assert list_mask_evaluations(dataset, kind="comparison") == ["c"]
    rename_mask_evaluation(dataset, "c", "d")
    dataset._evaluation_cache.clear()
    loaded = load_mask_evaluation(dataset, "d")
    assert loaded.per_sample()["area_error_px"].tolist() == [50]
    assert loaded.summary()["area_error_px"] == 50
    groups = {g.name: list(g.paths) for g in dataset.app_config.sidebar_groups}
    assert "d_area_error_px" in groups["d"]
    assert "c" not in groups
    for key in ("d", "area"):
        delete_mask_evaluation(dataset, key)
    dataset.delete_evaluation("theirs")
    assert set(dataset.get_field_schema()) == schema
    assert list_mask_evaluations(dataset) == []
    assert list_mask_evaluations(dataset, kind="comparison") == []


def test_comparing_again_replaces_the_comparison_unless_forbidden(
    samples: Samples,
) -> None:
    sample = add_pair(samples, "a", mask_of_boxes(GT), mask_of_boxes(PRED))
    compare_masks(samples.dataset, "pred", eval_key="c")
    samples.mask_file("pred-a.png", mask_of_boxes(GT))
    with pytest.raises(CocoMaskError, match="set overwrite"):
        compare_masks(samples.dataset, "pred", eval_key="c", overwrite=False)
    assert samples.raw(sample)["c_area_error_px"] == 50
    compare_masks(samples.dataset, "pred", eval_key="c")
    assert samples.raw(sample)["c_area_error_px"] == 0
    assert samples.raw(sample)["c_recall"] == 1


def test_keys_and_fields_of_others_are_refused(samples: Samples) -> None:
    add_pair(samples, "a", mask_of_boxes(GT), mask_of_boxes(PRED))
    dataset = samples.dataset
    evaluate_mask_area(dataset, eval_key="area")
    dataset.evaluate_segmentations("pred", gt_field="mask", eval_key="theirs")
    dataset.add_sample_field("taken_accuracy", fo.FloatField)
    compare_masks(dataset, "pred", eval_key="c")
    for key in ("area", "theirs", "taken", "no key"):
        with pytest.raises(CocoMaskError):
            compare_masks(dataset, "pred", eval_key=key)
    with pytest.raises(CocoMaskError, match="comparison of 'pred' with 'mask'"):
        compare_masks(dataset, "mask", gt_field="pred", eval_key="c")
    with pytest.raises(CocoMaskError, match="nothing"):
        compare_masks(dataset, "nothing", eval_key="d")
    with pytest.raises(CocoMaskError, match="No sample has readable masks"):
        compare_masks(dataset.limit(0), "pred", eval_key="d")
    assert list_mask_evaluations(dataset, kind="comparison") == ["c"]


def test_a_view_is_compared_alone(samples: Samples) -> None:
    inside = add_pair(samples, "a", mask_of_boxes(GT), mask_of_boxes(PRED))
    outside = add_pair(samples, "b", mask_of_boxes(GT), mask_of_boxes(PRED))
    seen: list[int] = []
    comparison = compare_masks(
        samples.dataset.select(inside.id),
        "pred",
        eval_key="c",
        progress=lambda bar: seen.append(bar.iteration),
    )
    assert comparison.summary()["images"] == 1
    assert samples.raw(outside).get("c_area_error_px") is None
    assert seen[-1] == 1


def test_a_comparison_is_not_narrowed_to_a_view_without_being_asked(
    samples: Samples,
) -> None:
    for name in "ab":
        add_pair(samples, name, mask_of_boxes(GT), mask_of_boxes(PRED))
    dataset = samples.dataset
    compare_masks(dataset, "pred", eval_key="c")
    before = dataset.values("c_area_error_px")
    with pytest.raises(CocoMaskError, match="is also of 1 sample outside this view"):
        compare_masks(dataset.limit(1), "pred", eval_key="c")
    assert dataset.values("c_area_error_px") == before
    assert compare_masks(dataset.view(), "pred", eval_key="c").summary()["images"] == 2


def test_a_comparison_is_of_the_images_that_were_compared(samples: Samples) -> None:
    first = add_pair(samples, "a", mask_of_boxes(GT), mask_of_boxes(PRED))
    add_pair(samples, "b", mask_of_boxes(GT), mask_of_boxes(PRED))
    dataset = samples.dataset
    compare_masks(dataset, "pred", eval_key="c")
    for name in "cde":
        add_pair(samples, name, mask_of_boxes(GT), mask_of_boxes(PRED))
    summary = load_mask_evaluation(dataset, "c").summary()
    assert (summary["images"], summary["gt_px"], summary["pred_px"]) == (2, 300, 400)
    splits = load_mask_evaluation(dataset, "c").per_split()
    assert splits[["images", "mean_area_error_px"]].values.tolist() == [[2, 50]]
    # A sample whose mask is gone has no classes to tell.
    first.mask = None
    first.save()
    rows = load_mask_evaluation(dataset, "c").per_sample(by_class=True)
    assert rows["sample_id"].tolist() == dataset.values("id")[1:2]


def test_plots_are_made(samples: Samples) -> None:
    add_pair(samples, "a", mask_of_boxes(GT), mask_of_boxes(PRED))
    comparison = compare_masks(samples.dataset, "pred", eval_key="c")
    assert list(comparison.plot_classes().data[0].y) == [pytest.approx(0.4)]
    assert sum(comparison.plot_errors().data[0].y) == 1
