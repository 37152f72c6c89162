"""Repairs of mask issues: made, previewed, stored, and undone label by label."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bson
import cv2
import fiftyone as fo
import numpy as np
import pytest
from bson import ObjectId
from pycocotools import mask as mask_utils

from fiftyone_cocomask import (
    CocoMaskError,
    clear_mask_issues,
    compute_masks,
    delete_objects,
    evaluate_mask_area,
    evaluate_mask_coverage,
    find_mask_issues,
    fix_mask_issues,
    list_mask_fixes,
    load_mask_evaluation,
    merge_classes,
    rank_mask_outlines,
    undo_mask_fixes,
)
from fiftyone_cocomask.datasets.issues import load_mask_issues

from .conftest import HEIGHT, WIDTH, Samples, polyline

Ring = Sequence[tuple[float, float]]


def polygon(*rings: Ring, label: str = "a", **fields: Any) -> fo.Polyline:
    points = [[(x / WIDTH, y / HEIGHT) for x, y in ring] for ring in rings]
    return fo.Polyline(
        label=label, points=points, **{"closed": True, "filled": True, **fields}
    )


def add(samples: Samples, name: str, lines: list[fo.Polyline], **fields: Any) -> Any:
    """Adds a sample whose labels have boxes of the same annotations."""
    boxes = []
    for number, line in enumerate(lines):
        line["coco_id"] = number
        corners = np.array([point for ring in line.points for point in ring])
        low, high = corners.min(axis=0), corners.max(axis=0)
        boxes.append(
            fo.Detection(
                label=line.label, bounding_box=[*low, *(high - low)], coco_id=number
            )
        )
    sample = samples.add(name, lines=lines, **fields)
    sample["detections"] = fo.Detections(detections=boxes)
    sample.save()
    samples.dataset.add_dynamic_sample_fields()
    return sample


def state(samples: Samples, *made: Any) -> list[dict[str, Any]]:
    return [samples.raw(s) | {"last_modified_at": None} for s in made]


def labels(samples: Samples, sample: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = samples.raw(sample)["segmentations"]["polylines"]
    return found


def boxes(samples: Samples, sample: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = samples.raw(sample)["detections"]["detections"]
    return found


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.png")}


SQUARE = [(2, 2), (22, 2), (22, 22), (2, 22)]
SPECK = [(30, 5), (32, 5), (32, 7), (30, 7)]
DUPLICATE = [(22, 22), (2, 22), (2, 2), (22, 2)]
# A tip of no width: no pixel is lost with it.
SPIKE = [(2, 2), (12, 2), (12, 20), (7.2, 20), (7, 29), (6.8, 20), (2, 20)]
# The last corner stands twice, in the wrong order.
CROSSING = [(2, 2), (30, 6), (30, 20), (29.8, 20.2), (30, 20.2), (29.8, 20), (2, 20)]


def test_each_issue_has_its_repair_and_boxes_follow(samples: Samples) -> None:
    lines = [
        polygon(SQUARE, label="kept"),
        polygon(DUPLICATE, label="kept"),
        polygon([(30, 20), (32, 20), (32, 22)], label="small"),
        polygon([(2, 24), (9, 24), (9, 29), (4, 29)], closed=False, filled=False),
    ]
    first = add(samples, "a.jpg", lines)
    stray = add(samples, "b.jpg", [polygon(SQUARE, SPECK)])
    spike = add(samples, "c.jpg", [polygon(SPIKE)])
    crossing = add(samples, "d.jpg", [polygon(CROSSING)])
    outside = add(samples, "e.jpg", [polygon([(-5, 5), (20, 5), (20, 15), (-5, 12)])])
    compute_masks(samples.dataset)
    made = (first, stray, spike, crossing, outside)
    find_mask_issues(samples.dataset)
    before = state(samples, *made)

    report = fix_mask_issues(samples.dataset)
    assert report.fixed == {
        "duplicate": 1,
        "tiny": 1,
        "unfilled": 1,
        "stray_part": 1,
        "spike": 1,
        "self_crossing": 1,
        "outside": 1,
        # The kept duplicate, and the pixels of the label with the spike.
        "rectangle": 2,
    }
    assert [label["label"] for label in labels(samples, first)] == ["kept", "a"]
    assert [box["coco_id"] for box in boxes(samples, first)] == [0, 3]
    assert labels(samples, first)[1]["closed"] is True
    assert labels(samples, first)[1]["filled"] is True
    (one,) = labels(samples, stray)
    assert len(one["points"]) == 1
    np.testing.assert_allclose(
        boxes(samples, stray)[0]["bounding_box"],
        [2 / WIDTH, 2 / HEIGHT, 20 / WIDTH, 20 / HEIGHT],
    )
    (one,) = labels(samples, spike)
    pixels = np.array(one["points"][0]) * (WIDTH, HEIGHT)
    assert pixels[:, 1].max() == pytest.approx(20)
    (one,) = labels(samples, outside)
    assert np.array(one["points"][0]).min() == 0
    # The repaired labels have lost their tags; what is to be drawn anew says so.
    assert "redraw" in labels(samples, first)[0]["tags"]
    assert "mask_issues:unfilled" not in labels(samples, first)[1]["tags"]
    left = find_mask_issues(samples.dataset).counts
    repaired = set(report.fixed) - {"rectangle"}
    assert {name: left[name] for name in repaired} == dict.fromkeys(repaired, 0)
    # Nobody has drawn the two anew yet. The square without its speck is a third one.
    again = fix_mask_issues(samples.dataset, dry_run=True)
    assert again.fixed == {"rectangle": 1}
    reasons = [skipped["reason"] for skipped in again.skipped]
    assert reasons == ["it has the tag redraw already"] * 2
    find_mask_issues(samples.dataset)

    undone = undo_mask_fixes(samples.dataset)
    assert undone.fixed == report.fixed
    assert not undone.skipped
    assert list_mask_fixes(samples.dataset) == []
    after = state(samples, *made)
    for old, new in zip(before, after, strict=True):
        for field in ("segmentations", "detections"):
            assert without_tags(new[field]) == without_tags(old[field])


def without_tags(value: dict[str, Any]) -> Any:
    (items,) = (item for item in value.values() if isinstance(item, list))
    return [{k: v for k, v in label.items() if k != "tags"} for label in items]


def test_undoing_at_once_restores_every_document(samples: Samples) -> None:
    made = [
        add(samples, "a.jpg", [polygon(SQUARE), polygon(DUPLICATE), polygon(SPIKE)]),
        add(samples, "b.jpg", [polygon(SQUARE, SPECK, tags=["mine"])]),
    ]
    compute_masks(samples.dataset)
    find_mask_issues(samples.dataset)
    before = state(samples, *made)
    report = fix_mask_issues(samples.dataset)
    assert report.fixed
    assert state(samples, *made) != before
    undo_mask_fixes(samples.dataset)
    assert state(samples, *made) == before


def test_a_dry_run_says_the_same_and_writes_nothing(samples: Samples) -> None:
    made = add(samples, "a.jpg", [polygon(SQUARE), polygon(DUPLICATE)])
    compute_masks(samples.dataset)
    find_mask_issues(samples.dataset)
    before = samples.raw(made)
    planned = fix_mask_issues(samples.dataset, dry_run=True)
    assert samples.raw(made) == before
    assert list_mask_fixes(samples.dataset) == []
    assert "would be repaired" in planned.summary()
    # A removed and a tagged label, each before and after: squares of 240 px in a frame.
    url = planned.pictures()
    assert url is not None
    data = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (2 * 244, 2 * 244, 3)
    before_px, after_px = picture[:244, :244], picture[:244, 244:]
    assert np.abs(before_px.astype(int) - after_px).max() > 100
    done = fix_mask_issues(samples.dataset)
    assert done.fixed == planned.fixed == {"duplicate": 1, "rectangle": 1}
    assert done.changes().equals(planned.changes())
    removed = done.changes().query(
        "action == 'removed' and label_field != 'detections'"
    )
    removed = removed.iloc[0]
    assert (removed.action, removed.px_before, removed.px_after) == ("removed", 400, 0)
    assert done.sample_ids == [made.id]


def test_what_somebody_changed_since_stays_and_is_reported(samples: Samples) -> None:
    sample = add(samples, "a.jpg", [polygon(SQUARE, SPECK), polygon(SPIKE, label="b")])
    compute_masks(samples.dataset)
    find_mask_issues(samples.dataset)
    before = labels(samples, sample)
    fix_mask_issues(samples.dataset)
    boxes_of_repaired = boxes(samples, sample)
    sample.reload()
    moved = polygon([(1, 1), (9, 1), (9, 9)]).points
    sample.segmentations.polylines[0].points = moved
    sample.segmentations.polylines[1].label = "relabelled"
    sample.save()
    report = undo_mask_fixes(samples.dataset)
    # The label, and its box, which stays with it.
    reason = "it has been changed since"
    assert [(row["issue"], row["reason"]) for row in report.skipped] == [
        ("stray_part", reason),
        ("box", reason),
    ]
    assert boxes(samples, sample)[0] == boxes_of_repaired[0]
    one, other = labels(samples, sample)
    assert one["points"] == [[list(point) for point in ring] for ring in moved]
    assert other["label"] == "relabelled"
    assert other["points"] == before[1]["points"]


def test_a_label_that_was_edited_since_the_search_is_left_alone(
    samples: Samples,
) -> None:
    sample = add(samples, "a.jpg", [polygon(SQUARE, SPECK)])
    compute_masks(samples.dataset)
    find_mask_issues(samples.dataset)
    sample.reload()
    sample.segmentations.polylines[0].points = polygon(SPIKE).points
    sample.save()
    report = fix_mask_issues(samples.dataset)
    assert report.fixed == {}
    assert [(r["issue"], r["reason"]) for r in report.skipped] == [
        ("stray_part", "it has been edited since the search")
    ]


def test_labels_that_are_no_longer_alike_are_left_alone_and_named(
    samples: Samples,
) -> None:
    sample = add(samples, "a.jpg", [polygon(SPIKE), polygon(SPIKE), polygon(SPECK)])
    find_mask_issues(samples.dataset, mask_field=None)
    sample.reload()
    sample.segmentations.polylines[0].points = polygon(CROSSING).points
    sample.segmentations.polylines[2].points = polygon(SPIKE, SPECK).points
    sample.save()
    report = fix_mask_issues(samples.dataset, ["duplicate", "tiny"])
    assert report.fixed == {}
    assert [(row["issue"], row["reason"]) for row in report.skipped] == [
        ("duplicate", "one of the two has been edited since the search"),
        ("tiny", "it has been edited since the search"),
    ]
    assert len(labels(samples, sample)) == 3


def test_labels_that_a_person_has_checked_are_left_alone(samples: Samples) -> None:
    lines = [polygon(SQUARE, label="b"), polygon(SQUARE, SPECK, tags=["checked"])]
    sample = add(samples, "a.jpg", lines)
    compute_masks(samples.dataset)
    find_mask_issues(samples.dataset)
    before = labels(samples, sample)[1]
    fix_mask_issues(samples.dataset)
    assert labels(samples, sample)[-1] == before


def test_of_two_classes_the_preferred_one_is_kept(samples: Samples) -> None:
    lines = [polygon(SPIKE, label="cat"), polygon(SPIKE, label="dog")]
    sample = add(samples, "a.jpg", lines)
    compute_masks(samples.dataset)
    find_mask_issues(samples.dataset)
    issues = ["two_classes"]
    asked = fix_mask_issues(samples.dataset, issues, dry_run=True)
    assert asked.fixed == {}
    assert asked.num_skipped == 2
    fix_mask_issues(samples.dataset, issues, prefer_classes=["dog", "cat"])
    assert [label["label"] for label in labels(samples, sample)] == ["dog"]


def test_copies_in_several_splits_go_to_the_one_that_has_most(
    samples: Samples,
) -> None:
    splits = ["train", "valid", "valid"]
    made = [
        add(
            samples,
            f"{place}.jpg",
            [polygon(SPIKE)],
            split=split,
            tags=[split, "mine", "mask_issues:leak", "last"],
            source_name="one.jpg",
        )
        for place, split in enumerate(splits)
    ]
    compute_masks(samples.dataset)
    folder = Path(made[0].reload() or made[0].mask.mask_path).parents[1]
    find_mask_issues(samples.dataset, mask_field=None)
    before = state(samples, *made)
    dry = fix_mask_issues(samples.dataset, ["leak"], dry_run=True)
    assert dry.pictures() is not None
    fix_mask_issues(samples.dataset, ["leak"], redo=True)
    # No mask is left behind where the image was.
    assert files_below(folder) == {"valid/0.png", "valid/1.png", "valid/2.png"}
    documents = state(samples, *made)
    assert [document["split"] for document in documents] == ["valid"] * 3
    assert [set(document["tags"]) for document in documents] == [
        {"valid", "mine", "last"}
    ] * 3
    undo_mask_fixes(samples.dataset, redo=True)
    assert files_below(folder) == {"train/0.png", "valid/1.png", "valid/2.png"}
    for old, new in zip(before, state(samples, *made), strict=True):
        assert (new["tags"], new["split"]) == (old["tags"], old["split"])


def test_pictures_that_only_share_a_plain_name_are_no_copies(samples: Samples) -> None:
    """``1.png`` of each split is another picture, as for the search."""
    random = np.random.default_rng(0)
    splits = {"one": ("train", "valid", "valid"), "two": ("valid", *("train",) * 3)}
    made: dict[str, list[str]] = {}
    for picture, of_copies in splits.items():
        pixels = random.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        for number, split in enumerate(of_copies):
            name = f"{number or 1}.png" if number != 1 else f"{picture}.png"
            sample = samples.add(
                f"{picture}-{split}-{number}.png",
                lines=[polygon(SPIKE)],
                split=split,
                file_name=name,
                source_name=name if number == 0 else picture,
            )
            cv2.imwrite(sample.filepath, pixels)
            made.setdefault(picture, []).append(sample.id)
    find_mask_issues(samples.dataset, mask_field=None)
    assert fix_mask_issues(samples.dataset, ["leak"]).fixed == {"leak": 7}
    moved = dict(zip(*samples.dataset.values(["id", "split"]), strict=True))
    assert [moved[i] for i in made["one"]] == ["valid"] * 3
    assert [moved[i] for i in made["two"]] == ["train"] * 4


def test_an_image_that_a_person_has_checked_stays_in_its_split(
    samples: Samples,
) -> None:
    made = [
        samples.add(
            f"{split}{number}.jpg",
            lines=[polygon(SPIKE)],
            split=split,
            source_name="one.jpg",
        )
        for number, split in enumerate(["train", "valid", "valid"])
    ]
    find_mask_issues(samples.dataset, mask_field=None)
    made[0].reload()
    made[0].tags.append("checked")
    made[0].save()
    report = fix_mask_issues(samples.dataset, ["leak"])
    assert report.fixed == {}
    assert [(row["sample_id"], row["reason"]) for row in report.skipped] == [
        (made[0].id, "it is tagged 'checked'")
    ]
    assert samples.raw(made[0])["split"] == "train"


def test_repairs_that_were_stored_but_not_made_are_made_by_running_again(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fiftyone_cocomask.datasets.documents import update_documents
    from fiftyone_cocomask.datasets.fixing import writing

    made = [
        add(samples, f"{name}.jpg", [polygon(SQUARE), polygon(DUPLICATE)])
        for name in "ab"
    ]
    compute_masks(samples.dataset)
    find_mask_issues(samples.dataset)
    before = state(samples, *made)
    written = update_documents

    def killed(dataset: Any, updates: Any) -> int:
        if updates[0][0] == ObjectId(made[1].id):
            raise KeyboardInterrupt
        return written(dataset, updates)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "update_documents", killed)
        with pytest.raises(KeyboardInterrupt):
            fix_mask_issues(samples.dataset)
    assert [len(labels(samples, sample)) for sample in made] == [1, 2]
    fix_mask_issues(samples.dataset)
    assert [len(labels(samples, sample)) for sample in made] == [1, 1]
    undo_mask_fixes(samples.dataset)
    assert state(samples, *made) == before


def test_repairs_under_two_keys_are_undone_the_last_one_first(samples: Samples) -> None:
    stray_and_spike = polygon(SPIKE, [(30, 5), (31, 5), (31, 6), (30, 6)])
    sample = add(samples, "a.jpg", [stray_and_spike, polygon(SQUARE, label="b")])
    compute_masks(samples.dataset)
    find_mask_issues(samples.dataset)
    before = state(samples, sample)
    fix_mask_issues(samples.dataset, ["stray_part"], fix_key="first")
    fix_mask_issues(samples.dataset, ["spike"], fix_key="second")
    repaired = state(samples, sample)
    report = undo_mask_fixes(samples.dataset, "first")
    assert {row["reason"] for row in report.skipped} == {
        "it was repaired under 'second' too; undo that first"
    }
    assert state(samples, sample) == repaired
    assert list_mask_fixes(samples.dataset) == ["first", "second"]
    undo_mask_fixes(samples.dataset, "second")
    undo_mask_fixes(samples.dataset, "first")
    assert list_mask_fixes(samples.dataset) == []
    assert state(samples, sample) == before
    # Undone once more, as after a kill: there is nothing left to do.
    assert undo_mask_fixes(samples.dataset, "first").fixed == {}


def test_no_repair_waits_for_one_that_cannot_be_undone_either(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    sample = add(samples, "a.jpg", [polygon(SQUARE)])
    merge_classes(dataset, "b", ["a"], fix_key="first")
    merge_classes(dataset, "c", ["b"], fix_key="second")
    merge_classes(dataset, "d", ["c"], fix_key="third")
    # Of three, the second waits for the third alone, and the first for both.
    reasons = {row["reason"] for row in undo_mask_fixes(dataset, "first").skipped}
    assert reasons == {"it was repaired under 'third' too; undo that first"}
    sample.reload()
    sample.segmentations.polylines[0].label = "by hand"
    sample.detections.detections[0].label = "by hand"
    sample.save()
    for key in ("second", "first", "third"):
        reasons = {row["reason"] for row in undo_mask_fixes(dataset, key).skipped}
        assert reasons == {"it has been changed since"}
    assert list_mask_fixes(dataset) == []
    assert labels(samples, sample)[0]["label"] == "by hand"


def test_repairs_wait_for_what_came_between_them(samples: Samples) -> None:
    dataset = samples.dataset
    sample = add(samples, "a.jpg", [polygon(SQUARE)])
    before = state(samples, sample)
    merge_classes(dataset, "b", ["a"], fix_key="first")
    merge_classes(dataset, "c", ["b"], fix_key="first")
    merge_classes(dataset, "d", ["c"], fix_key="second")
    assert undo_mask_fixes(dataset, "first").fixed == {}
    undo_mask_fixes(dataset, "second")
    assert undo_mask_fixes(dataset, "first").fixed == {"merged_class": 2}
    assert state(samples, sample) == before


@pytest.mark.parametrize("keys", [("first", "second"), ("second", "first")])
def test_two_repairs_that_cancel_each_other_are_undone_in_any_order(
    samples: Samples, keys: tuple[str, str]
) -> None:
    sample = add(samples, "a.jpg", [polygon(SQUARE)])
    before = state(samples, sample)
    merge_classes(samples.dataset, "b", ["a"], fix_key="first")
    merge_classes(samples.dataset, "a", ["b"], fix_key="second")
    for key in (*keys, *keys):
        if key in list_mask_fixes(samples.dataset):
            undo_mask_fixes(samples.dataset, key)
    assert list_mask_fixes(samples.dataset) == []
    assert state(samples, sample) == before


# Classes are merged one by one: "a" into "b" under the key "k" is "abk". Then these
# keys are undone, and after them those that are left.
@pytest.mark.parametrize(
    ("merges", "keys"),
    [
        ("abk bak ack", "k"),
        ("abk baj abk", "jk"),
        ("abk bak abj", "kj"),
        ("abk baj abj", "kj"),
        ("abj bck cbj", "kj"),
        ("cbi bak abj", "kj"),
        ("abk bcj cbi", "ikj"),
    ],
)
def test_classes_that_are_merged_back_and_forth_are_undone_in_any_order(
    samples: Samples, merges: str, keys: str
) -> None:
    dataset = samples.dataset
    sample = add(samples, "a.jpg", [polygon(SQUARE, label=merges[0])])
    before = state(samples, sample)
    for old, new, key in map(list, merges.split()):
        merge_classes(dataset, new, [old], fix_key=key)
    for key in keys * len(merges.split()):
        if key in list_mask_fixes(dataset):
            undo_mask_fixes(dataset, key)
    for key in list_mask_fixes(dataset):
        undo_mask_fixes(dataset, key)
    assert list_mask_fixes(dataset) == []
    assert state(samples, sample) == before


def test_what_a_person_deletes_after_a_killed_repair_does_not_come_back(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fiftyone_cocomask.datasets.documents import update_documents
    from fiftyone_cocomask.datasets.fixing import writing

    dataset = samples.dataset
    made = [
        add(samples, f"{number}.jpg", [polygon(SPIKE), polygon(SPECK, label="b")])
        for number in range(2)
    ]
    find_mask_issues(dataset, mask_field=None)

    def killed(dataset: Any, updates: Any) -> int:
        update_documents(dataset, updates)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing, "update_documents", killed)
        patch.setattr(writing, "_NOTED_AT_ONCE", 1)
        with pytest.raises(KeyboardInterrupt):
            fix_mask_issues(dataset, ["tiny"])
    assert [len(labels(samples, sample)) for sample in made] == [1, 2]
    made[1].reload()
    made[1].segmentations.polylines = made[1].segmentations.polylines[:1]
    made[1].save()
    assert undo_mask_fixes(dataset).fixed == {"tiny": 1}
    assert [len(labels(samples, sample)) for sample in made] == [2, 1]


def test_a_repair_that_was_not_made_is_not_undone(samples: Samples) -> None:
    """Somebody edits a label while repairs are planned, and deletes it later."""
    dataset = samples.dataset
    sample = add(samples, "a.jpg", [polygon(SPIKE), polygon(SPECK, label="b")])
    find_mask_issues(dataset, mask_field=None)

    def edit(_: Any) -> None:
        sample.reload()
        sample.segmentations.polylines[1].label = "by hand"
        sample.save()

    report = fix_mask_issues(dataset, ["tiny"], progress=edit)
    assert [row["reason"] for row in report.skipped] == [
        "it has been changed since",
        "it has been changed since",
    ]
    sample.reload()
    del sample.segmentations.polylines[1]
    sample.save()
    assert undo_mask_fixes(dataset).fixed == {}
    assert [label["label"] for label in labels(samples, sample)] == ["a"]


def test_objects_that_were_deleted_by_polygon_and_by_box_are_in_their_old_order(
    samples: Samples,
) -> None:
    sample = add(samples, "a.jpg", [polygon(SQUARE, label=x) for x in "abcd"])
    before = state(samples, sample)
    of_box = str(boxes(samples, sample)[1]["_id"])
    of_polygon = str(labels(samples, sample)[2]["_id"])
    delete_objects(samples.dataset, [of_box, of_polygon])
    assert [label["label"] for label in labels(samples, sample)] == ["a", "d"]
    undo_mask_fixes(samples.dataset, "deleted_objects")
    assert state(samples, sample) == before


def test_labels_that_nearly_fill_a_sample_are_repaired_and_given_back(
    samples: Samples,
) -> None:
    """MongoDB takes 16 MB at once: what is there and what it becomes are more."""
    dataset = samples.dataset
    first = add(samples, "a.jpg", [polygon(SQUARE), polygon(SPIKE)])
    ring = [(x, y) for x in range(WIDTH) for y in range(HEIGHT)]
    many = [polygon(ring) for _ in range(230)]
    large = samples.add("b.jpg", lines=many)
    before = state(samples, first, large)
    assert 2**23 < len(bson.encode(before[1])) < 2**24
    ids = [str(labels(samples, sample)[1]["_id"]) for sample in (first, large)]
    delete_objects(dataset, ids)
    assert [len(labels(samples, sample)) for sample in (first, large)] == [1, 229]
    undo_mask_fixes(dataset, "deleted_objects")
    assert state(samples, first, large) == before


def test_labels_with_an_attribute_that_is_no_number_are_deleted_and_given_back(
    samples: Samples,
) -> None:
    sample = add(samples, "a.jpg", [polygon(SQUARE, confidence=float("nan"))])
    before = bson.encode(samples.raw(sample)["segmentations"])
    label_id = str(labels(samples, sample)[0]["_id"])
    report = delete_objects(samples.dataset, [label_id])
    assert (report.fixed, report.skipped) == ({"deleted_object": 1}, [])
    undo_mask_fixes(samples.dataset, "deleted_objects")
    assert bson.encode(samples.raw(sample)["segmentations"]) == before


def test_an_undo_brings_no_tags_back_of_a_search_that_was_cleared(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    lines = [polygon(SQUARE, tags=["mine"]), polygon(SPECK, tags=["theirs:tiny"])]
    sample = add(samples, "a.jpg", [*lines, polygon(SQUARE, SPECK)])
    find_mask_issues(dataset, mask_field=None)
    found = [label["tags"] for label in labels(samples, sample)]
    assert all("mask_issues:" in " ".join(tags) for tags in found)
    fix_mask_issues(dataset)
    clear_mask_issues(dataset)
    undo_mask_fixes(dataset)
    tags = [label["tags"] for label in labels(samples, sample)]
    assert tags == [["mine"], ["theirs:tiny"], []]


def test_merged_classes_of_a_call_that_was_killed_are_undone_once(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fiftyone_cocomask.datasets.documents import update_documents
    from fiftyone_cocomask.datasets.fixing import writing

    made = [add(samples, f"{name}.jpg", [polygon(SQUARE)]) for name in "ab"]

    def killed(dataset: Any, updates: Any) -> int:
        if updates[0][0] == ObjectId(made[1].id):
            raise KeyboardInterrupt
        return update_documents(dataset, updates)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "update_documents", killed)
        with pytest.raises(KeyboardInterrupt):
            merge_classes(samples.dataset, "b", ["a"])
    merge_classes(samples.dataset, "b", ["a"])
    assert [labels(samples, sample)[0]["label"] for sample in made] == ["b", "b"]
    undone = undo_mask_fixes(samples.dataset, "merged_classes")
    assert undone.fixed == {"merged_class": 2}


def test_a_ranking_whose_scores_are_gone_keeps_nothing_from_being_repaired(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    add(samples, "a.jpg", [polygon(SQUARE), polygon(SPECK, label="b")])
    rank_mask_outlines(dataset)
    find_mask_issues(dataset, mask_field=None)
    dataset.delete_sample_field("segmentations.polylines.outline_score")
    assert fix_mask_issues(dataset, ["tiny"]).fixed == {"tiny": 1}


def test_a_key_that_another_run_has_taken_since_is_not_forgotten_twice(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    add(samples, "a.jpg", [polygon(SQUARE), polygon(SPIKE, label="b")])
    find_mask_issues(dataset, mask_field=None, key="one")
    clear_mask_issues(dataset, "one")
    merge_classes(dataset, "c", ["a"], fix_key="one")
    with pytest.raises(CocoMaskError, match="no search for mask issues 'one'"):
        clear_mask_issues(dataset, "one")
    assert undo_mask_fixes(dataset, "one").fixed == {"merged_class": 1}
    find_mask_issues(dataset, mask_field=None, key="one")
    with pytest.raises(CocoMaskError, match="no repairs of mask issues 'one'"):
        undo_mask_fixes(dataset, "one")
    assert load_mask_issues(dataset, "one").labels == 2


def test_the_repair_of_a_label_that_was_deleted_later_waits_for_it(
    samples: Samples,
) -> None:
    sample = add(samples, "a.jpg", [polygon(SQUARE), polygon(SPIKE, label="b")])
    before = state(samples, sample)
    merge_classes(samples.dataset, "b", ["a"], fix_key="first")
    label_id = str(labels(samples, sample)[0]["_id"])
    delete_objects(samples.dataset, [label_id], fix_key="second")
    report = undo_mask_fixes(samples.dataset, "first")
    # The label and its box.
    assert [row["reason"] for row in report.skipped] == [
        "it was repaired under 'second' too; undo that first"
    ] * 2
    assert list_mask_fixes(samples.dataset) == ["first", "second"]
    undo_mask_fixes(samples.dataset, "second")
    undo_mask_fixes(samples.dataset, "first")
    assert state(samples, sample) == before
    assert list_mask_fixes(samples.dataset) == []


@pytest.mark.parametrize("field", ["segmentations", "detections"])
def test_deleted_labels_wait_for_their_field_when_it_has_another_name(
    samples: Samples, field: str
) -> None:
    sample = add(samples, "a.jpg", [polygon(SQUARE), polygon(SPIKE, label="b")])
    before = state(samples, sample)
    label_id = str(labels(samples, sample)[0]["_id"])
    delete_objects(samples.dataset, [label_id])
    samples.dataset.rename_sample_field(field, "renamed")
    renamed = state(samples, sample)
    with pytest.raises(CocoMaskError, match=f"rename '{field}' back"):
        undo_mask_fixes(samples.dataset, "deleted_objects")
    assert state(samples, sample) == renamed
    samples.dataset.rename_sample_field("renamed", field)
    undo_mask_fixes(samples.dataset, "deleted_objects")
    assert state(samples, sample) == before


def test_boxes_that_have_another_name_since_the_search_are_repaired_too(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    sample = add(samples, "a.jpg", [polygon(SQUARE), polygon(SPECK, label="b")])
    find_mask_issues(dataset, mask_field=None)
    dataset.rename_sample_field("detections", "boxes")
    before = state(samples, sample)
    fix_mask_issues(dataset, ["tiny"])
    found = samples.raw(sample)
    assert [label["coco_id"] for label in labels(samples, sample)] == [0]
    assert [box["coco_id"] for box in found["boxes"]["detections"]] == [0]
    undo_mask_fixes(dataset)
    assert state(samples, sample) == before


def test_boxes_that_came_between_two_repairs_are_undone_with_them(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    lines = [polygon(SQUARE, coco_id=0), polygon(SPIKE, label="b", coco_id=1)]
    sample = samples.add("a.jpg", lines=lines)
    dataset.add_dynamic_sample_fields()
    merge_classes(dataset, "c", ["a"])
    sample.reload()
    sample["detections"] = fo.Detections(
        detections=[fo.Detection(label="b", bounding_box=[0, 0, 1, 1], coco_id=1)]
    )
    sample.save()
    dataset.add_dynamic_sample_fields()
    merge_classes(dataset, "c", ["b"])
    assert [box["label"] for box in boxes(samples, sample)] == ["c"]
    undo_mask_fixes(dataset, "merged_classes")
    assert [label["label"] for label in labels(samples, sample)] == ["a", "b"]
    assert [box["label"] for box in boxes(samples, sample)] == ["b"]


def test_repairs_of_a_field_that_is_gone_are_not_added_to(samples: Samples) -> None:
    dataset = samples.dataset
    sample = add(samples, "a.jpg", [polygon(SQUARE), polygon(SPIKE, label="b")])
    before = state(samples, sample)
    merge_classes(dataset, "c", ["a"])
    dataset.rename_sample_field("detections", "boxes")
    with pytest.raises(CocoMaskError, match="'detections', a field that dataset"):
        merge_classes(dataset, "c", ["b"])
    merge_classes(dataset, "c", ["b"], fix_key="second")
    undo_mask_fixes(dataset, "second")
    dataset.rename_sample_field("boxes", "detections")
    undo_mask_fixes(dataset, "merged_classes")
    assert state(samples, sample) == before


# Under each key one or two of the labels "abcdef" are deleted, in this order, and then
# given back in another one.
@pytest.mark.parametrize(
    ("deleted", "undone"),
    [
        (["d", "a"], [0, 1]),
        (["c", "d"], [0, 1]),
        (["d", "c"], [0, 1]),
        (["a", "b"], [0, 1]),
        (["f", "e"], [0, 1]),
        (["bc", "de"], [0, 1]),
        (["be", "cd"], [0, 1]),
        (["c", "d", "b"], [1, 0, 2]),
        (["ef", "a", "cd"], [0, 2, 1]),
    ],
)
def test_labels_that_were_deleted_one_by_one_are_in_their_old_order(
    samples: Samples, deleted: list[str], undone: list[int]
) -> None:
    dataset = samples.dataset
    sample = add(samples, "a.jpg", [polygon(SQUARE, label=x) for x in "abcdef"])
    before = state(samples, sample)
    ids = {label["label"]: str(label["_id"]) for label in labels(samples, sample)}
    for number, names in enumerate(deleted):
        delete_objects(dataset, [ids[n] for n in names], fix_key=f"key{number}")
    for number in undone:
        undo_mask_fixes(dataset, f"key{number}")
    assert state(samples, sample) == before


def test_a_label_comes_back_between_those_that_it_was_between(
    samples: Samples,
) -> None:
    sample = add(samples, "a.jpg", [polygon(SQUARE, label=x) for x in "abcd"])
    delete_objects(samples.dataset, [str(labels(samples, sample)[2]["_id"])])
    sample.reload()
    del sample.segmentations.polylines[0]
    sample.segmentations.polylines.append(polygon(SPIKE, label="by hand"))
    sample.save()
    undo_mask_fixes(samples.dataset, "deleted_objects")
    found = [label["label"] for label in labels(samples, sample)]
    assert found == ["b", "c", "d", "by hand"]


def test_the_only_label_of_a_field_does_not_come_back_over_another(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    made = [samples.add(f"{n}.jpg", object=polygon(SQUARE)) for n in range(2)]
    before = samples.raw(made[0])["object"]
    delete_objects(dataset, [x.object.id for x in made], label_field="object")
    made[1].reload()
    made[1]["object"] = polygon(SPIKE, label="by hand")
    made[1].save()
    report = undo_mask_fixes(dataset, "deleted_objects")
    assert report.fixed == {"deleted_object": 1}
    reasons = [(row["sample_id"], row["reason"]) for row in report.skipped]
    assert reasons == [(made[1].id, "it has been changed since")]
    assert samples.raw(made[0])["object"] == before
    assert samples.raw(made[1])["object"]["label"] == "by hand"
    assert list_mask_fixes(dataset) == []


def test_deleted_labels_come_back_to_a_sample_that_has_none_at_all(
    samples: Samples,
) -> None:
    sample = add(samples, "a.jpg", [polygon(SQUARE)])
    before = state(samples, sample)
    label_id = str(labels(samples, sample)[0]["_id"])
    delete_objects(samples.dataset, [label_id])
    sample.reload()
    sample["segmentations"] = sample["detections"] = None
    sample.save()
    undo_mask_fixes(samples.dataset, "deleted_objects")
    # Their kind as well, without which the App does not draw them.
    assert state(samples, sample) == before


def test_masks_and_figures_of_the_repaired_samples_alone_are_made_again(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    broken = add(samples, "a.jpg", [polygon(SQUARE, SPECK)])
    other = add(samples, "b.jpg", [polygon(SQUARE)])
    compute_masks(dataset, storage="database")
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    evaluate_mask_coverage(dataset.limit(1), eval_key="cover")
    find_mask_issues(dataset)
    # What is out of date in another sample is left to whoever has edited it.
    other.reload()
    other.segmentations.polylines[0].points = polygon(SPIKE).points
    other.save()
    untouched = samples.raw(other)
    before = samples.raw(broken)
    assert (before["area_px"], before["cover_ratio"]) == (404, 404 / (HEIGHT * WIDTH))

    report = fix_mask_issues(dataset, ["stray_part"], redo=True)
    assert report.redone is not None
    assert report.redone.to_dict() == {
        "samples": 1,
        "masks": ["mask"],
        "evaluations": ["area", "cover"],
        "rankings": [],
        "searches": ["mask_issues"],
        "problems": [],
    }
    after = samples.raw(broken)
    assert (after["area_px"], after["cover_ratio"]) == (400, 400 / (HEIGHT * WIDTH))
    assert labels(samples, broken)[0]["tags"] == ["mask_issues:rectangle"]
    assert samples.raw(other) == untouched
    area = load_mask_evaluation(dataset, "area")
    assert len(area.per_sample()) == 2
    assert area.out_of_date().labels == 1
    assert len(load_mask_evaluation(dataset, "cover").per_sample()) == 1

    undone = undo_mask_fixes(dataset, redo=True)
    assert "Brought up to date in 1 sample" in undone.summary()
    assert samples.raw(broken)["area_px"] == 404


@pytest.mark.parametrize("rle", [False, True])
def test_an_object_of_small_parts_keeps_them(samples: Samples, *, rle: bool) -> None:
    specks = [
        [(x, y), (x + 2, y), (x + 2, y + 2), (x, y + 2)]
        for x in range(1, WIDTH - 2, 4)
        for y in range(1, HEIGHT - 2, 4)
    ]
    fields = {}
    if rle:
        mask = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
        for speck in specks:
            (x, y), *_ = speck
            mask[y : y + 2, x : x + 2] = 1
        counts = mask_utils.encode(mask)["counts"].decode()
        fields["rle"] = {"size": [HEIGHT, WIDTH], "counts": counts}
    many = polygon(*specks, **fields)
    # A third of it in parts of 4 px, of which each is 1%.
    some = polygon(SQUARE, *[s for s in specks if s[0][0] > 22], label="some")
    add(samples, "a.jpg", [many, some])
    compute_masks(samples.dataset)
    find_mask_issues(samples.dataset)
    before = samples.dataset.values("segmentations.polylines.points")
    report = fix_mask_issues(samples.dataset, ["stray_part"])
    assert report.fixed == {}
    reasons = {(row["issue"], row["reason"]) for row in report.skipped}
    part = 4 * sum(s[0][0] > 22 for s in specks)
    assert reasons == {
        ("stray_part", "its mask would change by 100.0% of its pixels"),
        (
            "stray_part",
            f"its mask would change by {part / (400 + part):.1%} of its pixels",
        ),
    }
    assert samples.dataset.values("segmentations.polylines.points") == before


def test_stray_parts_of_instance_masks_are_removed(samples: Samples) -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[2:22, 2:22] = True
    mask[5:7, 30:32] = True
    sample = samples.add("a.jpg")
    sample["objects"] = fo.Detections(
        detections=[fo.Detection.from_mask(mask, label="a")]
    )
    sample.save()
    find_mask_issues(samples.dataset, "objects", None)
    before = samples.raw(sample)["objects"]
    fix_mask_issues(samples.dataset, label_field="objects")
    sample.reload()
    kept = sample.objects.detections[0].to_segmentation(
        frame_size=(WIDTH, HEIGHT), target=1
    )
    mask[5:7, 30:32] = False
    np.testing.assert_array_equal(kept.mask > 0, mask)
    undo_mask_fixes(samples.dataset)
    assert samples.raw(sample)["objects"] == before


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"issues": ["hidden"]}, "'hidden' has no safe repair"),
        ({"key": "other"}, "no search for mask issues 'other'"),
        ({"label_field": "nothing"}, "nothing"),
        ({"fix_key": "mask_issues"}, "key of another run"),
        ({"fix_key": "no key"}, "no key"),
        ({"outline_key": "outline"}, "no ranking of outlines"),
    ],
)
def test_wrong_arguments_are_named(
    samples: Samples, arguments: dict[str, Any], named: str
) -> None:
    samples.add("a.jpg", lines=[polyline((2, 2, 9, 9), "a")])
    find_mask_issues(samples.dataset, mask_field=None)
    with pytest.raises(CocoMaskError, match=named):
        fix_mask_issues(samples.dataset, **arguments)
    with pytest.raises(CocoMaskError, match="no repairs of mask issues 'mask_fixes'"):
        undo_mask_fixes(samples.dataset)
