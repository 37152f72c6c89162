"""Masks from labels of any origin, on real datasets."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
from bson import ObjectId
from pycocotools import mask as mask_utils

from fiftyone_cocomask import (
    CocoMaskError,
    compute_masks,
    evaluate_mask_area,
    import_roboflow_coco,
    refresh_mask_evaluations,
)
from fiftyone_cocomask.datasets.labels import mask_objects
from fiftyone_cocomask.geometry.outlines import mask_outline

from .squares import (
    HEIGHT,
    LEFT,
    RIGHT,
    SMALL,
    WIDTH,
    add,
    mask_of,
    polyline,
    square_mask,
)


def test_a_binary_mask_is_the_union_of_the_objects(
    new_dataset: Any, images: Any
) -> None:
    sample = add(
        dataset := new_dataset(),
        *images("a.jpg"),
        polyline(LEFT, "a"),
        polyline(RIGHT, "b"),
    )
    report = compute_masks(dataset)
    union = square_mask(5, 5, 20, 15) | square_mask(15, 5, 30, 15)
    np.testing.assert_array_equal(mask_of(sample), union * np.uint8(255))
    assert (report.images, report.objects, report.overlap_px) == (1, 2, 50)


def test_semantic_masks_name_their_classes_and_show_the_smaller_object_on_top(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(SMALL, "b"), polyline(LEFT, "a"))
    compute_masks(dataset, mask_field="classes", mode="semantic")
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[square_mask(5, 5, 20, 15)] = 1
    expected[square_mask(6, 6, 8, 8)] = 2
    np.testing.assert_array_equal(mask_of(sample, "classes"), expected)
    assert dataset.mask_targets["classes"] == {1: "a", 2: "b"}


@pytest.mark.parametrize(
    ("overlap", "top"),
    [
        ("annotation_order", 1),
        ("largest_first", 2),
        ("smallest_first", 1),
        (["a", "b"], 2),
        (["b", "a"], 1),
    ],
)
def test_overlap_decides_which_class_owns_a_shared_pixel(
    new_dataset: Any, images: Any, overlap: Any, top: int
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(SMALL, "b"), polyline(LEFT, "a"))
    report = compute_masks(dataset, mode="semantic", overlap=overlap)
    assert mask_of(sample)[7, 7] == top
    assert report.overlap_px == 4
    hidden = [item["label_id"] for item in report.hidden]
    assert hidden == ([] if top == 2 else [sample.segmentations.polylines[0].id])


def test_instance_masks_number_the_objects_of_an_image(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(SMALL, "b"), polyline(LEFT, "a"))
    compute_masks(dataset, mode="instance")
    mask = mask_of(sample)
    assert sorted(np.unique(mask)) == [0, 1, 2]
    np.testing.assert_array_equal(mask == 1, square_mask(6, 6, 8, 8))


def test_more_than_255_classes_make_a_16_bit_mask(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    lines = [polyline(SMALL, f"class{n:03}") for n in range(299)]
    sample = add(dataset, *images("a.jpg"), *lines, polyline(LEFT, "class299"))
    compute_masks(dataset, mode="semantic")
    mask = mask_of(sample)
    assert (mask.dtype, int(mask.max())) == (np.dtype(np.uint16), 300)


def test_classes_selects_and_crowds_can_be_left_out(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    lines = [polyline(LEFT, "a"), polyline(RIGHT, "b", iscrowd=1)]
    sample = add(dataset, *images("a.jpg"), *lines)
    compute_masks(dataset, classes=["b"])
    assert np.count_nonzero(mask_of(sample)) == 150
    compute_masks(dataset, include_crowd=False)
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(5, 5, 20, 15))


def test_the_opencv_rasterizer_includes_the_far_edge(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(SMALL, "a"))
    compute_masks(dataset, rasterizer="opencv")
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(6, 6, 9, 9))


def test_an_image_without_objects_gets_an_all_zero_mask(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"))
    compute_masks(dataset)
    assert mask_of(sample).shape == (HEIGHT, WIDTH)
    assert not mask_of(sample).any()


def test_detections_without_a_mask_are_counted(new_dataset: Any, images: Any) -> None:
    box = [5 / WIDTH, 6 / HEIGHT, 15 / WIDTH, 10 / HEIGHT]
    detections = [
        fo.Detection.from_mask(square_mask(5, 6, 20, 16), label="a"),
        fo.Detection(label="a", bounding_box=box),
    ]
    dataset = new_dataset()
    sample = fo.Sample(
        filepath=images("a.jpg")[0], objects=fo.Detections(detections=detections)
    )
    dataset.add_sample(sample)
    report = compute_masks(dataset, "objects")
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(5, 6, 20, 16))
    assert (report.objects, report.without_geometry) == (1, 1)


def test_a_broken_label_costs_that_label(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    nan, inf = float("nan"), float("inf")
    instance = np.ones((3, 3), bool)
    (tmp_path / "text.png").write_text("text")
    huge_png = struct.pack(
        ">8sI4sII5B", b"\x89PNG\r\n\x1a\n", 13, b"IHDR", 32768, 32768, 8, 0, 0, 0, 0
    )
    (tmp_path / "huge.png").write_bytes(huge_png)
    boxes: list[Any] = [
        [nan, 0, 0.1, 0.1],
        [0, 0, inf, 0.1],
        [0, 0, 1e12, 1e12],
        [0, 0, 1e5, 1e5],
        [0, 0, 0.1],
    ]
    box = [0.1, 0.1, 0.1, 0.1]
    broken = [fo.Detection(label="a", bounding_box=b, mask=instance) for b in boxes]
    broken += [
        fo.Detection(label="a", bounding_box=box, mask=np.zeros((0, 3), bool)),
        fo.Detection(label="a", bounding_box=box, mask_path=str(tmp_path / "no.png")),
        fo.Detection(label="a", bounding_box=box, mask_path=str(tmp_path / "text.png")),
        fo.Detection(label="a", bounding_box=box, mask_path=str(tmp_path / "huge.png")),
    ]
    good = fo.Detection.from_mask(square_mask(5, 6, 20, 16), label="a")
    dataset = new_dataset()
    sample = fo.Sample(
        filepath=images("a.jpg")[0],
        objects=fo.Detections(detections=[*broken, good]),
    )
    dataset.add_sample(sample)
    report = compute_masks(dataset, "objects")
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(5, 6, 20, 16))
    assert (report.objects, report.without_geometry) == (1, len(broken))


@pytest.mark.parametrize("points", [[[0.1, 0.2], [0.3]], [[0.1, 0.2, 0.3]] * 4, [0.5]])
def test_points_that_are_not_pairs_have_no_geometry(points: Any) -> None:
    # FiftyOne's own classes refuse them; documents of other programs may have them.
    line = {"_id": ObjectId(), "points": [points], "filled": True}
    assert mask_objects({"polylines": [line]}, WIDTH, HEIGHT) == []


def _drawn_in_the_app(**kwargs: Any) -> fo.Polyline:
    line = polyline(LEFT, "a", **kwargs)
    line.closed = line.filled = False
    return line


def test_a_polygon_drawn_in_the_app_is_an_area(new_dataset: Any, images: Any) -> None:
    dataset = new_dataset()
    first, second = images("a.jpg", "b.jpg")
    sample = add(dataset, first, _drawn_in_the_app())
    add(dataset, second, polyline(SMALL, "a"))
    compute_masks(dataset)
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(5, 5, 20, 15))


def _says(dataset: Any, default: bool) -> None:
    schema = dataset.generate_label_schemas("segmentations")
    for attribute in schema["attributes"]:
        if attribute["name"] == "filled":
            attribute["default"] = default
    dataset.update_label_schema("segmentations", schema)


@pytest.mark.parametrize(
    ("default", "is_area"), [(None, False), (False, False), (True, True)]
)
def test_lines_stay_lines_where_their_field_says_so(
    new_dataset: Any, images: Any, default: bool | None, is_area: bool
) -> None:
    # Without a word, a field in which nothing is filled is one of lines.
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), _drawn_in_the_app())
    if default is not None:
        _says(dataset, default)
    report = compute_masks(dataset)
    assert report.lines == (0 if is_area else 1)
    expected = fo.Polylines(polylines=[_drawn_in_the_app()]).to_segmentation(
        frame_size=(WIDTH, HEIGHT), thickness=1
    )
    mask = square_mask(5, 5, 20, 15) if is_area else expected.mask > 0
    np.testing.assert_array_equal(mask_of(sample) > 0, mask)


def _rle(mask: np.ndarray) -> dict[str, Any]:
    encoded = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [HEIGHT, WIDTH], "counts": encoded["counts"].decode()}


def _relative(rings: list[np.ndarray]) -> list[list[tuple[float, float]]]:
    return [[(float(x) / WIDTH, float(y) / HEIGHT) for x, y in r] for r in rings]


HOLED = square_mask(5, 5, 20, 20) & ~square_mask(8, 8, 12, 12)


def _outline_of_earlier_versions() -> list[np.ndarray]:
    contours, _ = cv2.findContours(
        HOLED.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE
    )
    return [contour.reshape(-1, 2) for contour in contours]


@pytest.mark.parametrize(
    ("rings", "attributes"),
    [
        (_outline_of_earlier_versions(), {}),
        (mask_outline(HOLED), {}),
        # Simplified: 15 x 15 pixels instead of the 209 without the hole.
        ([np.array([(5, 5), (20, 5), (20, 20), (5, 20)])], {"outline_iou": 209 / 225}),
    ],
)
def test_an_rle_is_drawn_until_its_outline_is_edited(
    new_dataset: Any, images: Any, rings: list[np.ndarray], attributes: Any
) -> None:
    label = fo.Polyline(
        label="a", points=_relative(rings), closed=True, filled=True, **attributes
    )
    label["rle"] = _rle(HOLED)
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), label)
    compute_masks(dataset)
    np.testing.assert_array_equal(mask_of(sample) > 0, HOLED)

    sample.segmentations.polylines[0].points = polyline(LEFT, "a").points
    sample.save()
    compute_masks(dataset)
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(5, 5, 20, 15))


def test_an_edit_of_an_rle_changes_only_what_it_touches(
    new_dataset: Any, images: Any
) -> None:
    rings = mask_outline(HOLED)
    (corner,) = np.flatnonzero((rings[0] == (20, 20)).all(axis=1))
    rings[0][corner] = (20, 18)
    label = fo.Polyline(
        label="a", points=_relative(rings), closed=True, filled=True, rle=_rle(HOLED)
    )
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), label)
    compute_masks(dataset)
    changed = (mask_of(sample) > 0) != HOLED
    assert changed.any()
    assert not changed[:18].any()


@pytest.mark.parametrize("rle", ["text", {"size": [HEIGHT, WIDTH], "counts": "!"}, 7])
def test_an_attribute_that_is_not_an_rle_leaves_the_points(
    new_dataset: Any, images: Any, rle: Any
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a", rle=rle))
    compute_masks(dataset)
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(5, 5, 20, 15))


def test_only_the_samples_of_a_view_change(new_dataset: Any, images: Any) -> None:
    dataset = new_dataset()
    for path in images("a.jpg", "b.jpg"):
        add(dataset, path, polyline(LEFT, "a"))
    compute_masks(dataset[:1])
    assert dataset.count("mask") == 1


def test_labels_that_cannot_be_drawn_are_counted(new_dataset: Any, images: Any) -> None:
    dataset = new_dataset()
    broken = fo.Polyline(label="a", points=[[(0.1, float("nan")), (1, 1), (0, 1)]])
    huge = fo.Polyline(label="a", points=[[(0, 0), (1e12, 0), (0, 1e12)]], filled=True)
    empty = fo.Polyline(label="a", points=[], filled=True)
    sample = add(dataset, *images("a.jpg"), broken, huge, empty, polyline(SMALL, "a"))
    report = compute_masks(dataset)
    assert report.without_geometry == 3
    assert np.count_nonzero(mask_of(sample)) == 4


def test_samples_without_labels_or_size_are_named(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    add(dataset, str(tmp_path / "missing.jpg"), polyline(LEFT, "a"))
    dataset.add_sample(fo.Sample(filepath=images("a.jpg")[0]))
    report = compute_masks(dataset)
    reasons = [item["reason"] for item in report.skipped]
    assert reasons == [
        "the size of its image cannot be read",
        "it has no labels in 'segmentations'",
    ]


def test_the_new_field_is_shown_in_the_app_with_its_classes(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    compute_masks(dataset)
    assert dataset.app_config.active_fields.paths == ["segmentations", "mask"]
    assert dataset.mask_targets["mask"] == {255: "foreground"}
    assert dataset.get_field("mask").info["cocomask"]["rasterizer"] == "coco"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "colour"}, "mode must be 'binary', 'semantic' or 'instance'"),
        ({"rasterizer": "skia"}, "rasterizer must be 'coco' or"),
        ({"storage": "tape"}, "storage must be 'disk' or"),
        ({"overlap": "random"}, "overlap must be 'largest_first'"),
        ({"label_field": "nothing"}, "has no field 'nothing'.*segmentations"),
        ({"label_field": "tags"}, "label_field= needs Polylines"),
        ({"mask_field": "filepath"}, "mask_field must not be 'filepath'"),
        ({"mask_field": "a-b"}, "mask_field must be a field name"),
        ({"mask_field": "segmentations"}, "are both"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_written(
    new_dataset: Any, images: Any, arguments: dict[str, Any], message: str
) -> None:
    dataset = new_dataset()
    add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    schema = set(dataset.get_field_schema())
    with pytest.raises(CocoMaskError, match=message):
        compute_masks(dataset, **arguments)
    assert set(dataset.get_field_schema()) == schema


def test_progress_reports_each_sample(new_dataset: Any, images: Any) -> None:
    dataset = new_dataset()
    for path in images("a.jpg", "b.jpg"):
        add(dataset, path, polyline(LEFT, "a"))
    seen: list[tuple[int, int]] = []
    compute_masks(dataset, progress=lambda bar: seen.append((bar.iteration, bar.total)))
    assert seen[-1] == (2, 2)


def test_instances_have_names_of_their_own(new_dataset: Any, images: Any) -> None:
    dataset = new_dataset()
    dataset.default_mask_targets = {1: "wing", 2: "body"}
    add(dataset, *images("a.jpg"), polyline(LEFT, "a"), polyline(RIGHT, "b"))
    compute_masks(dataset, mask_field="objects", mode="instance")
    assert dataset.mask_targets["objects"] == {1: "object 1", 2: "object 2"}
    assert dataset.app_config.color_scheme.color_by == "value"


def test_classes_have_one_colour_in_labels_and_masks(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    add(dataset, *images("a.jpg"), polyline(LEFT, "a"), polyline(RIGHT, "b"))
    chosen = {"value": "b", "color": "#123456"}
    dataset.app_config.color_scheme = fo.ColorScheme(
        color_by="field", fields=[{"path": "segmentations", "valueColors": [chosen]}]
    )
    dataset.save()
    compute_masks(dataset, mask_field="classes", mode="semantic")
    scheme = dataset.app_config.color_scheme
    # What a person chose stays.
    assert scheme.color_by == "field"
    fields = {entry["path"]: entry for entry in scheme.fields}
    labels = {e["value"]: e["color"] for e in fields["segmentations"]["valueColors"]}
    masks = fields["classes"]["maskTargetsColors"]
    assert labels["b"] == "#123456"
    assert masks == [
        {"intTarget": 1, "color": labels["a"]},
        {"intTarget": 2, "color": "#123456"},
    ]


def test_a_class_has_one_value_in_every_split_alone(
    new_dataset: Any, cases: Path
) -> None:
    export = cases / "25-zero-based-classes-apart"
    values = []
    for split in ("train", "valid", "test"):
        dataset, _ = import_roboflow_coco(export, f"case25 {split}", splits=[split])
        compute_masks(dataset, mask_field="classes", mode="semantic")
        targets = dataset.mask_targets["classes"]
        for sample in dataset:
            found = set(np.unique(sample.classes.get_mask())) - {0}
            labels = {line.label for line in sample.segmentations.polylines}
            assert {targets[value] for value in found} == labels
        values.append({name: value for value, name in targets.items()})
    assert all(value["owl"] == 3 for value in values)
    assert {value["dog"] for value in values if "dog" in value} == {2}
    assert {value["cat"] for value in values if "cat" in value} == {1}


@pytest.mark.parametrize(
    ("mode", "named"),
    [
        ("semantic", {0: "background", 1: "a"}),
        ("binary", {0: "background", 255: "wing"}),
        ("binary", {255: "wing"}),
    ],
)
def test_what_a_person_calls_the_values_of_masks_stays(
    new_dataset: Any, images: Any, mode: Any, named: dict[int, str]
) -> None:
    dataset = new_dataset()
    add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    compute_masks(dataset, mode=mode)
    dataset.mask_targets["mask"] = named
    dataset.save()
    area = evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    # The masks are what they were.
    assert area.summary()["older_masks"] == 0
    assert dataset.values("segmentations.polylines.area_visible_px") == [[150]]
    assert compute_masks(dataset, mode=mode).unchanged == 1
    assert refresh_mask_evaluations(dataset) == {}
    dataset.reload()
    assert dataset.mask_targets["mask"] == named
    alone = evaluate_mask_area(dataset, eval_key="alone").per_class()
    assert alone["class"].tolist() == [named.get(255, "a")]


def test_what_a_person_says_of_a_field_of_masks_stays(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    for mode in ("binary", "semantic"):
        compute_masks(dataset, mode=mode)
        description = dataset.get_field("mask").description
        assert description == f"{mode.capitalize()} masks of 'segmentations'"
    field = dataset.get_field("mask")
    field.description = "Checked by Ann"
    field.save()
    compute_masks(dataset)
    dataset.reload()
    assert dataset.get_field("mask").description == "Checked by Ann"


def test_a_name_that_an_option_gave_goes_with_it(new_dataset: Any, images: Any) -> None:
    dataset = new_dataset()
    add(dataset, *images("a.jpg"), polyline(LEFT, "a"), polyline(RIGHT, "b"))
    for classes, name in ((["a"], "a"), (["b"], "b"), (None, "foreground")):
        compute_masks(dataset, classes=classes)
        assert dataset.mask_targets["mask"] == {255: name}
    compute_masks(dataset, mode="semantic")
    assert dataset.mask_targets["mask"] == {1: "a", 2: "b"}


def test_another_mode_starts_from_the_dataset_s_class_values(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    dataset.default_mask_targets = {7: "a"}
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    compute_masks(dataset)
    compute_masks(dataset, mode="semantic")
    assert set(np.unique(mask_of(sample))) == {0, 7}
