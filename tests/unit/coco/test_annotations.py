"""Annotations as wholes: ids, categories, crowds, attributes, and images they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fiftyone_cocomask.coco.issues import Action, IssueCode

from .exports import (
    ABSENT,
    annotation,
    document,
    image_entry,
    pixels,
    read,
    read_annotation,
    read_parts,
    write_export,
)

# Ids and images.


@pytest.mark.parametrize("image_id", [99, "nine", None, ABSENT, True, [1], 1.5])
def test_annotation_of_no_image_is_dropped(tmp_path: Path, image_id: Any) -> None:
    found = read_parts(tmp_path, [annotation(), annotation(id=5, image_id=image_id)])

    assert [a.coco_id for a in found.record.annotations] == [1]
    issue = found.issue(IssueCode.ANNOTATION_WITHOUT_IMAGE)
    assert (issue.annotation_id, issue.action) == (5, Action.DROPPED)
    assert found.report.dropped == 1


@pytest.mark.parametrize("image_id", ["1", 1.0, " 1 "])
def test_image_id_is_found_however_it_is_written(tmp_path: Path, image_id: Any) -> None:
    found = read_parts(tmp_path, [annotation(image_id=image_id)])

    assert pixels(found.annotation) == 600
    assert found.actions() == set()


@pytest.mark.parametrize("image_id", [0, -3, 2**40, "abc", "007", 10**30])
def test_ids_start_anywhere(tmp_path: Path, image_id: Any) -> None:
    found = read_parts(
        tmp_path,
        [annotation(id=image_id, image_id=image_id)],
        images=[image_entry(id=image_id)],
    )

    # What is no 64-bit number for MongoDB is text.
    expected = image_id if image_id != 10**30 else str(image_id)
    assert found.record.coco_id == expected
    assert found.annotation.coco_id == expected
    assert found.actions() == set()


@pytest.mark.parametrize("value", [None, 7, "text", [], [1, 2], True])
def test_entry_that_is_not_an_object_is_dropped(tmp_path: Path, value: Any) -> None:
    found = read_parts(tmp_path, [annotation(), value])

    assert len(found.record.annotations) == 1
    assert found.issue(IssueCode.ANNOTATION_MALFORMED).action is Action.DROPPED


@pytest.mark.parametrize("value", [ABSENT, None, [], {}, True, 1.5])
def test_annotation_without_id_is_kept(tmp_path: Path, value: Any) -> None:
    found = read_parts(tmp_path, [annotation(id=value)])

    assert found.annotation.coco_id is None
    assert found.actions() == {(IssueCode.ANNOTATION_WITHOUT_ID, Action.KEPT)}


def test_annotations_that_share_an_id_are_both_kept(tmp_path: Path) -> None:
    second = annotation(segmentation=[[60, 40, 70, 40, 70, 50]], bbox=[60, 40, 10, 10])
    found = read_parts(tmp_path, [annotation(), second, annotation(id=9, image_id=3)])

    assert [a.coco_id for a in found.record.annotations] == [1, 1]
    issues = found.issues(IssueCode.DUPLICATE_ANNOTATION_ID)
    assert [issue.action for issue in issues] == [Action.KEPT, Action.KEPT]


def test_images_that_share_an_id_cannot_both_have_its_annotations(
    tmp_path: Path,
) -> None:
    images = [image_entry(), image_entry(file_name="b.png")]
    folder = write_export(
        tmp_path, document([annotation()], images=images), ("a.png", "b.png")
    )
    found = read(folder)

    assert found.record.file_name == "a.png"
    assert pixels(found.annotation) == 600
    issue = found.issue(IssueCode.DUPLICATE_IMAGE_ID)
    assert (issue.file_name, issue.action) == ("b.png", Action.DROPPED)
    # Whoever looks at the image that has them learns of it too.
    assert IssueCode.DUPLICATE_IMAGE_ID in found.record.issues


def test_image_listed_twice_with_one_id_counts_once(tmp_path: Path) -> None:
    found = read_parts(tmp_path, [annotation()], images=[image_entry(), image_entry()])

    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.DUPLICATE_FILE_NAME, Action.REPAIRED)}


@pytest.mark.parametrize("other", ["a.png", "./a.png"])
def test_file_listed_under_two_ids_has_the_annotations_of_both(
    tmp_path: Path, other: str
) -> None:
    second = annotation(
        id=2,
        image_id=2,
        segmentation=[[60, 40, 70, 40, 70, 50, 60, 50]],
        bbox=[60, 40, 10, 10],
    )
    found = read_parts(
        tmp_path,
        [annotation(), second],
        images=[image_entry(), image_entry(id=2, file_name=other)],
    )

    assert [pixels(a) for a in found.record.annotations] == [600, 100]
    assert found.issue(IssueCode.DUPLICATE_FILE_NAME).action is Action.REPAIRED


# Crowds and attributes.


@pytest.mark.parametrize("flag", [0, 1])
def test_crowd_flag(tmp_path: Path, flag: int) -> None:
    found = read_parts(tmp_path, [annotation(iscrowd=flag)])

    assert found.annotation.iscrowd == flag
    assert found.actions() == ({(IssueCode.CROWD, Action.KEPT)} if flag else set())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"is_crowd": [0]}, 0),
        ({"is_crowd": [1]}, 1),
        ({"is_crowd": 1}, 1),
        ({"iscrowd": "1"}, 1),
        ({"iscrowd": True}, 1),
        ({"iscrowd": 1.0}, 1),
        ({"iscrowd": 2}, 0),
        ({"iscrowd": "yes"}, 0),
        ({"iscrowd": None}, 0),
        ({"iscrowd": {}}, 0),
        ({"iscrowd": [0, 1]}, 0),
    ],
    ids=str,
)
def test_crowd_flag_written_otherwise(
    tmp_path: Path, changes: dict[str, Any], expected: int
) -> None:
    changes = {"iscrowd": ABSENT, **changes}
    found = read_parts(tmp_path, [annotation(**changes)])

    assert found.annotation.iscrowd == expected
    assert "is_crowd" not in found.annotation.attributes
    issue = found.issue(IssueCode.ISCROWD_INVALID)
    assert issue.action is Action.REPAIRED
    if changes["iscrowd"] is True:
        assert issue.message == "it says 'iscrowd': true, which is read as 1"


def test_absent_crowd_flag_is_0(tmp_path: Path) -> None:
    found = read_parts(tmp_path, [annotation(iscrowd=ABSENT)])

    assert found.annotation.iscrowd == 0
    assert found.actions() == set()


def test_further_keys_are_attributes(tmp_path: Path) -> None:
    extra = {"quality": 0.5, "track": 7, "note": "wing", "flags": [1, {"a": None}]}
    found = read_parts(tmp_path, [annotation(**extra)])

    assert found.annotation.attributes == extra
    assert found.actions() == set()


def test_attributes_as_cvat_writes_them(tmp_path: Path) -> None:
    nested = {"occluded": False, "rotation": 0.0, "color": "red"}
    found = read_parts(tmp_path, [annotation(attributes=nested)])

    assert found.annotation.attributes == nested
    assert found.actions() == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tags", "coco_tags"),
        ("label", "coco_label"),
        ("points", "coco_points"),
        ("rle", "coco_rle"),
        ("get_field", "coco_get_field"),
        ("attributes", "coco_attributes"),
        ("coco_id", "coco_coco_id"),
        ("_id", "coco_id_"),
        ("_cls", "cls"),
        ("$where", "where"),
        ("a.b", "a_b"),
        ("two words", "two_words"),
        ("1st", "coco_1st"),
        ("", "coco_attribute"),
        ("__", "coco_attribute"),
        ("n\0ull", "n_ull"),
    ],
)
def test_names_that_fiftyone_cannot_take_are_changed(
    tmp_path: Path, name: str, expected: str
) -> None:
    found = read_parts(tmp_path, [annotation(**{name: "x"})])

    assert found.annotation.attributes == {expected: "x"}
    assert found.actions() == {(IssueCode.ATTRIBUTE_RENAMED, Action.REPAIRED)}


def test_no_attribute_takes_the_place_of_another(tmp_path: Path) -> None:
    found = read_parts(tmp_path, [annotation(**{"a.b": 1, "a_b": 2, "a b": 3})])

    assert sorted(found.annotation.attributes.values()) == [1, 2, 3]


def test_values_are_such_as_mongodb_takes(tmp_path: Path) -> None:
    nested: Any = "deep"
    for _ in range(200):
        nested = [nested]
    extra = {"big": 10**30, "dotted": {"a.b": 1, "$c": 2, "a_b": 3}, "nested": nested}
    found = read_parts(tmp_path, [annotation(**extra)])

    attributes = found.annotation.attributes
    assert attributes["big"] == str(10**30)
    assert sorted(attributes["dotted"].values()) == [1, 2, 3]
    assert all("." not in key and key[0] != "$" for key in attributes["dotted"])
    depth = 0
    value = attributes["nested"]
    while isinstance(value, list):
        value, depth = value[0], depth + 1
    assert depth < 100  # MongoDB's limit


def test_keypoints_beside_polygons_are_kept(tmp_path: Path) -> None:
    keypoints = [20, 20, 2, 0, 0, 0]
    found = read_parts(tmp_path, [annotation(keypoints=keypoints, num_keypoints=1)])

    assert found.annotation.attributes == {
        "coco_keypoints": keypoints,
        "num_keypoints": 1,
    }
    assert pixels(found.annotation) == 600
    assert found.actions() == {
        (IssueCode.KEYPOINTS, Action.KEPT),
        (IssueCode.ATTRIBUTE_RENAMED, Action.REPAIRED),
    }


def test_what_a_changed_annotation_says_names_it(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, bbox=None)

    issue = found.issue(IssueCode.BOX_MISSING)
    place = (issue.split, issue.file_name, issue.image_id, issue.annotation_id)
    assert place == ("default", "a.png", 1, 1)
    assert issue.to_dict() == {
        "code": "box_missing",
        "severity": "warning",
        "action": "repaired",
        "split": "default",
        "file_name": "a.png",
        "image_id": 1,
        "annotation_id": 1,
        "message": "it has no box",
    }


def test_annotations_beyond_what_a_sample_can_hold_are_boxes_and_named(
    tmp_path: Path,
) -> None:
    # 33 bytes a point: eight rings of 50,000 are 13.2 MB, and nine more than 14.
    angles = np.linspace(0, 2 * np.pi, 50_000, endpoint=False)
    ring = np.stack([50 + 30 * np.cos(angles), 40 + 30 * np.sin(angles)], axis=1)
    large = ring.ravel().tolist()
    entries = [annotation(id=number, segmentation=[large]) for number in range(10)]
    found = read(write_export(tmp_path, document([*entries, annotation(id=10)])))

    kept = {a.coco_id: (len(a.rings), a.box) for a in found.record.annotations}
    assert kept.keys() == set(range(11))
    assert [coco_id for coco_id, (rings, _) in kept.items() if not rings] == [8, 9]
    assert kept[8][1] == (20, 10, 60, 60)
    lost = found.issues(IssueCode.IMAGE_FULL)
    assert [issue.annotation_id for issue in lost] == [8, 9]
    assert {issue.action for issue in lost} == {Action.BOX_ONLY}
    assert "split the image into tiles" in lost[0].message


def test_annotations_whose_boxes_are_too_many_are_dropped_and_named(
    tmp_path: Path,
) -> None:
    # A box takes 800 bytes at least, and each of these two notes of 2 MB.
    entries = [annotation(id=n, segmentation=[], note="x" * 2_000_000) for n in (1, 2)]
    entries += [annotation(id=n, note="x" * 2_000_000) for n in (3, 4)]
    found = read(write_export(tmp_path, document(entries)))

    assert [a.coco_id for a in found.record.annotations] == [1, 2, 3]
    issue = found.issue(IssueCode.IMAGE_FULL)
    assert (issue.annotation_id, issue.action) == (4, Action.DROPPED)
