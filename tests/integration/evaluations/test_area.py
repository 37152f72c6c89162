"""Mask area on masks that can be counted by hand."""

from __future__ import annotations

from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import (
    CocoMaskError,
    compute_masks,
    evaluate_mask_area,
    load_mask_evaluation,
)

from .conftest import HEIGHT, WIDTH, Samples, mask_of_boxes, polyline

# Two squares of 15 x 10 that meet in 5 x 10 pixels, and one of 2 x 2 in the first.
LEFT, RIGHT, SMALL = (5, 5, 20, 15), (15, 5, 30, 15), (6, 6, 8, 8)


def test_area_is_the_number_of_pixels_that_are_not_zero(samples: Samples) -> None:
    sample = samples.add("a.jpg", mask_of_boxes((0, 0, 4, 5), value=1))
    evaluate_mask_area(samples.dataset, eval_key="area")
    assert samples.raw(sample)["area_px"] == 20


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(mask_of_boxes(LEFT, value=1), id="uint8"),
        pytest.param(mask_of_boxes(LEFT).astype(np.uint16) * 257, id="uint16"),
        pytest.param(mask_of_boxes(LEFT).astype(bool), id="bool"),
        pytest.param(mask_of_boxes(LEFT).astype(np.int64), id="int64"),
    ],
)
def test_masks_in_the_database_are_counted(samples: Samples, mask: Any) -> None:
    sample = samples.add("a.jpg", mask=None)
    sample["mask"] = fo.Segmentation(mask=mask)
    sample.save()
    evaluate_mask_area(samples.dataset, eval_key="area")
    assert samples.raw(sample)["area_px"] == 150


def test_sixteen_bit_files_are_counted_in_full(samples: Samples) -> None:
    # 256 has no low byte: a reader that cuts masks to 8 bits would see background.
    mask = mask_of_boxes(LEFT, value=1).astype(np.uint16) * 256
    sample = samples.add("a.jpg", mask)
    evaluate_mask_area(samples.dataset, eval_key="area")
    assert samples.raw(sample)["area_px"] == 150


def test_a_negative_image_has_area_zero(samples: Samples) -> None:
    sample = samples.add("a.jpg", mask_of_boxes(), lines=[])
    area = evaluate_mask_area(
        samples.dataset, label_field="segmentations", eval_key="area"
    )
    assert samples.raw(sample)["area_px"] == 0
    assert area.summary()["empty_images"] == 1


def test_labels_get_own_and_visible_pixels_and_bucket(samples: Samples) -> None:
    sample = samples.add(
        "a.jpg", lines=[polyline(LEFT, "a"), polyline(RIGHT, "b"), polyline(SMALL, "c")]
    )
    compute_masks(samples.dataset)
    evaluate_mask_area(samples.dataset, label_field="segmentations", eval_key="area")
    labels = samples.raw(sample)["segmentations"]["polylines"]
    assert [label["area_px"] for label in labels] == [150, 150, 4]
    # Drawn largest first and otherwise in their order: RIGHT hides 50 px of LEFT,
    # SMALL 4 more.
    assert [label["area_visible_px"] for label in labels] == [96, 150, 4]
    assert {label["area_bucket"] for label in labels} == {"small"}
    assert samples.raw(sample)["area_px"] == 96 + 150 + 4


def test_visible_pixels_follow_the_order_in_which_the_mask_was_drawn(
    samples: Samples,
) -> None:
    sample = samples.add("a.jpg", lines=[polyline(LEFT, "a"), polyline(RIGHT, "b")])
    compute_masks(samples.dataset, overlap=["b", "a"])
    evaluate_mask_area(samples.dataset, label_field="segmentations", eval_key="area")
    labels = samples.raw(sample)["segmentations"]["polylines"]
    assert [label["area_visible_px"] for label in labels] == [150, 100]


def test_labels_that_the_mask_leaves_out_have_an_area_but_no_visible_one(
    samples: Samples,
) -> None:
    sample = samples.add("a.jpg", lines=[polyline(LEFT, "a"), polyline(RIGHT, "b")])
    compute_masks(samples.dataset, classes=["a"])
    evaluate_mask_area(samples.dataset, label_field="segmentations", eval_key="area")
    left, right = samples.raw(sample)["segmentations"]["polylines"]
    assert (left["area_px"], left["area_visible_px"]) == (150, 150)
    assert right["area_px"] == 150
    assert right.get("area_visible_px") is None


def test_labels_are_drawn_by_the_rasterizer_of_the_mask(samples: Samples) -> None:
    sample = samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    compute_masks(samples.dataset, rasterizer="opencv")
    evaluate_mask_area(samples.dataset, label_field="segmentations", eval_key="area")
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    ring = np.array([(5, 5), (20, 5), (20, 15), (5, 15)], np.int32)
    cv2.fillPoly(expected, [ring], 1)
    (label,) = samples.raw(sample)["segmentations"]["polylines"]
    assert label["area_px"] == np.count_nonzero(expected) == 16 * 11


@pytest.mark.parametrize(
    ("side", "bucket"),
    [(31, "small"), (32, "medium"), (95, "medium"), (96, "large")],
)
def test_buckets_change_at_32_and_96_pixels_square(
    samples: Samples, side: int, bucket: str
) -> None:
    path = samples.image("large.jpg", size=(100, 100))
    points = [(0, 0), (side / 100, 0), (side / 100, side / 100), (0, side / 100)]
    line = fo.Polyline(label="a", points=[points], closed=True, filled=True)
    sample = fo.Sample(path, segmentations=fo.Polylines(polylines=[line]))
    samples.dataset.add_sample(sample)
    compute_masks(samples.dataset)
    evaluate_mask_area(samples.dataset, label_field="segmentations", eval_key="area")
    (label,) = samples.raw(sample)["segmentations"]["polylines"]
    assert label["area_px"] == side**2
    assert label["area_bucket"] == bucket


def test_a_label_field_that_holds_one_polyline_is_measured(samples: Samples) -> None:
    sample = samples.add("a.jpg", mask_of_boxes(LEFT))
    sample["outline"] = polyline(LEFT, "a")
    sample.save()
    other = samples.add("b.jpg", mask_of_boxes())
    area = evaluate_mask_area(samples.dataset, label_field="outline", eval_key="area")
    outline = samples.raw(sample)["outline"]
    assert (outline["area_px"], outline["area_visible_px"]) == (150, 150)
    assert samples.raw(other).get("outline") is None
    assert area.per_class()["objects"].tolist() == [1]
    assert area.class_view("a").values("id") == [sample.id]


def test_instance_masks_of_detections_are_measured(samples: Samples) -> None:
    sample = samples.add("a.jpg", mask_of_boxes(LEFT))
    instance = np.zeros((10, 15), bool)
    instance[:, :5] = True
    box = [5 / WIDTH, 5 / HEIGHT, 15 / WIDTH, 10 / HEIGHT]
    sample["boxes"] = fo.Detections(
        detections=[
            fo.Detection(label="a", bounding_box=box, mask=instance),
            fo.Detection(label="a", bounding_box=box),
        ]
    )
    sample.save()
    area = evaluate_mask_area(samples.dataset, label_field="boxes", eval_key="area")
    with_mask, without = samples.raw(sample)["boxes"]["detections"]
    assert with_mask["area_px"] == 50
    assert without.get("area_px") is None
    assert area.summary()["objects"] == 1


def test_a_mask_that_was_edited_after_it_was_computed_is_counted_again(
    samples: Samples,
) -> None:
    sample = samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    compute_masks(samples.dataset)
    evaluate_mask_area(samples.dataset, eval_key="area")
    sample.reload()
    cv2.imwrite(sample.mask.mask_path, mask_of_boxes(SMALL))
    evaluate_mask_area(samples.dataset, eval_key="area")
    assert samples.raw(sample)["area_px"] == 4


@pytest.mark.parametrize("mode", ["binary", "semantic", "instance"])
@pytest.mark.parametrize("storage", ["disk", "database"])
def test_what_drawing_has_counted_is_believed_until_a_label_changes(
    samples: Samples, mode: Any, storage: Any
) -> None:
    sample = samples.add("a.jpg", lines=[polyline(LEFT, "a"), polyline(SMALL, "b")])
    compute_masks(samples.dataset, mode=mode, storage=storage)
    samples.dataset._sample_collection.update_one(
        {"_id": sample._id}, {"$set": {"mask.drawn.px": [7, 8]}}
    )

    def areas() -> list[int]:
        evaluate_mask_area(
            samples.dataset, label_field="segmentations", eval_key="area"
        )
        labels = samples.raw(sample)["segmentations"]["polylines"]
        return [label["area_px"] for label in labels]

    assert areas() == [7, 8]
    # What others write on labels does not change their geometry.
    sample.reload()
    sample.segmentations.polylines[0].tags.append("mine")
    sample.save()
    assert areas() == [7, 8]
    sample.segmentations.polylines[0].points = polyline(RIGHT, "a").points
    sample.save()
    assert areas() == [150, 4]


def test_classes_come_from_mask_targets_where_there_are_no_labels(
    samples: Samples,
) -> None:
    mask = mask_of_boxes(LEFT, value=1)
    mask[0, :3] = 2
    mask[1, :2] = 9
    samples.add("a.jpg", mask)
    samples.add("b.jpg", mask_of_boxes(RIGHT, value=1))
    samples.dataset.mask_targets["mask"] = {1: "wing", 2: "body", 3: "leg"}
    samples.dataset.save()
    area = evaluate_mask_area(samples.dataset, eval_key="area")
    table = area.per_class().set_index("class")
    assert table["visible_px"].to_dict() == {"9": 2, "body": 3, "wing": 300}
    assert table["images"].to_dict() == {"9": 1, "body": 1, "wing": 2}
    assert len(area.class_view("wing")) == 2
    assert len(area.class_view("body")) == 1


def test_only_values_that_changed_are_written(samples: Samples) -> None:
    edited = samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    same = samples.add("b.jpg", lines=[polyline(LEFT, "a")])
    compute_masks(samples.dataset)
    evaluate_mask_area(samples.dataset, label_field="segmentations", eval_key="area")
    edited.reload()
    edited.segmentations.polylines[0].points = polyline(SMALL, "a").points
    edited.save()
    compute_masks(samples.dataset)
    before = samples.raw(same)
    evaluate_mask_area(samples.dataset, label_field="segmentations", eval_key="area")
    assert samples.raw(same) == before
    assert samples.raw(edited)["area_px"] == 4
    assert samples.raw(edited)["segmentations"]["polylines"][0]["area_px"] == 4


def test_a_view_that_filters_labels_still_counts_all_of_its_samples(
    samples: Samples,
) -> None:
    inside = samples.add("a.jpg", lines=[polyline(LEFT, "a"), polyline(RIGHT, "b")])
    outside = samples.add("b.jpg", lines=[polyline(LEFT, "a")])
    compute_masks(samples.dataset)
    view = samples.dataset.filter_labels("segmentations", fo.ViewField("label") == "b")
    area = evaluate_mask_area(view, label_field="segmentations", eval_key="area")
    labels = samples.raw(inside)["segmentations"]["polylines"]
    assert [label["area_visible_px"] for label in labels] == [100, 150]
    assert samples.raw(outside).get("area_px") is None
    assert area.summary()["images"] == 1


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_view_without_the_fields_of_figures_and_splits_has_all_of_them(
    samples: Samples, *, is_hidden: bool
) -> None:
    for split, box in (("train", LEFT), ("valid", SMALL)):
        samples.add(f"{split}.jpg", lines=[polyline(box, "a")], split=split)
    dataset = samples.dataset
    compute_masks(dataset)
    if is_hidden:
        view = dataset.limit(2).exclude_fields("split")
    else:
        view = dataset.select_fields(["mask", "segmentations"])
    for evaluated in (view, dataset):
        area = evaluate_mask_area(
            evaluated, label_field="segmentations", eval_key="area"
        )
        for shown in (None, view):
            summary = area.summary(shown)
            assert (summary["images"], summary["foreground_px"]) == (2, 154)
            assert summary["objects"] == 2
            splits = area.per_split(shown)
            assert splits["split"].tolist() == ["train", "valid"]
            assert area.per_sample(shown)["area_px"].tolist() == [150, 4]
    view = dataset.match_tags("none").select_fields()
    assert area.summary(view)["images"] == 0


def test_evaluating_a_view_again_keeps_what_is_outside_of_it(
    samples: Samples,
) -> None:
    small = samples.add("a.jpg", mask_of_boxes(SMALL), lines=[polyline(SMALL, "a")])
    large = samples.add("b.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    bare = samples.add("c.jpg", mask_of_boxes(SMALL))
    evaluate_mask_area(samples.dataset, label_field="segmentations", eval_key="area")
    large.mask.mask_path = samples.mask_file(
        "d.png", mask_of_boxes((30, 20, 32, 22), LEFT)
    )
    large.save()
    view = samples.dataset.match(fo.ViewField("area_px") > 100)
    area = evaluate_mask_area(view, label_field="segmentations", eval_key="area")
    assert samples.dataset.values("area_px") == [4, 154, 4]
    assert samples.raw(small)["segmentations"]["polylines"][0]["area_px"] == 4
    assert area.summary()["images"] == 3
    assert area.samples == samples.dataset
    samples.dataset._run_cache.clear()
    loaded = load_mask_evaluation(samples.dataset, "area")
    assert loaded.summary()["foreground_px"] == 162
    assert samples.raw(bare)["area_px"] == 4


def test_evaluations_of_two_views_under_one_key_cover_both(samples: Samples) -> None:
    for name in ("a.jpg", "b.jpg"):
        samples.add(name, mask_of_boxes(LEFT))
    wrong = samples.add("c.jpg", np.zeros((10, 10), np.uint8))
    lost = samples.add("d.jpg")
    samples.add("e.jpg", mask_of_boxes(SMALL))
    dataset = samples.dataset
    evaluate_mask_area(dataset.select([wrong.id, lost.id]), eval_key="area")
    area = evaluate_mask_area(dataset.limit(2), eval_key="area")
    summary = area.summary()
    assert (summary["images"], summary["images_without_number"]) == (3, 1)
    assert summary["masks_of_other_size"] == 1
    assert [row["sample_id"] for row in summary["without_number"]] == [lost.id]
    # What is measured again is not counted twice.
    evaluate_mask_area(dataset.select([wrong.id, lost.id]), eval_key="area")
    again = load_mask_evaluation(dataset, "area").summary()
    assert {**again, "changed_meanwhile": 0} == {**summary, "changed_meanwhile": 0}
    assert len(area.samples) == 4


def test_a_view_is_not_mixed_with_values_of_other_masks(samples: Samples) -> None:
    samples.add("a.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    samples.add("b.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    dataset = samples.dataset
    evaluate_mask_area(dataset, eval_key="area")
    with pytest.raises(CocoMaskError, match="1 sample outside this view"):
        evaluate_mask_area(
            dataset.limit(1), label_field="segmentations", eval_key="area"
        )
    assert load_mask_evaluation(dataset, "area").summary()["images"] == 2
    assert dataset.values("area_px") == [150, 150]


def test_one_slice_of_a_grouped_dataset_is_evaluated(samples: Samples) -> None:
    dataset = samples.dataset
    dataset.add_group_field("group", default="left")
    group = fo.Group()
    made = []
    for name, box in (("left", LEFT), ("right", SMALL)):
        path = samples.mask_file(f"{name}.png", mask_of_boxes(box))
        made.append(
            fo.Sample(
                samples.image(f"{name}.jpg"),
                group=group.element(name),
                mask=fo.Segmentation(mask_path=path),
                segmentations=fo.Polylines(polylines=[polyline(box, "a")]),
            )
        )
    dataset.add_samples(made)
    left, right = made
    area = evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    assert samples.raw(left)["area_px"] == 150
    assert samples.raw(right).get("area_px") is None
    assert area.summary()["images"] == 1
    dataset.group_slice = "right"
    assert area.summary()["foreground_px"] == 150
    both = evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    assert samples.raw(left)["area_px"] == 150
    assert both.summary()["foreground_px"] == 154
    assert samples.raw(right)["area_px"] == 4


def test_means_over_images_and_over_pixels_differ_as_defined(
    samples: Samples,
) -> None:
    samples.add("a.jpg", mask_of_boxes((0, 0, 10, 10)))
    large = np.zeros((100, 100), np.uint8)
    large[:50, :50] = 255
    path = samples.mask_file("large.png", large)
    samples.dataset.add_sample(
        fo.Sample(
            samples.image("large.jpg", size=(100, 100)),
            mask=fo.Segmentation(mask_path=path),
        )
    )
    summary = evaluate_mask_area(samples.dataset, eval_key="area").summary()
    assert summary["mean_area_px_over_images"] == (100 + 2500) / 2
    weights = WIDTH * HEIGHT, 100 * 100
    weighted = (100 * weights[0] + 2500 * weights[1]) / sum(weights)
    assert summary["mean_area_px_over_pixels"] == pytest.approx(weighted)


def test_progress_calls_back_with_the_bar(samples: Samples) -> None:
    for name in ("a.jpg", "b.jpg"):
        samples.add(name, mask_of_boxes(LEFT))
    seen: list[tuple[int, int]] = []
    evaluate_mask_area(
        samples.dataset,
        eval_key="area",
        progress=lambda bar: seen.append((bar.iteration, bar.total)),
    )
    assert seen[-1] == (2, 2)
