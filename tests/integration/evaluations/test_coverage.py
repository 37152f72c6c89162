"""Mask coverage on masks that can be counted by hand."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import compute_masks, evaluate_mask_coverage

from .conftest import HEIGHT, WIDTH, Samples, mask_of_boxes, polyline

LEFT, RIGHT, SMALL = (5, 5, 20, 15), (15, 5, 30, 15), (6, 6, 8, 8)
IMAGE_PX = WIDTH * HEIGHT


def evaluate(samples: Samples, **kwargs: Any) -> Any:
    return evaluate_mask_coverage(
        samples.dataset, label_field="segmentations", eval_key="coverage", **kwargs
    )


def test_coverage_is_foreground_over_image_pixels(samples: Samples) -> None:
    part = samples.add("a.jpg", mask_of_boxes((0, 0, 10, 30)))
    full = samples.add("b.jpg", mask_of_boxes((0, 0, WIDTH, HEIGHT)))
    empty = samples.add("c.jpg", mask_of_boxes())
    evaluate_mask_coverage(samples.dataset, eval_key="coverage")
    assert samples.raw(part)["coverage_ratio"] == 0.25
    assert samples.raw(full)["coverage_ratio"] == 1.0
    assert samples.raw(empty)["coverage_ratio"] == 0.0


def test_overlap_is_shared_over_covered_pixels(samples: Samples) -> None:
    # LEFT and RIGHT share 50 of the 250 pixels that they cover; a third label on the
    # shared ones adds nothing.
    shared = (15, 5, 20, 15)
    both = samples.add("a.jpg", lines=[polyline(LEFT, "a"), polyline(RIGHT, "b")])
    third = samples.add(
        "b.jpg",
        lines=[polyline(LEFT, "a"), polyline(RIGHT, "b"), polyline(shared, "c")],
    )
    alone = samples.add("c.jpg", lines=[polyline(LEFT, "a")])
    negative = samples.add("d.jpg", lines=[])
    compute_masks(samples.dataset)
    coverage = evaluate(samples)
    assert samples.raw(both)["coverage_overlap"] == 50 / 250
    assert samples.raw(third)["coverage_overlap"] == 50 / 250
    assert samples.raw(alone)["coverage_overlap"] == 0.0
    assert samples.raw(negative).get("coverage_overlap") is None
    summary = coverage.summary()
    assert summary["mean_overlap_over_images"] == pytest.approx((0.2 + 0.2 + 0) / 3)
    assert summary["mean_overlap_over_pixels"] == pytest.approx(100 / (250 + 250 + 150))


def test_means_over_images_and_over_pixels_differ_as_defined(
    samples: Samples,
) -> None:
    samples.add("a.jpg", mask_of_boxes((0, 0, 10, 30)))
    large = np.zeros((100, 100), np.uint8)
    large[:, :75] = 255
    path = samples.mask_file("large.png", large)
    samples.dataset.add_sample(
        fo.Sample(
            samples.image("large.jpg", size=(100, 100)),
            mask=fo.Segmentation(mask_path=path),
        )
    )
    summary = evaluate_mask_coverage(samples.dataset, eval_key="coverage").summary()
    assert summary["mean_coverage_over_images"] == (0.25 + 0.75) / 2
    pixels = (300 + 7500) / (IMAGE_PX + 10_000)
    assert summary["mean_coverage_over_pixels"] == pytest.approx(pixels)
    assert summary["foreground_px"] == 7800
    assert (summary["min_coverage"], summary["max_coverage"]) == (0.25, 0.75)


def test_class_coverages_of_an_image_add_up_to_its_own(samples: Samples) -> None:
    sample = samples.add(
        "a.jpg",
        lines=[polyline(LEFT, "a"), polyline(RIGHT, "b"), polyline(SMALL, None)],
    )
    compute_masks(samples.dataset)
    evaluate(samples)
    raw = samples.raw(sample)
    classes = {row["label"]: row for row in raw["coverage_classes"]}
    assert {name: row["px"] for name, row in classes.items()} == {
        "a": 96,
        "b": 150,
        "(no label)": 4,
    }
    total = sum(row["ratio"] for row in classes.values())
    assert total == pytest.approx(raw["coverage_ratio"])


def test_a_class_that_is_absent_counts_as_zero_where_said(samples: Samples) -> None:
    samples.add("a.jpg", lines=[polyline(LEFT, "a"), polyline(SMALL, "b")])
    samples.add("b.jpg", lines=[polyline(LEFT, "a")])
    compute_masks(samples.dataset)
    table = evaluate(samples).per_class().set_index("class")
    row = table.loc["b"]
    assert row["images"] == 1
    assert row["mean_coverage_where_present"] == pytest.approx(4 / IMAGE_PX)
    assert row["mean_coverage_over_images"] == pytest.approx(2 / IMAGE_PX)
    assert row["coverage_over_pixels"] == pytest.approx(4 / (2 * IMAGE_PX))
    assert row["share_of_foreground"] == pytest.approx(4 / 300)


def test_splits_are_told_apart_by_field_or_else_by_tag(samples: Samples) -> None:
    for name, split, box in (
        ("a.jpg", "train", LEFT),
        ("b.jpg", "train", SMALL),
        ("c.jpg", "test", LEFT),
    ):
        samples.add(name, lines=[polyline(box, "a")], tags=["mine", split])
    samples.add("d.jpg", lines=[polyline(LEFT, "a")])
    compute_masks(samples.dataset)
    coverage = evaluate(samples)
    table = coverage.per_split()
    assert table["split"].tolist() == ["train", "test", "(no split)"]
    assert table["foreground_px"].tolist() == [154, 150, 150]
    assert coverage.per_sample()["split"].tolist() == [
        "train",
        "train",
        "test",
        "(no split)",
    ]
    samples.dataset.set_values("split", ["x", "x", "train", None])
    table = coverage.per_split()
    assert table["split"].tolist() == ["train", "(no split)", "x"]
    assert table["foreground_px"].tolist() == [150, 150, 154]
    by_class = coverage.per_class(by_split=True)
    assert by_class["split"].tolist() == ["train", "(no split)", "x"]
    assert by_class["visible_px"].tolist() == [150, 150, 154]


def test_semantic_masks_give_the_same_classes_as_their_labels(
    samples: Samples,
) -> None:
    samples.add("a.jpg", lines=[polyline(LEFT, "a"), polyline(RIGHT, "b")])
    samples.add("b.jpg", lines=[polyline(SMALL, "b")])
    compute_masks(samples.dataset, mode="semantic")
    from_labels = evaluate(samples).per_class()
    from_mask = evaluate_mask_coverage(
        samples.dataset, eval_key="from_mask"
    ).per_class()
    assert from_labels.to_dict() == from_mask.to_dict()
    assert from_mask["visible_px"].tolist() == [100, 154]


def test_binary_and_instance_masks_have_one_class_without_labels(
    samples: Samples,
) -> None:
    samples.add("a.jpg", lines=[polyline(LEFT, "a"), polyline(RIGHT, "b")])
    compute_masks(samples.dataset)
    compute_masks(samples.dataset, mask_field="instances", mode="instance")
    for mask_field in ("mask", "instances"):
        table = evaluate_mask_coverage(samples.dataset, mask_field).per_class()
        assert table["class"].tolist() == ["foreground"]
        assert table["visible_px"].tolist() == [250]


def test_figures_can_be_restricted_to_a_view(samples: Samples) -> None:
    samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    samples.add("b.jpg", lines=[polyline(SMALL, "b")])
    compute_masks(samples.dataset)
    coverage = evaluate(samples)
    view = samples.dataset.match(fo.ViewField("filepath").ends_with("b.jpg"))
    assert coverage.summary(view)["foreground_px"] == 4
    assert coverage.per_class(view)["class"].tolist() == ["b"]
    assert coverage.per_sample(view)["coverage"].tolist() == [4 / IMAGE_PX]
    assert len(coverage.class_view("a", view)) == 0
    assert sum(coverage.histogram(view).counts) == 1
