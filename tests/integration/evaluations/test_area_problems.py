"""Mask area where masks are missing, broken or do not fit."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import (
    CocoMaskError,
    compute_masks,
    evaluate_mask_area,
    evaluate_mask_coverage,
    refresh_mask_evaluations,
)

from .conftest import HEIGHT, WIDTH, Samples, mask_of_boxes, polyline

# Two squares of 15 x 10 that meet in 5 x 10 pixels, and one of 2 x 2 in the first.
LEFT, RIGHT, SMALL = (5, 5, 20, 15), (15, 5, 30, 15), (6, 6, 8, 8)


def test_missing_masks_are_reported_and_never_counted_as_zero(
    samples: Samples,
) -> None:
    good = samples.add("good.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    gone = samples.add("gone.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    none = samples.add("none.jpg", lines=[polyline(LEFT, "a")])
    (samples.folder / "masks" / "gone.png").unlink()
    area = evaluate_mask_area(
        samples.dataset, label_field="segmentations", eval_key="area"
    )
    summary = area.summary()
    assert summary["images"] == 1
    assert summary["images_without_number"] == 2
    assert summary["empty_images"] == 0
    assert summary["mean_area_px_over_images"] == 150
    assert summary["objects"] == 1
    reasons = {row["filepath"]: row["reason"] for row in summary["without_number"]}
    assert set(reasons) == {gone.filepath, none.filepath}
    assert "gone.png" in reasons[gone.filepath]
    assert samples.raw(good)["area_px"] == 150
    for sample in (gone, none):
        raw = samples.raw(sample)
        assert raw.get("area_px") is None
        assert raw["segmentations"]["polylines"][0].get("area_px") is None


def test_a_number_goes_when_its_mask_has_gone(samples: Samples) -> None:
    sample = samples.add("a.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    for _ in range(2):
        evaluate_mask_area(
            samples.dataset, label_field="segmentations", eval_key="area"
        )
        (samples.folder / "masks" / "a.png").unlink(missing_ok=True)
    raw = samples.raw(sample)
    assert raw["area_px"] is None
    assert raw["segmentations"]["polylines"][0]["area_px"] is None


def test_masks_with_colours_and_broken_files_are_refused_in_words(
    samples: Samples,
) -> None:
    rgb = samples.add("rgb.jpg", np.full((HEIGHT, WIDTH, 3), 255, np.uint8))
    broken = samples.add("broken.jpg", mask_of_boxes(LEFT))
    (samples.folder / "masks" / "broken.png").write_bytes(b"no image")
    floats = samples.add("floats.jpg")
    floats["mask"] = fo.Segmentation(mask=np.full((HEIGHT, WIDTH), 0.5))
    floats.save()
    samples.dataset.mask_targets["mask"] = {1: "a"}
    samples.dataset.save()
    area = evaluate_mask_area(samples.dataset, eval_key="area")
    reasons = {row["filepath"]: row["reason"] for row in area.without_number}
    assert "colours" in reasons[rgb.filepath]
    assert "broken.png" in reasons[broken.filepath]
    assert "float64" in reasons[floats.filepath]
    assert area.summary()["images"] == 0


def test_masks_of_another_size_than_their_image_are_counted_and_reported(
    samples: Samples,
) -> None:
    half = mask_of_boxes(LEFT)[: HEIGHT // 2, : WIDTH // 2]
    sample = samples.add("a.jpg", half)
    area = evaluate_mask_area(samples.dataset, eval_key="area")
    assert samples.raw(sample)["area_px"] == np.count_nonzero(half) == 150
    assert area.summary()["masks_of_other_size"] == 1


def test_classes_of_masks_of_another_size_cover_what_the_masks_do(
    samples: Samples,
) -> None:
    mask = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
    mask[:, :5], mask[:, 5:15] = 1, 2
    samples.add("half.jpg", mask=mask)
    samples.add("empty.jpg", mask=np.zeros((HEIGHT, WIDTH), np.uint8))
    dataset = samples.dataset
    dataset.mask_targets = {"mask": {1: "cat", 2: "dog"}}
    coverage = evaluate_mask_coverage(dataset)
    summary = coverage.summary()
    table = coverage.per_class().set_index("class")
    # Of 20 columns the mask has 5 and 10, and half of all pixels are another image's.
    assert summary["mean_coverage_over_pixels"] == 0.75 / 2
    assert table["coverage_over_pixels"].to_dict() == {"cat": 0.125, "dog": 0.25}
    assert table["visible_px"].sum() == summary["foreground_px"] == 900
    assert table["share_of_foreground"].to_dict() == {"cat": 1 / 3, "dog": 2 / 3}
    assert coverage.per_class(by_split=True)["visible_px"].tolist() == [300, 600]
    # Areas are those of the masks themselves.
    area = evaluate_mask_area(dataset)
    assert area.per_class()["visible_px"].tolist() == [75, 150]
    # Pixels are whole numbers, with and without classes.
    dataset.mask_targets = {}
    alone = evaluate_mask_coverage(dataset, eval_key="alone").per_class()
    assert {alone["visible_px"].dtype, table["visible_px"].dtype} == {np.dtype(int)}


def test_thousands_of_masks_of_another_size_are_each_counted_once(
    samples: Samples,
) -> None:
    path = samples.mask_file("half.png", mask_of_boxes(LEFT)[: HEIGHT // 2])
    image = samples.image("a.jpg")
    dataset = samples.dataset
    dataset.add_samples(
        fo.Sample(
            image,
            mask=fo.Segmentation(mask_path=path),
            metadata=fo.ImageMetadata(width=WIDTH, height=HEIGHT),
        )
        for _ in range(1_100)
    )
    evaluate_mask_area(dataset, eval_key="area")
    area = evaluate_mask_area(dataset.skip(1_050), eval_key="area")
    assert area.summary()["masks_of_other_size"] == 1_100


def test_masks_of_images_that_have_another_size_since_keep_their_coverage(
    samples: Samples,
) -> None:
    sample = samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    dataset = samples.dataset
    compute_masks(dataset)
    for _ in range(2):
        coverage = evaluate_mask_coverage(dataset, label_field="segmentations")
        assert dataset.values("mask_coverage_ratio") == [150 / (WIDTH * HEIGHT)]
        # What was drawn for the small image is measured beside labels in the large one.
        is_larger = samples.raw(sample)["metadata"]["width"] == 2 * WIDTH
        summary = coverage.summary()
        assert summary["masks_of_other_size"] == summary["older_masks"] == is_larger
        samples.image("a.jpg", (2 * WIDTH, 2 * HEIGHT))
        dataset.compute_metadata(overwrite=True)
    refreshed = refresh_mask_evaluations(dataset)["mask_coverage"].summary()
    assert (refreshed["foreground_px"], refreshed["image_px"]) == (600, 4800)
    assert refreshed["masks_of_other_size"] == refreshed["older_masks"] == 0
    assert refresh_mask_evaluations(dataset) == {}


def test_an_empty_dataset_has_figures_of_nothing(samples: Samples) -> None:
    samples.add("a.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    samples.dataset.clear()
    area = evaluate_mask_area(
        samples.dataset, label_field="segmentations", eval_key="area"
    )
    summary = area.summary()
    assert summary["images"] == summary["foreground_px"] == summary["objects"] == 0
    assert summary["mean_area_px_over_images"] is None
    assert area.per_sample().empty
    assert area.per_class().empty
    assert area.per_split().empty
    assert area.histogram().counts == ()
    for figure in (area.plot_distribution(), area.plot_classes(), area.plot_splits()):
        figure.to_json()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"mask_field": "nothing"}, "nothing"),
        ({"mask_field": "segmentations"}, "segmentations"),
        ({"label_field": "nothing"}, "nothing"),
        ({"label_field": "mask"}, "mask"),
        ({"eval_key": "no key"}, "no key"),
        ({"eval_key": "_hidden"}, "_hidden"),
    ],
)
def test_what_does_not_fit_is_named_before_anything_is_written(
    samples: Samples, arguments: dict[str, Any], named: str
) -> None:
    samples.add("a.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    schema = list(samples.dataset.get_field_schema(flat=True))
    with pytest.raises(CocoMaskError, match=named):
        evaluate_mask_area(samples.dataset, **arguments)
    assert list(samples.dataset.get_field_schema(flat=True)) == schema
    assert samples.dataset.list_runs() == []


def test_patches_are_refused(samples: Samples) -> None:
    samples.add("a.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    with pytest.raises(CocoMaskError, match="holds copies of samples"):
        evaluate_mask_area(samples.dataset.to_patches("segmentations"))


def test_images_of_boxes_without_a_shape_are_left_out_of_means(
    samples: Samples,
) -> None:
    shape = fo.Detection(
        label="a", bounding_box=[0, 0, 1, 1], mask=np.ones((HEIGHT, WIDTH), bool)
    )
    box = fo.Detection(label="b", bounding_box=[0, 0, 0.5, 0.5])
    for name, objects in (
        ("shape", [shape]),
        ("both", [shape.copy(), box]),
        ("boxes", [box.copy(), box.copy()]),
        ("negative", []),
    ):
        samples.add(f"{name}.jpg", objects=fo.Detections(detections=objects))
    compute_masks(samples.dataset, "objects")
    coverage = evaluate_mask_coverage(samples.dataset, label_field="objects")
    summary = coverage.summary()
    assert samples.dataset.values("mask_coverage_ratio") == [1, 1, None, 0]
    assert summary["mean_coverage_over_images"] == pytest.approx(2 / 3)
    (left_out,) = summary["without_number"]
    assert left_out["reason"] == "its 2 objects are boxes without a shape"
    compute_masks(samples.dataset, "objects", boxes="draw")
    evaluate_mask_coverage(samples.dataset, label_field="objects")
    assert samples.dataset.values("mask_coverage_ratio") == [1, 1, 0.25, 0]


def test_masks_that_are_not_of_the_boxes_beside_them_count(samples: Samples) -> None:
    box = fo.Detection(label="b", bounding_box=[0, 0, 0.5, 0.5])
    boxes = fo.Detections(detections=[box])
    samples.add("a.jpg", mask_of_boxes(LEFT), objects=boxes)
    area = evaluate_mask_area(samples.dataset, label_field="objects")
    assert area.summary()["foreground_px"] == 150
