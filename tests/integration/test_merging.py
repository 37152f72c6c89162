"""Later versions of an export, merged into a dataset that people have worked on."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import (
    CocoMaskError,
    compute_masks,
    delete_objects,
    evaluate_mask_area,
    export_roboflow_coco,
    import_roboflow_coco,
    undo_mask_fixes,
)
from fiftyone_cocomask.datasets.importing.gone import GoneSamples
from fiftyone_cocomask.datasets.importing.preview import preview_merge

from .small_export import (
    HEIGHT,
    WIDTH,
    annotation,
    image_name,
    say_project,
    write_split,
)

JSON = "_annotations.coco.json"


def square(x: int, y: int = 5, size: int = 6) -> dict[str, Any]:
    """Returns the geometry of a square of some pixels."""
    ring = [x, y, x + size, y, x + size, y + size, x, y + size]
    return {"segmentation": [ring], "bbox": [x, y, size, size], "area": size * size}


def write_images(folder: Path, *names: str) -> None:
    """Writes images that differ by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        seed = sum(name.split(".rf.")[0].encode())
        picture = np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 3))
        cv2.imwrite(str(folder / name), picture.astype(np.uint8))


def write_version(folder: Path, splits: dict[str, dict[str, list[Any]]]) -> Path:
    """Writes an export: for each split its images with the squares on each."""
    number = 0
    for split, images in splits.items():
        annotations = []
        for place, squares in enumerate(images.values()):
            for x in squares:
                annotations.append(annotation(number, place, **square(x)))
                number += 1
        write_split(folder / split, list(images), annotations)
        write_images(folder / split, *images)
    return folder


def change(folder: Path, split: str, edit: Callable[[dict[str, Any]], None]) -> Path:
    """Changes the JSON of a split."""
    path = folder / split / JSON
    coco = json.loads(path.read_text())
    edit(coco)
    path.write_text(json.dumps(coco))
    return folder


def merged(report: Any) -> dict[str, int]:
    """Returns the numbers of a merge that are not 0."""
    return {name: number for name, number in report.merge.to_dict().items() if number}


def codes(report: Any) -> set[str]:
    """Returns the codes of a report's issues about a merge."""
    about = {"image_moved", "gone_from_export", "merge_conflict", "old_copies"}
    about |= {"other_image_of_name", "source_in_several_splits"}
    about.add("image_of_other_project")
    return {str(code) for code in report.counts()} & about


def everything(dataset: Any) -> tuple[list[Any], dict[str, Any]]:
    """Returns all that the database holds of a dataset, but for when it was opened."""
    dataset.reload()
    known = dict(dataset._doc.to_dict())
    known.pop("last_loaded_at")
    return list(dataset._sample_collection.find()), known


A, B, C = image_name("a"), image_name("b"), image_name("c")


@pytest.fixture
def version(tmp_path: Path) -> Path:
    splits = {"train": {A: [1, 12, 25], B: [3]}, "valid": {C: [4]}}
    return write_version(tmp_path / "v1", splits)


def test_a_first_import_counts_what_is_new(new_dataset: Any, version: Path) -> None:
    _, report = import_roboflow_coco(version, "merged")
    assert merged(report) == {"images_new": 3, "labels_added": 5}
    assert report.merge["images_new"] == report.merge.images_new == 3
    assert report.to_dict()["merge"]["labels_added"] == 5


def test_edits_stay_and_changes_come_in(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    sample = dataset.match({"file_name": A}).first()
    first, second, third = sample.segmentations.polylines
    first.label = "body"
    first.tags.append("checked")
    second["score"] = 0.25
    sample.segmentations.polylines.remove(third)
    sample.detections.detections.pop()
    drawn = fo.Polyline(
        label="wing", points=[[[0, 0], [0.5, 0], [0.5, 0.9]]], closed=True, filled=True
    )
    sample.segmentations.polylines.append(drawn)
    sample.tags.append("reviewed")
    sample.save()
    other = dataset.match({"file_name": B}).first()
    other.segmentations.polylines[0].points = [[[0, 0], [0.1, 0], [0.1, 0.2]]]
    other.save()
    ids = [first.id, second.id, drawn.id]

    # All ids shift; the second square is another one; b's moves; c has one more.
    newer = write_version(
        tmp_path / "v2",
        {"train": {B: [4], A: [1, 13, 25]}, "valid": {C: [4, 20]}},
    )
    expected = {
        "labels_updated": 1,
        "labels_added": 1,
        "edits_kept": 3,
        "conflicts": 1,
    }
    _, planned = import_roboflow_coco(newer, dataset, dry_run=True)
    _, report = import_roboflow_coco(newer, dataset)
    assert merged(planned) == merged(report) == expected
    assert codes(report) == {"merge_conflict"}

    sample.reload()
    labels = sample.segmentations.polylines
    assert [label.id for label in labels] == ids
    assert (labels[0].label, labels[0].tags) == ("body", ["checked"])
    assert labels[1].points[0][0][0] * WIDTH == pytest.approx(13)
    assert labels[1]["score"] == 0.25
    assert [label.coco_id for label in labels[:2]] == [1, 2]
    assert "reviewed" in sample.tags
    other.reload()
    assert other.segmentations.polylines[0].tags == ["merge_conflict"]
    assert other.segmentations.polylines[0].points[0][1] == [0.1, 0]
    assert "merge_conflict" in other.tags

    _, again = import_roboflow_coco(newer, dataset)
    assert merged(again) == {"edits_kept": 3, "conflicts": 1}
    _, taken = import_roboflow_coco(newer, dataset, conflicts="export")
    assert merged(taken) == {"edits_kept": 3, "conflicts": 1, "labels_updated": 1}
    other.reload()
    assert other.segmentations.polylines[0].points[0][0][0] * WIDTH == pytest.approx(4)
    assert other.tags == ["train"]


def test_an_attribute_that_other_images_have_is_an_edit(
    new_dataset: Any, version: Path
) -> None:
    def occlude(coco: dict[str, Any]) -> None:
        coco["annotations"][0]["occluded"] = True

    dataset, _ = import_roboflow_coco(change(version, "train", occlude), "merged")
    sample = dataset.match({"file_name": C}).first()
    sample.segmentations.polylines[0]["occluded"] = True
    sample.save()
    _, report = import_roboflow_coco(version, dataset)
    assert merged(report) == {"edits_kept": 1}
    newer = change(version, "valid", lambda coco: coco["annotations"].clear())
    _, report = import_roboflow_coco(newer, dataset)
    assert merged(report) == {"conflicts": 1}
    sample.reload()
    assert sample.segmentations.polylines[0]["occluded"] is True


def test_edits_are_counted_again_after_imports_that_change_nothing(
    new_dataset: Any, version: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    _, report = import_roboflow_coco(version, dataset)
    assert merged(report) == {}
    sample = dataset.match({"file_name": A}).first()
    sample.segmentations.polylines[0].label = "body"
    sample.save()
    # A copy has other times of writing.
    for where in (dataset, dataset.clone("copied")):
        for _ in range(2):
            before = everything(where)[0]
            _, report = import_roboflow_coco(version, where)
            assert merged(report) == {"edits_kept": 1}
            assert everything(where)[0] == before
    # Labels in other fields make an edit in these ones no older.
    import_roboflow_coco(version, dataset, label_field="other", box_field="boxes")
    _, report = import_roboflow_coco(version, dataset)
    assert merged(report) == {"edits_kept": 1}


def test_a_dry_run_writes_nothing(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    before = fo.list_datasets()
    dataset, report = import_roboflow_coco(version, "merged", dry_run=True)
    assert dataset is None
    assert merged(report) == {"images_new": 3, "labels_added": 5}
    assert fo.list_datasets() == before

    dataset, _ = import_roboflow_coco(version, "merged")
    newer = write_version(tmp_path / "v2", {"train": {B: [30]}})
    archive = shutil.make_archive(str(tmp_path / "v2"), "zip", newer)
    folder = Path(fo.config.default_dataset_dir)
    files = set(folder.rglob("*"))
    state = everything(dataset)
    _, report = import_roboflow_coco(
        archive, dataset, dry_run=True, label_field="other", old_copies="delete"
    )
    _, report = import_roboflow_coco(archive, dataset, dry_run=True)
    assert everything(dataset) == state
    assert set(folder.rglob("*")) == files
    gone = {"images_gone": 1, "labels_deleted": 1, "labels_added": 1}
    assert merged(report) == gone


def test_an_image_in_another_split_is_moved(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged", tags=["mine"])
    sample = dataset.match({"file_name": A}).first()
    sample.segmentations.polylines[0].label = "body"
    sample.save()
    newer = write_version(
        tmp_path / "v2", {"train": {B: [3]}, "valid": {A: [1, 12, 25], C: [4]}}
    )
    _, report = import_roboflow_coco(newer, dataset)
    assert merged(report) == {"images_moved": 1, "edits_kept": 1}
    assert codes(report) == {"image_moved"}
    sample.reload()
    assert (sample.split, sample.tags) == ("valid", ["mine", "valid"])
    assert sample.segmentations.polylines[0].label == "body"
    assert len(dataset) == 3


def test_a_split_of_another_name_has_the_same_images(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    shutil.rmtree(version / "valid")
    dataset, _ = import_roboflow_coco(version, "merged")
    newer = write_version(tmp_path / "v2", {"data": {A: [1, 12, 25]}}) / "data"
    _, report = import_roboflow_coco(newer, dataset)
    assert merged(report) == {"images_moved": 1, "images_gone": 1}
    assert sorted(dataset.values("split")) == ["default", "train"]
    gone = dataset.match_tags("gone_from_export")
    assert gone.values("file_name") == [B]
    # It comes back with the version after that.
    _, report = import_roboflow_coco(version, dataset)
    assert merged(report) == {"images_moved": 1}
    assert not dataset.match_tags("gone_from_export")


@pytest.mark.parametrize("place", ["folder", "inner folder", "zip", "splits"])
def test_a_split_keeps_its_name_when_others_of_the_name_are_left_out(
    new_dataset: Any, tmp_path: Path, place: str
) -> None:
    splits = {"one/train": {A: [1], B: [3]}, "one/valid": {C: [4]}, "two/train": {}}
    first = write_version(tmp_path / "v1", splits)
    write_version(first, {"two/train": {image_name("d"): [9]}})
    dataset, _ = import_roboflow_coco(first, "named")
    assert set(dataset.values("split")) == {"one/train", "two/train", "valid"}
    before = dict(zip(*dataset.values(["file_name", "split"]), strict=True))
    newer = write_version(
        tmp_path / "v2", {"one/train": {A: [2], B: [3]}, "one/valid": {C: [4]}}
    )
    options: dict[str, Any] = {}
    path: Path | str = newer
    if place == "inner folder":
        path = newer / "one"
    elif place == "zip":
        path = shutil.make_archive(str(newer), "zip", newer)
    elif place == "splits":
        options["splits"] = ["one/train"]
    _, report = import_roboflow_coco(path, dataset, dry_run=True, **options)
    assert merged(report) == {"labels_updated": 1}
    _, report = import_roboflow_coco(path, dataset, **options)
    assert merged(report) == {"labels_updated": 1}
    assert dict(zip(*dataset.values(["file_name", "split"]), strict=True)) == before


def test_an_image_that_a_person_deleted_does_not_come_back(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    dataset.delete_samples(dataset.match({"file_name": A}).values("id"))
    # Again, in another split of a new version, and by two processes.
    newer = write_version(
        tmp_path / "v2", {"train": {B: [3]}, "valid": {A: [1], C: [4]}}
    )
    for path, num_workers in ((version, 1), (newer, 1), (newer, 2)):
        for dry_run in (True, False):
            _, report = import_roboflow_coco(
                path, dataset, dry_run=dry_run, num_workers=num_workers
            )
            assert merged(report) == {"images_deleted": 1}
            (told,) = [x for x in report.issues if x.code.value == "image_deleted"]
            assert (told.file_name, told.action.value) == (A, "dropped")
    assert dataset.values("file_name") == [B, C]
    assert "1 image that you deleted stays out" in report.summary()
    _, report = import_roboflow_coco(newer, dataset, conflicts="export")
    assert merged(report) == {"images_new": 1, "labels_added": 1}
    assert merged(import_roboflow_coco(newer, dataset)[1]) == {}
    # All gone, and a replacement, are a new beginning.
    dataset.delete_samples(dataset.match({"file_name": B}).values("id"))
    replaced, _ = import_roboflow_coco(newer, dataset, if_exists="replace")
    assert set(replaced.values("file_name")) == {A, B, C}
    dataset.clear()
    _, report = import_roboflow_coco(newer, dataset)
    assert merged(report) == {"images_new": 3, "labels_added": 3}


def test_an_image_is_deleted_only_where_its_sample_is(
    new_dataset: Any, tmp_path: Path
) -> None:
    def white(path: Path) -> None:
        cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), 255, np.uint8))

    # Names that say nothing of a source: what tells the images is their content.
    first = write_version(tmp_path / "v1", {"train": {"1.jpg": [1], "2.jpg": [12]}})
    newer = write_version(tmp_path / "v2", {"train": {"1.jpg": [1], "2.jpg": [12]}})
    for folder in (first, newer):
        change(folder, "train", lambda coco: [x.pop("extra") for x in coco["images"]])
    dataset, _ = import_roboflow_coco(first, "edited")
    # A person edits a picture in its export: it is another one than that of the next.
    white(first / "train" / "1.jpg")
    assert merged(import_roboflow_coco(first, dataset)[1]) == {}
    _, report = import_roboflow_coco(newer, dataset)
    told = {"images_new": 1, "labels_added": 1, "images_gone": 1}
    assert merged(report) == told
    assert report.counts()["other_image_of_name"] == 1
    assert len(dataset) == 3
    # One that was deleted stays out all the same.
    dataset.delete_samples(dataset.match({"file_name": "2.jpg"}).values("id"))
    _, report = import_roboflow_coco(newer, dataset)
    assert merged(report) == {"images_gone": 1, "images_deleted": 1}


def test_a_copy_of_a_dataset_knows_which_images_a_person_deleted(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    dataset.delete_samples(dataset.match({"file_name": A}).values("id"))
    copy = dataset.clone("copied")
    copy.delete_samples(copy.match({"file_name": B}).values("id"))
    # What the other one imports in between is new to it.
    more = {"train": {A: [1], B: [3], image_name("d"): [9]}, "valid": {C: [4]}}
    newer = write_version(tmp_path / "v2", more)
    new = {"images_new": 1, "labels_added": 1}
    assert merged(import_roboflow_coco(newer, dataset)[1]) == new | {
        "images_deleted": 1
    }
    for does in (new, {}):
        _, report = import_roboflow_coco(newer, copy)
        assert merged(report) == does | {"images_deleted": 2}
    again = copy.clone("copied again")
    fo.delete_dataset("merged")
    assert merged(import_roboflow_coco(newer, again)[1]) == {"images_deleted": 2}


def test_an_image_that_is_deleted_says_nothing_of_others_like_it(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    say_project(version, "wings")
    dataset, _ = import_roboflow_coco(version, "merged")
    # One of two equal pictures: the other one stays, and neither comes back as new.
    newer = write_version(
        tmp_path / "v2", {"train": {A: [1], B: [3], image_name("d"): [9]}}
    )
    shutil.copy(newer / "train" / A, newer / "train" / image_name("d"))
    say_project(newer, "wings")
    import_roboflow_coco(newer, dataset)
    dataset.delete_samples(dataset.match({"file_name": image_name("d")}).values("id"))
    _, report = import_roboflow_coco(newer, dataset)
    assert merged(report)["images_deleted"] == 1
    assert A in dataset.values("file_name")
    # Of another project, it is another image.
    dataset.delete_samples(dataset.match({"file_name": A}).values("id"))
    bodies = write_version(tmp_path / "other", {"train": {A: [25], B: [25]}})
    say_project(bodies, "bodies")
    _, report = import_roboflow_coco(bodies, dataset)
    assert report.merge["images_deleted"] == 0
    assert A in dataset.values("file_name")


def test_a_split_that_a_person_changed_stays(new_dataset: Any, version: Path) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    sample = dataset.match({"file_name": A}).first()
    sample.split = "test"
    sample.tags = ["test"]
    sample.save()
    _, report = import_roboflow_coco(version, dataset)
    assert merged(report) == {"edits_kept": 1}
    sample.reload()
    assert (sample.split, sample.tags) == ("test", ["test"])


def test_an_image_whose_split_a_person_changed_can_be_gone_from_its_export(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    sample = dataset.match({"file_name": A}).first()
    sample.split = "mine"
    sample.save()
    newer = write_version(tmp_path / "v2", {"train": {B: [3]}, "valid": {C: [4]}})
    _, report = import_roboflow_coco(newer, dataset, splits=["valid"])
    assert merged(report) == {}
    _, report = import_roboflow_coco(newer, dataset)
    assert merged(report) == {"images_gone": 1}
    assert dataset.match_tags("gone_from_export").values("id") == [sample.id]


@pytest.mark.parametrize("settled", ["by its tag", "by the export"])
def test_a_conflict_about_a_split_is_one_until_it_is_settled(
    new_dataset: Any, version: Path, tmp_path: Path, settled: str
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    sample = dataset.match({"file_name": A}).first()
    sample.split, sample.tags = "test", ["test"]
    sample.save()
    newer = write_version(
        tmp_path / "v2", {"train": {B: [3]}, "valid": {A: [1, 12, 25], C: [4]}}
    )
    for _ in range(3):
        _, report = import_roboflow_coco(newer, dataset)
        assert merged(report) == {"conflicts": 1}
        sample.reload()
        assert (sample.split, sample.tags) == ("test", ["test", "merge_conflict"])
    if settled == "by its tag":
        sample.tags.remove("merge_conflict")
        sample.save()
        for _ in range(2):
            _, report = import_roboflow_coco(newer, dataset)
            assert merged(report) == {"edits_kept": 1}
        sample.reload()
        assert (sample.split, sample.tags) == ("test", ["test"])
        return
    _, report = import_roboflow_coco(newer, dataset, conflicts="export")
    assert merged(report) == {"conflicts": 1, "images_moved": 1}
    sample.reload()
    assert sample.split == "valid"
    assert "merge_conflict" not in sample.tags
    assert merged(import_roboflow_coco(newer, dataset)[1]) == {}


def test_a_form_counts_what_an_import_with_the_same_tags_does(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    tags = ["mine"]
    dataset, _ = import_roboflow_coco(version, "merged", tags=tags)
    sample = dataset.match({"file_name": A}).first()
    sample.split = "test"
    sample.save()
    newer = write_version(
        tmp_path / "v2", {"train": {B: [3]}, "valid": {A: [1, 12, 25], C: [4]}}
    )
    import_roboflow_coco(newer, dataset, tags=tags)
    sample.reload()
    sample.tags.remove("merge_conflict")
    sample.save()
    # That is settled; with other tags it would be told again.
    *_, (counted, _, _) = preview_merge(newer, dataset, tags=tags)
    _, report = import_roboflow_coco(newer, dataset, tags=tags)
    assert counted.to_dict() == report.merge.to_dict()
    assert merged(report) == {"edits_kept": 1}


@pytest.mark.parametrize("settled_by", ["the person", "the export"])
def test_a_conflict_about_a_split_ends_where_both_say_the_same(
    new_dataset: Any, version: Path, tmp_path: Path, settled_by: str
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    sample = dataset.match({"file_name": A}).first()
    sample.split, sample.tags = "test", ["mine", "test"]
    sample.save()
    images = {A: [1, 12, 25]}
    newer = write_version(
        tmp_path / "v2", {"train": {B: [3]}, "valid": images | {C: [4]}}
    )
    assert merged(import_roboflow_coco(newer, dataset)[1]) == {"conflicts": 1}
    sample.reload()
    assert sample.tags == ["mine", "test", "merge_conflict"]
    if settled_by == "the person":
        sample.split = "valid"
        sample.save()
    else:
        splits = {"train": {B: [3]}, "valid": {C: [4]}, "test": images}
        newer = write_version(tmp_path / "v3", splits)
    assert merged(import_roboflow_coco(newer, dataset)[1]) == {}
    sample.reload()
    assert "merge_conflict" not in sample.tags


def test_equal_content_is_one_image_whatever_its_name(
    new_dataset: Any, tmp_path: Path
) -> None:
    first = write_version(tmp_path / "v1", {"train": {"1.png": [1], "2.png": [9]}})
    second = write_version(tmp_path / "v2", {"train": {"1.png": [9], "2.png": [1]}})
    for export in (first, second):
        change(export, "train", lambda coco: [i.pop("extra") for i in coco["images"]])
    for one, other in (("1.png", "2.png"), ("2.png", "1.png")):
        shutil.copy(first / "train" / one, second / "train" / other)
    dataset, _ = import_roboflow_coco(first, "merged")
    ids = dict(zip(*dataset.values(["file_name", "id"]), strict=True))
    _, report = import_roboflow_coco(second, dataset)
    assert merged(report) == {}
    now = dict(zip(*dataset.values(["file_name", "id"]), strict=True))
    assert now == {"1.png": ids["2.png"], "2.png": ids["1.png"]}


def test_another_picture_of_the_same_name_is_a_sample_of_its_own(
    new_dataset: Any, cases: Path
) -> None:
    projects = cases / "17-two-projects"
    dataset, _ = import_roboflow_coco(projects / "projA", "both")
    before = list(dataset._sample_collection.find())
    _, report = import_roboflow_coco(projects / "projB", dataset)
    assert merged(report) == {"images_new": 2, "labels_added": 2}
    assert codes(report) == {"other_image_of_name"}
    assert len(dataset) == 3
    assert list(dataset._sample_collection.find().limit(1)) == before
    for project in ("projB", "projA"):
        _, report = import_roboflow_coco(projects / project, dataset)
        assert (merged(report), codes(report)) == ({}, set())


@pytest.mark.parametrize("shift", [0, 1])
def test_a_category_that_comes_into_use_takes_no_name_from_a_class(
    new_dataset: Any, version: Path, shift: int
) -> None:
    def categories(used: list[int]) -> Callable[[dict[str, Any]], None]:
        def edit(coco: dict[str, Any]) -> None:
            for number, entry in enumerate(coco["categories"][1:], start=1):
                entry["id"] = number + shift
            for place, entry in enumerate(coco["annotations"]):
                entry["category_id"] = used[place]

        return edit

    def labels(dataset: Any) -> list[str]:
        sample = dataset.match({"file_name": A}).first()
        lines, boxes = sample.segmentations.polylines, sample.detections.detections
        assert [x.label for x in lines] == [x.label for x in boxes]
        return [line.label for line in lines]

    # Of three squares; category 0 is the root, which is called as category 1.
    dataset, _ = import_roboflow_coco(version, "named")
    assert labels(dataset) == ["wing", "wing", "wing"]
    wing = 1 + shift
    change(version, "train", categories([wing, 0, wing, wing]))
    _, planned = import_roboflow_coco(version, dataset, dry_run=True)
    _, report = import_roboflow_coco(version, dataset)
    assert merged(planned) == merged(report) == {"labels_updated": 1}
    assert labels(dataset) == ["wing", "wing (1)", "wing"]
    assert dataset.default_classes == ["wing", "wing (1)"]
    # Nor does it take one back when it alone is in use.
    for split in ("train", "valid"):
        change(version, split, categories([0, 0, 0, 0]))
    _, report = import_roboflow_coco(version, dataset)
    assert labels(dataset) == ["wing (1)"] * 3
    assert dataset.default_classes == ["wing", "wing (1)"]
    assert merged(import_roboflow_coco(version, dataset)[1]) == {}


def test_two_projects_annotate_the_same_images(
    new_dataset: Any, tmp_path: Path
) -> None:
    exports = {}
    for project, squares in (("wings", [1, 12]), ("bodies", [25, 12])):
        exports[project] = write_version(tmp_path / project, {"train": {A: squares}})
        say_project(exports[project], project)
    dataset, _ = import_roboflow_coco(exports["wings"], "merged")
    for label in ("segmentations.polylines", "detections.detections"):
        assert dataset.count(label) == 2
    ids = dataset.values("segmentations.polylines.id", unwind=True)
    for number in range(2):
        _, report = import_roboflow_coco(exports["bodies"], dataset)
        # The square that both have is one.
        assert merged(report) == ({} if number else {"labels_added": 1})
        assert "image_of_other_project" in codes(report)
        _, report = import_roboflow_coco(exports["wings"], dataset)
        assert merged(report) == {}
    for label in ("segmentations.polylines", "detections.detections"):
        assert dataset.count(label) == 3
    now = dataset.values("segmentations.polylines.id", unwind=True)
    assert now[:2] == ids
    # A later version takes its own away, and what the other project has stays.
    shutil.rmtree(exports["bodies"] / "train")
    write_version(exports["bodies"], {"train": {A: []}})
    _, report = import_roboflow_coco(exports["bodies"], dataset)
    assert dataset.values("segmentations.polylines.id", unwind=True) == ids


@pytest.mark.parametrize("conflicts", ["keep", "export"])
def test_what_two_projects_say_of_one_shape_is_beside_each_other(
    new_dataset: Any, tmp_path: Path, conflicts: Any
) -> None:
    def relabel(coco: dict[str, Any]) -> None:
        coco["annotations"][0]["category_id"] = 2

    exports = {}
    for project in ("wings", "bodies"):
        exports[project] = write_version(tmp_path / project, {"train": {A: [1, 12]}})
        say_project(exports[project], project)
    change(exports["bodies"], "train", relabel)
    dataset, _ = import_roboflow_coco(exports["wings"], "merged")
    for number in range(2):
        for project, added in (("bodies", 1), ("wings", 0)):
            _, report = import_roboflow_coco(
                exports[project], dataset, conflicts=conflicts
            )
            expected = {} if number or not added else {"labels_added": added}
            assert merged(report) == expected
    sample = dataset.first()
    lines = sample.segmentations.polylines
    assert [x.label for x in lines] == ["wing", "wing", "body"]
    assert [x.label for x in sample.detections.detections] == ["wing", "wing", "body"]
    assert sample.tags == ["train"]


def test_a_version_of_one_project_changes_no_label_that_another_one_has_too(
    new_dataset: Any, tmp_path: Path
) -> None:
    versions = {}
    for name, project, squares in (
        ("w1", "wings", [1, 12, 25]),
        ("b1", "bodies", [25, 12, 1]),
        ("b2", "bodies", [25, 13]),
        ("w2", "wings", [1, 12, 26]),
    ):
        versions[name] = write_version(tmp_path / name, {"train": {A: squares}})
        say_project(versions[name], project)
    dataset, _ = import_roboflow_coco(versions["w1"], "merged")
    before = everything(dataset)[0][0]
    _, report = import_roboflow_coco(versions["b1"], dataset)
    after = everything(dataset)[0][0]
    # What both have is one, with the ids that it has in the first.
    assert merged(report) == {}
    for field in ("segmentations", "detections"):
        assert after[field] == before[field]
    _, report = import_roboflow_coco(versions["b2"], dataset)
    assert merged(report) == {"labels_updated": 1, "labels_deleted": 1}
    after = everything(dataset)[0][0]
    for field, labels in (("segmentations", "polylines"), ("detections", "detections")):
        assert after[field][labels][:3] == before[field][labels]
    _, report = import_roboflow_coco(versions["w1"], dataset)
    assert merged(report) == {}
    _, report = import_roboflow_coco(versions["w2"], dataset)
    assert merged(report) == {"labels_updated": 1}
    lines = dataset.first().segmentations.polylines
    places = [round(line.points[0][0][0] * WIDTH) for line in lines]
    assert places == [1, 12, 25, 13, 26]
    for name in ("b2", "w2"):
        assert merged(import_roboflow_coco(versions[name], dataset)[1]) == {}


def test_an_export_that_replaces_nearly_all_labels_is_reported(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    other_shapes = {"train": {A: [8, 19, 33], B: [22]}, "valid": {C: [28]}}
    other = write_version(tmp_path / "other", other_shapes)
    _, planned = import_roboflow_coco(other, dataset, dry_run=True)
    assert planned.merge.labels_replaced == 5
    assert planned.counts()["labels_replaced"] == 1

    renamed = shutil.copytree(version, tmp_path / "renamed")
    for split in ("train", "valid"):
        for before, after in (("wing", "petal"), ("body", "stem")):
            path = renamed / split / JSON
            path.write_text(path.read_text().replace(before, after))
    _, planned = import_roboflow_coco(renamed, dataset, dry_run=True)
    assert planned.merge.labels_replaced == 5

    # A later version, in which as much has changed as is usual.
    some = {"train": {A: [1, 13, 30], B: [22]}, "valid": {C: [4]}}
    _, report = import_roboflow_coco(write_version(tmp_path / "v2", some), dataset)
    assert report.merge.labels_replaced == 0


def test_a_project_that_replaces_labels_of_an_export_without_a_name_is_reported(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    other_shapes = {"train": {A: [8, 19, 33], B: [22]}, "valid": {C: [28]}}
    other = write_version(tmp_path / "other", other_shapes)
    say_project(other, "bodies")
    _, planned = import_roboflow_coco(other, dataset, dry_run=True)
    assert planned.merge.labels_replaced == 5
    # A version of the project itself may replace what it will.
    import_roboflow_coco(other, "named")
    newer = write_version(
        tmp_path / "v2", {"train": {A: [1, 13, 26], B: [3]}, "valid": {C: [4]}}
    )
    say_project(newer, "bodies")
    _, report = import_roboflow_coco(newer, "named")
    assert merged(report) == {"labels_added": 5, "labels_deleted": 5}


def test_a_project_leaves_labels_of_another_where_an_export_named_none(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    wing = image_name("wing")
    dataset, _ = import_roboflow_coco(version, "merged")
    wings = write_version(tmp_path / "wings", {"train": {wing: [2, 12]}})
    say_project(wings, "wings")
    import_roboflow_coco(wings, dataset)
    # Most of its images are of the export that named no project.
    splits = {"train": {A: [1, 12, 25], B: [3], wing: [28]}, "valid": {C: [4]}}
    bodies = write_version(tmp_path / "bodies", splits)
    say_project(bodies, "bodies")
    for added in (1, 0):
        _, report = import_roboflow_coco(bodies, dataset)
        assert merged(report) == ({"labels_added": added} if added else {})
        assert codes(report) == {"image_of_other_project"}
    sample = dataset.match({"file_name": wing}).first()
    assert [
        round(x.points[0][0][0] * WIDTH) for x in sample.segmentations.polylines
    ] == [
        *(2, 12, 28),
    ]
    _, report = import_roboflow_coco(wings, dataset)
    assert merged(report) == {}


def test_each_project_has_its_own_conflicts(new_dataset: Any, tmp_path: Path) -> None:
    def conflicts(dataset: Any) -> tuple[list[int], bool]:
        """Returns the places of tagged squares, and whether their sample is tagged."""
        sample = dataset.first()
        tagged = {
            round(line.points[0][0][0] * WIDTH)
            for line in sample.segmentations.polylines
            if line.tags == ["merge_conflict"]
        }
        return sorted(tagged), "merge_conflict" in sample.tags

    def export(project: str, x: int) -> Path:
        folder = write_version(tmp_path / f"{project}{x}", {"train": {A: [x]}})
        say_project(folder, project)
        return folder

    dataset, _ = import_roboflow_coco(export("wings", 1), "both")
    import_roboflow_coco(export("bodies", 21), dataset)
    sample = dataset.first()
    for line, x in zip(sample.segmentations.polylines, (3, 23), strict=True):
        line.points = [[(x / WIDTH, 0.2), (x / WIDTH, 0.4), ((x + 6) / WIDTH, 0.4)]]
    sample.save()
    import_roboflow_coco(export("wings", 2), dataset)
    import_roboflow_coco(export("bodies", 22), dataset)
    assert conflicts(dataset) == ([3, 23], True)
    # Either is settled without the other one.
    import_roboflow_coco(tmp_path / "wings2", dataset, conflicts="export")
    assert conflicts(dataset) == ([23], True)
    import_roboflow_coco(tmp_path / "wings2", dataset)
    assert conflicts(dataset) == ([23], True)
    import_roboflow_coco(tmp_path / "bodies22", dataset, conflicts="export")
    assert conflicts(dataset) == ([], False)


def test_a_tag_of_another_project_that_a_person_removed_stays_away(
    new_dataset: Any, tmp_path: Path
) -> None:
    def tag(coco: dict[str, Any]) -> None:
        coco["images"][0]["extra"]["user_tags"] = ["dark"]

    exports = {}
    for project, squares in (("wings", [1]), ("bodies", [25])):
        exports[project] = write_version(tmp_path / project, {"train": {A: squares}})
        say_project(exports[project], project)
    dataset, _ = import_roboflow_coco(exports["wings"], "merged")
    import_roboflow_coco(change(exports["bodies"], "train", tag), dataset)
    sample = dataset.first()
    assert sample.tags == ["train", "dark"]
    sample.tags.remove("dark")
    sample.save()
    import_roboflow_coco(exports["bodies"], dataset)
    sample.reload()
    assert sample.tags == ["train"]


def test_a_zip_overwrites_no_other_picture(
    new_dataset: Any, cases: Path, tmp_path: Path
) -> None:
    projects = cases / "17-two-projects"
    for project in ("projA", "projB"):
        archive = shutil.make_archive(
            str(tmp_path / project), "zip", projects / project
        )
        dataset, _ = import_roboflow_coco(archive, "both")
    assert len(dataset) == 3
    pictures = {Path(path).read_bytes() for path in dataset.values("filepath")}
    originals = {path.read_bytes() for path in projects.rglob("*.jpg")}
    assert pictures == originals


def test_a_file_that_a_person_gave_a_sample_stays_its_file(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "moved")
    sample = dataset.match({"file_name": A}).first()
    listed = sample.filepath
    own = str(shutil.copy(listed, tmp_path / "sharpened.jpg"))
    sample.filepath = own
    sample.metadata.width = 2 * WIDTH
    sample.save()
    for _ in range(2):
        assert merged(import_roboflow_coco(version, dataset)[1]) == {}
        sample.reload()
        assert (sample.filepath, sample.metadata.width) == (own, 2 * WIDTH)
    # Once it is gone, or the export has its image elsewhere, that one counts.
    Path(own).unlink()
    import_roboflow_coco(version, dataset)
    sample.reload()
    assert (sample.filepath, sample.metadata.width) == (listed, WIDTH)


def test_an_edited_picture_stays_while_versions_elsewhere_have_the_original(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    newer = Path(shutil.copytree(version, tmp_path / "newer"))
    change(newer, "train", lambda coco: coco["annotations"].pop(0))
    dataset, _ = import_roboflow_coco(version, "edited")
    edited, other = (dataset.match({"file_name": name}).first() for name in (A, B))
    blurred = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    cv2.imwrite(edited.filepath, blurred)
    paths = [edited.filepath, other.filepath.replace(str(version), str(newer))]
    for _ in range(2):
        import_roboflow_coco(newer, dataset)
        edited.reload()
        other.reload()
        assert [edited.filepath, other.filepath] == paths
        assert (cv2.imread(edited.filepath) == blurred).all()
    assert len(dataset) == len({A, B, C})


def zipped(folder: Path) -> str:
    """Returns a zip of an export."""
    return shutil.make_archive(str(folder), "zip", folder)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_an_unpacked_picture_that_a_person_edits_stays_through_imports_of_its_zip(
    new_dataset: Any, version: Path, tmp_path: Path, num_workers: int
) -> None:
    options = {"num_workers": num_workers}
    dataset, _ = import_roboflow_coco(zipped(version), "edited", **options)
    sample = dataset.match({"file_name": A}).first()
    path = Path(sample.filepath)
    edited = np.full((2 * HEIGHT, 2 * WIDTH, 3), 99, np.uint8)
    cv2.imwrite(str(path), edited)
    picture = path.read_bytes()
    newer = write_version(
        tmp_path / "v2", {"train": {A: [2], B: [3]}, "valid": {C: []}}
    )
    for export, does in (
        (version, {}),
        (newer, {"labels_updated": 1, "labels_deleted": 3}),
        (newer, {}),
    ):
        _, report = import_roboflow_coco(zipped(export), dataset, **options)
        assert merged(report) == does
        sample.reload()
        assert sample.filepath == str(path)
        assert path.read_bytes() == picture
        assert sample.metadata.width == 2 * WIDTH
        assert len(list(path.parent.iterdir())) == 2
    (line,) = sample.segmentations.polylines
    assert line.points[0][0][0] * WIDTH == pytest.approx(2)
    # Another picture of that name goes elsewhere.
    cv2.imwrite(str(newer / "train" / A), edited[::2, ::2] // 3)
    import_roboflow_coco(zipped(newer), dataset, **options)
    assert path.read_bytes() == picture


def test_a_zip_that_replaces_samples_overwrites_none_of_their_pictures(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(zipped(version), "replaced")
    before = {path: Path(path).read_bytes() for path in dataset.values("filepath")}
    newer = augmented_anew(tmp_path / "v2", {"train": {A: [1], B: [3]}})

    class Stopped(Exception):
        pass

    def stop(bar: Any) -> None:
        raise Stopped

    for progress in (stop, False):
        try:
            import_roboflow_coco(
                zipped(newer), dataset, if_exists="replace", progress=progress
            )
        except Stopped:
            assert set(dataset.values("filepath")) == before.keys()
        for path, picture in before.items():
            assert Path(path).read_bytes() == picture
    pictures = {Path(path).read_bytes() for path in dataset.values("filepath")}
    assert pictures == {(newer / "train" / name).read_bytes() for name in (A, B)}
    # Nor is one of them in the place of another when that is imported again.
    assert merged(import_roboflow_coco(zipped(newer), dataset)[1]) == {}
    for path, picture in before.items():
        assert Path(path).read_bytes() == picture


def test_copies_that_were_augmented_anew_replace_no_sample_unnoticed(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    touched = dataset.match({"file_name": B}).first()
    touched.segmentations.polylines[0].tags.append("good")
    touched.save()
    new_a, new_b, new_c = (image_name(source, "9f") for source in "abc")
    newer = tmp_path / "v2"
    write_version(newer, {"train": {new_a: [2], new_c: [4]}, "valid": {new_b: [7, 20]}})
    for path in newer.rglob("*.jpg"):
        picture = cv2.imread(str(path))
        assert picture is not None
        cv2.imwrite(str(path), picture[:, ::-1])
    dataset, report = import_roboflow_coco(newer, dataset)
    expected = {"images_new": 3, "images_gone": 3, "labels_added": 4, "old_copies": 3}
    assert merged(report) == expected
    assert {"old_copies", "source_in_several_splits"} <= codes(report)
    assert len(dataset) == 6
    assert len(dataset.match_tags("old_copy")) == 3

    fo.delete_dataset("merged")
    dataset, _ = import_roboflow_coco(version, "merged")
    touched = dataset.match({"file_name": B}).first()
    touched.segmentations.polylines[0].tags.append("good")
    touched.save()
    _, planned = import_roboflow_coco(newer, dataset, old_copies="delete", dry_run=True)
    _, report = import_roboflow_coco(newer, dataset, old_copies="delete")
    assert merged(planned) == merged(report) == expected | {"old_copies_deleted": 2}
    # What a person has worked on is left.
    assert dataset.match_tags("old_copy").values("file_name") == [B]
    assert len(dataset) == 4


def test_a_dataset_of_version_0_1_loses_nothing(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    dataset.delete_sample_field("import_base")
    sample = dataset.match({"file_name": A}).first()
    sample.segmentations.polylines[0].label = "body"
    sample.segmentations.polylines.pop(1)
    sample.detections.detections.pop(1)
    sample.save()
    _, report = import_roboflow_coco(version, dataset)
    assert merged(report) == {"conflicts": 2}
    sample.reload()
    assert [x.label for x in sample.segmentations.polylines] == ["body", "wing"]
    assert "merge_conflict" in sample.tags
    dataset.untag_samples("merge_conflict")
    dataset.untag_labels("merge_conflict")
    _, report = import_roboflow_coco(version, dataset)
    assert merged(report) == {"edits_kept": 2}


def test_other_fields_have_a_base_of_their_own(new_dataset: Any, version: Path) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    fields = {"label_field": "second", "box_field": "second_boxes"}
    for _ in range(2):
        _, report = import_roboflow_coco(version, dataset, **fields)
        assert dataset.count("second.polylines") == 5
    assert merged(report) == {}
    sample = dataset.match({"file_name": A}).first()
    sample.second.polylines.pop()
    sample.save()
    _, report = import_roboflow_coco(version, dataset, **fields)
    assert merged(report) == {"edits_kept": 1}
    _, report = import_roboflow_coco(version, dataset)
    assert merged(report) == {}


def test_an_export_into_other_fields_has_lost_no_image_that_it_never_had(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    fields = {"label_field": "second", "box_field": "boxes"}
    dataset, _ = import_roboflow_coco(version, "merged")
    some = {"train": {A: [6, 25]}, "valid": {C: [4]}}
    other = write_version(tmp_path / "other", some)
    for number in range(2):
        _, report = import_roboflow_coco(other, dataset, **fields)
        assert merged(report) == ({} if number else {"labels_added": 3})
        _, report = import_roboflow_coco(version, dataset)
        assert merged(report) == {}
    # It has lost one that it had.
    newer = write_version(tmp_path / "newer", {"train": {B: [2]}, "valid": {C: [4]}})
    _, planned = import_roboflow_coco(newer, dataset, dry_run=True, **fields)
    _, report = import_roboflow_coco(newer, dataset, **fields)
    assert merged(planned) == merged(report) == {"labels_added": 1, "images_gone": 1}
    gone = dataset.match_tags("gone_from_export")
    assert gone.values("file_name") == [A]
    # That of a field by its name of today, too.
    dataset.rename_sample_field("second", "third")
    _, report = import_roboflow_coco(
        newer, dataset, label_field="third", box_field="boxes"
    )
    assert merged(report) == {"images_gone": 1}


def test_imports_that_share_a_field_leave_what_the_other_one_wrote_there(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    # The square at 25 has its box there already.
    other = write_version(tmp_path / "other", {"train": {A: [6, 25]}})
    for number in range(2):
        _, report = import_roboflow_coco(other, dataset, label_field="second")
        assert merged(report) == ({} if number else {"labels_added": 1})
        _, report = import_roboflow_coco(version, dataset)
        assert merged(report) == {}
    sample = dataset.match({"file_name": A}).first()
    lefts = [round(x.bounding_box[0] * WIDTH) for x in sample.detections.detections]
    assert lefts == [1, 12, 25, 6]
    newer = write_version(tmp_path / "newer", {"train": {A: [6]}})
    _, report = import_roboflow_coco(newer, dataset, label_field="second")
    assert merged(report) == {"labels_deleted": 1}
    sample.reload()
    assert len(sample.second.polylines) == 1
    assert len(sample.detections.detections) == 4
    _, report = import_roboflow_coco(version, dataset)
    assert merged(report) == {}


@pytest.mark.parametrize("renamed", [{"label_field"}, {"label_field", "box_field"}])
def test_fields_that_were_renamed_are_merged_under_their_new_names(
    new_dataset: Any, version: Path, tmp_path: Path, renamed: set[str]
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    fields = {"label_field": "segmentations", "box_field": "detections"}
    new = {name: "polygons" if name == "label_field" else "boxes" for name in renamed}
    dataset.rename_sample_fields({fields[name]: to for name, to in new.items()})
    fields |= new
    sample = dataset.match({"file_name": A}).first()
    labels = sample[fields["label_field"]].polylines
    labels[0].label = "body"
    labels.pop()
    sample[fields["box_field"]].detections.pop()
    sample.save()
    # The labels of this image do not tell what the fields were called.
    emptied = dataset.match({"file_name": C}).first()
    emptied[fields["label_field"]].polylines = []
    emptied[fields["box_field"]].detections = []
    emptied.save()

    _, again = import_roboflow_coco(version, dataset, **fields)
    assert merged(again) == {"edits_kept": 3}
    newer = write_version(
        tmp_path / "v2", {"train": {A: [1, 13, 25], B: [3]}, "valid": {C: [4, 20]}}
    )
    expected = {"labels_updated": 1, "labels_added": 1, "edits_kept": 3}
    _, planned = import_roboflow_coco(newer, dataset, dry_run=True, **fields)
    _, report = import_roboflow_coco(newer, dataset, **fields)
    assert merged(planned) == merged(report) == expected
    sample.reload()
    first, second = sample[fields["label_field"]].polylines
    assert first.label == "body"
    assert second.points[0][0][0] * WIDTH == pytest.approx(13)
    _, report = import_roboflow_coco(newer, dataset, **fields)
    assert merged(report) == {"edits_kept": 3}


def test_an_import_into_the_old_name_of_a_field_says_what_it_is_called_now(
    new_dataset: Any, version: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    dataset.rename_sample_field("detections", "boxes")
    before = everything(dataset)
    with pytest.raises(CocoMaskError, match="in 'boxes' by now; give box_field='bo"):
        import_roboflow_coco(version, dataset)
    assert everything(dataset) == before
    dataset.rename_sample_field("segmentations", "polygons")
    give = "give label_field='polygons' and box_field='boxes'"
    with pytest.raises(CocoMaskError, match=give):
        import_roboflow_coco(version, dataset, dry_run=True)
    dataset.rename_sample_fields({"polygons": "segmentations", "boxes": "detections"})
    # A field that is gone is not looked for in what others have made.
    dataset.delete_sample_field("detections")
    sample = dataset.first()
    sample["drawn"] = fo.Detections(
        detections=[fo.Detection(label="wing", bounding_box=[0, 0, 0.5, 0.5])]
    )
    sample.save()
    _, report = import_roboflow_coco(version, dataset)
    assert merged(report) == {"edits_kept": 5}


def test_replace_keeps_the_old_until_the_new_is_there(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    newer = write_version(tmp_path / "v2", {"train": {A: [1]}})

    class Stopped(Exception):
        pass

    def stop(bar: Any) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        import_roboflow_coco(newer, dataset, if_exists="replace", progress=stop)
    assert dataset.count("segmentations.polylines") >= 5
    import_roboflow_coco(newer, dataset, if_exists="replace")
    assert dataset.values("file_name") == [A]


def test_replace_leaves_nothing_of_what_the_old_export_said(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "replaced")
    import_roboflow_coco(version, dataset, label_field="other", box_field="boxes")
    # A person lists a class and a mask value, and takes a class off the list.
    dataset.default_classes = ["mine"]
    dataset.default_mask_targets = {**dataset.default_mask_targets, 9: "mine too"}
    dataset.save()
    newer = write_version(tmp_path / "v2", {"data": {A: [1, 12]}})

    def other_classes(coco: dict[str, Any]) -> None:
        names = ["insect", "leg", "wing", "eye"]
        coco["categories"] = [{"id": i, "name": name} for i, name in enumerate(names)]
        for number, entry in enumerate(coco["annotations"], start=1):
            entry["category_id"] = number

    change(newer, "data", other_classes)
    import_roboflow_coco(newer, dataset, if_exists="replace")
    dataset.reload()
    assert dataset.default_classes == ["mine", "leg"]
    assert set(dataset.default_mask_targets.values()) == {
        *("insect", "leg", "wing", "eye", "mine too")
    }
    assert dataset.label_schemas["segmentations"]["classes"] == ["wing", "leg"]
    assert list(dataset.info["coco"]["splits"]) == ["data"]
    assert "other_fields" not in dataset.info["coco"]
    import_roboflow_coco(version, dataset, if_exists="replace")
    dataset.reload()
    assert dataset.default_classes == ["mine"]
    assert dataset.label_schemas["segmentations"]["classes"] == ["wing"]
    assert set(dataset.default_mask_targets.values()) == {"wing", "body", "mine too"}


def test_many_edits_of_real_annotations_are_all_there_after_a_new_version(
    new_dataset: Any, exports: Path, tmp_path: Path
) -> None:
    old = exports / "mushrooms"
    dataset, _ = import_roboflow_coco(old, "mushrooms")
    edits = random_edits(dataset, number=2000)
    newer = next_version(old, tmp_path / "v2")
    _, report = import_roboflow_coco(newer, dataset)
    counts = report.merge
    assert (counts.images_new, counts.images_moved, counts.images_gone) == (0, 4, 2)
    assert counts.labels_added == 0
    assert counts.conflicts > 10
    assert_all_there(dataset, edits)
    _, again = import_roboflow_coco(newer, dataset)
    assert merged(again) == {
        "images_gone": 2,
        "edits_kept": counts.edits_kept,
        "conflicts": counts.conflicts,
    }


def random_edits(dataset: Any, number: int) -> dict[Any, tuple[str, Any]]:
    """Edits random polylines as people do; returns how each is, and its points."""
    choices = random.Random(7)
    documents = list(dataset._sample_collection.find())
    every = [label for d in documents for label in d["segmentations"]["polylines"]]
    edits: dict[Any, tuple[str, Any]] = {}
    for label in choices.sample(every, number):
        kind = choices.choice(["relabelled", "moved", "tagged", "deleted"])
        if kind == "relabelled":
            label["label"] = "by hand"
        elif kind == "moved":
            x, y = label["points"][0][0]
            label["points"][0][0] = [x * 0.99 + 0.001, y * 0.99 + 0.001]
        elif kind == "tagged":
            label["tags"] = ["by hand"]
        edits[label["_id"]] = kind, label["points"]
    for document in documents:
        labels = document["segmentations"]["polylines"]
        left = [x for x in labels if edits.get(x["_id"], ("",))[0] != "deleted"]
        dataset._sample_collection.update_one(
            {"_id": document["_id"]}, {"$set": {"segmentations.polylines": left}}
        )
    return edits


def next_version(old: Path, folder: Path) -> Path:
    """Writes the next version of an export: other ids, splits, images and classes."""
    shutil.copytree(old, folder)
    train = json.loads((folder / "train" / JSON).read_text())
    valid = json.loads((folder / "valid" / JSON).read_text())
    # Two images are gone, four are in the other split, annotations have other ids.
    moved = {image["id"] for image in train["images"][2:6]}
    gone = {image["id"] for image in train["images"][:2]}
    offset = 1000
    for image in train["images"]:
        if image["id"] in moved:
            name = image["file_name"]
            (folder / "train" / name).rename(folder / "valid" / name)
            valid["images"].append({**image, "id": image["id"] + offset})
    for found in train["annotations"]:
        if found["image_id"] in moved:
            image_id = found["image_id"] + offset
            valid["annotations"].append({**found, "image_id": image_id})
    left = moved | gone
    train["images"] = [i for i in train["images"] if i["id"] not in left]
    train["annotations"] = [
        a for a in train["annotations"] if a["image_id"] not in left
    ][::-1]
    for coco in (train, valid):
        for number, found in enumerate(coco["annotations"]):
            found["id"] = number
        coco["categories"].append({"id": 77, "name": "new", "supercategory": "x"})
    # Some annotations are removed, some have another class.
    del train["annotations"][::50]
    for found in train["annotations"][10::50]:
        found["category_id"] = 77
    (folder / "train" / JSON).write_text(json.dumps(train))
    (folder / "valid" / JSON).write_text(json.dumps(valid))
    return folder


def assert_all_there(dataset: Any, edits: dict[Any, tuple[str, Any]]) -> None:
    labels = {
        label["_id"]: label
        for document in dataset._sample_collection.find()
        for label in document["segmentations"]["polylines"]
    }
    for label_id, (kind, points) in edits.items():
        if kind == "deleted":
            assert label_id not in labels
        elif kind == "relabelled":
            assert labels[label_id]["label"] == "by hand"
        elif kind == "moved":
            assert labels[label_id]["points"] == points
        else:
            assert "by hand" in labels[label_id]["tags"]


@pytest.mark.parametrize("conflicts", ["keep", "export"])
def test_what_was_deleted_and_is_there_again_is_one_object_with_its_box(
    new_dataset: Any, tmp_path: Path, conflicts: Any
) -> None:
    name = image_name("a")
    first = write_version(tmp_path / "1", {"train": {name: [2, 12, 22]}})
    second = write_version(tmp_path / "2", {"train": {name: [2, 22, 30]}})
    dataset, _ = import_roboflow_coco(first, "again")
    delete_objects(dataset, [dataset.first().segmentations.polylines[1].id])
    # Its annotation is gone, and its id is that of the square at 22 now.
    import_roboflow_coco(second, dataset, conflicts=conflicts)
    undo_mask_fixes(dataset, "deleted_objects")
    report = export_roboflow_coco(dataset, tmp_path / "out", images="none")
    assert (report.annotations, report.unchanged, report.added) == (4, 3, 1)
    written = json.loads((tmp_path / "out" / "train" / JSON).read_text())
    assert [(a["segmentation"][0][0], a["bbox"]) for a in written["annotations"]] == [
        (x, [x, 5, 6, 6]) for x in (2, 22, 30, 12)
    ]
    # The annotation comes back, that of the square at 30 goes.
    import_roboflow_coco(first, dataset, conflicts=conflicts)
    sample = dataset.first()
    lines = sample.segmentations.polylines
    boxes = sample.detections.detections
    assert [(x.coco_id, round(x.points[0][0][0] * WIDTH)) for x in lines] == [
        *((0, 2), (1, 12), (2, 22)),
    ]
    assert sorted((x.coco_id, round(x.bounding_box[0] * WIDTH)) for x in boxes) == [
        *((0, 2), (1, 12), (2, 22)),
    ]


def test_a_deletion_in_conflict_that_is_undone_is_in_conflict_until_it_is_settled(
    new_dataset: Any, tmp_path: Path
) -> None:
    name = image_name("a")
    first = write_version(tmp_path / "1", {"train": {name: [2, 12, 22]}})
    second = write_version(tmp_path / "2", {"train": {name: [2, 13, 22]}})
    dataset, _ = import_roboflow_coco(first, "undone")
    delete_objects(dataset, [dataset.first().segmentations.polylines[1].id])
    for _ in range(2):
        assert merged(import_roboflow_coco(second, dataset)[1]) == {"conflicts": 1}
    undo_mask_fixes(dataset, "deleted_objects")
    for _ in range(2):
        assert merged(import_roboflow_coco(second, dataset)[1]) == {"conflicts": 1}
        sample = dataset.first()
        assert sample.tags == ["train", "merge_conflict"]
        tagged = sample.segmentations.polylines + sample.detections.detections
        tagged = [label for label in tagged if label.tags == ["merge_conflict"]]
        assert [label.coco_id for label in tagged] == [1, 1]
    for label in tagged:
        label.tags = []
    sample.save()
    assert merged(import_roboflow_coco(second, dataset)[1]) == {"edits_kept": 1}
    assert dataset.first().tags == ["train"]
    places = {
        round(line.points[0][0][0] * WIDTH)
        for line in dataset.first()["segmentations"].polylines
    }
    assert places == {2, 12, 22}


def augmented_anew(folder: Path, splits: dict[str, dict[str, list[Any]]]) -> Path:
    """Writes a version whose images are other pictures than those of the same names."""
    write_version(folder, splits)
    for path in folder.rglob("*.jpg"):
        picture = cv2.imread(str(path))
        assert picture is not None
        cv2.imwrite(str(path), picture[:, ::-1])
    return folder


NEW_A, NEW_B, NEW_C = (image_name(source, "9f") for source in "abc")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("checked", True),
        ("note", "wings are folded"),
        ("weather", fo.Classification(label="rain")),
        ("others", fo.Detections(detections=[fo.Detection(label="x")])),
    ],
)
def test_an_old_copy_with_values_in_a_persons_own_fields_is_not_deleted(
    new_dataset: Any, version: Path, tmp_path: Path, field: str, value: Any
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    compute_masks(dataset)
    evaluate_mask_area(dataset, label_field="segmentations")
    sample = dataset.match({"file_name": A}).first()
    sample[field] = value
    sample.save()
    newer = {"train": {NEW_A: [2], NEW_B: [7]}, "valid": {NEW_C: [4]}}
    export = augmented_anew(tmp_path / "v2", newer)
    _, planned = import_roboflow_coco(
        export, dataset, old_copies="delete", dry_run=True
    )
    _, report = import_roboflow_coco(export, dataset, old_copies="delete")
    # The mask and its figures are no person's work: the others are deleted.
    assert planned.merge == report.merge
    assert report.merge.old_copies_deleted == 2
    assert dataset.match_tags("old_copy").values("file_name") == [A]
    assert dataset.match({"file_name": A}).first()[field] == sample[field]


def test_a_tag_that_an_import_gives_to_all_is_no_persons_work(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged", tags=["batch"])
    dataset.match({"file_name": B}).tag_samples("good")
    newer = {"train": {NEW_A: [2], NEW_B: [7]}, "valid": {NEW_C: [4]}}
    export = augmented_anew(tmp_path / "v2", newer)
    options: dict[str, Any] = {"tags": ["batch"], "old_copies": "delete"}
    _, planned = import_roboflow_coco(export, dataset, dry_run=True, **options)
    said = [i.message for i in planned.issues if i.code.value == "old_copies"]
    assert "2 of them would be deleted, and 1 that a person has" in said[0]
    _, report = import_roboflow_coco(export, dataset, **options)
    assert report.merge == planned.merge
    assert dataset.match_tags("old_copy").values("file_name") == [B]
    assert len(dataset) == 4


def test_a_tag_of_the_import_that_a_person_removed_stays_away(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged", tags=["batch"])
    sample = dataset.match({"file_name": A}).first()
    sample.tags.remove("batch")
    sample.save()
    _, report = import_roboflow_coco(version, dataset, tags=["batch"])
    assert merged(report) == {}
    sample.reload()
    assert sample.tags == ["train"]
    # Another tag, and the tags of what is new, are for all.
    import_roboflow_coco(version, dataset, tags=["second"])
    assert len(dataset.match_tags("second")) == 3
    assert len(dataset.match_tags("batch")) == 2


def test_an_old_copy_with_a_persons_attribute_on_a_label_is_not_deleted(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    def describe(coco: dict[str, Any]) -> None:
        coco["annotations"][0]["pose"] = "open"

    dataset, _ = import_roboflow_coco(change(version, "train", describe), "merged")
    sample = dataset.match({"file_name": B}).first()
    sample.detections.detections[0]["seen_by"] = "me"
    sample.save()
    newer = {"train": {NEW_A: [2], NEW_B: [7]}, "valid": {NEW_C: [4]}}
    export = augmented_anew(tmp_path / "v2", newer)
    _, report = import_roboflow_coco(export, dataset, old_copies="delete")
    assert report.merge.old_copies_deleted == 2
    assert dataset.match_tags("old_copy").values("file_name") == [B]


def test_an_old_copy_with_labels_of_another_import_is_not_deleted(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    other = write_version(tmp_path / "other", {"train": {A: [7]}})
    import_roboflow_coco(other, dataset, label_field="second", box_field="boxes")
    newer = {"train": {NEW_A: [2], NEW_B: [7]}, "valid": {NEW_C: [4]}}
    export = augmented_anew(tmp_path / "v2", newer)
    _, report = import_roboflow_coco(export, dataset, old_copies="delete")
    assert report.merge.old_copies_deleted == 2
    assert dataset.count("second.polylines") == 1


def test_the_report_says_which_old_copies_were_deleted(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    dataset.match({"file_name": B}).tag_samples("mine")
    newer = {"train": {NEW_A: [2], NEW_B: [7]}}
    export = augmented_anew(tmp_path / "v2", newer)
    _, report = import_roboflow_coco(export, dataset, old_copies="delete")
    said = {
        issue.file_name: issue.message.partition("; ")[2]
        for issue in report.issues
        if issue.code.value == "gone_from_export"
    }
    assert said == {
        A: "it is an older copy, and was deleted",
        B: "it stays in the dataset, tagged 'gone_from_export'",
    }
    line = "2 images gone from the export, 1 of them kept in the dataset"
    assert line in report.merge.lines()


def test_older_copies_that_are_tagged_can_be_deleted_by_the_next_import(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    newer = {"train": {NEW_A: [2], NEW_B: [7], NEW_C: [4]}}
    export = augmented_anew(tmp_path / "v2", newer)
    import_roboflow_coco(export, dataset)
    kept = dataset.match({"file_name": B}).first()
    kept.tags.remove("old_copy")
    kept.save()
    _, again = import_roboflow_coco(export, dataset)
    assert merged(again) == {"images_gone": 3, "old_copies": 2}
    _, report = import_roboflow_coco(export, dataset, old_copies="delete")
    assert merged(report) == merged(again) | {"old_copies_deleted": 2}
    assert dataset.values("file_name") == [B, NEW_A, NEW_B, NEW_C]


@pytest.mark.parametrize("old_copies", ["tag", "delete"])
def test_an_import_killed_before_it_came_to_older_copies_comes_to_them_when_run_again(
    new_dataset: Any,
    version: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old_copies: Any,
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    newer = {"train": {NEW_A: [2], B: [3]}, "valid": {NEW_C: [4], C: [4]}}
    export = augmented_anew(tmp_path / "v2", newer)
    with monkeypatch.context() as patch:
        patch.setattr(GoneSamples, "retire", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            import_roboflow_coco(export, dataset, old_copies=old_copies)
    assert len(dataset) == 5
    _, planned = import_roboflow_coco(
        export, dataset, old_copies=old_copies, dry_run=True
    )
    _, report = import_roboflow_coco(export, dataset, old_copies=old_copies)
    deleted = {"old_copies_deleted": 1} if old_copies == "delete" else {}
    assert merged(report) == {"images_gone": 1, "old_copies": 1, **deleted}
    assert planned.merge == report.merge
    assert dataset.match_tags("old_copy").values("file_name") == [A][len(deleted) :]
    # What it was killed at is done: the copies are no newer than others from now on.
    for path in export.rglob(NEW_C):
        path.unlink()
    change(export, "valid", lambda coco: coco["images"].pop(0))
    _, report = import_roboflow_coco(export, dataset)
    assert report.merge.old_copies == 1 - len(deleted)


def test_a_persons_copy_of_a_sample_is_not_gone_from_the_export(
    new_dataset: Any, version: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    dataset.add_sample(dataset.match({"file_name": A}).first().copy())
    newer = augmented_anew(tmp_path / "v2", {"train": {A: [1, 12, 25], NEW_A: [4]}})
    for export, gone in ((version, 0), (newer, 1)):
        _, report = import_roboflow_coco(export, dataset, old_copies="delete")
        assert report.merge.images_gone == gone
        assert len(dataset.match({"file_name": A, "tags": ["train"]})) == 2
    assert dataset.match_tags("gone_from_export").values("file_name") == [B]


@pytest.mark.parametrize("old_copies", ["tag", "delete"])
def test_what_is_in_splits_that_are_left_out_is_not_gone(
    new_dataset: Any, tmp_path: Path, old_copies: Any
) -> None:
    first = write_version(
        tmp_path / "v1", {"train": {B: [3]}, "valid": {A: [1], C: [4]}}
    )
    dataset, _ = import_roboflow_coco(first, "merged")
    # One has moved. What the split that is left out has is here, too.
    splits = {"train": {A: [1], B: [3], NEW_C: [9]}, "valid": {C: [4]}}
    newer = write_version(tmp_path / "v2", splits)
    _, report = import_roboflow_coco(
        newer, dataset, splits=["train"], old_copies=old_copies
    )
    assert merged(report) == {"images_new": 1, "images_moved": 1, "labels_added": 1}
    assert dataset.match({"file_name": C}).first().tags == ["valid"]
    _, report = import_roboflow_coco(newer, dataset, old_copies=old_copies)
    assert merged(report) == {}
    assert len(dataset) == 4


def test_splits_that_are_imported_one_by_one_are_as_those_imported_at_once(
    new_dataset: Any, tmp_path: Path
) -> None:
    # Two files of one name and content, and two of one content.
    splits = {"train": {"1.png": [1], B: [3]}, "valid": {"1.png": [2], "2.png": [4]}}
    export = write_version(tmp_path / "export", splits)
    for split in ("train", "valid"):
        change(export, split, lambda coco: [i.pop("extra") for i in coco["images"]])
    shutil.copy(export / "train" / B, export / "valid" / "2.png")
    whole, _ = import_roboflow_coco(export, "whole")
    # A left-out JSON that cannot be read costs nothing.
    broken = shutil.copytree(export, tmp_path / "broken")
    (broken / "valid" / JSON).write_text('{"images": [{"file_name": 7}, 3, []')
    for name, first in (("one by one", export), ("after a broken one", broken)):
        dataset, _ = import_roboflow_coco(first, name, splits=["train"])
        for split in ("train", "valid", "train"):
            _, report = import_roboflow_coco(export, dataset, splits=[split])
            assert "images_moved" not in merged(report)
        for field in ("split", "file_name", "segmentations.polylines.label"):
            assert sorted(map(str, dataset.values(field))) == sorted(
                map(str, whole.values(field))
            )


@pytest.mark.parametrize("broken", ["missing", "unreadable", "in another split"])
def test_an_image_whose_file_cannot_be_read_is_not_gone_from_the_export(
    new_dataset: Any, version: Path, tmp_path: Path, broken: str
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    split = "valid" if broken == "in another split" else "train"
    newer: dict[str, dict[str, list[Any]]] = {"train": {NEW_A: [2], B: [3]}}
    newer.setdefault(split, {})[A] = [1, 12, 25]
    export = augmented_anew(tmp_path / "v2", newer)
    if broken == "unreadable":
        (export / split / A).write_text("not a picture")
    else:
        (export / split / A).unlink()
    _, report = import_roboflow_coco(export, dataset, old_copies="delete")
    # Of a split that the export has, the image that it does not list is gone.
    gone = {"images_gone": 1} if split == "valid" else {}
    assert merged(report) == {"images_new": 1, "labels_added": 1, **gone}
    assert A in dataset.values("file_name")
    sample = dataset.match({"file_name": A}).first()
    assert sample.tags == ["train"]
    assert len(sample.segmentations.polylines) == 3


@pytest.mark.parametrize("conflicts", ["keep", "export"])
@pytest.mark.parametrize("is_drawn_anew", [False, True])
def test_an_export_of_edits_that_is_imported_again_has_each_object_once(
    new_dataset: Any,
    version: Path,
    tmp_path: Path,
    conflicts: Any,
    is_drawn_anew: bool,
) -> None:
    dataset, _ = import_roboflow_coco(version, "merged")
    sample = dataset.match({"file_name": A}).first()
    line = sample.segmentations.polylines[1]
    distance = 0.012345678 if is_drawn_anew else 0.123456789
    points = [[(x + distance, 2 * y) for x, y in ring] for ring in line.points]
    if is_drawn_anew:
        delete_objects(dataset, [line.id])
        sample.reload()
        drawn = fo.Polyline(label="wing", points=points, closed=True, filled=True)
        sample.segmentations.polylines.append(drawn)
    else:
        line.points = points
    sample.save()
    ids = [label.id for label in sample.segmentations.polylines]
    export_roboflow_coco(dataset, tmp_path / "out")
    _, report = import_roboflow_coco(tmp_path / "out", dataset, conflicts=conflicts)
    assert merged(report) == {}
    sample.reload()
    assert [label.id for label in sample.segmentations.polylines] == ids
    boxes = [x.bounding_box[0] * WIDTH for x in sample.detections.detections]
    # The box is around the pixels of what was drawn or moved.
    left = int(points[0][0][0] * WIDTH + 0.5)
    assert sorted(round(x, 3) for x in boxes) == sorted([1, 25, left])


def test_a_second_import_of_what_one_sample_cannot_hold_twice_costs_that_image_only(
    new_dataset: Any, tmp_path: Path
) -> None:
    # 300 rings of 1,000 points, which take about 10 MB.
    angles = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    circle = np.stack([20 + 9 * np.cos(angles), 15 + 9 * np.sin(angles)], axis=1)
    entries = [
        annotation(n, 0, segmentation=[(circle + n / 1000).ravel().tolist()])
        for n in range(300)
    ]
    export = write_split(
        tmp_path / "export",
        [image_name("a"), image_name("b")],
        [*entries, annotation(300, 1)],
    )
    dataset, first = import_roboflow_coco(export, "twice")
    assert first.imported == 301
    fields: dict[str, Any] = {"label_field": "second", "box_field": "boxes"}
    _, planned = import_roboflow_coco(export, dataset, dry_run=True, **fields)
    for _ in range(2):
        _, report = import_roboflow_coco(export, dataset, **fields)
        assert (report.imported, report.dropped) == (1, 300)
        assert report.accounted == report.annotations == 301
        assert report.classes == {"wing": 1}
        full = [issue for issue in report.issues if issue.code.value == "image_full"]
        assert {issue.annotation_id for issue in full} == set(range(300))
        assert dataset.count("second.polylines") == 1
        assert dataset.count("segmentations.polylines") == 301
    assert planned.counts() == report.counts()
    assert planned.merge is not None
    assert planned.merge.labels_added == 1
