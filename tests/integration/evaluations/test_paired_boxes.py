"""What a person does to a polygon in the patches of an issue is done to its box."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

from fiftyone_cocomask import (
    CocoMaskError,
    clear_mask_issues,
    delete_objects,
    find_mask_issues,
    fix_mask_issues,
    import_roboflow_coco,
    merge_classes,
    undo_mask_fixes,
)
from fiftyone_cocomask.datasets.issues import follow_edits
from fiftyone_cocomask.datasets.issues.counts import issue_counts
from fiftyone_cocomask.datasets.reviewing import Queue, mark_checked

from ..small_export import (
    annotation,
    image_name,
    say_project,
    write_small_export,
    write_split,
)
from .conftest import Samples, polyline

# 4 px each, so tiny; and one of 150 px.
SMALL = ((1, 1, 3, 3), (10, 20, 12, 22), (30, 1, 32, 3))
LARGE = (5, 5, 20, 15)


@pytest.fixture
def searched(samples: Samples) -> Samples:
    """Polygons 0 to 2, which are tiny, and 3; each has a box, one with a tag."""
    corners = [*SMALL, LARGE]
    lines = [polyline(box, "a", coco_id=i) for i, box in enumerate(corners)]
    # A triangle, which has no issue.
    lines[3].points = [[(0.1, 0.1), (0.5, 0.2), (0.3, 0.6)]]
    boxes = [
        fo.Detection(label="a", bounding_box=[0.1, 0.1, 0.2, 0.2], coco_id=i)
        for i in range(4)
    ]
    boxes[0].tags = ["mine"]
    sample = samples.add("a.jpg", lines=lines)
    sample["detections"] = fo.Detections(detections=boxes)
    sample.save()
    samples.dataset.add_dynamic_sample_fields()
    find_mask_issues(samples.dataset, mask_field=None)
    return samples


def patches(samples: Samples) -> Any:
    return samples.dataset.load_saved_view("mask_issues: tiny")


def boxes(samples: Samples) -> list[tuple[int, str, list[str]]]:
    samples.dataset.reload()
    raw = samples.raw(samples.dataset.first())
    return [
        (b["coco_id"], b["label"], b["tags"]) for b in raw["detections"]["detections"]
    ]


def test_the_results_of_a_search_are_stored_as_fiftyone_stores_them(
    searched: Samples,
) -> None:
    dataset = searched.dataset
    results = dataset.load_run_results("mask_issues", cache=False)
    assert len(results.marked) == 3

    def stored() -> bytes:
        file = dataset._doc.runs["mask_issues"].results
        content: bytes = file.fs.get(file.grid_id).read()
        return content

    ours = stored()
    dataset.save_run_results("mask_issues", results, overwrite=True, cache=False)
    assert json.loads(ours)["marked"] == results.marked
    assert ours == stored()


def test_the_view_of_an_issue_is_of_its_objects(searched: Samples) -> None:
    view = patches(searched)
    assert view.media_type == "image"
    assert view.values("segmentations.coco_id") == [0, 1, 2]
    assert set(view.values("sample_id")) == {searched.dataset.first().id}


def test_boxes_are_relabelled_and_tagged_with_their_polygons(
    searched: Samples,
) -> None:
    view = patches(searched)
    first, second, _ = view
    first.segmentations.label = "b"
    first.save()
    second.segmentations.tags.append("redo")
    second.save()
    changes = follow_edits(searched.dataset, "mask_issues")
    assert (changes.deleted, changes.relabelled, changes.tagged) == (0, 1, 1)
    assert str(changes) == "Boxes followed their polygons: 1 relabelled, 1 tagged"
    assert boxes(searched) == [
        (0, "b", ["mine"]),
        (1, "a", ["redo"]),
        (2, "a", []),
        (3, "a", []),
    ]
    # Once more, and the tag is taken off again: the box's own one stays.
    first.segmentations.label = "c"
    first.save()
    second.segmentations.tags.remove("redo")
    second.save()
    follow_edits(searched.dataset, "mask_issues")
    assert boxes(searched)[:2] == [(0, "c", ["mine"]), (1, "a", [])]
    assert not follow_edits(searched.dataset, "mask_issues")


def test_boxes_of_polygons_that_are_deleted_go(searched: Samples) -> None:
    sample = searched.dataset.first()
    del sample.segmentations.polylines[1]
    sample.save()
    find_mask_issues(searched.dataset, mask_field=None)
    assert [box[0] for box in boxes(searched)] == [0, 2, 3]


def test_what_no_search_has_marked_is_left_alone(searched: Samples) -> None:
    sample = searched.dataset.first()
    line = sample.segmentations.polylines[3]
    line.label, line.tags = "b", ["seen"]
    sample.save()
    assert not follow_edits(searched.dataset, "mask_issues")
    del sample.segmentations.polylines[3]
    sample.save()
    assert not follow_edits(searched.dataset, "mask_issues")
    assert boxes(searched)[3] == (3, "a", [])


def test_a_polygon_that_was_drawn_anew_keeps_its_box(searched: Samples) -> None:
    sample = searched.dataset.first()
    sample.segmentations.polylines[0] = polyline(LARGE, "a", coco_id=0)
    sample.save()
    assert not follow_edits(searched.dataset, "mask_issues")
    assert boxes(searched)[0] == (0, "a", ["mine"])


def test_a_box_that_somebody_has_relabelled_keeps_that(searched: Samples) -> None:
    sample = searched.dataset.first()
    sample.detections.detections[0].label = "mine"
    sample.segmentations.polylines[0].label = "b"
    sample.save()
    assert not follow_edits(searched.dataset, "mask_issues")
    assert boxes(searched)[0] == (0, "mine", ["mine"])


def test_objects_are_deleted_from_patches_and_given_back(searched: Samples) -> None:
    dataset = searched.dataset
    before = searched.raw(dataset.first())
    polygons = before["segmentations"]["polylines"]
    of_polygon, second = patches(searched).values("id")[:2]
    of_box = str(before["detections"]["detections"][3]["_id"])
    planned = delete_objects(dataset, [of_polygon, of_box], dry_run=True)
    assert planned.fixed == {"deleted_object": 2}
    assert searched.raw(dataset.first()) == before

    report = delete_objects(dataset, [of_polygon, of_box, of_box])
    assert report.fixed == {"deleted_object": 2}
    lines = dataset.first().segmentations.polylines
    assert [line.coco_id for line in lines] == [1, 2]
    assert [box[0] for box in boxes(searched)] == [1, 2]
    assert not follow_edits(dataset, "mask_issues")
    again = delete_objects(dataset, [of_polygon, second])
    assert (again.fixed, again.num_skipped) == ({"deleted_object": 1}, 1)

    undo_mask_fixes(dataset, "deleted_objects")
    after = searched.raw(dataset.first())
    assert after["segmentations"]["polylines"] == polygons
    assert after["detections"] == before["detections"]


@pytest.mark.parametrize("how", ["renamed", "deleted", "emptied"])
def test_boxes_stay_where_the_field_of_their_polygons_is_not_there(
    searched: Samples, how: str
) -> None:
    dataset = searched.dataset
    before = boxes(searched)
    if how == "renamed":
        dataset.rename_sample_field("segmentations", "polygons")
    elif how == "deleted":
        dataset.delete_sample_field("segmentations")
    else:
        dataset.clear_sample_field("segmentations")
    assert not follow_edits(dataset, "mask_issues")
    clear_mask_issues(dataset)
    assert boxes(searched) == before


def write_squares(folder: Path, *places: tuple[int, int, bool]) -> Path:
    """Writes an export of one image: left edge and category of each square of 6 px.

    The ids of its annotations are their places; a square may be a box alone.
    """
    annotations = []
    for number, (x, category, has_shape) in enumerate(places):
        ring = [x, 5, x + 6, 5, x + 6, 11, x, 11]
        changes: dict[str, Any] = {"segmentation": [ring] if has_shape else []}
        changes |= {"bbox": [x, 5, 6, 6], "area": 36, "category_id": category}
        annotations.append(annotation(number, 0, **changes))
    return write_split(folder / "train", [image_name("a")], annotations).parent


def found_boxes(dataset: fo.Dataset) -> list[tuple[int, str, list[str]]]:
    """Returns left edge, class and tags of the only image's boxes."""
    dataset.reload()
    found = dataset.first().detections.detections
    return [(round(x.bounding_box[0] * 40), x.label, x.tags) for x in found]


def test_boxes_are_followed_by_their_own_polygons_after_ids_have_shifted(
    new_dataset: Any, tmp_path: Path
) -> None:
    first = write_squares(tmp_path / "1", (2, 1, True), (12, 1, True), (22, 1, True))
    # The first one is gone, so that the others have the ids of those before them, and
    # one of them has another class.
    second = write_squares(tmp_path / "2", (12, 2, True), (22, 1, True))
    dataset, _ = import_roboflow_coco(first, "shifted")
    find_mask_issues(dataset, mask_field=None)
    import_roboflow_coco(second, dataset)
    assert not follow_edits(dataset, "mask_issues")
    assert found_boxes(dataset) == [(12, "body", []), (22, "wing", [])]
    # What a person does is done to the box of that very polygon.
    sample = dataset.first()
    sample.segmentations.polylines[0].tags.append("mine")
    del sample.segmentations.polylines[1]
    sample.save()
    changes = follow_edits(dataset, "mask_issues")
    assert (changes.deleted, changes.relabelled, changes.tagged) == (1, 0, 1)
    assert found_boxes(dataset) == [(12, "body", ["mine"])]


def test_a_box_stays_whose_polygon_is_gone_from_the_export(
    new_dataset: Any, tmp_path: Path
) -> None:
    first = write_squares(tmp_path / "1", (2, 1, True), (12, 1, True))
    second = write_squares(tmp_path / "2", (2, 1, True), (12, 1, False))
    dataset, _ = import_roboflow_coco(first, "box alone")
    find_mask_issues(dataset, mask_field=None)
    import_roboflow_coco(second, dataset)
    assert not follow_edits(dataset, "mask_issues")
    assert found_boxes(dataset) == [(2, "wing", []), (12, "wing", [])]


def test_boxes_follow_a_person_after_classes_were_merged_and_that_is_undone(
    searched: Samples,
) -> None:
    dataset = searched.dataset
    merge_classes(dataset, "b", ["a"])
    relabel(searched, 0, "by hand")
    follow_edits(dataset, "mask_issues")
    assert [box[1] for box in boxes(searched)] == ["by hand", "b", "b", "b"]
    undo_mask_fixes(dataset, "merged_classes")
    relabel(searched, 1, "by hand")
    follow_edits(dataset, "mask_issues")
    assert [box[1] for box in boxes(searched)] == ["by hand", "by hand", "a", "a"]


def test_a_box_of_another_class_stays_where_classes_are_merged_and_that_is_undone(
    searched: Samples,
) -> None:
    dataset = searched.dataset
    sample = dataset.first()
    sample.detections.detections[0].label = "b"
    sample.save()
    merge_classes(dataset, "b", ["a"])
    assert [box[1] for box in boxes(searched)] == ["b"] * 4
    undo_mask_fixes(dataset, "merged_classes")
    assert not follow_edits(dataset, "mask_issues")
    assert [box[1] for box in boxes(searched)] == ["b", "a", "a", "a"]


def test_boxes_follow_a_person_before_their_polygons_are_repaired(
    searched: Samples,
) -> None:
    dataset = searched.dataset
    relabel(searched, 0, "by hand")
    assert merge_classes(dataset, "b", ["by hand"]).fixed == {"merged_class": 1}
    assert boxes(searched)[0][1] == "b"
    undo_mask_fixes(dataset, "merged_classes")
    assert boxes(searched)[0][1] == "by hand"
    relabel(searched, 0, "c")
    assert merge_classes(dataset, "d", ["c"], dry_run=True).fixed
    assert boxes(searched)[0][1] == "by hand"


def relabel(samples: Samples, index: int, label: str) -> None:
    sample = samples.dataset.first()
    sample.reload()
    sample.segmentations.polylines[index].label = label
    sample.save()


def test_boxes_follow_a_person_after_deleted_objects_were_given_back(
    searched: Samples,
) -> None:
    dataset = searched.dataset
    fix_mask_issues(dataset, ["tiny"])
    assert not follow_edits(dataset, "mask_issues")
    undo_mask_fixes(dataset)
    sample = dataset.first()
    sample.reload()
    del sample.segmentations.polylines[1]
    sample.save()
    assert follow_edits(dataset, "mask_issues").deleted == 1
    assert [box[0] for box in boxes(searched)] == [0, 2, 3]


@pytest.mark.parametrize("how", ["repaired", "undone", "checked"])
def test_boxes_follow_polygons_that_are_marked_only_afterwards(
    searched: Samples, how: str
) -> None:
    dataset = searched.dataset
    if how == "undone":
        fix_mask_issues(dataset, ["tiny"])
    sample = dataset.first()
    sample.reload()
    line = sample.segmentations.polylines[-1]
    line.points = polyline(SMALL[0], "a").points
    sample.save()
    if how == "repaired":
        fix_mask_issues(dataset, ["tiny"], redo=True)
    elif how == "undone":
        undo_mask_fixes(dataset, redo=True)
    else:
        label_id = sample.segmentations.polylines[1].id
        queue = Queue("mask_issues", "tiny")
        mark_checked(dataset, queue, sample.id, "segmentations", label_id)
    sample.reload()
    line = sample.segmentations.polylines[-1]
    assert "mask_issues:tiny" in line.tags
    before = [box[0] for box in boxes(searched)]
    sample.segmentations.polylines.pop()
    sample.save()
    assert follow_edits(dataset, "mask_issues").deleted == 1
    assert before[-1] == 3
    assert [box[0] for box in boxes(searched)] == before[:-1]


def test_a_polygon_that_is_there_twice_under_two_classes_stops_no_search(
    searched: Samples,
) -> None:
    dataset = searched.dataset
    first = searched.raw(dataset.first())["segmentations"]["polylines"][0]
    # As a program may append it once more.
    dataset._sample_collection.update_one(
        {}, {"$push": {"segmentations.polylines": {**first, "label": None}}}
    )
    dataset.reload()
    for _ in range(2):
        assert find_mask_issues(dataset, mask_field=None).counts["tiny"] == 3
    assert [box[0] for box in boxes(searched)] == [0, 1, 2, 3]


def test_tags_of_another_search_are_not_a_person_s(searched: Samples) -> None:
    dataset = searched.dataset
    report = find_mask_issues(dataset, mask_field=None, key="second")
    assert not follow_edits(dataset, "mask_issues")
    counts = issue_counts(dataset, "second")
    assert {issue.value: n for issue, n in counts.items()} == {
        name: number for name, number in report.counts.items() if number
    }


def test_an_object_of_which_both_labels_are_selected_is_one(searched: Samples) -> None:
    dataset = searched.dataset
    before = searched.raw(dataset.first())
    both = [
        str(before[field][kind][0]["_id"])
        for field, kind in (("detections",) * 2, ("segmentations", "polylines"))
    ]
    assert delete_objects(dataset, both, dry_run=True).fixed == {"deleted_object": 1}
    report = delete_objects(dataset, both)
    assert (report.fixed, report.num_skipped) == ({"deleted_object": 1}, 0)
    assert [box[0] for box in boxes(searched)] == [1, 2, 3]
    undo_mask_fixes(dataset, "deleted_objects")
    after = searched.raw(dataset.first())
    assert after["detections"] == before["detections"]
    assert after["segmentations"] == before["segmentations"]


def test_a_box_of_several_polygons_goes_with_the_last(searched: Samples) -> None:
    sample = searched.dataset.first()
    for line in sample.segmentations.polylines[:2]:
        line.coco_id = 0
    sample.save()
    first, second = (line.id for line in sample.segmentations.polylines[:2])
    delete_objects(searched.dataset, [first])
    assert [box[0] for box in boxes(searched)] == [0, 1, 2, 3]
    delete_objects(searched.dataset, [second])
    assert [box[0] for box in boxes(searched)] == [1, 2, 3]


def test_of_objects_that_share_an_id_each_goes_with_the_box_in_its_place(
    samples: Samples,
) -> None:
    """As after a merge that has kept an object whose id is another one's by now."""
    places = [SMALL[0], SMALL[1], LARGE]
    lines = [polyline(box, "a", coco_id=1) for box in places]
    corners = [[(x / 40, y / 30) for x, y in (p[:2], p[2:])] for p in places]
    found = [
        fo.Detection(label="a", coco_id=1, bounding_box=[*low, x - low[0], y - low[1]])
        for low, (x, y) in corners
    ]
    sample = samples.add("a.jpg", lines=lines)
    # In another order than the polygons.
    sample["detections"] = fo.Detections(detections=found[::-1])
    sample.save()
    samples.dataset.add_dynamic_sample_fields()
    delete_objects(samples.dataset, [lines[1].id])
    sample.reload()
    left = [box.id for box in sample.detections.detections]
    assert left == [found[2].id, found[0].id]
    assert [x.id for x in sample.segmentations.polylines] == [lines[0].id, lines[2].id]
    delete_objects(samples.dataset, [found[0].id])
    sample.reload()
    assert [x.id for x in sample.segmentations.polylines] == [lines[2].id]


def test_of_objects_that_share_an_id_a_repair_takes_the_box_in_its_place(
    samples: Samples,
) -> None:
    places = [SMALL[0], LARGE]
    sample = samples.add(
        "a.jpg", lines=[polyline(box, "a", coco_id=1) for box in places]
    )
    found = [
        fo.Detection(
            label="a",
            coco_id=1,
            bounding_box=[x / 40, y / 30, (x1 - x) / 40, (y1 - y) / 30],
        )
        for x, y, x1, y1 in places
    ]
    sample["detections"] = fo.Detections(detections=found)
    sample.save()
    samples.dataset.add_dynamic_sample_fields()
    find_mask_issues(samples.dataset, mask_field=None)
    fix_mask_issues(samples.dataset, ["tiny"])
    sample.reload()
    assert [box.id for box in sample.detections.detections] == [found[1].id]


def test_objects_of_frames_are_not_deleted(new_dataset: Any) -> None:
    line = polyline(LARGE, "a")
    video = fo.Sample(filepath="a.mp4")
    video.frames[1] = fo.Frame(segmentations=fo.Polylines(polylines=[line]))
    dataset = new_dataset()
    dataset.add_sample(video)
    with pytest.raises(CocoMaskError, match="holds video samples"):
        delete_objects(dataset, [line.id], label_field="frames.segmentations")


@pytest.fixture(params=["of a folder", "of two projects"])
def imported_twice(new_dataset: Any, tmp_path: Path, request: Any) -> fo.Dataset:
    """Four annotations in two pairs of fields, of which the first comes first."""
    export = write_small_export(tmp_path / "export")
    are_projects = request.param == "of two projects"
    if are_projects:
        say_project(export, "first")
    dataset, _ = import_roboflow_coco(export, "twice")
    if are_projects:
        say_project(export, "second")
    fields = {"label_field": "polys", "box_field": "rects"}
    import_roboflow_coco(export, dataset, **fields)
    return dataset


def numbers(dataset: fo.Dataset, *fields: str) -> list[int]:
    return [dataset.count(f"{field}.detections") for field in fields]


@pytest.mark.parametrize("name", ["rects", "boxes"])
def test_of_two_imports_each_has_its_own_boxes(
    imported_twice: fo.Dataset, name: str
) -> None:
    dataset = imported_twice
    if name != "rects":
        dataset.rename_sample_field("rects", name)
    label_id = dataset.first().polys.polylines[0].id
    delete_objects(dataset, [label_id], label_field="polys")
    assert numbers(dataset, "detections", name) == [4, 3]
    label_id = dataset.first().segmentations.polylines[0].id
    delete_objects(dataset, [label_id], fix_key="second")
    assert numbers(dataset, "detections", name) == [3, 3]


def test_labels_that_no_import_wrote_take_no_boxes_of_imports(
    imported_twice: fo.Dataset,
) -> None:
    dataset = imported_twice
    dataset.clone_sample_field("polys", "copied")
    label_id = dataset.first().copied.polylines[0].id
    delete_objects(dataset, [label_id], label_field="copied")
    assert dataset.count("copied.polylines") == 3
    assert numbers(dataset, "detections", "rects") == [4, 4]
    # Nor do boxes that are looked at by themselves.
    label_id = dataset.first().rects.detections[0].id
    delete_objects(dataset, [label_id], label_field="rects", fix_key="second")
    assert numbers(dataset, "detections", "rects") == [4, 3]
    dataset.delete_sample_field("rects")
    label_id = dataset.first().polys.polylines[0].id
    delete_objects(dataset, [label_id], label_field="polys", fix_key="third")
    assert numbers(dataset, "detections") == [4]
