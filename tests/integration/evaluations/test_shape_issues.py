"""Issues of shapes, pairs of labels, and pictures: found by their rules."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import CocoMaskError, compute_masks
from fiftyone_cocomask.datasets.issues import (
    IssueLimits,
    clear_mask_issues,
    find_mask_issues,
)
from fiftyone_cocomask.datasets.issues.counts import issue_counts

from .conftest import HEIGHT, WIDTH, Samples, polyline

Ring = Sequence[tuple[float, float]]


def polygon(*rings: Ring, label: str = "a", **fields: Any) -> fo.Polyline:
    points = [[(x / WIDTH, y / HEIGHT) for x, y in ring] for ring in rings]
    return fo.Polyline(
        label=label, points=points, **{"closed": True, "filled": True, **fields}
    )


def found(
    samples: Samples, lines: list[fo.Polyline], limits: IssueLimits | None = None
) -> list[set[str]]:
    """The issues of each label of one image."""
    sample = samples.add("a.jpg", lines=lines)
    compute_masks(samples.dataset)
    find_mask_issues(samples.dataset, limits=limits)
    labels = samples.raw(sample)["segmentations"]["polylines"]
    return [{tag.partition(":")[2] for tag in label["tags"]} for label in labels]


def test_nearly_equal_labels_of_one_class_are_near_duplicates(samples: Samples) -> None:
    # 10 x 20 = 200 px, and 10 x 19 of them: IoU 0.95. 10 x 17: 0.85, but contained.
    lines = [polyline((2, 2, 22, 12), "a"), polyline((2, 2, 21, 12), "a")]
    assert found(samples, lines) == [
        {"rectangle"},
        {"rectangle", "near_duplicate"},
    ]


@pytest.mark.parametrize(
    ("width", "expected"),
    [(19, {"rectangle", "near_duplicate"}), (18, {"rectangle"})],
)
def test_across_classes_near_duplicates_need_more(
    samples: Samples, width: int, expected: set[str]
) -> None:
    lines = [polyline((2, 2, 22, 12), "a"), polyline((2, 2, 2 + width, 12), "b")]
    assert found(samples, lines) == [expected, expected]


def test_a_label_inside_another_of_its_class_is_contained(samples: Samples) -> None:
    outer, inner = (2, 2, 30, 28), (4, 4, 14, 14)
    lines = [polyline(inner, "a"), polyline(outer, "a"), polyline(inner, "b")]
    issues = found(samples, lines)
    assert ["contained" in issue for issue in issues] == [True, False, False]


def test_a_label_mostly_beside_another_is_not_contained(samples: Samples) -> None:
    # 9 of 10 columns are inside.
    lines = [polyline((2, 2, 20, 28), "a"), polyline((11, 5, 21, 15), "a")]
    assert found(samples, lines) == [{"rectangle"}, {"rectangle"}]


def test_pairs_of_classes_can_be_exempted(samples: Samples) -> None:
    limits = IssueLimits(exempt_pairs=(("b", "a"), ("a", "a")))
    lines = [
        polyline((2, 2, 22, 12), "a"),
        polyline((2, 2, 22, 12), "b"),
        polyline((2, 2, 12, 12), "a"),
    ]
    pairs = {"two_classes", "near_duplicate", "contained"}
    assert not set.union(*found(samples, lines, limits)) & pairs


def test_outlines_that_cross_themselves_are_found(samples: Samples) -> None:
    bow_tie = [(2, 2), (20, 20), (20, 2), (2, 20)]
    # The outline of a ring with a hole: it goes along one side there and back.
    bridged = [(22, 2), (38, 2), (38, 18), (22, 18), (22, 8)]
    bridged += [(26, 8), (26, 14), (34, 14), (34, 6), (26, 6), (26, 8), (22, 8)]
    issues = found(samples, [polygon(bow_tie), polygon(bridged)])
    assert ["self_crossing" in issue for issue in issues] == [True, False]


def test_a_sharp_angle_between_long_sides_is_a_spike(samples: Samples) -> None:
    # The angle at the tip is 2 * atan(1.5 / 15) = 11.4 degrees, then 33.4.
    sharp = [(5, 5), (15, 5), (15, 15), (11.5, 15), (10, 29), (8.5, 15), (5, 15)]
    blunt = [(25, 5), (35, 5), (35, 15), (34, 15), (30, 28), (26, 15), (25, 15)]
    issues = found(samples, [polygon(sharp), polygon(blunt)])
    assert ["spike" in issue for issue in issues] == [True, False]


def test_a_small_part_of_a_larger_object_is_stray(samples: Samples) -> None:
    large = [(2, 2), (22, 2), (22, 22), (2, 22)]  # 400 px
    speck = [(30, 5), (32, 5), (32, 7), (30, 7)]  # 4 px
    piece = [(30, 15), (36, 15), (36, 21), (30, 21)]  # 36 px
    issues = found(samples, [polygon(large, speck), polygon(large, piece, label="b")])
    assert ["stray_part" in issue for issue in issues] == [True, False]


def test_a_part_that_crosses_itself_is_as_large_as_its_pixels(samples: Samples) -> None:
    large = [(2, 2), (22, 2), (22, 22), (2, 22)]
    # Its halves, of 70 px each, turn opposite ways: by the formula it has no area.
    bow_tie = [(25, 2), (39, 22), (39, 2), (25, 22)]
    (issues,) = found(samples, [polygon(large, bow_tie)])
    assert "self_crossing" in issues
    assert "stray_part" not in issues


def test_crowds_have_no_stray_parts_and_no_duplicates(samples: Samples) -> None:
    large = [(2, 2), (22, 2), (22, 22), (2, 22)]
    speck = [(30, 5), (32, 5), (32, 7), (30, 7)]
    crowds = [polygon(large, speck, iscrowd=1) for _ in range(2)]
    assert found(samples, crowds) == [{"hidden"}, set()]


def test_stray_parts_of_instance_masks_are_found(samples: Samples) -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[2:22, 2:22] = True
    mask[5:7, 30:32] = True
    sample = samples.add("a.jpg")
    sample["objects"] = fo.Detections(
        detections=[fo.Detection.from_mask(mask, label="a")]
    )
    sample.save()
    report = find_mask_issues(samples.dataset, "objects", None)
    assert report.counts["stray_part"] == 1


def test_outlines_with_far_fewer_vertices_than_their_class_are_coarse(
    samples: Samples,
) -> None:
    def circle(number: int, at: tuple[float, float]) -> fo.Polyline:
        angles = np.linspace(0, 2 * np.pi, number, endpoint=False)
        points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * 6 + at
        return polygon(points.tolist())

    for name, number in enumerate([30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40]):
        samples.add(f"{name}.jpg", lines=[circle(number, (10, 10))])
    issues = found(samples, [circle(5, (10, 10)), circle(33, (28, 20))])
    assert ["coarse" in issue for issue in issues] == [True, False]


def test_a_polygon_that_is_not_filled_is_named(samples: Samples) -> None:
    drawn = [(2, 2), (20, 2), (20, 20), (5, 25)]
    line = [(25, 2), (38, 20)]
    issues = found(
        samples,
        [
            polygon(drawn, closed=False, filled=False),
            polygon(line, closed=False, filled=False),
            polygon([(22, 2), (38, 2), (30, 12)]),
        ],
    )
    assert ["unfilled" in issue for issue in issues] == [True, False, False]


def test_in_a_field_of_lines_nothing_is_unfilled(samples: Samples) -> None:
    bent = [(2, 2), (20, 2), (20, 20)]
    assert found(samples, [polygon(bent, closed=False, filled=False)]) == [set()]


def test_boxes_among_labels_with_a_shape_are_named(samples: Samples) -> None:
    mask = np.tri(HEIGHT, WIDTH, dtype=bool)
    box = fo.Detection(label="a", bounding_box=[0.1, 0.1, 0.2, 0.2])
    sample = samples.add("a.jpg")
    shape = fo.Detection.from_mask(mask, label="a")
    sample["objects"] = fo.Detections(detections=[shape, box])
    sample.save()
    report = find_mask_issues(samples.dataset, "objects", None)
    labels = samples.raw(sample)["objects"]["detections"]
    assert [label["tags"] for label in labels] == [[], ["mask_issues:box_only"]]
    assert report.counts["box_only"] == 1


def test_boxes_without_any_shape_are_named(samples: Samples) -> None:
    box = fo.Detection(label="a", bounding_box=[0.1, 0.1, 0.2, 0.2], coco_id=1)
    sample = samples.add("a.jpg", lines=[])
    sample["detections"] = fo.Detections(detections=[box])
    sample.save()
    samples.dataset.add_dynamic_sample_fields()
    # As an import declares it.
    samples.dataset.add_sample_field("segmentations.polylines.coco_id", fo.IntField)
    report = find_mask_issues(samples.dataset, mask_field=None)
    labels = samples.raw(sample)["detections"]["detections"]
    assert [label["tags"] for label in labels] == [["mask_issues:box_only"]]
    assert report.counts["box_only"] == 1
    assert "box_only" in report.summary()


def test_the_imported_box_of_an_annotation_without_a_polygon_is_named(
    samples: Samples,
) -> None:
    shape = polyline((2, 2, 12, 12), "a", coco_id=4)
    boxes = [
        fo.Detection(label="a", bounding_box=[0.1, 0.1, 0.2, 0.2], coco_id=number)
        for number in (4, 5)
    ]
    sample = samples.add("a.jpg", lines=[shape])
    sample["detections"] = fo.Detections(detections=boxes)
    sample.save()
    samples.dataset.add_dynamic_sample_fields()
    compute_masks(samples.dataset)
    report = find_mask_issues(samples.dataset)
    labels = samples.raw(sample)["detections"]["detections"]
    assert [label["tags"] for label in labels] == [[], ["mask_issues:box_only"]]
    view = samples.dataset.load_saved_view(report.views["box_only"])
    assert view.values("detections.coco_id") == [5]
    counted = issue_counts(samples.dataset, "mask_issues")
    assert {issue.value: number for issue, number in counted.items()} == {
        name: number for name, number in report.counts.items() if number
    }
    clear_mask_issues(samples.dataset)
    labels = samples.raw(sample)["detections"]["detections"]
    assert [label["tags"] for label in labels] == [[], []]


def test_the_box_of_a_polygon_that_has_lost_its_points_is_named(
    samples: Samples,
) -> None:
    lines = [polyline((2, 2, 12, 12), "a", coco_id=number) for number in (4, 5)]
    lines[1].points = []
    boxes = [
        fo.Detection(label="a", bounding_box=[0.1, 0.1, 0.2, 0.2], coco_id=number)
        for number in (4, 5)
    ]
    sample = samples.add("a.jpg", lines=lines)
    sample["detections"] = fo.Detections(detections=boxes)
    sample.save()
    samples.dataset.add_dynamic_sample_fields()
    report = find_mask_issues(samples.dataset, mask_field=None)
    labels = samples.raw(sample)["detections"]["detections"]
    assert [label["tags"] for label in labels] == [[], ["mask_issues:box_only"]]
    # As many as the view shows.
    view = samples.dataset.load_saved_view(report.views["box_only"])
    assert report.counts["box_only"] == len(view) == 1


def test_boxes_are_paired_by_ids_that_are_text_too(
    samples: Samples,
) -> None:
    lines = [polyline((2, 2, 12, 12), "a", coco_id_text=text) for text in ("x", "y")]
    boxes = [
        fo.Detection(label="a", bounding_box=[0.1, 0.1, 0.2, 0.2], **ids)
        for ids in ({"coco_id_text": "x"}, {"coco_id_text": "z"}, {}, {"coco_id": 4})
    ]
    sample = samples.add("a.jpg", lines=lines)
    sample["detections"] = fo.Detections(detections=boxes)
    sample.save()
    dataset = samples.dataset
    dataset.add_dynamic_sample_fields()
    dataset.add_sample_field("segmentations.polylines.coco_id", fo.IntField)
    report = find_mask_issues(dataset, mask_field=None)
    assert report.counts["box_only"] == 2
    found = samples.raw(sample)["detections"]["detections"]
    tags = ["mask_issues:box_only"]
    assert [label["tags"] for label in found] == [[], tags, [], tags]


def test_ids_that_name_another_class_in_a_split_are_named(samples: Samples) -> None:
    def categories(*names: str) -> dict[str, Any]:
        return {"categories": [{"id": i, "name": n} for i, n in enumerate(names)]}

    dataset = samples.dataset
    dataset.info["coco"] = {
        "splits": {
            "test": categories("a", "b"),
            "train": categories("a", "b"),
            "valid": categories("b", "b"),
        }
    }
    dataset.save()
    made = [
        samples.add(
            f"{split}.jpg",
            lines=[polyline((2, 2, 12, 12), "a", coco_category_id=0)],
            split=split,
        )
        for split in ("train", "valid")
    ]
    dataset.add_dynamic_sample_fields()
    find_mask_issues(dataset, mask_field=None)
    tags = [
        samples.raw(sample)["segmentations"]["polylines"][0]["tags"] for sample in made
    ]
    assert ["mask_issues:ids_differ" in label for label in tags] == [False, True]


def pattern(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(30, 220, (12, 16), np.uint8)
    return cv2.resize(small, (160, 120), interpolation=cv2.INTER_CUBIC)


def test_pictures_that_stand_in_two_splits_leak(samples: Samples) -> None:
    folder = samples.folder
    for name, seed in (("a", 1), ("b", 2), ("c", 3), ("e", 4)):
        cv2.imwrite(str(folder / f"{name}.png"), pattern(seed))
    # The same picture brighter and saved with losses; the same file; the same split.
    brighter = pattern(1) + np.uint8(9)
    cv2.imwrite(str(folder / "a2.jpg"), brighter, [cv2.IMWRITE_JPEG_QUALITY, 70])
    shutil.copy(folder / "b.png", folder / "b2.png")
    shutil.copy(folder / "c.png", folder / "c2.png")
    splits = {
        "a.png": "train",
        "a2.jpg": "valid",
        "b.png": "train",
        "b2.png": "test",
        "c.png": "train",
        "c2.png": "train",
        "e.png": "valid",
    }
    for name, split in splits.items():
        samples.dataset.add_sample(
            fo.Sample(
                filepath=str(folder / name),
                split=split,
                segmentations=fo.Polylines(polylines=[polyline((2, 2, 9, 9), "a")]),
            )
        )
    report = find_mask_issues(samples.dataset, mask_field=None)
    view = samples.dataset.load_saved_view(report.views["leak"])
    leaking = {path.rpartition("/")[2] for path in view.values("filepath")}
    assert leaking == {"a.png", "a2.jpg", "b.png", "b2.png"}


def test_labels_that_a_person_has_checked_are_left_out(samples: Samples) -> None:
    boxes = [(2, 2, 12, 12), (20, 2, 30, 12)]
    lines = [polyline(boxes[0], "a", tags=["checked"]), polyline(boxes[1], "a")]
    assert found(samples, lines) == [{""}, {"rectangle"}]
    report = find_mask_issues(samples.dataset)
    assert report.counts["rectangle"] == 1


def test_tags_and_views_of_retired_issues_are_taken_away(samples: Samples) -> None:
    line = polyline((2, 2, 12, 12), "a", tags=["mask_issues:cut_by_edge", "mine"])
    sample = samples.add("a.jpg", lines=[line])
    find_mask_issues(samples.dataset, mask_field=None)
    samples.dataset.save_view("mask_issues: cut_by_edge", samples.dataset.limit(1))
    find_mask_issues(samples.dataset, mask_field=None)
    assert samples.raw(sample)["segmentations"]["polylines"][0]["tags"] == [
        "mine",
        "mask_issues:rectangle",
    ]
    assert samples.dataset.list_saved_views() == ["mask_issues: rectangle"]


def test_limits_may_be_numbers_of_numpy(samples: Samples) -> None:
    samples.add("a.jpg", lines=[polyline((2, 2, 12, 12), "a")])
    numbers: dict[str, Any] = {
        "tiny_px": np.int64(101),
        "near_iou": np.float32(0.5),
        "leak_distance": np.array(3),
    }
    limits = IssueLimits(**numbers)
    assert limits == IssueLimits(tiny_px=101, near_iou=0.5, leak_distance=3)
    assert {type(value) for value in limits.to_dict().values()} == {int, float, list}
    report = find_mask_issues(samples.dataset, mask_field=None, limits=numbers)
    assert report.counts["tiny"] == 1
    with pytest.raises(CocoMaskError, match="tiny_px must be 0 or more, not -1"):
        IssueLimits(**{**numbers, "tiny_px": np.int64(-1)})


@pytest.mark.parametrize("pairs", ["a, b", [("a",)], [("a", 1)], [3]])
def test_pairs_that_are_not_pairs_of_names_are_refused(pairs: Any) -> None:
    with pytest.raises(CocoMaskError, match="exempt_pairs must be a list of pairs"):
        IssueLimits(exempt_pairs=pairs)
