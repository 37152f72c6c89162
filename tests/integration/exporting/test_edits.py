"""What people changed since the import is written as it is now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F
from pycocotools import mask as mask_utils

import fiftyone_cocomask as fcm

from ..small_export import (
    HEIGHT,
    SQUARE,
    WIDTH,
    annotation,
    image_name,
    say_project,
    write_small_export,
    write_split,
)
from .exports import read_json, rle_of, write_image, write_json


@pytest.fixture
def dataset(new_dataset: Any, tmp_path: Path) -> fo.Dataset:
    source = write_small_export(tmp_path / "source")
    return fcm.import_roboflow_coco(source, "edited")[0]


def export(samples: Any, tmp_path: Path, **options: Any) -> tuple[Path, Any]:
    report = fcm.export_roboflow_coco(samples, tmp_path / "out", **options)
    return tmp_path / "out", report


def relative(ring: list[float]) -> list[tuple[float, float]]:
    return [(x / WIDTH, y / HEIGHT) for x, y in zip(ring[::2], ring[1::2], strict=True)]


def pixels(rings: list[Any]) -> tuple[list[float], int]:
    """Returns pycocotools' box and area of the union of rings."""
    rle = mask_utils.merge(mask_utils.frPyObjects(rings, HEIGHT, WIDTH))
    return mask_utils.toBbox(rle).tolist(), int(mask_utils.area(rle))


def test_edits_are_written_and_the_rest_is_as_it_was(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    before = read_json(tmp_path / "source" / "train")
    sample = dataset.match_tags("train").first()
    wing, body = sample.segmentations.polylines
    # Moved, relabelled to a class that the export has, drawn, of a class it lacks.
    moved = [6, 5, 21.5, 5, 21.5, 16, 6, 15]
    wing.points = [relative(moved)]
    body.label = "wing"
    drawn = [30, 20, 38, 20, 38, 28]
    # As the App stores what is drawn without a schema.
    sample.segmentations.polylines.append(
        fo.Polyline(label="antenna", points=[relative(drawn)])
    )
    sample.save()
    other = dataset.match_tags("train").last()
    other.segmentations.polylines = []
    other.save()

    out, report = export(dataset, tmp_path)
    after = read_json(out / "train")

    kept, relabelled, added = after["annotations"]
    box, area = pixels([moved])
    first = before["annotations"][0]
    assert kept == {**first, "segmentation": [moved], "bbox": box, "area": area}
    assert relabelled == {**before["annotations"][1], "category_id": 1}
    box, area = pixels([drawn])
    assert added == {
        "id": 3,
        "image_id": 0,
        "category_id": 3,
        "bbox": box,
        "area": area,
        "segmentation": [drawn],
        "iscrowd": 0,
    }
    antenna = {"id": 3, "name": "antenna", "supercategory": "wing"}
    assert after["categories"] == [*before["categories"], antenna]
    assert after["images"] == before["images"]
    # Training programs number the classes by the list, so the splits' stay alike.
    valid = read_json(tmp_path / "source" / "valid")
    valid["categories"].append(antenna)
    assert read_json(out / "valid") == valid
    numbers = (report.unchanged, report.edited, report.relabelled)
    assert numbers == (1, 1, 1)
    assert (report.added, report.deleted, report.left_out) == (1, 1, 0)


def test_a_category_follows_the_name_and_never_a_stale_id(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    for sample in dataset:
        for label in sample.segmentations.polylines:
            assert label.coco_category_id in (1, 2)
            label.label = "body" if label.label == "wing" else "wing"
        sample.save()
    out, report = export(dataset, tmp_path, images="none")
    categories = [a["category_id"] for a in read_json(out / "train")["annotations"]]
    assert categories == [2, 1, 2]
    assert report.relabelled == 4


def test_area_as_roboflow_writes_it(dataset: fo.Dataset, tmp_path: Path) -> None:
    sample = dataset.match_tags("valid").first()
    triangle = [0, 0, 20, 0, 0, 10]
    sample.segmentations.polylines[0].points = [relative(triangle)]
    sample.save()
    out, _ = export(dataset, tmp_path, images="none", area="box")
    (annotation,) = read_json(out / "valid")["annotations"]
    _, _, width, height = annotation["bbox"]
    assert annotation["area"] == width * height > pixels([triangle])[1]


def test_a_box_that_was_moved_is_written_and_its_polygon_stays(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.match_tags("valid").first()
    sample.detections.detections[0].bounding_box = [0.125, 0.1, 0.25, 0.5]
    sample.save()
    out, report = export(dataset, tmp_path, images="none")
    (annotation,) = read_json(out / "valid")["annotations"]
    assert annotation["bbox"] == [5, 3, 10, 15]
    assert annotation["segmentation"] == [SQUARE]
    assert annotation["area"] == 150
    assert report.edited == 1


def test_an_edited_rle_becomes_polygons_of_its_pixels(
    new_dataset: Any, tmp_path: Path
) -> None:
    from ..small_export import annotation, image_name, write_split
    from .exports import rle_of

    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:15, 5:20] = True
    mask[8:10, 8:12] = False
    source = write_split(
        tmp_path / "source" / "train",
        [image_name("a")],
        [annotation(7, 0, segmentation=rle_of(mask), area=142)],
    )
    dataset, _ = fcm.import_roboflow_coco(source.parent, "rle")
    sample = dataset.first()
    label = sample.segmentations.polylines[0]
    points = np.array(label.points[0])
    points[points[:, 0] == points[:, 0].max(), 0] = 25 / WIDTH
    label.points = [points.tolist()]
    sample.save()
    out, report = export(dataset, tmp_path, images="none")

    (written,) = read_json(out / "train")["annotations"]
    mask[5:15, 5:25] = True
    mask[8:10, 8:12] = False
    drawn = mask_utils.decode(
        mask_utils.merge(mask_utils.frPyObjects(written["segmentation"], HEIGHT, WIDTH))
    )
    assert (drawn == mask).all()
    assert written["area"] == mask.sum()
    assert written["id"] == 7
    assert report.edited == 1


def test_attributes_keep_their_places_and_new_ones_are_written(
    new_dataset: Any, tmp_path: Path
) -> None:
    from ..small_export import annotation, image_name, write_split

    annotations = [
        annotation(0, 0, attributes={"occluded": False, "a.b": 2}),
        annotation(1, 0, attributes={"occluded": True, "a.b": 3}),
    ]
    source = write_split(tmp_path / "source" / "train", [image_name("a")], annotations)
    dataset, _ = fcm.import_roboflow_coco(source.parent, "attributes")
    sample = dataset.first()
    sample.segmentations.polylines[0]["occluded"] = True
    sample.segmentations.polylines[0]["checked"] = "yes"
    sample.save()
    out, _ = export(dataset, tmp_path, images="none")
    found = [a["attributes"] for a in read_json(out / "train")["annotations"]]
    assert found == [
        {"occluded": True, "a.b": 2, "checked": "yes"},
        {"occluded": True, "a.b": 3},
    ]


def test_an_attribute_that_other_images_have_is_an_edit(
    new_dataset: Any, tmp_path: Path
) -> None:
    names = [image_name("a"), image_name("b")]
    annotations = [annotation(0, 0, occluded=True), annotation(1, 1)]
    write_split(tmp_path / "source", names, annotations)
    dataset, _ = fcm.import_roboflow_coco(tmp_path / "source", "edited")
    sample = dataset.last()
    sample.segmentations.polylines[0]["occluded"] = False
    sample.save()

    out, report = export(dataset, tmp_path)
    assert (report.unchanged, report.edited) == (1, 1)
    annotations[1]["occluded"] = False
    assert read_json(out)["annotations"] == annotations


def test_attributes_that_were_taken_away_are_not_written_again(
    new_dataset: Any, tmp_path: Path
) -> None:
    # The first has none, so that of the others the JSON's own text is kept.
    both = {"occluded": True, "a.b": 1, "none": None}
    annotations = [
        annotation(0, 0),
        annotation(1, 0, category_id=2, attributes=both, depth=3),
        annotation(2, 1, attributes=both, depth=3),
        annotation(3, 1, category_id=2, attributes={"occluded": "text", "a.b": 2}),
    ]
    names = [image_name("a"), image_name("b")]
    source = write_split(tmp_path / "source" / "train", names, annotations)
    dataset, _ = fcm.import_roboflow_coco(source.parent, "attributes")
    sample = dataset.first()
    # Where one of the two labels is changed, it says what the object has.
    del sample.segmentations.polylines[1]["occluded"]
    sample.segmentations.polylines[1]["depth"] = None
    sample.save()
    other = dataset.last()
    del other.detections.detections[1]["occluded_text"]
    other.save()
    out, report = export(dataset, tmp_path, images="none")
    first, edited, kept, other_edited = read_json(out / "train")["annotations"]
    assert (first, kept) == (annotations[0], annotations[2])
    assert edited["attributes"] == {"a.b": 1, "none": None}
    assert "depth" not in edited
    assert other_edited["attributes"] == {"a.b": 2}
    assert (report.unchanged, report.edited) == (2, 2)


def test_evaluations_stay_in_the_dataset(dataset: fo.Dataset, tmp_path: Path) -> None:
    fcm.compute_masks(dataset)
    fcm.evaluate_mask_area(dataset, label_field="segmentations")
    out, report = export(dataset, tmp_path, images="none")
    for split in ("train", "valid"):
        assert read_json(out / split) == read_json(tmp_path / "source" / split)
    assert report.unchanged == report.annotations == 4


def test_fiftyones_evaluations_stay_in_the_dataset_too(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    for sample in dataset.iter_samples(autosave=True):
        made = [box.copy() for box in sample.detections.detections]
        for box in made:
            box.confidence = 0.5
        sample["model"] = fo.Detections(detections=made)
    dataset.evaluate_detections("model", gt_field="detections", eval_key="eval")
    assert dataset.first().detections.detections[0]["eval"] == "tp"
    out, _ = export(dataset, tmp_path, images="none")
    for split in ("train", "valid"):
        assert read_json(out / split) == read_json(tmp_path / "source" / split)
    boxes, _ = export(dataset, tmp_path / "boxes", label_field="detections")
    for written in read_json(boxes / "train")["annotations"]:
        assert not any(name.startswith("eval") for name in written)


def test_new_attributes_of_either_label_are_written(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    # Of masks, evaluations write nothing on labels.
    fcm.compute_masks(dataset)
    dataset.evaluate_segmentations("mask", gt_field="mask", eval_key="quality")
    sample = dataset.match_tags("train").first()
    lines, boxes = sample.segmentations.polylines, sample.detections.detections
    boxes[0]["quality"] = 3
    # The box says what is new of this one, and the polygon too.
    lines[1]["checked"] = "yes"
    boxes[1].bounding_box = [0.1, 0.1, 0.3, 0.3]
    sample.save()
    out, report = export(dataset, tmp_path, images="none")
    first, second, _ = read_json(out / "train")["annotations"]
    assert (first["quality"], second["checked"]) == (3, "yes")
    assert (report.unchanged, report.edited) == (3, 1)


def test_a_view_writes_what_it_shows(dataset: fo.Dataset, tmp_path: Path) -> None:
    view = dataset.match_tags("train").filter_labels(
        "segmentations", F("label") == "body"
    )
    out, report = export(view, tmp_path, images="none")
    assert [a["id"] for a in read_json(out / "train")["annotations"]] == [1]
    assert not (out / "valid").exists()
    assert (report.left_out, report.deleted, report.unchanged) == (1, 0, 1)


def test_a_view_loses_what_its_images_lost_and_no_more(
    new_dataset: Any, tmp_path: Path
) -> None:
    # Each has neither a box nor a shape, which are two reasons.
    lost = [annotation(n, n, segmentation=[[1, 2]], bbox=[0, 0, 0, 0]) for n in (0, 1)]
    names = [image_name("a"), image_name("b"), image_name("c")]
    write_split(tmp_path / "source" / "train", names, [*lost, annotation(2, 2)])
    dataset, _ = fcm.import_roboflow_coco(tmp_path / "source", "lost")
    for number, samples in enumerate((dataset[2:], dataset[:1], dataset)):
        _, report = export(samples, tmp_path / str(number), images="none")
        found = [loss["annotation_id"] for loss in report.losses]
        assert found == [[], [0], [0, 1]][number]
        assert report.num_losses == number


@pytest.mark.parametrize(
    "hide",
    [
        lambda samples: samples.select_fields(["segmentations", "detections"]),
        lambda samples: samples.exclude_fields(["split", "import_base", "coco_id"]),
        lambda samples: samples.exclude_fields("split").match_tags("train"),
        lambda samples: samples.select_fields(meta_filter={"type": "Polylines"}),
    ],
)
def test_a_view_that_hides_fields_writes_the_same(
    dataset: fo.Dataset, tmp_path: Path, hide: Any
) -> None:
    first, last = dataset.match_tags("train")
    first.segmentations.polylines[0].points = [relative([6, 5, 21.5, 5, 21.5, 16])]
    first.save()
    # Its box is still there.
    last.segmentations.polylines = []
    last.save()
    view = hide(dataset)
    shown = dataset if len(view) == 3 else dataset.match_tags("train")
    expected = export(shown, tmp_path / "whole")
    hidden = export(view, tmp_path / "hidden")
    for split in shown.distinct("split"):
        assert read_json(hidden[0] / split) == read_json(expected[0] / split)
    counts = [
        (r.unchanged, r.edited, r.deleted, r.splits) for _, r in (expected, hidden)
    ]
    assert counts[0] == counts[1]
    assert (hidden[1].edited, hidden[1].deleted) == (1, 1)
    assert fcm.compare_exports(hidden[0], view).is_same


def test_a_copied_label_gets_an_id_of_its_own(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.match_tags("valid").first()
    sample.segmentations.polylines.append(sample.segmentations.polylines[0].copy())
    sample.save()
    out, report = export(dataset, tmp_path, images="none")
    assert [a["id"] for a in read_json(out / "valid")["annotations"]] == [0, 1]
    assert report.added == 1


def test_a_label_that_is_there_twice_is_written_twice(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    """A program has appended the very label, and so its id."""
    sample = dataset.match_tags("valid").first()
    lines, boxes = sample.segmentations.polylines, sample.detections.detections
    drawn = fo.Polyline(label="body", points=[relative([1, 1, 4, 1, 4, 6])])
    lines += [lines[0], drawn, drawn]
    boxes.append(boxes[0])
    sample.save()
    assert dataset.count("segmentations.polylines") == 7
    out, report = export(dataset, tmp_path, images="none")
    shapes = [a["segmentation"] for a in read_json(out / "valid")["annotations"]]
    drawn_ring = [[1, 1, 4, 1, 4, 6]]
    assert sorted(shapes) == [drawn_ring, drawn_ring, [SQUARE], [SQUARE]]
    assert (report.unchanged, report.added) == (4, 3)


def test_edits_of_a_field_that_was_renamed_are_written_and_counted(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    dataset.rename_sample_fields({"segmentations": "polygons", "detections": "boxes"})
    sample = dataset.match_tags("train").first()
    moved = [6, 5, 21.5, 5, 21.5, 16, 6, 15]
    sample.polygons.polylines[0].points = [relative(moved)]
    sample.polygons.polylines[1].label = "wing"
    sample.save()
    fields = {"label_field": "polygons", "box_field": "boxes"}
    out, report = export(dataset, tmp_path, images="none", **fields)
    first = read_json(out / "train")["annotations"][0]
    assert (first["bbox"], first["area"]) == pixels([moved])
    assert (report.edited, report.relabelled, report.added) == (1, 1, 0)


@pytest.mark.parametrize("renamed", [False, True])
def test_edits_of_an_import_into_other_fields_are_written_and_counted(
    new_dataset: Any, tmp_path: Path, renamed: bool
) -> None:
    source = write_small_export(tmp_path / "source")
    fields = {"label_field": "polys", "box_field": "rects"}
    dataset, _ = fcm.import_roboflow_coco(source, "edited", **fields)
    if renamed:
        dataset.rename_sample_fields({"polys": "polygons", "rects": "boxes"})
        fields = {"label_field": "polygons", "box_field": "boxes"}
    sample = dataset.match_tags("train").first()
    moved = [6, 5, 21.5, 5, 21.5, 16, 6, 15]
    sample[fields["label_field"]].polylines[0].points = [relative(moved)]
    sample[fields["label_field"]].polylines[1].label = "wing"
    sample.save()
    other = dataset.match_tags("train").last()
    deleted = len(other[fields["label_field"]].polylines)
    other[fields["label_field"]].polylines = []
    other.save()
    out, report = export(dataset, tmp_path, images="none", **fields)
    first = read_json(out / "train")["annotations"][0]
    assert (first["bbox"], first["area"]) == pixels([moved])
    assert (report.edited, report.relabelled, report.added) == (1, 1, 0)
    assert report.deleted == deleted > 0


def test_an_import_into_other_fields_comes_back_with_its_boxes(
    new_dataset: Any, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    # The second has a box alone.
    boxed = annotation(1, 0, segmentation=[], bbox=[1, 2, 30, 20], area=600)
    write_split(source / "train", [image_name("a")], [annotation(0, 0), boxed])
    fields = {"label_field": "polys", "box_field": "rects"}
    dataset, _ = fcm.import_roboflow_coco(source, "edited", **fields)
    fcm.import_roboflow_coco(write_small_export(tmp_path / "other"), dataset)
    out, report = export(dataset, tmp_path, images="none", **fields)
    written = read_json(out / "train")["annotations"]
    assert written == read_json(source / "train")["annotations"]
    assert report.unchanged == 2
    view = dataset.match({"file_name": image_name("a")})
    assert fcm.compare_exports(source, view, label_field="polys").is_same
    # The boxes of the labels that are given, not those of another import.
    only = {"images": "none", "overwrite": True, "label_field": "polys"}
    out, _ = export(dataset, tmp_path, **only)
    assert read_json(out / "train")["annotations"] == written
    dataset.delete_sample_fields(["segmentations", "detections"])
    out, _ = export(dataset, tmp_path, **only)
    assert read_json(out / "train")["annotations"] == written


@pytest.mark.parametrize("are_projects", [False, True])
def test_of_two_imports_each_comes_back_as_it_was(
    new_dataset: Any, tmp_path: Path, are_projects: bool
) -> None:
    names = [image_name("a"), image_name("b")]
    first = write_split(
        tmp_path / "first" / "train",
        names,
        [annotation(0, 0, depth=3), annotation(1, 1, category_id=2)],
    )
    second = write_split(
        tmp_path / "second" / "train",
        names,
        [annotation(7, 1, category_id=5, attributes={"seen": True})],
        info={"year": "2027", "version": "9"},
        licenses=[],
        categories=[{"id": 5, "name": "eye", "supercategory": "none"}],
    )
    if are_projects:
        say_project(first.parent, "wings")
        say_project(second.parent, "eyes")
    fields = {"label_field": "polys", "box_field": "rects"}
    dataset, _ = fcm.import_roboflow_coco(first.parent, "edited")
    fcm.import_roboflow_coco(second.parent, dataset, **fields)
    wanted = {"images": "none", "overwrite": True}
    for again in (False, True):
        if again:
            # What an import knows is not lost by importing another one.
            fcm.import_roboflow_coco(first.parent, dataset)
        out, report = export(dataset, tmp_path, **wanted)
        assert read_json(out / "train") == read_json(first)
        assert (report.unchanged, report.annotations) == (2, 2)
        out, report = export(dataset, tmp_path, **wanted, **fields)
        assert read_json(out / "train") == read_json(second)
        assert (report.unchanged, report.annotations) == (1, 1)
    sample = dataset.last()
    moved = [6, 5, 21.5, 5, 21.5, 16, 6, 15]
    sample.polys.polylines[0].points = [relative(moved)]
    sample.save()
    out, report = export(dataset, tmp_path, **wanted, **fields)
    (entry,) = read_json(out / "train")["annotations"]
    assert (entry["bbox"], entry["area"]) == pixels([moved])
    assert report.edited == 1


def test_edits_of_polygons_without_a_field_of_boxes_are_written_and_counted(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    dataset.delete_sample_field("detections")
    out, report = export(dataset, tmp_path, images="none")
    for split in ("train", "valid"):
        source = read_json(tmp_path / "source" / split)["annotations"]
        for each in source:
            each["bbox"] = pixels(each["segmentation"])[0]
        assert read_json(out / split)["annotations"] == source
    assert report.unchanged == 4
    sample = dataset.match_tags("train").first()
    moved = [6, 5, 21.5, 5, 21.5, 16, 6, 15]
    sample.segmentations.polylines[0].points = [relative(moved)]
    sample.segmentations.polylines[1].label = "wing"
    sample.save()
    other = dataset.match_tags("train").last()
    other.segmentations.polylines = []
    other.save()
    out, report = export(dataset, tmp_path, images="none", overwrite=True)
    first, second = read_json(out / "train")["annotations"]
    assert (first["bbox"], first["area"]) == pixels([moved])
    assert second["area"] == 150
    found = report.unchanged, report.edited, report.relabelled, report.deleted
    assert found == (1, 1, 1, 1)


def test_edits_of_boxes_alone_are_written_and_counted(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.match_tags("train").first()
    sample.detections.detections[0].bounding_box = [0.25, 0.1, 0.5, 0.2]
    sample.detections.detections.pop()
    sample.save()
    out, report = export(dataset, tmp_path, images="none", label_field="detections")
    first, second = read_json(out / "train")["annotations"]
    # Of an image of 40 x 30 pixels.
    assert (first["bbox"], first["area"]) == ([10, 3, 20, 6], 120)
    assert (second["bbox"], second["area"]) == ([5, 5, 15, 10], 150)
    found = report.unchanged, report.edited, report.relabelled, report.deleted
    assert found == (2, 1, 0, 1)


def test_labels_of_others_are_not_taken_for_a_renamed_field(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    for sample in dataset:
        lines = [line.copy() for line in sample.segmentations.polylines]
        sample["others"] = fo.Polylines(polylines=lines)
        sample.save()
    dataset.add_dynamic_sample_fields()
    dataset.delete_sample_field("segmentations")
    out, report = export(dataset, tmp_path, images="none", label_field="others")
    ids = [a["id"] for a in read_json(out / "train")["annotations"]]
    source = read_json(tmp_path / "source" / "train")["annotations"]
    assert ids == [a["id"] for a in source]
    assert (report.deleted, report.added) == (0, 0)


def test_boxes_are_not_written_alone_where_their_polygons_have_another_name(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    dataset.rename_sample_field("segmentations", "polygons")
    with pytest.raises(fcm.CocoMaskError, match="it has polygons, detections"):
        export(dataset, tmp_path)
    assert not (tmp_path / "out").exists()
    out, _ = export(dataset, tmp_path, label_field="polygons")
    source = read_json(tmp_path / "source" / "train")["annotations"]
    assert [a["segmentation"] for a in read_json(out / "train")["annotations"]] == [
        a["segmentation"] for a in source
    ]


def test_images_in_a_new_split_are_described_as_where_they_came_from(
    new_dataset: Any, tmp_path: Path
) -> None:
    names = [image_name("a"), image_name("b")]
    nested = {"a.b": {"_cls": "x"}, "occluded": True}
    annotations = [annotation(n, n, attributes=nested) for n in range(2)]
    source = write_split(tmp_path / "source" / "train", names, annotations)
    dataset, _ = fcm.import_roboflow_coco(source.parent, "edited")
    sample = dataset.last()
    sample.split = "valid"
    sample.save()
    out, report = export(dataset, tmp_path)
    whole = read_json(source)
    for number, split in enumerate(("train", "valid")):
        images, made = whole["images"][number : number + 1], annotations[number:][:1]
        expected = {**whole, "images": images, "annotations": made}
        assert read_json(out / split) == expected
    assert report.unchanged == 2
    # What moves to a split of another form keeps its own.
    other = write_split(tmp_path / "other" / "test", [image_name("c")], [])
    fcm.import_roboflow_coco(other.parent, dataset)
    sample.split = "test"
    sample.save()
    out, _ = export(dataset, tmp_path / "again")
    (moved,) = read_json(out / "test")["annotations"]
    assert moved["attributes"] == nested


def test_an_added_image_goes_into_the_split_that_its_tag_names(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    added = tmp_path / "added.jpg"
    write_image(added, WIDTH, HEIGHT)
    ring = [relative(SQUARE)]
    shape = fo.Polyline(label="body", points=ring, closed=True, filled=True)
    labels = fo.Polylines(polylines=[shape])
    tags = ["valid", "night", "valid"]
    sample = fo.Sample(str(added), tags=tags, segmentations=labels)
    plain = fo.Sample(str(tmp_path / "source" / "without.jpg"))
    write_image(Path(plain.filepath), WIDTH, HEIGHT)
    dataset.add_samples([sample, plain])
    out, report = export(dataset, tmp_path)
    found = read_json(out / "valid")
    assert [image["file_name"] for image in found["images"]] == [
        image_name("c"),
        "added.jpg",
    ]
    assert [a["category_id"] for a in found["annotations"]] == [1, 2]
    assert {name: n["images"] for name, n in report.splits.items()} == {
        "default": 1,
        "train": 2,
        "valid": 2,
    }
    assert read_json(out / "default")["categories"] == found["categories"]
    # The dataset takes its own export in without a change of splits or labels.
    _, again = fcm.import_roboflow_coco(out, dataset)
    merged = {name: n for name, n in again.merge.to_dict().items() if n}
    assert merged == {}
    assert dataset.count("segmentations.polylines") == 5


@pytest.mark.parametrize("drawn", [{}, {"closed": True}, {"filled": True}])
def test_what_was_drawn_is_not_there_twice_after_its_own_export(
    dataset: fo.Dataset, tmp_path: Path, drawn: dict[str, bool]
) -> None:
    sample = dataset.first()
    ring = [relative([20, 15, 36, 15, 36, 27])]
    # As the App stores what is drawn without a schema.
    line = fo.Polyline(label="wing", points=ring, **drawn)
    sample.segmentations.polylines.append(line)
    sample.save()
    for number in range(2):
        out, report = export(dataset, tmp_path / str(number))
        assert report.annotations == 5
        _, again = fcm.import_roboflow_coco(out, dataset)
        assert again.merge.labels_added == again.merge.conflicts == 0
        assert again.merge.edits_kept == 1
        kept = dataset.first().segmentations.polylines
        assert len(kept) == 3
        # It stays as it was drawn.
        assert (kept[2].id, kept[2].closed, kept[2].filled) == (
            line.id,
            drawn.get("closed", False),
            drawn.get("filled", False),
        )


def test_an_edited_rle_is_no_conflict_with_its_own_export(
    new_dataset: Any, tmp_path: Path
) -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:15, 5:20] = True
    mask[8:10, 8:12] = False
    annotations = [annotation(0, 0, segmentation=rle_of(mask), area=142)]
    write_split(tmp_path / "source" / "train", [image_name("a")], annotations)
    dataset, _ = fcm.import_roboflow_coco(tmp_path / "source", "rle")
    sample = dataset.first()
    (label,) = sample.segmentations.polylines
    label.points = [[(x + 0.1, y) for x, y in ring] for ring in label.points]
    sample.save()
    out, report = export(dataset, tmp_path)
    assert report.edited == 1
    _, again = fcm.import_roboflow_coco(out, dataset)
    assert not any(again.merge.to_dict().values())
    assert "merge_conflict" not in dataset.first().tags
    # Afterwards it is what it was exported as.
    out, report = export(dataset, tmp_path / "again")
    assert report.unchanged == 1
    assert read_json(out / "train") == read_json(tmp_path / "out" / "train")


def test_what_an_export_rounds_is_no_other_version(
    new_dataset: Any, tmp_path: Path
) -> None:
    # As Roboflow writes numbers: exports have nine decimals of them.
    thirds = [[x / 3 for x in [5, 5, 20, 5, 20, 15, 5, 16]]]
    box = [5 / 3, 5 / 3, 5, 11 / 3]
    annotations = [
        annotation(n, n, segmentation=thirds, bbox=box, area=17.5) for n in range(3)
    ]
    names = [image_name(name) for name in "abc"]
    write_split(tmp_path / "source" / "train", names, annotations)
    dataset, _ = fcm.import_roboflow_coco(tmp_path / "source", "rounded")
    first, second, _ = dataset
    # Without its box; without its polygon; as it was.
    first.detections.detections = []
    first.save()
    second.segmentations.polylines = []
    second.save()
    out, report = export(dataset, tmp_path)
    assert (report.edited, report.deleted, report.unchanged) == (1, 1, 1)
    _, again = fcm.import_roboflow_coco(out, dataset)
    merged = {name: n for name, n in again.merge.to_dict().items() if n}
    assert merged == {"edits_kept": 1, "labels_deleted": 1}
    assert dataset.count("detections.detections") == 1
    before = read_json(out / "train")["annotations"]
    out, report = export(dataset, tmp_path / "again")
    assert (report.edited, report.unchanged) == (1, 1)
    assert read_json(out / "train")["annotations"] == before
    # A polygon that was deleted is another version than one that has changed.
    sample = dataset.last()
    sample.segmentations.polylines = []
    sample.save()
    document = read_json(out / "train")
    document["annotations"][1]["segmentation"] = [[2, 2, 6, 2, 6, 5, 2, 5]]
    write_json(out / "train", document)
    _, again = fcm.import_roboflow_coco(out, dataset)
    assert again.merge.conflicts == 1


def _with_both_labels_edited(sample: fo.Sample, edit: str) -> None:
    """Moves a polygon, and does something else with its box."""
    line, box = sample.segmentations.polylines[0], sample.detections.detections[0]
    line.points = [relative([6, 5, 21.5, 5, 21.5, 16, 6, 15])]
    if edit == "deleted":
        sample.detections.detections.remove(box)
    elif edit == "moved":
        box.bounding_box = [0.2, 0.2, 0.3, 0.3]
    elif edit == "relabelled":
        box.label = "body"
    elif edit == "both relabelled":
        line.label = box.label = "antenna"


@pytest.mark.parametrize(
    "edit", ["deleted", "moved", "relabelled", "both relabelled", "left"]
)
def test_an_edited_polygon_is_no_conflict_with_its_own_export(
    dataset: fo.Dataset, tmp_path: Path, edit: str
) -> None:
    sample = dataset.first()
    _with_both_labels_edited(sample, edit)
    sample.save()
    boxes = [(box.id, box.bounding_box) for box in sample.detections.detections]
    out, report = export(dataset, tmp_path)
    assert report.edited == 1
    written = read_json(out / "train")["annotations"][0]
    # Whoever relabels only the box means the object.
    label = {"relabelled": "body", "both relabelled": "antenna"}.get(edit, "wing")
    categories = {c["id"]: c["name"] for c in read_json(out / "train")["categories"]}
    assert categories[written["category_id"]] == label
    for _ in range(2):
        _, again = fcm.import_roboflow_coco(out, dataset)
        merged = {name: n for name, n in again.merge.to_dict().items() if n}
        is_kept = edit in ("deleted", "moved")
        assert merged == ({"edits_kept": 1} if is_kept else {})
        dataset.reload()
        sample = dataset.first()
        assert sample.tags == ["train"]
        lines, found = sample.segmentations.polylines, sample.detections.detections
        assert [(x.label, len(x.points[0])) for x in lines] == [(label, 4), ("body", 3)]
        if is_kept:
            assert [(box.id, box.bounding_box) for box in found] == boxes
        else:
            assert [box.label for box in found] == [label, "body"]
            left, top, width, height = found[0].bounding_box
            measured = [left * WIDTH, top * HEIGHT, width * WIDTH, height * HEIGHT]
            assert measured == pytest.approx(written["bbox"])


def test_a_box_that_was_relabelled_is_written_where_its_polygon_was_edited(
    new_dataset: Any, tmp_path: Path
) -> None:
    annotations = [annotation(0, 0, occluded=False)]
    source = write_split(tmp_path / "source" / "train", [image_name("a")], annotations)
    dataset, _ = fcm.import_roboflow_coco(source.parent, "edited")
    sample = dataset.first()
    moved = [6, 5, 21.5, 5, 21.5, 16, 6, 15]
    sample.segmentations.polylines[0].points = [relative(moved)]
    sample.detections.detections[0].label = "body"
    sample.detections.detections[0]["occluded"] = True
    sample.save()
    out, _ = export(dataset, tmp_path, images="none")
    (written,) = read_json(out / "train")["annotations"]
    assert (written["category_id"], written["occluded"]) == (2, True)
    assert (written["bbox"], written["area"]) == pixels([moved])


@pytest.mark.parametrize(
    "says_more",
    [
        {"confidence": 0.5},
        {"attributes": {"color": fo.CategoricalAttribute(value="red")}},
        {"score": 0.25},
        {"label": None},
        {"label": " wing"},
        {"label": "wing", "filled": False},
    ],
)
@pytest.mark.parametrize("is_added", [True, False])
def test_what_an_export_cannot_say_is_no_conflict_with_it(
    dataset: fo.Dataset, tmp_path: Path, says_more: dict[str, Any], is_added: bool
) -> None:
    sample = dataset.first()
    line = sample.segmentations.polylines[0]
    if is_added:
        ring = [relative([20, 15, 36, 15, 36, 27])]
        line = fo.Polyline(label="wing", points=ring, closed=True, filled=True)
        sample.segmentations.polylines.append(line)
    for name, value in says_more.items():
        line[name] = value
    sample.save()
    number = len(sample.segmentations.polylines)
    out, _ = export(dataset, tmp_path)
    for _ in range(2):
        _, again = fcm.import_roboflow_coco(out, dataset)
        assert (again.merge.conflicts, again.merge.labels_added) == (0, 0)
        assert dataset.first().tags == ["train"]
    dataset.reload()
    lines = dataset.first().segmentations.polylines
    (found,) = (x for x in lines if x.id == line.id)
    assert len(lines) == number
    # Nothing of it is lost.
    for name, value in says_more.items():
        assert str(found[name]) == str(value)
    again_out, _ = export(dataset, tmp_path / "again")
    assert read_json(again_out / "train") == read_json(out / "train")


@pytest.mark.parametrize("masks", ["rle", "polygons"])
@pytest.mark.parametrize("is_added", [True, False])
def test_a_painted_mask_is_there_once_after_its_own_export(
    new_dataset: Any, tmp_path: Path, masks: str, is_added: bool
) -> None:
    annotations = [annotation(0, 0), annotation(1, 0, segmentation=[], category_id=2)]
    write_split(tmp_path / "source" / "train", [image_name("a")], annotations)
    dataset, _ = fcm.import_roboflow_coco(tmp_path / "source", "painted")
    sample = dataset.first()
    # Most of its box is empty.
    mask = np.zeros((10, 15), bool)
    mask[1:4, 2:6] = mask[3:6, 4:5] = True
    box = sample.detections.detections[1]
    if is_added:
        box = fo.Detection(label="body", bounding_box=[0.5, 0.5, 0.375, 1 / 3])
        sample.detections.detections.append(box)
    box.mask = mask
    sample.save()
    for number in range(2):
        out, report = export(dataset, tmp_path / str(number), masks=masks)
        assert report.annotations == 2 + is_added
        assert report.added == (is_added and number == 0)
        assert report.edited == 1 - report.added
        _, again = fcm.import_roboflow_coco(out, dataset)
        merged = {name: n for name, n in again.merge.to_dict().items() if n}
        assert merged == {"edits_kept": 1}
        dataset.reload()
        sample = dataset.first()
        assert len(sample.segmentations.polylines) == 1
        assert len(sample.detections.detections) == 2 + is_added
        (kept,) = (x for x in sample.detections.detections if x.id == box.id)
        assert (kept.mask == mask).all()
    first, second = (read_json(tmp_path / n / "out" / "train") for n in "01")
    assert second == first
    # Whoever deletes it has deleted it.
    sample.detections.detections.remove(kept)
    sample.save()
    fcm.import_roboflow_coco(out, dataset)
    assert dataset.count("detections.detections") == 1 + is_added
    _, report = export(dataset, tmp_path / "deleted")
    assert (report.annotations, report.deleted) == (1 + is_added, 1)


def test_a_polygon_that_was_made_anew_is_no_conflict_with_its_own_export(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.first()
    line = sample.segmentations.polylines[0]
    # As programs store what they have edited: under another id, and not filled.
    anew = fo.Polyline(label="antenna", points=[list(map(tuple, line.points[0]))])
    sample.segmentations.polylines[0] = anew
    sample.save()
    out, _ = export(dataset, tmp_path)
    _, again = fcm.import_roboflow_coco(out, dataset)
    assert again.merge.conflicts == again.merge.labels_added == 0
    lines = dataset.first().segmentations.polylines
    assert [(x.id, x.label) for x in lines] == [
        (anew.id, "antenna"),
        (lines[1].id, "body"),
    ]


def test_a_deleted_polygon_whose_box_has_a_tag_is_no_conflict_with_its_own_export(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.first()
    sample.detections.detections[0].tags = ["good"]
    del sample.segmentations.polylines[0]
    sample.save()
    for number in range(2):
        out, report = export(dataset, tmp_path / str(number))
        assert (report.annotations, report.deleted) == (3, 1)
        _, again = fcm.import_roboflow_coco(out, dataset)
        assert (again.merge.conflicts, again.merge.edits_kept) == (0, 1)
        assert dataset.first().detections.detections[0].tags == ["good"]


def test_a_polygon_that_was_moved_out_of_the_image_comes_back_from_its_own_export(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.first()
    line = sample.segmentations.polylines[0]
    moved = [WIDTH - 8, 5, WIDTH + 15, 8, WIDTH - 6, 16]
    line.points = [relative(moved)]
    sample.save()
    out, _ = export(dataset, tmp_path)
    written = read_json(out / "train")["annotations"][0]
    assert (written["segmentation"], written["bbox"]) == ([moved], pixels([moved])[0])
    again, _ = fcm.import_roboflow_coco(out, "again")
    assert again.count("segmentations.polylines") == 4
    back, _ = export(again, tmp_path / "back")
    assert read_json(back / "train") == read_json(out / "train")


def test_a_copy_and_its_moved_original_are_each_there_once_after_their_export(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.first()
    line = sample.segmentations.polylines[0]
    sample.segmentations.polylines.append(line.copy())
    # Far from where it was.
    line.points = [relative([24, 16, 39, 16, 39, 26, 24, 26])]
    sample.save()
    ids = [x.id for x in sample.segmentations.polylines]
    out, _ = export(dataset, tmp_path)
    _, again = fcm.import_roboflow_coco(out, dataset)
    assert not any(again.merge.to_dict().values())
    lines = dataset.first().segmentations.polylines
    assert [(x.id, round(x.points[0][0][0] * WIDTH)) for x in lines] == [
        (ids[0], 24),
        (ids[1], 0),
        (ids[2], 5),
    ]


def test_a_polygon_that_was_drawn_again_keeps_the_id_of_its_export(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.first()
    lines = sample.segmentations.polylines
    # Just as it was, but for its own id.
    points = [list(map(tuple, lines[1].points[0]))]
    drawn = fo.Polyline(label="body", points=points, closed=True, filled=True)
    lines[1] = drawn
    sample.save()
    out, _ = export(dataset, tmp_path)
    _, again = fcm.import_roboflow_coco(out, dataset)
    assert (again.merge.conflicts, again.merge.labels_added) == (0, 0)
    _, report = export(dataset, tmp_path / "again")
    assert (report.unchanged, report.added, report.deleted) == (4, 0, 0)
    assert read_json(tmp_path / "again" / "out" / "train") == read_json(out / "train")


def test_the_box_of_a_thin_polygon_comes_back_from_its_own_export(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.first()
    thin = [2, 10.2, 16, 10.4, 30, 10.6, 2, 11.5]
    sample.segmentations.polylines[0].points = [relative(thin)]
    sample.save()
    out, _ = export(dataset, tmp_path)
    box = pixels([thin])[0]
    # Its end is thinner than a pixel.
    assert box[0] + box[2] < 27
    assert read_json(out / "train")["annotations"][0]["bbox"] == box
    _, report = fcm.import_roboflow_coco(out, dataset)
    assert not any(report.merge.to_dict().values())
    back, _ = export(dataset, tmp_path / "back")
    assert read_json(back / "train") == read_json(out / "train")


@pytest.mark.parametrize(
    "url", ["https://public.roboflow.com/object-detection/undefined", ""]
)
def test_an_export_of_a_project_is_another_version_of_it(
    new_dataset: Any, tmp_path: Path, url: str
) -> None:
    """Its JSON names none, as those of Roboflow: what it is of is in a README."""
    info = {"year": "2026", "version": "3", "url": url}
    names = [image_name("a"), image_name("b")]
    annotations = [annotation(number, number) for number in range(2)]
    source = tmp_path / "source"
    write_split(source / "train", names, annotations, info=info)
    say_project(source, "butterflies")
    dataset, _ = fcm.import_roboflow_coco(source, "project")
    sample = dataset.first()
    sample.detections.detections[0].label = "body"
    sample.save()
    last = dataset.last()
    last.segmentations.polylines[0].points = [relative([6, 5, 21.5, 5, 21.5, 16])]
    last.save()
    out, _ = export(dataset, tmp_path)
    _, again = fcm.import_roboflow_coco(out, dataset)
    assert not any(again.merge.to_dict().values())
    assert dataset.count("segmentations.polylines") == 2
    assert dataset.first().segmentations.polylines[0].label == "body"
