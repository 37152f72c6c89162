"""Masks of polygons with the boxes of those annotations that have none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import fiftyone as fo
import numpy as np
import pytest

import fiftyone_cocomask as fcm
from tests.integration.small_export import HEIGHT, WIDTH, annotation, write_split

BOX = {"category_id": 2, "segmentation": [], "bbox": [25, 5, 10, 4]}


@pytest.fixture
def dataset(new_dataset: Callable[..., fo.Dataset], tmp_path: Path) -> fo.Dataset:
    """One image with both, one with boxes alone, one with polygons alone."""
    export = write_split(
        tmp_path / "export",
        ["a.jpg", "b.jpg", "c.jpg"],
        [
            annotation(0, 0),
            annotation(1, 0, **BOX),
            annotation(2, 1, **BOX),
            annotation(3, 2),
        ],
    )
    return fcm.import_roboflow_coco(export, "mixed")[0]


def expected(*, polygon: bool, box: bool) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[5:15, 5:20] = 255 * polygon
    mask[5:9, 25:35] = 255 * box
    return mask


def test_boxes_are_drawn_where_annotations_have_no_polygon(dataset: fo.Dataset) -> None:
    report = fcm.compute_masks(dataset, boxes="draw")
    assert (report.images, report.objects, report.boxes) == (3, 4, 0)
    masks = [cv2.imread(path, -1) for path in dataset.values("mask.mask_path")]
    wanted = [(True, True), (False, True), (True, False)]
    for mask, (polygon, box) in zip(masks, wanted, strict=True):
        assert np.array_equal(mask, expected(polygon=polygon, box=box))


def test_what_a_person_does_to_a_box_draws_it_anew(dataset: fo.Dataset) -> None:
    fcm.compute_masks(dataset, boxes="draw")
    again = fcm.compute_masks(dataset, boxes="draw")
    assert (again.unchanged, again.unchanged_objects) == (3, 4)
    sample = dataset.first()
    sample.detections.detections[1].bounding_box = [0, 0, 4 / WIDTH, 2 / HEIGHT]
    sample.save()
    changed = fcm.compute_masks(dataset, boxes="draw")
    assert (changed.unchanged, changed.objects) == (2, 2)
    assert cv2.countNonZero(cv2.imread(sample.mask.mask_path, -1)) == 150 + 8
    # And without them it is the polygon again.
    assert fcm.compute_masks(dataset).boxes == 2
    assert cv2.countNonZero(cv2.imread(sample.mask.mask_path, -1)) == 150


def test_evaluations_know_of_changed_boxes_that_masks_show(dataset: fo.Dataset) -> None:
    fcm.compute_masks(dataset, boxes="draw")
    area = fcm.evaluate_mask_area(dataset, label_field="segmentations")
    dataset.tag_samples("seen")
    dataset.tag_labels("seen", "detections")
    assert area.out_of_date() is None
    sample = dataset.first()
    polygon, box = sample.detections.detections
    # That of the polygon is not drawn.
    polygon.bounding_box = [0, 0, 0.5, 0.5]
    sample.save()
    assert area.out_of_date() is None
    box.bounding_box = [0, 0, 4 / WIDTH, 2 / HEIGHT]
    sample.save()
    changed = area.out_of_date()
    assert changed is not None
    assert (changed.masks, changed.labels) == (0, 1)
    assert area.ids_to_refresh() == [sample.id]


@pytest.mark.parametrize("is_touched", [False, True])
def test_evaluations_count_the_boxes_that_masks_show(
    dataset: fo.Dataset, *, is_touched: bool
) -> None:
    fcm.compute_masks(dataset, boxes="draw", mode="semantic")
    if is_touched:
        # What was counted while drawing is no longer known then.
        dataset._sample_collection.update_many({}, {"$unset": {"mask.drawn": ""}})
    coverage = fcm.evaluate_mask_coverage(dataset, label_field="segmentations")
    rows = coverage.per_class().set_index("class")
    assert rows.loc["wing", "visible_px"] == 300
    assert rows.loc["body", "visible_px"] == 80
    pixels = [190, 40, 150]
    ratios = dataset.values("mask_coverage_ratio")
    assert ratios == pytest.approx([px / (WIDTH * HEIGHT) for px in pixels])
    assert coverage.summary()["older_masks"] == 0
    area = fcm.evaluate_mask_area(dataset, label_field="segmentations")
    assert area.summary()["foreground_px"] == sum(pixels)
    assert dataset.values("segmentations.polylines.mask_area_px") == [[150], [], [150]]


def test_places_of_a_class_are_those_of_its_boxes_too(dataset: fo.Dataset) -> None:
    # Over a part of a polygon, and smaller, so on top of it.
    sample = dataset.first()
    sample.detections.detections[1].bounding_box = [5 / WIDTH, 5 / HEIGHT, 0.1, 0.1]
    sample.save()
    fcm.compute_masks(dataset, boxes="draw")
    coverage = fcm.evaluate_mask_coverage(dataset, label_field="segmentations")
    classes = coverage.per_class().set_index("class")
    assert classes["visible_px"].to_dict() == {"wing": 300 - 12, "body": 12 + 40}
    for name, row in classes.iterrows():
        for size in (64, 20):
            places = coverage.heatmap(str(name), size)
            assert places.mean() == pytest.approx(row["mean_coverage_over_images"])
            # Where the seventh pixel is, each way.
            place = (size * 7 // HEIGHT, size * 7 // WIDTH)
            there = coverage.place_view(*place, str(name), size).values("id")
            assert there == [sample.id if name == "body" else dataset.last().id]
    centres = coverage.mask_centres().set_index("class")["images"].to_dict()
    assert centres == {"(all)": 3, "body": 2, "wing": 2}
    # Boxes are no objects.
    pairs = coverage.co_occurrence()
    assert pairs[["class", "other", "images"]].values.tolist() == [["wing", "wing", 2]]


def test_boxes_of_annotations_whose_ids_are_text_are_counted(
    new_dataset: Callable[..., fo.Dataset], tmp_path: Path
) -> None:
    annotations = [annotation(f"x{n}", n // 2) for n in range(2)]
    annotations += [annotation(f"y{n}", n, **BOX) for n in (0, 1)]
    names = ["a.jpg", "b.jpg", "c.jpg"]
    export = write_split(tmp_path / "export", names, annotations)
    dataset = fcm.import_roboflow_coco(export, "texts")[0]
    assert fcm.compute_masks(dataset).boxes == 2
    with pytest.raises(fcm.CocoMaskError, match="without a shape: 2"):
        fcm.compute_masks(dataset, boxes="error")
    fcm.evaluate_mask_coverage(dataset, label_field="segmentations")
    # Nothing is known of the second one, and nothing is in the third one.
    assert dataset.values("mask_coverage_ratio") == [150 / (WIDTH * HEIGHT), None, 0]
    assert fcm.compute_masks(dataset, boxes="draw").objects == 4


def test_boxes_that_a_person_drew_are_those_of_no_annotation(
    dataset: fo.Dataset,
) -> None:
    fcm.compute_masks(dataset)
    negative = dataset.last()
    negative.segmentations.polylines = []
    # As FiftyOne stores a label that was given all attributes of the others.
    negative.detections.detections = [
        fo.Detection(label="new", bounding_box=[0, 0, 0.5, 0.5], coco_id=None),
        fo.Detection(label="new", bounding_box=[0, 0, 0.5, 0.1]),
    ]
    negative.save()
    assert fcm.compute_masks(dataset).boxes == 2
    fcm.evaluate_mask_coverage(dataset, label_field="segmentations")
    ratios = dataset.values("mask_coverage_ratio")
    assert ratios == [150 / (WIDTH * HEIGHT), None, 0]


def test_a_box_whose_polygon_has_lost_its_points_is_one_alone(
    dataset: fo.Dataset,
) -> None:
    sample = dataset.last()
    sample.segmentations.polylines[0].points = []
    sample.save()
    assert fcm.compute_masks(dataset).boxes == 3
    fcm.evaluate_mask_coverage(dataset, label_field="segmentations")
    ratios = dataset.values("mask_coverage_ratio")
    assert ratios == [150 / (WIDTH * HEIGHT), None, None]
    # As where they are drawn.
    assert fcm.compute_masks(dataset, boxes="draw").objects == 4


def test_boxes_in_another_slice_of_groups_are_counted(
    new_dataset: Callable[..., fo.Dataset], dataset: fo.Dataset
) -> None:
    grouped = new_dataset()
    grouped.add_group_field("group", default="left")
    group = fo.Group()
    box = fo.Detection(label="a", bounding_box=[0, 0, 0.5, 0.5])
    for name, path in zip(("left", "right"), dataset.values("filepath"), strict=False):
        sample = fo.Sample(path, group=group.element(name))
        sample["objects"] = fo.Detections(detections=[box.copy()])
        grouped.add_sample(sample)
    right = grouped.select_group_slices("right")
    assert fcm.compute_masks(right, "objects").boxes == 1
    coverage = fcm.evaluate_mask_coverage(right, label_field="objects").summary()
    assert (coverage["images"], coverage["images_without_number"]) == (0, 1)


def test_polygons_without_an_import_have_no_boxes_beside_them(
    new_dataset: Callable[..., fo.Dataset],
) -> None:
    dataset = new_dataset("plain")
    sample = fo.Sample(filepath="a.jpg", objects=fo.Polylines())
    dataset.add_sample(sample)
    with pytest.raises(fcm.CocoMaskError, match="field of boxes"):
        fcm.compute_masks(dataset, "objects", boxes="draw")
